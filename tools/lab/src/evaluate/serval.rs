//! Serval's own score of a pair, as its detector gives it, on flows alone.
//!
//! In: connections of a pair. Out: the timing score that two evaluations in a row confirm, and the
//! same with prevalence, the only circumstance that flows tell of. Beats inside a connection are
//! not seen here; scores of a whole run come from the sensor.

use std::collections::VecDeque;

use analyzers::detectors::beacon;

use super::flows::Connections;

/// Intervals that are remembered.
const RING: usize = 64;

/// Beats at which a series is looked at; then after every so many more.
const LOOKS: [usize; 7] = [8, 12, 16, 24, 32, 48, 64];
const THEN_EVERY: usize = 32;

/// Connections closer than this, in seconds, or than this share of the period, are one beat.
const BURST: f64 = 1.0;
const BURST_SHARE: f64 = 0.2;

/// Beats before which the period is not known.
const KNOWN: usize = 8;

/// Beats so far.
#[derive(Default)]
struct Series {
    intervals: VecDeque<f64>,
    sizes: VecDeque<u64>,
    beats: usize,
    last_us: Option<i64>,
    period: f64,
    /// The score at the last look.
    looked: Option<f64>,
    /// The best that two looks in a row agreed on.
    confirmed: f64,
}

/// The confirmed timing score.
#[must_use]
pub fn timing(connections: &Connections) -> f64 {
    let mut order: Vec<usize> = (0..connections.starts_us.len()).collect();
    order.sort_unstable_by_key(|at| connections.starts_us[*at]);
    let mut series = Series::default();
    for at in order {
        let size = u64::try_from(connections.bytes[at]).unwrap_or_default();
        series.beat(connections.starts_us[at], size);
    }
    series.confirmed
}

/// The score with what prevalence adds or takes.
#[must_use]
pub fn with_prevalence(timing: f64, share: f64, hosts: usize) -> f64 {
    let rare = if share <= 0.02 || hosts <= 3 { 0.15 } else { 0.0 };
    let common = if share >= 0.10 { -0.15 } else { 0.0 };
    let everywhere = if share >= 0.50 { -0.15 } else { 0.0 };
    timing + rare + common + everywhere
}

impl Series {
    fn beat(&mut self, start_us: i64, size: u64) {
        let Some(last) = self.last_us else {
            self.last_us = Some(start_us);
            self.beats = 1;
            return self.sizes.push_back(size);
        };
        let millis = u32::try_from((start_us - last).max(0) / 1_000).unwrap_or(u32::MAX);
        let interval = f64::from(millis) / 1_000.0;
        let burst = if self.beats >= KNOWN { BURST.max(BURST_SHARE * self.period) } else { BURST };
        if interval < burst {
            if let Some(whole) = self.sizes.back_mut() {
                *whole += size;
            }
            return;
        }
        self.last_us = Some(start_us);
        self.beats += 1;
        remember(&mut self.intervals, interval);
        remember(&mut self.sizes, size);
        self.look();
    }

    fn look(&mut self) {
        let is_time = LOOKS.contains(&self.beats)
            || self.beats > RING && (self.beats - RING).is_multiple_of(THEN_EVERY);
        if !is_time {
            return;
        }
        let score = beacon::score(self.intervals.make_contiguous(), self.sizes.make_contiguous());
        self.period = score.period;
        let agreed = self.looked.map_or(0.0, |before| before.min(score.value));
        self.confirmed = self.confirmed.max(agreed);
        self.looked = Some(score.value);
    }
}

fn remember<T>(ring: &mut VecDeque<T>, value: T) {
    if ring.len() == RING {
        ring.pop_front();
    }
    ring.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(gaps: impl Iterator<Item = i64>) -> Connections {
        let starts_us: Vec<i64> = gaps
            .scan(0, |time, gap| {
                *time += gap * 1_000_000;
                Some(*time)
            })
            .collect();
        Connections { bytes: vec![500; starts_us.len()], starts_us, ..Connections::default() }
    }

    #[test]
    fn a_clock_is_confirmed_at_the_second_look() {
        assert_eq!(timing(&connections((0..11).map(|_| 60))), 0.0);
        assert!(timing(&connections((0..12).map(|_| 60))) > 0.9);
    }

    #[test]
    fn connections_in_a_burst_are_one_beat() {
        let bursts = (0..200).map(|at| if at % 2 == 0 { 60 } else { 0 });
        assert!(timing(&connections(bursts)) > 0.9);
    }

    #[test]
    fn what_everybody_does_scores_lower() {
        for (share, hosts, expected) in [(0.01, 1, 1.05), (0.05, 6, 0.9), (0.2, 24, 0.75)] {
            assert!((with_prevalence(0.9, share, hosts) - expected).abs() < 1e-9);
        }
    }
}
