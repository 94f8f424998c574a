//! The whole story end to end: a host looks up a known name, reaches the address it gave, probes
//! its neighbours and opens their desktops, while another host asks for a name that looks alike.
//!
//! In: the laboratory's chain with one more question, and a feed that knows the name. Out: alerts,
//! told once, joined to one incident, and the same for any number of workers and files.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;

use analyzers::Direction;
use sensor::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::determinism::{assert_same, pcap};
use crate::packets::{self, Ends, Wrapping};
use crate::replays::{self, Frame, Frames, Row};

/// What the feed itself gives the name, in percent.
const CONFIDENCE: u32 = 70;

/// The host that asks for the name that looks alike.
const ELSEWHERE: &str = "10.20.0.9:50053";

/// A chain, what its site's sensor is told, and what to expect.
struct Story {
    frames: Vec<Frame>,
    config: Config,
    /// The name that the feed knows.
    name: String,
    /// The host that the labels say is compromised.
    host: String,
    _folder: TempDir,
}

/// A question for a name, as a message.
fn question(name: &str) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("a label"));
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

fn story() -> Story {
    let capture = lab::scenario("chain", 1).expect("a scenario");
    let name = capture.indicators.first().expect("a name").clone();
    let whole = capture.labels.iter().find(|label| label.detectors.contains(&"incident".into()));
    let host = whole.expect("a label for the whole").hosts[0].to_string();
    let mut frames: Vec<Frame> = capture
        .frames
        .into_iter()
        .map(|frame| Frame {
            wire_bytes: frame.wire_bytes,
            ..packets::captured(frame.time, frame.bytes)
        })
        .collect();
    let resolver = SocketAddrV4::new([10, 30, 0, 9].into(), 53);
    let ends =
        Ends { src: ELSEWHERE.parse().expect("an address"), dst: resolver, ..Ends::new(9, 0, 53) };
    for (second, alike) in [(1, format!("x{name}")), (2, format!("{name}.example"))] {
        let packet = ends.udp(Direction::SrcToDst, &question(&alike));
        let time = frames[0].time.after(Duration::from_secs(second));
        let at = frames.partition_point(|frame| frame.time <= time);
        frames.insert(at, packets::captured(time, Wrapping::Plain.frame(&packet)));
    }
    let folder = TempDir::new().expect("a folder");
    let feed = folder.path().join("feed.csv");
    let line = format!("domain,{name},Lynx,{CONFIDENCE},high,command_and_control");
    std::fs::write(&feed, format!("type,value,family,confidence,severity,stage\n{line}\n"))
        .expect("a feed");
    let config = format!(
        "[sensor]\nhome_networks = [\"10.0.0.0/8\"]\n[intel]\nfeeds = [{{ path = '{}' }}]",
        feed.display()
    );
    let config = toml::from_str(&config).expect("a configuration");
    Story { frames, config, name, host, _folder: folder }
}

fn replay(story: &Story) -> replays::Replay {
    replays::run(&mut Frames::new(story.frames.clone()), &story.config, 1)
}

fn evidence(alert: &Row) -> Value {
    serde_json::from_str(alert["evidence"].as_str().expect("evidence")).expect("JSON")
}

#[test]
fn a_known_name_and_its_address_are_one_alert_that_shows_both() {
    let story = story();
    let replay = replay(&story);
    let alerts = replay.table("alert");
    let intel: Vec<&Row> = alerts.iter().filter(|alert| alert["detector"] == "intel").collect();
    assert_eq!(intel.len(), 1, "{intel:#?}");
    let alert = intel[0];
    assert_eq!(alert["host"], *story.host);
    assert_eq!(
        (&alert["indicator"], &alert["family"]),
        (&story.name.clone().into(), &"Lynx".into())
    );
    assert!(alert["confidence"].as_f64() > Some(f64::from(CONFIDENCE) / 100.0), "{alert:#?}");
    assert!(alert["count"].as_i64() > Some(100), "{alert:#?}");
    let answers = replay.table("dns");
    let asked = answers.iter().find(|row| row["query"] == *story.name).expect("the look-up");
    let address = asked["answers"][0].as_str().expect("an address");
    assert_eq!(evidence(alert)["answers"], json!([address]));
    let hunt = alert["hunt"].as_str().expect("a hunt");
    assert!(hunt.contains("SELECT") && hunt.contains(&story.name), "{hunt}");
    for alert in &alerts {
        assert_ne!(
            alert["host"], "10.20.0.9",
            "nothing is known of the host elsewhere: {alert:#?}"
        );
    }
}

#[test]
fn the_chain_is_one_incident_with_four_stages() {
    let story = story();
    let alerts = replay(&story).table("alert");
    let of = |detector: &str| -> Vec<&Row> {
        alerts.iter().filter(|alert| alert["detector"] == detector).collect()
    };
    let incidents = of("incident");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = incidents[0];
    assert_eq!(incident["host"], *story.host);
    let chain = evidence(incident)["chain"].clone();
    let steps: BTreeSet<&str> = chain
        .as_array()
        .expect("a chain")
        .iter()
        .filter_map(|link| link["step"].as_str())
        .collect();
    let four = ["address_contacted", "discovery", "lateral_movement", "name_looked_up"];
    assert!(four.iter().all(|step| steps.contains(step)), "{chain:#}");
    let members: Vec<&Row> =
        alerts.iter().filter(|alert| alert.get("incident") == incident.get("alert_id")).collect();
    for detector in ["intel", "beacon", "smb_scan"] {
        assert!(members.iter().any(|alert| alert["detector"] == detector), "no {detector}");
    }
    for member in members.iter().filter(|member| member["detector"] != "incident") {
        assert!(incident["confidence"].as_f64() > member["confidence"].as_f64(), "{member:#?}");
    }
}

#[test]
fn the_chain_s_alerts_are_the_same_for_any_workers_and_files() {
    let story = story();
    let one = replay(&story);
    for workers in [2, 8] {
        let frames = &mut Frames::new(story.frames.clone());
        let other = replays::run(frames, &story.config, workers);
        assert_same(&one.lines, &other.lines, &format!("{workers} workers"));
    }
    let folder = TempDir::new().expect("a folder");
    let part = story.frames.len().div_ceil(3);
    let files: Vec<PathBuf> = (0..3).map(|at| folder.path().join(format!("{at}.pcap"))).collect();
    for (file, frames) in files.iter().zip(story.frames.chunks(part)) {
        std::fs::write(file, pcap(frames)).expect("a file");
    }
    let parts = replays::files(&files, &story.config, 2);
    assert_same(&one.lines, &parts.lines, "three files");
}
