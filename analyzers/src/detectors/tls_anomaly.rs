//! A TLS server is not what its name and certificate would have it.
//!
//! # What it detects
//! Handshakes with servers in the world, but those of calls over DTLS, whose certificate or name is
//! odd in ways that tools of attackers are: a certificate that Cobalt Strike ships, a self-signed
//! or brand-new one, one with a random name or a validity of decades, no server name at all, or a
//! name that was never looked up where names otherwise are.
//!
//! # Why it matters
//! Nobody has to buy a certificate to encrypt. Who sets a server up for an intrusion often signs
//! for himself, or hides behind the name of another.
//!
//! # How
//! Signs and their weights: the default certificate of Cobalt Strike (serial 8BB00EE) 3; a
//! self-signed leaf 1; a leaf that began less than 7 days ago 1; no server name and no certificate
//! that tells one 1; a subject whose name looks generated (the model of `dga`, s > 5) 1; a validity
//! above ten years 1; a server name that this host never asked for within a day, where nine of ten
//! names are asked for, 1; an address that is none of those that the name was resolved to, 1.
//! Weight 3 is told at once. Otherwise it takes 2 signs, at most 3 hosts of ours that know the
//! destination, and 20 active hosts, for in small networks everything is rare.
//!
//! # False positives
//! Appliances and devices that sign for themselves, private clouds, content networks that answer
//! with other addresses than they did before.
//!
//! # Knobs
//! `signs` (2): weight from which an alert is raised for a rare destination.
//!
//! # References
//! ATT&CK T1071.001 Web Protocols, T1090.004 Domain Fronting, T1036 Masquerading.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::dga::model;
use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher};
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{TLS_LOOKUPS, TLS_TOLD};
use crate::protocols::dns::DnsRecord;
use crate::protocols::tls::TlsRecord;
use crate::recent::Recent;
use crate::scene::prevalence::digest;
use crate::scene::{Heading, Scene, Subject};
use crate::seen::Seen;
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "tls_anomaly",
    source: include_str!("tls_anomaly.rs"),
    interests: &[Interest::Record(&TlsRecord::TABLE), Interest::Record(&DnsRecord::TABLE)],
};

const TECHNIQUES: &[Technique] =
    &[Technique::new(1071, 1), Technique::new(1090, 4), Technique::new(1036, 0)];

/// Serial number of the certificate that Cobalt Strike ships, without leading zeros.
const COBALT_STRIKE: &str = "8bb00ee";

/// Weight that needs no rarity.
const CERTAIN: u32 = 3;

/// Hosts that may know a rare destination.
const RARE_HOSTS: u64 = 3;

/// A validity from which on nobody meant to renew: ten years, in microseconds.
const DECADE: i64 = 3_652 * 86_400_000_000;

/// An age below which a leaf is brand-new, in microseconds.
const WEEK: i64 = 7 * 86_400_000_000;

/// Oddness from which a subject's name looks generated.
const ODD: f64 = 5.0;

/// Handshakes after which the share of names that were looked up is known.
const HANDSHAKES: u32 = 200;

/// `[detect.tls_anomaly]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Weight of signs from which an alert is raised for a rare destination.
    pub signs: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { signs: 2 }
    }
}

impl Knobs {
    const fn least_weight(&self) -> Threshold {
        Threshold::least("signs", self.signs as f64)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        Ground::exact(self.least_weight(), evidence.number("weight")).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    let day = Duration::from_secs(86_400);
    Box::new(Anomalies {
        knobs: knobs.clone(),
        asked: Seen::new(TLS_LOOKUPS, day),
        resolved: Seen::new(TLS_LOOKUPS, day),
        handshakes: 0,
        looked_up: 0,
        told: Recent::new(TLS_TOLD),
    })
}

/// What was told of a host and a destination.
struct Told {
    first: Timestamp,
    count: u64,
    weight: u32,
    flows: FlowsBehind,
}

struct Anomalies {
    knobs: Knobs,
    /// Hosts with the names that they asked for.
    asked: Seen,
    /// Names with the addresses that they resolved to, whoever asked.
    resolved: Seen,
    /// Handshakes with a name, and those whose name was asked for: halved now and then.
    handshakes: u32,
    looked_up: u32,
    told: Recent<(IpAddr, u64), Told>,
}

impl Watcher for Anomalies {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        if let Some(tls) = event.what.record::<TlsRecord>() {
            // The ends of a call over DTLS sign for themselves by design (RFC 8827).
            if event.heading == Heading::Outbound && tls.transport != "dtls" {
                self.handshake(event, tls, scene, findings);
            }
        } else if let Some(dns) = event.what.record::<DnsRecord>() {
            self.learn(event, dns);
        }
    }

    fn evicted(&self) -> u64 {
        self.told.evicted().saturating_add(self.asked.early_turns())
    }
}

/// What is odd, and how much.
type Signs = Vec<(&'static str, u32)>;

impl Anomalies {
    fn learn(&mut self, event: &Event<'_>, dns: &DnsRecord) {
        let (Some(query), Some(answers)) = (&dns.query, &dns.answers) else { return };
        if answers.is_empty() {
            return;
        }
        let name = digest(query.as_bytes());
        self.asked.is_new(&(event.flow.src.ip, name), event.time);
        for answer in answers {
            let address = str::from_utf8(answer.as_bytes()).ok().and_then(|text| text.parse().ok());
            if let Some(address) = address {
                let address: IpAddr = address;
                self.resolved.is_new(&(name, address), event.time);
            }
        }
    }

    fn handshake(
        &mut self,
        event: &Event<'_>,
        tls: &TlsRecord,
        scene: &Scene,
        findings: &mut Findings,
    ) {
        let mut signs = certificate_signs(event, tls);
        if let Some(sni) = &tls.sni {
            self.name_signs(event, sni, &mut signs);
        } else if tls.san.as_ref().is_none_or(Vec::is_empty) {
            signs.push(("no server name is asked for, and the certificate tells none", 1));
        }
        let weight: u32 = signs.iter().map(|(_, weight)| *weight).sum();
        if !self.knobs.least_weight().is_met(f64::from(weight)) {
            return;
        }
        let server = event.flow.dst.ip;
        let subject = match &tls.sni {
            Some(sni) => Subject::domain_of(sni.as_bytes()),
            None => Subject::Address(server),
        };
        let prevalence = scene.contacts.prevalence(&subject);
        let is_rare = prevalence.hosts <= RARE_HOSTS && prevalence.share().is_some();
        if weight < CERTAIN && !(is_rare && tls.established) {
            return;
        }
        let told = self.told.entry((event.flow.src.ip, subject.digest()), || Told {
            first: event.ts,
            count: 0,
            weight: 0,
            flows: FlowsBehind::default(),
        });
        told.count = told.count.saturating_add(1);
        told.flows.add(event.flow);
        // At first, when there is more to say, and whenever the count has doubled.
        if weight > told.weight || told.count.is_power_of_two() {
            told.weight = told.weight.max(weight);
            findings.say(finding(event, tls, &signs, told, prevalence.hosts));
        }
    }

    /// Whether names come from where names come from.
    fn name_signs(&mut self, event: &Event<'_>, sni: &Text, signs: &mut Signs) {
        let name = digest(sni.as_bytes());
        let is_asked = self.asked.contains(&(event.flow.src.ip, name));
        if self.handshakes >= HANDSHAKES.saturating_mul(50) {
            self.handshakes /= 2;
            self.looked_up /= 2;
        }
        let is_visible = self.handshakes >= HANDSHAKES
            && u64::from(self.looked_up).saturating_mul(10)
                >= u64::from(self.handshakes).saturating_mul(9);
        self.handshakes = self.handshakes.saturating_add(1);
        self.looked_up = self.looked_up.saturating_add(u32::from(is_asked));
        if is_visible && !is_asked {
            signs.push(("the host did not look the server's name up", 1));
        }
        if is_visible && is_asked && !self.resolved.contains(&(name, event.flow.dst.ip)) {
            signs.push(("the name did not resolve to this address", 1));
        }
    }
}

fn certificate_signs(event: &Event<'_>, tls: &TlsRecord) -> Signs {
    let mut signs = Signs::new();
    let serial =
        tls.serial.as_deref().map(|serial| serial.trim_start_matches('0').to_ascii_lowercase());
    if serial.as_deref() == Some(COBALT_STRIKE) {
        signs.push(("the certificate is the one that Cobalt Strike ships", CERTAIN));
    }
    if tls.self_signed == Some(true) {
        signs.push(("the certificate is signed by itself", 1));
    }
    if let Some(begin) = tls.not_before {
        let age = event.ts.micros().saturating_sub(begin.micros());
        if (0..WEEK).contains(&age) {
            signs.push(("the certificate is less than a week old", 1));
        }
        let validity = tls.not_after.map_or(0, |end| end.micros().saturating_sub(begin.micros()));
        if validity > DECADE {
            signs.push(("the certificate is valid for more than ten years", 1));
        }
    }
    if tls.subject.as_ref().is_some_and(has_odd_name) {
        signs.push(("the certificate's name looks generated", 1));
    }
    signs
}

/// Whether the common name of a subject looks generated.
fn has_odd_name(subject: &Text) -> bool {
    let mut parts = subject.as_bytes().split(|byte| *byte == b',');
    let name = parts.find_map(|part| part.strip_prefix(b"CN=")).unwrap_or_default();
    let label = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    model::oddness(label).is_some_and(|oddness| oddness > ODD)
}

fn finding(event: &Event<'_>, tls: &TlsRecord, signs: &Signs, told: &Told, hosts: u64) -> Finding {
    let (host, server) = (event.flow.src.ip, event.flow.dst);
    let name = tls.sni.as_ref().map_or_else(|| server.ip.to_string(), |sni| sni.escaped().into());
    let says: Vec<&str> = signs.iter().map(|(says, _)| *says).collect();
    let weight: u32 = signs.iter().map(|(_, weight)| *weight).sum();
    let is_certain = weight >= CERTAIN;
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.escaped().into_owned());
    let which = match &tls.sni {
        Some(sni) => format!("sni = {}", hunt::text(&sni.escaped())),
        None => format!("sni IS NULL AND dst_ip = '{}'", server.ip),
    };
    Finding {
        detector: DETECTOR.name,
        host,
        key: Text::from(name.clone()),
        title: Text::from(format!("{host} speaks TLS with {name}, which is odd")),
        description: Text::from(format!(
            "{host} shook hands with {name} ({} port {}) {} time(s): {}. {hosts} host(s) of ours \
             know the destination. Look at the certificate and at who owns the address, and at \
             what else {host} does.",
            server.ip,
            server.port,
            told.count,
            says.join("; ")
        )),
        severity: if is_certain { Severity::MEDIUM } else { Severity::LOW },
        confidence: (0.2 + 0.1 * f64::from(weight)).min(0.6),
        techniques: TECHNIQUES.into(),
        stage: Stage::CommandAndControl,
        first: told.first,
        last: event.ts,
        count: told.count,
        peers: vec![server.ip],
        flows: told.flows.clone(),
        indicator: None,
        evidence: [
            ("signs", json!(says)),
            ("weight", json!(weight)),
            ("ja4", json!(tls.ja4)),
            ("subject", json!(text(&tls.subject))),
            ("issuer", json!(text(&tls.issuer))),
            ("serial", json!(tls.serial)),
            ("cert_sha256", json!(tls.cert_sha256)),
            ("prevalence", json!(hosts)),
            ("thresholds", json!({ "hosts": RARE_HOSTS, "certain": CERTAIN })),
        ]
        .into(),
        hunt: format!(
            "SELECT * FROM tls WHERE src_ip = '{host}' AND {which} AND {}",
            hunt::between(told.first, event.ts)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::{Rehearsal, at, dns, tls};
    use crate::flow_id::Transport;
    use crate::time::StatedTime;

    const HOST: &str = "10.0.0.5";
    const SERVER: &str = "192.0.2.66";

    fn shake(traffic: &mut Rehearsal, second: f64, record: TlsRecord) {
        let flow = traffic.open(second, HOST, SERVER, 443, Transport::TCP);
        traffic.record(second, &flow, record);
    }

    fn titles(hosts: u8, record: TlsRecord) -> Vec<String> {
        let mut traffic = Rehearsal::new();
        traffic.populate(hosts, "192.0.2.1");
        shake(&mut traffic, 1_000.0, record);
        let findings = traffic.play(watcher(&Knobs::default()));
        findings.iter().map(|finding| finding.key.escaped().into_owned()).collect()
    }

    fn since(seconds: f64) -> Option<StatedTime> {
        Some(StatedTime::from_secs(at(seconds).micros() / 1_000_000))
    }

    #[test]
    fn odd_servers_are_told_where_they_are_rare() {
        let plain = || tls(Some("a.example.net"), "t13");
        let odd = || TlsRecord { self_signed: Some(true), not_before: since(900.0), ..plain() };
        let shipped = || TlsRecord { serial: Some("08BB00EE".into()), ..plain() };
        let one = || TlsRecord { self_signed: Some(true), ..plain() };
        let nameless = || TlsRecord { self_signed: Some(true), ..tls(None, "t13") };
        let decades = || TlsRecord {
            subject: Some("CN=hwevqwlocbvmrjdor.net,O=x".into()),
            not_before: since(-900_000_000.0),
            not_after: since(900_000_000.0),
            ..plain()
        };
        for (name, hosts, record, expected) in [
            ("nothing odd", 40, plain(), &[][..]),
            ("one sign", 40, one(), &[]),
            ("new and self-signed", 40, odd(), &["a.example.net"]),
            ("the same in a small network", 5, odd(), &[]),
            ("Cobalt Strike's", 5, shipped(), &["a.example.net"]),
            ("no name", 40, nameless(), &[SERVER]),
            ("a call", 40, TlsRecord { transport: "dtls", ..nameless() }, &[]),
            ("a generated name for decades", 40, decades(), &["a.example.net"]),
        ] {
            assert_eq!(titles(hosts, record), expected, "{name}");
        }
    }

    #[test]
    fn a_name_that_nobody_looked_up_counts_where_names_are_looked_up() {
        for (visible, expected) in [(true, 1), (false, 0)] {
            let mut traffic = Rehearsal::new();
            traffic.populate(40, "192.0.2.1");
            for number in 0..300 {
                let second = 100.0 + f64::from(number);
                let name = format!("s{}.example.com", number % 50);
                if visible {
                    let flow = traffic.open(second, HOST, "10.0.0.53", 53, Transport::UDP);
                    traffic.record(second, &flow, dns(&name, "A", &[SERVER], 60));
                }
                shake(&mut traffic, second + 0.5, tls(Some(&name), "t13"));
            }
            let hidden = tls(Some("login.example.org"), "t13");
            shake(&mut traffic, 500.0, TlsRecord { self_signed: Some(true), ..hidden });
            let findings = traffic.play(watcher(&Knobs::default()));
            assert_eq!(findings.len(), expected, "{visible}: {findings:?}");
        }
    }
}
