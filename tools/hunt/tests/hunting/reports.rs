//! Reports and stories: over the recorded captures, over nothing, and over hostile text.

use std::process::{Command, Output};

use crate::archives::{demo, write_file};

/// 2026-03-01T00:30:00Z.
const HALF_PAST: i64 = 1_772_325_000_000_000;

fn hunt(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_serval-hunt")).args(args).output();
    output.expect("serval-hunt starts")
}

fn stdout(args: &[&str]) -> String {
    let output = hunt(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_report_is_one_page_that_loads_nothing() {
    let page = stdout(&["report", "-a", demo()]);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("default-src 'none'"));
    for word in ["<script", "src=", "href=", "url(", "@import", "onload", "http://", "https://"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("Top talkers") && page.contains("<svg "));
}

#[test]
fn markdown_and_json_tell_the_same() {
    let markdown = stdout(&["report", "-a", demo(), "--as", "markdown"]);
    let json = stdout(&["report", "-a", demo(), "--as", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let talker = json["talkers"][0]["host"].as_str().expect("a host");
    assert!(markdown.contains(talker), "{markdown}");
    assert!(
        json["totals"]["flows"].as_i64().is_some_and(|flows| flows > 100),
        "{}",
        json["totals"]
    );
}

#[test]
fn hostile_names_are_inert_in_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = "<script>alert(1)</script>";
    let columns: &[(&str, &[&str])] = &[
        ("host", &[hostile]),
        ("title", &[hostile]),
        ("description", &["<img src=x onerror=alert(1)>"]),
        ("severity", &["P1"]),
        ("detector", &["intel"]),
        ("stage", &[hostile]),
        ("hunt", &["SELECT '</pre><script>'"]),
    ];
    let place = "alert/date=2026-03-01/hour=00/a.parquet";
    write_file(folder.path(), place, &[HALF_PAST], columns);
    let page = stdout(&["report", "-a", folder.path().to_str().expect("UTF-8")]);
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

#[test]
fn a_report_of_nothing_is_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let page = stdout(&["report", "-a", path, "--since", "1d"]);
    assert!(page.contains("No alerts in this span"), "{page}");
}

#[test]
fn a_flow_is_told_over_all_tables() {
    let sql = "SELECT uid, community_id FROM flow WHERE service = 'tls' ORDER BY ts LIMIT 1";
    let line = stdout(&["-a", demo(), sql]);
    let row: serde_json::Value = serde_json::from_str(line.trim()).expect("JSON");
    let uid = row["uid"].as_str().expect("a uid");
    for name in [uid, row["community_id"].as_str().expect("an id")] {
        let lines = stdout(&["flow", "-a", demo(), name]);
        let parts: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let of = |part: &str| parts.iter().filter(|row| row["section"] == part).count();
        assert!(of("flow") >= 1 && of("tls") >= 1, "{lines}");
    }
    assert_eq!(stdout(&["flow", "-a", demo(), "Cnothing"]), "");
}

#[test]
fn a_host_has_a_story() {
    let line = stdout(&["-a", demo(), "SELECT src_ip FROM tls ORDER BY ts LIMIT 1"]);
    let row: serde_json::Value = serde_json::from_str(line.trim()).expect("JSON");
    let host = row["src_ip"].as_str().expect("an address");
    let story = stdout(&["host", "-a", demo(), "--format", "table", host]);
    for chapter in ["at a glance", "whom it talks to", "TLS servers it asks for"] {
        assert!(story.contains(chapter), "{story}");
    }
    let output = hunt(&["host", "-a", demo(), "somebody"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("serval hunt host 10.1.2.3"), "{stderr}");
}

#[test]
fn a_query_comes_from_standard_input_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_serval-hunt"))
        .args(["-a", demo(), "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("serval-hunt starts");
    use std::io::Write as _;
    child.stdin.take().expect("a pipe").write_all(b"SELECT 1 AS one;\n").expect("written");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"one\":1}\n");
}
