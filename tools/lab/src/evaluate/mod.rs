//! How alerts compare with labels.
//!
//! In: labels, alerts and, where at hand, flows and scores of a capture. Out: a [`Report`] of one
//! run, and a table of several. A unit of account is found when an alert of one of its detectors
//! names its host and, where it has one, its destination, and overlaps it in time. An alert that no
//! unit claims is false.

pub mod alerts;
pub mod beacons;
pub mod flows;
pub mod rita;
pub mod serval;
pub mod statistics;
pub mod table;
#[cfg(test)]
mod tests;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use self::alerts::Alert;
use self::statistics::{median, quantile, ratio};
use self::units::Verdict;
use crate::label::{Expectation, Kind, Label};

/// What one run showed: a figure for each line of the table, in its order.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The name of a figure and what it was; nothing where there was nothing to count.
    pub figures: Vec<(String, Option<f64>)>,
    /// Lines that a reader should look at: what was missed, and what is false.
    pub remarks: Vec<String>,
}

impl Report {
    fn put(&mut self, name: impl Into<String>, figure: Option<f64>) {
        self.figures.push((name.into(), figure));
    }

    fn count(&mut self, name: impl Into<String>, count: usize) {
        self.put(name, Some(number(count)));
    }
}

/// A count as a figure.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Kinds in the order in which they are reported.
const KINDS: [(Kind, &str); 8] = [
    (Kind::Beacon, "beacon"),
    (Kind::Scan, "scan"),
    (Kind::Guessing, "guessing"),
    (Kind::Login, "login"),
    (Kind::Lateral, "lateral"),
    (Kind::Dns, "dns"),
    (Kind::Exfiltration, "exfiltration"),
    (Kind::Incident, "incident"),
];

/// Judges the alerts of one run. `host_days` is hosts times days.
#[must_use]
pub fn judge(labels: &[Label], alerts: &[Alert], host_days: f64) -> Report {
    let verdict = units::judge(labels, alerts);
    let mut report = Report::default();
    for (kind, name) in KINDS {
        recall(&mut report, labels, &verdict, kind, name);
    }
    false_alerts(&mut report, labels, alerts, &verdict, host_days);
    severities(&mut report, alerts, &verdict);
    calibration(&mut report, alerts, &verdict);
    incidents(&mut report, labels, alerts);
    report.count("duplicates", verdict.duplicates);
    report
}

/// Recall of one kind by family, and how long it took.
fn recall(report: &mut Report, labels: &[Label], verdict: &Verdict, kind: Kind, name: &str) {
    let mut families: BTreeMap<(&str, Expectation), Vec<usize>> = BTreeMap::new();
    for (at, label) in labels.iter().enumerate().filter(|(_, label)| label.kind == kind) {
        if matches!(label.expect, Expectation::Must | Expectation::Should) {
            families.entry((&label.family, label.expect)).or_default().push(at);
        }
    }
    let must: Vec<usize> = families
        .iter()
        .filter(|((_, expect), _)| *expect == Expectation::Must)
        .flat_map(|(_, units)| units.iter().copied())
        .collect();
    let found = |units: &[usize]| units.iter().filter(|at| verdict.found[**at].is_some()).count();
    if !must.is_empty() {
        report.put(format!("{name}: recall"), ratio(found(&must), must.len()));
        let minutes: Vec<f64> = must.iter().filter_map(|at| verdict.minutes(labels, *at)).collect();
        report.put(format!("{name}: minutes to detect, median"), median(&minutes));
        report.put(format!("{name}: minutes to detect, 95 %"), quantile(&minutes, 0.95));
    }
    for ((family, expect), units) in families {
        let mark = if expect == Expectation::Should { " (not asked for)" } else { "" };
        report.put(format!("  {family}: recall{mark}"), ratio(found(&units), units.len()));
        let minutes: Vec<f64> =
            units.iter().filter_map(|at| verdict.minutes(labels, *at)).collect();
        report.put(format!("  {family}: minutes"), median(&minutes));
        if expect == Expectation::Must {
            let missed = units.iter().filter(|at| verdict.found[**at].is_none());
            report.remarks.extend(missed.map(|at| format!("missed: {}", labels[*at].campaign)));
        }
    }
}

/// False alerts: of units that are harmless, by their class, and of nothing that was labelled.
fn false_alerts(
    report: &mut Report,
    labels: &[Label],
    alerts: &[Alert],
    verdict: &Verdict,
    host_days: f64,
) {
    let mut by_class: BTreeMap<String, usize> = BTreeMap::new();
    let (mut beacons, mut rare, mut all) = (0, 0, 0);
    for (at, alert) in alerts.iter().enumerate().filter(|(at, _)| verdict.is_false(*at)) {
        let class = match verdict.harmless[at] {
            Some(unit) => labels[unit].family.clone(),
            None => "not labelled".to_owned(),
        };
        all += 1;
        if alert.detector == "beacon" {
            beacons += 1;
            rare += usize::from(class.starts_with("rare:"));
        }
        report.remarks.push(format!("false: {} {} [{class}]", alert.detector, alert.title));
        *by_class.entry(format!("{} [{class}]", alert.detector)).or_default() += 1;
    }
    let right = alerts
        .iter()
        .enumerate()
        .filter(|(at, alert)| alert.detector == "beacon" && verdict.right[*at])
        .count();
    let per_day = |count: usize| (host_days > 0.0).then(|| number(count) / host_days);
    report.put("beacon: precision", ratio(right, right + beacons));
    report.put("beacon: precision without rare periodic", ratio(right, right + beacons - rare));
    report.put("beacon: false per host-day", per_day(beacons));
    report.put("beacon: false per host-day without rare periodic", per_day(beacons - rare));
    report.put("all: false per host-day", per_day(all));
    for (class, count) in by_class {
        report.count(format!("  false: {class}"), count);
    }
    let harmless: Vec<&Label> =
        labels.iter().filter(|label| label.expect == Expectation::MustNot).collect();
    let logins = harmless.iter().filter(|label| label.kind == Kind::Login).count();
    let raised: BTreeSet<usize> = verdict.harmless.iter().flatten().copied().collect();
    let wrong = raised.iter().filter(|at| labels[**at].kind == Kind::Login).count();
    report.put("login: times that must be silent and are", ratio(logins - wrong, logins));
}

/// How often the two highest severities were right.
fn severities(report: &mut Report, alerts: &[Alert], verdict: &Verdict) {
    for severity in ["P0", "P1", "P2", "P3"] {
        let of: Vec<usize> = alerts
            .iter()
            .enumerate()
            .filter(|(_, alert)| alert.severity == severity)
            .map(|(at, _)| at)
            .collect();
        let wrong = of.iter().filter(|at| verdict.is_false(**at)).count();
        report.count(format!("{severity}: alerts"), of.len());
        report.put(format!("{severity}: precision"), ratio(of.len() - wrong, of.len()));
    }
}

/// The mean distance of confidence from the share that was right, over ten bins.
fn calibration(report: &mut Report, alerts: &[Alert], verdict: &Verdict) {
    let mut error = 0.0;
    for bin in 0..10u8 {
        let (low, high) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let of: Vec<usize> = alerts
            .iter()
            .enumerate()
            .filter(|(_, alert)| (low..high).contains(&alert.confidence.min(0.999)))
            .map(|(at, _)| at)
            .collect();
        let right = of.iter().filter(|at| verdict.right[**at]).count();
        let said: f64 = of.iter().map(|at| alerts[*at].confidence).sum();
        error += (said - number(right)).abs();
    }
    let count = number(alerts.len());
    report.put("calibration error", (count > 0.0).then(|| error / count));
}

/// Whether incidents say more than their parts do.
fn incidents(report: &mut Report, labels: &[Label], alerts: &[Alert]) {
    let chains: Vec<&Label> = labels.iter().filter(|label| label.kind == Kind::Incident).collect();
    if chains.is_empty() {
        return;
    }
    let mut above = 0;
    let mut stages = Vec::new();
    for chain in &chains {
        let of = |alert: &&Alert| chain.hosts.contains(&alert.host);
        let whole = alerts.iter().filter(of).filter(|alert| alert.detector == "incident");
        let Some(whole) = whole.max_by(|a, b| a.confidence.total_cmp(&b.confidence)) else {
            continue;
        };
        let parts = alerts.iter().filter(of).filter(|alert| alert.detector != "incident");
        above += usize::from(parts.clone().all(|part| part.confidence < whole.confidence));
        let seen: BTreeSet<&str> = parts.map(|part| part.stage.as_str()).collect();
        stages.push(whole.list("stages").unwrap_or_else(|| number(seen.len())));
    }
    report.put("incident: confidence above each part", ratio(above, chains.len()));
    report.put("incident: stages, median", median(&stages));
}
