//! The program as a user meets it: exit codes, messages, output. It is built when it is not there.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::captures;
use crate::determinism::pcap;
use crate::replays;

/// The program, built as this test was.
pub(crate) fn serval() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows its own file");
        let target = test.ancestors().nth(2).expect("target/PROFILE/deps/test");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        build.args(["build", "--quiet", "--package", "sensor", "--bin", "serval"]);
        if target.ends_with("release") {
            build.arg("--release");
        }
        let built = build.current_dir(captures::project()).status().expect("cargo runs");
        assert!(built.success(), "serval can be built");
        target.join("serval")
    })
}

/// How a run ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    /// Asserts the exit code, and that a message for the user holds every one of `words`.
    fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in:\n{}", self.stderr);
        }
    }
}

fn replay(args: &[&str]) -> Ended {
    let output = Command::new(serval()).arg("replay").args(args).output();
    Ended::of(output.expect("serval starts"))
}

/// A folder with a file in it, and the file's path.
fn file(name: &str, bytes: &[u8]) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file that can be written");
    let path = path.to_str().expect("a path in UTF-8").to_owned();
    (folder, path)
}

fn capture(path: &str) -> String {
    captures::file(path).to_str().expect("a path in UTF-8").to_owned()
}

fn json_rows(text: &str) -> Vec<serde_json::Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(parse).collect()
}

#[test]
fn a_sound_capture_ends_with_0_and_json_on_standard_output() {
    let ended = replay(&["--json", "-", &capture("dns/query-types.pcap")]);
    ended.says(0, &["Rows", "dns"]);
    let rows = json_rows(&ended.stdout);
    assert!(rows.iter().any(|row| row["table"] == "dns" && row["qtype"] == "AAAA"));
    let stats = rows.last().expect("rows");
    assert_eq!(stats["table"], "stats");
    assert_eq!(stats["received"], stats["decoded"].as_i64().unwrap_or(-1) + skipped(stats));
}

fn skipped(stats: &serde_json::Value) -> i64 {
    stats["skipped"].as_i64().expect("a count")
}

#[test]
fn a_minus_reads_standard_input() {
    let path = capture("dns/query-types.pcap");
    let mut child = Command::new(serval())
        .args(["replay", "--json", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("serval starts");
    let bytes = std::fs::read(&path).expect("a capture");
    child.stdin.take().expect("a pipe").write_all(&bytes).expect("serval reads");
    let piped = Ended::of(child.wait_with_output().expect("serval ends"));
    piped.says(0, &[]);
    assert_eq!(piped.stdout, replay(&["--json", "-", &path]).stdout);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = capture("smb");
    let mut child = Command::new(serval())
        .args(["replay", "--json", "-", &folder])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("serval starts");
    drop(child.stdout.take());
    Ended::of(child.wait_with_output().expect("serval ends")).says(0, &["Rows"]);
}

#[test]
fn a_record_that_is_cut_short_ends_with_2_and_names_file_and_byte() {
    let whole = std::fs::read(captures::file("dns/query-types.pcap")).expect("a capture");
    let (_folder, path) = file("cut.pcap", &whole[..whole.len() - 10]);
    let ended = replay(&["--json", "-", &path]);
    ended.says(2, &["cut.pcap: at byte", "cut short"]);
    let all = replay(&["--json", "-", &capture("dns/query-types.pcap")]);
    let dns = |text: &str| text.matches("{\"table\":\"dns\"").count();
    assert!(dns(&ended.stdout) + 1 >= dns(&all.stdout), "what lies before is read");
}

#[test]
fn a_file_header_that_is_cut_short_ends_with_2() {
    let (_folder, path) = file("short.pcap", &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]);
    replay(&[&path]).says(2, &["short.pcap: at byte 0: cut short"]);
}

#[test]
fn a_damaged_pcapng_ends_with_2_and_its_sound_part_is_read() {
    let mut bytes = std::fs::read(captures::file("decode/merged-files.pcapng")).expect("a capture");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    let (_folder, path) = file("damaged.pcapng", &bytes);
    let ended = replay(&["--json", "-", &path]);
    ended.says(2, &["damaged.pcapng: at byte", "damaged"]);
    assert!(ended.stdout.contains("\"table\":\"flow\""));
}

#[test]
fn packets_of_an_unknown_link_type_are_accounted_for() {
    let mut frames = replays::frames("dns/query-types.pcap");
    frames.iter_mut().for_each(|frame| frame.link.0 = 147);
    let (_folder, path) = file("user-0.pcap", &pcap(&frames));
    let ended = replay(&["--json", "-", &path]);
    ended.says(2, &["unknown_link_type", "a link type that Serval does not read"]);
    let stats = json_rows(&ended.stdout).pop().expect("stats");
    assert_eq!(skipped(&stats), i64::try_from(frames.len()).expect("few"));
    assert_eq!(stats["received"], stats["skipped"]);
}

#[test]
fn what_is_no_capture_ends_with_1_and_says_what_it_is() {
    for (name, bytes, words) in [
        ("empty.pcap", &b""[..], &["empty.pcap", "empty"][..]),
        ("notes.txt", b"just some words\n", &["notes.txt", "not a pcap or pcapng capture", "text"]),
        ("photo.pcap", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["photo.pcap", "not a pcap"]),
    ] {
        let (_folder, path) = file(name, bytes);
        let ended = replay(&[&path]);
        ended.says(1, words);
        ended.says(1, &["serval: no capture to read"]);
    }
}

#[test]
fn a_directory_without_captures_ends_with_1_and_says_so() {
    let (folder, _) = file("notes.txt", b"just some words\n");
    let ended = replay(&[folder.path().to_str().expect("UTF-8")]);
    ended.says(1, &["no capture in this directory", "1 entries looked at"]);
}

#[test]
fn one_sound_file_beside_others_is_read_and_the_others_are_named() {
    let (_folder, text) = file("notes.txt", b"just some words\n");
    let ended = replay(&["--json", "-", &text, "/nowhere.pcap", &capture("flow/ping.pcap")]);
    ended.says(2, &["notes.txt: not a pcap", "/nowhere.pcap: cannot be read", "permissions"]);
    assert!(ended.stdout.contains("\"proto\":\"icmp\""));
}

#[test]
fn an_unreadable_file_ends_with_1_and_says_what_to_check() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = file("secret.pcap", b"x");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).expect("own file");
    if std::fs::File::open(&path).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    replay(&[&path]).says(1, &["secret.pcap: cannot be read", "check the path"]);
}

#[test]
fn an_archive_that_cannot_be_written_ends_with_1_and_names_it() {
    let (_folder, path) = file("in-the-way", b"");
    let below = format!("{path}/archive");
    let ended = replay(&["--archive", &below, &capture("flow/ping.pcap")]);
    ended.says(1, &["serval: ", "in-the-way/archive"]);
}

#[test]
fn json_that_cannot_be_written_ends_with_1_and_names_it() {
    let ended = replay(&["--json", "/nowhere/rows.jsonl", &capture("flow/ping.pcap")]);
    ended.says(1, &["serval: cannot write /nowhere/rows.jsonl"]);
}

#[test]
fn a_full_disk_ends_with_1_and_says_so() {
    let ended = replay(&["--json", "/dev/full", &capture("flow/ping.pcap")]);
    ended.says(1, &["serval: cannot write the JSON stream", "space"]);
}

#[test]
fn a_filter_that_is_none_ends_with_1_and_points_to_the_syntax() {
    let ended = replay(&["--filter", "tcp prot 80", &capture("flow/ping.pcap")]);
    ended.says(1, &["the filter `tcp prot 80` cannot be used", "pcap-filter"]);
}

#[test]
fn a_filter_leaves_packets_out_and_counts_them() {
    let ended = replay(&["--json", "-", "--filter", "icmp", &capture("flow/ping.pcap")]);
    ended.says(0, &[]);
    let rows = json_rows(&ended.stdout);
    let flows: Vec<_> = rows.iter().filter(|row| row["table"] == "flow").collect();
    assert!(!flows.is_empty() && flows.iter().all(|row| row["proto"] == "icmp"));
    let reasons = rows.last().expect("stats")["skipped_reasons"].as_str().expect("JSON");
    assert!(reasons.contains("filtered"), "{reasons}");
}

#[test]
fn a_configuration_with_a_mistake_ends_with_1_and_names_the_line() {
    let capture = capture("flow/ping.pcap");
    for (text, words) in [
        ("[sensor]\nnmae = \"x\"\n", &["wrong.toml", "line 2", "nmae"][..]),
        ("[flow]\n\ninterim = \"soon\"\n", &["wrong.toml", "line 3", "not a span of time"]),
        ("[sensor\n", &["wrong.toml", "line 1"]),
    ] {
        let (_folder, path) = file("wrong.toml", text.as_bytes());
        replay(&["--config", &path, &capture]).says(1, words);
    }
    replay(&["--config", "/nowhere.toml", &capture]).says(1, &["/nowhere.toml"]);
}

#[test]
fn a_configured_name_is_in_every_row() {
    let (_folder, config) = file("named.toml", b"[sensor]\nname = \"edge-7\"\n");
    let ended = replay(&["--json", "-", "--config", &config, &capture("flow/ping.pcap")]);
    let rows = json_rows(&ended.stdout);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["sensor"] == "edge-7"));
}

#[test]
fn mistakes_on_the_command_line_end_with_1_and_help_with_0() {
    for (args, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["replay", "--help"], 0),
        (&["schema"], 0),
        (&["schema", "--format", "json"], 0),
        (&[], 1),
        (&["replay"], 1),
        (&["replay", "--workers", "0", "x.pcap"], 1),
        (&["reply", "x.pcap"], 1),
    ] {
        let output = Command::new(serval()).args(args).output().expect("serval starts");
        let ended = Ended::of(output);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        assert_eq!(code == 0, ended.stderr.is_empty(), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn the_counts_of_all_captures_close() {
    let ended = replay(&["--json", "-", &capture("")]);
    ended.says(0, &[]);
    let rows = json_rows(&ended.stdout);
    let stats = rows.last().expect("stats");
    let decoded = stats["decoded"].as_i64().expect("a count");
    assert_eq!(stats["received"], decoded + skipped(stats));
    let packets = |row: &serde_json::Value| -> i64 {
        ["src_packets", "dst_packets"].iter().filter_map(|c| row[c].as_i64()).sum()
    };
    let flows = rows.iter().filter(|row| row["table"] == "flow");
    assert_eq!(flows.map(packets).sum::<i64>(), decoded);
    let captures = captures::manifest().capture.len();
    assert!(ended.stderr.contains(&format!("{captures} files")), "{}", ended.stderr);
}
