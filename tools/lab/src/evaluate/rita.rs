//! The peer to beat: RITA's beacon score, recomputed from its formula.
//!
//! In: for one pair the times and sizes of its connections, and the window. Out: the score of
//! version 5, 0 to 1, rounded to three digits as it rounds; and the final one, which adds what the
//! product makes of long connections and of prevalence. Written from the published formula; steps
//! of prevalence are those of the shipped configuration (±0.15 at 2 % and 50 %).

use std::collections::BTreeSet;

use super::number;
use super::statistics::median;

/// Seconds of the window that is looked at, back from the newest connection.
pub const WINDOW: i64 = 86_400;

/// Bins of the histogram over the window.
const BINS: usize = 24;

/// Connections of one pair.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    /// Seconds since the epoch, whole.
    pub times: Vec<i64>,
    /// Bytes that the originator sent in each, with headers.
    pub sizes: Vec<f64>,
    /// Seconds that they lasted together.
    pub duration: f64,
}

/// First and last second of the window.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// `tmin`.
    pub first: i64,
    /// `tmax`.
    pub last: i64,
}

/// Rounds to three digits, halves away from zero.
fn round_3(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// Rounds up to three digits.
fn ceil_3(value: f64) -> f64 {
    (value * 1_000.0).ceil() / 1_000.0
}

fn share(numerator: usize, denominator: usize) -> f64 {
    number(numerator) / number(denominator)
}

/// Quartiles by halves; the middle of an odd count belongs to neither.
fn quartiles(sorted: &[f64]) -> Option<(f64, f64, f64)> {
    let half = sorted.len() / 2;
    let upper = &sorted[sorted.len() - half..];
    Some((median(&sorted[..half])?, median(sorted)?, median(upper)?))
}

/// How symmetric and how narrow numbers are; `default` where their middle is below one.
fn regularity(values: &[f64], default: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (q1, q2, q3) = quartiles(&sorted)?;
    let is_skewed = q3 - q1 >= 10.0 && q2 != q1 && q2 != q3;
    let skew = if is_skewed { (q1 + q3 - 2.0 * q2) / (q3 - q1) } else { 0.0 };
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let deviation = median(&distances)?;
    let narrow = if middle >= 1.0 { (middle - deviation) / middle } else { default };
    Some(round_3(((1.0 - skew.abs()) + narrow.max(0.0)) / 2.0))
}

/// Connections in each bin of the window.
fn histogram(times: &[i64], window: Window) -> [usize; BINS] {
    let mut bins = [0; BINS];
    let span = (window.last - window.first).max(1);
    let count = i64::try_from(BINS).expect("24");
    for time in times {
        let at = ((time - window.first) * count).div_euclid(span).clamp(0, count - 1);
        bins[usize::try_from(at).expect("a bin")] += 1;
    }
    bins
}

/// How even the histogram is, or how well two heights describe it.
fn evenness(bins: &[usize; BINS]) -> f64 {
    let counts: Vec<f64> = bins.iter().map(|count| number(*count)).collect();
    let mean = counts.iter().sum::<f64>() / number(BINS);
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / number(BINS);
    let variation = if mean > 0.0 { variance.sqrt() / mean } else { f64::INFINITY };
    let even = if variation > 1.0 { 0.0 } else { round_3(1.0 - variation) };
    even.max(bimodality(bins))
}

fn bimodality(bins: &[usize; BINS]) -> f64 {
    /// Bins that must have something in them, and the width of a height as share of the highest.
    const LEAST: usize = 11;
    const WIDTH: usize = 20;
    let total = bins.iter().filter(|count| **count > 0).count();
    if total < LEAST {
        return 0.0;
    }
    let width = bins.iter().max().copied().unwrap_or_default().div_ceil(WIDTH).max(1);
    let mut heights = std::collections::BTreeMap::<usize, usize>::new();
    for count in bins.iter().filter(|count| **count > 0) {
        *heights.entry(count / width).or_default() += 1;
    }
    let mut often: Vec<usize> = heights.into_values().collect();
    often.sort_unstable_by(|a, b| b.cmp(a));
    let top: usize = often.iter().take(2).sum();
    round_3(share(top, (total - 1).max(1))).min(1.0)
}

/// How much of the window the connections cover.
fn cover(times: &[i64], bins: &[usize; BINS], window: Window) -> f64 {
    /// Bins that must have something in them, and those in a row that are enough.
    const LEAST: usize = 6;
    const ENOUGH: usize = 12;
    let total = bins.iter().filter(|count| **count > 0).count();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return 0.0 };
    if total < LEAST {
        return 0.0;
    }
    let seconds = |span: i64| f64::from(i32::try_from(span).unwrap_or(i32::MAX));
    let whole = seconds((window.last - window.first).max(1));
    let span = ceil_3(seconds(last - first) / whole).min(1.0);
    let run = ceil_3(share(longest_run(bins), ENOUGH)).min(1.0);
    span.max(run)
}

/// The longest run of bins with something in them, around the end.
fn longest_run(bins: &[usize; BINS]) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for count in bins.iter().chain(bins) {
        run = if *count > 0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest.min(BINS)
}

/// The beacon score of a pair; nothing where there are too few connections to have one.
#[must_use]
pub fn beacon(pair: &Pair, window: Window) -> Option<f64> {
    /// Unique times that a candidate has, and connections that make it a strobe instead.
    const LEAST: usize = 4;
    const STROBE: usize = 86_400;
    let unique: BTreeSet<i64> = pair.times.iter().copied().collect();
    if unique.len() < LEAST || pair.times.len() >= STROBE {
        return None;
    }
    let sorted: Vec<i64> = unique.into_iter().collect();
    let gap = |two: &[i64]| f64::from(i32::try_from(two[1] - two[0]).unwrap_or(i32::MAX));
    let gaps: Vec<f64> = sorted.windows(2).map(gap).collect();
    let times = regularity(&gaps, 1.0)?;
    let sizes = regularity(&pair.sizes, 0.0)?;
    let bins = histogram(&pair.times, window);
    let duration = cover(&pair.times, &bins, window);
    Some(round_3(0.25 * (times + sizes + duration + evenness(&bins))))
}

/// A value between steps as a threat: 0.2 to 0.8, in proportion between them.
fn threat(value: f64, steps: [f64; 4]) -> f64 {
    let [base, low, medium, high] = steps;
    let between = |from: f64, to: f64, start: f64| start + 0.2 * (value - from) / (to - from);
    if value < base {
        0.0
    } else if value < low {
        between(base, low, 0.2)
    } else if value < medium {
        between(low, medium, 0.4)
    } else if value < high {
        between(medium, high, 0.6)
    } else {
        0.8
    }
}

/// The final score: the worse threat of beacon and long connection, and prevalence.
#[must_use]
pub fn last_word(beacon: Option<f64>, duration: f64, prevalence: f64) -> f64 {
    const HOUR: f64 = 3_600.0;
    let beacon = threat(100.0 * beacon.unwrap_or_default(), [50.0, 70.0, 90.0, 100.0]);
    let long = threat(duration, [HOUR, 4.0 * HOUR, 8.0 * HOUR, 12.0 * HOUR]);
    let modifier = if prevalence <= 0.02 {
        0.15
    } else if prevalence >= 0.5 {
        -0.15
    } else {
        0.0
    };
    beacon.max(long) + modifier
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const DAY: Window = Window { first: 0, last: WINDOW };

    /// A day of connections, each so many seconds after the last, and up to so many more.
    fn every(seconds: usize, more: usize) -> Pair {
        let (mut pair, mut dice, mut time) = (Pair::default(), Dice::new(1, "rita"), 0);
        while time < WINDOW {
            pair.times.push(time);
            pair.sizes.push(500.0);
            time += i64::try_from(dice.between(seconds, seconds + more)).unwrap();
        }
        pair
    }

    #[test]
    fn a_clock_scores_one() {
        assert_eq!(beacon(&every(60, 0), DAY), Some(1.0));
    }

    #[test]
    fn few_connections_have_no_score_and_jitter_costs() {
        let few = Pair { times: vec![0, 1, 2], sizes: vec![1.0; 3], duration: 0.0 };
        assert_eq!(beacon(&few, DAY), None);
        let score = beacon(&every(30, 30), DAY).unwrap();
        assert!((0.8..1.0).contains(&score), "{score}");
    }

    #[test]
    fn quartiles_leave_the_middle_out() {
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0, 5.0]), Some((1.5, 3.0, 4.5)));
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0]), Some((1.5, 2.5, 3.5)));
    }

    #[test]
    fn skew_counts_only_where_the_quartiles_are_apart() {
        // Q1 10, Q2 20, Q3 40: skew 1/3; MAD of 10, 20, 40 is 10.
        assert_eq!(regularity(&[10.0, 10.0, 20.0, 40.0, 40.0], 1.0), Some(0.583));
        assert_eq!(regularity(&[1.0, 2.0, 3.0], 1.0), Some(0.75));
    }

    #[test]
    fn threats_are_in_proportion_between_steps() {
        for (score, prevalence, expected) in
            [(1.0, 0.01, 0.95), (0.7, 0.1, 0.4), (0.6, 0.1, 0.3), (0.49, 0.6, -0.15)]
        {
            let word = last_word(Some(score), 0.0, prevalence);
            assert!((word - expected).abs() < 1e-9, "{score} {prevalence}: {word}");
        }
    }

    #[test]
    fn an_even_histogram_scores_one_and_a_lonely_bin_nothing() {
        let mut lonely = [0; BINS];
        lonely[3] = 100;
        assert_eq!(evenness(&[5; BINS]), 1.0);
        assert_eq!(evenness(&lonely), 0.0);
        assert_eq!(longest_run(&lonely), 1);
    }
}
