//! A host keeps talking to one server of the world for most of a day.
//!
//! # What it detects
//! Connections of one host to one port of a server in the world that together last for eight hours
//! and more within a day, where hardly anyone else goes.
//!
//! # Why it matters
//! An implant need not call again and again: it can hold one connection, encrypted and silent, over
//! which its owner speaks when he likes. Tunnels and remote desktops that nobody ordered look
//! alike.
//!
//! # How
//! The time that rows of flows cover is summed by host, server and port over a sliding day, by the
//! hour; rows of long flows come every hour while they last, so an alert does not wait for their
//! end. Connections beside each other count once. Flows below a minute are left out. An alert is
//! raised at 8 hours, and again at 12 and 23, if at most 3 hosts of ours know the server. Payload
//! after silences inside such a flow is scored like a beacon: a steady heartbeat (score from 0.70)
//! makes it worse.
//!
//! # False positives
//! Private networks over the Internet, remote administration, video, push services, replication:
//! allow them by host or destination. Push and update services that are widely known are left out.
//!
//! # Knobs
//! `hours` (8): time within a day from which an alert is raised.
//!
//! # References
//! ATT&CK T1571 Non-Standard Port, T1095 Non-Application Layer Protocol. Corelight,
//! zeek-long-connections; Active Countermeasures, RITA.

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use super::beacon;
use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher, What};
use crate::flow_id::{Endpoint, FlowId, Transport};
use crate::flow_record::FlowRecord;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{BEACON_RING, LONG_PAIRS};
use crate::recent::Recent;
use crate::scene::{Heading, Scene, Subject};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "long_connection",
    source: include_str!("long_connection.rs"),
    interests: &[Interest::Row, Interest::Active],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1571, 0), Technique::new(1095, 0)];

/// Seconds below which a row is left out.
const ROW_SECONDS: f64 = 60.0;

/// Hosts of ours that may know a server before it is no longer remarkable.
const RARE_HOSTS: u64 = 3;

/// Score from which marks of activity are a heartbeat, and marks that it takes.
const HEARTBEAT: f64 = 0.70;
const HEARTBEAT_MARKS: usize = 12;

/// Confidence that behaviour of this kind can reach.
const CONFIDENCE_MAX: f64 = 0.7;

/// `[detect.long_connection]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Hours within a day from which an alert is raised.
    pub hours: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { hours: 8 }
    }
}

impl Knobs {
    const fn least_time(&self) -> Threshold {
        Threshold::least("hours", self.hours as f64).in_units_of(3_600.0)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        Ground::exact(self.least_time(), evidence.number("total_s")).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(LongConnections { knobs: knobs.clone(), pairs: Recent::new(LONG_PAIRS) })
}

/// A host and a port of a server.
type Key = (IpAddr, Endpoint, Transport);

/// What is known of them.
#[derive(Default)]
struct Pair {
    first: Timestamp,
    last: Timestamp,
    /// Seconds covered in each of the last 24 hours, by the hour modulo 24.
    covered: [u16; 24],
    /// The latest hour.
    hour: i64,
    longest: f64,
    rows: u64,
    bytes: i64,
    flows: FlowsBehind,
    /// The latest mark of activity, and the intervals between the last ones.
    mark: Option<Timestamp>,
    intervals: VecDeque<f32>,
    sizes: VecDeque<u32>,
    /// Hours that were told, and whether with a heartbeat.
    told: (u32, bool),
}

struct LongConnections {
    knobs: Knobs,
    pairs: Recent<Key, Pair>,
}

impl Watcher for LongConnections {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        if event.heading != Heading::Outbound {
            return;
        }
        let key = (event.flow.src.ip, event.flow.dst, event.flow.transport);
        match event.what {
            What::Row(row) => {
                let seconds = row.end_ts.since(event.ts).as_secs_f64();
                // Nobody ordered what was not answered.
                if seconds < ROW_SECONDS || row.dst_packets == 0 {
                    return;
                }
                let pair = self.pairs.entry(key, Pair::default);
                pair.note(event.flow, row, event.ts, seconds);
                if let Some(finding) = pair.judge(event, scene, &self.knobs) {
                    findings.say(finding);
                }
            }
            What::Active { bytes } => {
                self.pairs.entry(key, Pair::default).note_mark(event.ts, bytes);
            }
            _ => {}
        }
    }

    fn evicted(&self) -> u64 {
        self.pairs.evicted()
    }
}

impl Pair {
    fn note(&mut self, flow: &FlowId, row: &FlowRecord, start: Timestamp, seconds: f64) {
        if self.rows == 0 {
            self.first = start;
        }
        self.last = self.last.max(row.end_ts);
        self.longest = self.longest.max(seconds);
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(row.src_bytes).saturating_add(row.dst_bytes);
        self.flows.add(flow);
        self.cover(second_of(start), second_of(row.end_ts));
    }

    /// Marks the seconds of a row as covered: no hour has more than it has.
    fn cover(&mut self, from: i64, to: i64) {
        const HOUR: i64 = 3_600;
        let last = to.div_euclid(HOUR);
        let forgotten = last.saturating_sub(self.hour).clamp(0, 24);
        for back in 0..forgotten {
            self.set_hour(last.saturating_sub(back), |_| 0);
        }
        self.hour = self.hour.max(last);
        let mut hour = from.div_euclid(HOUR).max(self.hour.saturating_sub(23));
        while hour <= last {
            let begin = from.max(hour.saturating_mul(HOUR));
            let end = to.min(hour.saturating_add(1).saturating_mul(HOUR));
            let seconds = u16::try_from(end.saturating_sub(begin)).unwrap_or(0);
            self.set_hour(hour, |covered| covered.saturating_add(seconds).min(3_600));
            hour = hour.saturating_add(1);
        }
    }

    fn set_hour(&mut self, hour: i64, change: impl FnOnce(u16) -> u16) {
        let place = usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
        if let Some(covered) = self.covered.get_mut(place) {
            *covered = change(*covered);
        }
    }

    fn note_mark(&mut self, ts: Timestamp, bytes: u32) {
        let before = self.mark.replace(ts);
        let Some(before) = before.filter(|before| *before < ts) else { return };
        if self.intervals.len() >= BEACON_RING {
            self.intervals.pop_front();
            self.sizes.pop_front();
        }
        self.intervals.push_back(ts.since(before).as_secs_f32());
        self.sizes.push_back(bytes);
    }

    /// The score of its heartbeat, once there are enough marks.
    fn heartbeat(&self) -> Option<beacon::Score> {
        if self.intervals.len() < HEARTBEAT_MARKS {
            return None;
        }
        let intervals: Vec<f64> = self.intervals.iter().copied().map(f64::from).collect();
        let sizes: Vec<u64> = self.sizes.iter().copied().map(u64::from).collect();
        Some(beacon::score(&intervals, &sizes)).filter(|score| score.value >= HEARTBEAT)
    }

    fn judge(&mut self, event: &Event<'_>, scene: &Scene, knobs: &Knobs) -> Option<Finding> {
        let seconds: u32 = self.covered.iter().copied().map(u32::from).sum();
        let hours = seconds / 3_600;
        if !knobs.least_time().is_met(f64::from(seconds)) {
            self.told = (0, false);
            return None;
        }
        let mark = [23, 12].into_iter().find(|mark| hours >= *mark).unwrap_or(knobs.hours);
        let heartbeat = self.heartbeat();
        let (told_mark, told_heartbeat) = self.told;
        if mark <= told_mark && told_heartbeat >= heartbeat.is_some() {
            return None;
        }
        let address = event.flow.dst.ip;
        let prevalence = scene.contacts.prevalence(&Subject::Address(address));
        let class = event.dst_name.and_then(|name| beacon::class_of(name.as_bytes()));
        if prevalence.hosts > RARE_HOSTS || class.is_some() {
            return None;
        }
        self.told = (mark, heartbeat.is_some());
        Some(self.finding(event, seconds, heartbeat.as_ref(), prevalence.hosts, knobs))
    }

    fn finding(
        &self,
        event: &Event<'_>,
        seconds: u32,
        heartbeat: Option<&beacon::Score>,
        hosts: u64,
        knobs: &Knobs,
    ) -> Finding {
        let FlowId { src, dst, transport, .. } = *event.flow;
        let hours = f64::from(seconds) / 3_600.0;
        let name = event.dst_name.map_or_else(|| dst.ip.to_string(), |name| name.escaped().into());
        // A scale of 4, 8 and 12 hours, from 0.2 on.
        let by_time = 0.2 + 0.2 * (hours / 4.0).min(3.0) / 1.5;
        let bonus = if heartbeat.is_some() { 0.15 } else { 0.0 };
        let mut description = format!(
            "{} was connected to {name} ({} {transport}/{}) for {hours:.1} hours of the last 24 \
             (alerts from {}), the longest part for {:.1}; {hosts} host(s) of ours know the \
             server. ",
            src.ip,
            dst.ip,
            dst.port,
            knobs.hours,
            self.longest / 3_600.0,
        );
        if let Some(score) = heartbeat {
            description += &format!(
                "Inside it, something is sent every {:.1} s at the median, like a heartbeat \
                 (score {:.2}, from {HEARTBEAT}). ",
                score.period, score.value
            );
        }
        description += "Check which program holds the connection, and whether anyone ordered it.";
        Finding {
            detector: DETECTOR.name,
            host: src.ip,
            key: Text::from(format!("{} {transport}/{}", dst.ip, dst.port)),
            title: Text::from(format!("{} stays connected to {name} all day", src.ip)),
            description: Text::from(description),
            severity: if heartbeat.is_some() { Severity::MEDIUM } else { Severity::LOW },
            confidence: (by_time + bonus).min(CONFIDENCE_MAX),
            techniques: TECHNIQUES.into(),
            stage: Stage::CommandAndControl,
            first: self.first,
            last: self.last,
            count: self.rows,
            peers: vec![dst.ip],
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("total_s", json!(seconds)),
                ("longest_s", json!(self.longest.round())),
                ("rows", json!(self.rows)),
                ("bytes", json!(self.bytes)),
                ("heartbeat_B", json!(heartbeat.map(|score| (score.value * 1e3).round() / 1e3))),
                ("heartbeat_m", json!(heartbeat.map(|score| (score.period * 1e3).round() / 1e3))),
                ("prevalence", json!(hosts)),
                ("thresholds", json!({ "hours": knobs.hours, "hosts": RARE_HOSTS })),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{}' AND dst_ip = '{}' AND dst_port = {} AND \
                 proto = '{transport}' AND {} ORDER BY ts",
                src.ip,
                dst.ip,
                dst.port,
                hunt::between(self.first, self.last)
            ),
        }
    }
}

fn second_of(ts: Timestamp) -> i64 {
    ts.nanos().div_euclid(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::Rehearsal;

    const HOST: &str = "10.0.0.5";
    const SERVER: &str = "192.0.2.66";
    const HOUR: f64 = 3_600.0;

    fn play(traffic: Rehearsal) -> Vec<Finding> {
        traffic.play(watcher(&Knobs::default()))
    }

    /// A flow that lasts, told by the hour.
    fn hold(traffic: &mut Rehearsal, host: &str, start: f64, hours: u32) -> FlowId {
        let flow = traffic.open(start, host, SERVER, 4_444, Transport::TCP);
        for hour in 0..hours {
            let start = start + HOUR * f64::from(hour);
            traffic.end(start, HOUR, &flow, "S1", (1_000, 1_000));
        }
        flow
    }

    #[test]
    fn a_connection_is_told_while_it_lasts() {
        let mut traffic = Rehearsal::new();
        hold(&mut traffic, HOST, 1_800.0, 30);
        let findings = play(traffic);
        let hours: Vec<f64> = findings
            .iter()
            .map(|finding| finding.evidence["total_s"].as_f64().unwrap() / HOUR)
            .collect();
        assert_eq!(hours, [8.0, 12.0, 23.0]);
        assert!(findings.iter().all(|finding| finding.severity == Severity::LOW));
    }

    #[test]
    fn a_heartbeat_makes_it_worse() {
        let mut traffic = Rehearsal::new();
        let flow = hold(&mut traffic, HOST, 0.0, 9);
        for beat in 10..900 {
            traffic.active(30.0 * f64::from(beat), &flow, 17);
        }
        let findings = play(traffic);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::MEDIUM);
        assert_eq!(findings[0].evidence["heartbeat_m"], 30.0);
    }

    #[test]
    fn what_is_short_common_beside_itself_or_unanswered_stays_silent() {
        let mut short = Rehearsal::new();
        hold(&mut short, HOST, 0.0, 7);

        let mut common = Rehearsal::new();
        for host in 1..=5 {
            hold(&mut common, &format!("10.0.0.{host}"), 0.0, 12);
        }

        let mut beside = Rehearsal::new();
        for _ in 0..4 {
            hold(&mut beside, HOST, 0.0, 4);
        }

        let mut apart = Rehearsal::new();
        for day in 0..5 {
            hold(&mut apart, HOST, 24.0 * HOUR * f64::from(day), 5);
        }

        let mut internal = Rehearsal::new();
        let flow = internal.open(0.0, HOST, "10.0.0.9", 22, Transport::TCP);
        internal.end(0.0, 20.0 * HOUR, &flow, "SF", (1, 1));

        let mut unanswered = Rehearsal::new();
        let flow = unanswered.open(0.0, HOST, SERVER, 22, Transport::TCP);
        unanswered.end(0.0, 20.0 * HOUR, &flow, "S0", (1, 0));

        for (name, traffic) in [
            ("short", short),
            ("common", common),
            ("beside itself", beside),
            ("on several days", apart),
            ("internal", internal),
            ("unanswered", unanswered),
        ] {
            assert_eq!(play(traffic), [], "{name}");
        }
    }
}
