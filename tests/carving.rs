//! Evidence: the packets of named flows, cut out of captures as the program does it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use analyzers::{Direction, Timestamp};
use sensor::config::Config;

use crate::captures;
use crate::cli::serval;
use crate::determinism::pcap;
use crate::packets::{self, Ends, Wrapping};
use crate::replays::{self, Frame, Row};

/// Cuts those flows out; captures of other link types lie beside `output`.
fn carve(ids: &[&str], output: &Path, capture: &Path) -> Output {
    let mut command = Command::new(serval());
    command.arg("replay").args(["--carve", &ids.join(",")]).arg("-o").arg(output).arg(capture);
    command.output().expect("serval starts")
}

fn told(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8 on standard error")
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row[column].as_str().expect("a text")
}

/// Packets of each flow, by its uid.
fn flow_packets(rows: &[Row]) -> BTreeMap<String, u64> {
    let mut packets = BTreeMap::new();
    for row in rows {
        let count = |column| row[column].as_u64().expect("a count");
        let sum = count("src_packets") + count("dst_packets");
        *packets.entry(text(row, "uid").to_owned()).or_default() += sum;
    }
    packets
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    captures::files_below(folder)
}

#[test]
fn the_flows_of_a_capture_make_a_capture_of_the_same_flows() {
    for capture in captures::manifest().capture {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let whole = replays::capture(&capture.path);
        let flows = flow_packets(&whole.table("flow"));
        let ids: Vec<&str> = flows.keys().map(String::as_str).collect();
        let ended = carve(&ids, &folder.path().join("cut.pcap"), &captures::file(&capture.path));
        assert_eq!(ended.status.code(), Some(0), "{}: {}", capture.path, told(&ended));
        let files = files_in(folder.path());
        let cut = replays::files(&files, &Config::default(), 1);
        let found = flow_packets(&cut.table("flow"));
        // A file has one link type: what was captured at two kinds of interface comes one after the
        // other.
        if files.len() == 1 {
            assert_eq!(found, flows, "{}", capture.path);
        }
        let sum = |flows: &BTreeMap<String, u64>| flows.values().sum::<u64>();
        assert_eq!(sum(&found), sum(&flows), "{}", capture.path);
        let decoded = |replay: &replays::Replay| replay.counts.packets.decoded;
        assert_eq!(decoded(&cut), decoded(&whole), "{}", capture.path);
    }
}

#[test]
fn a_flow_by_itself_has_all_its_frames_as_they_were_captured() {
    for name in ["tls/version-1.3.pcap", "decode/vxlan.pcap", "decode/fragments-reordered.pcap"] {
        let capture = captures::file(name);
        let all = replays::frames_of(capture.clone());
        let whole = replays::capture(name);
        for (uid, packets) in flow_packets(&whole.table("flow")) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let output = folder.path().join("one.pcap");
            assert_eq!(carve(&[&uid], &output, &capture).status.code(), Some(0));
            let frames = replays::frames_of(output.clone());
            assert!(frames.len() as u64 >= packets, "{name} {uid}");
            let mut rest = all.iter();
            let in_order = frames.iter().all(|frame| rest.any(|other| other == frame));
            assert!(in_order, "{name} {uid}: frames, times, lengths and order are the capture's");
            let cut = replays::files(&[output], &Config::default(), 1);
            assert_eq!(flow_packets(&cut.table("flow")), BTreeMap::from([(uid, packets)]));
        }
    }
}

#[test]
fn a_community_id_finds_the_inner_flow_and_packed_captures_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = captures::file("dns/query-types.pcap");
    let flows = replays::capture("dns/query-types.pcap").table("flow");
    let id = text(&flows[0], "community_id");
    let same = flows.iter().filter(|row| row["community_id"] == id).count();
    let output = folder.path().join("a.pcap");
    let ended = carve(&[id, "CAAAAAAAAAAAAAAAA"], &output, &capture);
    assert_eq!(ended.status.code(), Some(2), "one of the two was found");
    for words in [&format!("of {same} flows"), "not found: CAAAAAAAAAAAAAAAA", "--config"] {
        assert!(told(&ended).contains(words), "`{words}` is not in {}", told(&ended));
    }
    let cut = replays::files(&[output], &Config::default(), 1);
    assert!(cut.table("flow").iter().all(|row| row["community_id"] == id));
}

#[test]
fn uids_are_those_of_the_configured_sensor() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = captures::file("dns/query-types.pcap");
    let config = folder.path().join("edge.toml");
    std::fs::write(&config, "[sensor]\nname = \"edge-7\"\n").expect("a file");
    let named = Config::load(Some(&config)).expect("a configuration");
    let flows = replays::files(std::slice::from_ref(&capture), &named, 1).table("flow");
    let uid = text(&flows[0], "uid");
    let output = folder.path().join("a.pcap");
    assert_eq!(carve(&[uid], &output, &capture).status.code(), Some(1), "another sensor's");
    assert!(!output.exists(), "nothing was found, nothing is made");
    let mut command = Command::new(serval());
    command.args(["replay", "--carve", uid, "-o"]).arg(&output).arg("--config").arg(&config);
    assert!(command.arg(&capture).output().expect("serval starts").status.success());
    assert!(output.exists());
}

#[test]
fn what_is_there_is_not_written_over_and_names_must_be_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("a.pcap");
    std::fs::copy(captures::file("flow/ping.pcap"), &capture).expect("a copy");
    let before = std::fs::read(&capture).expect("a capture");
    let flows = replays::capture("flow/ping.pcap").table("flow");
    let uid = text(&flows[0], "uid");
    for (id, output, words) in [
        (uid, &capture, "is not written over"),
        ("10.0.0.1", &folder.path().join("b.pcap"), "names no flow"),
        (uid, &folder.path().join("nowhere/b.pcap"), "cannot write"),
    ] {
        let ended = carve(&[id], output, &capture);
        assert_eq!(ended.status.code(), Some(1));
        assert!(told(&ended).contains(words), "{}", told(&ended));
    }
    assert_eq!(std::fs::read(&capture).expect("a capture"), before);
    assert_eq!(files_in(folder.path()), [capture], "nothing else is left there");
}

#[test]
fn frames_of_two_link_types_are_two_files_and_a_stream_says_what_it_has_no_room_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let captures = folder.path().join("captures");
    std::fs::create_dir(&captures).expect("a folder");
    let ethernet = replays::frames("flow/ping.pcap");
    let bare = |frame: &Frame| Frame {
        link: sensor::capture::LinkType(101),
        bytes: frame.bytes[14..].to_vec(),
        wire_bytes: frame.wire_bytes - 14,
        ..frame.clone()
    };
    let bare: Vec<Frame> = ethernet.iter().map(bare).collect();
    for (name, frames) in [("a.pcap", &ethernet), ("b.pcap", &bare)] {
        std::fs::write(captures.join(name), pcap(frames)).expect("a capture");
    }
    let flows = replays::capture("flow/ping.pcap").table("flow");
    let id = text(&flows[0], "community_id");
    let output = folder.path().join("cut.pcap");
    let ended = carve(&[id], &output, &captures);
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    let [first, second] = [output, folder.path().join("cut-link101.pcap")].map(replays::frames_of);
    assert!(!first.is_empty() && first.len() == second.len());
    assert!(second.iter().all(|frame| frame.link.0 == 101));
    let ended = carve(&[id], Path::new("-"), &captures);
    assert_eq!(ended.status.code(), Some(2), "{}", told(&ended));
    assert_eq!(ended.stdout, pcap(&first));
}

#[test]
fn frames_behind_a_fragment_wait_for_their_turn_and_not_for_ever() {
    let ends = Ends::new(7, 40_000, 9_999);
    let said = |byte| ends.udp(Direction::SrcToDst, &[byte; 200]);
    let pieces = packets::fragments(&said(1), 104);
    let lone =
        packets::fragments(&Ends::new(8, 40_000, 9_999).udp(Direction::SrcToDst, &[3; 200]), 104);
    let order = [lone[0].clone(), pieces[0].clone(), said(2), pieces[1].clone(), said(4)];
    let frames: Vec<Frame> = (0..)
        .zip(order)
        .map(|(second, packet)| {
            let time = Timestamp::from_secs_nanos(1_700_000_000 + second, 5);
            packets::captured(time, Wrapping::Plain.frame(&packet))
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("a.pcap");
    std::fs::write(&capture, pcap(&frames)).expect("a capture");
    let flows = replays::files(std::slice::from_ref(&capture), &Config::default(), 1).table("flow");
    let [flow] = &flows[..] else { panic!("{} flows", flows.len()) };
    let output = folder.path().join("b.pcap");
    let ended = carve(&[text(flow, "uid")], &output, &capture);
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert_eq!(replays::frames_of(output), frames[1..], "all but the other flow's lone fragment");
}
