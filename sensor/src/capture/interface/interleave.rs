//! Packets of several interfaces in one order of time, as a tap gives the two directions of a line
//! on two of them.
//!
//! In: what each interface has given so far, and up to which instant nothing more will come of it.
//! Out: batches up to the earliest of these instants, sorted by time.

use std::collections::VecDeque;

use analyzers::Timestamp;

use super::filling::{Arrived, Filling};
use crate::capture::block::BlockPool;
use crate::capture::{Batch, RawPacket};

/// Batches of one interface that may wait for the others. At a mebibyte each, a line of 10 Gbit/s
/// fills them in the time for which packets are held back; a fuller queue leaves the next ones in
/// the kernel's ring, which counts what it loses.
const WAITING_MAX: usize = 128;

/// Packets that wait for those of other interfaces.
pub(super) struct Interleave {
    lanes: Vec<Lane>,
}

/// One interface.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// Nothing older will come.
    reached: Timestamp,
}

struct Waiting {
    batch: Batch,
    /// Packets of the batch that have left.
    left: usize,
}

impl Interleave {
    /// Of so many interfaces.
    pub(super) fn new(interfaces: usize) -> Self {
        let lane = || Lane { waiting: VecDeque::new(), reached: Timestamp::MIN };
        Self { lanes: (0..interfaces).map(|_| lane()).collect() }
    }

    /// Whether there is room for a batch of that interface.
    pub(super) fn has_room(&self, interface: usize) -> bool {
        self.lanes.get(interface).is_some_and(|lane| lane.waiting.len() < WAITING_MAX)
    }

    /// Takes a batch of that interface, which may be empty.
    pub(super) fn push(&mut self, interface: usize, batch: Batch) {
        let Some(lane) = self.lanes.get_mut(interface) else { return };
        if let Some(last) = batch.packets.iter().map(|packet| packet.time).max() {
            lane.reached = lane.reached.max(last);
            lane.waiting.push_back(Waiting { batch, left: 0 });
        }
    }

    /// Nothing older than `time` will come of that interface.
    pub(super) fn reach(&mut self, interface: usize, time: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(interface) {
            lane.reached = lane.reached.max(time);
        }
    }

    /// Nothing at all will come any more.
    pub(super) fn reach_the_end(&mut self) {
        for lane in &mut self.lanes {
            lane.reached = Timestamp::MAX;
        }
    }

    /// The next packets that are complete, at most a block of them.
    pub(super) fn next(&mut self, pool: &mut BlockPool, packets: Vec<RawPacket>) -> Batch {
        let horizon = self.lanes.iter().map(|lane| lane.reached).min();
        let mut filling = Filling::new(pool, 1, packets);
        while let Some(lane) = self.earliest()
            && let Some(packet) = lane.head()
            && Some(packet.time) <= horizon
        {
            let block = lane.waiting.front().map(|waiting| waiting.batch.block.as_slice());
            let bytes = packet.bytes(block.unwrap_or_default());
            let RawPacket { time, link, wire_bytes, .. } = packet;
            if !filling.put(&Arrived { time, link, wire_bytes, bytes, tag: None }) {
                break;
            }
            lane.advance();
        }
        filling.into_batch(pool)
    }

    /// The interface whose next packet is the earliest; of equals, the first.
    fn earliest(&mut self) -> Option<&mut Lane> {
        let lanes = self.lanes.iter_mut().filter(|lane| lane.head().is_some());
        lanes.min_by_key(|lane| lane.head().map(|packet| packet.time))
    }
}

impl Lane {
    fn head(&self) -> Option<RawPacket> {
        let waiting = self.waiting.front()?;
        waiting.batch.packets.get(waiting.left).copied()
    }

    fn advance(&mut self) {
        if let Some(waiting) = self.waiting.front_mut() {
            waiting.left += 1;
            if waiting.left >= waiting.batch.packets.len() {
                self.waiting.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::LinkType;

    fn batch(pool: &mut BlockPool, seconds: &[i64]) -> Batch {
        let mut filling = Filling::new(pool, 1, Vec::new());
        for second in seconds {
            let time = Timestamp::from_secs_nanos(*second, 0);
            let bytes = &[u8::try_from(*second).unwrap()];
            let link = LinkType(1);
            filling.put(&Arrived { time, link, wire_bytes: 1, bytes, tag: None });
        }
        filling.into_batch(pool)
    }

    fn next(interleave: &mut Interleave, pool: &mut BlockPool) -> Vec<u8> {
        let batch = interleave.next(pool, Vec::new());
        batch.packets.iter().map(|packet| packet.bytes(&batch.block)[0]).collect()
    }

    #[test]
    fn packets_leave_in_order_when_no_interface_can_give_an_older_one() {
        let mut pool = BlockPool::new(64);
        let mut interleave = Interleave::new(2);
        let first = batch(&mut pool, &[1, 4, 9]);
        interleave.push(0, first);
        assert_eq!(next(&mut interleave, &mut pool), [0; 0]);
        let second = batch(&mut pool, &[2, 3, 5]);
        interleave.push(1, second);
        assert_eq!(next(&mut interleave, &mut pool), [1, 2, 3, 4, 5]);
        interleave.reach(1, Timestamp::from_secs_nanos(8, 0));
        assert_eq!(next(&mut interleave, &mut pool), [0; 0]);
        interleave.reach(1, Timestamp::from_secs_nanos(9, 0));
        assert_eq!(next(&mut interleave, &mut pool), [9]);
        let last = batch(&mut pool, &[20]);
        interleave.push(1, last);
        interleave.reach_the_end();
        assert_eq!(next(&mut interleave, &mut pool), [20]);
    }

    #[test]
    fn what_does_not_fit_comes_with_the_next_batch() {
        let mut pool = BlockPool::new(2);
        let mut interleave = Interleave::new(2);
        for (interface, seconds) in [(0, [1, 3]), (1, [2, 4])] {
            let batch = batch(&mut pool, &seconds);
            interleave.push(interface, batch);
        }
        interleave.reach_the_end();
        assert_eq!(next(&mut interleave, &mut pool), [1, 2]);
        assert_eq!(next(&mut interleave, &mut pool), [3, 4]);
        assert_eq!(next(&mut interleave, &mut pool), [0; 0]);
    }
}
