//! Serval's analyzers: bytes in, records and weirds out.
//!
//! # The contract on one page
//! A *flow* is met by its first bytes. The list in [`protocols`] is probed; the protocol that
//! answers [`Verdict::Certain`] makes an [`Analyzer`] for the flow, one state machine for both
//! directions with three verbs: `data` (a [`Chunk`]: contiguous bytes of one direction), `gap`
//! (bytes that the capture lost) and `finish`. Its answer is a [`Step`]. What it has to say leaves
//! only through the [`Emitter`]: records (rows of a table) and weirds (odd traffic).
//!
//! What all flows said, in one order, is told to the detectors in [`detectors`], which answer with
//! findings about hosts ([`detector`]).
//!
//! # Invariants
//! - **Invariant:** nothing here performs I/O, reads a clock, starts a thread or uses `unsafe`.
//!   Time is packet time and comes with the chunk.
//! - **Invariant:** only [`reader`] indexes bytes. Parsers cannot panic: the lints below forbid
//!   what could.
//! - **Invariant:** every table, queue and buffer that traffic can grow has a name in [`limits`].
//! - **Invariant:** malformed input is a weird plus the partial record, never a lost transaction.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

pub mod alert;
pub mod detector;
pub mod detectors;
mod digest;
pub mod direction;
pub mod distinct;
pub mod domain;
pub mod emitter;
mod file_type;
pub mod flow_id;
pub mod flow_record;
pub mod grade;
pub mod guessing;
pub mod hunt;
pub mod lateral;
pub mod limits;
pub mod logins;
pub mod malformed;
pub mod newest;
pub mod protocol;
pub mod protocols;
pub mod reader;
pub mod recent;
pub mod record;
pub mod scanning;
pub mod scene;
pub mod seen;
pub mod services;
pub mod span;
pub mod stats_record;
pub mod tables;
pub mod text;
pub mod threshold;
pub mod time;
pub mod weird;

pub use alert::AlertRecord;
pub use detector::{
    Detector, Event, Finding, Findings, FlowsBehind, IndicatorSeen, Interest, Opening, Watcher,
    What,
};
pub use direction::{Direction, PerDirection};
pub use emitter::{Detail, Emission, Emitter};
pub use flow_id::{Endpoint, FlowId, Transport, Uid};
pub use flow_record::FlowRecord;
pub use grade::{Confidence, Severity, Stage, Technique};
pub use malformed::Malformed;
pub use protocol::{
    Analyzer, Chunk, FileHashing, Finish, FinishReason, FlowContext, Gap, Next, Probe, Protocol,
    Step, StreamStart, Verdict,
};
pub use reader::Reader;
pub use recent::Recent;
pub use record::{Column, ColumnKind, Record, Row, Table, Value};
pub use scene::{Heading, HomeNetworks, Scene, Schedule};
pub use span::Span;
pub use stats_record::StatsRecord;
pub use text::Text;
pub use time::{StatedTime, Timestamp};
pub use weird::Weird;
