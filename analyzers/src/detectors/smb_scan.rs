//! A host looks for SMB servers: TCP 445 and 139.
//!
//! # What it detects
//! A source that turns to many hosts on the ports of SMB and comes to nothing: within seconds, as
//! worms do, or with one probe in hours, as people do who do not want to be seen. It also detects
//! any host of ours that turns to SMB in the outside world, where hardly anyone has business.
//!
//! # Why it matters
//! File sharing is how WannaCry, NotPetya and most intruders move from one Windows host to the
//! next, and looking for port 445 comes before that. Outbound SMB also gives logon secrets away.
//!
//! # How
//! Only first contacts count: pairs that had nothing to do with each other for a day or more. Their
//! outcome is that of the flow: *failed* (no answer or a refusal), *empty* (accepted, given up),
//! *brief* (the responder gave less than 4 KiB), *used*. Failing to reach a host that answers
//! others is an outage and not counted; nor is greeting a host that others use. A client that tries
//! both ports of a host at once is judged by port 445 alone.
//!
//! A sequential test (TRW) weighs failures against use: from a fresh start four failures
//! decide, whatever their pace, if no day passes without one. For sources of ours windows count
//! contacts that are not use: 10 hosts in 10 min, 20 in 1 h, 30 in 24 h; 8 failed ones in 24 h; 6
//! failed ones in 72 h over 3 networks. For sources from outside: 20 hosts in 24 h, and the failed
//! ones as above. 50 hosts within one second are told as a worm. Touching three decoys
//! (`assets.canaries`) divides every threshold by 2.5. The first test that fires raises the alert,
//! others raise its confidence: 0.45, 0.10 for each further test, 0.15 if four fifths failed, 0.15
//! if the source serves no SMB itself; at most 0.85. It is said again when the number of hosts has
//! doubled.
//!
//! SMB to the outside world: one host is worth a look (P2), three contacts that are not use are
//! told as what WannaCry does (P1).
//!
//! # False positives
//! Vulnerability scanners and inventory of our own: name them in `assets.scanners`. Backup servers
//! and software distribution use what they contact and do not count; clients of a file server that
//! is down know it or share its failure with others; answers to forged packets begin without a SYN.
//! A sweep that comes back every day is known after the first. Cloud file shares are SMB to the
//! outside: allow them by address.
//!
//! # Knobs
//! `sensitivity` (`low`, `medium`, `high`: thresholds times 1.5, 1, 0.4, three at least),
//! `failures` (4, of the sequential test), `hosts_10m` (10), `hosts_1h` (20), `hosts_24h` (30),
//! `failed_24h` (8), `failed_72h` (6); each up to 128.
//!
//! # References
//! ATT&CK T1046 Network Service Discovery, T1018 Remote System Discovery, T1210 Exploitation of
//! Remote Services, T1187 Forced Authentication. J. Jung, V. Paxson, A. Berger, H. Balakrishnan,
//! "Fast Portscan Detection Using Sequential Hypothesis Testing", 2004.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, Interest, Opening, Watcher, What};
use crate::flow_id::Transport;
use crate::grade::{Severity, Technique};
use crate::limits::{SCAN_CONTACT_TURN, SCAN_SMB_PAIRS, SCAN_SOURCES};
use crate::recent::Recent;
use crate::scanning::grounds::{Counts, grounds};
use crate::scanning::probing::{Contact, Of};
use crate::scanning::report::Scan;
use crate::scanning::{
    Contacts, Least, Outcome, Probing, Rule, Rules, Sensitivity, Test, UseCounts,
};
use crate::scene::{Heading, Scene, assets};
use crate::seen::Seen;
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "smb_scan",
    source: include_str!("smb_scan.rs"),
    interests: &[Interest::Opened, Interest::Row],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1046, 0), Technique::new(1018, 0)];

const OUTBOUND_TECHNIQUES: &[Technique] =
    &[Technique::new(1046, 0), Technique::new(1210, 0), Technique::new(1187, 0)];

/// SMB over TCP.
const SMB: u16 = 445;

/// SMB over NetBIOS.
const NETBIOS: u16 = 139;

/// Contacts with the outside world that are not use, from which on it is told as a worm's.
const OUTSIDE_HOSTS: u64 = 3;

/// `[detect.smb_scan]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// All thresholds at once.
    pub sensitivity: Sensitivity,
    /// Failures beyond used contacts of the sequential test.
    pub failures: Least,
    /// Hosts in ten minutes that come to nothing.
    pub hosts_10m: Least,
    /// In an hour.
    pub hosts_1h: Least,
    /// In a day.
    pub hosts_24h: Least,
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
            hosts_10m: Least(10),
            hosts_1h: Least(20),
            hosts_24h: Least(30),
            failed_24h: Least(8),
            failed_72h: Least(6),
        }
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        // SMB to the outside is told from the first host on.
        if evidence.has("threshold_outside_hosts") {
            return vec![Ground::FIXED];
        }
        grounds(evidence, self.sensitivity, |test| match test {
            Test::Sequential => Some(("failures", self.failures, Counts::Failed)),
            Test::Burst => Some(("hosts_10m", self.hosts_10m, Counts::All)),
            Test::Hour => Some(("hosts_1h", self.hosts_1h, Counts::All)),
            // Sources from outside are held to a threshold of their own.
            Test::Day if evidence.text("heading") == Some(Heading::Inbound.name()) => None,
            Test::Day => Some(("hosts_24h", self.hosts_24h, Counts::All)),
            Test::Slow => Some(("failed_24h", self.failed_24h, Counts::Failed)),
            Test::Creeping => Some(("failed_72h", self.failed_72h, Counts::Failed)),
            Test::Worm => None,
        })
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    let rule = |test, of, least: Least, span, subnets| Rule {
        test,
        of,
        least: knobs.sensitivity.scale(least),
        span,
        subnets,
    };
    let slow = [
        rule(Test::Slow, Of::Failed, knobs.failed_24h, 86_400, 1),
        rule(Test::Creeping, Of::Failed, knobs.failed_72h, 259_200, 3),
        rule(Test::Worm, Of::Fruitless, Least(50), 0, 1),
    ];
    let mut inside = vec![
        rule(Test::Burst, Of::Fruitless, knobs.hosts_10m, 600, 1),
        rule(Test::Hour, Of::Fruitless, knobs.hosts_1h, 3_600, 1),
        rule(Test::Day, Of::Fruitless, knobs.hosts_24h, 86_400, 1),
    ];
    inside.extend(slow);
    let mut inbound = vec![rule(Test::Day, Of::Fruitless, Least(20), 86_400, 1)];
    inbound.extend(slow);
    let net_failures = i32::try_from(knobs.sensitivity.scale(knobs.failures)).ok();
    let rules = |windows: &[Rule], use_counts| Rules {
        net_failures,
        windows: windows.to_vec(),
        use_counts,
    };
    Box::new(SmbScan {
        contacts: Contacts::new(SCAN_SMB_PAIRS),
        tried: Seen::new(SCAN_SMB_PAIRS, SCAN_CONTACT_TURN),
        sources: Recent::new(SCAN_SOURCES),
        internal: rules(&inside, UseCounts::No),
        outbound: rules(&inside, UseCounts::Yes),
        inbound: rules(&inbound, UseCounts::No),
    })
}

struct SmbScan {
    contacts: Contacts,
    /// Pairs of which the originator tried port 445.
    tried: Seen,
    sources: Recent<(IpAddr, Heading), Probing>,
    internal: Rules,
    outbound: Rules,
    inbound: Rules,
}

impl Watcher for SmbScan {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let flow = event.flow;
        if !matches!(flow.dst.port, SMB | NETBIOS) || flow.transport != Transport::TCP {
            return;
        }
        let record = match event.what {
            What::Row(record) => record,
            What::Opened(Opening::Syn) if flow.dst.port == SMB => {
                self.tried.is_new(&(flow.src.ip, flow.dst.ip), event.ts);
                return;
            }
            _ => return,
        };
        let Some(outcome) = Outcome::of(flow, record) else { return };
        if flow.dst.port == NETBIOS && self.tried.contains(&(flow.src.ip, flow.dst.ip)) {
            return;
        }
        let Some(outcome) = self.contacts.first(flow, (), outcome, event.ts) else { return };
        if assets::any_contains(&scene.assets.scanners, flow.src.ip) {
            return;
        }
        let is_dark = assets::any_contains(&scene.assets.canaries, flow.dst.ip);
        let contact = Contact { flow, ts: event.ts, outcome, is_dark };
        let key = (flow.src.ip, event.heading);
        let rules = match event.heading {
            Heading::Internal => &self.internal,
            Heading::Outbound => &self.outbound,
            Heading::Inbound | Heading::External => &self.inbound,
        };
        let probing = self.sources.entry(key, || Probing::new(event.ts));
        probing.note(&contact, rules);
        if probing.is_news(grade(event.heading, probing)) {
            let is_server = self.contacts.serves(flow.src.ip, ());
            findings.say(finding(key, is_server, probing, rules));
        }
    }

    fn finish(&mut self, _: Timestamp, _: &Scene, findings: &mut Findings) {
        for (&key, probing) in self.sources.iter() {
            let (source, heading) = key;
            let rules = match heading {
                Heading::Internal => &self.internal,
                Heading::Outbound => &self.outbound,
                Heading::Inbound | Heading::External => &self.inbound,
            };
            if probing.has_grown() {
                findings.say(finding(key, self.contacts.serves(source, ()), probing, rules));
            }
        }
    }

    fn evicted(&self) -> u64 {
        let cut_short = self.contacts.cut_short().saturating_add(self.tried.early_turns());
        self.sources.evicted().saturating_add(cut_short)
    }
}

/// What is made of it: outside any contact is something, and some that are not use are more.
fn grade(heading: Heading, probing: &Probing) -> u16 {
    match heading {
        Heading::Outbound => 0x100 | probing.grade() | if is_worm(probing) { 0x200 } else { 0 },
        Heading::Internal | Heading::Inbound | Heading::External => probing.grade(),
    }
}

/// Whether contacts with the outside look like those of a worm.
const fn is_worm(probing: &Probing) -> bool {
    let counts = probing.counts();
    counts.counted.saturating_sub(counts.used) >= OUTSIDE_HOSTS
}

fn finding(
    (source, heading): (IpAddr, Heading),
    is_server: bool,
    probing: &Probing,
    rules: &Rules,
) -> Finding {
    let scan = Scan {
        detector: DETECTOR.name,
        source,
        key: Text::from(heading.name()),
        service: "SMB (TCP/445)",
        condition: "dst_port IN (445, 139)",
        heading,
        techniques: TECHNIQUES,
        is_server,
    };
    let finding = scan.finding(probing, rules);
    if heading == Heading::Outbound { outbound(finding, probing) } else { finding }
}

/// The same about SMB to the outside world.
fn outbound(finding: Finding, probing: &Probing) -> Finding {
    let source = finding.host;
    let counts = probing.counts();
    let hosts = counts.counted;
    let (severity, confidence, title, meaning) = if is_worm(probing) {
        (
            Severity::HIGH,
            finding.confidence.max(0.75),
            format!("{source} looks for SMB servers in the outside world: {hosts} so far"),
            "WannaCry and its kind do this from every host that they infect: take it off \
             the network and look at what it does inside.",
        )
    } else {
        (
            Severity::MEDIUM,
            0.5,
            format!("{source} contacted SMB in the outside world"),
            "A link to a file:// address or a picture in a mail is enough, and gives the \
             user's logon secrets away; a cloud file share is the honest reason: allow it by \
             address.",
        )
    };
    Finding {
        title: Text::from(title),
        description: Text::from(format!(
            "{source} turned to {hosts} outside hosts on TCP/445 or 139 for the first time \
             in a day or more: {} failed, {} were used. {OUTSIDE_HOSTS} that are not use are told \
             as a worm. {meaning}",
            counts.failed, counts.used
        )),
        severity,
        confidence,
        techniques: OUTBOUND_TECHNIQUES.into(),
        evidence: finding
            .evidence
            .into_iter()
            .chain([("threshold_outside_hosts", json!(OUTSIDE_HOSTS))])
            .collect(),
        ..finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{Bench, flow, row};
    use crate::scene::assets::Network;

    /// Contacts (second, source, destination, port, state) and what is said about them in the end.
    fn watch(contacts: &[(i64, &str, &str, u16, &'static str)]) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        bench.scene.assets.scanners = vec![Network("10.0.0.250/32".parse().unwrap())];
        let mut said = Vec::new();
        for (secs, src, dst, port, state) in contacts {
            let flow = flow(src, dst, *port);
            bench.opened(*secs, &flow);
            said.extend(bench.row(*secs, &flow, &row(state)));
        }
        said.extend(bench.finish());
        said
    }

    fn sweep<'a>(
        src: &'a str,
        targets: &'a [String],
        gap: i64,
        state: &'static str,
    ) -> Vec<(i64, &'a str, &'a str, u16, &'static str)> {
        (0_i64..).zip(targets).map(|(at, dst)| (at * gap, src, dst.as_str(), 445, state)).collect()
    }

    fn hosts(count: u32) -> Vec<String> {
        (0..count).map(|at| format!("10.1.{}.{}", at / 250, at % 250 + 1)).collect()
    }

    #[test]
    fn a_scan_is_one_finding_that_grows() {
        let said = watch(&sweep("10.0.0.5", &hosts(100), 2, "S0"));
        let counts: Vec<u64> = said.iter().map(|finding| finding.count).collect();
        assert_eq!(counts, [4, 8, 10, 20, 30, 60, 100]);
        let last = said.last().unwrap();
        assert_eq!((last.severity, last.confidence), (Severity::MEDIUM, 0.85));
        assert_eq!(last.peers.len(), 20);
        assert!(said.iter().all(|finding| finding.key.as_bytes() == b"internal"));
    }

    #[test]
    fn the_slowest_scans_are_found_by_the_fourth_probe() {
        let targets = hosts(12);
        for (gap, source, severity) in [
            (600, "10.0.0.5", Severity::MEDIUM),
            (7_200, "10.0.0.5", Severity::MEDIUM),
            (71_065, "198.51.100.7", Severity::LOW),
        ] {
            let said = watch(&sweep(source, &targets, gap, "S0"));
            let first = said.first().unwrap();
            assert_eq!((first.count, first.severity), (4, severity), "every {gap} s");
            assert_eq!(first.last.since(first.first).as_secs(), 3 * gap.unsigned_abs());
        }
    }

    #[test]
    fn the_order_of_packets_in_the_capture_does_not_matter() {
        let targets = hosts(9);
        let sorted = sweep("198.51.100.7", &targets, 786, "S0");
        let mut newest_first = sorted.clone();
        newest_first.rotate_right(1);
        let last = |contacts: &[_]| {
            let finding = watch(contacts).pop().unwrap();
            (finding.count, finding.confidence, finding.first, finding.last)
        };
        assert_eq!(last(&newest_first), last(&sorted));
    }

    #[test]
    fn honest_hosts_are_not_told() {
        let (many, few) = (hosts(200), hosts(3));
        // A backup server that uses every host; our own scanner; drives of servers that are gone.
        assert_eq!(watch(&sweep("10.0.0.9", &many, 1, "SF")), []);
        assert_eq!(watch(&sweep("10.0.0.250", &many, 1, "S0")), []);
        let storm: Vec<_> = (0..500)
            .zip(few.iter().cycle())
            .map(|(at, server)| (at, "10.0.0.5", server.as_str(), 445, "S0"))
            .collect();
        assert_eq!(watch(&storm), []);
        // A file server that many use, and its outage.
        let clients: Vec<_> = (0_i64..)
            .zip(&many)
            .flat_map(|(at, client)| {
                let client = client.as_str();
                [(at, client, "10.0.0.1", 445, "SF"), (at + 9_000, client, "10.0.0.1", 445, "S0")]
            })
            .collect();
        assert_eq!(watch(&clients), []);
        // Clients that try both ports at once and are answered on one.
        let both: Vec<_> = (0_i64..)
            .zip(&hosts(8))
            .flat_map(|(at, dst)| {
                let dst: &str = Box::leak(dst.clone().into_boxed_str());
                [(at, "10.0.0.5", dst, 445, "SF"), (at, "10.0.0.5", dst, 139, "REJ")]
            })
            .collect();
        assert_eq!(watch(&both), []);
    }

    #[test]
    fn an_outage_of_servers_that_others_use_is_no_scan() {
        let servers = hosts(30);
        let mut contacts = sweep("10.0.0.5", &servers, 1, "SF");
        contacts.extend(sweep("10.0.0.6", &servers, 1, "S0"));
        assert_eq!(watch(&contacts), []);
    }

    #[test]
    fn smb_to_the_outside_is_told_from_the_first_host_and_graver_from_the_third() {
        let said = watch(&[
            (0, "10.0.0.5", "198.51.100.1", 445, "S0"),
            (1, "10.0.0.5", "198.51.100.2", 445, "SF"),
            (2, "10.0.0.5", "198.51.100.3", 445, "S0"),
            (3, "10.0.0.5", "198.51.100.4", 445, "S0"),
        ]);
        let told: Vec<_> = said.iter().map(|finding| (finding.count, finding.severity)).collect();
        assert_eq!(told, [(1, Severity::MEDIUM), (2, Severity::MEDIUM), (4, Severity::HIGH)]);
    }
}
