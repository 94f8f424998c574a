//! What is exported, what stays at home, and that `signatures` reads back what went out.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use signatures::allow::DefaultPack;
use signatures::feeds::Feed;
use signatures::{AllowList, Indicator, IndicatorSet, Lists, Part};

use super::{Border, Confirmed, confirmed, csv, stix};
use crate::alerts::raised::{self, AlertRow};
use crate::cli::Tlp;

fn alert(id: &str, kind: &str, value: &str, confidence: f64) -> Value {
    json!({
        "table": "alert", "alert_id": id, "detector": "intel", "indicator": value,
        "indicator_type": kind, "family": "Badger", "intel_source": "c2", "confidence": confidence,
        "severity_number": 8, "stage": "command_and_control", "technique": ["T1071.001"],
        "host": "10.1.2.3", "first_ts": "2026-07-01T10:00:00.123456Z",
        "last_ts": "2026-07-01T12:00:00Z", "count": 3, "evidence": "{\"uids\":[]}",
    })
}

/// One of every kind that can be matched on.
fn all_kinds() -> Vec<Value> {
    let (md5, sha1, sha256) = ("d4".repeat(16), "a1".repeat(20), "b2".repeat(32));
    [
        ("domain", "c2.badger.example"),
        ("domain", ".tunnel.badger.example"),
        ("domain", "xn--bcher-kva.example"),
        ("address", "198.51.100.7"),
        ("address", "2a00:1234::7"),
        ("network", "198.51.100.128/28"),
        ("address_port", "198.51.100.8:8443"),
        ("address_port", "[2a00:1234::8]:443"),
        ("url", "c2.badger.example/gate.php?id=1,2"),
        ("url", "c2.badger.example/drop/*"),
        ("ja3", &md5),
        ("ja4", "t13d190900_9dc949149365_97f8aa674fd9"),
        ("cert_sha1", &sha1),
        ("cert_sha256", &sha256),
        ("md5", &md5),
        ("sha1", &sha1),
        ("sha256", &sha256),
        ("file_name", "it's \"bad\", really.exe"),
        ("user_agent", "Badger/1.0 (it's; \\ a \"test\")"),
    ]
    .iter()
    .enumerate()
    .map(|(at, (kind, value))| alert(&format!("a{at:02}"), kind, value, 0.97))
    .collect()
}

fn read(lines: &[Value]) -> (Vec<AlertRow>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alerts.jsonl");
    let text: Vec<String> = lines
        .iter()
        .map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned))
        .collect();
    fs::write(&path, text.join("\n")).unwrap();
    let (mut rows, mut told) = (Vec::new(), Vec::new());
    raised::read_lines(&path, &mut rows, &mut |place| told.push(place)).unwrap();
    (rows, told)
}

fn border() -> Border {
    let directory = tempfile::tempdir().unwrap();
    let allow = directory.path().join("allow.toml");
    fs::write(&allow, "[[allow]]\nid = \"ours\"\nnames = [\".ours.example\"]\n").unwrap();
    let files: [PathBuf; 1] = [allow];
    let allow = AllowList::load(DefaultPack::Used, &files, &TimeZone::UTC).unwrap();
    let home = ["10.0.0.0/8", "203.0.113.0/24"].map(|network| network.parse().unwrap());
    let lists = Lists::load(&[]).unwrap();
    Border { home: analyzers::scene::home::HomeNetworks::new(home.to_vec()), allow, lists }
}

fn export(lines: &[Value]) -> Vec<Confirmed> {
    confirmed(&read(lines).0, 0.95, &border()).0
}

fn imported(text: &str, name: &str) -> Vec<Indicator> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let (part, tally) = Part::load(&Feed::at(&path));
    assert_eq!(tally.refused, 0, "{:?}", tally.refusals);
    IndicatorSet::new(vec![std::sync::Arc::new(part)]).indicators().collect()
}

#[test]
fn what_goes_out_is_read_back_as_it_was() {
    let exported = export(&all_kinds());
    assert_eq!(exported.len(), 19);
    let keys = |list: &[Indicator]| list.iter().map(|one| one.key.clone()).collect::<BTreeSet<_>>();
    let all: BTreeSet<_> = exported.iter().map(|one| one.key.clone()).collect();
    let csv = imported(&csv::table(&exported, "edge-1"), "home.csv");
    assert_eq!(keys(&csv), all);
    let text = stix::bundle(&exported, "edge-1", Tlp::Amber);
    let stix = imported(&text, "home.json");
    let written = all.into_iter().filter(|key| stix::pattern(key).is_some());
    let mut written: BTreeSet<_> = written.collect();
    assert_eq!(written.len(), 16);
    // A name with its sub-domains is two tests in STIX.
    written.insert(signatures::Key::guess("tunnel.badger.example").unwrap());
    assert_eq!(keys(&stix), written);
    for indicator in csv.iter().chain(&stix) {
        let context = &indicator.context;
        assert_eq!(context.family.as_deref(), Some("Badger"), "{}", indicator.key);
        assert_eq!(context.confidence.map(|share| share.percent()), Some(97));
        assert_eq!(context.stage.map(|stage| stage.name()), Some("command_and_control"));
        assert_eq!(context.technique.map(|id| id.to_string()).as_deref(), Some("T1071.001"));
        assert_eq!(indicator.validity.from, Some(1_782_900_000));
    }
    let until = |text: &str| {
        let key = signatures::Key::guess(text).unwrap();
        csv.iter()
            .find(|one| one.key == key)
            .unwrap()
            .validity
            .until
            .map(|s| (s - 1_782_907_200) / 86_400)
    };
    assert_eq!(until("198.51.100.7"), Some(14));
    assert_eq!(until("c2.badger.example"), Some(90));
    assert_eq!(until(&"b2".repeat(32)), None);
}

#[test]
fn a_bundle_names_the_same_things_by_the_same_ids() {
    let exported = export(&all_kinds()[..2]);
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let one = parse(&stix::bundle(&exported, "edge-1", Tlp::Green));
    assert_eq!(one, parse(&stix::bundle(&exported, "edge-1", Tlp::Green)));
    let kinds: Vec<_> =
        one["objects"].as_array().unwrap().iter().map(|o| o["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "identity",
            "indicator",
            "malware",
            "relationship",
            "sighting",
            "note",
            "indicator",
            "relationship",
            "sighting",
            "note",
        ]
    );
    let ids = |bundle: &Value| {
        let objects = bundle["objects"].as_array().unwrap();
        objects.iter().map(|object| object["id"].clone()).collect::<Vec<_>>()
    };
    let mut later = all_kinds()[..2].to_vec();
    later[0]["count"] = json!(9);
    later[0]["last_ts"] = json!("2026-07-02T00:00:00Z");
    let later = parse(&stix::bundle(&export(&later), "edge-1", Tlp::Green));
    assert_eq!(ids(&one), ids(&later));
    let sighting = &later["objects"][4];
    assert_eq!(
        (&sighting["count"], &sighting["last_seen"]),
        (&json!(9), &json!("2026-07-02T00:00:00Z"))
    );
    assert_eq!(sighting["where_sighted_refs"], json!([later["objects"][0]["id"]]));
    let id = one["objects"][1]["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[25..26]), ("indicator--".len() + 36, "5"));
}

#[test]
fn what_is_unsure_ours_or_allowed_stays_at_home() {
    let mut lines = vec![
        alert("unsure", "domain", "unsure.example", 0.8),
        alert("home", "address", "203.0.113.9", 0.99),
        alert("home-url", "url", "203.0.113.9/x", 0.99),
        alert("private", "address_port", "192.168.1.1:80", 0.99),
        alert("resolver", "address", "8.8.8.8", 0.99),
        alert("sinkhole", "address_port", "199.2.137.9:80", 0.99),
        alert("ours", "url", "www.ours.example/x", 0.99),
        alert("updates", "domain", "download.windowsupdate.com", 0.99),
        alert("sure", "domain", "sure.example", 0.95),
    ];
    let (rows, told) = read(&lines);
    assert_eq!(told, [""; 0]);
    let values =
        |list: &[Confirmed]| list.iter().map(|one| one.key.to_string()).collect::<Vec<_>>();
    let (exported, withheld) = confirmed(&rows, 0.95, &border());
    assert_eq!(values(&exported), ["sure.example"]);
    assert_eq!(withheld.values().sum::<usize>(), 7);
    // An incident that is sure confirms what belongs to it.
    lines[0]["incident"] = json!("i1");
    lines.push(json!({
        "alert_id": "i1", "detector": "incident", "confidence": 0.97,
        "first_ts": "2026-07-01T10:00:00Z", "last_ts": "2026-07-01T12:00:00Z",
    }));
    assert_eq!(values(&export(&lines)), ["sure.example", "unsure.example"]);
}

#[test]
fn an_alert_told_twice_counts_once_and_two_hosts_are_two_sightings() {
    let mut again = alert("a", "domain", "c2.example", 0.97);
    again["count"] = json!(7);
    again["last_ts"] = json!("2026-07-03T00:00:00Z");
    let mut other = alert("b", "domain", "c2.example", 0.99);
    other["host"] = json!("10.9.9.9");
    let exported = export(&[alert("a", "domain", "c2.example", 0.97), again, other]);
    assert_eq!(exported.len(), 1);
    assert_eq!((exported[0].count, exported[0].hosts.len(), exported[0].percent()), (10, 2, 99));
}

#[test]
fn lines_that_are_no_alerts_are_told_with_their_number() {
    let (rows, told) = read(&[
        alert("a", "domain", "c2.example", 0.97),
        json!({"table": "dns", "query": "x"}),
        Value::String("{\"alert_id\": ".to_owned()),
        json!({"message": "from elsewhere"}),
    ]);
    assert_eq!(rows.len(), 1);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("alerts.jsonl:3: ") && told[1].contains("alerts.jsonl:4: no alert"));
}
