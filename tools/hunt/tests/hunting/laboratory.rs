//! Canned hunts over captures of the laboratory: each finds what the labels say is there.

use std::collections::BTreeMap;
use std::process::Command;

use hunt::engine::Engine;
use hunt::hunts;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::archives::{engine, laboratory, replayed, rows_of};

/// A line of a scenario's labels: what of it a hunt is held to.
#[derive(Debug, Deserialize)]
struct Label {
    expect: Expectation,
    hosts: Vec<String>,
    #[serde(default)]
    destinations: Vec<String>,
}

/// What should become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expectation {
    Must,
    Should,
    May,
    MustNot,
}

/// What an answer must do with the labels of a scenario.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// Name each host that a finding must or should be about.
    Seen,
    /// That, with where it went.
    Found,
    /// That, and none of the hosts that nothing may be raised of.
    Told,
}

use Judged::{Found, Seen, Told};

/// A scenario, a hunt, its parameters, and how its answer is judged.
type Case = (&'static str, &'static str, &'static [&'static str], Judged);

const CASES: &[Case] = &[
    ("beacon-60s", "beacons_by_name", &[], Found),
    ("beacon-60s", "beacons_by_pair", &[], Found),
    ("beacon-60s", "external_services_new", &[], Found),
    ("beacon-60s", "rare_ja4", &[], Found),
    ("beacon-60s", "rare_sni", &[], Found),
    ("beacon-60s-j20", "beacons_by_pair", &[], Found),
    ("beacon-down", "beacons_by_pair", &[], Found),
    ("beacon-sliver", "beacons_by_name", &[], Found),
    ("beacon-dns", "names_never_contacted", &["queries=1"], Found),
    ("beacon-kept-alive", "long_connections", &[], Found),
    ("beacon-kept-alive", "user_agents_new", &[], Found),
    ("beacon-tcp", "long_connections", &[], Found),
    ("chain", "rdp_first_seen", &[], Seen),
    ("chain", "smb_fan_out", &[], Seen),
    ("dga", "names_not_there", &[], Found),
    ("exfil-fast", "top_talkers", &[], Seen),
    ("exfil-fast", "uploads", &[], Found),
    ("exfil-slow", "uploads", &["bytes=20000000"], Found),
    ("guessing-rdp-outside", "exposed_services", &[], Found),
    ("guessing-rdp-34h", "failed_logons", &[], Found),
    ("guessing-smb", "failed_logons", &[], Found),
    ("lateral-atexec", "admin_share_writes", &[], Found),
    ("lateral-copy", "admin_share_writes", &[], Found),
    ("lateral-fanout", "rdp_first_seen", &[], Found),
    ("lateral-psexec", "admin_share_writes", &[], Found),
    ("lateral-smbexec", "admin_share_writes", &[], Found),
    ("scan-445", "smb_fan_out", &[], Found),
    ("scan-3389", "smb_fan_out", &["port=3389"], Found),
    ("scan-vertical", "port_sweeps", &[], Found),
    ("tunnel-null", "dns_tunnels", &[], Found),
    ("tunnel-slow", "dns_tunnels", &[], Found),
    ("tunnel-txt", "dns_tunnels", &[], Found),
    ("rdp-calendar-berlin", "rdp_off_hours", &["timezone=Europe/Berlin"], Told),
    ("rdp-calendar-new-york", "rdp_off_hours", &["timezone=America/New_York"], Told),
];

/// A scenario that was replayed.
struct Replayed {
    labels: Vec<Label>,
    engine: Engine,
    _archive: TempDir,
}

impl Replayed {
    async fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lab.pcap");
        let mut write = Command::new(laboratory());
        let written =
            write.args(["write", scenario, "-o"]).arg(&file).output().expect("serval-lab");
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        let labels = std::fs::read_to_string(folder.path().join("lab.labels.jsonl"));
        let labels = labels.expect("labels");
        let labels = labels.lines().map(|line| serde_json::from_str(line).expect("a label"));
        let archive = replayed(&file);
        let engine = engine(archive.path().to_str().expect("UTF-8")).await;
        Self { labels: labels.collect(), engine, _archive: archive }
    }

    async fn answer(&self, name: &str, params: &[&str]) -> Vec<Value> {
        let hunts = hunts::all(None).expect("hunts");
        let hunt = hunts::find(&hunts, name).expect(name);
        let params: Vec<String> = params.iter().map(|&text| text.to_owned()).collect();
        let statement = hunt.statement(&self.engine, &params).expect(name);
        rows_of(&self.engine, self.engine.run(&hunt.text, statement).await.expect(name)).await
    }
}

#[tokio::test]
async fn hunts_find_what_the_labels_say() {
    let mut replays: BTreeMap<&str, Replayed> = BTreeMap::new();
    for (scenario, hunt, params, judged) in CASES {
        if !replays.contains_key(scenario) {
            replays.insert(scenario, Replayed::new(scenario).await);
        }
        let replay = &replays[scenario];
        let answer = replay.answer(hunt, params).await;
        for label in &replay.labels {
            let is_named = answer.iter().any(|row| match judged {
                Seen => has_host(row, label),
                Found | Told => has_host(row, label) && has_destination(row, label),
            });
            let expected = match label.expect {
                Expectation::Must | Expectation::Should => true,
                Expectation::MustNot if *judged == Told => false,
                Expectation::May | Expectation::MustNot => continue,
            };
            assert_eq!(is_named, expected, "{hunt} over {scenario}: {label:?} in {answer:#?}");
        }
    }
}

/// Whether a row names one of a label's hosts.
fn has_host(row: &Value, label: &Label) -> bool {
    texts(row).any(|text| label.hosts.iter().any(|host| host == text))
}

/// Whether a row names a label's destination, where it has one: `name`, or `address:port/protocol`.
fn has_destination(row: &Value, label: &Label) -> bool {
    let is_one = |text: &str| {
        label.destinations.iter().any(|to| to == text || to.starts_with(&format!("{text}:")))
    };
    label.destinations.is_empty() || texts(row).any(is_one)
}

fn texts(row: &Value) -> impl Iterator<Item = &str> {
    row.as_object().into_iter().flat_map(|row| row.values()).filter_map(Value::as_str)
}
