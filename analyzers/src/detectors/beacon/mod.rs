//! A host calls the same destination again and again, in time.
//!
//! # What it detects
//! Connections, requests, name look-ups or signs of life inside a long connection that a host of
//! ours sends to one destination at intervals that a program keeps: fixed, or with the jitter that
//! command-and-control tools add, with beats missed, at work hours only, or in several cadences
//! one after the other.
//!
//! # Why it matters
//! Nearly every implant asks for orders in this way, whatever its protocol and however well its
//! traffic is encrypted. It is what remains to be seen of an intruder who uses no known name.
//!
//! # How
//! Beats are the first packets of outbound flows, failed ones included, for a server that is down
//! is called, too; further HTTP requests of a flow; DNS questions below one registrable domain,
//! unless there is no such name, the same address is asked for again, whatever else is asked for
//! again whenever the answer expires, or the client connects to what they resolve to;
//! and payload after a silence in flows older than five minutes. Requests through a proxy of ours
//! count for the host that they name. Not counted are ICMP errors, and flows whose originator is a
//! guess.
//!
//! Beats are counted by host and destination: its server name or host where there is one, else
//! address and port; and once more by client fingerprint and network, against names that rotate.
//! Connections within max(1 s, a fifth of the period, at most 30 s) are one beat. The last 64 beats
//! are judged at 8, 12, 16, 24, 32, 48 and then every 32 beats:
//!
//! ```text
//! m = median interval;  k = round(x/m), x dropped if k > 4
//! r = x/k, dropped if k > 1 and |r−m| > 0.3 m;  Q = (q90−q10)/(q90+q10) of r
//! timing = clamp((0.80−Q)/0.50) · kept · (1 − 0.5 · folded)
//! B = (0.60 timing + 0.15 continuity + 0.15 size + 0.10 (1−e^(−n/12))) · min(1, timing/0.35)
//! ```
//!
//! Two evaluations in a row must agree and span at least max(`min_span`, 6 m). When the last six
//! intervals agree among themselves and are twice or half of those before, a new cadence begins;
//! the score is the mean of all, by beats. To B come the circumstances: +0.15 for a destination of
//! at most 3 hosts or 2 % of them, −0.15 from 10 %, −0.30 from 50 % (from 20 active hosts on);
//! +0.10 for one that nobody knew a week ago, −0.10 for one known for a month; +0.10 for a rare
//! client, a self-signed certificate, TLS without a name or a dynamic name; −0.20 for update, time,
//! push and certificate services; +0.10 if it goes on while the host is otherwise quiet, unless the
//! destination is that of a tenth of all hosts.
//!
//! # False positives
//! Anything that polls: monitoring, chat, mail, update checks, licence checks, devices that report
//! to a cloud. Prevalence lowers what many hosts use; what one host alone uses remains, as an
//! ordinary alert, and belongs on the allow-list once it is known. In networks of fewer than 20
//! active hosts timing speaks alone, and confidence stays low. Destinations that everybody uses
//! (file sharing, messengers) hide a beacon by design.
//!
//! # Knobs
//! `min_span` (600): seconds that beats must span. `candidate` (0.70): B below which nothing is
//! said. `alert` (0.85): score with circumstances from which an alert is raised.
//!
//! # References
//! ATT&CK T1071.001 and .004 Application Layer Protocol, T1573 Encrypted Channel, T1029 Scheduled
//! Transfer. Hu et al., BAYWATCH: Robust Beaconing Detection, DSN 2016. Active Countermeasures,
//! RITA, whose score by quantiles is the nearest relative.

mod admission;
mod destination;
mod flows;
mod pair;
mod score;
mod story;
#[cfg(test)]
mod tests;
mod track;

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;

pub(in crate::detectors) use destination::{class_of, network_of, prefix_text};
pub use score::{Score, score};

use crate::detector::{Detector, Event, Findings, Interest, Watcher, What};
use crate::domain;
use crate::flow_id::FlowId;
use crate::limits::{BEACON_HOSTS, BEACON_IDLE, BEACON_TRACKS};
use crate::protocols::dns::DnsRecord;
use crate::protocols::http::HttpRecord;
use crate::protocols::tls::TlsRecord;
use crate::recent::Recent;
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;
use admission::Admission;
use destination::{Key, Target};
use flows::{Flows, Opened};
use pair::{Facts, Pair, Rhythm, hour_of_day};

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "beacon",
    source: include_str!("mod.rs"),
    interests: &[
        Interest::Opened,
        Interest::Active,
        Interest::Row,
        Interest::Record(&TlsRecord::TABLE),
        Interest::Record(&HttpRecord::TABLE),
        Interest::Record(&DnsRecord::TABLE),
    ],
};

/// `[detect.beacon]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Seconds that beats must span.
    pub min_span: u32,
    /// Score by timing and size below which nothing is said.
    pub candidate: f64,
    /// Score with circumstances from which an alert is raised.
    pub alert: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { min_span: 600, candidate: 0.70, alert: 0.85 }
    }
}

impl Knobs {
    const fn least_span(&self) -> Threshold {
        Threshold::least("min_span", self.min_span as f64)
    }

    const fn least_by_timing(&self) -> Threshold {
        Threshold::least("candidate", self.candidate)
    }

    const fn least_score(&self) -> Threshold {
        Threshold::least("alert", self.alert)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let ground = Ground::exact(self.least_score(), evidence.number("X"))
            .and_then(|ground| ground.and(self.least_by_timing(), evidence.number("B")))
            .and_then(|ground| ground.and(self.least_span(), evidence.number("span")));
        ground.into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Beacon {
        knobs: knobs.clone(),
        flows: Flows::default(),
        tracks: Recent::new(BEACON_TRACKS),
        admission: Admission::default(),
        rhythms: Recent::new(BEACON_HOSTS),
    })
}

/// One beat on its way to its track.
struct Beat<'a> {
    flow: &'a FlowId,
    target: Target<'a>,
    ts: Timestamp,
    now: Timestamp,
    bytes: Option<u32>,
    /// JA4 or User-Agent.
    client: Option<&'a [u8]>,
    /// The best known name of the destination.
    name: Option<&'a [u8]>,
    is_tls: bool,
    is_self_signed: bool,
}

impl Beat<'_> {
    /// What it is counted by.
    fn key(&self) -> Key {
        self.target.key(self.flow.src.ip)
    }
}

struct Beacon {
    knobs: Knobs,
    flows: Flows,
    tracks: Recent<Key, Pair>,
    admission: Admission,
    rhythms: Recent<IpAddr, Rhythm>,
}

impl Watcher for Beacon {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        match event.what {
            What::Opened(opening) => {
                if event.heading == Heading::Outbound
                    && let Some(old) = self.flows.open(event, opening)
                {
                    self.count_by_address(&old, event.time, scene, findings);
                }
            }
            What::Active { bytes } => self.sign_of_life(event, bytes, scene, findings),
            What::Row(row) => {
                if event.heading == Heading::Outbound {
                    let is_over = row.end_reason != "interim";
                    let bytes = clamped(row.src_bytes);
                    if let Some(opened) = self.flows.row(event.flow.uid, is_over) {
                        self.end(&opened, event, bytes, scene, findings);
                    }
                }
            }
            What::Record(_) => self.record(event, scene, findings),
            What::Weird(_) => {}
        }
    }

    fn minute(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        while let Some(opened) = self.flows.overdue(now) {
            self.count_by_address(&opened, now, scene, findings);
        }
        // Each comes up within the hour, which is soon enough for what waits for days.
        self.tracks.sweep(60, |pair| now.since(pair.track.seen()) > BEACON_IDLE);
    }

    fn finish(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        self.minute(now, scene, findings);
        while let Some(opened) = self.flows.overdue(Timestamp::MAX) {
            self.count_by_address(&opened, now, scene, findings);
        }
    }

    fn evicted(&self) -> u64 {
        self.tracks.evicted().saturating_add(self.flows.evicted())
    }
}

impl Beacon {
    fn record(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        if let Some(tls) = event.what.record::<TlsRecord>() {
            self.handshake(event, tls, scene, findings);
        } else if let Some(http) = event.what.record::<HttpRecord>() {
            self.request(event, http, scene, findings);
        } else if let Some(dns) = event.what.record::<DnsRecord>() {
            self.question(event, dns, scene, findings);
        }
    }

    /// A flow has a name, if its hello said one.
    fn handshake(
        &mut self,
        event: &Event<'_>,
        tls: &TlsRecord,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let Some(opened) = self.flows.waiting(event.flow.uid) else { return };
        let sni = tls.sni.as_ref().map(Text::as_bytes);
        let beat = Beat {
            flow: event.flow,
            target: sni.map_or_else(|| Target::of_flow(event.flow), Target::Name),
            ts: opened.ts,
            now: event.time,
            bytes: None,
            client: tls.ja4.as_deref().map(str::as_bytes),
            name: sni.or(event.dst_name.map(Text::as_bytes)),
            is_tls: true,
            is_self_signed: tls.self_signed == Some(true),
        };
        let key = beat.key();
        let counted = self.beat(&key, &beat, scene, findings);
        self.flows.count(event.flow.uid, key, counted);
        self.beat_by_network(&beat, scene, findings);
    }

    /// Every request is a beat; the first of a flow is the flow's own.
    fn request(
        &mut self,
        event: &Event<'_>,
        http: &HttpRecord,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let is_proxied = event.heading == Heading::Internal && is_proxied(http);
        if event.heading != Heading::Outbound && !is_proxied {
            return;
        }
        let host = http.host.as_ref().filter(|host| !host.as_bytes().is_empty());
        let host = host.or(http.uri.as_ref().filter(|_| is_proxied));
        let name = host.and_then(|host| domain::of_host(host.as_bytes()));
        if is_proxied && name.is_none() {
            return;
        }
        let opened = self.flows.waiting(event.flow.uid);
        let uri = http.uri.as_ref().map_or(0, |uri| uri.as_bytes().len());
        let bytes = clamped(http.request_body_bytes.unwrap_or(0))
            .saturating_add(u32::try_from(uri).unwrap_or(u32::MAX));
        let name = name.as_deref();
        let beat = Beat {
            flow: event.flow,
            target: name.map_or_else(|| Target::of_flow(event.flow), Target::Name),
            ts: opened.map_or(event.ts, |opened| opened.ts),
            now: event.time,
            bytes: Some(bytes),
            client: http.user_agent.as_ref().map(Text::as_bytes),
            name: name.or(event.dst_name.map(Text::as_bytes)),
            is_tls: false,
            is_self_signed: false,
        };
        // The flow was counted under its address while the answer was not there yet.
        let is_late = opened.is_none() && http.depth == Some(1) && !is_proxied;
        let key = beat.key();
        if !is_late {
            self.beat(&key, &beat, scene, findings);
        }
        self.flows.count(event.flow.uid, key, None);
        self.beat_by_network(&beat, scene, findings);
    }

    /// A question is a beat towards the domain, whoever is asked.
    fn question(
        &mut self,
        event: &Event<'_>,
        dns: &DnsRecord,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        self.flows.forget(event.flow.uid);
        let is_ours = matches!(event.heading, Heading::Outbound | Heading::Internal);
        let (true, "udp" | "tcp", Some(query)) = (is_ours, dns.transport, &dns.query) else {
            return;
        };
        // Who is told that there is no such name is told nothing else.
        if dns.rcode.as_ref().is_some_and(|rcode| rcode.as_bytes() == b"NXDOMAIN") {
            return;
        }
        let Some(domain) = domain::public(query.as_bytes()) else { return };
        if domain.ends_with(b".arpa")
            || assets::any_contains(&scene.assets.resolvers, event.flow.src.ip)
        {
            return;
        }
        let key = Target::Questions(domain).key(event.flow.src.ip);
        let ttls = dns.answer_ttls.as_deref().unwrap_or_default();
        let ttl = ttls.iter().min().and_then(|ttl| u64::try_from(*ttl).ok());
        if let Some(pair) = self.tracks.get_mut(&key) {
            let old = std::mem::replace(&mut pair.answer_ttl, ttl.map(Duration::from_secs));
            let name = crate::scene::prevalence::digest(query.as_bytes());
            let is_repeated = pair.asked.replace(name) == Some(name);
            let pause = event.ts.since(pair.track.seen());
            let has_expired = || old.is_some_and(|ttl| is_expiry(pause, ttl));
            if is_repeated && (asks_for_address(dns) || has_expired()) {
                pair.track.pass(event.ts);
                return;
            }
        }
        let beat = Beat {
            flow: event.flow,
            target: Target::Questions(domain),
            ts: event.ts,
            now: event.time,
            bytes: Some(clamped(dns.query_bytes.unwrap_or(0))),
            client: None,
            name: None,
            is_tls: false,
            is_self_signed: false,
        };
        self.beat(&key, &beat, scene, findings);
    }

    fn sign_of_life(
        &mut self,
        event: &Event<'_>,
        bytes: u32,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        if let Some(key) = self.flows.counted_as(event.flow.uid) {
            let beat = Beat {
                flow: event.flow,
                target: Target::of_flow(event.flow),
                ts: event.ts,
                now: event.time,
                bytes: Some(bytes),
                client: None,
                name: None,
                is_tls: false,
                is_self_signed: false,
            };
            self.strike(&key, &beat, scene, findings);
        }
    }

    /// A part of a flow is over: its bytes are known, and no name will come if it ended.
    fn end(
        &mut self,
        opened: &Opened,
        event: &Event<'_>,
        bytes: u32,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let Some(counted) = opened.counted else {
            let name = event.dst_name.map(Text::as_bytes);
            let beat = Beat { name, ..opened.by_address(event.time, Some(bytes)) };
            let key = beat.key();
            self.beat(&key, &beat, scene, findings);
            self.flows.count(opened.flow.uid, key, None);
            return;
        };
        let by_name = counted.1.map(|number| (counted.0, number));
        for (key, number) in by_name.into_iter().chain(opened.network) {
            if let Some(pair) = self.tracks.get_mut(&key) {
                pair.track.add_bytes(number, Some(bytes));
            }
        }
    }

    fn count_by_address(
        &mut self,
        opened: &Opened,
        now: Timestamp,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let beat = opened.by_address(now, None);
        let key = beat.key();
        let counted = self.beat(&key, &beat, scene, findings);
        self.flows.count(opened.flow.uid, key, counted);
    }

    /// The same beat, by client and network: names that rotate share them.
    fn beat_by_network(&mut self, beat: &Beat<'_>, scene: &Scene, findings: &mut Findings) {
        let (Some(client), Target::Name(name)) = (beat.client, beat.target) else { return };
        let target = Target::Network(client, network_of(beat.flow.dst.ip));
        let beat = Beat { target, name: None, ..*beat };
        let key = beat.key();
        let Some(number) = self.beat(&key, &beat, scene, findings) else { return };
        let digest = crate::scene::prevalence::digest(name);
        if let Some(pair) = self.tracks.get_mut(&key) {
            pair.note_name(digest);
        }
        if beat.bytes.is_none() {
            self.flows.count_network(beat.flow.uid, key, number);
        }
    }

    /// Counts a beat; its number in its track, if it has one.
    fn beat(
        &mut self,
        key: &Key,
        beat: &Beat<'_>,
        scene: &Scene,
        findings: &mut Findings,
    ) -> Option<u32> {
        if self.tracks.peek(key).is_none() {
            self.admit(key, beat, scene)?;
        }
        if let Some(domain) = beat.name.and_then(domain::registrable)
            && let Some(asked) = self.tracks.get_mut(&Target::Questions(domain).key(key.host))
        {
            asked.connected = Some(beat.ts);
        }
        self.strike(key, beat, scene, findings)
    }

    /// Makes a track, unless everybody goes there or tracks are many and the pair is seldom.
    fn admit(&mut self, key: &Key, beat: &Beat<'_>, scene: &Scene) -> Option<()> {
        let is_crowded = self.tracks.len() >= BEACON_TRACKS / 2;
        if is_crowded && !self.admission.admits(key, beat.now) {
            return None;
        }
        let prevalence = scene.contacts.prevalence(&beat.target.subject());
        if prevalence.hosts >= 50 && prevalence.share().is_some_and(|share| share >= 0.05) {
            return None;
        }
        let rhythm =
            self.rhythms.entry(key.host, || Rhythm { first: beat.ts, ..Rhythm::default() });
        rhythm.note(beat.ts);
        self.tracks.insert(*key, Pair::new(beat.target.destination()));
        Some(())
    }

    /// Puts a beat into the track of that key, and tells of it if that is due.
    fn strike(
        &mut self,
        key: &Key,
        beat: &Beat<'_>,
        scene: &Scene,
        findings: &mut Findings,
    ) -> Option<u32> {
        let Beat { ts, now, .. } = *beat;
        let pair = self.tracks.get_mut(key)?;
        pair.learn(beat);
        let span_min = Duration::from_secs(u64::from(self.knobs.min_span));
        let (number, standing) = pair.track.beat(ts, beat.bytes, span_min);
        pair.hours |= 1 << hour_of_day(ts);
        // Most pairs never get so far; those that do shall not cost the others memory.
        if pair.track.total() >= 4 {
            pair.flows.get_or_insert_default().add(beat.flow);
        }
        let standing = standing.filter(|standing| {
            self.knobs.least_by_timing().is_met(standing.value) && !pair.is_explained(standing)
        });
        if let Some(standing) = standing {
            let quiet = self.rhythms.peek(&key.host).and_then(|rhythm| rhythm.quiet_hours(now));
            let case = story::Case {
                key,
                destination: &pair.destination,
                standing: &standing,
                facts: &pair.facts,
                flows: pair.flows.as_deref().cloned().unwrap_or_default(),
                is_off_hours: quiet.map(|quiet| (quiet & pair.hours).count_ones() >= 4),
                now,
            };
            if let Some(finding) = case.finding(scene, &self.knobs) {
                findings.say(finding);
            }
        }
        Some(number)
    }
}

/// Whether a request is one to a proxy.
fn is_proxied(http: &HttpRecord) -> bool {
    let begins = |text: &Option<Text>, word: &[u8]| {
        text.as_ref().is_some_and(|text| text.as_bytes().starts_with(word))
    };
    begins(&http.method, b"CONNECT") || begins(&http.uri, b"http://")
}

/// Whether the answer is an address: what asks for the same one again wants to connect, for a
/// channel in names has to say something new.
fn asks_for_address(dns: &DnsRecord) -> bool {
    let qtype = dns.qtype.as_ref().map(Text::as_bytes);
    matches!(qtype, Some(b"A" | b"AAAA" | b"HTTPS"))
}

/// Whether a pause is just how long an answer lived.
fn is_expiry(pause: Duration, ttl: Duration) -> bool {
    let (pause, ttl) = (pause.as_secs_f64(), ttl.as_secs_f64());
    ttl >= 1.0 && (pause - ttl).abs() <= (0.05 * ttl).max(1.0)
}

/// Bytes of a beat; more than four gigabytes are one size.
fn clamped(bytes: i64) -> u32 {
    u32::try_from(bytes.max(0)).unwrap_or(u32::MAX)
}
