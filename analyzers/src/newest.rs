//! The newest times of something, in order: whether enough of them lie close together.
//!
//! In: times in whole seconds, in any order. Out: whether a number of them lies within a span. The
//! question after each time costs the same however many there are, unless it came out of order.

use std::collections::VecDeque;

use crate::time::Timestamp;

/// The newest times.
#[derive(Clone, Debug, Default)]
pub struct Newest(VecDeque<u32>);

/// Where a time went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not in at all: all others are newer, and there is no room.
    Nowhere,
    /// Behind all others.
    End,
    /// Among them: it is older than one that came before it.
    Middle,
}

impl Newest {
    /// Puts a time among the newest, of which `most` are kept.
    pub fn note(&mut self, ts: Timestamp, most: usize) -> Place {
        let secs = secs(ts);
        let times = &mut self.0;
        if times.len() >= most {
            if times.front().is_some_and(|oldest| secs < *oldest) {
                return Place::Nowhere;
            }
            times.pop_front();
        }
        if times.back().is_none_or(|newest| *newest <= secs) {
            times.push_back(secs);
            return Place::End;
        }
        let at = times.partition_point(|time| *time <= secs);
        times.insert(at, secs);
        Place::Middle
    }

    /// Whether `least` times lie within `span` seconds of each other, given where the last one
    /// went.
    #[must_use]
    pub fn is_dense(&self, place: Place, least: usize, span: u32) -> bool {
        let fits = |first: usize| {
            let last = first.saturating_add(least).saturating_sub(1);
            let (first, last) = (self.0.get(first), self.0.get(last));
            first.zip(last).is_some_and(|(first, last)| last.saturating_sub(*first) <= span)
        };
        match place {
            Place::Nowhere => false,
            Place::End => self.0.len() >= least && fits(self.0.len().saturating_sub(least)),
            Place::Middle => (0..self.0.len()).any(fits),
        }
    }
}

/// Whole seconds since the epoch, until 2106.
#[must_use]
pub fn secs(ts: Timestamp) -> u32 {
    u32::try_from(ts.nanos().div_euclid(1_000_000_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_does_not_depend_on_the_order_of_times() {
        for times in [[0, 100, 101, 102, 900], [900, 102, 101, 100, 0], [101, 900, 0, 102, 100]] {
            let dense = |least, span| {
                let mut newest = Newest::default();
                let mut any = false;
                for time in times {
                    let place = newest.note(Timestamp::from_secs_nanos(time, 0), 8);
                    any |= newest.is_dense(place, least, span);
                }
                any
            };
            assert!(dense(3, 2) && !dense(3, 1) && !dense(4, 99) && dense(4, 102) && dense(5, 900));
        }
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut newest = Newest::default();
        for time in 0..100 {
            newest.note(Timestamp::from_secs_nanos(1_000 + time, 0), 10);
        }
        assert_eq!(newest.note(Timestamp::from_secs_nanos(50, 0), 10), Place::Nowhere);
        assert!(newest.is_dense(Place::End, 10, 9) && !newest.is_dense(Place::End, 11, 99));
    }
}
