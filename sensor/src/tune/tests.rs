//! What is proposed and what candidates do, by made-up alerts.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use toml::Table;

use super::candidate::{Assignment, config, entry};
use super::past::{Past, pasts};
use super::setting::Setting;
use super::trial::Trial;
use super::*;
use crate::config::Config;

/// An alert: id, detector, first flow, packet time, severity, confidence, evidence, incident.
struct Made(
    &'static str,
    &'static str,
    (&'static str, &'static str),
    &'static str,
    u8,
    f64,
    Value,
    Option<&'static str>,
);

fn read_all(made: &[Made]) -> Vec<Past> {
    let lines =
        made.iter().map(|Made(id, detector, (src, dst), at, severity, sure, seen, part)| {
            let level = analyzers::Severity::from_number(*severity).unwrap().level();
            json!({
            "table": "alert", "alert_id": id, "detector": detector, "src_ip": src, "dst_ip": dst,
            "dst_port": 445, "proto": "tcp", "host": src, "first_ts": at, "last_ts": at,
            "title": format!("{src} did {id}"), "severity": level, "severity_number": severity,
            "confidence": sure, "count": 1, "evidence": seen.to_string(), "incident": part,
        })
        .to_string()
        });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alerts.jsonl");
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let mut rows = Vec::new();
    raised::read_lines(&path, &mut rows, &mut |place| panic!("{place}")).unwrap();
    pasts(rows)
}

/// A scan that the test of an hour found.
fn scan(hosts: u32) -> Value {
    json!({"tests_fired": ["hour"], "dsts": hosts, "failed": hosts, "dark_hits": 0,
        "heading": "internal", "threshold_net_failures": 4})
}

fn beacon(score: f64) -> Value {
    json!({"X": score, "B": score, "span": 7_200, "key": "c2.example"})
}

const NIGHT: [&str; 4] = [
    "2026-07-01T01:10:00Z",
    "2026-07-02T01:40:00Z",
    "2026-07-03T02:05:00Z",
    "2026-07-04T01:20:00Z",
];

/// Three talkative hosts, a beacon that matters and an incident.
fn office() -> Vec<Past> {
    let backup = ("10.0.0.20", "10.0.0.5");
    let noon = "2026-07-02T12:00:00Z";
    let mut made: Vec<Made> = NIGHT
        .iter()
        .zip(["n1", "n2", "n3", "n4"])
        .map(|(at, id)| Made(id, "smb_scan", backup, at, 5, 0.6, scan(24), None))
        .collect();
    made.extend([
        Made("b1", "beacon", ("10.0.0.7", "192.0.2.1"), noon, 5, 0.5, beacon(0.87), None),
        Made("b2", "beacon", ("10.0.0.8", "192.0.2.1"), noon, 5, 0.5, beacon(0.88), None),
        Made("b3", "beacon", ("10.0.0.9", "192.0.2.1"), noon, 8, 0.7, beacon(0.97), Some("inc")),
        Made("p1", "smb_scan", ("10.0.0.9", "10.0.0.4"), noon, 5, 0.8, scan(40), Some("inc")),
        Made("inc", "incident", ("10.0.0.9", "10.0.0.4"), noon, 8, 0.9, json!({}), None),
    ]);
    made.push(Made(
        "old",
        "smb_scan",
        backup,
        noon,
        5,
        0.6,
        json!({"suppressed_by": "x", "dsts": 9}),
        None,
    ));
    read_all(&made)
}

fn setting(sets: &[&str], allow: &[&str]) -> Setting {
    let sets: Vec<Assignment> = sets.iter().map(|set| Assignment::parse(set).unwrap()).collect();
    let texts: Vec<(PathBuf, String)> =
        allow.iter().zip(1..).map(|(typed, number)| entry(typed, number).unwrap()).collect();
    Setting::new(config(&Table::new(), &sets).unwrap(), &texts).unwrap()
}

fn ids(pasts: &[&Past]) -> Vec<String> {
    pasts.iter().map(|past| past.latest().alert_id.clone()).collect()
}

#[test]
fn a_candidate_silences_what_the_sensor_would_silence_and_says_why() {
    let pasts = office();
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    assert_eq!((view.told.len(), view.silent), (9, 1));
    let night = "allowed by \"--allow 1\"";
    for (sets, allow, silenced, unclear, reason) in [
        (&[][..], &["src = [\"10.0.0.20\"]"][..], &["n1", "n2", "n3", "n4"][..], 0, night),
        (&[], &["src = [\"10.0.0.20\"], hours = \"01:00-02:00\""], &["n1", "n2", "n4"], 0, night),
        (&[], &["detectors = [\"beacon\"], src = [\"10.0.0.20\"]"], &[], 0, ""),
        (&[], &["dst = [\"c2.example\"]"], &["b1", "b2", "b3"], 0, night),
        (&[], &["src = [\"10.0.0.8\"], mode = \"lower\""], &[], 0, ""),
        (
            &["watch.min_confidence=0.3"],
            &["src = [\"10.0.0.8\"], mode = \"lower\""],
            &["b2"],
            0,
            "lowered by \"--allow 1\", below watch.min_confidence",
        ),
        (&["watch.off=[\"beacon\"]"], &[], &["b1", "b2", "b3"], 0, "its detector is off"),
        (&["beacon.alert=0.9"], &[], &["b1", "b2"], 0, "below alert"),
        (&["beacon.alert=0.87"], &[], &[], 0, ""),
        (&["smb_scan.hosts_1h=25"], &[], &["n1", "n2", "n3", "n4"], 1, "below hosts_1h"),
        (&["smb_scan.sensitivity=low"], &[], &["n1", "n2", "n3", "n4"], 1, "below hosts_1h"),
        (&["smb_scan.hosts_1h=20"], &[], &[], 0, ""),
        (
            &["watch.min_confidence=0.85"],
            &[],
            &["n1", "n2", "n3", "n4", "b1", "b2", "b3", "p1"],
            0,
            "below watch.min_confidence",
        ),
    ] {
        let candidate = setting(sets, allow);
        let trial = Trial::of(&view, &now, &candidate, String::new());
        let mut told = ids(&trial.cost.silenced);
        let mut expected: Vec<String> = silenced.iter().map(|id| (*id).to_owned()).collect();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{sets:?} {allow:?}");
        assert_eq!(trial.unclear.len(), unclear, "{sets:?} {allow:?}");
        assert!(trial.silenced.iter().all(|(_, why)| why.words() == reason), "{sets:?} {allow:?}");
        assert_eq!(told.len() + unclear + trial.stay.len(), view.told.len());
    }
}

#[test]
fn what_matters_is_told_loudly() {
    let pasts = office();
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    let of = |allow: &str| {
        let candidate = setting(&[], &[allow]);
        let trial = Trial::of(&view, &now, &candidate, "it".to_owned());
        (text::trial(&trial, 10), json::trial(&trial).unwrap())
    };
    let (said, machine) = of("detectors = [\"beacon\"], dst = [\"192.0.2.1\"]");
    for words in [
        "it would silence 3 of 9 alerts; 6 stay",
        "severest P1 0.70 [beacon] 10.0.0.9 did b3; highest confidence 0.70",
        "!! WARNING: 1 of them are P0 or P1",
        "!! WARNING: takes 1 of 2 parts of an incident, it would not be told at all: 10.0.0.9 did",
        "! that is all that beacon said here",
    ] {
        assert!(said.contains(words), "{words} is not in:\n{said}");
    }
    let machine: Value = serde_json::from_str(&machine).unwrap();
    assert_eq!(machine["cost"]["major"], json!(["b3"]));
    assert_eq!(machine["cost"]["incidents"][0]["is_lost"], json!(true));
    assert_eq!(machine["silenced"].as_array().map(Vec::len), Some(3));
    let (said, _) = of("src = [\"10.0.0.20\"]");
    assert!(!said.contains("WARNING"), "{said}");
}

#[test]
fn the_smallest_entries_are_proposed_and_what_is_pasted_does_what_is_said() {
    let pasts = office();
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    let entries = entry::entries(&view.told, &TimeZone::UTC, 10);
    let said: Vec<(&str, usize)> =
        entries.iter().map(|entry| (entry.words.as_str(), entry.cost.silenced.len())).collect();
    assert_eq!(
        said,
        [("smb_scan from 10.0.0.20 to 10.0.0.5, 01:00-03:00", 4), ("beacon to c2.example", 3),]
    );
    for entry in &entries {
        let texts = [(PathBuf::from("pasted"), entry.text.clone())];
        let candidate = Setting::new(Config::default(), &texts).unwrap();
        let trial = Trial::of(&view, &now, &candidate, String::new());
        assert_eq!(ids(&trial.cost.silenced), ids(&entry.cost.silenced), "{}", entry.text);
        for line in ["reason = \"WHY IS THIS WELL?\"", "owner = ", "until = 2026-10-02"] {
            assert!(entry.text.contains(line), "{}", entry.text);
        }
    }
}

#[test]
fn thresholds_are_proposed_that_silence_most_without_what_matters() {
    let pasts = office();
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    let knobs = knob::knobs(&view.told, &now, &Table::new(), 10);
    let said: Vec<(&str, usize, bool)> = knobs
        .iter()
        .map(|knob| (knob.assignments[0].as_str(), knob.cost.silenced.len(), knob.cost.is_small()))
        .collect();
    assert_eq!(
        said,
        [
            ("watch.min_confidence=0.61", 6, true),
            ("smb_scan.hosts_1h=25", 4, true),
            ("beacon.min_span=7201", 3, false),
            ("beacon.alert=0.89", 2, true),
            ("beacon.candidate=0.89", 2, true),
        ]
    );
    assert!(knobs.iter().all(|knob| knob.text.parse::<Table>().is_ok()));
}

#[test]
fn an_alert_that_was_told_twice_is_silent_only_if_both_are() {
    let late = "2026-07-02T02:30:00Z";
    let pair = ("10.0.0.20", "10.0.0.5");
    let pasts = read_all(&[
        Made("a", "smb_scan", pair, NIGHT[0], 5, 0.6, scan(24), None),
        Made("a", "smb_scan", pair, late, 5, 0.6, scan(60), None),
    ]);
    assert_eq!(pasts.len(), 1);
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    for (hours, silent) in [("01:00-02:00", 0), ("01:00-03:00", 1)] {
        let entry = format!("src = [\"10.0.0.20\"], hours = \"{hours}\"");
        let trial = Trial::of(&view, &now, &setting(&[], &[&entry]), String::new());
        assert_eq!(trial.silenced.len(), silent, "{hours}");
    }
}

#[test]
fn what_is_sure_by_itself_is_not_allowed_away() {
    let pair = ("10.0.0.20", "10.0.0.5");
    let pasts = read_all(&[
        Made("e1", "smb_exploit", pair, NIGHT[0], 9, 0.9, json!({}), None),
        Made("e2", "smb_exploit", pair, NIGHT[1], 9, 0.9, json!({}), None),
    ]);
    let now = setting(&[], &[]);
    let view = View::of(&pasts, &now);
    let trial = Trial::of(&view, &now, &setting(&[], &["src = [\"10.0.0.20\"]"]), String::new());
    assert_eq!(trial.stay.len(), 2);
    assert!(entry::entries(&view.told, &TimeZone::UTC, 10).is_empty());
}
