//! Live capture: two network namespaces with a wire between them, packets that are played on one
//! side, the sensor and a recorder on the other.
//!
//! It needs root, namespaces, tcpreplay and tcpdump; where one is missing the tests say so and
//! pass.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use sensor::capture::{Batch, CaptureFiles, Fill, Source as _};
use sensor::config::Config;
use tempfile::TempDir;

use crate::captures;
use crate::cli::serval;
use crate::replays::{self, Row};

/// Two namespaces that a pair of virtual interfaces joins.
struct Wire {
    /// Where packets are played.
    far: String,
    /// Where they are heard.
    near: String,
}

/// The interface in each of the namespaces.
const INTERFACE: &str = "wire";

impl Wire {
    /// Lays a wire; `None`, with the reason told, where that is not possible.
    fn lay() -> Option<Self> {
        static LAID: AtomicU32 = AtomicU32::new(0);
        let number = LAID.fetch_add(1, Ordering::Relaxed);
        let name = |side| format!("serval-{}-{number}-{side}", std::process::id());
        let wire = Self { far: name("far"), near: name("near") };
        for tool in ["tcpreplay", "tcpdump"] {
            if Command::new(tool).arg("--version").output().is_err() {
                eprintln!("skipped: {tool} is not installed");
                return None;
            }
        }
        let peer = ["peer", "name", INTERFACE, "netns", &wire.near];
        let is_laid = ip(&["netns", "add", &wire.far])
            && ip(&["netns", "add", &wire.near])
            && ip(
                &[&["-n", &wire.far, "link", "add", INTERFACE, "type", "veth"], &peer[..]].concat()
            );
        if !is_laid {
            eprintln!("skipped: network namespaces need root and a kernel that has them");
            return None;
        }
        for side in [&wire.far, &wire.near] {
            // Neither side says anything of its own accord.
            let quiet = "/proc/sys/net/ipv6/conf/wire/disable_ipv6";
            assert!(inside(side, "sh").args(["-c", &format!("echo 1 > {quiet}")]).status().is_ok());
            assert!(ip(&["-n", side, "link", "set", INTERFACE, "up"]));
        }
        Some(wire)
    }

    /// A command on the side where packets are heard.
    fn near(&self, program: &str) -> Command {
        inside(&self.near, program)
    }

    /// Plays captures as fast as it goes; answers how many packets were sent.
    fn play(&self, captures: &[PathBuf], more: &[&str]) -> u64 {
        let mut play = inside(&self.far, "tcpreplay");
        play.args(["--quiet", "--topspeed", "--intf1", INTERFACE]).args(more).args(captures);
        let output = play.output().expect("tcpreplay runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let sent = text.lines().find_map(|line| line.trim().strip_prefix("Successful packets:"));
        sent.and_then(|sent| sent.trim().parse().ok()).unwrap_or_else(|| panic!("{text}"))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for side in [&self.far, &self.near] {
            ip(&["netns", "delete", side]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    let done = Command::new("ip").args(args).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

/// A program that listens; ended by a signal, and at the latest when it is dropped.
struct Listener(Child);

impl Listener {
    /// Starts it and waits until it says `ready` on standard error.
    fn start(mut command: Command, ready: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut errors = child.stderr.take().expect("standard error is piped");
        let mut said = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&said).contains(ready) {
            let read = errors.read(&mut byte).expect("standard error can be read");
            assert!(read > 0, "it ended: {}", String::from_utf8_lossy(&said));
            said.extend(byte);
        }
        // What else it says must not fill the pipe.
        std::thread::spawn(move || errors.read_to_end(&mut said));
        Self(child)
    }

    /// Ends it as a service manager does; it must exit well.
    fn stop(mut self, signal: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        assert!(self.0.wait().expect("it ends").success());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sensor that listens on the wire and writes its rows to a file.
fn watch(wire: &Wire, rows: &Path, more: &[&str]) -> Listener {
    let mut command = wire.near(serval().to_str().expect("a path in UTF-8"));
    // What it keeps over restarts lies below the folder in which it runs.
    command.current_dir(rows.parent().expect("a folder"));
    command.args(["watch", "-i", INTERFACE, "--json"]).arg(rows).args(more);
    Listener::start(command, "watching")
}

fn rows(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("the rows were written");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

/// The sum of a column over the rows of the table `stats`.
fn sum(rows: &[Row], column: &str) -> u64 {
    let stats = rows.iter().filter(|row| row["table"] == "stats");
    stats.map(|row| row[column].as_u64().expect("a count")).sum()
}

fn some_captures() -> Vec<PathBuf> {
    ["tls/alpn.pcap", "dns/query-types.pcap", "http/methods.pcap", "decode/vlan.pcap"]
        .iter()
        .map(|name| captures::file(name))
        .collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Waits until a recorder on a busy machine has written that many packets.
fn wait_for(recorded: &Path, packets: u64) {
    for _ in 0..200 {
        let written = std::fs::read(recorded).expect("the recorder writes").len();
        let counted = CaptureFiles::open(&[recorded.to_owned()]).map(count_packets);
        if written > 24 && counted.is_ok_and(|counted| counted >= packets) {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("the recorder did not write {packets} packets");
}

fn count_packets(mut source: CaptureFiles) -> u64 {
    let mut batch = Batch::default();
    while matches!(source.fill(&mut batch), Ok(Fill::Packets)) {}
    source.tally().packets
}

#[test]
fn live_capture_gives_the_rows_that_a_replay_of_the_same_packets_gives() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let (live, recorded) = (folder.path().join("live.json"), folder.path().join("wire.pcap"));
    let sensor = watch(&wire, &live, &[]);
    let mut recorder = wire.near("tcpdump");
    recorder.args([
        "-i",
        INTERFACE,
        "-Z",
        "root",
        "--time-stamp-precision=nano",
        // Its own ring must not lose what the sensor hears.
        "--buffer-size=32768",
        "--packet-buffered",
        "-w",
    ]);
    let recorder = Listener::start(
        {
            recorder.arg(&recorded);
            recorder
        },
        "listening",
    );
    let sent = wire.play(&some_captures(), &[]);
    wait_for(&recorded, sent);
    sensor.stop("TERM");
    recorder.stop("INT");

    let live = rows(&live);
    assert_eq!(sum(&live, "received") + sum(&live, "kernel_drops"), sent);
    let replay = replays::files(&[recorded], &Config::default(), 2);
    let lines = |rows: &[Row]| {
        // What the sensor says of itself has its own time.
        let of_traffic = rows.iter().filter(|row| row["table"] != "stats");
        let mut lines: Vec<_> = of_traffic.map(|row| replays::without(row, &[])).collect();
        lines.sort();
        lines
    };
    let (live, replayed) = (lines(&live), lines(&replay.rows()));
    assert!(live.len() > 20, "{} rows", live.len());
    assert_eq!(live, replayed);
}

#[test]
fn every_packet_is_received_or_counted_as_dropped_however_small_the_ring() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let (config, live) = (folder.path().join("serval.toml"), folder.path().join("live.json"));
    std::fs::write(&config, "[capture]\nring = \"64KiB\"\n").expect("a configuration");
    let sensor = watch(&wire, &live, &["--config", config.to_str().expect("UTF-8")]);
    let id = sensor.0.id().to_string();
    let signal =
        |name: &str| assert!(Command::new("kill").args(["-s", name, &id]).status().is_ok());
    let sent = wire.play(&some_captures(), &["--loop", "20"]);
    signal("STOP");
    let sent = sent + wire.play(&some_captures(), &["--loop", "20"]);
    signal("CONT");
    let sent = sent + wire.play(&some_captures(), &["--loop", "20"]);
    sensor.stop("TERM");

    let rows = rows(&live);
    let (received, dropped) = (sum(&rows, "received"), sum(&rows, "kernel_drops"));
    assert_eq!(received + dropped, sent);
    assert_eq!(sum(&rows, "decoded") + sum(&rows, "skipped"), received);
    assert!(dropped > 0, "a stopped sensor cannot have read {sent} packets through 64 KiB");
}

#[test]
fn silence_ends_flows_by_time_out() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let (config, live) = (folder.path().join("serval.toml"), folder.path().join("live.json"));
    std::fs::write(&config, "[flow]\nudp_timeout = \"1s\"\n").expect("a configuration");
    let sensor = watch(&wire, &live, &["--config", config.to_str().expect("UTF-8")]);
    wire.play(&[captures::file("dns/query-types.pcap")], &[]);
    sleep(Duration::from_millis(2_700));
    sensor.stop("INT");
    let rows = rows(&live);
    let udp = |row: &&Row| row["table"] == "flow" && row["proto"] == "udp";
    let ends: Vec<_> = rows.iter().filter(udp).map(|row| row["end_reason"].clone()).collect();
    assert!(!ends.is_empty());
    assert!(ends.iter().all(|end| end == "timeout"), "{ends:?}");
}

#[test]
fn an_interface_that_goes_down_or_is_made_anew_is_heard_again() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let live = folder.path().join("live.json");
    let sensor = watch(&wire, &live, &[]);
    let captures = some_captures();
    let mut sent = wire.play(&captures, &[]);
    sleep(Duration::from_millis(200));
    for state in ["down", "up"] {
        assert!(ip(&["-n", &wire.near, "link", "set", INTERFACE, state]));
        sleep(Duration::from_millis(700));
    }
    sent += wire.play(&captures, &[]);
    sleep(Duration::from_millis(200));
    assert!(ip(&["-n", &wire.near, "link", "delete", INTERFACE]));
    let make = ["-n", &wire.far, "link", "add", INTERFACE, "type", "veth", "peer", "name"];
    assert!(ip(&[&make[..], &[INTERFACE, "netns", &wire.near]].concat()));
    for side in [&wire.far, &wire.near] {
        assert!(ip(&["-n", side, "link", "set", INTERFACE, "up", "arp", "off"]));
    }
    sleep(Duration::from_millis(1_500));
    sent += wire.play(&captures, &[]);
    sleep(Duration::from_millis(200));
    sensor.stop("TERM");
    let rows = rows(&live);
    let received = sum(&rows, "received") + sum(&rows, "kernel_drops");
    // The interface that was made anew says a few words of IPv6.
    assert!((sent..sent + 20).contains(&received), "{received} of {sent}");
}

#[test]
fn what_cannot_be_heard_is_said_with_what_to_do() {
    let mut command = Command::new(serval());
    let output = command.args(["watch", "-i", "no-such-if"]).output().expect("serval starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no-such-if") || said.contains("as root"), "{said}");
    let output = Command::new(serval()).arg("watch").output().expect("serval starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("`-i`"));
}
