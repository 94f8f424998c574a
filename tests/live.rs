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

use analyzers::Direction;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use sensor::capture::{Batch, CaptureFiles, Fill, Source as _};
use sensor::config::Config;
use tempfile::TempDir;

use crate::captures;
use crate::cli::serval;
use crate::packets;
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
    assert_eq!(replay.counts.packets.received, sent, "the recorder has all packets");
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

/// The values that a field has over all threads of a process.
fn of_threads(id: u32, field: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("a process that runs");
    let status = threads.map(|thread| thread.expect("a thread").path().join("status"));
    let texts = status.filter_map(|path| std::fs::read_to_string(path).ok());
    let mut values: Vec<_> = texts
        .filter_map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix(field))?;
            Some(line.trim_start_matches(':').split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    values.dedup();
    values
}

#[test]
fn no_thread_of_a_running_sensor_has_rights_that_it_does_not_need() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).expect("our own folder");
    let (config, live) = (folder.path().join("serval.toml"), folder.path().join("live.json"));
    let archive = folder.path().join("archive");
    let text = format!("[privileges]\nuser = \"nobody\"\n[archive]\npath = {archive:?}\n");
    std::fs::write(&config, text).expect("a configuration");
    let sensor = watch(&wire, &live, &["--config", config.to_str().expect("UTF-8")]);
    let sent = wire.play(&some_captures(), &[]);
    sleep(Duration::from_millis(300));
    let id = sensor.0.id();
    for (field, expected) in [
        ("Uid", "65534 65534 65534 65534"),
        ("CapEff", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("CapBnd", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        assert_eq!(of_threads(id, field), [expected], "{field}");
    }
    sensor.stop("TERM");
    let rows = rows(&live);
    assert_eq!(sum(&rows, "received") + sum(&rows, "kernel_drops"), sent);
    let flows = archive.join("flow");
    assert!(flows.is_dir(), "the archive is written by whom the sensor has become");
}

#[test]
fn what_a_sensor_must_not_do_fails() {
    let output = Command::new(serval()).args(["check", "--privileges"]).output();
    let output = output.expect("serval starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.lines().filter(|line| line.contains(": ")).count(), 12, "{said}");
}

/// A file system in memory of one mebibyte, mounted at a folder.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: PathBuf) -> Self {
        std::fs::create_dir(&path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&path);
        assert!(mount.status().is_ok_and(|status| status.success()));
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_costs_rows_that_are_counted_and_no_packet() {
    let Some(wire) = Wire::lay() else { return };
    let folder = folder();
    let disk = SmallDisk::mount(folder.path().join("archive"));
    let (config, live) = (folder.path().join("serval.toml"), folder.path().join("live.json"));
    // Rows may hold an eighth of the budget: so little that they do not wait for the disk for long.
    let text = "[memory]\nbudget = \"1MiB\"\n[capture]\nring = \"16MiB\"\n[flow]\nmax = 10000\n";
    std::fs::write(&config, text).expect("a configuration");
    let archive = disk.0.to_str().expect("UTF-8");
    let config = config.to_str().expect("UTF-8");
    let filler = disk.0.join("filler");
    let sensor = watch(&wire, &live, &["--config", config, "--archive", archive]);
    std::fs::write(&filler, vec![0; 2 << 20]).expect_err("the disk is full");
    let mut sent = 0;
    for _ in 0..4 {
        sent += wire.play(&some_captures(), &["--loop", "30"]);
        sleep(Duration::from_millis(1_500));
    }
    std::fs::remove_file(&filler).expect("our own file");
    sleep(Duration::from_millis(2_500));
    sensor.stop("TERM");
    let rows = rows(&live);
    assert_eq!(sum(&rows, "received"), sent, "no packet is lost because of the disk");
    let is_gap = |row: &&Row| row.get("name").is_some_and(|name| name == "archive_gap");
    let gaps = rows.iter().filter(is_gap);
    let lost: u64 = gaps.map(|row| row["count"].as_u64().expect("a count")).sum();
    let kept = archived(&disk.0);
    assert!(lost > 0, "{kept} rows were kept of {}", rows.len());
    assert_eq!(lost + kept, rows.len() as u64);
}

/// Rows in all files of an archive.
fn archived(directory: &Path) -> u64 {
    let files = captures::files_below(directory);
    let parquet = files.iter().filter(|path| path.extension().is_some_and(|e| e == "parquet"));
    let rows = |path: &PathBuf| {
        let file = std::fs::File::open(path).expect("a file of the archive");
        let reader = SerializedFileReader::new(file).expect("a whole file");
        u64::try_from(reader.metadata().file_metadata().num_rows()).expect("a number of rows")
    };
    parquet.map(rows).sum()
}

#[test]
fn a_mirror_s_packets_are_heard_at_its_port() {
    let Some(wire) = Wire::lay() else { return };
    for (side, address) in [(&wire.far, "192.0.2.1/24"), (&wire.near, "192.0.2.2/24")] {
        assert!(ip(&["-n", side, "address", "add", address, "dev", INTERFACE]));
    }
    let folder = folder();
    let live = folder.path().join("live.json");
    let mut command = wire.near(serval().to_str().expect("a path in UTF-8"));
    command.current_dir(folder.path());
    command.args(["watch", "--listen", "vxlan:4789", "--json"]).arg(&live);
    let sensor = Listener::start(command, "watching");
    let program = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n\
                   f=bytes.fromhex(sys.argv[1])\n\
                   s.sendto(bytes([8,0,0,0,0,0,42,0])+f,('192.0.2.2',4789))\n";
    let query = packets::Ends::new(1, 40_000, 53).udp(Direction::SrcToDst, b"no DNS");
    let frame = packets::Wrapping::Plain.frame(&query);
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    let sent = inside(&wire.far, "python3").args(["-c", program, &hex]).status();
    if !sent.is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3 is not installed");
        return;
    }
    sleep(Duration::from_millis(300));
    sensor.stop("TERM");
    let rows = rows(&live);
    let flows: Vec<_> = rows.iter().filter(|row| row["table"] == "flow").collect();
    assert_eq!(flows.len(), 1, "{rows:?}");
    assert_eq!(flows[0]["src_ip"], "10.20.0.1");
    assert_eq!(flows[0]["tunnel"], "vxlan:42");
}

#[test]
fn whoever_asks_a_running_sensor_is_told_what_it_found_and_how_it_is() {
    let Some(wire) = Wire::lay() else { return };
    assert!(ip(&["-n", &wire.near, "link", "set", "lo", "up"]));
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("feed.txt"), "example.test\n").expect("a feed");
    let feed = "[intel]\nfeeds = [{ name = \"c2\", path = \"feed.txt\" }]\n";
    let config = format!("{feed}[watch]\nhold = \"1s\"\n");
    std::fs::write(path("serval.toml"), config).expect("a configuration");
    let more = ["--config", "serval.toml", "--archive", "archive"];
    let sensor = watch(&wire, &path("live.json"), &more);
    wire.play(&some_captures(), &[]);
    let status = || {
        let output = wire.near(serval().to_str().expect("UTF-8")).arg("status").output();
        String::from_utf8_lossy(&output.expect("serval starts").stdout).into_owned()
    };
    let wanted = [" intel: ", "c2: 1 indicators, ", " dns\n", "rows wait\n", "contacts: "];
    let is_told = |text: &str| wanted.iter().all(|word| text.contains(word));
    let told = (0..100).map(|_| {
        sleep(Duration::from_millis(100));
        status()
    });
    let texts: Vec<String> = told.take_while(|text| !is_told(text)).collect();
    assert!(texts.len() < 100, "{wanted:?} are not all in {:?}", texts.last());
    sensor.stop("TERM");
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
