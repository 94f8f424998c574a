//! From a regular track to a finding: what the network knows of the destination decides.
//!
//! In: the standing of a track, and what is known around it. Out: the finding, or nothing. Timing
//! tells machines from people; only the circumstances tell one machine from another.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::destination::{Destination, Key};
use super::track::Standing;
use super::{DETECTOR, Facts, Knobs};
use crate::detector::{Finding, FlowsBehind};
use crate::grade::{Severity, Stage, Technique};
use crate::scene::{Prevalence, Scene, Subject, assets};
use crate::text::Text;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// Share of our hosts from which a destination is common, and from which it is everybody's.
const COMMON: f64 = 0.10;
const EVERYBODY: f64 = 0.50;

/// Confidence where nothing but timing speaks: most machines that keep time are honest.
const TIMING_ALONE: f64 = 0.45;

/// Confidence that behaviour alone can reach.
const CONFIDENCE_MAX: f64 = 0.85;

const WEB: &[Technique] =
    &[Technique::new(1071, 1), Technique::new(1573, 0), Technique::new(1029, 0)];
const DNS: &[Technique] = &[Technique::new(1071, 4), Technique::new(1029, 0)];

/// One circumstance, and what it adds to the score.
struct Circumstance {
    weight: f64,
    says: String,
}

/// All that is known of a track that may be told.
pub(super) struct Case<'a> {
    pub key: &'a Key,
    pub destination: &'a Destination,
    pub standing: &'a Standing,
    pub facts: &'a Facts,
    pub flows: FlowsBehind,
    /// Whether it beats while the host is quiet; `None` where the host's hours are not known.
    pub is_off_hours: Option<bool>,
    pub now: Timestamp,
}

impl Case<'_> {
    /// The finding, if score and circumstances are enough for one.
    pub(super) fn finding(self, scene: &Scene, knobs: &Knobs) -> Option<Finding> {
        let prevalence = scene.contacts.prevalence(&self.destination.target().subject());
        let circumstances = self.circumstances(&prevalence, scene);
        let sum: f64 = circumstances.iter().map(|circumstance| circumstance.weight).sum();
        let total = (self.standing.value + sum).clamp(0.0, 1.0);
        if !knobs.least_score().is_met(total) {
            return None;
        }
        let supports = circumstances.iter().filter(|circumstance| circumstance.weight > 0.0);
        let supports = supports.count();
        let known = prevalence.share().is_some() || supports > 0;
        let bound = if known { CONFIDENCE_MAX } else { TIMING_ALONE };
        let confidence = (0.30 + 0.45 * (total - 0.70) / 0.30).clamp(0.0, bound);
        let label = self.destination.label();
        let host = self.key.host;
        let standing = self.standing;
        let target = self.destination.target();
        Some(Finding {
            detector: DETECTOR.name,
            host,
            key: Text::from(label.clone()),
            title: Text::from(format!(
                "{host} calls {label} every {}",
                duration(standing.score.period)
            )),
            description: Text::from(self.description(total, &circumstances, scene, knobs)),
            severity: if supports >= 2 { Severity::MEDIUM } else { Severity::LOW },
            confidence,
            techniques: match target {
                super::destination::Target::Questions(_) => DNS.into(),
                _ => WEB.into(),
            },
            stage: Stage::CommandAndControl,
            first: standing.first,
            last: standing.last,
            count: standing.beats,
            peers: self.flows.first().map(|flow| flow.dst.ip).into_iter().collect(),
            evidence: self.evidence(total, &circumstances, &prevalence, knobs),
            hunt: self.destination.hunt(host, standing.first, standing.last),
            flows: self.flows,
            indicator: None,
        })
    }

    /// What speaks for and against.
    fn circumstances(&self, prevalence: &Prevalence, scene: &Scene) -> Vec<Circumstance> {
        let mut found = Vec::new();
        let mut say = |weight: f64, says: String| found.push(Circumstance { weight, says });
        let Prevalence { hosts, active, .. } = *prevalence;
        let of = format!("{hosts} of {active} active hosts know the destination");
        match prevalence.share() {
            Some(share) if share >= EVERYBODY => say(-0.30, of),
            Some(share) if share >= COMMON => say(-0.15, of),
            Some(_) if prevalence.is_rare() == Some(true) => say(0.15, of),
            _ => {}
        }
        if prevalence.is_newer_than(DAY.saturating_mul(7), self.now) == Some(true) {
            say(0.10, "nobody here knew the destination a week ago".to_owned());
        } else if prevalence.age(self.now).is_some_and(|age| age >= DAY.saturating_mul(30)) {
            say(-0.10, "the destination has been known for a month".to_owned());
        }
        if let Some(reason) = self.oddity(scene) {
            say(0.10, reason);
        }
        if let Some(class) = self.destination.class() {
            say(-0.20, format!("the destination is known as a {class}"));
        }
        // What many use, they use at night, too: programs do not go home.
        let is_common = prevalence.share().is_some_and(|share| share >= COMMON);
        if self.is_off_hours == Some(true) && !is_common {
            say(0.10, "it goes on while the host is otherwise quiet".to_owned());
        }
        found
    }

    /// What is odd about client or server.
    fn oddity(&self, scene: &Scene) -> Option<String> {
        if self.facts.is_self_signed {
            return Some("the server's certificate is signed by itself".to_owned());
        }
        let client = self.facts.client.as_ref();
        let rare =
            client.map(|client| scene.contacts.prevalence(&Subject::Client(client.as_bytes())));
        if let (Some(client), Some(prevalence)) = (client, rare)
            && prevalence.is_rare() == Some(true)
        {
            let hosts = prevalence.hosts;
            return Some(format!("its client, {}, is used by {hosts} host(s)", client.escaped()));
        }
        match self.destination {
            Destination::Address(..) if self.facts.is_tls => {
                Some("it speaks TLS without naming a server".to_owned())
            }
            Destination::Name(name) | Destination::Questions(name)
                if is_dynamic(name.as_bytes()) =>
            {
                Some("the name belongs to a service of dynamic names".to_owned())
            }
            _ => None,
        }
    }

    fn description(
        &self,
        total: f64,
        circumstances: &[Circumstance],
        scene: &Scene,
        knobs: &Knobs,
    ) -> String {
        let standing = self.standing;
        let score = &standing.score;
        let host = self.key.host;
        let mut text = format!(
            "{host} contacted {} in {} beats over {}, every {} at the median; the middle four \
             fifths of the intervals spread by {:.0} % of it",
            self.destination.label(),
            standing.beats,
            duration(standing.last.since(standing.first).as_secs_f64()),
            duration(score.period),
            100.0 * score.spread,
        );
        if score.folded > 0.0 {
            text += &format!(", {:.0} % of them with missed beats between", 100.0 * score.folded);
        }
        if standing.cadences > 1 {
            text += &format!(", in {} cadences", standing.cadences);
        }
        text += &format!(
            ". Its score is {:.2} of 1 (candidates from {:.2}), with its circumstances {total:.2} \
             (alerts from {:.2})",
            standing.value, knobs.candidate, knobs.alert
        );
        for circumstance in circumstances {
            text += &format!("; {} ({:+.2})", circumstance.says, circumstance.weight);
        }
        text += ". ";
        if assets::any_contains(&scene.assets.resolvers, host) {
            text += "The host is a resolver: look for whoever asks it. ";
        }
        text += "Timing shows a program, not what it wants: check which one opens these \
                 connections, since when, and who else contacts the destination.";
        text
    }

    fn evidence(
        &self,
        total: f64,
        circumstances: &[Circumstance],
        prevalence: &Prevalence,
        knobs: &Knobs,
    ) -> BTreeMap<&'static str, Value> {
        let standing = self.standing;
        let score = &standing.score;
        let reasons: Vec<Value> = circumstances
            .iter()
            .map(|it| json!({ "says": it.says, "weight": rounded(it.weight) }))
            .collect();
        let first_seen = prevalence.first.map(written);
        [
            ("B", json!(rounded(standing.value))),
            ("X", json!(rounded(total))),
            ("Q", json!(rounded(score.spread))),
            ("m", json!(rounded(score.period))),
            ("n", json!(standing.beats)),
            ("span", json!(rounded(standing.last.since(standing.first).as_secs_f64()))),
            ("timing", json!(rounded(score.timing))),
            ("keep", json!(rounded(score.kept))),
            ("cont", json!(rounded(score.continuity))),
            ("size", json!(rounded(score.size))),
            ("fold", json!(rounded(score.folded))),
            ("segments", json!(standing.cadences)),
            ("absences", json!(standing.absences)),
            ("prevalence", json!({ "hosts": prevalence.hosts, "active": prevalence.active })),
            ("first_seen", json!(first_seen)),
            ("off_hours", json!(self.is_off_hours)),
            ("client", json!(self.facts.client.as_ref().map(Text::escaped))),
            ("resolved_name", json!(self.facts.alias.as_ref().map(Text::escaped))),
            ("circumstances", json!(reasons)),
            ("thresholds", json!({ "candidate": knobs.candidate, "alert": knobs.alert })),
        ]
        .into()
    }
}

/// Services that give anyone a name for any address.
const DYNAMIC: &[&[u8]] = &[
    b"duckdns.org",
    b"no-ip.org",
    b"no-ip.com",
    b"ddns.net",
    b"hopto.org",
    b"zapto.org",
    b"sytes.net",
    b"myftp.org",
    b"dynu.net",
    b"dynu.com",
    b"dyndns.org",
    b"afraid.org",
    b"3322.org",
    b"f3322.net",
    b"ngrok.io",
    b"ngrok-free.app",
    b"trycloudflare.com",
    b"serveo.net",
];

fn is_dynamic(name: &[u8]) -> bool {
    DYNAMIC.iter().any(|domain| crate::domain::is_within(name, domain))
}

/// To three decimals: figures for people, and the same on every machine.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn written(ts: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(ts.micros())
        .map_or_else(|_| String::new(), |ts| ts.to_string())
}

/// Seconds in the unit that reads best.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6_000.0 => format!("{:.1} min", s / 60.0),
        s if s < 360_000.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}
