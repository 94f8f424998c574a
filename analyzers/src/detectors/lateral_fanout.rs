//! A host begins to log on to many others.
//!
//! # What it detects
//! A host of ours that, within a day, uses remote control and file sharing (SMB, RDP, WinRM, SSH,
//! RPC) of many hosts of ours with which it had nothing to do before, far more than it ever did.
//!
//! # Why it matters
//! Stolen administrator's passwords work everywhere, and whoever has one goes from host to host.
//! These are sessions that succeed; scans are told by others.
//!
//! # How
//! A destination counts when it was used (the responder gave 4 KiB or more) on 445, 3389, 5985,
//! 5986, 22 or 135. Told are 10 destinations within 24 h that are more than twice the most of any
//! earlier day of this host, if 70 % of them are new in one or two weeks. Confidence grows with the
//! days that the host was watched, 0.2 + 0.6 · days / 14, 0.8 at most: in the first days of a
//! sensor everything is new, and findings stay in the archive.
//!
//! # False positives
//! A backup server, a console or software distribution that is new: allow it by address. What does
//! the same every day becomes its own baseline.
//!
//! # Knobs
//! `hosts` (10; up to 128), `new_share` (0.7).
//!
//! # References
//! ATT&CK T1021 Remote Services.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher, What};
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{FANOUT_TURN, SCAN_NET_PAIRS, SCAN_RECENT, SCAN_SOURCES, SCAN_TARGETS_TOLD};
use crate::recent::Recent;
use crate::scanning::{Least, Outcome};
use crate::scene::{Heading, Scene, assets};
use crate::seen::Seen;
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "lateral_fanout",
    source: include_str!("lateral_fanout.rs"),
    interests: &[Interest::Row],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1021, 0)];

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Days of watching a host after which its baseline counts in full.
const FULL_DAYS: f64 = 14.0;

/// `[detect.lateral_fanout]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Destinations in a day.
    pub hosts: Least,
    /// Share of them that must be new.
    pub new_share: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { hosts: Least(10), new_share: 0.7 }
    }
}

impl Knobs {
    const fn least_hosts(&self) -> Threshold {
        Threshold::count("hosts", self.hosts.0)
    }

    const fn least_new(&self) -> Threshold {
        Threshold::least("new_share", self.new_share)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let ground = Ground::exact(self.least_hosts(), evidence.number("dsts"))
            .and_then(|ground| ground.and(self.least_new(), evidence.number("new_share")));
        ground.into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(LateralFanout {
        knobs: knobs.clone(),
        met: Seen::new(SCAN_NET_PAIRS / 4, FANOUT_TURN),
        hosts: Recent::new(SCAN_SOURCES),
    })
}

/// A destination of the last day.
struct Target {
    host: IpAddr,
    last: Timestamp,
    is_new: bool,
    port: u16,
}

/// Where one host went.
struct Fan {
    since: Timestamp,
    /// Those used within a day, the oldest first; beyond the bound the oldest makes room.
    targets: Vec<Target>,
    /// When the day that is counted for the baseline began, and the most of any day before.
    day: Timestamp,
    most: usize,
    today: usize,
    flows: FlowsBehind,
    told: usize,
}

struct LateralFanout {
    knobs: Knobs,
    met: Seen,
    hosts: Recent<IpAddr, Fan>,
}

impl Watcher for LateralFanout {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let (What::Row(record), flow) = (event.what, event.flow) else { return };
        if event.heading != Heading::Internal
            || !matches!(flow.dst.port, 445 | 3389 | 5985 | 5986 | 22 | 135)
            || Outcome::of(flow, record) != Some(Outcome::Used)
            || assets::any_contains(&scene.assets.scanners, flow.src.ip)
        {
            return;
        }
        let is_new = self.met.is_new(&(flow.src.ip, flow.dst.ip), event.ts);
        let fan = self.hosts.entry(flow.src.ip, || Fan::new(event.ts));
        fan.note(event, is_new);
        if fan.is_news(&self.knobs) {
            findings.say(fan.finding(flow.src.ip, event.ts, &self.knobs));
        }
    }

    fn evicted(&self) -> u64 {
        self.hosts.evicted().saturating_add(self.met.early_turns())
    }
}

impl Fan {
    const fn new(ts: Timestamp) -> Self {
        Self {
            since: ts,
            targets: Vec::new(),
            day: ts,
            most: 0,
            today: 0,
            flows: FlowsBehind::EMPTY,
            told: 0,
        }
    }

    fn note(&mut self, event: &Event<'_>, is_new: bool) {
        let now = event.ts;
        if now.since(self.day).as_secs() >= DAY {
            // What is told does not become the baseline in the same breath.
            self.most = self.most.max(self.today);
            (self.day, self.today, self.told) = (now, 0, 0);
            self.flows = FlowsBehind::default();
        }
        self.targets.retain(|target| now.since(target.last).as_secs() < DAY);
        let host = event.flow.dst.ip;
        let known = self.targets.iter_mut().find(|target| target.host == host);
        match known {
            Some(target) => target.last = target.last.max(now),
            None => {
                if self.targets.len() >= SCAN_RECENT {
                    self.targets.remove(0);
                }
                let port = event.flow.dst.port;
                self.targets.push(Target { host, last: now, is_new, port });
                if is_new {
                    self.flows.add(event.flow);
                }
            }
        }
        self.today = self.today.max(self.targets.len());
    }

    fn new_targets(&self) -> usize {
        self.targets.iter().filter(|target| target.is_new).count()
    }

    fn is_news(&mut self, knobs: &Knobs) -> bool {
        let count = self.targets.len();
        let is_many = knobs.least_hosts().is_met_by(count) && count > self.most.saturating_mul(2);
        let is_news = is_many
            && knobs.least_new().is_met(self.share())
            && (self.told == 0 || count >= self.told.saturating_mul(2));
        if is_news {
            self.told = count;
        }
        is_news
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 128 of each")]
    fn share(&self) -> f64 {
        self.new_targets() as f64 / self.targets.len().max(1) as f64
    }

    fn finding(&self, source: IpAddr, now: Timestamp, knobs: &Knobs) -> Finding {
        let count = self.targets.len();
        #[expect(clippy::cast_precision_loss, reason = "seconds of a lifetime are exact")]
        let days = now.since(self.since).as_secs() as f64 / DAY as f64;
        let first = self.targets.iter().map(|target| target.last).min().unwrap_or(now);
        let mut ports: Vec<u16> = self.targets.iter().map(|target| target.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let Least(least) = knobs.hosts;
        let new = self.new_targets();
        let peers = self.targets.iter().map(|target| target.host).take(SCAN_TARGETS_TOLD);
        Finding {
            detector: DETECTOR.name,
            host: source,
            key: Text::from(""),
            title: Text::from(format!(
                "{source} logged on to {count} hosts within a day, {new} new"
            )),
            description: Text::from(format!(
                "{source} used remote control or file sharing of {count} hosts of ours within 24 h \
                 (TCP ports {ports:?}), {new} of them for the first time in a week or more. Told \
                 are {least} that are more than twice the most of any earlier day, which was {}, \
                 by a baseline of {days:.1} days. Ask who works on {source}; look at what it did \
                 on the hosts, in the table smb.",
                self.most
            )),
            severity: Severity::MEDIUM,
            confidence: (0.2 + 0.6 * days / FULL_DAYS).min(0.8),
            techniques: TECHNIQUES.into(),
            stage: Stage::LateralMovement,
            first,
            last: now,
            count: count.try_into().unwrap_or(u64::MAX),
            peers: peers.collect(),
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("dsts", json!(count)),
                ("new_dsts", json!(new)),
                ("new_share", json!((self.share() * 100.0).round() / 100.0)),
                ("most_before", json!(self.most)),
                ("baseline_days", json!((days * 10.0).round() / 10.0)),
                ("services", json!(ports)),
                ("threshold_hosts", json!(least)),
                ("threshold_new_share", json!(knobs.new_share)),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{source}' AND dst_port IN (445, 3389, 5985, \
                 5986, 22, 135) AND direction = 'internal' AND {} ORDER BY ts",
                hunt::between(first, now)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{Bench, flow, row};

    /// Each day, how many hosts are used, beginning with which; the days on which it is told.
    fn watch(days: &[(u32, u32)]) -> Vec<(usize, Finding)> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for (day, (from, count)) in days.iter().enumerate() {
            for at in 0..*count {
                let secs = i64::try_from(day).unwrap() * 90_000 + i64::from(at) * 60;
                let dst = format!("10.1.0.{}", from + at);
                let found = bench.row(secs, &flow("10.0.0.5", &dst, 445), &row("SF"));
                said.extend(found.into_iter().map(|finding| (day, finding)));
            }
        }
        said
    }

    #[test]
    fn more_new_hosts_than_ever_are_told_with_the_age_of_the_baseline() {
        let mut days = vec![(1, 3); 14];
        days.push((50, 12));
        let said = watch(&days);
        assert_eq!(said.len(), 1);
        let (day, finding) = &said[0];
        let before = finding.evidence["most_before"].as_u64();
        assert_eq!((*day, finding.count, before), (14, 10, Some(3)));
        assert!(finding.confidence > 0.7, "{}", finding.confidence);
    }

    #[test]
    fn what_is_done_every_day_and_what_is_known_is_not_told_again() {
        let said = watch(&[(1, 100); 10]);
        let days: Vec<usize> = said.iter().map(|(day, _)| *day).collect();
        assert!(days.iter().all(|day| *day == 0), "{days:?}");
        assert!(said.iter().all(|(_, finding)| finding.confidence < 0.25), "a new sensor");
        assert_eq!(watch(&[(1, 3), (1, 9)]).len(), 0);
    }
}
