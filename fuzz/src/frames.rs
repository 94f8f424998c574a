//! Both ends of the data path: a source that gives one batch, and a stage that writes every row.

use std::io;

use analyzers::Timestamp;
use sensor::capture::{Batch, CaptureError, Fill, Problem, Source, Tally};
use sensor::config::Config;
use sensor::event::{Event, EventKind};
use sensor::pipeline::{Stage, StageError};
use sensor::rows::OnFailure;
use sensor::rows::stream::RowStream;
use sensor::watch::knowledge::Knowledge;
use sensor::watch::{Sinks, Watch};

/// Link types that the decoder reads, and one that it does not (LINKTYPE_* by number).
pub const LINK_TYPES: [u16; 16] =
    [1, 101, 113, 276, 0, 108, 12, 228, 229, 9, 50, 51, 104, 219, 239, 105];

/// Gives one batch.
pub struct Frames(Option<Batch>);

impl Frames {
    /// Gives `batch`.
    #[must_use]
    pub const fn new(batch: Batch) -> Self {
        Self(Some(batch))
    }
}

impl Source for Frames {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        *batch = self.0.take().unwrap_or_default();
        Ok(if batch.packets.is_empty() { Fill::End } else { Fill::Packets })
    }

    fn tally(&self) -> Tally {
        Tally::default()
    }

    fn problems(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Writes rows to nowhere and adds up the packets of flow rows.
pub struct Rows {
    watch: Watch,
    flow_packets: i64,
}

impl Default for Rows {
    fn default() -> Self {
        let json = Some(RowStream::new(Box::new(io::sink()), OnFailure::Answer));
        let sinks = Sinks { json, ..Sinks::default() };
        let watch = Watch::new(1, &Config::default(), Knowledge::default(), sinks);
        Self { watch, flow_packets: 0 }
    }
}

impl Rows {
    /// Packets of all flow rows.
    #[must_use]
    pub fn flow_packets(&self) -> u64 {
        u64::try_from(self.flow_packets).expect("no row counts below zero")
    }
}

impl Stage for Rows {
    fn events(
        &mut self,
        worker: usize,
        events: Vec<Event>,
        watermark: Timestamp,
    ) -> Result<(), StageError> {
        for event in &events {
            if let EventKind::FlowRow { record, .. } = &event.kind {
                self.flow_packets += record.src_packets + record.dst_packets;
            }
        }
        self.watch.events(worker, events, watermark)
    }
}
