//! A host looks for one service on many hosts, other than SMB.
//!
//! # What it detects
//! A source that turns to many hosts on one port and comes to nothing: sweeps for remote desktops,
//! SSH, Telnet, RPC, WinRM and data bases however slow, and fast sweeps on any other port.
//!
//! # Why it matters
//! Looking around comes before moving on. Bots of the Mirai family do nothing else.
//!
//! # How
//! As `smb_scan`, for each class of ports: 3389; 22; 23 with 2323; 135; 5985 with 5986; 1433; 6379.
//! There four failed first contacts more than used ones decide (TRW), or 8 failed in 24 h, 6 in 72
//! h over 3 networks, 25 in 10 min, 100 that are not use in 10 min, and for sources from outside 20
//! in 24 h. Any other port by itself: 25 failed first contacts in 10 min inside; 100 to the
//! outside, where browsers in an outage and file sharing fail often; 20 in 24 h from outside. 50
//! within a second are told as a worm. What answers others and does not answer this one does not
//! count.
//!
//! # False positives
//! Inventory, monitoring that begins, discovery of printers: name the source in `assets.scanners`;
//! what is swept every day is known after the first. Answers to forged packets begin without a SYN.
//!
//! # Knobs
//! `sensitivity` (`low`, `medium`, `high`: thresholds times 1.5, 1, 0.4, three at least),
//! `failures` (4), `failed_10m` (25), `hosts_10m` (100), `failed_24h` (8), `failed_72h` (6); up to
//! 128.
//!
//! # References
//! ATT&CK T1046 Network Service Discovery, T1018 Remote System Discovery, T1595.001 Scanning IP
//! Blocks. J. Jung, V. Paxson, A. Berger, H. Balakrishnan, "Fast Portscan Detection Using
//! Sequential Hypothesis Testing", 2004.

use std::net::IpAddr;

use serde::Deserialize;

use crate::detector::{Detector, Event, Finding, Findings, Interest, Watcher, What};
use crate::flow_id::Transport;
use crate::grade::Technique;
use crate::limits::{SCAN_NET_PAIRS, SCAN_SOURCES};
use crate::recent::Recent;
use crate::scanning::grounds::{Counts, grounds};
use crate::scanning::probing::{Contact, Of};
use crate::scanning::report::Scan;
use crate::scanning::{
    Contacts, Least, Outcome, Probing, Rule, Rules, Sensitivity, Test, UseCounts,
};
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector =
    Detector { name: "net_scan", source: include_str!("net_scan.rs"), interests: &[Interest::Row] };

const INSIDE: &[Technique] = &[Technique::new(1046, 0), Technique::new(1018, 0)];
const OUTSIDE: &[Technique] = &[Technique::new(1595, 1), Technique::new(1046, 0)];

/// Failed contacts to the outside on any port in ten minutes.
const OUTBOUND_FAILED: usize = 100;

/// Hosts of ours that a source from outside tries in a day.
const INBOUND_HOSTS: usize = 20;

/// `[detect.net_scan]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// All thresholds at once.
    pub sensitivity: Sensitivity,
    /// Failures beyond used contacts of the sequential test.
    pub failures: Least,
    /// Failed contacts in ten minutes.
    pub failed_10m: Least,
    /// Contacts that are not use in ten minutes.
    pub hosts_10m: Least,
    /// Failed ones in a day.
    pub failed_24h: Least,
    /// Failed ones in three days, over three networks.
    pub failed_72h: Least,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Medium,
            failures: Least(4),
            failed_10m: Least(25),
            hosts_10m: Least(100),
            failed_24h: Least(8),
            failed_72h: Least(6),
        }
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let is_outbound = evidence.text("heading") == Some(Heading::Outbound.name());
        grounds(evidence, self.sensitivity, |test| match test {
            Test::Sequential => Some(("failures", self.failures, Counts::Failed)),
            // A listed port has its sequential test; to others outside, a threshold of their own.
            Test::Burst if is_outbound && !evidence.has("threshold_net_failures") => None,
            Test::Burst => Some(("failed_10m", self.failed_10m, Counts::Failed)),
            Test::Hour => Some(("hosts_10m", self.hosts_10m, Counts::All)),
            Test::Slow => Some(("failed_24h", self.failed_24h, Counts::Failed)),
            Test::Creeping => Some(("failed_72h", self.failed_72h, Counts::Failed)),
            Test::Day | Test::Worm => None,
        })
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(NetScan {
        contacts: Contacts::new(SCAN_NET_PAIRS),
        sources: Recent::new(SCAN_SOURCES),
        rules: RuleBook::new(knobs),
    })
}

/// The rules for each kind of port and heading.
struct RuleBook {
    listed_inside: Rules,
    listed_inbound: Rules,
    other_internal: Rules,
    other_outbound: Rules,
    other_inbound: Rules,
}

impl RuleBook {
    fn new(knobs: &Knobs) -> Self {
        let rule = |test, of, least: Least, span, subnets| Rule {
            test,
            of,
            least: knobs.sensitivity.scale(least),
            span,
            subnets,
        };
        let worm = rule(Test::Worm, Of::Fruitless, Least(50), 0, 1);
        let slow = [
            rule(Test::Slow, Of::Failed, knobs.failed_24h, 86_400, 1),
            rule(Test::Creeping, Of::Failed, knobs.failed_72h, 259_200, 3),
        ];
        let burst = rule(Test::Burst, Of::Failed, knobs.failed_10m, 600, 1);
        let fan = rule(Test::Hour, Of::Fruitless, knobs.hosts_10m, 600, 1);
        let outbound = rule(Test::Burst, Of::Failed, Least(OUTBOUND_FAILED), 600, 1);
        let inbound = |of| rule(Test::Day, of, Least(INBOUND_HOSTS), 86_400, 1);
        let failures = i32::try_from(knobs.sensitivity.scale(knobs.failures)).ok();
        let rules = |net_failures, windows: &[Rule]| Rules {
            net_failures,
            windows: windows.to_vec(),
            use_counts: UseCounts::No,
        };
        let [day, days] = slow;
        Self {
            listed_inside: rules(failures, &[burst, fan, day, days, worm]),
            listed_inbound: rules(failures, &[inbound(Of::Fruitless), day, days, worm]),
            other_internal: rules(None, &[burst, worm]),
            other_outbound: rules(None, &[outbound, worm]),
            other_inbound: rules(None, &[inbound(Of::Failed), worm]),
        }
    }

    fn of(&self, class: Class, heading: Heading) -> &Rules {
        match (class, heading) {
            (Class::Listed(_), Heading::Internal | Heading::Outbound) => &self.listed_inside,
            (Class::Listed(_), Heading::Inbound | Heading::External) => &self.listed_inbound,
            (Class::Other(_), Heading::Internal) => &self.other_internal,
            (Class::Other(_), Heading::Outbound) => &self.other_outbound,
            (Class::Other(_), Heading::Inbound | Heading::External) => &self.other_inbound,
        }
    }
}

/// A class of ports, by the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    /// Ports that intruders look for.
    Listed(u16),
    /// Any other port, by itself.
    Other(u16),
}

impl Class {
    /// That of a port; SMB has a detector of its own.
    const fn of(port: u16) -> Option<Self> {
        match port {
            445 | 139 => None,
            23 | 2323 => Some(Self::Listed(23)),
            5985 | 5986 => Some(Self::Listed(5985)),
            22 | 135 | 1433 | 3389 | 6379 => Some(Self::Listed(port)),
            port => Some(Self::Other(port)),
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Listed(port) | Self::Other(port) => port,
        }
    }

    fn service(self) -> String {
        match self.port() {
            22 => "SSH (TCP/22)".to_owned(),
            23 => "Telnet (TCP/23, 2323)".to_owned(),
            135 => "RPC (TCP/135)".to_owned(),
            1433 => "SQL Server (TCP/1433)".to_owned(),
            3389 => "remote desktops (TCP/3389)".to_owned(),
            5985 => "WinRM (TCP/5985, 5986)".to_owned(),
            6379 => "Redis (TCP/6379)".to_owned(),
            port => format!("TCP/{port}"),
        }
    }

    fn condition(self) -> String {
        match self.port() {
            23 => "dst_port IN (23, 2323)".to_owned(),
            5985 => "dst_port IN (5985, 5986)".to_owned(),
            port => format!("dst_port = {port}"),
        }
    }
}

type Key = (IpAddr, Heading, Class);

struct NetScan {
    contacts: Contacts,
    sources: Recent<Key, Probing>,
    rules: RuleBook,
}

impl Watcher for NetScan {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let (What::Row(record), flow) = (event.what, event.flow) else { return };
        if flow.transport != Transport::TCP {
            return;
        }
        let Some(class) = Class::of(flow.dst.port) else { return };
        let Some(outcome) = Outcome::of(flow, record) else { return };
        if outcome == Outcome::Used && matches!(class, Class::Other(_)) {
            self.contacts.note_use(flow, class, event.ts);
            return;
        }
        let Some(outcome) = self.contacts.first(flow, class, outcome, event.ts) else { return };
        if assets::any_contains(&scene.assets.scanners, flow.src.ip) {
            return;
        }
        let is_dark = assets::any_contains(&scene.assets.canaries, flow.dst.ip);
        let contact = Contact { flow, ts: event.ts, outcome, is_dark };
        let key = (flow.src.ip, event.heading, class);
        let probing = self.sources.entry(key, || Probing::new(event.ts));
        let rules = self.rules.of(class, event.heading);
        probing.note(&contact, rules);
        if probing.is_news(probing.grade()) {
            let is_server = self.contacts.serves(flow.src.ip, class);
            findings.say(finding(key, is_server, probing, rules));
        }
    }

    fn finish(&mut self, _: Timestamp, _: &Scene, findings: &mut Findings) {
        for (&key, probing) in self.sources.iter() {
            if probing.has_grown() {
                let (source, heading, class) = key;
                let is_server = self.contacts.serves(source, class);
                findings.say(finding(key, is_server, probing, self.rules.of(class, heading)));
            }
        }
    }

    fn evicted(&self) -> u64 {
        self.sources.evicted().saturating_add(self.contacts.cut_short())
    }
}

fn finding(key: Key, is_server: bool, probing: &Probing, rules: &Rules) -> Finding {
    let (source, heading, class) = key;
    let is_inside = matches!(heading, Heading::Internal | Heading::Outbound);
    Scan {
        detector: DETECTOR.name,
        source,
        key: Text::from(format!("{} {}", class.port(), heading.name())),
        service: &class.service(),
        condition: &class.condition(),
        heading,
        techniques: if is_inside { INSIDE } else { OUTSIDE },
        is_server,
    }
    .finding(probing, rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{Bench, flow, row};
    use crate::grade::{Severity, Stage};

    /// So many hosts on a port, one in `gap` milliseconds, and what is said in the end.
    fn sweep(
        src: &str,
        net: &str,
        port: u16,
        count: u32,
        gap: i64,
        state: &'static str,
    ) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for at in 0..count {
            let dst = format!("{net}.{}.{}", at / 250, at % 250 + 1);
            let secs = i64::from(at) * gap / 1_000;
            said.extend(bench.row(secs, &flow(src, &dst, port), &row(state)));
        }
        said.extend(bench.finish());
        said
    }

    #[test]
    fn a_bot_is_a_worm_and_one_finding() {
        let said = sweep("10.0.0.5", "198.18", 23, 5_000, 6, "S0");
        let worm = said.iter().position(|finding| finding.title.escaped().contains("worm"));
        assert!(said[worm.unwrap()].count <= 170);
        assert!(said.iter().all(|finding| finding.key == said[0].key));
        assert!(said.len() < 20, "{} times", said.len());
        let last = said.last().unwrap();
        assert_eq!((last.count, last.severity), (5_000, Severity::MEDIUM));
    }

    #[test]
    fn ports_of_intruders_are_watched_closely_and_others_for_bursts() {
        for (src, net, port, count, gap, expected) in [
            ("10.0.0.5", "10.7", 3389, 4, 7_200_000, true),
            ("10.0.0.5", "10.7", 8080, 24, 1_000, false),
            ("10.0.0.5", "10.7", 8080, 25, 1_000, true),
            ("10.0.0.5", "10.7", 8080, 60, 60_000, false),
            ("10.0.0.5", "198.18", 51_413, 99, 1_000, false),
            ("10.0.0.5", "198.18", 443, 100, 1_000, true),
            ("198.51.100.7", "10.7", 3389, 4, 60_000, true),
            ("198.51.100.7", "10.7", 8080, 20, 60_000, true),
        ] {
            let said = sweep(src, net, port, count, gap, "S0");
            assert_eq!(!said.is_empty(), expected, "{src} {net} {port} {count} {gap}");
        }
    }

    #[test]
    fn use_is_no_scan() {
        for port in [443, 3389, 22, 10_050] {
            assert_eq!(sweep("10.0.0.5", "10.7", port, 400, 100, "SF"), [], "port {port}");
        }
        assert_eq!(sweep("10.0.0.5", "10.7", 445, 400, 100, "S0"), [], "of smb_scan");
    }

    #[test]
    fn a_scan_from_outside_is_reconnaissance() {
        let said = sweep("198.51.100.7", "10.7", 22, 10, 60_000, "REJ");
        let last = said.last().unwrap();
        assert_eq!((last.severity, last.stage), (Severity::LOW, Stage::Reconnaissance));
        assert_eq!(last.key.as_bytes(), b"22 inbound");
        assert!(last.hunt.contains("dst_port = 22 AND ts BETWEEN"));
    }
}
