//! The laboratory's captures are what they say: the sensor recognises every protocol in them and
//! finds nothing odd.

use std::collections::BTreeMap;

use sensor::config::Config;
use tempfile::TempDir;

use crate::replays;

/// What a scenario's flows are: service, port of the responder, state; and how many.
fn flows(name: &str) -> BTreeMap<String, usize> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("lab.pcap");
    let capture = lab::scenario(name, 1).expect("a scenario");
    std::fs::write(&path, capture.pcap()).expect("a file");
    let replay = replays::files(&[path], &Config::default(), 1);
    let weirds = replay.table("weird");
    assert!(weirds.is_empty(), "{name}: {weirds:?}");
    let mut flows = BTreeMap::new();
    for row in replay.table("flow") {
        let service = row.get("service").and_then(|service| service.as_str()).unwrap_or("-");
        let state = row["state"].as_str().expect("a state");
        *flows.entry(format!("{service} {} {state}", row["dst_port"])).or_default() += 1;
    }
    flows
}

#[test]
fn the_chain_is_names_tls_probes_and_desktops() {
    let flows = flows("chain");
    assert_eq!(flows.get("rdp 3389 SF"), Some(&3), "{flows:?}");
    assert!(flows["tls 443 SF"] > 150 && flows["dns 53 SF"] > 1, "{flows:?}");
    assert_eq!(flows["- 445 S0"] + flows["- 445 REJ"], 37, "{flows:?}");
}

#[test]
fn each_kind_of_campaign_is_what_it_says() {
    for (name, expected) in [
        ("beacon-60s", &["dns 53 SF", "tls 443 SF"][..]),
        ("beacon-kept-alive", &["dns 53 SF", "http 80 S1"]),
        ("beacon-down", &["- 7084 S0"]),
        ("scan-445-slow", &["- 445 REJ", "- 445 S0", "smb 445 SF"]),
        ("guessing-ssh", &["ssh 22 SF"]),
        ("guessing-smb", &["smb 445 SF"]),
        ("rdp-calendar", &["rdp 3389 SF"]),
        ("lateral-psexec", &["smb 445 SF"]),
        ("tunnel-txt", &["dns 53 SF"]),
    ] {
        let flows: Vec<String> = flows(name).into_keys().collect();
        assert_eq!(flows, expected, "{name}");
    }
}
