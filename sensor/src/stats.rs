//! Counters: what was received and what became of it.
//!
//! Plain integers, added up where they arise; `received = decoded + skipped` always holds at the
//! end. While a sensor runs, each thread puts its counts on a [`Board`] once a batch.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use analyzers::StatsRecord;
use analyzers::Text;

use crate::capture::Tally;
use crate::decode::{SkipCounts, SkipReason};
use crate::watch::standing::Standing;

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

impl PacketCounts {
    /// Packets that there was no time for.
    #[must_use]
    pub fn overload(&self) -> u64 {
        SkipReason::OVERLOAD.iter().map(|reason| self.skipped.count(*reason)).sum()
    }
}

/// Counts of flow tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Flows in the table.
    pub open: u64,
    /// Flows that were ended because the table was full.
    pub evicted: u64,
}

/// All counts since the start, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// What became of packets.
    pub packets: PacketCounts,
    /// What the source counted.
    pub tally: Tally,
    /// The flow tables of all workers.
    pub flows: FlowCounts,
}

/// Where the threads of a run put their counts, for whoever wants to know them meanwhile.
#[derive(Debug, Default)]
pub struct Board {
    posted: Mutex<Posted>,
    /// Grows whenever flows are to make room because memory is short.
    relief: AtomicU64,
}

#[derive(Debug, Default)]
struct Posted {
    packets: PacketCounts,
    tally: Tally,
    workers: Vec<FlowCounts>,
    /// Grows with every batch, also with the empty ones of a quiet source.
    pulse: u64,
    /// Grows whenever the operator asks for what was read to be read again.
    reload: u64,
    lost_interfaces: BTreeSet<String>,
    standing: Standing,
}

/// The state of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It is heard.
    Heard,
    /// It is down or gone.
    Lost,
}

impl Board {
    /// Takes the counts of the thread that reads.
    pub fn post_packets(&self, packets: &PacketCounts, tally: Tally) {
        let mut posted = self.lock();
        posted.packets.clone_from(packets);
        posted.tally = tally;
        posted.pulse += 1;
    }

    /// Grows for as long as packets are being looked for.
    #[must_use]
    pub fn pulse(&self) -> u64 {
        self.lock().pulse
    }

    /// Asks every worker to end a share of its flows: there is no memory for all.
    pub fn ask_relief(&self) {
        self.relief.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the latest request for room.
    #[must_use]
    pub fn relief(&self) -> u64 {
        self.relief.load(Ordering::Relaxed)
    }

    /// Asks every room to read again what it has read: feeds, lists, databases. Answers the number
    /// of the request.
    pub fn ask_reload(&self) -> u64 {
        let mut posted = self.lock();
        posted.reload += 1;
        posted.reload
    }

    /// The number of the latest request to read again; a room that sees it change does so.
    #[must_use]
    pub fn reload(&self) -> u64 {
        self.lock().reload
    }

    /// Takes the state of an interface.
    pub fn post_interface(&self, name: &str, link: Link) {
        let lost = &mut self.lock().lost_interfaces;
        match link {
            Link::Heard => lost.remove(name),
            Link::Lost => lost.insert(name.to_owned()),
        };
    }

    /// The interfaces that are down or gone.
    #[must_use]
    pub fn lost_interfaces(&self) -> BTreeSet<String> {
        self.lock().lost_interfaces.clone()
    }

    /// Takes how the second stage is doing.
    pub fn post_standing(&self, standing: Standing) {
        self.lock().standing = standing;
    }

    /// How the second stage was doing when it last said so.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.lock().standing.clone()
    }

    /// Takes the counts of one worker.
    pub fn post_flows(&self, worker: usize, flows: FlowCounts) {
        let workers = &mut self.lock().workers;
        if workers.len() <= worker {
            workers.resize(worker + 1, FlowCounts::default());
        }
        workers[worker] = flows;
    }

    /// What was posted last.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let posted = self.lock();
        let flows = posted.workers.iter().fold(FlowCounts::default(), |sum, worker| FlowCounts {
            open: sum.open + worker.open,
            evicted: sum.evicted + worker.evicted,
        });
        Counts { packets: posted.packets.clone(), tally: posted.tally, flows }
    }

    fn lock(&self) -> MutexGuard<'_, Posted> {
        // Counts are whole even where a thread panicked.
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// The row of what was counted since `before`.
    #[must_use]
    pub fn row_since(&self, before: &Self, gap_percent: f64) -> StatsRecord {
        let now = self;
        let since = |now: u64, before: u64| signed(now.saturating_sub(before));
        let (packets, old) = (&now.packets, &before.packets);
        let reasons: serde_json::Map<_, _> = packets
            .skipped
            .occurred()
            .map(|(reason, count)| (reason, count - old.skipped.count(reason)))
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| (reason.name().to_owned(), count.into()))
            .collect();
        StatsRecord {
            worker: None,
            received: since(packets.received, old.received),
            decoded: since(packets.decoded, old.decoded),
            skipped: since(packets.skipped.total(), old.skipped.total()),
            skipped_reasons: Text::from(serde_json::Value::Object(reasons).to_string()),
            kernel_drops: Some(since(now.tally.kernel_drops, before.tally.kernel_drops)),
            interface_drops: Some(since(now.tally.interface_drops, before.tally.interface_drops)),
            queue_drops: since(packets.overload(), old.overload()),
            bytes: since(packets.bytes, old.bytes),
            flows_open: signed(now.flows.open),
            flows_evicted: since(now.flows.evicted, before.flows.evicted),
            memory_bytes: None,
            loss_percent: loss_percent(before, now),
            gap_percent,
            bad_checksums: since(packets.bad_checksums, old.bad_checksums),
        }
    }
}

/// Packets that were lost, or that there was no time for, over those offered between `before` and
/// `now`, in percent.
#[must_use]
pub fn loss_percent(before: &Counts, now: &Counts) -> f64 {
    let drops = |counts: &Counts| counts.tally.kernel_drops + counts.tally.interface_drops;
    let dropped = drops(now).saturating_sub(drops(before));
    let offered = now.packets.received.saturating_sub(before.packets.received) + dropped;
    let lost = dropped + now.packets.overload().saturating_sub(before.packets.overload());
    if offered == 0 { 0.0 } else { 100.0 * lost as f64 / offered as f64 }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
