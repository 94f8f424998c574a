//! A scan in words: what the scan detectors say.
//!
//! In: what a source did, and what it is looked at for. Out: the finding.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::detector::Finding;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::scanning::probing::{Counts, Of, Probing, Rules, Test};
use crate::scene::Heading;
use crate::text::Text;
use crate::time::Timestamp;

/// What is scanned, and by whom.
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    /// The detector.
    pub detector: &'static str,
    /// Who scans.
    pub source: IpAddr,
    /// What tells it from other scans of that source.
    pub key: Text,
    /// What it scans for, as in `SMB (TCP/445)`.
    pub service: &'a str,
    /// The condition on columns of `flow` that selects these ports.
    pub condition: &'a str,
    /// From where to where.
    pub heading: Heading,
    /// Techniques.
    pub techniques: &'static [Technique],
    /// Whether the source serves others, and so has reasons of its own.
    pub is_server: bool,
}

impl Scan<'_> {
    /// The finding, by what the source did and the rules it was held to.
    #[must_use]
    pub fn finding(&self, probing: &Probing, rules: &Rules) -> Finding {
        let (first, last) = probing.span();
        let counts = probing.counts();
        let source = self.source;
        let is_inside = matches!(self.heading, Heading::Internal | Heading::Outbound);
        let worm = if probing.has_fired(Test::Worm) { " as a worm does" } else { "" };
        Finding {
            detector: self.detector,
            host: source,
            key: self.key.clone(),
            title: Text::from(format!(
                "{source} probed {} hosts for {}{worm}, within {}",
                counts.counted,
                self.service,
                span_in_words(first, last)
            )),
            description: Text::from(self.description(probing, rules)),
            severity: if is_inside { Severity::MEDIUM } else { Severity::LOW },
            confidence: probing.confidence(self.is_server),
            techniques: self.techniques.into(),
            stage: if is_inside { Stage::Discovery } else { Stage::Reconnaissance },
            first,
            last,
            count: counts.counted,
            peers: probing.targets().to_vec(),
            flows: probing.flows().clone(),
            indicator: None,
            evidence: self.evidence(probing, rules),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{source}' AND {} AND {} ORDER BY ts",
                self.condition,
                hunt::between(first, last)
            ),
        }
    }

    fn description(&self, probing: &Probing, rules: &Rules) -> String {
        let Counts { counted, failed, used } = probing.counts();
        let tests: Vec<String> = probing.fired().map(|test| in_words(test, rules)).collect();
        let dark = match probing.dark_hits() {
            0 => String::new(),
            hits => format!(" {hits} of them are decoys."),
        };
        format!(
            "{} turned to {counted} hosts for the first time in a day or more and got nothing: \
             {failed} contacts failed, {} were given up or gave a few words; {used} hosts were \
             used.{dark} Crossed: {}. Failures to reach hosts that answer others do not count. \
             Look at what runs on {} and who is logged on; if it is a scanner of ours, name it in \
             assets.scanners.",
            self.source,
            counted.saturating_sub(failed),
            tests.join("; "),
            self.source,
        )
    }

    fn evidence(&self, probing: &Probing, rules: &Rules) -> BTreeMap<&'static str, Value> {
        let (first, last) = probing.span();
        let Counts { counted, failed, used } = probing.counts();
        let tests: Vec<&str> = probing.fired().map(Test::name).collect();
        let windows: Vec<Value> = rules
            .windows
            .iter()
            .map(|rule| {
                let test = rule.test.name();
                json!({ "test": test, "least": rule.least, "seconds": rule.span })
            })
            .collect();
        [
            ("service", json!(self.service)),
            ("heading", json!(self.heading.name())),
            ("lambda", json!(probing.lambda())),
            ("first_contacts", json!(counted.saturating_add(used))),
            ("failed", json!(failed)),
            ("dsts", json!(counted)),
            ("subnets_of_sample", json!(probing.subnets())),
            ("window_seconds", json!(last.since(first).as_secs())),
            ("tests_fired", json!(tests)),
            ("dark_hits", json!(probing.dark_hits())),
            ("sample_dsts", json!(probing.targets())),
            ("source_serves", json!(self.is_server)),
            ("threshold_net_failures", json!(rules.net_failures)),
            ("threshold_windows", json!(windows)),
        ]
        .into()
    }
}

/// A test with its threshold.
fn in_words(test: Test, rules: &Rules) -> String {
    let window = rules.windows.iter().find(|rule| rule.test == test);
    match (test, window) {
        (Test::Sequential, _) => format!(
            "{} failures more than answers make scanning over 99 times likelier than use",
            rules.net_failures.unwrap_or_default()
        ),
        (Test::Worm, Some(rule)) => format!("{} hosts within a second", rule.least),
        (_, Some(rule)) => {
            let kind = match rule.of {
                Of::Failed => "failed contacts",
                Of::Fruitless => "contacts without use",
            };
            let subnets = match rule.subnets {
                0 | 1 => String::new(),
                subnets => format!(" in {subnets} networks"),
            };
            format!("{} {kind}{subnets} within {}", rule.least, seconds_in_words(rule.span.into()))
        }
        (test, None) => test.name().to_owned(),
    }
}

/// How long something took.
fn span_in_words(first: Timestamp, last: Timestamp) -> String {
    seconds_in_words(last.since(first).as_secs())
}

/// Seconds, in the largest unit that leaves few of them.
#[must_use]
pub fn seconds_in_words(seconds: u64) -> String {
    match seconds {
        0 => "a second".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds.wrapping_div(60)),
        7_200..=172_799 => format!("{} h", seconds.wrapping_div(3_600)),
        _ => format!("{} days", seconds.wrapping_div(86_400)),
    }
}
