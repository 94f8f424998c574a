//! Findings in, alerts and incidents out.

use std::net::IpAddr;
use std::time::Duration;

use analyzers::weird::WeirdRecord;
use analyzers::{
    Endpoint, Finding, FlowId, FlowsBehind, Scene, Severity, Stage, Text, Timestamp, Transport, Uid,
};
use serde_json::json;

use super::alerting::{Alerting, Outcome};
use super::incident::Incidents;
use super::judge::Telling;
use super::knowledge::Knowledge;
use super::{Sinks, Watch};
use crate::baseline::Baselines;
use crate::config::{Config, WatchConfig};
use crate::event::{Event, EventKind};
use crate::pipeline;
use crate::rows::OnFailure;
use crate::rows::stream::RowStream;

const HOST: &str = "10.0.0.5";

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs_nanos(1_800_000_000 + second, 0)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A flow of [`HOST`] in that second.
fn flow(second: i64) -> FlowId {
    let end = |address: &str, port| Endpoint { ip: ip(address), port };
    FlowId {
        uid: Uid(u128::try_from(second).unwrap() + 1),
        src: end(HOST, 50_000),
        dst: end("198.51.100.7", 443),
        transport: Transport::TCP,
    }
}

/// A finding about [`HOST`], said at once.
fn finding(detector: &'static str, stage: Stage, confidence: f64, second: i64) -> Finding {
    let mut flows = FlowsBehind::default();
    flows.add(&flow(second));
    Finding {
        detector,
        host: ip(HOST),
        key: Text::Word(""),
        title: Text::from(format!("{HOST} did what {detector} tells")),
        description: Text::Word(""),
        severity: Severity::LOW,
        confidence,
        techniques: [].as_slice().into(),
        stage,
        first: at(second),
        last: at(second),
        count: 1,
        peers: Vec::new(),
        flows,
        indicator: None,
        evidence: [("figure", json!(1))].into(),
        hunt: String::new(),
    }
}

mod incidents {
    use super::*;

    /// The incident that these findings about one host make, as it is in the end.
    fn incident(findings: &[Finding]) -> Option<Finding> {
        let mut incidents = Incidents::default();
        let made = findings.iter().map(|finding| incidents.take(finding));
        made.last().flatten().map(|incident| incident.finding)
    }

    #[test]
    fn it_takes_two_stages_or_two_witnesses_of_one() {
        let control = Stage::CommandAndControl;
        let said = |detector, stage, confidence| finding(detector, stage, confidence, 0);
        let severe = |finding: Finding| Finding { severity: Severity::MEDIUM, ..finding };
        for (findings, expected) in [
            (vec![said("beacon", control, 0.7)], false),
            // Both judge the pace of the same connections.
            (
                vec![said("beacon", control, 0.8), severe(said("long_connection", control, 0.8))],
                false,
            ),
            (
                vec![
                    said("net_scan", Stage::Discovery, 0.8),
                    said("smb_scan", Stage::Discovery, 0.8),
                ],
                false,
            ),
            (vec![said("beacon", control, 0.7), severe(said("intel", control, 0.7))], true),
            (vec![said("beacon", control, 0.7), said("smb_scan", Stage::Discovery, 0.6)], true),
            // What is unlikely is no evidence, and a chain of little is not told.
            (vec![said("beacon", control, 0.7), said("smb_scan", Stage::Discovery, 0.2)], false),
            (vec![said("beacon", control, 0.3), said("smb_scan", Stage::Discovery, 0.3)], false),
        ] {
            let named: Vec<_> = findings.iter().map(|f| (f.detector, f.confidence)).collect();
            assert_eq!(incident(&findings).is_some(), expected, "{named:?}");
        }
    }

    #[test]
    fn it_is_surer_than_each_part_and_tells_them_in_order() {
        let parts = [
            finding("beacon", Stage::CommandAndControl, 0.7, 0),
            finding("smb_scan", Stage::Discovery, 0.6, 100),
            finding("rdp_off_hours", Stage::LateralMovement, 0.5, 200),
        ];
        let incident = incident(&parts).unwrap();
        // 1 - 0.3 * 0.4 * 0.5, and twice the bonus for two steps in order.
        assert!((incident.confidence - 0.98).abs() < 1e-9, "{}", incident.confidence);
        assert_eq!(incident.severity, Severity::HIGH, "orders from outside and moves inside");
        assert_eq!((incident.first, incident.last, incident.count), (at(0), at(200), 3));
        let stages = json!(["command_and_control", "discovery", "lateral_movement"]);
        assert_eq!(incident.evidence["stages"], stages);
        let title = incident.title.escaped().into_owned();
        let places = ["beacon", "smb_scan", "rdp_off_hours"].map(|word| title.find(word).unwrap());
        assert!(places.is_sorted(), "{title}");
    }

    #[test]
    fn its_title_tells_the_surest_of_each_step_and_counts_the_rest() {
        let named = |name: &'static str, confidence, second| Finding {
            key: Text::Word(name),
            title: Text::from(format!("{HOST} calls {name}")),
            ..finding("beacon", Stage::CommandAndControl, confidence, second)
        };
        let scan = finding("smb_scan", Stage::Discovery, 0.6, 50);
        let calls = [named("a", 0.5, 0), named("b", 0.8, 10), named("c", 0.6, 20), scan];
        let title = incident(&calls).unwrap().title.escaped().into_owned();
        assert_eq!(title, "10.0.0.5 calls b, then did what smb_scan tells, and 2 more");
    }

    #[test]
    fn a_victim_that_carries_on_knows_who_attacked_it() {
        let mut incidents = Incidents::default();
        let exec = Finding {
            severity: Severity::HIGH,
            peers: vec![ip("10.0.0.9")],
            ..finding("admin_share_exec", Stage::LateralMovement, 0.9, 0)
        };
        assert!(incidents.take(&exec).is_none(), "one detector is no chain");
        let of_victim = |finding: Finding| Finding { host: ip("10.0.0.9"), ..finding };
        let next = Finding {
            severity: Severity::MEDIUM,
            ..of_victim(finding("smb_scan", Stage::Discovery, 0.6, 60))
        };
        let incident = incidents.take(&next).unwrap().finding;
        assert_eq!(incident.evidence["parent"]["host"], HOST);
        assert!(incident.confidence > 0.6, "surer than its only part");
        // A second victim makes the attacker's own chain.
        let more = Finding { peers: vec![ip("10.0.0.10")], key: Text::Word("10.0.0.10"), ..exec };
        let incident = incidents.take(&more).unwrap().finding;
        assert_eq!(incident.peers, [ip("10.0.0.9"), ip("10.0.0.10")]);
        assert!(incident.confidence > 0.9);
    }

    #[test]
    fn what_is_a_week_apart_is_no_chain() {
        let week = 7 * 86_400;
        let scan = |second| finding("smb_scan", Stage::Discovery, 0.6, second);
        let beacon = finding("beacon", Stage::CommandAndControl, 0.7, 0);
        assert!(incident(&[beacon.clone(), scan(week)]).is_some());
        assert!(incident(&[beacon, scan(week + 1)]).is_none());
    }
}

mod alerts {
    use super::*;

    /// Says findings, each at its last time, and goes on to a time; notices and rows.
    fn run(findings: &[(Finding, Telling)], until: i64, scene: &Scene) -> (Alerting, Outcome) {
        let mut alerting = Alerting::new(&WatchConfig::default(), "tap");
        let mut outcome = Outcome::default();
        for (finding, telling) in findings {
            alerting.advance(finding.last, &mut outcome);
            alerting.take(finding.clone(), *telling, None, finding.last, scene, &mut outcome);
        }
        alerting.advance(at(until), &mut outcome);
        (alerting, outcome)
    }

    fn scan(confidence: f64, count: u64, second: i64) -> (Finding, Telling) {
        let said = finding("smb_scan", Stage::Discovery, confidence, second);
        (Finding { first: at(0), count, ..said }, Telling::Aloud)
    }

    #[test]
    fn an_alert_waits_a_moment_and_is_told_again_when_it_grew() {
        let said = |findings: &[(Finding, Telling)]| -> Vec<(i64, f64)> {
            let (_, outcome) = run(findings, 3_600, &Scene::default());
            let told = outcome.notices.iter().map(|n| (n.record.count, n.record.confidence));
            told.collect()
        };
        // What follows within the moment is the same message.
        assert_eq!(said(&[scan(0.5, 1, 0), scan(0.5, 2, 1), scan(0.5, 3, 2)]), [(3, 0.5)]);
        // Twice as many, or a tenth surer, is worth another; less is not.
        assert_eq!(said(&[scan(0.5, 4, 0), scan(0.5, 7, 60)]), [(4, 0.5)]);
        assert_eq!(said(&[scan(0.5, 4, 0), scan(0.5, 8, 60)]), [(4, 0.5), (8, 0.5)]);
        assert_eq!(said(&[scan(0.5, 4, 0), scan(0.61, 5, 60)]), [(4, 0.5), (5, 0.61)]);
        assert_eq!(said(&[scan(0.5, 4, 0), scan(0.55, 5, 60)]), [(4, 0.5)]);
    }

    #[test]
    fn what_is_major_does_not_wait() {
        let (mut urgent, telling) = scan(0.8, 1, 0);
        urgent.severity = Severity::HIGH;
        let (_, outcome) = run(&[(urgent, telling)], 0, &Scene::default());
        assert_eq!(outcome.notices.len(), 1);
    }

    #[test]
    fn one_window_is_one_alert_with_one_id_and_the_next_is_another() {
        let day = 86_400;
        let later = |second| Finding { first: at(second), ..scan(0.5, 1, second).0 };
        let findings = [scan(0.5, 1, 0), scan(0.5, 4, 100), (later(2 * day), Telling::Aloud)];
        let (_, outcome) = run(&findings, 4 * day, &Scene::default());
        let ids: Vec<_> = outcome.notices.iter().map(|n| n.record.alert_id.clone()).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(ids[0], ids[1]);
        assert_ne!(ids[0], ids[2]);
        let rows: Vec<_> = outcome.rows.iter().map(|row| row.record.count).collect();
        assert_eq!(rows, [4, 1], "each is archived as it ended");
    }

    #[test]
    fn what_is_silenced_or_unlikely_is_archived_and_not_told() {
        let silent = (scan(0.8, 1, 0).0, Telling::Silent);
        let (alerting, outcome) = run(&[silent], 2 * 86_400, &Scene::default());
        assert_eq!((outcome.notices.len(), outcome.rows.len()), (0, 1));
        assert_eq!(alerting.counts().silenced, 1);
        let (alerting, outcome) = run(&[scan(0.1, 1, 0)], 2 * 86_400, &Scene::default());
        assert_eq!((outcome.notices.len(), outcome.rows.len()), (0, 1));
        assert_eq!(alerting.counts().unlikely, 1);
    }

    #[test]
    fn severity_follows_assets_spread_and_likelihood() {
        let assets = toml::from_str(r#"critical = ["10.0.0.5"]"#).unwrap();
        let scene = Scene { assets, ..Scene::default() };
        let grade = |severity, confidence, scene: &Scene| {
            let said = Finding { severity, ..scan(confidence, 1, 0).0 };
            let (_, outcome) = run(&[(said, Telling::Aloud)], 60, scene);
            outcome.notices[0].record.severity
        };
        let ordinary = Scene::default();
        assert_eq!(grade(Severity::LOW, 0.5, &ordinary), "P3");
        assert_eq!(grade(Severity::MEDIUM, 0.3, &ordinary), "P3", "unlikely");
        assert_eq!(grade(Severity::LOW, 0.5, &scene), "P3");
        assert_eq!(grade(Severity::HIGH, 0.95, &scene), "P0", "major, certain, critical");
        assert_eq!(grade(Severity::HIGH, 0.8, &scene), "P1");
        let spread: Vec<_> = (0..10)
            .map(|number| Finding {
                host: ip(&format!("10.0.1.{number}")),
                severity: Severity::HIGH,
                ..scan(0.95, 1, number).0
            })
            .map(|finding| (finding, Telling::Aloud))
            .collect();
        let (_, outcome) = run(&spread, 60, &ordinary);
        let last = outcome.notices.last().unwrap();
        assert_eq!(last.record.severity, "P0", "the tenth host of one day");
        assert_eq!(outcome.notices[8].record.severity, "P1");
    }

    #[test]
    fn too_many_open_alerts_close_the_oldest_and_are_counted() {
        let scene = Scene::default();
        let mut alerting = Alerting::new(&WatchConfig::default(), "tap");
        let mut outcome = Outcome::default();
        for number in 0..32_769_u32 {
            let host = IpAddr::from((0x0a00_0000_u32 + number).to_be_bytes());
            let said = Finding { host, ..scan(0.5, 1, 0).0 };
            alerting.take(said, Telling::Aloud, None, at(0), &scene, &mut outcome);
        }
        assert_eq!(alerting.counts().closed_early, 1);
        assert_eq!((outcome.notices.len(), outcome.rows.len()), (1, 1), "told and archived");
        alerting.finish(&mut outcome);
        assert_eq!(outcome.rows.len(), 32_769, "nothing is lost");
    }

    #[test]
    fn hold_is_shorter_than_a_window() {
        let config = WatchConfig::default();
        assert!(config.hold.0 < Duration::from_secs(60) && config.suppress.0 > config.hold.0);
    }
}

#[test]
fn rows_reach_their_reader_as_they_happen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    let json = RowStream::open(&path, OnFailure::Answer).unwrap();
    let sinks = Sinks { json: Some(json), ..Sinks::default() };
    let mut watch = Watch::new(1, &Config::default(), Knowledge::default(), sinks);
    let record = WeirdRecord { name: "gap", detail: None, count: 1 };
    let kind = EventKind::Weird { ts: at(0), record };
    let event = Event { time: at(0), number: 0, flow: flow(0), kind };
    pipeline::Stage::events(&mut watch, 0, vec![event], at(0)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "", "something older may come");
    pipeline::Stage::events(&mut watch, 0, Vec::new(), at(1)).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn a_damaged_baseline_is_set_aside_and_another_is_kept_in_its_place() {
    for damaged in ["{\n7", "[]", "{\"rdp_off_hours\": {\"version\": 99}}"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        std::fs::write(&path, damaged).unwrap();
        let watch = || {
            Watch::new(1, &Config::default(), Knowledge::default(), Sinks::default())
                .keeping(path.clone())
        };
        watch().keep_last();
        let aside = folder.path().join("baseline.json.damaged");
        assert_eq!(std::fs::read_to_string(&aside).unwrap(), damaged);
        std::fs::remove_file(&aside).unwrap();
        watch().keep_last();
        assert!(!aside.exists() && Baselines::load(&path).is_ok());
    }
}
