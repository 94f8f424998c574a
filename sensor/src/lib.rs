//! The sensor: everything that touches the world. In: packets from files or interfaces. Out: an
//! archive of records, streams of rows, a summary.
//!
//! The rooms, in the order in which a packet walks through them:
//! [`capture`] → [`decode`] → [`flow`] → [`stream`] → [`session`] → [`event`] → [`watch`] →
//! [`archive`]. [`pipeline`] is the path itself.

// But for one module of `capture`, which says why.
#![deny(unsafe_code)]

pub mod alerts;
pub mod archive;
pub mod baseline;
pub mod capture;
pub mod carve;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decode;
pub mod enrich;
pub mod event;
pub mod explain;
pub mod flow;
pub mod hunt;
pub mod intel;
pub mod live;
pub mod memory;
pub mod overload;
pub mod pipeline;
#[cfg(target_os = "linux")]
pub mod privileges;
pub mod progress;
pub mod replay;
pub mod rows;
pub mod schema;
pub mod session;
pub mod stamp;
pub mod state;
pub mod stats;
pub mod stream;
pub mod summary;
pub mod tables;
pub mod tune;
pub mod watch;
pub mod worker;
