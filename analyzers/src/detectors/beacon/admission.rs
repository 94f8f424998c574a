//! Who may have a track once tracks are many: pairs that came up at least [`ADMITTED_AFTER`] times
//! in a day or two, by a count-min sketch (Cormode, Muthukrishnan 2005).
//!
//! In: keys. Out: whether they are frequent. A sketch counts too much now and then, never too
//! little; the same keys give the same answers on every run.

use super::destination::Key;
use crate::limits::{BEACON_SKETCH, BEACON_SKETCH_AGE};
use crate::scene::prevalence::digest;
use crate::time::Timestamp;

/// Beats of a pair that make it worth a track.
const ADMITTED_AFTER: u8 = 4;

/// Independent counts of each key, the least of which is believed.
const ROWS: usize = 4;

/// Counts that lie in one line of the processor's cache: those of a key do, so that a question
/// costs one miss.
const BLOCK: usize = 64;

/// The sketch; it takes memory from its first key on.
#[derive(Debug, Default)]
pub(super) struct Admission {
    blocks: Vec<[u8; BLOCK]>,
    halved: Option<Timestamp>,
}

impl Admission {
    /// Counts a key; whether it is frequent.
    pub(super) fn admits(&mut self, key: &Key, now: Timestamp) -> bool {
        if self.blocks.is_empty() {
            self.blocks = vec![[0; BLOCK]; BEACON_SKETCH / BLOCK];
        }
        if now.since(*self.halved.get_or_insert(now)) >= BEACON_SKETCH_AGE {
            self.blocks.iter_mut().flatten().for_each(|count| *count /= 2);
            self.halved = Some(now);
        }
        let hash = digest(key);
        let number = usize::try_from(hash >> 32).unwrap_or(0) % (BEACON_SKETCH / BLOCK);
        let Some(block) = self.blocks.get_mut(number) else { return true };
        let mut least = u8::MAX;
        let mut bits = hash;
        for row in block.chunks_exact_mut(BLOCK / ROWS) {
            // Four bits of the hash choose one of sixteen.
            let place = usize::try_from(bits & 15).unwrap_or(0);
            bits >>= 4;
            if let Some(count) = row.get_mut(place) {
                *count = count.saturating_add(1);
                least = least.min(*count);
            }
        }
        least >= ADMITTED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(destination: u64) -> Key {
        Key { host: "10.0.0.1".parse().unwrap(), destination }
    }

    #[test]
    fn a_pair_is_admitted_when_it_came_up_often_enough_within_a_day_or_two() {
        let mut admission = Admission::default();
        let at = |hours: i64| Timestamp::from_secs_nanos(hours * 3_600, 0);
        let answers: Vec<bool> = (0..4).map(|_| admission.admits(&key(1), at(0))).collect();
        assert_eq!(answers, [false, false, false, true]);
        assert!(!admission.admits(&key(2), at(1)), "another pair");
        for day in 1..20 {
            assert!(!admission.admits(&key(3), at(25 * day)), "day {day}: too seldom");
        }
    }
}
