//! When flows end by silence, and which go first when there are too many.
//!
//! Everything is a function of packet time: a flow's deadline is known at every moment, and it ends
//! at that deadline whenever a sweep happens to find it. The queues are heaps that may hold stale
//! entries; an entry counts only if it still says what the flow says, and when the stale ones may
//! have become as many as the others, they are thrown out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use analyzers::Timestamp;

/// How long flows may be silent. The defaults are Zeek's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP with both ends heard, since the last packet.
    pub tcp: Duration,
    /// A SYN without any answer, since the first packet.
    pub tcp_attempt: Duration,
    /// A closed or reset TCP connection, for stragglers, since its end.
    pub tcp_closed: Duration,
    /// UDP, since the last packet.
    pub udp: Duration,
    /// ICMP and all else, since the last packet.
    pub other: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp: Duration::from_secs(300),
            tcp_attempt: Duration::from_secs(5),
            tcp_closed: Duration::from_secs(5),
            udp: Duration::from_secs(60),
            other: Duration::from_secs(60),
        }
    }
}

/// Who goes first when the table is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Over, waiting for stragglers.
    Over,
    /// Heard from one side only: a flood looks like this.
    Unanswered,
    /// Heard from both sides.
    Answered,
}

/// All ranks, who goes first first.
const RANKS: [Rank; 3] = [Rank::Over, Rank::Unanswered, Rank::Answered];

/// An entry of a queue: which flow was to end when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its deadline when the entry was written.
    pub deadline: Timestamp,
    /// The first half of its uid: breaks ties, and tells whether the slot holds another flow by
    /// now. Half of it halves the entry, and a heap is as fast as its entries are small.
    pub uid: u64,
    /// Where the flow is in its shard.
    pub slot: u32,
}

/// Entries that a shard's queues may hold before any is looked at.
const ENTRIES_FREE: usize = 256;

/// Deadlines of one shard's flows, a queue for each rank.
#[derive(Debug, Default)]
pub struct Deadlines {
    queues: [BinaryHeap<Reverse<Entry>>; 3],
    /// So many entries make it worth while to look for stale ones.
    tidy_at: usize,
}

/// What a flow says of itself when an entry is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The flow is gone, or goes earlier by another entry: this one is stale.
    Gone,
    /// It is still here, has that rank and ends then.
    Until(Rank, Timestamp),
}

impl Deadlines {
    /// Writes down when a flow ends: when it is opened, and whenever it is to go earlier than was
    /// written down before. That it goes later is found when the entry comes up.
    ///
    /// An answered flow that is closed leaves an entry that comes up minutes later. Whoever opens
    /// and closes connections as fast as can be would fill the memory with those, so that they are
    /// thrown out whenever the queues have doubled.
    pub fn push(&mut self, rank: Rank, entry: Entry, standing: &impl Fn(Rank, Entry) -> Standing) {
        self.queues[rank as usize].push(Reverse(entry));
        if self.entries() > self.tidy_at {
            for rank in RANKS {
                self.queues[rank as usize]
                    .retain(|Reverse(entry)| standing(rank, *entry) != Standing::Gone);
            }
            self.tidy_at = 2 * self.entries() + ENTRIES_FREE;
        }
    }

    /// Entries, stale ones included.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.queues.iter().map(BinaryHeap::len).sum()
    }

    /// A flow whose deadline is at or before `clock`: one that is over before one that is
    /// unanswered before one that is answered, and among its like the one with the nearest
    /// deadline. So the end of time gives the flow that is missed least.
    pub fn pop_due(
        &mut self,
        clock: Timestamp,
        standing: &impl Fn(Rank, Entry) -> Standing,
    ) -> Option<Entry> {
        RANKS.into_iter().find_map(|rank| self.pop(rank, clock, standing))
    }

    fn pop(
        &mut self,
        rank: Rank,
        clock: Timestamp,
        standing: &impl Fn(Rank, Entry) -> Standing,
    ) -> Option<Entry> {
        let is_due = |entry: &Reverse<Entry>| entry.0.deadline <= clock;
        while let Some(Reverse(entry)) = self.queues[rank as usize].peek().copied().filter(is_due) {
            self.queues[rank as usize].pop();
            match standing(rank, entry) {
                Standing::Gone => {}
                Standing::Until(now, deadline) if (now, deadline) == (rank, entry.deadline) => {
                    return Some(entry);
                }
                Standing::Until(now, deadline) => {
                    self.queues[now as usize].push(Reverse(Entry { deadline, ..entry }));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(deadline: i64, uid: u64) -> Entry {
        Entry { deadline: Timestamp::from_nanos(deadline), uid, slot: 0 }
    }

    /// What a flow says of an entry that is true.
    fn fresh(rank: Rank, entry: Entry) -> Standing {
        Standing::Until(rank, entry.deadline)
    }

    #[test]
    fn gives_the_true_nearest_deadline_though_entries_are_stale() {
        let mut deadlines = Deadlines::default();
        for e in [entry(10, 1), entry(20, 2), entry(30, 3)] {
            deadlines.push(Rank::Answered, e, &fresh);
        }
        // Flow 1 was active since: it ends at 25. Flow 2 is gone.
        let standing = |rank, e: Entry| match e.uid {
            1 => Standing::Until(rank, Timestamp::from_nanos(25)),
            2 => Standing::Gone,
            _ => fresh(rank, e),
        };
        let due = |d: &mut Deadlines, at| d.pop_due(Timestamp::from_nanos(at), &standing);
        assert_eq!(due(&mut deadlines, 24), None);
        assert_eq!(due(&mut deadlines, 25).map(|e| e.uid), Some(1));
        assert_eq!(due(&mut deadlines, 29), None);
        assert_eq!(due(&mut deadlines, 30).map(|e| e.uid), Some(3));
    }

    #[test]
    fn answered_flows_are_spared_while_there_are_others() {
        let mut deadlines = Deadlines::default();
        deadlines.push(Rank::Answered, entry(1, 1), &fresh);
        deadlines.push(Rank::Unanswered, entry(9, 2), &fresh);
        deadlines.push(Rank::Over, entry(20, 3), &fresh);
        let order: Vec<_> = std::iter::from_fn(|| deadlines.pop_due(Timestamp::MAX, &fresh))
            .map(|e| e.uid)
            .collect();
        assert_eq!(order, [3, 2, 1]);
    }

    #[test]
    fn a_flow_that_was_answered_since_is_spared_until_its_own_turn() {
        let mut deadlines = Deadlines::default();
        for uid in 1..=3 {
            deadlines.push(Rank::Unanswered, entry(5, uid), &fresh);
        }
        let standing = |rank, e: Entry| match e.uid {
            1 => Standing::Until(Rank::Answered, Timestamp::from_nanos(7)),
            _ => fresh(rank, e),
        };
        let due = |d: &mut Deadlines, at| d.pop_due(at, &standing).map(|e| e.uid);
        assert_eq!(due(&mut deadlines, Timestamp::from_nanos(4)), None);
        assert_eq!(due(&mut deadlines, Timestamp::MAX), Some(2), "not the first, though it is due");
        assert_eq!(due(&mut deadlines, Timestamp::from_nanos(6)), Some(3));
        assert_eq!(due(&mut deadlines, Timestamp::from_nanos(6)), None);
        assert_eq!(due(&mut deadlines, Timestamp::from_nanos(7)), Some(1));
    }

    #[test]
    fn entries_of_flows_that_are_gone_do_not_pile_up() {
        let mut deadlines = Deadlines::default();
        // Every hundredth flow lasts, the others are over when the next one comes.
        let last = 100_000_u64;
        for uid in 1..=last {
            let standing = |rank, e: Entry| match e.uid {
                lasting if lasting % 100 == 0 || lasting == uid => fresh(rank, e),
                _ => Standing::Gone,
            };
            deadlines.push(Rank::Answered, entry(300, uid), &standing);
            let lasting = usize::try_from(uid / 100 + 1).unwrap();
            assert!(deadlines.entries() <= 2 * lasting + ENTRIES_FREE + 1, "at flow {uid}");
        }
        let standing = |rank, e: Entry| match e.uid % 100 {
            0 => fresh(rank, e),
            _ => Standing::Gone,
        };
        let left = std::iter::from_fn(|| deadlines.pop_due(Timestamp::MAX, &standing)).count();
        assert_eq!(left as u64, last / 100, "who lasts is not thrown out");
    }
}
