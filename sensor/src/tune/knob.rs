//! Proposed thresholds.
//!
//! In: alerts that are told, the configuration. Out: for each knob that decides about some of them,
//! the setting that silences most without anything grave; each with what it would cost. What a
//! setting silences is asked of the detectors' own thresholds.

use std::collections::BTreeMap;

use analyzers::detectors;
use analyzers::threshold::{Evidence, Held, Side};
use toml::{Table, Value};

use super::candidate::{self, Assignment};
use super::cost::Cost;
use super::past::Past;
use super::setting::{Fate, Setting, fate_by_knobs, worst};

/// Settings of a knob that are tried, spread over all that differ.
const TRIED_MAX: usize = 32;

/// A proposed setting.
#[derive(Debug)]
pub(super) struct Knob<'a> {
    /// As `--set` takes it.
    pub(super) assignments: Vec<String>,
    /// What it is now.
    pub(super) now: String,
    /// As the configuration writes it.
    pub(super) text: String,
    /// What it would cost.
    pub(super) cost: Cost<'a>,
    /// Alerts of which evidence does not say.
    pub(super) unclear: usize,
}

/// What is asked about.
struct Question<'a, 'b> {
    told: &'b [&'a Past],
    setting: &'b Setting,
    /// The configuration as written, over which settings are laid.
    written: &'b Table,
}

/// Settings for alerts that are told, those that silence most first, at most so many.
pub(super) fn knobs<'a>(
    told: &[&'a Past],
    setting: &Setting,
    written: &Table,
    most: usize,
) -> Vec<Knob<'a>> {
    let question = Question { told, setting, written };
    let mut figures: BTreeMap<(String, &'static str), Vec<Held>> = BTreeMap::new();
    for past in told {
        for telling in &past.tellings {
            let evidence = Evidence(&telling.figures);
            let detector = &telling.row.detector;
            let grounds = detectors::grounds(detector, &setting.config.detect, &evidence);
            for held in grounds.into_iter().flat_map(|ground| ground.0) {
                let key = (detector.clone(), held.threshold.knob);
                figures.entry(key).or_default().push(held);
            }
        }
    }
    let mut knobs: Vec<Knob<'a>> = figures
        .iter()
        .filter_map(|((detector, knob), held)| {
            let name = format!("{detector}.{knob}");
            let now = shown(held.first()?.threshold.bound / held.first()?.threshold.unit);
            question.best(Some(detector), &name, &now, &beyond(held))
        })
        .collect();
    let confidences = steps(told.iter().map(|past| past.confidence() + 0.01));
    let now = shown(setting.config.watch.min_confidence);
    knobs.extend(question.best(None, "watch.min_confidence", &now, &confidences));
    knobs.sort_by_key(|knob| std::cmp::Reverse(knob.cost.silenced.len()));
    knobs.truncate(most);
    knobs
}

/// Settings just beyond the figures.
fn beyond(held: &[Held]) -> Vec<String> {
    let Some(first) = held.first() else { return Vec::new() };
    let unit = first.threshold.unit;
    let figures = held.iter().map(|held| held.figure / unit);
    let is_share = first.threshold.bound.fract() != 0.0 || first.threshold.bound < 1.0;
    match (first.threshold.side, is_share) {
        (Side::AtLeast, true) => steps(figures.map(|figure| figure + 0.01)),
        (Side::AtLeast, false) => whole(figures.map(|figure| figure.floor() + 1.0)),
        (Side::AtMost, _) => whole(figures.map(|f| f.ceil() - 1.0).filter(|f| *f >= 0.0)),
    }
}

/// Hundredths, in order. What binary fractions lack of a hundredth is made up for before the rest
/// is cut off.
fn steps(values: impl Iterator<Item = f64>) -> Vec<String> {
    in_order(values.map(|value| (value * 100.0 + 1e-6).floor() / 100.0), 2)
}

/// Whole numbers, in order.
fn whole(values: impl Iterator<Item = f64>) -> Vec<String> {
    in_order(values, 0)
}

/// Each value once, the least first, with so many decimals.
fn in_order(values: impl Iterator<Item = f64>, decimals: usize) -> Vec<String> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values.into_iter().map(|value| format!("{value:.decimals$}")).collect()
}

/// A setting as people write it.
fn shown(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl<'a> Question<'a, '_> {
    /// The setting that silences most without anything grave; where there is none, the least one
    /// that silences anything.
    fn best(
        &self,
        detector: Option<&str>,
        name: &str,
        now: &str,
        values: &[String],
    ) -> Option<Knob<'a>> {
        let step = values.len().div_ceil(TRIED_MAX).max(1);
        let tried = values.iter().step_by(step);
        let mut best: Option<Knob<'a>> = None;
        for value in tried {
            let Some(knob) = self.knob(detector, name, now, value) else { continue };
            let is_better = best.as_ref().is_none_or(|best| {
                knob.cost.is_small() && knob.cost.silenced.len() > best.cost.silenced.len()
                    || knob.cost.is_small() && !best.cost.is_small()
            });
            if is_better {
                best = Some(knob);
            }
        }
        best
    }

    /// What a setting would silence; none where it is not valid or silences nothing.
    fn knob(&self, detector: Option<&str>, name: &str, now: &str, value: &str) -> Option<Knob<'a>> {
        let assignment = Assignment::parse(&format!("{name}={value}")).ok()?;
        let config = candidate::config(self.written, std::slice::from_ref(&assignment)).ok()?;
        let before = &self.setting.config;
        let (mut silenced, mut unclear) = (Vec::new(), 0);
        for &past in self.told.iter().filter(|p| detector.is_none_or(|d| p.detector() == d)) {
            let fate = match detector {
                Some(_) => worst(past, |telling| {
                    fate_by_knobs(&config.detect, telling, Some(&before.detect))
                }),
                None if config.watch.tells(past.confidence()) => Fate::Told,
                None => Fate::Silent(super::setting::Reason::Unlikely(None)),
            };
            match fate {
                Fate::Silent(_) => silenced.push(past),
                Fate::Unclear(_) => unclear += 1,
                Fate::Told => {}
            }
        }
        if silenced.is_empty() {
            return None;
        }
        let text = toml::to_string(&Value::Table(assignment.table())).ok()?;
        let cost = Cost::of(silenced, self.told);
        let (now, assignments) = (now.to_owned(), vec![format!("{name}={value}")]);
        Some(Knob { assignments, now, text, cost, unclear })
    }
}

#[cfg(test)]
mod tests {
    use analyzers::threshold::{Knows, Threshold};

    use super::*;

    #[test]
    fn settings_lie_just_beyond_the_figures() {
        let held = |threshold, figure| Held { threshold, figure, knows: Knows::Exactly };
        for (threshold, figures, expected) in [
            (Threshold::least("alert", 0.85), &[0.9, 0.871][..], &["0.88", "0.91"][..]),
            (Threshold::count("hosts", 4), &[4.0, 12.0, 4.0], &["5", "13"]),
            (Threshold::count("hours", 8).in_units_of(3_600.0), &[30_000.0], &["9"]),
            (Threshold::most("hosts", 3.0), &[1.0, 3.0], &["0", "2"]),
        ] {
            let held: Vec<Held> = figures.iter().map(|&figure| held(threshold, figure)).collect();
            assert_eq!(beyond(&held), expected, "{threshold:?}");
        }
    }
}
