//! What workers tell the second stage: a closed list, each with the logical packet time at which it
//! became true.
//!
//! The order (time, uid, number in its flow) does not depend on which worker said it, so that
//! everything after the merge is the same with one worker or sixteen.

use analyzers::weird::WeirdRecord;
use analyzers::{FlowId, FlowRecord, Opening, Record, Timestamp, Weird};

/// One event of one flow.
#[derive(Debug)]
pub struct Event {
    /// When it became true. For a time-out: the last packet's time plus the time-out.
    pub time: Timestamp,
    /// Its number among the events of its flow.
    pub number: u32,
    /// The flow.
    pub flow: FlowId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug)]
pub enum EventKind {
    /// A flow's first packet.
    Opened {
        /// Packet time of it.
        ts: Timestamp,
        /// What it was.
        opening: Opening,
    },
    /// The originator of a long flow spoke after a silence.
    Active {
        /// Packet time of it.
        ts: Timestamp,
        /// Payload bytes.
        bytes: u32,
    },
    /// Odd traffic of a flow, at its first occurrence.
    Odd {
        /// Packet time of it.
        ts: Timestamp,
        /// Its kind.
        weird: Weird,
    },
    /// An analyzer has a row.
    Record {
        /// Packet time of the row's first packet.
        ts: Timestamp,
        /// The row.
        record: Box<dyn Record>,
    },
    /// Odd traffic of a flow, counted until the flow ended.
    Weird {
        /// Packet time of its first occurrence.
        ts: Timestamp,
        /// The row.
        record: WeirdRecord,
    },
    /// A flow ended, or a part of a long one did.
    FlowRow {
        /// Packet time of the first packet counted in the row.
        ts: Timestamp,
        /// The row.
        record: Box<FlowRecord>,
    },
}

impl Event {
    /// What events are sorted by.
    #[must_use]
    pub fn order(&self) -> (Timestamp, u64, u32) {
        (self.time, self.flow.uid.first_half(), self.number)
    }
}
