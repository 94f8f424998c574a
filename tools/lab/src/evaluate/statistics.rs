//! Means, quantiles, and how well a score orders.

/// A share; nothing of nothing.
#[must_use]
pub fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| super::number(part) / super::number(whole))
}

/// The quantile of some numbers, the nearest one.
#[must_use]
pub fn quantile(numbers: &[f64], share: f64) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = (0..=last).find(|at| super::number(*at) >= share * super::number(last));
    at.map(|at| sorted[at])
}

/// The median; of an even count the mean of the middle two.
#[must_use]
pub fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[half]),
        _ => Some((sorted[half - 1] + sorted[half]) / 2.0),
    }
}

/// Mean and standard deviation of a sample; the deviation of one is nothing.
#[must_use]
pub fn mean_and_spread(numbers: &[f64]) -> Option<(f64, f64)> {
    if numbers.is_empty() {
        return None;
    }
    let count = super::number(numbers.len());
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    let spread = if count > 1.0 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    Some((mean, spread))
}

/// A score, and whether what it is of should score high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The score.
    pub score: f64,
    /// Whether it should be high.
    pub positive: bool,
}

/// The area under the ROC curve: how often a positive scores above a negative, ties half.
#[must_use]
pub fn roc_auc(scored: &[Scored]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        let high = super::number(tied.iter().filter(|one| one.positive).count());
        let low = super::number(tied.len()) - high;
        won += high * (below + low / 2.0);
        below += low;
        positives += high;
    }
    (positives > 0.0 && below > 0.0).then(|| won / (positives * below))
}

/// The area under the curve of precision over recall, by steps (average precision).
#[must_use]
pub fn pr_auc(scored: &[Scored]) -> Option<f64> {
    let total = super::number(scored.iter().filter(|one| one.positive).count());
    if total == 0.0 {
        return None;
    }
    let mut area = 0.0;
    let mut recalled = 0.0;
    for (precision, recall) in curve(scored) {
        area += precision * (recall - recalled);
        recalled = recall;
    }
    Some(area)
}

/// The best precision at which at least that recall is reached.
#[must_use]
pub fn precision_at(scored: &[Scored], recall: f64) -> Option<f64> {
    let reached = curve(scored).into_iter().filter(|(_, reached)| *reached >= recall);
    reached.map(|(precision, _)| precision).max_by(f64::total_cmp)
}

/// Precision and recall at each threshold, the highest first.
fn curve(scored: &[Scored]) -> Vec<(f64, f64)> {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    let total = super::number(sorted.iter().filter(|one| one.positive).count());
    let (mut high, mut all) = (0.0, 0.0);
    let mut points = Vec::new();
    for tied in sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        high += super::number(tied.iter().filter(|one| one.positive).count());
        all += super::number(tied.len());
        points.push((high / all, if total > 0.0 { high / total } else { 0.0 }));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(pairs: &[(f64, bool)]) -> Vec<Scored> {
        pairs.iter().map(|&(score, positive)| Scored { score, positive }).collect()
    }

    #[test]
    fn areas_are_those_of_small_cases_by_hand() {
        for (pairs, roc, pr) in [
            (&[(0.9, true), (0.1, false)][..], 1.0, 1.0),
            (&[(0.1, true), (0.9, false)], 0.0, 0.5),
            (&[(0.5, true), (0.5, false)], 0.5, 0.5),
            (&[(0.9, true), (0.8, false), (0.7, true), (0.6, false)], 0.75, 5.0 / 6.0),
        ] {
            let scored = scored(pairs);
            assert_eq!(roc_auc(&scored), Some(roc), "{pairs:?}");
            assert!((pr_auc(&scored).unwrap() - pr).abs() < 1e-9, "{pairs:?}");
        }
        assert_eq!(roc_auc(&scored(&[(0.5, true)])), None);
    }

    #[test]
    fn precision_is_that_of_the_threshold_which_reaches_the_recall() {
        let scored = scored(&[(0.9, true), (0.8, false), (0.7, true), (0.6, false)]);
        assert_eq!(precision_at(&scored, 0.5), Some(1.0));
        assert_eq!(precision_at(&scored, 1.0), Some(2.0 / 3.0));
    }

    #[test]
    fn middles_and_spreads() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.95), Some(3.0));
        assert_eq!(mean_and_spread(&[1.0, 3.0]), Some((2.0, 2f64.sqrt())));
    }
}
