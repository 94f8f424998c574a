//! Delivery from end to end: alerts in, what each kind of receiver got.

mod bodies;
mod killed;
mod receivers;
mod rsyslog;
mod samples;
mod webhook;

use std::fs;
use std::time::Duration;

use super::*;
use receivers::Receiver;
use samples::{header, sample};

const PATIENCE: Duration = Duration::from_secs(20);

fn config(sinks: &str) -> AlertsConfig {
    toml::from_str(&format!("sinks = [{sinks}]")).unwrap_or_else(|error| panic!("{error}"))
}

/// Delivers so many samples.
fn deliver(config: &AlertsConfig, state: Option<&Path>, count: u64) -> DeliverySummary {
    let mut delivery = Delivery::open(config, state).unwrap();
    for at in 0..count {
        delivery.send(&header(at), &sample(at));
    }
    delivery.close(PATIENCE)
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn sequences<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<u64> {
    lines.map(|line| json(line)["seq"].as_u64().unwrap()).collect()
}

#[test]
fn a_file_gets_every_alert_in_order_as_the_table_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/alerts.jsonl");
    let config = config(&format!("{{ type = \"jsonl\", path = {path:?} }}"));
    let summary = deliver(&config, None, 1_000);
    assert!(summary.is_complete(), "{summary}");
    assert_eq!(summary.sinks[0].progress.delivered, 1_000);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(sequences(text.lines()), (1..=1_000).collect::<Vec<u64>>());
    let first = json(text.lines().next().unwrap());
    assert_eq!(first["table"], "alert");
    assert_eq!(first["title"], "10.0.0.1 looked up plain");
    assert_eq!(first["ts"], "2026-01-02T03:04:05.000000Z");
}

#[test]
fn a_file_is_rotated_and_only_so_many_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let config =
        config(&format!("{{ type = \"jsonl\", path = {path:?}, rotate = \"64KiB\", keep = 2 }}"));
    let mut delivery = Delivery::open(&config, None).unwrap();
    for at in 0..400 {
        delivery.send(&header(at), &sample(at));
        if at % 20 == 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(delivery.close(PATIENCE).is_complete());
    let names = ["alerts.jsonl.2", "alerts.jsonl.1", "alerts.jsonl"];
    let mut kept = String::new();
    for name in names {
        kept += &fs::read_to_string(folder.path().join(name)).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), names.len());
    let kept = sequences(kept.lines());
    let first = kept[0];
    assert_eq!(kept, (first..=400).collect::<Vec<u64>>(), "without a gap up to the last");
}

#[test]
fn a_file_that_was_moved_away_is_made_anew_and_half_a_line_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    fs::write(&path, "{\"seq\":1}\n{\"seq\":2,\"ta").unwrap();
    let config = config(&format!("{{ type = \"jsonl\", path = {path:?} }}"));
    let mut delivery = Delivery::open(&config, None).unwrap();
    delivery.send(&header(0), &sample(0));
    wait_until(|| delivery.progress()[0].1.delivered == 1);
    fs::rename(&path, folder.path().join("moved")).unwrap();
    delivery.send(&header(1), &sample(1));
    assert!(delivery.close(PATIENCE).is_complete());
    let lines = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(sequences(lines("moved").lines()), [1, 1]);
    assert_eq!(sequences(lines("alerts.jsonl").lines()), [2]);
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came to be so");
}

#[test]
fn less_severe_alerts_do_not_go_where_they_are_not_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let config = config(&format!("{{ type = \"jsonl\", path = {path:?}, min_severity = \"P1\" }}"));
    let summary = deliver(&config, None, 40);
    assert!(summary.is_complete(), "{summary}");
    let text = fs::read_to_string(&path).unwrap();
    let levels: Vec<_> = text.lines().map(|line| json(line)["severity"].clone()).collect();
    assert_eq!(levels.len(), 20);
    assert!(levels.iter().all(|level| level == "P0" || level == "P1"), "{levels:?}");
}

#[test]
fn a_stream_gets_every_alert_once_where_nothing_fails() {
    for framing in ["octet", "newline"] {
        let receiver = Receiver::start(receivers::Habit::Reads);
        let config = config(&format!(
            "{{ type = \"syslog\", address = \"tcp://{}\", framing = \"{framing}\" }}",
            receiver.address()
        ));
        let summary = deliver(&config, None, 3_000);
        assert!(summary.is_complete(), "{summary}");
        assert_eq!(receiver.sequences(framing), (1..=3_000).collect::<Vec<u64>>());
    }
}

#[test]
fn a_receiver_that_dies_with_unread_bytes_misses_nothing_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(receivers::Habit::DiesUnread { after: 50_000 });
    let config =
        config(&format!("{{ type = \"syslog\", address = \"tcp://{}\" }}", receiver.address()));
    let mut delivery = Delivery::open(&config, Some(folder.path())).unwrap();
    for at in 0..2_000 {
        delivery.send(&header(at), &sample(at));
    }
    let summary = delivery.close(PATIENCE);
    assert!(summary.is_complete(), "{summary}");
    let mut got = receiver.sequences("octet");
    assert!(got.len() > 2_000 && summary.sinks[0].progress.resent > 0, "some came twice");
    got.sort_unstable();
    got.dedup();
    assert_eq!(got, (1..=2_000).collect::<Vec<u64>>());
}

#[test]
fn what_a_dead_receiver_is_owed_is_told_and_delivered_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(receivers::Habit::Reads);
    let text = format!("{{ type = \"syslog\", address = \"tcp://{}\" }}", receiver.address());
    let config = config(&text);
    receiver.stop();
    let mut delivery = Delivery::open(&config, Some(folder.path())).unwrap();
    for at in 0..10 {
        assert_eq!(delivery.send(&header(at), &sample(at)).sequence, at + 1);
    }
    let summary = delivery.close(Duration::from_millis(300));
    assert!(!summary.is_complete());
    assert_eq!(summary.sinks[0].owed, 10);
    let told = summary.to_string();
    assert!(told.contains("10 still owed (the next run delivers them): cannot reach"), "{told}");

    receiver.restart();
    let summary = deliver(&config, Some(folder.path()), 5);
    assert!(summary.is_complete(), "{summary}");
    assert_eq!(receiver.sequences("octet"), (1..=15).collect::<Vec<u64>>());
}

#[test]
fn a_receiver_that_never_reads_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let receiver = Receiver::start(receivers::Habit::NeverReads);
    let config = config(&format!(
        "{{ type = \"syslog\", address = \"tcp://{}\" }}, {{ type = \"jsonl\", path = {path:?} }}",
        receiver.address()
    ));
    let mut delivery = Delivery::open(&config, Some(folder.path())).unwrap();
    for at in 0..10_000 {
        delivery.send(&header(at), &sample(at));
        if at % 100 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    wait_until(|| delivery.progress()[1].1.delivered == 10_000);
    let summary = delivery.close(Duration::ZERO);
    assert_eq!((summary.sinks[0].owed, summary.sinks[1].owed), (10_000, 0), "{summary}");
}

#[test]
fn two_sinks_of_one_name_are_refused() {
    let text = "{ type = \"stdout\" }, { type = \"stdout\" }";
    let error = Delivery::open(&config(text), None).unwrap_err().to_string();
    assert!(error.contains("give one another `name`"), "{error}");
}

#[test]
fn mistakes_of_the_configuration_are_named() {
    for (sink, expected) in [
        ("{ type = \"jsonl\" }", "missing field `path`"),
        ("{ type = \"jsonl\", path = \"x\", pat = 1 }", "unknown field `pat`"),
        ("{ type = \"stdout\", path = \"x\" }", "unknown field `path`"),
        ("{ type = \"pigeon\" }", "unknown variant `pigeon`"),
        ("{ type = \"syslog\", address = \"siem:514\" }", "write it as"),
        ("{ type = \"syslog\", address = \"tcp://\" }", "write it as"),
        ("{ type = \"syslog\", address = \"tcp://a:x\" }", "write it as"),
        ("{ type = \"syslog\", address = \"tcp://a b\" }", "write it as"),
        ("{ type = \"stdout\", min_severity = \"high\" }", "`P3`"),
    ] {
        let text = format!("[alerts]\nsinks = [{{ type = \"stdout\" }}, {sink}]");
        let error = toml::from_str::<crate::config::Config>(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("line 2") && error.contains("sink 2: "), "{error}");
    }
    for (sink, expected) in [
        ("tls://a\", ca = \"/nowhere", "`ca`: /nowhere"),
        ("tls://a\", cert = \"/nowhere", "given together"),
        ("tls://a\", server_name = \"a b", "no name of a server"),
    ] {
        let text = format!("{{ type = \"syslog\", address = \"{sink}\" }}");
        let error = Delivery::open(&config(&text), None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn addresses_are_read_and_written() {
    for (text, expected) in [
        ("udp://10.0.0.1", "udp://10.0.0.1:514"),
        ("tcp://siem.example/", "tcp://siem.example:601"),
        ("tls://siem", "tls://siem:6514"),
        ("tls://[2001:db8::1]:1234", "tls://[2001:db8::1]:1234"),
        ("tcp://[::1]", "tcp://[::1]:601"),
    ] {
        assert_eq!(text.parse::<config::Address>().unwrap().to_string(), expected);
    }
}
