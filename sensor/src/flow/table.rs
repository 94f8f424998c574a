//! One shard of the flow table: finds flows, opens them, ends them by silence, evicts when full.
//!
//! In: packets with their key and the capture's clock. Out: events. Nothing here depends on when a
//! sweep runs or on which worker owns the shard: a flow whose deadline has passed is over the
//! moment anyone asks for it.

use std::time::Duration;

use analyzers::{Emitter, FileHashing, FinishReason, FlowId, Timestamp, Uid};
use hashbrown::HashTable;

use super::expiry::{Deadlines, Entry, Rank, Standing, Timeouts};
use super::key::{FlowKey, SHARDS, Sender, VlanInKey};
use super::one::{FirstPacket, Flow};
use super::uid::UidMaker;
use crate::decode::{self, Packet};
use crate::event::Event;

/// What a user can set about flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSettings {
    /// How long flows may be silent.
    pub timeouts: Timeouts,
    /// How long a flow lasts before it gives an interim row.
    pub interim: Duration,
    /// Flows in the whole table.
    pub flows_max: usize,
    /// Which VLAN tag takes part in the key.
    pub vlan_in_key: VlanInKey,
    /// Whether file bodies are hashed.
    pub hashing: FileHashing,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            interim: Duration::from_secs(3_600),
            // About a kibibyte each without streams in disorder: a quarter of the default budget.
            flows_max: 131_072,
            vlan_in_key: VlanInKey::default(),
            hashing: FileHashing::default(),
        }
    }
}

/// A packet on its way to its flow.
#[derive(Debug)]
pub struct Arrival {
    /// The packet.
    pub packet: Packet,
    /// Its flow's key.
    pub key: FlowKey,
    /// Which end of the key sent it.
    pub sender: Sender,
    /// Keyed hash of the key.
    pub hash: u64,
    /// The capture's clock: the latest packet time so far.
    pub clock: Timestamp,
    /// The frame that it came in, for what only a flow's first packet is asked.
    pub frame: crate::capture::RawPacket,
}

/// What all shards of a worker use.
pub struct Tools {
    /// Settings.
    pub settings: FlowSettings,
    /// Names flows.
    pub uids: UidMaker,
    /// Takes what analyzers say; empty between packets.
    pub emitter: Emitter,
    /// Events, in the order in which they were found.
    pub events: Vec<Event>,
}

/// One flow of so many is ended at a time when memory is short: what it gives back shows before
/// much more is asked for.
const RELIEF_SHARE: usize = 16;

/// Where a flow is, with its key so that a look-up touches no other flow.
#[derive(Clone, Copy, Debug)]
struct Located {
    key: FlowKey,
    hash: u64,
    slot: u32,
}

/// One shard.
#[derive(Default)]
pub struct FlowTable {
    index: HashTable<Located>,
    slots: Vec<Option<Box<Flow>>>,
    free: Vec<u32>,
    deadlines: Deadlines,
    evicted: u64,
}

impl FlowTable {
    /// Flows in the shard.
    #[must_use]
    pub fn open_flows(&self) -> usize {
        self.index.len()
    }

    /// Flows that were ended because the shard was full.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes a packet, whose bytes `block` holds; answers the uid of its flow.
    pub fn packet(&mut self, arrival: &Arrival, block: &[u8], tools: &mut Tools) -> Option<Uid> {
        let slot = match self.find(arrival) {
            Some(slot) => self.continue_or_reopen(slot, arrival, block, tools),
            None => self.open(arrival, block, 0, tools),
        };
        let flow = self.slots.get_mut(slot as usize).and_then(Option::as_mut)?;
        if flow.row_start_clock().after(tools.settings.interim) <= arrival.clock {
            flow.interim(arrival.clock, &mut tools.events);
            flow.begin_row(&arrival.packet);
        }
        let timeouts = &tools.settings.timeouts;
        let (rank, deadline) = (flow.rank, flow.deadline(timeouts));
        let payload = arrival.packet.payload_bytes(block);
        flow.packet(
            &arrival.packet,
            arrival.sender,
            payload,
            arrival.clock,
            timeouts,
            &mut tools.emitter,
        );
        flow.note_activity(&arrival.packet, arrival.sender, arrival.clock, &mut tools.events);
        if !tools.emitter.is_empty() {
            flow.collect(arrival.clock, &mut tools.emitter, &mut tools.events);
        }
        let (uid, now) = (flow.id.uid, flow.deadline(timeouts));
        if flow.rank < rank || now < deadline {
            let (rank, entry) = (flow.rank, Entry { deadline: now, uid: uid.first_half(), slot });
            self.deadlines.push(rank, entry, &standing(&self.slots, timeouts));
        }
        Some(uid)
    }

    /// Reads the memory that [`packet`](Self::packet) will need, and does nothing with it. Packets
    /// of one flow seldom follow each other, so that its memory is seldom in the cache; asked for
    /// several packets in turn, the reads overlap.
    pub fn approach(&self, arrival: &Arrival) {
        let slot = self.find(arrival).and_then(|slot| self.slots.get(slot as usize));
        if let Some(flow) = slot.and_then(Option::as_ref) {
            std::hint::black_box(flow.touch());
        }
    }

    /// Ends every flow whose deadline is at or before `clock`.
    pub fn expire(&mut self, clock: Timestamp, tools: &mut Tools) {
        while let Some(entry) = self.pop(clock, &tools.settings.timeouts) {
            self.close(entry.slot, entry.deadline, FinishReason::Timeout, tools);
        }
    }

    /// Ends a share of the flows, those first that tell least: there is no memory for all.
    pub fn relieve(&mut self, clock: Timestamp, tools: &mut Tools) {
        for _ in 0..self.index.len().div_ceil(RELIEF_SHARE) {
            let Some(entry) = self.pop(Timestamp::MAX, &tools.settings.timeouts) else { return };
            self.evicted += 1;
            self.close(entry.slot, clock, FinishReason::Evicted, tools);
        }
    }

    /// Ends all flows: the input is over. Those whose deadline has passed end at it.
    pub fn finish(&mut self, clock: Timestamp, tools: &mut Tools) {
        self.expire(clock, tools);
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            self.close(slot, clock, FinishReason::Shutdown, tools);
        }
    }

    fn find(&self, arrival: &Arrival) -> Option<u32> {
        self.index.find(arrival.hash, |located| located.key == arrival.key).map(|l| l.slot)
    }

    /// The flow in `slot`, unless it is over by now or the packet opens another one.
    fn continue_or_reopen(
        &mut self,
        slot: u32,
        arrival: &Arrival,
        block: &[u8],
        tools: &mut Tools,
    ) -> u32 {
        let Some(flow) = self.slots.get(slot as usize).and_then(Option::as_ref) else {
            return slot;
        };
        let deadline = flow.deadline(&tools.settings.timeouts);
        let end = if deadline <= arrival.clock {
            (deadline, FinishReason::Timeout)
        } else if flow.is_reused_by(&arrival.packet, arrival.sender) {
            (arrival.clock, FinishReason::Timeout)
        } else {
            return slot;
        };
        let same_start = flow.first == arrival.packet.time;
        let ordinal = if same_start { flow.ordinal.saturating_add(1) } else { 0 };
        self.close(slot, end.0, end.1, tools);
        self.open(arrival, block, ordinal, tools)
    }

    fn open(&mut self, arrival: &Arrival, block: &[u8], ordinal: u32, tools: &mut Tools) -> u32 {
        self.make_room(arrival.clock, tools);
        let packet = &arrival.packet;
        let (src, dst) = Flow::ends(packet);
        let vlan = match tools.settings.vlan_in_key {
            VlanInKey::First => packet.vlan,
            VlanInKey::None => None,
        };
        let uid = tools.uids.make(packet.time, src, dst, packet.transport, vlan, ordinal);
        let id = FlowId { uid, src, dst, transport: packet.transport };
        let macs = decode::macs(arrival.frame.link, arrival.frame.bytes(block));
        let hashing = tools.settings.hashing;
        let opening = FirstPacket { hash: arrival.hash, sender: arrival.sender, macs, hashing };
        let mut flow = Box::new(Flow::open(packet, opening, id, ordinal, arrival.clock));
        flow.announce(packet, arrival.clock, &mut tools.events);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let deadline = flow.deadline(&tools.settings.timeouts);
        let rank = flow.rank;
        let located = Located { key: arrival.key, hash: arrival.hash, slot };
        self.index.insert_unique(arrival.hash, located, |located| located.hash);
        self.slots[slot as usize] = Some(flow);
        let standing = standing(&self.slots, &tools.settings.timeouts);
        self.deadlines.push(rank, Entry { deadline, uid: uid.first_half(), slot }, &standing);
        slot
    }

    /// Evicts a flow if the shard is full: one that is over, else one heard from one side only,
    /// else the answered one that would end first.
    fn make_room(&mut self, clock: Timestamp, tools: &mut Tools) {
        let capacity = (tools.settings.flows_max / SHARDS).max(1);
        if self.index.len() < capacity {
            return;
        }
        self.expire(clock, tools);
        while self.index.len() >= capacity {
            let Some(entry) = self.pop(Timestamp::MAX, &tools.settings.timeouts) else { return };
            self.evicted += 1;
            self.close(entry.slot, clock, FinishReason::Evicted, tools);
        }
    }

    fn pop(&mut self, clock: Timestamp, timeouts: &Timeouts) -> Option<Entry> {
        self.deadlines.pop_due(clock, &standing(&self.slots, timeouts))
    }

    fn close(&mut self, slot: u32, time: Timestamp, cause: FinishReason, tools: &mut Tools) {
        let Some(mut flow) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        if let Ok(occupied) = self.index.find_entry(flow.hash, |located| located.slot == slot) {
            occupied.remove();
        }
        self.free.push(slot);
        flow.close(time, cause, &mut tools.emitter, &mut tools.events);
    }
}

/// What the flows in `slots` say of an entry.
fn standing(slots: &[Option<Box<Flow>>], timeouts: &Timeouts) -> impl Fn(Rank, Entry) -> Standing {
    move |rank, entry| match slots.get(entry.slot as usize).and_then(Option::as_ref) {
        Some(flow) if flow.id.uid.first_half() == entry.uid && flow.rank >= rank => {
            Standing::Until(flow.rank, flow.deadline(timeouts))
        }
        _ => Standing::Gone,
    }
}
