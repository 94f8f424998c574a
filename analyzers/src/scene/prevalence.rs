//! Who has to do with what: how many hosts of ours know a destination or use a client, and since
//! when.
//!
//! In: every event, before detectors learn of it. Out: the [`Prevalence`] of a [`Subject`], over
//! the last one to two days. A thing that one host of many has to do with deserves a look that a
//! thing of half the house does not.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use crate::detector::{Event, Opening, What};
use crate::distinct::Distinct;
use crate::domain;
use crate::limits::{PREVALENCE_SPAN, PREVALENCE_SUBJECTS};
use crate::protocols::dns::DnsRecord;
use crate::protocols::http::HttpRecord;
use crate::protocols::tls::TlsRecord;
use crate::recent::Recent;
use crate::scene::Heading;
use crate::time::Timestamp;

/// Hosts of ours below which shares say nothing: one of three is no rarity.
const ACTIVE_MIN: u64 = 20;

/// A thing of so few hosts is rare in a house of any size.
const RARE_HOSTS: u64 = 3;

/// A thing of a smaller share of the hosts is rare.
const RARE_SHARE: f64 = 0.02;

/// What hosts can have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    /// An address in the world.
    Address(IpAddr),
    /// A domain that one can register, in lower case; a name without one stands for itself.
    Domain(&'a [u8]),
    /// A client: its JA4 or its User-Agent.
    Client(&'a [u8]),
}

impl<'a> Subject<'a> {
    /// The domain of a name.
    #[must_use]
    pub fn domain_of(name: &'a [u8]) -> Self {
        Self::Domain(domain::registrable(name).unwrap_or(name))
    }

    /// A short name: the same on every run of a program. Keys cannot be made to collide on purpose.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest(self)
    }
}

/// Sixty-four bits that stand for a thing: the same on every run of a program, by a function for
/// which nobody finds a second thing.
#[must_use]
pub fn digest<T: Hash + ?Sized>(thing: &T) -> u64 {
    // SipHash with a fixed key.
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// How common a thing is among our hosts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prevalence {
    /// Hosts of ours that had to do with it.
    pub hosts: u64,
    /// Hosts of ours that were active at all.
    pub active: u64,
    /// Packet time at which it was first met, to the hour.
    pub first: Option<Timestamp>,
    /// Packet time of the first event of all.
    pub since: Option<Timestamp>,
}

impl Prevalence {
    /// The share of our hosts that have to do with it; `None` where too few are active to say.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let active = self.active.max(self.hosts);
        (self.active >= ACTIVE_MIN).then(|| self.hosts as f64 / active as f64)
    }

    /// Whether few have to do with it; `None` where too few are active to say.
    #[must_use]
    pub fn is_rare(&self) -> Option<bool> {
        self.share().map(|share| self.hosts <= RARE_HOSTS || share <= RARE_SHARE)
    }

    /// For how long it has been known; `None` if it is not.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.first.map(|first| now.since(first))
    }

    /// For how long anything has been watched.
    #[must_use]
    pub fn watched(&self, now: Timestamp) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Whether it came up within that span, while more than that span has been watched; `None`
    /// where the sensor itself is too young to say.
    #[must_use]
    pub fn is_newer_than(&self, span: Duration, now: Timestamp) -> Option<bool> {
        (self.watched(now) >= span).then(|| self.age(now).is_none_or(|age| age < span))
    }
}

type Hosts = Distinct<8, [u8; 64]>;
type AllHosts = Distinct<64, Box<[u8; 4_096]>>;

/// The hosts that have to do with one thing.
#[derive(Clone, Debug)]
struct Circle {
    first: Timestamp,
    span: i64,
    now: Hosts,
    /// Those of the span before, if there were any: looked at less often.
    before: Option<Box<Hosts>>,
}

/// The table of who has to do with what.
#[derive(Debug)]
pub struct Contacts {
    circles: Recent<u64, Circle>,
    since: Option<Timestamp>,
    span: i64,
    now: AllHosts,
    before: AllHosts,
    /// How many hosts both are.
    active: u64,
}

impl Default for Contacts {
    fn default() -> Self {
        Self {
            circles: Recent::new(PREVALENCE_SUBJECTS),
            since: None,
            span: 0,
            now: AllHosts::default(),
            before: AllHosts::default(),
            active: 0,
        }
    }
}

impl Contacts {
    /// How common a thing is.
    #[must_use]
    pub fn prevalence(&self, subject: &Subject<'_>) -> Prevalence {
        self.prevalence_of(subject.digest())
    }

    /// How common the thing of that digest is.
    #[must_use]
    pub fn prevalence_of(&self, digest: u64) -> Prevalence {
        let circle = self.circles.peek(&digest);
        let hosts = circle.map_or(0, |circle| {
            let is_stale = circle.span < self.span.saturating_sub(1);
            if is_stale { 0 } else { circle.hosts(self.span) }
        });
        Prevalence {
            hosts,
            active: self.active,
            first: circle.map(|circle| circle.first),
            since: self.since,
        }
    }

    /// Things that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.circles.len()
    }

    /// Things that were forgotten because the table was full.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.circles.evicted()
    }

    /// Learns of an event.
    pub fn note(&mut self, event: &Event<'_>) {
        if !matches!(event.heading, Heading::Outbound | Heading::Internal) {
            return;
        }
        match event.what {
            What::Opened(opening) => self.note_opening(event, opening),
            What::Record(_) => self.note_record(event),
            What::Active { .. } | What::Weird(_) | What::Row(_) => {}
        }
    }

    fn note_opening(&mut self, event: &Event<'_>, opening: Opening) {
        // The originator of what began before the capture is a guess.
        if opening == Opening::Midstream {
            return;
        }
        let host = digest(&event.flow.src.ip);
        self.turn(event.time);
        if self.now.add(host) {
            self.count_active();
        }
        if event.heading == Heading::Outbound {
            self.add(&Subject::Address(event.flow.dst.ip), host, event.time);
        }
    }

    fn note_record(&mut self, event: &Event<'_>) {
        let host = digest(&event.flow.src.ip);
        let is_outbound = event.heading == Heading::Outbound;
        if let Some(tls) = event.what.record::<TlsRecord>() {
            if let Some(sni) = tls.sni.as_ref().filter(|_| is_outbound) {
                self.add(&Subject::domain_of(sni.as_bytes()), host, event.time);
            }
            if let Some(ja4) = &tls.ja4 {
                self.add(&Subject::Client(ja4.as_bytes()), host, event.time);
            }
        } else if let Some(http) = event.what.record::<HttpRecord>() {
            let name = http.host.as_ref().and_then(|host| domain::of_host(host.as_bytes()));
            if let Some(name) = name {
                self.add(&Subject::domain_of(&name), host, event.time);
            }
            if let Some(agent) = &http.user_agent {
                self.add(&Subject::Client(agent.as_bytes()), host, event.time);
            }
        } else if let Some(dns) = event.what.record::<DnsRecord>() {
            // Names that do not exist are a host's own invention, and there can be many.
            let exists = dns.rcode.as_ref().is_some_and(|code| code.as_bytes() == b"NOERROR");
            if let (Some(query), true, "udp" | "tcp") = (&dns.query, exists, dns.transport) {
                self.add(&Subject::domain_of(query.as_bytes()), host, event.time);
            }
        }
    }

    fn add(&mut self, subject: &Subject<'_>, host: u64, time: Timestamp) {
        self.turn(time);
        let span = self.span;
        let circle = self.circles.entry(subject.digest(), || Circle {
            first: time,
            span,
            now: Hosts::default(),
            before: None,
        });
        if circle.span != span {
            let is_next = circle.span.saturating_add(1) == span;
            let past = std::mem::take(&mut circle.now);
            circle.before = is_next.then(|| Box::new(past));
            circle.span = span;
        }
        circle.now.add(host);
    }

    /// Begins a new span where the time has come.
    fn turn(&mut self, time: Timestamp) {
        self.since.get_or_insert(time);
        let length = i64::try_from(PREVALENCE_SPAN.as_nanos()).unwrap_or(i64::MAX);
        let span = time.nanos().div_euclid(length);
        if span > self.span {
            let is_next = self.span.saturating_add(1) == span;
            let past = std::mem::take(&mut self.now);
            self.before = if is_next { past } else { AllHosts::default() };
            self.span = span;
            self.count_active();
        }
    }

    fn count_active(&mut self) {
        self.active = self.now.count_with(&self.before);
    }
}

impl Circle {
    /// Its hosts in this span and the one before.
    fn hosts(&self, span: i64) -> u64 {
        let before = self.before.as_deref().filter(|_| self.span == span);
        before.map_or_else(|| self.now.count(), |before| self.now.count_with(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_id::{Endpoint, FlowId, Transport, Uid};
    use crate::scene::Scene;

    const DAY: i64 = 86_400;

    fn open(scene: &mut Scene, second: i64, host: u32, server: &str) {
        let home = u32::from_be_bytes([10, 0, 0, 0]) + host;
        let flow = FlowId {
            uid: Uid(u128::from(host)),
            src: Endpoint { ip: IpAddr::V4(home.into()), port: 50_000 },
            dst: Endpoint { ip: server.parse().unwrap(), port: 443 },
            transport: Transport::TCP,
        };
        let time = Timestamp::from_secs_nanos(20_000 * DAY + second, 0);
        let heading = scene.home.heading(&flow);
        let what = What::Opened(Opening::Syn);
        scene.note(&Event { time, ts: time, flow: &flow, heading, dst_name: None, what });
    }

    fn of(scene: &Scene, server: &str) -> Prevalence {
        scene.contacts.prevalence(&Subject::Address(server.parse().unwrap()))
    }

    #[test]
    fn shares_are_of_the_active_hosts_once_they_are_enough() {
        let mut scene = Scene::default();
        for host in 1..20 {
            open(&mut scene, 0, host, "192.0.2.1");
        }
        assert_eq!(of(&scene, "192.0.2.1").share(), None);
        open(&mut scene, 0, 20, "192.0.2.2");
        assert_eq!(of(&scene, "192.0.2.2").share(), Some(0.05));
        assert_eq!(of(&scene, "192.0.2.2").is_rare(), Some(true));
        assert_eq!(of(&scene, "192.0.2.3").hosts, 0);
        let common = of(&scene, "192.0.2.1");
        assert!((17..=21).contains(&common.hosts), "{common:?}");
        assert_eq!(common.is_rare(), Some(false));
    }

    #[test]
    fn contacts_are_forgotten_after_one_to_two_days_and_first_times_are_not() {
        let mut scene = Scene::default();
        for (second, host, expected) in [(0, 1, 1), (DAY, 2, 2), (2 * DAY, 3, 2), (9 * DAY, 4, 1)] {
            open(&mut scene, second, host, "192.0.2.1");
            assert_eq!(of(&scene, "192.0.2.1").hosts, expected, "{second}");
        }
        let week = Duration::from_secs(7 * 86_400);
        let now = Timestamp::from_secs_nanos(20_009 * DAY, 0);
        assert_eq!(of(&scene, "192.0.2.1").is_newer_than(week, now), Some(false));
        open(&mut scene, 9 * DAY, 4, "192.0.2.9");
        assert_eq!(of(&scene, "192.0.2.9").is_newer_than(week, now), Some(true));
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(of(&scene, "192.0.2.9").is_newer_than(month, now), None);
    }
}
