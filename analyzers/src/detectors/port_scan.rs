//! A host tries many ports of another.
//!
//! # What it detects
//! A source that turns to many TCP ports of one host and is not served: a vertical scan.
//!
//! # Why it matters
//! It tells what a host runs, which is what an intruder must know before he breaks in. From outside
//! it happens all day; from inside somebody is at work.
//!
//! # How
//! For each pair of a source and a host the distinct ports are counted that failed (no answer, a
//! refusal) or were accepted and given up at once, as scanners do: 15 within 5 min, 25 within 24 h,
//! or 5 of those that intruders want (21, 22, 23, 135, 139, 389, 445, 1433, 3306, 3389, 5432, 5900,
//! 5985, 6379) within a minute. A port counts once in a day. Confidence is 0.6, 0.1 more for each
//! further test that fires and 0.1 where five times as many ports were tried; 0.85 at most.
//!
//! # False positives
//! Vulnerability scanners: `assets.scanners`. A client of a host that is down fails on the few
//! ports that it uses, however often. Passive FTP behind a broken firewall may cross the threshold.
//!
//! # Knobs
//! `sensitivity` (`low`, `medium`, `high`: thresholds times 1.5, 1, 0.4, three at least),
//! `ports_5m` (15), `ports_24h` (25), `sensitive_1m` (5); up to 128.
//!
//! # References
//! ATT&CK T1046 Network Service Discovery, T1595.001 Scanning IP Blocks.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher, What};
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{SCAN_CONTACT_TURN, SCAN_NET_PAIRS, SCAN_RECENT, SCAN_SOURCES};
use crate::recent::Recent;
use crate::scanning::report::seconds_in_words;
use crate::scanning::{Least, Outcome, Sensitivity};
use crate::scene::{Heading, Scene, assets};
use crate::seen::Seen;
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "port_scan",
    source: include_str!("port_scan.rs"),
    interests: &[Interest::Row],
};

const INSIDE: &[Technique] = &[Technique::new(1046, 0)];
const OUTSIDE: &[Technique] = &[Technique::new(1595, 1), Technique::new(1046, 0)];

/// Ports that intruders want.
const SENSITIVE: [u16; 14] =
    [21, 22, 23, 135, 139, 389, 445, 1433, 3306, 3389, 5432, 5900, 5985, 6379];

/// `[detect.port_scan]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// All thresholds at once.
    pub sensitivity: Sensitivity,
    /// Ports in five minutes.
    pub ports_5m: Least,
    /// Ports in a day.
    pub ports_24h: Least,
    /// Ports that intruders want, in a minute.
    pub sensitive_1m: Least,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Medium,
            ports_5m: Least(15),
            ports_24h: Least(25),
            sensitive_1m: Least(5),
        }
    }
}

impl Grounds for Knobs {
    /// Evidence counts ports over all time, the tests over their windows.
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let ground = |test: &str| {
            let (knob, least) = match test {
                "minutes" => ("ports_5m", self.ports_5m),
                "day" => ("ports_24h", self.ports_24h),
                "sensitive" => ("sensitive_1m", self.sensitive_1m),
                _ => return Ground::FIXED,
            };
            let threshold = Threshold::count(knob, self.sensitivity.scale(least));
            Ground::at_most(threshold, evidence.number("ports")).unwrap_or(Ground::FIXED)
        };
        evidence.texts("tests_fired").map(ground).collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    let scale = |least| knobs.sensitivity.scale(least);
    let test = |name, least, seconds, of| Test { name, least: scale(least), seconds, of };
    Box::new(PortScan {
        met: Seen::new(SCAN_NET_PAIRS, SCAN_CONTACT_TURN),
        pairs: Recent::new(SCAN_SOURCES),
        tests: [
            test("minutes", knobs.ports_5m, 300, Of::Any),
            test("day", knobs.ports_24h, 86_400, Of::Any),
            test("sensitive", knobs.sensitive_1m, 60, Of::Sensitive),
        ],
    })
}

/// A threshold of ports in a window.
#[derive(Clone, Copy, Debug)]
struct Test {
    name: &'static str,
    least: usize,
    seconds: u64,
    of: Of,
}

/// Which ports count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Any,
    Sensitive,
}

/// What a source tried on a host.
struct Tried {
    first: Timestamp,
    last: Timestamp,
    count: u64,
    /// The newest, in order of time.
    ports: Vec<(Timestamp, u16)>,
    flows: FlowsBehind,
    fired: [bool; 3],
    told: u64,
}

struct PortScan {
    met: Seen,
    pairs: Recent<(IpAddr, IpAddr), Tried>,
    tests: [Test; 3],
}

impl Watcher for PortScan {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let (What::Row(record), flow) = (event.what, event.flow) else { return };
        let Some(Outcome::Failed | Outcome::Empty) = Outcome::of(flow, record) else { return };
        if assets::any_contains(&scene.assets.scanners, flow.src.ip)
            || !self.met.is_new(&(flow.src.ip, flow.dst), event.ts)
        {
            return;
        }
        let pair = (flow.src.ip, flow.dst.ip);
        let tried = self.pairs.entry(pair, || Tried::new(event.ts));
        tried.note(event);
        let before = tried.fired;
        for (fired, test) in tried.fired.iter_mut().zip(&self.tests) {
            *fired |= test.fires(&tried.ports);
        }
        let is_scan = tried.fired.contains(&true);
        if is_scan && (tried.fired != before || tried.count >= tried.told.saturating_mul(2)) {
            tried.told = tried.count;
            findings.say(tried.finding(pair, event.heading, &self.tests));
        }
    }

    fn finish(&mut self, _: Timestamp, scene: &Scene, findings: &mut Findings) {
        for (&(source, host), tried) in self.pairs.iter() {
            if tried.told != 0 && tried.told != tried.count {
                let heading = match (scene.home.contains(source), scene.home.contains(host)) {
                    (true, true) => Heading::Internal,
                    (true, false) => Heading::Outbound,
                    (false, true) => Heading::Inbound,
                    (false, false) => Heading::External,
                };
                findings.say(tried.finding((source, host), heading, &self.tests));
            }
        }
    }

    fn evicted(&self) -> u64 {
        self.pairs.evicted().saturating_add(self.met.early_turns())
    }
}

impl Test {
    /// Whether enough ports lie within the window, wherever it begins.
    fn fires(&self, ports: &[(Timestamp, u16)]) -> bool {
        let times: Vec<Timestamp> = ports
            .iter()
            .filter(|(_, port)| self.of == Of::Any || SENSITIVE.contains(port))
            .map(|(ts, _)| *ts)
            .collect();
        times.windows(self.least).any(|window| match (window.first(), window.last()) {
            (Some(first), Some(last)) => last.since(*first).as_secs() < self.seconds,
            _ => false,
        })
    }
}

impl Tried {
    fn new(ts: Timestamp) -> Self {
        Self {
            first: ts,
            last: ts,
            count: 0,
            ports: Vec::new(),
            flows: FlowsBehind::default(),
            fired: [false; 3],
            told: 0,
        }
    }

    fn note(&mut self, event: &Event<'_>) {
        // What lies behind the longest window is over.
        if event.ts.since(self.last) > SCAN_CONTACT_TURN {
            *self = Self::new(event.ts);
        }
        self.first = self.first.min(event.ts);
        self.last = self.last.max(event.ts);
        self.count = self.count.saturating_add(1);
        if self.ports.len() >= SCAN_RECENT {
            self.ports.remove(0);
        }
        let at = self.ports.partition_point(|(ts, _)| *ts <= event.ts);
        self.ports.insert(at, (event.ts, event.flow.dst.port));
        self.flows.add(event.flow);
    }

    fn finding(
        &self,
        (source, host): (IpAddr, IpAddr),
        heading: Heading,
        tests: &[Test; 3],
    ) -> Finding {
        let is_inside = matches!(heading, Heading::Internal | Heading::Outbound);
        let tried = tests.iter().zip(self.fired);
        let fired: Vec<&Test> = tried.filter_map(|(test, fired)| fired.then_some(test)).collect();
        let names: Vec<&str> = fired.iter().map(|test| test.name).collect();
        let crossed: Vec<String> = fired.iter().map(|test| test.in_words()).collect();
        let mut ports: Vec<u16> = self.ports.iter().map(|(_, port)| *port).collect();
        ports.sort_unstable();
        let thresholds: Vec<_> = tests
            .iter()
            .map(|test| json!({ "test": test.name, "ports": test.least, "seconds": test.seconds }))
            .collect();
        let span = self.last.since(self.first).as_secs();
        Finding {
            detector: DETECTOR.name,
            host: source,
            key: Text::from(host.to_string()),
            title: Text::from(format!(
                "{source} tried {} ports of {host} within {}",
                self.count,
                seconds_in_words(span)
            )),
            description: Text::from(format!(
                "{source} turned to {} TCP ports of {host} that refused, did not answer or were \
                 given up at once. Crossed: {}. Look at what runs on {source}; if it is a scanner \
                 of ours, name it in assets.scanners. Look at what {host} answered: the flows in \
                 state SF or RSTO are the open ports that were found.",
                self.count,
                crossed.join("; ")
            )),
            severity: if is_inside { Severity::MEDIUM } else { Severity::LOW },
            confidence: self.confidence(names.len(), tests),
            techniques: if is_inside { INSIDE.into() } else { OUTSIDE.into() },
            stage: if is_inside { Stage::Discovery } else { Stage::Reconnaissance },
            first: self.first,
            last: self.last,
            count: self.count,
            peers: vec![host],
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("ports", json!(self.count)),
                ("sample_ports", json!(ports)),
                ("window_seconds", json!(span)),
                ("tests_fired", json!(names)),
                ("thresholds", json!(thresholds)),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{source}' AND dst_ip = '{host}' AND \
                 proto = 'tcp' AND {} ORDER BY ts",
                hunt::between(self.first, self.last)
            ),
        }
    }

    fn confidence(&self, fired: usize, tests: &[Test; 3]) -> f64 {
        let further = u32::try_from(fired.saturating_sub(1)).unwrap_or(0);
        let [minutes, ..] = tests;
        let many = usize::try_from(self.count).unwrap_or(0) >= minutes.least.saturating_mul(5);
        (0.6 + 0.1 * f64::from(further) + if many { 0.1 } else { 0.0 }).min(0.85)
    }
}

impl Test {
    fn in_words(&self) -> String {
        let kind = match self.of {
            Of::Any => "ports",
            Of::Sensitive => "ports that intruders want",
        };
        format!("{} {kind} within {}", self.least, seconds_in_words(self.seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{Bench, flow, row};

    fn scan(knobs: &Knobs, ports: &[u16], gap: i64, state: &'static str) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(knobs));
        let mut said = Vec::new();
        for (at, port) in (0..).zip(ports) {
            said.extend(bench.row(at * gap, &flow("10.0.0.5", "10.0.0.9", *port), &row(state)));
        }
        said.extend(bench.finish());
        said
    }

    #[test]
    fn ports_are_counted_in_minutes_and_in_days() {
        let many: Vec<u16> = (8_000..8_200).collect();
        let knobs = Knobs::default();
        for (count, gap, state, expected) in [
            (14, 1, "S0", false),
            (15, 1, "S0", true),
            (15, 1, "REJ", true),
            (15, 1, "RSTO", true),
            (200, 1, "SF", false),
            (15, 60, "S0", false),
            (24, 3_000, "S0", false),
            (25, 3_000, "S0", true),
        ] {
            let said = scan(&knobs, &many[..count], gap, state);
            assert_eq!(!said.is_empty(), expected, "{count} every {gap} s {state}");
        }
        let last = scan(&knobs, &many, 1, "REJ").pop().unwrap();
        assert_eq!((last.count, last.key.as_bytes()), (200, &b"10.0.0.9"[..]));
    }

    #[test]
    fn what_intruders_want_is_told_sooner() {
        let wanted = [21, 113, 23, 135, 111, 143, 445, 554, 22, 995];
        let findings = scan(&Knobs::default(), &wanted, 1, "S0");
        assert_eq!(findings[0].evidence["tests_fired"][0], "sensitive");
        assert_eq!(scan(&Knobs::default(), &[22, 445, 3389, 80], 1, "S0"), []);
        let few = [113, 111, 143, 554, 995, 8_080];
        assert_eq!(scan(&Knobs::default(), &few, 1, "S0"), []);
        let high = Knobs { sensitivity: Sensitivity::High, ..Knobs::default() };
        assert_eq!(scan(&high, &few, 1, "S0").len(), 1);
    }

    #[test]
    fn a_client_of_a_host_that_is_down_is_not_told() {
        let again: Vec<u16> = (0..400).map(|at| [80, 443, 8_080, 8_443][at % 4]).collect();
        assert_eq!(scan(&Knobs::default(), &again, 2, "S0"), []);
    }
}
