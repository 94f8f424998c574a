//! `serval tune` foretells what a replay with that configuration does.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::captures;
use crate::cli::serval;

/// Captures with one alert each: of port_scan, smb_bruteforce and rpc_discovery. Together they are
/// an incident, of which nothing is foretold but the parts that it loses.
const CAPTURES: [&str; 3] =
    ["flow/port-scan.pcap", "smb/failed-logons.pcap", "smb/named-pipes.pcap"];

fn run(args: &[&str]) -> Output {
    Command::new(serval()).args(args).output().expect("serval starts")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8 on standard output")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Replays all captures; the rows as lines of JSON.
fn replayed(more: &[&str]) -> String {
    let captures = CAPTURES.map(|path| text(&captures::file(path)).to_owned());
    let mut args = vec!["replay", "--json", "-"];
    args.extend(more);
    args.extend(captures.iter().map(String::as_str));
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    stdout(&output).to_owned()
}

/// The detectors of the alerts that were told.
fn told(rows: &str) -> Vec<String> {
    let rows = rows.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let is_told = |row: &Value| {
        let evidence = row["evidence"].as_str().unwrap_or_default();
        row["table"] == "alert"
            && row["detector"] != "incident"
            && !evidence.contains("suppressed_by")
    };
    let alerts = rows.filter(is_told);
    let mut names: Vec<String> =
        alerts.map(|row| row["detector"].as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    names
}

/// The detectors that stay, as tune foretells it.
fn foretold(alerts: &str, candidate: &[&str]) -> Vec<String> {
    let mut args = vec!["tune", "--alerts", alerts, "--json"];
    args.extend(candidate);
    let output = run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["unclear"], serde_json::json!([]), "{candidate:?}");
    let stay = answer["stay"].as_array().expect("a list").iter();
    let stay = stay.filter(|alert| alert["detector"] != "incident");
    let mut names: Vec<String> =
        stay.map(|alert| alert["detector"].as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_is_foretold_is_what_a_replay_does() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alerts = folder.path().join("alerts.jsonl");
    std::fs::write(&alerts, replayed(&[])).expect("a file that can be written");
    let all = ["port_scan", "rpc_discovery", "smb_bruteforce"];
    let config = folder.path().join("serval.toml");
    let allow = folder.path().join("allow.toml");
    for (knobs, entry, expected) in [
        ("rpc_discovery.operations_5m=6", "", &all[..]),
        ("rpc_discovery.operations_5m=7", "", &["port_scan", "smb_bruteforce"]),
        ("", "ports = [1]", &all),
        ("", "src = [\"10.1.0.10\"], detectors = [\"port_scan\"]", &all[1..]),
        ("", "dst = [\"10.1.0.0/24\"]", &[]),
        ("", "ports = [445]", &all[..1]),
        ("", "src = [\"10.1.0.10\"], hours = \"11:39-11:40\"", &["port_scan", "smb_bruteforce"]),
        ("", "src = [\"10.1.0.11\"]", &all),
    ] {
        let (detect, list) = (written(knobs), format!("{entry}\nid = \"x\"").replace("], ", "]\n"));
        let list = if entry.is_empty() { String::new() } else { format!("[[allow]]\n{list}\n") };
        std::fs::write(&allow, list).expect("a file that can be written");
        let intel = format!("[intel]\nallow = [{:?}]\n{detect}", text(&allow));
        std::fs::write(&config, intel).expect("a file that can be written");
        let done = told(&replayed(&["--config", text(&config)]));
        assert_eq!(done, expected, "{knobs} {entry}");
        let mut typed = vec![];
        if !knobs.is_empty() {
            typed.extend(["--set", knobs]);
        }
        if !entry.is_empty() {
            typed.extend(["--allow", entry]);
        }
        assert_eq!(foretold(text(&alerts), &typed), done, "{typed:?}");
        assert_eq!(foretold(text(&alerts), &["--try", text(&config)]), done, "{knobs} {entry}");
    }
}

/// A knob as the configuration writes it.
fn written(knob: &str) -> String {
    let Some((path, value)) = knob.split_once('=') else { return String::new() };
    let (detector, knob) = path.split_once('.').expect("a detector and a knob");
    format!("[detect.{detector}]\n{knob} = {value}\n")
}

#[test]
fn an_archive_says_the_same_as_its_rows_and_mistakes_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("archive");
    let alerts = folder.path().join("alerts.jsonl");
    let rows = replayed(&["--archive", text(&archive)]);
    std::fs::write(&alerts, rows).expect("a file that can be written");
    let of_archive = run(&["tune", "--archive", text(&archive)]);
    let of_rows = run(&["tune", "--alerts", text(&alerts)]);
    assert_eq!(of_archive.status.code(), Some(0));
    assert_eq!(stdout(&of_archive), stdout(&of_rows));
    assert!(stdout(&of_rows).starts_with("4 alerts are told, 0 are silent already\n"));
    assert!(stdout(&of_rows).contains("by host      10.1.0.10 4"), "{}", stdout(&of_rows));
    let damaged = folder.path().join("damaged.jsonl");
    std::fs::write(&damaged, "{\"table\":\"alert\"}\n{").expect("a file that can be written");
    for (args, code, words) in [
        (&["tune"][..], 1, "--alerts"),
        (&["tune", "--archive", "/nowhere"], 1, "/nowhere"),
        (&["tune", "--alerts", text(&alerts), "--set", "beacon.alrt=1"], 1, "alrt"),
        (&["tune", "--alerts", text(&alerts), "--set", "bacon.alert=1"], 1, "serval explain"),
        (&["tune", "--alerts", text(&alerts), "--allow", "src"], 1, "is no entry"),
        (&["tune", "--alerts", text(&alerts), "--allow", "srcs = []"], 1, "unknown field"),
        (&["tune", "--alerts", text(&alerts), "--try", "/nowhere.toml"], 1, "/nowhere.toml"),
        (&["tune", "--alerts", text(&damaged)], 2, "damaged.jsonl:1"),
    ] {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}
