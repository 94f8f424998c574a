//! Alerts as a sensor writes them, against labels: what counts as found, as false, as neither.

use std::io::Write as _;

use super::*;
use crate::label::Label;

const HOST: &str = "10.20.1.10";

fn label(family: &str, kind: Kind, detector: &str, expect: Expectation) -> Label {
    let mut label = Label::new(family, 0, kind, HOST.parse().unwrap()).by(&[detector]);
    label.expect = expect;
    label.first_us = 1_772_409_600_000_000;
    label.last_us = label.first_us + 7_200_000_000;
    label.beats = 9;
    label
}

/// A line of the `alert` table; the labels above begin at midnight of that day.
fn line(id: &str, detector: &str, last: &str, evidence: &str) -> String {
    serde_json::json!({
        "table": "alert", "alert_id": id, "detector": detector, "title": "a title",
        "severity": "P3", "confidence": 0.6, "stage": "command_and_control", "host": HOST,
        "first_ts": "2026-03-02T00:00:00Z", "last_ts": last, "evidence": evidence,
        "src_ip": HOST, "dst_ip": "45.1.2.3", "dst_port": 443, "proto": "tcp",
    })
    .to_string()
}

fn read(lines: &[String]) -> Vec<Alert> {
    let name = format!("serval-lab-{}-{}.jsonl", std::process::id(), lines.concat().len());
    let path = std::env::temp_dir().join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"{\"table\":\"flow\",\"uid\":\"x\"}\n").unwrap();
    file.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let alerts = alerts::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    alerts
}

fn figure(report: &Report, name: &str) -> Option<f64> {
    report.figures.iter().find(|(other, _)| other == name).and_then(|(_, figure)| *figure)
}

#[test]
fn what_is_said_twice_is_one_alert_that_was_raised_the_first_time() {
    let early = line("a", "beacon", "2026-03-02T00:20:00Z", "{\"X\":0.8}");
    let late = line("a", "beacon", "2026-03-02T02:00:00Z", "{\"X\":0.9}");
    let alerts = read(&[early, late]);
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].last_us - alerts[0].raised_us) / 60_000_000, 100);
    assert_eq!(alerts[0].figure("X"), Some(0.9));
}

#[test]
fn what_the_allow_list_silenced_was_not_said() {
    let silenced = line("a", "beacon", "2026-03-02T00:20:00Z", "{\"suppressed_by\":\"ours\"}");
    assert!(read(&[silenced]).is_empty());
}

#[test]
fn a_pair_is_found_by_name_by_address_or_not_at_all() {
    for (to, found) in
        [("c2.test", 1.0), ("45.1.2.3:443/tcp", 1.0), ("other.test", 0.0), ("45.1.2.3", 0.0)]
    {
        let labels = [label("b", Kind::Beacon, "beacon", Expectation::Must).to(to)];
        let evidence = "{\"names\":[\"a.c2.test\"]}";
        let alerts = read(&[line("a", "beacon", "2026-03-02T00:20:00Z", evidence)]);
        let report = judge(&labels, &alerts, 1.0);
        assert_eq!(figure(&report, "beacon: recall"), Some(found), "{to}");
        let minutes = figure(&report, "beacon: minutes to detect, median");
        assert_eq!(minutes, (found > 0.0).then_some(20.0), "{to}");
        assert_eq!(figure(&report, "beacon: false per host-day"), Some(1.0 - found), "{to}");
    }
}

#[test]
fn harmless_units_and_unlabelled_alerts_are_false_and_open_ones_neither() {
    for (expect, wrong) in
        [(Expectation::Must, 0.0), (Expectation::May, 0.0), (Expectation::MustNot, 1.0)]
    {
        let labels = [label("rare:ci", Kind::Beacon, "beacon", expect)];
        let alerts = read(&[line("a", "beacon", "2026-03-02T00:20:00Z", "{}")]);
        let report = judge(&labels, &alerts, 1.0);
        assert_eq!(figure(&report, "all: false per host-day"), Some(wrong), "{expect:?}");
        let without = figure(&report, "beacon: false per host-day without rare periodic");
        assert_eq!(without, Some(0.0), "{expect:?}");
    }
    let alerts = read(&[line("a", "dga", "2026-03-02T00:20:00Z", "{}")]);
    assert_eq!(figure(&judge(&[], &alerts, 2.0), "all: false per host-day"), Some(0.5));
}

#[test]
fn times_that_must_be_silent_are_counted_exactly() {
    let silent = label("early", Kind::Login, "rdp_off_hours", Expectation::MustNot);
    let mut other = silent.clone();
    other.hosts = vec!["10.20.1.11".parse().unwrap()];
    let alerts = read(&[line("a", "rdp_off_hours", "2026-03-02T00:00:00Z", "{}")]);
    let report = judge(&[silent, other], &alerts, 1.0);
    assert_eq!(figure(&report, "login: times that must be silent and are"), Some(0.5));
}

#[test]
fn an_incident_is_compared_with_its_parts() {
    let chain = label("chain", Kind::Incident, "incident", Expectation::Must);
    let evidence = "{\"stages\":[\"a\",\"b\",\"c\",\"d\"]}";
    let whole = line("i", "incident", "2026-03-02T01:00:00Z", evidence).replace("0.6", "0.97");
    let part = line("p", "smb_scan", "2026-03-02T00:50:00Z", "{}");
    let report = judge(&[chain], &read(&[whole, part]), 1.0);
    assert_eq!(figure(&report, "incident: recall"), Some(1.0));
    assert_eq!(figure(&report, "incident: confidence above each part"), Some(1.0));
    assert_eq!(figure(&report, "incident: stages, median"), Some(4.0));
    assert_eq!(figure(&report, "all: false per host-day"), Some(0.0));
}

#[test]
fn a_line_that_is_no_alert_is_named() {
    let path = std::env::temp_dir().join(format!("serval-lab-bad-{}.jsonl", std::process::id()));
    std::fs::write(&path, "\n{\"detector\": 7}\n").unwrap();
    let error = alerts::read(&path).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    std::fs::remove_file(path).unwrap();
}
