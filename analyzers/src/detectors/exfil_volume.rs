//! A host sends far more to a destination than it ever did.
//!
//! # What it detects
//! A day on which a host of ours uploads much more to one destination in the world than its own
//! habit explains, where few others go; and a week of small uploads that add up.
//!
//! # Why it matters
//! Taking data out is the point of most intrusions, and the last moment to notice one. It shows as
//! bytes in the unusual direction, whatever carries them.
//!
//! # How
//! Payload of outbound flows is summed by host and destination (registrable domain, else
//! autonomous system, else network) and local day. Rows of long flows come every hour, so an upload
//! is told while it runs. For each pair the mean μ and deviation σ of ln(1 + bytes) are learned day
//! by day, with a half-life of about ten days, for workdays and rest days apart. An alert is raised
//! when the day reaches max(`bytes`, exp(μ + 4σ)), three times as much goes out as comes in, and at
//! most 5 hosts know the destination or it came up this week; or when the last seven days reach
//! `bytes` and five times the habit of a week under the same conditions. Before there are three
//! days of a kind there is no habit, and confidence is halved; it is full after 14 days.
//!
//! # False positives
//! Backups, cloud storage, mirrors, mail relays: allow them by host or destination. Video calls
//! send as much as they receive.
//!
//! # Knobs
//! `bytes` (100000000): payload bytes of a day from which an upload is large.
//!
//! # References
//! ATT&CK T1041 Exfiltration Over C2 Channel, T1048 Over Alternative Protocol, T1567 Over Web
//! Service, T1030 Data Transfer Size Limits.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::beacon::network_of;
use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher, What};
use crate::domain;
use crate::flow_record::FlowRecord;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::EXFIL_PAIRS;
use crate::recent::Recent;
use crate::scene::prevalence::digest;
use crate::scene::schedule::DayClass;
use crate::scene::{Heading, Scene, Subject};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "exfil_volume",
    source: include_str!("exfil_volume.rs"),
    interests: &[Interest::Row],
};

const TECHNIQUES: &[Technique] = &[
    Technique::new(1041, 0),
    Technique::new(1048, 0),
    Technique::new(1567, 0),
    Technique::new(1030, 0),
];

/// Payload bytes of a row below which it is no upload.
const ROW_BYTES: i64 = 1_000;

/// Bytes that a pair sends on a day before its flows are remembered.
const REMEMBERED_FROM: u64 = 100_000;

/// How much more goes out than comes in.
const RATIO: f64 = 3.0;

/// Hosts that may know the destination before it is no longer remarkable.
const RARE_HOSTS: u64 = 5;

/// A destination that came up within it is new.
const NEW: Duration = Duration::from_secs(7 * 86_400);

/// Weight of the latest day in a habit.
const LATEST: f64 = 1.0 / 15.0;

/// Days of a kind from which there is a habit, and from which it is to be relied on.
const HABIT_DAYS: u32 = 3;
const FULL_DAYS: f64 = 14.0;

/// How many times the habit of a week a slow upload is.
const SLOW_FACTOR: f64 = 5.0;

/// Days of a kind from which a habit is older than a slow upload.
const SLOW_DAYS: u32 = 10;

/// Confidence that behaviour of this kind can reach.
const CONFIDENCE_MAX: f64 = 0.8;

/// `[detect.exfil_volume]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Payload bytes of a day from which an upload is large.
    pub bytes: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { bytes: 100_000_000 }
    }
}

impl Knobs {
    const fn least_sent(&self) -> Threshold {
        Threshold::least("bytes", self.bytes as f64)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        Ground::exact(self.least_sent(), evidence.number("bytes")).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Uploads { knobs: knobs.clone(), pairs: Recent::new(EXFIL_PAIRS), clock: None })
}

/// What a host usually sends on one kind of day.
#[derive(Clone, Copy, Debug, Default)]
struct Habit {
    days: u32,
    mean: f64,
    variance: f64,
}

/// A local day.
#[derive(Clone, Copy, Debug)]
struct Today {
    /// Days since 1970.
    day: i64,
    is_rest: bool,
}

/// A host and a destination. Nearly all pairs come up once, so that what only the others need is
/// made when they need it.
#[derive(Debug, Default)]
struct Pair {
    /// The local day that runs, and its kind.
    day: i64,
    is_rest: bool,
    sent: u64,
    received: u64,
    first: Timestamp,
    last: Timestamp,
    count: u64,
    told: u64,
    past: Option<Box<Past>>,
    flows: Option<Box<FlowsBehind>>,
}

/// What earlier days were like.
#[derive(Debug, Default)]
struct Past {
    /// Bytes sent and received on the six days before this one, the latest first.
    before: [(u64, u64); 6],
    /// On workdays and on rest days.
    habits: [Habit; 2],
}

struct Uploads {
    knobs: Knobs,
    pairs: Recent<(IpAddr, u64), Pair>,
    /// The quarter of an hour that runs, and the day that it is in: no zone changes it within.
    clock: Option<(i64, Today)>,
}

/// Where an upload goes.
#[derive(Debug, Hash)]
enum Place<'a> {
    Domain(&'a [u8]),
    System(i64),
    Network(IpAddr),
}

impl<'a> Place<'a> {
    fn of(event: &Event<'a>, row: &FlowRecord) -> Self {
        let domain = event.dst_name.and_then(|name| domain::registrable(name.as_bytes()));
        match (domain, row.dst_asn) {
            (Some(domain), _) => Self::Domain(domain),
            (None, Some(number)) => Self::System(number),
            (None, None) => Self::Network(network_of(event.flow.dst.ip)),
        }
    }

    fn label(&self, row: &FlowRecord) -> String {
        match self {
            Self::Domain(domain) => crate::text::escape(domain).into_owned(),
            Self::System(number) => match &row.dst_as_org {
                Some(org) => format!("AS{number} {}", org.escaped()),
                None => format!("AS{number}"),
            },
            Self::Network(network) => format!("the network of {network}"),
        }
    }

    fn condition(&self) -> String {
        match self {
            Self::Domain(domain) => {
                let domain = crate::text::escape(domain);
                let below = hunt::text(&format!(".{domain}"));
                format!("(dst_name = {} OR ends_with(dst_name, {below}))", hunt::text(&domain))
            }
            Self::System(number) => format!("dst_asn = {number}"),
            Self::Network(network) => {
                format!("starts_with(dst_ip, '{}')", super::beacon::prefix_text(*network))
            }
        }
    }
}

impl Watcher for Uploads {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let What::Row(row) = event.what else { return };
        if event.heading != Heading::Outbound
            || row.src_bytes.saturating_add(row.dst_bytes) < ROW_BYTES
        {
            return;
        }
        let key = (event.flow.src.ip, digest(&Place::of(event, row)));
        let today = self.today(event.time, scene);
        let pair = self.pairs.entry(key, Pair::default);
        pair.note(event, row, today);
        // Nearly every row ends here.
        if !self.knobs.least_sent().is_met(pair.week().0 as f64) {
            return;
        }
        if let Some(excess) = pair.excess(&self.knobs)
            && let Some(finding) = excess.finding(pair, event, row, scene, &self.knobs)
        {
            pair.told = excess.sent;
            findings.say(finding);
        }
    }

    fn evicted(&self) -> u64 {
        self.pairs.evicted()
    }
}

impl Uploads {
    /// The local day of an instant.
    fn today(&mut self, now: Timestamp, scene: &Scene) -> Today {
        const QUARTER: i64 = 900_000_000_000;
        let quarter = now.nanos().div_euclid(QUARTER);
        match self.clock {
            Some((known, today)) if known == quarter => today,
            _ => {
                let local = scene.schedule.local(now);
                let epoch = jiff::civil::date(1970, 1, 1);
                let day = local.time.date().duration_since(epoch).as_hours() / 24;
                let today = Today { day, is_rest: local.class == DayClass::RestDay };
                self.clock = Some((quarter, today));
                today
            }
        }
    }
}

/// How an upload passes what is usual.
struct Excess {
    what: &'static str,
    sent: u64,
    received: u64,
    bound: f64,
    habit: Habit,
}

impl Pair {
    fn note(&mut self, event: &Event<'_>, row: &FlowRecord, today: Today) {
        if self.count == 0 {
            (self.day, self.is_rest, self.first) = (today.day, today.is_rest, event.ts);
        }
        if today.day > self.day {
            self.end_day(today);
        }
        let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
        // What is not in the capture may never have been sent: a reset with a wild sequence number
        // looks like gigabytes.
        let seen = row.src_bytes.saturating_sub(row.missed_bytes);
        self.sent = self.sent.saturating_add(bytes(seen));
        self.received = self.received.saturating_add(bytes(row.dst_bytes));
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(row.end_ts);
        if row.src_bytes >= ROW_BYTES && self.sent >= REMEMBERED_FROM {
            self.flows.get_or_insert_default().add(event.flow);
        }
    }

    /// A day becomes part of the habit, and with it the silent days that followed.
    fn end_day(&mut self, today: Today) {
        let past = self.past.get_or_insert_default();
        if let Some(habit) = past.habits.get_mut(usize::from(self.is_rest)) {
            habit.learn((1.0 + self.sent as f64).ln());
        }
        let passed = today.day.saturating_sub(self.day).clamp(1, 6);
        for _ in 0..passed {
            past.before.rotate_right(1);
            if let Some(newest) = past.before.first_mut() {
                *newest = (self.sent, self.received);
            }
            (self.sent, self.received) = (0, 0);
        }
        (self.day, self.is_rest) = (today.day, today.is_rest);
        self.told = self.told.min(self.week().0);
    }

    /// What went out and came in on the last seven days.
    fn week(&self) -> (u64, u64) {
        let before = self.past.iter().flat_map(|past| &past.before);
        before.fold((self.sent, self.received), |(sent, received), day| {
            (sent.saturating_add(day.0), received.saturating_add(day.1))
        })
    }

    /// How the pair passes what is usual, if it does and that is news.
    fn excess(&self, knobs: &Knobs) -> Option<Excess> {
        let past = self.past.as_deref();
        let habit = past.and_then(|past| past.habits.get(usize::from(self.is_rest)).copied());
        let habit = habit.unwrap_or_default();
        let floor = knobs.bytes as f64;
        let usual = habit.bound().unwrap_or(0.0);
        let today = Excess {
            what: "today",
            sent: self.sent,
            received: self.received,
            bound: floor.max(usual),
            habit,
        };
        let (sent, received) = self.week();
        // A habit of a day, for seven of them; a young one may be the upload itself.
        let is_old = habit.days >= SLOW_DAYS;
        let weekly = if is_old { 7.0 * habit.mean.exp() * SLOW_FACTOR } else { 0.0 };
        let slow =
            Excess { what: "in seven days", sent, received, bound: floor.max(weekly), habit };
        [today, slow].into_iter().find(|excess| {
            let sent = excess.sent as f64;
            knobs.least_sent().is_met(sent)
                && sent >= excess.bound
                && sent >= RATIO * excess.received as f64
                && excess.sent >= self.told.saturating_mul(2)
        })
    }
}

impl Habit {
    fn learn(&mut self, value: f64) {
        // The first days weigh the same; later ones fade.
        let weight = LATEST.max(1.0 / f64::from(self.days.saturating_add(1)));
        let change = value - self.mean;
        self.mean += weight * change;
        self.variance = (1.0 - weight) * (self.variance + weight * change * change);
        self.days = self.days.saturating_add(1);
    }

    const fn is_known(&self) -> bool {
        self.days >= HABIT_DAYS
    }

    /// Bytes of a day beyond which it is unusual.
    fn bound(&self) -> Option<f64> {
        // A steady habit has no deviation; a third more is no news.
        let deviation = self.variance.sqrt().max(0.1);
        self.is_known().then(|| (self.mean + 4.0 * deviation).exp())
    }
}

impl Excess {
    fn finding(
        &self,
        pair: &Pair,
        event: &Event<'_>,
        row: &FlowRecord,
        scene: &Scene,
        knobs: &Knobs,
    ) -> Option<Finding> {
        let place = Place::of(event, row);
        let host = event.flow.src.ip;
        let subject = match &place {
            Place::Domain(domain) => Subject::Domain(domain),
            _ => Subject::Address(event.flow.dst.ip),
        };
        let prevalence = scene.contacts.prevalence(&subject);
        let is_new = prevalence.is_newer_than(NEW, event.time) == Some(true);
        if prevalence.hosts > RARE_HOSTS && !is_new {
            return None;
        }
        let label = place.label(row);
        let reliance = 0.5 + 0.5 * (f64::from(self.habit.days) / FULL_DAYS).min(1.0);
        let excess = (self.sent as f64 / self.bound).log2();
        let confidence = (0.6 + 0.1 * excess + if is_new { 0.1 } else { 0.0 }) * reliance;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let habit = if self.habit.is_known() {
            let usual = self.habit.mean.exp() / 1e6;
            format!("usually {usual:.1} MB a day, over {} days", self.habit.days)
        } else {
            "there is no habit yet to compare with".to_owned()
        };
        let known = Known { hosts: prevalence.hosts, new: is_new };
        Some(Finding {
            detector: DETECTOR.name,
            host,
            key: Text::from(label.clone()),
            title: Text::from(format!(
                "{host} sent {:.0} MB to {label} {}",
                megabytes(self.sent),
                self.what
            )),
            description: Text::from(format!(
                "{host} sent {:.1} MB to {label} {} and received {:.1} MB (alerts from \
                 {:.1} MB and {RATIO} times as much out as in); {habit}. {} host(s) of ours know \
                 the destination. Check what was sent, by which program, and who owns the \
                 destination.",
                megabytes(self.sent),
                self.what,
                megabytes(self.received),
                self.bound / 1e6,
                prevalence.hosts,
            )),
            severity: Severity::MEDIUM,
            confidence: confidence.clamp(0.0, CONFIDENCE_MAX),
            techniques: TECHNIQUES.into(),
            stage: Stage::Exfiltration,
            first: pair.first,
            last: pair.last,
            count: pair.count,
            peers: vec![event.flow.dst.ip],
            flows: pair.flows.as_deref().cloned().unwrap_or_default(),
            indicator: None,
            evidence: self.evidence(row, known, knobs),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{host}' AND {} AND {} ORDER BY src_bytes DESC",
                place.condition(),
                hunt::between(pair.first, pair.last)
            ),
        })
    }

    fn evidence(
        &self,
        row: &FlowRecord,
        known: Known,
        knobs: &Knobs,
    ) -> BTreeMap<&'static str, Value> {
        let ratio = self.sent as f64 / (self.received.max(1) as f64);
        let habit = [rounded(self.habit.mean), rounded(self.habit.variance.sqrt())];
        [
            ("bytes", json!(self.sent)),
            ("received", json!(self.received)),
            ("span", json!(self.what)),
            ("bound", json!(self.bound.round())),
            ("baseline_mu_sigma", json!(habit)),
            ("baseline_days", json!(self.habit.days)),
            ("ratio", json!(rounded(ratio))),
            ("asn", json!(row.dst_asn)),
            ("country", json!(row.dst_country.as_ref().map(Text::escaped))),
            ("prevalence", json!(known.hosts)),
            ("new", json!(known.new)),
            ("thresholds", json!({ "bytes": knobs.bytes, "ratio": RATIO, "hosts": RARE_HOSTS })),
        ]
        .into()
    }
}

/// How well a destination is known here.
struct Known {
    hosts: u64,
    new: bool,
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::Rehearsal;
    use crate::detectors::samples::row;
    use crate::flow_id::Transport;

    const HOST: &str = "10.0.0.5";
    const DAY: f64 = 86_400.0;
    const MB: i64 = 1_000_000;

    fn play(traffic: Rehearsal) -> Vec<Finding> {
        traffic.play(watcher(&Knobs::default()))
    }

    fn send(traffic: &mut Rehearsal, host: &str, second: f64, out: i64, back: i64) {
        let flow = traffic.open(second, host, "192.0.2.66", 443, Transport::TCP);
        traffic.end(second, 60.0, &flow, "SF", (out, back));
    }

    #[test]
    fn an_upload_is_told_while_it_runs_and_again_when_it_has_doubled() {
        let mut traffic = Rehearsal::new();
        let flow = traffic.open(0.0, HOST, "192.0.2.66", 443, Transport::TCP);
        for hour in 0..10 {
            let start = 3_600.0 * f64::from(hour);
            traffic.end(start, 3_600.0, &flow, "S1", (60 * MB, MB));
        }
        let sent: Vec<u64> =
            play(traffic).iter().map(|f| f.evidence["bytes"].as_u64().unwrap()).collect();
        assert_eq!(sent, [120_000_000, 240_000_000, 480_000_000]);
    }

    #[test]
    fn bytes_that_nobody_saw_are_no_upload() {
        let mut traffic = Rehearsal::new();
        let flow = traffic.open(0.0, HOST, "192.0.2.66", 80, Transport::TCP);
        let wild = FlowRecord { src_bytes: 787 * MB, missed_bytes: 786 * MB, ..row("RSTO") };
        traffic.row(1.0, 0.0, &flow, wild);
        assert_eq!(play(traffic), []);
    }

    #[test]
    fn a_slow_upload_adds_up() {
        let mut traffic = Rehearsal::new();
        for day in 0..7 {
            send(&mut traffic, HOST, DAY * f64::from(day) + 40_000.0, 20 * MB, 10_000);
        }
        let findings = play(traffic);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].evidence["span"], "in seven days");
        assert!(findings[0].hunt.contains("starts_with(dst_ip, '192.0.2.')"));
    }

    #[test]
    fn a_day_beyond_the_habit_is_told_with_more_confidence_the_longer_the_habit() {
        let mut traffic = Rehearsal::new();
        for day in 0..20 {
            send(&mut traffic, HOST, DAY * f64::from(day) + 40_000.0, 12 * MB, 10_000);
        }
        send(&mut traffic, HOST, 21.0 * DAY + 40_000.0, 900 * MB, 10_000);
        let findings = play(traffic);
        let last = findings.last().unwrap();
        assert_eq!(last.evidence["span"], "today");
        assert!(last.confidence > 0.7, "{last:?}");
    }

    #[test]
    fn habits_downloads_calls_and_common_destinations_stay_silent() {
        let mut habit = Rehearsal::new();
        for day in 0..30 {
            let second = DAY * f64::from(day) + 40_000.0;
            // The first days are a habit that nobody knows yet.
            let out = if day < 5 { 10 } else { 14 };
            send(&mut habit, HOST, second, out * MB, 10_000);
        }
        let mut download = Rehearsal::new();
        send(&mut download, HOST, 0.0, 20 * MB, 900 * MB);
        let mut call = Rehearsal::new();
        send(&mut call, HOST, 0.0, 400 * MB, 350 * MB);
        let mut common = Rehearsal::new();
        for host in 1..=8 {
            send(&mut common, &format!("10.0.0.{host}"), f64::from(host), 50 * MB, 1_000);
        }
        send(&mut common, HOST, 1_000.0, 400 * MB, 1_000);
        for (name, traffic) in
            [("habit", habit), ("download", download), ("call", call), ("common", common)]
        {
            assert_eq!(play(traffic), [], "{name}");
        }
    }
}
