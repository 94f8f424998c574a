//! Counters: what was received and what became of it.
//!
//! Plain integers, added up where they arise; `received = decoded + skipped` always holds.

use analyzers::{Text, record};

use crate::decode::SkipCounts;

record! {
    /// What was received and what became of every packet, at the end of a replay.
    pub struct StatsRecord: "stats" {
        /// Worker that the row is about; null for the sum.
        worker: Option<i32>,
        /// Packets given by the capture.
        received: i64,
        /// Packets that belong to a flow.
        decoded: i64,
        /// Packets that do not; see `skipped_reasons`.
        skipped: i64,
        /// JSON object: reason, count.
        skipped_reasons: Text,
        /// Packets that the system lost before the sensor, as the capture's own statistics say.
        kernel_drops: Option<i64>,
        /// Packets that the interface lost, as the capture's own statistics say.
        interface_drops: Option<i64>,
        /// Packets that waited in a full queue of the sensor and were let go.
        queue_drops: i64,
        /// Captured bytes.
        bytes: i64,
        /// Flows in the table when the row was written.
        flows_open: i64,
        /// Flows that were ended because the table was full.
        flows_evicted: i64,
        /// Bytes of state; null in a replay.
        memory_bytes: Option<i64>,
        /// Drops over received plus drops, in percent.
        loss_percent: f64,
        /// Share of TCP payload bytes that were sent and never seen, in percent.
        gap_percent: f64,
        /// Packets whose IP or transport checksum does not match.
        bad_checksums: i64,
    }
}

/// Counts of one decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketCounts {
    /// Packets given by the capture.
    pub received: u64,
    /// Packets that belong to a flow.
    pub decoded: u64,
    /// Packets that do not, by reason.
    pub skipped: SkipCounts,
    /// Captured bytes.
    pub bytes: u64,
    /// Packets whose checksum does not match.
    pub bad_checksums: u64,
}

/// Counts of the flow tables of all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Flows that were ended because the table was full.
    pub evicted: u64,
}
