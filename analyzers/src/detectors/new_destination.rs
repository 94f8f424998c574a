//! The network, or a server, reaches where it never did.
//!
//! # What it detects
//! The first contact of anyone here with a country and autonomous system; and the first contact of
//! one of our servers with a destination in the world.
//!
//! # Why it matters
//! By itself it is small: networks find new places every day. Beside another finding about the same
//! host it says that this is not how things were. Servers in particular have few places to go.
//!
//! # How
//! Nothing is said during the first 14 days, in which places are learned. Afterwards a pair of
//! country and system that no flow went to before is told once, with the host that went there
//! first; a connection must have been answered. A server is a host that at least 10 others
//! connected to; its destinations (registrable domain, else address) are learned for as many days
//! from its first connection on, and told while it knows fewer than 64: a server that goes
//! everywhere is none of that kind.
//!
//! # False positives
//! New offices, new suppliers, content networks that move. Confidence is low by design.
//!
//! # Knobs
//! `learning_days` (14): days in which nothing is said.
//!
//! # References
//! ATT&CK T1041 Exfiltration Over C2 Channel, T1071 Application Layer Protocol.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher, What};
use crate::distinct::Distinct;
use crate::flow_record::FlowRecord;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{NEW_PLACES, NEW_SERVER_DESTINATIONS, NEW_SERVERS};
use crate::recent::Recent;
use crate::scene::prevalence::digest;
use crate::scene::{Heading, Scene, Subject};
use crate::text::Text;
use crate::threshold::Grounds;
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "new_destination",
    source: include_str!("new_destination.rs"),
    interests: &[Interest::Row],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1071, 0), Technique::new(1041, 0)];

/// How likely a new place is a bad one.
const CONFIDENCE: f64 = 0.3;

/// Hosts that connect to a server.
const CLIENTS: u64 = 10;

const DAY: Duration = Duration::from_secs(86_400);

/// `[detect.new_destination]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Days in which nothing is said.
    pub learning_days: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { learning_days: 14 }
    }
}

impl Grounds for Knobs {}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(NewDestinations {
        knobs: knobs.clone(),
        since: None,
        places: Recent::new(NEW_PLACES),
        servers: Recent::new(NEW_SERVERS),
    })
}

/// A country by its two letters, and an autonomous system; zeros where one is not known.
type Place = ([u8; 2], i64);

/// A host of ours that others connect to.
#[derive(Default)]
struct Server {
    clients: Distinct<10, [u8; 16]>,
    /// When it began to be one.
    since: Option<Timestamp>,
    known: Vec<u64>,
}

struct NewDestinations {
    knobs: Knobs,
    since: Option<Timestamp>,
    places: Recent<Place, Timestamp>,
    servers: Recent<IpAddr, Server>,
}

impl Watcher for NewDestinations {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let What::Row(row) = event.what else { return };
        self.since.get_or_insert(event.time);
        // Who was not answered has reached nobody.
        if row.dst_packets == 0 || row.part > 1 {
            return;
        }
        match event.heading {
            Heading::Internal | Heading::Inbound => self.note_client(event),
            Heading::Outbound => {
                if let Some(finding) = self.new_place(event, row) {
                    findings.say(finding);
                }
                if let Some(finding) = self.new_for_server(event, scene) {
                    findings.say(finding);
                }
            }
            Heading::External => {}
        }
    }

    fn evicted(&self) -> u64 {
        self.places.evicted().saturating_add(self.servers.evicted())
    }

    fn memory(&self) -> Option<Value> {
        // The oldest first, so that these make room first when they are remembered in order.
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_by_key(|(place, ts)| (**ts, *place));
        let places = places.into_iter().map(|((country, number), ts)| {
            let country = str::from_utf8(country).unwrap_or_default();
            json!([country.trim_end_matches('\0'), number, ts.nanos()])
        });
        let places: Vec<Value> = places.collect();
        let since = self.since?.nanos();
        Some(json!({ "version": 1, "since": since, "places": places }))
    }

    fn remember(&mut self, memory: &Value) -> Result<(), String> {
        let wrong = |what: &str| format!("the memory of new_destination has no {what}");
        if memory.get("version").and_then(Value::as_i64) != Some(1) {
            return Err("the memory of new_destination is of another version".to_owned());
        }
        let since = memory.get("since").and_then(Value::as_i64).ok_or_else(|| wrong("since"))?;
        let places =
            memory.get("places").and_then(Value::as_array).ok_or_else(|| wrong("places"))?;
        for place in places {
            let country = place.get(0).and_then(Value::as_str);
            let number = place.get(1).and_then(Value::as_i64);
            let ts = place.get(2).and_then(Value::as_i64);
            let (Some(country), Some(number), Some(ts)) = (country, number, ts) else {
                return Err(wrong("place with country, number and time"));
            };
            let key = (letters(country.as_bytes()), number);
            self.places.insert(key, Timestamp::from_nanos(ts));
        }
        self.since = Some(Timestamp::from_nanos(since));
        Ok(())
    }
}

impl NewDestinations {
    fn learning(&self) -> Duration {
        DAY.saturating_mul(self.knobs.learning_days)
    }

    fn note_client(&mut self, event: &Event<'_>) {
        let server = self.servers.entry(event.flow.dst.ip, Server::default);
        if server.clients.add(digest(&event.flow.src.ip)) && server.clients.count() >= CLIENTS {
            server.since.get_or_insert(event.time);
        }
    }

    fn new_place(&mut self, event: &Event<'_>, row: &FlowRecord) -> Option<Finding> {
        let country = row.dst_country.as_ref().map_or([0; 2], |text| letters(text.as_bytes()));
        let place = (country, row.dst_asn.unwrap_or(0));
        if place == ([0; 2], 0) || self.places.get_mut(&place).is_some() {
            return None;
        }
        self.places.insert(place, event.ts);
        let watched = self.since.map_or(Duration::ZERO, |since| event.time.since(since));
        if watched < self.learning() {
            return None;
        }
        let country = row.dst_country.as_ref().map_or("an unknown country".into(), Text::escaped);
        let system = match (&row.dst_as_org, row.dst_asn) {
            (Some(org), Some(number)) => format!("AS{number} {}", org.escaped()),
            (_, Some(number)) => format!("AS{number}"),
            _ => "an unknown network".to_owned(),
        };
        let what = format!("{system} in {country}");
        let why = format!("in {} days nobody here went there", watched.as_secs() / 86_400);
        let mut finding = self.finding(event, &what, &why);
        finding.evidence.insert("asn", json!(row.dst_asn));
        finding.evidence.insert("country", json!(row.dst_country.as_ref().map(Text::escaped)));
        finding.evidence.insert("baseline_days", json!(watched.as_secs() / 86_400));
        Some(finding)
    }

    fn new_for_server(&mut self, event: &Event<'_>, scene: &Scene) -> Option<Finding> {
        let learning = self.learning();
        let server = self.servers.get_mut(&event.flow.src.ip)?;
        let since = server.since?;
        let address = event.flow.dst.ip;
        let subject = event
            .dst_name
            .map_or(Subject::Address(address), |name| Subject::domain_of(name.as_bytes()));
        let place = subject.digest();
        if server.known.contains(&place) || server.known.len() >= NEW_SERVER_DESTINATIONS {
            return None;
        }
        server.known.push(place);
        let watched = event.time.since(since);
        if watched < learning {
            return None;
        }
        let clients = server.clients.count();
        let known = server.known.len().saturating_sub(1);
        let what = event.dst_name.map_or_else(|| address.to_string(), |name| name.escaped().into());
        let why = format!(
            "it is a server of {clients} hosts and more, and in {} days went to {known} other \
             places",
            watched.as_secs() / 86_400
        );
        let mut finding = self.finding(event, &what, &why);
        let hosts = scene.contacts.prevalence(&subject).hosts;
        finding.evidence.insert("prevalence", json!(hosts));
        finding.evidence.insert("baseline_days", json!(watched.as_secs() / 86_400));
        Some(finding)
    }

    fn finding(&self, event: &Event<'_>, what: &str, why: &str) -> Finding {
        let (host, server) = (event.flow.src.ip, event.flow.dst.ip);
        let evidence: BTreeMap<&'static str, Value> = [
            ("destination", json!(what)),
            ("thresholds", json!({ "learning_days": self.knobs.learning_days })),
        ]
        .into();
        Finding {
            detector: DETECTOR.name,
            host,
            key: Text::from(what.to_owned()),
            title: Text::from(format!("{host} reached {what} for the first time")),
            description: Text::from(format!(
                "{host} connected to {server}, {what}; {why}. By itself that is small: see what \
                 else is said about {host}, and who owns the destination."
            )),
            severity: Severity::LOW,
            confidence: CONFIDENCE,
            techniques: TECHNIQUES.into(),
            stage: Stage::CommandAndControl,
            first: event.ts,
            last: event.ts,
            count: 1,
            peers: vec![server],
            flows: FlowsBehind::one(event.flow),
            indicator: None,
            evidence,
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{host}' AND dst_ip = '{server}' AND {}",
                hunt::between(event.ts, event.time)
            ),
        }
    }
}

/// The first two letters.
fn letters(text: &[u8]) -> [u8; 2] {
    match text {
        [first, second, ..] => [*first, *second],
        _ => [0; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::{Rehearsal, at};
    use crate::detectors::samples::row;
    use crate::flow_id::Transport;

    const DAYS: f64 = 86_400.0;
    const HOST: &str = "10.0.0.5";

    fn play(traffic: Rehearsal) -> Vec<String> {
        let findings = traffic.play(watcher(&Knobs::default()));
        findings.iter().map(|finding| finding.title.escaped().into_owned()).collect()
    }

    fn reach(traffic: &mut Rehearsal, second: f64, server: &str, country: &'static str, asn: i64) {
        let flow = traffic.open(second, HOST, server, 443, Transport::TCP);
        let (dst_country, dst_asn) = (Some(country.into()), Some(asn));
        let end_ts = at(second + 1.0);
        let row = FlowRecord { dst_country, dst_asn, end_ts, end_reason: "fin", ..row("SF") };
        traffic.row(second + 1.0, second, &flow, row);
    }

    #[test]
    fn a_place_that_nobody_went_to_is_told_once_after_the_days_of_learning() {
        let mut traffic = Rehearsal::new();
        reach(&mut traffic, 0.0, "192.0.2.1", "DE", 64_496);
        reach(&mut traffic, 10.0 * DAYS, "192.0.2.2", "FR", 64_497);
        reach(&mut traffic, 15.0 * DAYS, "192.0.2.3", "DE", 64_496);
        reach(&mut traffic, 15.0 * DAYS, "192.0.2.4", "KP", 64_498);
        reach(&mut traffic, 16.0 * DAYS, "192.0.2.4", "KP", 64_498);
        assert_eq!(play(traffic), ["10.0.0.5 reached AS64498 in KP for the first time"]);
    }

    #[test]
    fn a_server_that_goes_where_it_never_did_is_told_and_a_client_is_not() {
        let mut traffic = Rehearsal::new();
        for client in 1..=12 {
            let client = format!("10.0.1.{client}");
            let flow = traffic.open(0.0, &client, HOST, 443, Transport::TCP);
            traffic.end(0.0, 1.0, &flow, "SF", (1, 1));
        }
        for (host, day, server) in [
            (HOST, 1.0, "192.0.2.1"),
            (HOST, 15.0, "192.0.2.1"),
            (HOST, 16.0, "192.0.2.2"),
            ("10.0.1.1", 16.0, "192.0.2.3"),
        ] {
            let flow = traffic.open(day * DAYS, host, server, 443, Transport::TCP);
            traffic.end(day * DAYS, 1.0, &flow, "SF", (1, 1));
        }
        assert_eq!(play(traffic), ["10.0.0.5 reached 192.0.2.2 for the first time"]);
    }

    #[test]
    fn places_are_kept_over_a_restart() {
        let mut first = NewDestinations {
            knobs: Knobs::default(),
            since: Some(at(0.0)),
            places: Recent::new(10),
            servers: Recent::new(10),
        };
        first.places.insert((*b"DE", 64_496), at(1.0));
        first.places.insert(([0; 2], 64_497), at(2.0));
        let memory = first.memory().unwrap();
        let mut second = watcher(&Knobs::default());
        second.remember(&memory).unwrap();
        assert_eq!(second.memory(), Some(memory));
        for wrong in [json!({}), json!({ "version": 2 }), json!({ "version": 1, "since": 1 })] {
            assert!(second.remember(&wrong).is_err(), "{wrong}");
        }
    }
}
