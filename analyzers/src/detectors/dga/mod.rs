//! A host asks for names that a program made up.
//!
//! # What it detects
//! A burst of questions for registrable domains that look generated and mostly do not exist, from
//! one host; or such a search that came to an answer.
//!
//! # Why it matters
//! Malware that computes its servers' names from the date cannot be cut off by blocking one of
//! them. Until it finds the one that its owner registered, it asks for all the others, and that
//! shows.
//!
//! # How
//! The label that somebody registered is scored by a model of three letters in a row, trained on
//! public lists of generated and ordinary names: s is the logarithm of how much likelier the label
//! is among the generated. Labels of five letters and fewer, in another script, and reverse zones
//! are left out; one label under several suffixes counts once. Per host, over an hour: n distinct
//! labels with s > 2, and the share of them that do not exist. An alert is raised when n ≥ 10 and
//! the share is ≥ 0.7; or when a label with s > 2 exists after at least 4 that did not, n ≥ 5 and
//! the share is ≥ 0.5. What such a name resolved to is among the peers.
//!
//! # False positives
//! Security software and crawlers that look names up in bulk; resolvers, behind which many hosts
//! stand (name them in `assets.resolvers`, and the alert says so). One ordinary name in sixteen
//! looks generated, but exists.
//!
//! # Knobs
//! `names` (10): labels in an hour. `missing` (0.7): the share of them that do not exist.
//!
//! # References
//! ATT&CK T1568.002 Domain Generation Algorithms. Schüppen et al., FANCI, USENIX Security 2018.

pub(in crate::detectors) mod model;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher};
use crate::domain;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{DGA_HOSTS, DGA_NAMES};
use crate::protocols::dns::DnsRecord;
use crate::recent::Recent;
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "dga",
    source: include_str!("mod.rs"),
    interests: &[Interest::Record(&DnsRecord::TABLE)],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1568, 2)];

/// How long a name counts.
const WINDOW: Duration = Duration::from_secs(3_600);

/// Oddness from which a label looks generated.
const ODD: f64 = 2.0;

/// Names of a search that came to an answer, those among them that do not exist, and their share.
const ANSWERED_NAMES: usize = 5;
const ANSWERED_MISSING: usize = 4;
const ANSWERED_SHARE: f64 = 0.5;

/// `[detect.dga]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Labels in an hour.
    pub names: usize,
    /// The share of them that do not exist.
    pub missing: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { names: 10, missing: 0.7 }
    }
}

impl Knobs {
    const fn least_names(&self) -> Threshold {
        Threshold::count("names", self.names)
    }

    const fn least_missing(&self) -> Threshold {
        Threshold::least("missing", self.missing)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        // Names of which some resolved are told by fixed thresholds.
        if evidence.entries("resolved").is_some_and(|resolved| resolved > 0.0) {
            return vec![Ground::FIXED];
        }
        let ground = Ground::exact(self.least_names(), evidence.number("n"))
            .and_then(|ground| ground.and(self.least_missing(), evidence.number("nx_share")));
        ground.into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Dga { knobs: knobs.clone(), hosts: Recent::new(DGA_HOSTS) })
}

/// A name that looks generated.
struct Odd {
    ts: Timestamp,
    name: Text,
    label: Text,
    oddness: f64,
    exists: bool,
}

/// What one host asked for.
#[derive(Default)]
struct Search {
    odd: VecDeque<Odd>,
    flows: FlowsBehind,
    answers: Vec<IpAddr>,
    /// Names that were told of, and answers.
    told: (usize, usize),
    last_told: Option<Timestamp>,
}

struct Dga {
    knobs: Knobs,
    hosts: Recent<IpAddr, Search>,
}

impl Watcher for Dga {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let Some(dns) = event.what.record::<DnsRecord>() else { return };
        let is_ours = matches!(event.heading, Heading::Outbound | Heading::Internal);
        let (true, "udp" | "tcp", Some(query)) = (is_ours, dns.transport, &dns.query) else {
            return;
        };
        let exists = match dns.rcode.as_ref().map(Text::as_bytes) {
            Some(b"NXDOMAIN") => false,
            Some(b"NOERROR") => dns.answers.as_ref().is_some_and(|answers| !answers.is_empty()),
            _ => return,
        };
        let Some((label, oddness)) = odd_label(query.as_bytes()) else { return };
        let host = event.flow.src.ip;
        // A host whose odd names all exist is none that searches.
        if exists && self.hosts.peek(&host).is_none() {
            return;
        }
        let search = self.hosts.entry(host, Search::default);
        search.forget(event.time);
        search.flows.add(event.flow);
        if exists && search.missing() >= ANSWERED_MISSING {
            search.note_answers(dns);
        }
        search.note(Odd { ts: event.ts, name: query.clone(), label, oddness, exists });
        if search.is_worth_telling(&self.knobs) {
            findings.say(search.finding(host, scene, &self.knobs));
        }
    }

    fn evicted(&self) -> u64 {
        self.hosts.evicted()
    }
}

/// The registered label of a name, if it looks generated.
fn odd_label(name: &[u8]) -> Option<(Text, f64)> {
    let domain = domain::public(name)?;
    if domain.ends_with(b".arpa") {
        return None;
    }
    let label = domain.split(|byte| *byte == b'.').next()?;
    let oddness = model::oddness(label).filter(|oddness| *oddness > ODD)?;
    Some((Text::wire(label), oddness))
}

impl Search {
    /// Forgets what is older than an hour.
    fn forget(&mut self, now: Timestamp) {
        while self.odd.front().is_some_and(|odd| now.since(odd.ts) > WINDOW) {
            self.odd.pop_front();
        }
        if self.odd.is_empty() {
            *self = Self { last_told: self.last_told, ..Self::default() };
        }
    }

    fn note(&mut self, odd: Odd) {
        if let Some(known) = self.odd.iter_mut().find(|known| known.label == odd.label) {
            known.exists |= odd.exists;
            return;
        }
        if self.odd.len() >= DGA_NAMES {
            self.odd.pop_front();
        }
        self.odd.push_back(odd);
    }

    fn note_answers(&mut self, dns: &DnsRecord) {
        for answer in dns.answers.iter().flatten() {
            let address = str::from_utf8(answer.as_bytes()).ok().and_then(|text| text.parse().ok());
            if let Some(address) = address
                && self.answers.len() < crate::limits::FINDING_UIDS
                && !self.answers.contains(&address)
            {
                self.answers.push(address);
            }
        }
    }

    fn missing(&self) -> usize {
        self.odd.iter().filter(|odd| !odd.exists).count()
    }

    fn share(&self) -> f64 {
        self.missing() as f64 / self.odd.len().max(1) as f64
    }

    /// Whether there is a finding, and it says more than the last time.
    fn is_worth_telling(&mut self, knobs: &Knobs) -> bool {
        let (names, missing, share) = (self.odd.len(), self.missing(), self.share());
        let is_burst = knobs.least_names().is_met_by(names) && knobs.least_missing().is_met(share);
        let is_answered = !self.answers.is_empty()
            && names >= ANSWERED_NAMES
            && missing >= ANSWERED_MISSING
            && share >= ANSWERED_SHARE;
        let (told_names, told_answers) = self.told;
        let is_news =
            names >= told_names.saturating_mul(2).max(1) || self.answers.len() > told_answers;
        if (is_burst || is_answered) && is_news {
            self.told = (names, self.answers.len());
            return true;
        }
        false
    }

    fn finding(&mut self, host: IpAddr, scene: &Scene, knobs: &Knobs) -> Finding {
        let (names, missing) = (self.odd.len(), self.missing());
        let last = self.odd.iter().map(|odd| odd.ts).max().unwrap_or_default();
        let first = self.odd.iter().map(|odd| odd.ts).min().unwrap_or_default();
        self.last_told = Some(last);
        let shown: Vec<String> =
            self.odd.iter().take(20).map(|odd| odd.name.escaped().into_owned()).collect();
        let resolved: Vec<String> = self
            .odd
            .iter()
            .filter(|odd| odd.exists)
            .map(|odd| odd.name.escaped().into_owned())
            .collect();
        let mean = self.odd.iter().map(|odd| odd.oddness).sum::<f64>() / names.max(1) as f64;
        let bonus = if self.answers.is_empty() { 0.0 } else { 0.1 };
        let confidence = 0.5 + 0.1 * (names as f64 / 5.0).log2() + bonus;
        let mut description = format!(
            "{host} asked within an hour for {names} registrable domains that look generated \
             (alerts from {}), {missing} of which do not exist; their mean score is {mean:.1}, \
             ordinary names are below 0. ",
            knobs.names
        );
        if !self.answers.is_empty() {
            description += &format!(
                "The search came to an answer: {}. Look for connections to it. ",
                resolved.join(", ")
            );
        }
        if assets::any_contains(&scene.assets.resolvers, host) {
            description += "The host is a resolver: look for whoever asks it. ";
        }
        description += "Check which program asks, and whether the names follow the date.";
        let queries: Vec<String> =
            self.odd.iter().map(|odd| hunt::text(&odd.name.escaped())).collect();
        Finding {
            detector: DETECTOR.name,
            host,
            key: Text::from(""),
            title: Text::from(format!("{host} searches through {names} generated domain names")),
            description: Text::from(description),
            severity: Severity::MEDIUM,
            confidence: confidence.clamp(0.0, 0.8),
            techniques: TECHNIQUES.into(),
            stage: Stage::CommandAndControl,
            first,
            last,
            count: u64::try_from(names).unwrap_or(u64::MAX),
            peers: self.answers.clone(),
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("names", json!(shown)),
                ("n", json!(names)),
                ("s", json!((mean * 100.0).round() / 100.0)),
                ("nx_share", json!((self.share() * 1_000.0).round() / 1_000.0)),
                ("resolved", json!(resolved)),
                ("thresholds", json!({ "names": knobs.names, "missing": knobs.missing })),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM dns WHERE src_ip = '{host}' AND query IN ({}) AND {}",
                queries.join(", "),
                hunt::between(first, last)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::{Dice, Rehearsal, dns};
    use crate::flow_id::Transport;

    const HOST: &str = "10.0.0.5";

    fn generated(dice: &mut Dice) -> String {
        let letters = b"qwxzjkvbhgfmpdtrn";
        let letter = |dice: &mut Dice| {
            let place = (dice.roll() * 16.9).to_string();
            char::from(letters[place.split('.').next().unwrap().parse::<usize>().unwrap()])
        };
        let label: String = (0..14).map(|_| letter(dice)).collect();
        format!("{label}.net")
    }

    fn ask(traffic: &mut Rehearsal, second: f64, name: &str, answers: &[&str]) {
        let flow = traffic.open(second, HOST, "10.0.0.53", 53, Transport::UDP);
        traffic.record(second, &flow, dns(name, "A", answers, 60));
    }

    fn play(traffic: Rehearsal) -> Vec<Finding> {
        traffic.play(watcher(&Knobs::default()))
    }

    #[test]
    fn a_burst_of_generated_names_is_found_and_its_answer_is_followed() {
        let mut dice = Dice(3);
        let mut traffic = Rehearsal::new();
        for number in 0..12 {
            ask(&mut traffic, f64::from(number) * 10.0, &generated(&mut dice), &[]);
        }
        ask(&mut traffic, 200.0, &generated(&mut dice), &["192.0.2.66"]);
        let findings = play(traffic);
        let counts: Vec<u64> = findings.iter().map(|finding| finding.count).collect();
        assert_eq!(counts, [10, 13]);
        assert_eq!(findings[1].peers, ["192.0.2.66".parse::<IpAddr>().unwrap()]);
        assert!(findings[1].confidence > findings[0].confidence);
        assert!(findings[1].hunt.contains("query IN ('"), "{}", findings[1].hunt);
    }

    #[test]
    fn a_short_search_that_ends_with_an_answer_is_found() {
        let mut dice = Dice(5);
        let mut traffic = Rehearsal::new();
        for number in 0..4 {
            ask(&mut traffic, f64::from(number), &generated(&mut dice), &[]);
        }
        ask(&mut traffic, 9.0, &generated(&mut dice), &["192.0.2.66"]);
        assert_eq!(play(traffic).len(), 1);
    }

    #[test]
    fn other_names_that_do_not_exist_stay_silent() {
        let mut dice = Dice(7);
        let name = generated(&mut dice);
        let label = name.strip_suffix(".net").unwrap();
        let mut suffixes = Rehearsal::new();
        let mut probes = Rehearsal::new();
        let mut slow = Rehearsal::new();
        let mut existing = Rehearsal::new();
        let mut typing = Rehearsal::new();
        for number in 0..12_u8 {
            let second = f64::from(number);
            let suffix =
                ["com", "net", "org", "de", "fr", "it", "io", "eu", "at", "ch", "be", "nl"];
            ask(&mut suffixes, second, &format!("{label}.{}", suffix[usize::from(number)]), &[]);
            let random = generated(&mut dice);
            ask(&mut probes, second, random.strip_suffix(".net").unwrap(), &[]);
            ask(&mut slow, second * 3_000.0, &generated(&mut dice), &[]);
            ask(&mut existing, second, &generated(&mut dice), &["192.0.2.1"]);
            ask(&mut typing, second, &format!("library{number}.wikipedias.org"), &[]);
        }
        for (what, traffic) in [
            ("one label under many suffixes", suffixes),
            ("single labels", probes),
            ("slowly", slow),
            ("names that exist", existing),
            ("ordinary names", typing),
        ] {
            assert_eq!(play(traffic), [], "{what}");
        }
    }
}
