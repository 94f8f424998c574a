//! How regular a series of beats is: a pure function, which the detector, hunts over the archive
//! and the lab share.
//!
//! In: the intervals between beats and the bytes of the beats. Out: a [`Score`] with every figure
//! that led to it. Quantiles alone decide, so that jitter of any law moves the figures smoothly and
//! a few outliers not at all.

/// How often a beat may be missed in a row: a longer pause is a pause, not a multiple.
const FOLD_MAX: f64 = 4.0;

/// How far from the period a folded interval may be, as a share of it.
const FOLD_TOLERANCE: f64 = 0.30;

/// Spread at which intervals say nothing any more. Exponential ones, of whatever has no memory, are
/// at 0.91; those of 90 % one-sided jitter at 0.66.
const SPREAD_MAX: f64 = 0.80;

/// Spread below [`SPREAD_MAX`] within which regularity falls from 1 to 0.
const SPREAD_RANGE: f64 = 0.50;

/// Intervals, in periods, that count as beating on without a break.
const CONTINUITY: std::ops::RangeInclusive<f64> = 0.4..=1.7;

/// Bytes that count as the same size: room for a counter or a longer number in a request.
const SIZE_BIN_BYTES: u64 = 16;

/// Beats over which evidence accumulates: 1 − e⁻¹ of it is there after so many.
const EVIDENCE_BEATS: f64 = 12.0;

/// Timing below which the other figures count less: steady sizes alone make no beacon.
const TIMING_FLOOR: f64 = 0.35;

/// The figures of a series of beats, each 0 to 1 where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The score: how much this is a machine keeping time.
    pub value: f64,
    /// Regularity, lowered by what had to be dropped or folded.
    pub timing: f64,
    /// Share of the time in which beats followed each other without a break.
    pub continuity: f64,
    /// Steadiness of the sizes; 0 where none is known.
    pub size: f64,
    /// The period: median interval in seconds.
    pub period: f64,
    /// Spread of the intervals: (q90 − q10) / (q90 + q10).
    pub spread: f64,
    /// Share of the intervals that fit the period or a multiple of it.
    pub kept: f64,
    /// Share of those that are a multiple: beats that were missed.
    pub folded: f64,
    /// Beats.
    pub beats: usize,
}

/// Scores a series of beats by the `intervals` between them, in seconds, and the `sizes` of those
/// whose bytes are known; neither need be complete or of the same length. Order does not matter.
///
/// Fewer than two positive intervals, or any that is not a number, give a score of zero.
#[must_use]
pub fn score(intervals: &[f64], sizes: &[u64]) -> Score {
    let beats = intervals.len().saturating_add(1);
    let mut sorted: Vec<f64> = intervals.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let period = quantile(&sorted, 0.5);
    let is_finite = sorted.iter().all(|interval| interval.is_finite() && *interval >= 0.0);
    if !is_finite || period <= 0.0 || sorted.len() < 2 {
        return Score { beats, ..Score::default() };
    }

    let kept: Vec<Kept> = sorted.iter().filter_map(|interval| fold(*interval, period)).collect();
    let mut rests: Vec<f64> = kept.iter().map(|kept| kept.rest).collect();
    rests.sort_unstable_by(f64::total_cmp);
    let (low, high) = (quantile(&rests, 0.1), quantile(&rests, 0.9));
    let spread = ratio(high - low, high + low);
    let regularity = ((SPREAD_MAX - spread) / SPREAD_RANGE).clamp(0.0, 1.0);

    let kept_share = ratio(count(kept.len()), count(sorted.len()));
    let multiples = kept.iter().filter(|kept| kept.is_multiple).count();
    let folded = ratio(count(multiples), count(kept.len()));
    let timing = regularity * kept_share * (1.0 - 0.5 * folded);

    let beating = kept.iter().filter(|kept| CONTINUITY.contains(&(kept.rest / period)));
    let continuity = ratio(beating.map(|kept| kept.interval).sum(), sorted.iter().sum());
    let size = steadiness(sizes);
    let evidence = 1.0 - (-count(beats) / EVIDENCE_BEATS).exp();
    let value = (0.60 * timing + 0.15 * continuity + 0.15 * size + 0.10 * evidence)
        * (timing / TIMING_FLOOR).min(1.0);
    Score { value, timing, continuity, size, period, spread, kept: kept_share, folded, beats }
}

/// An interval that fits the period.
struct Kept {
    /// As it was.
    interval: f64,
    /// Divided by the beats that it spans.
    rest: f64,
    /// Whether it spans more than one.
    is_multiple: bool,
}

/// Takes missed beats out of an interval; `None` if it is no multiple of the period.
fn fold(interval: f64, period: f64) -> Option<Kept> {
    let multiple = (interval / period).round().max(1.0);
    let rest = interval / multiple;
    let is_multiple = multiple > 1.0;
    let is_off = is_multiple && (rest - period).abs() > FOLD_TOLERANCE * period;
    (multiple <= FOLD_MAX && !is_off).then_some(Kept { interval, rest, is_multiple })
}

/// How steady sizes are: half the share of the most frequent one, half their deviation.
fn steadiness(sizes: &[u64]) -> f64 {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let bins = sorted.chunk_by(|a, b| a / SIZE_BIN_BYTES == b / SIZE_BIN_BYTES);
    let modal = ratio(count(bins.map(<[u64]>::len).max().unwrap_or(0)), count(sorted.len()));
    let sorted: Vec<f64> = sorted.into_iter().map(bytes).collect();
    let median = quantile(&sorted, 0.5);
    let mut deviations: Vec<f64> = sorted.iter().map(|size| (size - median).abs()).collect();
    deviations.sort_unstable_by(f64::total_cmp);
    let deviation = quantile(&deviations, 0.5);
    let evenness = match (sorted.is_empty(), deviation > 0.0) {
        (true, _) => 0.0,
        (false, false) => 1.0,
        (false, true) => (1.0 - ratio(deviation, median)).max(0.0),
    };
    0.5 * modal + 0.5 * evenness
}

/// The quantile of sorted values, between the two nearest where it falls between them; 0 of none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = count(last) * share;
    let (below, part) = (place.floor(), place.fract());
    // A place in a slice is no negative number and far below 2^52.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = below as usize;
    let value = |at: usize| sorted.get(at.min(last)).copied().unwrap_or(0.0);
    value(at) + part * (value(at.saturating_add(1)) - value(at))
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// Bytes as a number to divide; exact up to 2^53.
fn bytes(size: u64) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same on every run: 0 to 1.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bits = u32::try_from(self.0 >> 32).unwrap();
            f64::from(bits) / f64::from(u32::MAX)
        }

        fn between(&mut self, low: f64, high: f64) -> f64 {
            low + (high - low) * self.roll()
        }
    }

    fn series(seed: u64, mut law: impl FnMut(&mut Dice) -> f64) -> Score {
        let mut dice = Dice(seed);
        let intervals: Vec<f64> = (0..64).map(|_| law(&mut dice)).collect();
        score(&intervals, &[512; 64])
    }

    #[test]
    fn the_jitter_laws_of_known_tools_score_high() {
        type Law = fn(&mut Dice) -> f64;
        let laws: [(&str, f64, Law); 9] = [
            ("exact", 0.97, |_| 60.0),
            ("Cobalt Strike 20 %", 0.95, |dice| dice.between(48.0, 60.0)),
            ("Cobalt Strike 50 %", 0.93, |dice| dice.between(30.0, 60.0)),
            ("Cobalt Strike 90 %", 0.30, |dice| dice.between(6.0, 60.0)),
            ("Empire ±20 %", 0.95, |dice| dice.between(4.0, 6.0)),
            ("Empire ±50 %", 0.80, |dice| dice.between(30.0, 90.0)),
            ("Sliver", 0.97, |dice| dice.between(60.0, 90.0)),
            ("20 % missed", 0.85, |dice| if dice.roll() < 0.2 { 120.0 } else { 60.0 }),
            ("an hour", 0.95, |dice| dice.between(2_880.0, 3_600.0)),
        ];
        for (name, least, law) in laws {
            for seed in 1..20 {
                let score = series(seed, law);
                assert!(score.value >= least, "{name}, seed {seed}: {score:?}");
            }
        }
    }

    #[test]
    fn what_has_no_memory_scores_low_even_with_steady_sizes() {
        for seed in 1..200 {
            let score = series(seed, |dice| -60.0 * dice.between(1e-6, 1.0).ln());
            assert!(score.value < 0.70, "seed {seed}: {score:?}");
        }
    }

    #[test]
    fn people_score_low() {
        for seed in 1..200 {
            let score = series(seed, |dice| 2.0 * (8.0 * dice.roll()).exp());
            assert!(score.value < 0.5, "seed {seed}: {score:?}");
        }
    }

    #[test]
    fn the_figures_are_those_of_the_formula() {
        let minute = score(&[60.0, 60.0, 120.0, 60.0, 600.0], &[100, 100, 100, 300]);
        assert_eq!(minute.beats, 6);
        assert_eq!((minute.period, minute.spread), (60.0, 0.0));
        assert_eq!((minute.kept, minute.folded), (0.8, 0.25));
        assert!((minute.timing - 0.7).abs() < 1e-12, "{minute:?}");
        assert!((minute.continuity - 300.0 / 900.0).abs() < 1e-12, "{minute:?}");
        assert!((minute.size - 0.875).abs() < 1e-12, "{minute:?}");
        let value = 0.42 + 0.05 + 0.15 * 0.875 + 0.1 * (1.0 - (-0.5_f64).exp());
        assert!((minute.value - value).abs() < 1e-12, "{minute:?}");
    }

    #[test]
    fn too_little_or_no_number_scores_nothing() {
        for intervals in [
            &[][..],
            &[60.0],
            &[0.0, 0.0, 0.0],
            &[f64::NAN, 60.0, 60.0],
            &[f64::INFINITY, 60.0, 60.0],
            &[-1.0, 60.0, 60.0],
        ] {
            let score = score(intervals, &[]);
            assert_eq!((score.value, score.beats), (0.0, intervals.len() + 1), "{intervals:?}");
        }
    }

    #[test]
    fn sizes_that_nobody_knows_cost_their_share_and_no_more() {
        let known = score(&[60.0; 32], &[0; 33]);
        let unknown = score(&[60.0; 32], &[]);
        assert!((known.value - unknown.value - 0.15).abs() < 1e-12);
    }
}
