//! Scores of pairs: how well they tell beacons from the rest, beside the peer's on the same flows.
//!
//! In: labels, pairs, and alerts of a run whose thresholds were zero, so that each pair that was
//! scored has one. Out: figures. Serval's score on flows alone and the peer's need no run. Pairs of
//! at least nine connections take part; a pair without a score has none, that is zero.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::alerts::Alert;
use super::flows::{Connections, Pairs};
use super::rita::{self, Pair, Window};
use super::statistics::{Scored, pr_auc, precision_at, roc_auc};
use super::{Report, number, serval};
use crate::label::{Expectation, Kind, Label};

/// Connections of a pair that takes part.
const LEAST: usize = 9;

/// Scores by host and destination.
pub type Scores = BTreeMap<(IpAddr, String), f64>;

/// The scores in alerts of a run whose thresholds were zero; of several of one pair the highest.
#[must_use]
pub fn scores(alerts: &[Alert]) -> Scores {
    let mut scores = Scores::new();
    for alert in alerts.iter().filter(|alert| alert.detector == "beacon") {
        let Some(score) = alert.figure("X") else { continue };
        for text in &alert.texts {
            let known = scores.entry((alert.host, text.clone())).or_insert(score);
            *known = known.max(score);
        }
    }
    scores
}

/// What a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Beacon,
    /// It would be right to find it and is not asked for.
    Extra,
    RarePeriodic,
    Other,
    /// Nobody can tell.
    Unknown,
}

fn truth(labels: &[Label], host: IpAddr, key: &str, address: &str) -> Truth {
    let of_pair = |label: &&Label| {
        label.kind == Kind::Beacon
            && label.hosts.contains(&host)
            && label.destinations.iter().any(|to| to == key || to == address)
    };
    match labels.iter().find(of_pair) {
        Some(Label { expect: Expectation::Must, .. }) => Truth::Beacon,
        Some(Label { expect: Expectation::Should, .. }) => Truth::Extra,
        Some(Label { expect: Expectation::May, .. }) => Truth::Unknown,
        Some(label) if label.family.starts_with("rare:") => Truth::RarePeriodic,
        _ => Truth::Other,
    }
}

/// Scorers by name: a score for each pair, in the order of the pairs.
type Scorers = Vec<(&'static str, Vec<f64>)>;

/// Puts the figures of all scorers into a report.
pub fn compare(report: &mut Report, labels: &[Label], pairs: &Pairs, scores: Option<&Scores>) {
    let takes_part = |(_, connections): &(_, &Connections)| connections.starts_us.len() >= LEAST;
    let candidates: Vec<_> = pairs.pairs.iter().filter(takes_part).collect();
    let truths: Vec<Truth> = candidates
        .iter()
        .map(|((host, key), connections)| truth(labels, *host, key, &connections.address))
        .collect();
    report.count("pairs that take part", candidates.len());
    report.count(
        "pairs that are beacons",
        truths.iter().filter(|truth| **truth == Truth::Beacon).count(),
    );
    let mut scorers: Scorers = Vec::new();
    if let Some(scores) = scores {
        let own = candidates.iter().map(|((host, key), connections)| {
            let by = |key: &str| scores.get(&(*host, key.to_owned())).copied();
            by(key).or_else(|| by(&connections.address)).unwrap_or_default()
        });
        scorers.push(("serval", own.collect()));
    }
    let visitors = pairs.visitors();
    let hosts = |key: &str| visitors.get(key).copied().unwrap_or_default();
    let share = |key: &str| number(hosts(key)) / pairs.host_count().max(1.0);
    let timings: Vec<f64> =
        candidates.iter().map(|(_, connections)| serval::timing(connections)).collect();
    let weighed = candidates
        .iter()
        .zip(&timings)
        .map(|(((_, key), _), timing)| serval::with_prevalence(*timing, share(key), hosts(key)));
    scorers.push(("serval on flows", weighed.collect()));
    scorers.push(("serval timing", timings));
    let window = window(pairs);
    let raw: Vec<Option<f64>> = candidates
        .iter()
        .map(|(_, connections)| rita::beacon(&in_window(connections, window), window))
        .collect();
    let last_words = candidates.iter().zip(&raw).map(|(((_, key), connections), raw)| {
        rita::last_word(*raw, in_window(connections, window).duration, share(key))
    });
    scorers.push(("rita final", last_words.collect()));
    scorers.push(("rita raw", raw.into_iter().map(Option::unwrap_or_default).collect()));
    for (name, scores) in &scorers {
        figures(report, name, scores, &truths);
    }
}

fn figures(report: &mut Report, name: &str, scores: &[f64], truths: &[Truth]) {
    let scored = |accepts: fn(Truth) -> Option<bool>| -> Vec<Scored> {
        scores
            .iter()
            .zip(truths)
            .filter_map(|(score, truth)| {
                accepts(*truth).map(|positive| Scored { score: *score, positive })
            })
            .collect()
    };
    let all = scored(|truth| match truth {
        Truth::Beacon => Some(true),
        Truth::RarePeriodic | Truth::Other => Some(false),
        Truth::Extra | Truth::Unknown => None,
    });
    let rare = scored(|truth| match truth {
        Truth::Beacon => Some(true),
        Truth::RarePeriodic => Some(false),
        _ => None,
    });
    let common = scored(|truth| match truth {
        Truth::Beacon => Some(true),
        Truth::Other => Some(false),
        _ => None,
    });
    report.put(format!("{name}: ROC AUC"), roc_auc(&all));
    report.put(format!("{name}: ROC AUC without rare periodic"), roc_auc(&common));
    report.put(format!("{name}: ROC AUC against rare periodic"), roc_auc(&rare));
    report.put(format!("{name}: PR AUC"), pr_auc(&all));
    for recall in [0.90, 0.95, 0.98] {
        let precision = precision_at(&all, recall);
        report.put(format!("{name}: precision at recall {recall:.2}"), precision);
        let precision = precision_at(&common, recall);
        report.put(format!("{name}: the same without rare periodic, {recall:.2}"), precision);
    }
}

/// The last day of the run.
fn window(pairs: &Pairs) -> Window {
    let (first, last) = pairs.span_us.unwrap_or_default();
    let (first, last) = (first.div_euclid(1_000_000), last.div_euclid(1_000_000));
    Window { first: first.max(last - rita::WINDOW), last }
}

/// What RITA would have loaded of a pair: from the hour on in which its window begins.
fn in_window(connections: &Connections, window: Window) -> Pair {
    let hour = window.first.div_euclid(3_600) * 3_600;
    let mut pair = Pair::default();
    for (start, bytes) in connections.starts_us.iter().zip(&connections.bytes) {
        let second = start.div_euclid(1_000_000);
        if second >= hour {
            pair.times.push(second);
            pair.sizes.push(f64::from(u32::try_from(*bytes).unwrap_or(u32::MAX)));
        }
    }
    let share = number(pair.times.len()) / number(connections.starts_us.len().max(1));
    pair.duration = connections.duration * share;
    pair
}
