//! Debian's rsyslog as the receiver, where it is installed: it parses what was sent, and misses
//! nothing when it is stopped, killed, or started again.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::*;

/// How alerts reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Udp,
    Tcp,
    Tls,
}

/// An rsyslog of our own.
struct Rsyslog {
    folder: TempDir,
    port: u16,
    way: Way,
    process: Child,
}

fn is_installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("skipped: {program} is not installed");
    }
    found.is_ok()
}

impl Rsyslog {
    /// Starts one; `None`, which is told, where it or what it needs is not installed.
    fn start(way: Way) -> Option<Self> {
        let drivers = ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog"];
        let has_tls = drivers.iter().any(|at| Path::new(at).join("lmnsd_gtls.so").exists());
        if !is_installed("rsyslogd") || way == Way::Tls && !(has_tls && is_installed("openssl")) {
            eprintln!("skipped: no rsyslog that takes {way:?}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // Free a moment ago; nobody else on this machine is likely to take it in between.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if way == Way::Tls {
            certificate(folder.path());
        }
        let config = configuration(way, port, folder.path());
        fs::write(folder.path().join("rsyslog.conf"), config).unwrap();
        let process = run(folder.path());
        let rsyslog = Self { folder, port, way, process };
        rsyslog.wait_until_up();
        Some(rsyslog)
    }

    fn wait_until_up(&self) {
        match self.way {
            Way::Udp => wait_until(|| {
                fs::read_to_string("/proc/net/udp")
                    .unwrap()
                    .contains(&format!("0100007F:{:04X}", self.port))
            }),
            _ => wait_until(|| TcpStream::connect(("127.0.0.1", self.port)).is_ok()),
        }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn restart(&mut self) {
        self.signal("-KILL");
        self.process.wait().unwrap();
        let _ = fs::remove_file(self.folder.path().join("pid"));
        self.process = run(self.folder.path());
    }

    fn sink(&self, more: &str) -> String {
        let ca = self.folder.path().join("cert.pem");
        let (scheme, more) = match self.way {
            Way::Udp => ("udp", more.to_owned()),
            Way::Tcp => ("tcp", more.to_owned()),
            Way::Tls => ("tls", format!("{more}, ca = {ca:?}, server_name = \"localhost\"")),
        };
        format!("{{ type = \"syslog\", address = \"{scheme}://127.0.0.1:{}\"{more} }}", self.port)
    }

    /// What it wrote: how it read each message.
    fn wrote(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
        // It may have been killed in the middle of a line.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// How often each number is in what it wrote.
    fn numbers(&self) -> BTreeMap<u64, u64> {
        let mut numbers = BTreeMap::new();
        for message in self.wrote() {
            let data = message["data"].as_str().unwrap();
            let (_, rest) = data.split_once(" seq=\"").unwrap();
            let number = rest.split_once('"').unwrap().0.parse().unwrap();
            *numbers.entry(number).or_default() += 1;
        }
        numbers
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &Path) -> Child {
    let path = |name| folder.join(name);
    let log = fs::File::create(path("log")).unwrap();
    let mut rsyslogd = Command::new("rsyslogd");
    rsyslogd.arg("-n").arg("-f").arg(path("rsyslog.conf")).arg("-i").arg(path("pid"));
    rsyslogd.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn configuration(way: Way, port: u16, folder: &Path) -> String {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let (cert, key, out) = (path("cert.pem"), path("key.pem"), path("out"));
    let input = match way {
        Way::Udp => format!(
            "module(load=\"imudp\")\n\
             input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"out\" \
             rcvbufSize=\"4m\")"
        ),
        Way::Tcp => format!(
            "module(load=\"imtcp\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"out\")"
        ),
        Way::Tls => format!(
            "module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" \
             StreamDriver.AuthMode=\"anon\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"out\")"
        ),
    };
    format!(
        "global(workDirectory=\"{}\" maxMessageSize=\"64k\" \
         parser.escapeControlCharacterTab=\"off\" DefaultNetstreamDriverCAFile={cert:?} \
         DefaultNetstreamDriverCertFile={cert:?} DefaultNetstreamDriverKeyFile={key:?})\n\
         template(name=\"all\" type=\"list\") {{ constant(value=\"{{\") \
         property(name=\"pri\" outname=\"pri\" format=\"jsonf\") constant(value=\",\") \
         property(name=\"timereported\" outname=\"time\" format=\"jsonf\" \
         dateFormat=\"rfc3339\") constant(value=\",\") \
         property(name=\"hostname\" outname=\"host\" format=\"jsonf\") constant(value=\",\") \
         property(name=\"app-name\" outname=\"app\" format=\"jsonf\") constant(value=\",\") \
         property(name=\"msgid\" outname=\"id\" format=\"jsonf\") constant(value=\",\") \
         property(name=\"structured-data\" outname=\"data\" format=\"jsonf\") \
         constant(value=\",\") property(name=\"msg\" outname=\"msg\" format=\"jsonf\") \
         constant(value=\"}}\\n\") }}\n\
         ruleset(name=\"out\") {{ action(type=\"omfile\" file={out:?} template=\"all\") }}\n\
         {input}\n",
        folder.display()
    )
}

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "30", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

/// Sends samples and holds what it wrote against them.
fn receives(way: Way, body: &str, count: u64) {
    let Some(rsyslog) = Rsyslog::start(way) else { return };
    let config = config(&rsyslog.sink(&format!(", body = \"{body}\"")));
    let summary = deliver(&config, None, count);
    assert!(summary.is_complete(), "{summary}");
    wait_until(|| rsyslog.numbers().len() as u64 >= count);
    for (at, message) in (0..).zip(rsyslog.wrote()) {
        assert_eq!(message["host"], "edge-1");
        assert_eq!(message["app"], "serval");
        assert_eq!(message["id"], "intel");
        let priority: u64 = message["pri"].as_str().unwrap().parse().unwrap();
        assert_eq!(priority, 20 * 8 + 2 + at % 4);
        let text = message["msg"].as_str().unwrap();
        match body {
            "json" => assert_eq!(json(text)["seq"], at + 1),
            "cef" => assert!(text.starts_with("CEF:0|Serval|"), "{text}"),
            _ => assert!(text.starts_with("LEEF:2.0|Serval|"), "{text}"),
        }
    }
    let numbers: Vec<(u64, u64)> = rsyslog.numbers().into_iter().collect();
    assert_eq!(numbers, (1..=count).map(|number| (number, 1)).collect::<Vec<_>>());
}

#[test]
fn it_reads_what_comes_over_udp() {
    receives(Way::Udp, "json", 300);
    receives(Way::Udp, "leef", 30);
}

#[test]
fn it_reads_what_comes_over_tcp() {
    receives(Way::Tcp, "json", 3_000);
    receives(Way::Tcp, "cef", 300);
}

#[test]
fn it_reads_what_comes_over_tls() {
    receives(Way::Tls, "json", 3_000);
    receives(Way::Tls, "leef", 300);
}

#[test]
fn a_receiver_that_nobody_vouches_for_gets_nothing() {
    let Some(rsyslog) = Rsyslog::start(Way::Tls) else { return };
    let text = rsyslog.sink("").replace("\"localhost\"", "\"elsewhere\"");
    let mut delivery = Delivery::open(&config(&text), None).unwrap();
    delivery.send(&header(0), &sample(0));
    wait_until(|| delivery.progress()[0].1.trouble.is_some());
    let summary = delivery.close(Duration::ZERO);
    assert_eq!(summary.sinks[0].owed, 1);
    assert!(summary.to_string().contains("handshake"), "{summary}");
    assert!(rsyslog.wrote().is_empty());
}

/// Stops, kills and starts it while alerts come, and counts what is missing.
fn troubled(way: Way, rounds: u64, round: Duration, a_second: u64) {
    let Some(mut rsyslog) = Rsyslog::start(way) else { return };
    let state = tempfile::tempdir().unwrap();
    let config = config(&rsyslog.sink(""));
    let mut delivery = Delivery::open(&config, Some(state.path())).unwrap();
    let mut raised = 0;
    let mut slowest = Duration::ZERO;
    let mut raise_for = |delivery: &mut Delivery, span: Duration| {
        let stopwatch = Stopwatch::start();
        let start = raised;
        while stopwatch.elapsed() < span {
            let due =
                start + a_second * u64::try_from(stopwatch.elapsed().as_millis()).unwrap() / 1_000;
            while raised < due {
                let one = Stopwatch::start();
                delivery.send(&header(raised), &sample(raised));
                slowest = slowest.max(one.elapsed());
                raised += 1;
            }
            thread::sleep(Duration::from_millis(2));
        }
    };
    for _ in 0..rounds {
        raise_for(&mut delivery, round);
        rsyslog.signal("-STOP");
        raise_for(&mut delivery, round);
        rsyslog.signal("-CONT");
        raise_for(&mut delivery, round);
        rsyslog.restart();
        raise_for(&mut delivery, round);
        // Killed while it is stopped, with whatever it had not read.
        rsyslog.signal("-STOP");
        raise_for(&mut delivery, round);
        rsyslog.restart();
        // Slow: it runs a tenth of the time.
        for _ in 0..10 {
            rsyslog.signal("-STOP");
            raise_for(&mut delivery, round / 10 * 9 / 10);
            rsyslog.signal("-CONT");
            raise_for(&mut delivery, round / 10 / 10);
        }
    }
    let summary = delivery.close(Duration::from_secs(60));
    assert!(summary.is_complete(), "{summary}");
    wait_until(|| rsyslog.numbers().len() as u64 == raised);
    let numbers = rsyslog.numbers();
    let missing: Vec<u64> = (1..=raised).filter(|at| !numbers.contains_key(at)).collect();
    assert!(missing.is_empty(), "{} of {raised} are missing: {missing:?}", missing.len());
    let arrived: u64 = numbers.values().sum();
    eprintln!(
        "{way:?}: {raised} raised, {arrived} arrived, 0 missing, {} twice; the slowest send took \
         {slowest:?}",
        arrived - raised
    );
}

#[test]
fn stopped_killed_started_again_it_misses_nothing() {
    troubled(Way::Tcp, 1, Duration::from_millis(600), 1_000);
    if std::env::var_os("SERVAL_LONG_TESTS").is_some() {
        troubled(Way::Tcp, 2, Duration::from_secs(5), 1_000);
        troubled(Way::Tls, 2, Duration::from_secs(5), 1_000);
    }
}
