//! Which alert belongs to which unit.

use super::alerts::Alert;
use crate::label::{Expectation, Kind, Label};

/// An alert may begin so long before a unit or end so long after it: microseconds.
const SLACK_US: i64 = 3_600_000_000;

/// What was made of all alerts.
pub(super) struct Verdict {
    /// For each label: when the first alert of it was raised.
    pub(super) found: Vec<Option<i64>>,
    /// For each alert: whether it belongs to something that is there.
    pub(super) right: Vec<bool>,
    /// For each alert: the harmless unit that it is about.
    pub(super) harmless: Vec<Option<usize>>,
    /// For each alert: whether nobody can tell.
    open: Vec<bool>,
    /// Alerts of units that had one already.
    pub(super) duplicates: usize,
}

impl Verdict {
    /// Whether an alert is false.
    pub(super) fn is_false(&self, at: usize) -> bool {
        !self.right[at] && !self.open[at]
    }

    /// Minutes from a unit's first packet to its first alert.
    pub(super) fn minutes(&self, labels: &[Label], at: usize) -> Option<f64> {
        let waited = self.found[at]?.saturating_sub(labels[at].first_us).max(0);
        let seconds = u32::try_from(waited / 1_000_000).unwrap_or(u32::MAX);
        Some(f64::from(seconds) / 60.0)
    }
}

/// Compares.
pub(super) fn judge(labels: &[Label], alerts: &[Alert]) -> Verdict {
    let mut verdict = Verdict {
        found: vec![None; labels.len()],
        right: vec![false; alerts.len()],
        harmless: vec![None; alerts.len()],
        open: vec![false; alerts.len()],
        duplicates: 0,
    };
    for (at, alert) in alerts.iter().enumerate() {
        for (unit, label) in labels.iter().enumerate().filter(|(_, label)| is_of(alert, label)) {
            match label.expect {
                Expectation::Must | Expectation::Should => {
                    let first = verdict.found[unit];
                    verdict.duplicates += usize::from(first.is_some() && !verdict.right[at]);
                    verdict.right[at] = true;
                    let raised = alert.raised_us;
                    verdict.found[unit] = Some(first.map_or(raised, |first| first.min(raised)));
                }
                Expectation::May => verdict.open[at] = true,
                // A unit that names its destination knows more of an alert than one that is any.
                Expectation::MustNot => {
                    let known = verdict.harmless[at];
                    let is_vague = |unit: usize| labels[unit].destinations.is_empty();
                    if known.is_none_or(|known| is_vague(known) || !is_vague(unit)) {
                        verdict.harmless[at] = Some(unit);
                    }
                }
            }
        }
        // Whatever else is said of a host that an attacker has is no false alert of another unit,
        // unless it is about a harmless one.
        if verdict.harmless[at].is_none() && belongs_to_attack(alert, labels) {
            verdict.open[at] = true;
        }
    }
    verdict
}

/// Whether the alert is about the unit.
fn is_of(alert: &Alert, label: &Label) -> bool {
    let overlaps = alert.first_us <= label.last_us.saturating_add(SLACK_US)
        && alert.last_us.saturating_add(SLACK_US) >= label.first_us;
    let is_there = label.destinations.is_empty()
        || label.destinations.iter().any(|destination| alert.names(destination));
    overlaps
        && label.detectors.contains(&alert.detector)
        && label.hosts.contains(&alert.host)
        && is_there
}

/// Whether an alert of another kind is about a host and time of an attack: a scanner's host may be
/// told of as a new destination or an incident as well. Beacons are pairs, and so are not excused.
fn belongs_to_attack(alert: &Alert, labels: &[Label]) -> bool {
    let of_host = |label: &&Label| {
        label.expect != Expectation::MustNot
            && label.kind != Kind::Login
            && label.hosts.first() == Some(&alert.host)
            && alert.first_us <= label.last_us.saturating_add(SLACK_US)
            && alert.last_us.saturating_add(SLACK_US) >= label.first_us
    };
    alert.detector != "beacon" && labels.iter().any(|label| of_host(&label))
}
