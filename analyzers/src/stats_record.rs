//! The row of the `stats` table: what a sensor received and what became of it.

use crate::record;
use crate::text::Text;

record! {
    /// What was received and what became of every packet: of a whole replay, or of an interval of
    /// live capture. Fragments that wait for others are in a later interval's row.
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
        /// Packets that were let go because they came too fast, by class in `skipped_reasons`.
        queue_drops: i64,
        /// Captured bytes.
        bytes: i64,
        /// Flows in the table when the row was written.
        flows_open: i64,
        /// Flows that were ended because the table was full.
        flows_evicted: i64,
        /// Bytes of state; null in a replay.
        memory_bytes: Option<i64>,
        /// Packets that were lost or let go, over those that were offered, in percent.
        loss_percent: f64,
        /// Share of TCP payload bytes that were sent and never seen, in percent.
        gap_percent: f64,
        /// Packets whose IP or transport checksum does not match.
        bad_checksums: i64,
    }
}
