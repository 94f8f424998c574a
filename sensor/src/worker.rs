//! A worker: owns the flows of some shards outright. No lock, no shared map.
//!
//! In: packets of its shards, in the order of the capture, and the capture's clock. Out: events,
//! and the promise (the watermark) that no later event is older than the clock it was told.

use analyzers::{Emitter, Timestamp, Uid};

use crate::event::Event;
use crate::flow::table::{Arrival, Tools};
use crate::flow::uid::UidMaker;
use crate::flow::{FlowSettings, FlowTable, SHARDS};
use crate::stats::FlowCounts;

/// Packets whose flows' memory is asked for together: enough that the reads overlap, so few that
/// what was read is still in the first cache when it is used.
pub const TOGETHER: usize = 16;

/// One worker of several.
pub struct Worker {
    /// Its shards: those whose number modulo the number of workers is its own.
    shards: Vec<FlowTable>,
    workers: usize,
    tools: Tools,
}

/// Which worker owns a shard.
#[must_use]
pub const fn owner(shard: usize, workers: usize) -> usize {
    shard % workers
}

impl Worker {
    /// Worker `index` of `workers`.
    #[must_use]
    pub fn new(index: usize, workers: usize, settings: FlowSettings, uids: UidMaker) -> Self {
        let owned = (0..SHARDS).filter(|&shard| owner(shard, workers) == index).count();
        let tools = Tools { settings, uids, emitter: Emitter::default(), events: Vec::new() };
        Self { shards: (0..owned).map(|_| FlowTable::default()).collect(), workers, tools }
    }

    /// Takes a packet of one of its shards, whose bytes `block` holds; answers the uid of its flow.
    pub fn packet(&mut self, arrival: &Arrival, block: &[u8]) -> Option<Uid> {
        let shard = self.shards.get_mut(arrival.key.shard() / self.workers)?;
        shard.packet(arrival, block, &mut self.tools)
    }

    /// Takes packets of its shards, whose bytes `block` holds.
    pub fn packets(&mut self, arrivals: &[Arrival], block: &[u8]) {
        for together in arrivals.chunks(TOGETHER) {
            for arrival in together {
                if let Some(shard) = self.shards.get(arrival.key.shard() / self.workers) {
                    shard.approach(arrival);
                }
            }
            for arrival in together {
                self.packet(arrival, block);
            }
        }
    }

    /// Moves to the capture's clock: ends flows that have been silent for too long.
    pub fn advance(&mut self, clock: Timestamp) {
        for shard in &mut self.shards {
            shard.expire(clock, &mut self.tools);
        }
    }

    /// Ends a share of the flows because memory is short.
    pub fn relieve(&mut self, clock: Timestamp) {
        for shard in &mut self.shards {
            shard.relieve(clock, &mut self.tools);
        }
    }

    /// Ends all flows.
    pub fn finish(&mut self, clock: Timestamp) {
        for shard in &mut self.shards {
            shard.finish(clock, &mut self.tools);
        }
    }

    /// The events found since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.tools.events)
    }

    /// What happened to its flows.
    #[must_use]
    pub fn counts(&self) -> FlowCounts {
        FlowCounts {
            open: self.shards.iter().map(|shard| shard.open_flows() as u64).sum(),
            evicted: self.shards.iter().map(FlowTable::evicted).sum(),
        }
    }
}
