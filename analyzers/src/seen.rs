//! A set that forgets: whether a thing was seen in the last one or two spans of time.
//!
//! In: keys, each with its time. Out: whether it is new. Two Bloom filters take turns, the younger
//! one is written and both are asked, so that a key is known for at least one span after it was
//! last seen and for two at most. One key in two hundred is wrongly taken for known. Positions come
//! from a fixed seed: the same events give the same answers on every run.

use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::time::Timestamp;

/// Bits of a block: one line of the processor's cache, so that a question costs one miss.
const BLOCK_BITS: usize = 512;

/// Bits set for a key.
const PROBES: u32 = 6;

/// Bits of the filter for each key that it is made for.
const BITS_PER_KEY: usize = 12;

/// Any number does; it must not change from run to run.
const SEED: u64 = 0x5e2a_11c7_0b5e_55ed;

type Block = [u64; BLOCK_BITS / 64];

/// Blocks of a part: 4 KiB, a page of memory.
const PART_BLOCKS: usize = 64;

type Part = [Block; PART_BLOCKS];

/// One of the two filters, in parts that are made when a key falls on them. Zeroed memory in one
/// piece would be made by the page, too, but twice: once when a page is asked and again when it is
/// written, and that second time every core must hear of it.
#[derive(Debug)]
struct Filter {
    parts: Vec<Option<Box<Part>>>,
    blocks: usize,
}

/// The set.
#[derive(Debug)]
pub struct Seen {
    young: Filter,
    old: Filter,
    keys: usize,
    keys_max: usize,
    turn: Duration,
    began: Option<Timestamp>,
    early_turns: u64,
    hasher: FixedState,
}

impl Seen {
    /// For that many keys in a span. The bits are 12 for each key, twice; parts that no key falls
    /// on take no memory.
    #[must_use]
    pub fn new(keys_max: usize, turn: Duration) -> Self {
        let blocks = keys_max.saturating_mul(BITS_PER_KEY).div_ceil(BLOCK_BITS).max(1);
        Self {
            young: Filter::new(blocks),
            old: Filter::new(blocks),
            keys: 0,
            keys_max,
            turn,
            began: None,
            early_turns: 0,
            hasher: FixedState::with_seed(SEED),
        }
    }

    /// Whether a key is new; from now on it is known.
    pub fn is_new<K: Hash>(&mut self, key: &K, now: Timestamp) -> bool {
        self.turn_at(now);
        let hash = self.hasher.hash_one(key);
        let was_young = self.young.put(hash);
        self.keys = self.keys.saturating_add(usize::from(!was_young));
        !was_young && !self.old.holds(hash)
    }

    /// Whether a key is known.
    #[must_use]
    pub fn contains<K: Hash>(&self, key: &K) -> bool {
        let hash = self.hasher.hash_one(key);
        self.young.holds(hash) || self.old.holds(hash)
    }

    /// How often a span was cut short because more keys came than the filter is made for.
    #[must_use]
    pub const fn early_turns(&self) -> u64 {
        self.early_turns
    }

    fn turn_at(&mut self, now: Timestamp) {
        let began = *self.began.get_or_insert(now);
        let is_over = now.since(began) >= self.turn;
        if !is_over && self.keys < self.keys_max {
            return;
        }
        let blocks = self.young.blocks;
        self.old = std::mem::replace(&mut self.young, Filter::new(blocks));
        // After a long silence the older half is out of date, too.
        if now.since(began) >= self.turn.saturating_mul(2) {
            self.old = Filter::new(blocks);
        }
        self.early_turns = self.early_turns.saturating_add(u64::from(!is_over));
        self.keys = 0;
        self.began = Some(now);
    }
}

impl Filter {
    fn new(blocks: usize) -> Self {
        let parts = std::iter::repeat_with(|| None).take(blocks.div_ceil(PART_BLOCKS)).collect();
        Self { parts, blocks }
    }

    /// Sets the bits of a key; whether all were set before.
    fn put(&mut self, hash: u64) -> bool {
        let at = block_of(hash, self.blocks);
        let Some(part) = self.parts.get_mut(at / PART_BLOCKS) else { return false };
        let part = part.get_or_insert_with(|| Box::new([[0; BLOCK_BITS / 64]; PART_BLOCKS]));
        let Some(block) = part.get_mut(at % PART_BLOCKS) else { return false };
        let mut all = true;
        for (word, bit) in bits_of(hash) {
            if let Some(word) = block.get_mut(word) {
                all &= *word & bit != 0;
                *word |= bit;
            }
        }
        all
    }

    fn holds(&self, hash: u64) -> bool {
        let at = block_of(hash, self.blocks);
        let part = self.parts.get(at / PART_BLOCKS).and_then(Option::as_ref);
        let Some(block) = part.and_then(|part| part.get(at % PART_BLOCKS)) else { return false };
        bits_of(hash).all(|(word, bit)| block.get(word).is_some_and(|word| word & bit != 0))
    }
}

/// The block, from a hash that is spread over all of them.
fn block_of(hash: u64, blocks: usize) -> usize {
    let spread = u128::from(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let blocks = u128::try_from(blocks).unwrap_or(1);
    usize::try_from(spread.wrapping_mul(blocks) >> 64).unwrap_or(0)
}

/// Word and bit of each position inside the block: nine bits of the hash for each.
fn bits_of(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let position = hash >> probe.wrapping_mul(9) & 511;
        (usize::try_from(position >> 6).unwrap_or(0), 1 << (position & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_secs_nanos(1_700_000_000 + hours * 3_600, 0)
    }

    #[test]
    fn a_key_is_known_for_at_least_one_span_and_for_two_at_most() {
        for (later, expected) in [(1, false), (23, false), (24, false), (49, true), (500, true)] {
            let mut seen = Seen::new(1_000, DAY);
            assert!(seen.is_new(&"a", hour(0)));
            assert!(seen.is_new(&"b", hour(later)), "{later} h");
            assert_eq!(seen.is_new(&"a", hour(later)), expected, "{later} h");
        }
    }

    #[test]
    fn few_keys_are_wrongly_taken_for_known_and_none_for_new() {
        let mut seen = Seen::new(10_000, DAY);
        let wrong = (0..10_000).filter(|key| !seen.is_new(key, hour(0))).count();
        assert!(wrong < 50, "{wrong} of 10,000");
        assert!((0..10_000).all(|key| seen.contains(&key)));
    }

    #[test]
    fn more_keys_than_it_is_made_for_cut_the_span_short_and_are_counted() {
        let mut seen = Seen::new(100, DAY);
        for key in 0..350 {
            seen.is_new(&key, hour(0));
        }
        assert!(seen.early_turns() >= 3);
        assert!(seen.is_new(&0, hour(0)), "forgotten");
    }
}
