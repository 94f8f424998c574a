//! A host moves data inside questions for names.
//!
//! # What it detects
//! Questions below one registrable domain that carry data: many different names, long labels, types
//! that browsers do not ask for, at a rate that nobody types, while nobody connects to what they
//! resolve to.
//!
//! # Why it matters
//! Resolvers forward questions from networks that let nothing else out. Tunnels (iodine, dnscat2)
//! and implants use that to receive orders and to take files out.
//!
//! # How
//! Per host and registrable domain, over the hour and over the day: q questions, u different names
//! (by HyperLogLog beyond 64), b bytes of labels, the share t of TXT, NULL, CNAME, MX, SRV and
//! unknown types. Judged whenever q has doubled, from 16 on:
//!
//! ```text
//! T = 1 − Π(1 − w) of
//!     u/q ≥ 0.8 and u ≥ 50: 0.5    u ≥ 500: 0.5    b/q ≥ 25 and u ≥ 20: 0.4
//!     t ≥ 0.5: 0.5, t ≥ 0.9: 0.6 (q ≥ 20)    5 NULL or private types: 0.6    60 in a minute: 0.3
//!     nobody connects to the answers: 0.3    known for ≤ 7 days to ≤ 2 hosts: 0.3
//!     labels fit base 16, 32 or 64: 0.2
//! ```
//!
//! times 0.6 where a tenth of the hosts ask below the domain, and where clients connect to what it
//! resolves to. An alert is raised from T = 0.75. More than a megabyte of labels in a day is told
//! as exfiltration. Left out: reverse zones, addresses asked of block lists, names that begin with
//! an underscore and TXT of the domain itself (mail and certificates).
//!
//! # False positives
//! Reputation services that put hashes into names, telemetry, content networks with a name for each
//! object. Those that are widely known are left out; others belong on the allow-list.
//!
//! # Knobs
//! `alert` (0.75): T from which an alert is raised.
//!
//! # References
//! ATT&CK T1071.004 DNS, T1572 Protocol Tunneling, T1048.003 Exfiltration Over Unencrypted Non-C2
//! Protocol. Active Countermeasures, RITA, which counts the names below a domain.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher};
use crate::distinct::Distinct;
use crate::domain;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::TUNNEL_ZONES;
use crate::protocols::dns::DnsRecord;
use crate::recent::Recent;
use crate::scene::prevalence::digest;
use crate::scene::{Heading, Scene, Subject, assets};
use crate::text::{Text, escape};
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "dns_tunnel",
    source: include_str!("dns_tunnel.rs"),
    interests: &[Interest::Record(&DnsRecord::TABLE)],
};

const TECHNIQUES: &[Technique] =
    &[Technique::new(1071, 4), Technique::new(1572, 0), Technique::new(1048, 3)];

/// The spans over which questions are counted, in seconds.
const SPANS: [i64; 2] = [3_600, 86_400];

/// Questions from which a span is judged.
const JUDGED_FROM: u32 = 16;

/// Bytes of labels in a day that are more than orders.
const EXFILTRATION_BYTES: u64 = 1_000_000;

/// Confidence that this can reach.
const CONFIDENCE_MAX: f64 = 0.9;

/// Zones that carry data in names and are known to: reputation services and block lists.
const KNOWN: &[&[u8]] = &[
    b"sophosxl.net",
    b"sophosxl.com",
    b"mcafee.com",
    b"avqs.mcafee.com",
    b"e5.sk",
    b"eset.com",
    b"trendmicro.com",
    b"webcfs03.com",
    b"cymru.com",
    b"spamhaus.org",
    b"spamhaus.net",
    b"surbl.org",
    b"uribl.com",
    b"barracudacentral.org",
    b"abuseat.org",
    b"sorbs.net",
    b"spamcop.net",
    b"dnswl.org",
    b"senderbase.org",
    b"mailspike.net",
];

/// `[detect.dns_tunnel]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Score from which an alert is raised.
    pub alert: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { alert: 0.75 }
    }
}

impl Knobs {
    const fn least_score(&self) -> Threshold {
        Threshold::least("alert", self.alert)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        Ground::exact(self.least_score(), evidence.number("T")).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Tunnels { knobs: knobs.clone(), zones: Recent::new(TUNNEL_ZONES) })
}

/// What one host asked below one domain in one span.
#[derive(Debug, Default)]
struct Count {
    /// Which span since the epoch.
    span: i64,
    questions: u32,
    names: Distinct<64, Box<[u8; 256]>>,
    label_bytes: u64,
    special: u32,
    private: u32,
    missing: u32,
    response_bytes: u64,
    /// Questions whose labels are an encoding.
    encoded: u32,
    longest: u32,
    /// The minute that runs, and the busiest one.
    minute: i64,
    in_minute: u32,
    busiest: u32,
}

/// What one host asks below one domain.
#[derive(Debug, Default)]
struct Zone {
    counts: [Count; 2],
    first: Option<Timestamp>,
    last: Timestamp,
    flows: Option<Box<FlowsBehind>>,
    /// The first addresses that it resolved to.
    answers: Vec<IpAddr>,
}

/// A question, as far as it is looked at.
struct Question {
    name: u64,
    label_bytes: u32,
    is_encoded: bool,
    is_special: bool,
    is_private: bool,
    is_missing: bool,
    response_bytes: u64,
}

struct Tunnels {
    knobs: Knobs,
    zones: Recent<(IpAddr, u64), Zone>,
}

impl Watcher for Tunnels {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let Some(dns) = event.what.record::<DnsRecord>() else { return };
        let is_ours = matches!(event.heading, Heading::Outbound | Heading::Internal);
        let (true, "udp" | "tcp", Some(query)) = (is_ours, dns.transport, &dns.query) else {
            return;
        };
        let name = query.as_bytes();
        let Some(domain) = domain::registrable(name) else { return };
        if domain.ends_with(b".arpa") || KNOWN.contains(&domain) {
            return;
        }
        let Some(question) = Question::read(dns, name, domain) else { return };
        let host = event.flow.src.ip;
        let zone = self.zones.entry((host, digest(domain)), Zone::default);
        zone.first.get_or_insert(event.ts);
        zone.last = event.ts;
        zone.note_answers(dns);
        let mut is_due = false;
        for (count, length) in zone.counts.iter_mut().zip(SPANS) {
            is_due |= count.note(&question, event.ts, length);
        }
        if zone.counts.iter().any(|count| count.questions >= JUDGED_FROM / 2) {
            zone.flows.get_or_insert_default().add(event.flow);
        }
        if is_due && let Some(finding) = zone.judge(event, domain, scene, &self.knobs) {
            findings.say(finding);
        }
    }

    fn evicted(&self) -> u64 {
        self.zones.evicted()
    }
}

impl Question {
    fn read(dns: &DnsRecord, name: &[u8], domain: &[u8]) -> Option<Self> {
        let below = domain::below(name, domain);
        if below.starts_with(b"_") || is_reversed_address(below) {
            return None;
        }
        let qtype = dns.qtype.as_ref().map_or(&b""[..], Text::as_bytes);
        let is_ordinary =
            matches!(qtype, b"A" | b"AAAA" | b"HTTPS" | b"SVCB" | b"NS" | b"SOA" | b"PTR" | b"DS");
        let is_private = qtype == b"NULL" || qtype.starts_with(b"TYPE");
        let is_own = below.is_empty();
        Some(Self {
            name: digest(name),
            label_bytes: u32::try_from(below.len()).unwrap_or(u32::MAX),
            is_encoded: is_encoded(below),
            is_special: !(is_ordinary || is_own && matches!(qtype, b"TXT" | b"MX" | b"CAA")),
            is_private,
            is_missing: dns.rcode.as_ref().is_some_and(|code| code.as_bytes() == b"NXDOMAIN"),
            response_bytes: dns.response_bytes.map_or(0, |bytes| u64::try_from(bytes).unwrap_or(0)),
        })
    }
}

/// Whether labels are an address, turned around as block lists want it.
fn is_reversed_address(below: &[u8]) -> bool {
    let labels = below.split(|byte| *byte == b'.');
    let is_number =
        |label: &[u8]| (1..=3).contains(&label.len()) && label.iter().all(u8::is_ascii_digit);
    let numbers = labels.clone().take_while(|label| is_number(label)).count();
    let nibbles = labels.take_while(|label| label.len() == 1).count();
    numbers == 4 || nibbles >= 32
}

/// Whether labels look like bytes in base 16, 32 or 64: long, and with digits among the letters.
fn is_encoded(below: &[u8]) -> bool {
    let longest = below.split(|byte| *byte == b'.').max_by_key(|label| label.len());
    let label = longest.unwrap_or_default();
    let digits = label.iter().filter(|byte| byte.is_ascii_digit()).count();
    let fits = label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let is_hex = label.iter().all(u8::is_ascii_hexdigit);
    // Letters in both cases are base 64, or the bytes that iodine sends as they are.
    let is_mixed = label.iter().any(u8::is_ascii_uppercase) || !fits;
    label.len() >= 16 && (is_hex || is_mixed || digits.saturating_mul(16) >= label.len())
}

impl Count {
    /// Counts a question; whether it is time to judge.
    fn note(&mut self, question: &Question, ts: Timestamp, length: i64) -> bool {
        let second = ts.nanos().div_euclid(1_000_000_000);
        let span = second.div_euclid(length);
        if span != self.span {
            *self = Self { span, ..Self::default() };
        }
        let one = |is: bool| u32::from(is);
        self.questions = self.questions.saturating_add(1);
        self.names.add(question.name);
        self.label_bytes = self.label_bytes.saturating_add(u64::from(question.label_bytes));
        self.longest = self.longest.max(question.label_bytes);
        self.special = self.special.saturating_add(one(question.is_special));
        self.private = self.private.saturating_add(one(question.is_private));
        self.missing = self.missing.saturating_add(one(question.is_missing));
        self.encoded = self.encoded.saturating_add(one(question.is_encoded));
        self.response_bytes = self.response_bytes.saturating_add(question.response_bytes);
        let minute = second.div_euclid(60);
        if minute != self.minute {
            (self.minute, self.in_minute) = (minute, 0);
        }
        self.in_minute = self.in_minute.saturating_add(1);
        self.busiest = self.busiest.max(self.in_minute);
        self.questions >= JUDGED_FROM && self.questions.is_power_of_two()
    }

    /// What speaks for a tunnel, with its weight.
    fn signs(&self) -> Vec<(&'static str, f64)> {
        let questions = f64::from(self.questions.max(1));
        let names = self.names.count();
        let different = names as f64 / questions;
        let special = f64::from(self.special) / questions;
        let each = self.label_bytes as f64 / questions;
        let mut signs = Vec::new();
        let mut say = |is: bool, sign: &'static str, weight: f64| {
            if is {
                signs.push((sign, weight));
            }
        };
        say(different >= 0.8 && names >= 50, "nearly every name is asked once", 0.5);
        say(names >= 500, "there are 500 names and more", 0.5);
        say(each >= 25.0 && names >= 20, "names are long", 0.4);
        let is_enough = self.questions >= 20;
        say(is_enough && special >= 0.9, "nearly all are of types that carry data", 0.6);
        say(is_enough && (0.5..0.9).contains(&special), "most are of types that carry data", 0.5);
        say(self.private >= 5, "types are NULL or private", 0.6);
        say(self.busiest >= 60, "there are 60 in a minute and more", 0.3);
        say(self.encoded.saturating_mul(2) >= self.questions, "labels are an encoding", 0.2);
        signs
    }
}

impl Zone {
    fn note_answers(&mut self, dns: &DnsRecord) {
        /// Some are enough to see whether anyone goes there.
        const ANSWERS: usize = 4;
        if self.answers.len() >= ANSWERS {
            return;
        }
        for answer in dns.answers.iter().flatten() {
            let address = str::from_utf8(answer.as_bytes()).ok().and_then(|text| text.parse().ok());
            if let Some(address) = address
                && self.answers.len() < ANSWERS
                && !self.answers.contains(&address)
            {
                self.answers.push(address);
            }
        }
    }

    /// Whether clients go where the zone leads.
    fn is_used(&self, scene: &Scene) -> bool {
        let goes = |address: &IpAddr| {
            scene.home.contains(*address)
                || scene.contacts.prevalence(&Subject::Address(*address)).hosts > 0
        };
        !self.answers.is_empty() && self.answers.iter().any(goes)
    }

    fn judge(
        &self,
        event: &Event<'_>,
        domain: &[u8],
        scene: &Scene,
        knobs: &Knobs,
    ) -> Option<Finding> {
        const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);
        let prevalence = scene.contacts.prevalence(&Subject::Domain(domain));
        let mut around = Vec::new();
        let is_used = self.is_used(scene);
        if !is_used {
            around.push(("nobody connects to what they resolve to", 0.3));
        }
        if prevalence.hosts <= 2 && prevalence.age(event.time).is_none_or(|age| age < WEEK) {
            around.push(("the domain is new here and few ask below it", 0.3));
        }
        let is_common = prevalence.share().is_some_and(|share| share >= 0.10);
        let factor = if is_common { 0.6 } else { 1.0 } * if is_used { 0.6 } else { 1.0 };
        let judged = self.counts.iter().map(|count| {
            let signs: Vec<_> = count.signs().into_iter().chain(around.iter().copied()).collect();
            let silence: f64 = signs.iter().map(|(_, weight)| 1.0 - weight).product();
            (factor * (1.0 - silence), signs, count)
        });
        // Of two spans that say the same the longer one is told.
        let (value, signs, count) = judged.max_by(|a, b| a.0.total_cmp(&b.0))?;
        if !knobs.least_score().is_met(value) {
            return None;
        }
        let verdict = Verdict { value, signs, count };
        Some(self.finding(&verdict, event.flow.src.ip, domain, scene, knobs))
    }

    fn finding(
        &self,
        verdict: &Verdict<'_>,
        host: IpAddr,
        domain: &[u8],
        scene: &Scene,
        knobs: &Knobs,
    ) -> Finding {
        let Verdict { value, signs, count } = verdict;
        let zone = escape(domain).into_owned();
        let exfiltrates = self.counts.iter().any(|count| count.label_bytes >= EXFILTRATION_BYTES);
        let (title, stage) = if exfiltrates {
            (format!("{host} takes data out through names below {zone}"), Stage::Exfiltration)
        } else {
            (format!("{host} sends data in names below {zone}"), Stage::CommandAndControl)
        };
        let says: Vec<String> =
            signs.iter().map(|(sign, weight)| format!("{sign} ({weight})")).collect();
        let mut description = format!(
            "{host} asked {} questions below {zone} for {} different names with {} bytes of \
             labels. Score {value:.2} (alerts from {:.2}): {}. ",
            count.questions,
            count.names.count(),
            count.label_bytes,
            knobs.alert,
            says.join("; ")
        );
        if assets::any_contains(&scene.assets.resolvers, host) {
            description += "The host is a resolver: look for whoever asks it. ";
        }
        description += "Check which program asks, and who owns the domain.";
        let first = self.first.unwrap_or_default();
        Finding {
            detector: DETECTOR.name,
            host,
            key: Text::wire(domain),
            title: Text::from(title),
            description: Text::from(description),
            severity: Severity::MEDIUM,
            confidence: value.min(CONFIDENCE_MAX),
            techniques: TECHNIQUES.into(),
            stage,
            first,
            last: self.last,
            count: u64::from(count.questions),
            peers: Vec::new(),
            flows: self.flows.as_deref().cloned().unwrap_or_default(),
            indicator: None,
            evidence: verdict.evidence(knobs),
            hunt: format!(
                "SELECT * FROM dns WHERE src_ip = '{host}' AND (query = {} OR \
             ends_with(query, {})) AND {}",
                hunt::text(&zone),
                hunt::text(&format!(".{zone}")),
                hunt::between(first, self.last)
            ),
        }
    }
}

/// A span that looks like a tunnel.
struct Verdict<'a> {
    value: f64,
    signs: Vec<(&'static str, f64)>,
    count: &'a Count,
}

impl Verdict<'_> {
    fn evidence(&self, knobs: &Knobs) -> std::collections::BTreeMap<&'static str, Value> {
        let count = self.count;
        let signs: Vec<Value> = self
            .signs
            .iter()
            .map(|(sign, weight)| json!({ "says": sign, "weight": weight }))
            .collect();
        [
            ("T", json!((self.value * 1_000.0).round() / 1_000.0)),
            ("q", json!(count.questions)),
            ("u", json!(count.names.count())),
            ("bytes", json!(count.label_bytes)),
            ("longest", json!(count.longest)),
            ("special_types", json!(count.special)),
            ("private_types", json!(count.private)),
            ("nxdomain", json!(count.missing)),
            ("response_bytes", json!(count.response_bytes)),
            ("encoded", json!(count.encoded)),
            ("busiest_minute", json!(count.busiest)),
            ("signs", json!(signs)),
            ("thresholds", json!({ "T": knobs.alert })),
        ]
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::{Dice, Rehearsal, dns};
    use crate::flow_id::Transport;

    const HOST: &str = "10.0.0.5";

    fn play(traffic: Rehearsal) -> Vec<Finding> {
        traffic.play(watcher(&Knobs::default()))
    }

    fn ask(traffic: &mut Rehearsal, second: f64, name: &str, qtype: &'static str, answer: &str) {
        let flow = traffic.open(second, HOST, "10.0.0.53", 53, Transport::UDP);
        traffic.record(second, &flow, dns(name, qtype, &[answer], 5));
    }

    fn encoded(dice: &mut Dice, letters: usize) -> String {
        let mut text = String::new();
        while text.len() < letters {
            dice.roll();
            text += &format!("{:06x}", dice.0 >> 40);
        }
        text.truncate(letters);
        text
    }

    #[test]
    fn tunnels_are_found_by_their_shape() {
        let mut dice = Dice(1);
        let mut iodine = Rehearsal::new();
        let mut orders = Rehearsal::new();
        let mut addresses = Rehearsal::new();
        for number in 0..256_u32 {
            let second = f64::from(number);
            let name = format!("{}.t.example.net", encoded(&mut dice, 36));
            ask(&mut iodine, second / 10.0, &name, "NULL", "x");
            if number < 64 {
                ask(&mut orders, second, &format!("c{}.example.net", number % 19), "TXT", "ok");
            }
            let name = format!("{}.{}.example.net", encoded(&mut dice, 40), number);
            ask(&mut addresses, 30.0 * second, &name, "A", "192.0.2.77");
        }
        for (name, traffic, least) in [
            ("iodine", iodine, 0.95),
            ("orders in TXT", orders, 0.75),
            ("addresses", addresses, 0.75),
        ] {
            let findings = play(traffic);
            let latest = findings.last().unwrap_or_else(|| panic!("{name} is not found"));
            assert_eq!(latest.key.escaped(), "example.net", "{name}");
            assert!(latest.evidence["T"].as_f64().unwrap() >= least, "{name}: {latest:?}");
        }
    }

    #[test]
    fn ordinary_zones_stay_silent() {
        let mut dice = Dice(1);
        let mut block_list = Rehearsal::new();
        let mut known = Rehearsal::new();
        let mut content = Rehearsal::new();
        let mut mail = Rehearsal::new();
        let mut reverse = Rehearsal::new();
        let mut browsing = Rehearsal::new();
        for number in 0..600_u32 {
            let second = f64::from(number) * 20.0;
            let address = format!("{}.{}.0.10", number % 250, number / 250);
            ask(&mut block_list, second, &format!("{address}.bl.example.org"), "A", "127.0.0.2");
            let hash = encoded(&mut dice, 40);
            ask(&mut known, second, &format!("{hash}.sophosxl.net"), "TXT", "w");
            ask(
                &mut content,
                second,
                &format!("i{}.img.example.com", number % 300),
                "A",
                "192.0.2.9",
            );
            ask(&mut mail, second, &format!("_dmarc.mail{number}.example.com"), "TXT", "v=DMARC1");
            ask(&mut reverse, second, &format!("{address}.in-addr.arpa"), "PTR", "a.example.com");
            ask(&mut browsing, second, &format!("www{}.example.com", number % 5), "A", "192.0.2.9");
        }
        let flow = content.open(1.0, HOST, "192.0.2.9", 443, Transport::TCP);
        content.end(1.0, 1.0, &flow, "SF", (100, 100));
        for (name, traffic) in [
            ("block list", block_list),
            ("known reputation service", known),
            ("content network", content),
            ("mail", mail),
            ("reverse", reverse),
            ("browsing", browsing),
        ] {
            assert_eq!(play(traffic), [], "{name}");
        }
    }

    #[test]
    fn a_megabyte_of_labels_is_told_as_exfiltration() {
        let mut dice = Dice(1);
        let mut traffic = Rehearsal::new();
        for number in 0..8_192_u32 {
            let name = format!("{}.{}.example.net", encoded(&mut dice, 60), encoded(&mut dice, 63));
            ask(&mut traffic, f64::from(number), &name, "A", "192.0.2.77");
        }
        let findings = play(traffic);
        assert_eq!(findings.last().unwrap().stage, Stage::Exfiltration);
    }
}
