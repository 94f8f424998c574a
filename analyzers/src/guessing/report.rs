//! Guessing in words.
//!
//! In: what was counted. Out: the finding.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::detector::Finding;
use crate::grade::{Severity, Stage, Technique};
use crate::guessing::tally::{FAILURES_BEFORE_SUCCESS, Limits, Rule, Tally};
use crate::hunt;
use crate::limits::GUESS_NAMES;
use crate::scanning::report::seconds_in_words;
use crate::scene::Heading;
use crate::text::Text;

const GUESSING: &[Technique] = &[Technique::new(1110, 1)];
const SPRAYING: &[Technique] = &[Technique::new(1110, 3), Technique::new(1110, 4)];

pub(super) struct Report<'a> {
    pub(super) detector: &'static str,
    pub(super) service: &'static str,
    pub(super) table: &'static str,
    pub(super) limits: &'a Limits,
    pub(super) host: IpAddr,
    pub(super) heading: Heading,
    pub(super) is_distributed: bool,
    pub(super) tally: &'a Tally,
}

impl Report<'_> {
    pub(super) fn finding(&self) -> Finding {
        let tally = self.tally;
        let is_inside = matches!(self.heading, Heading::Internal | Heading::Outbound);
        let has_fired = tally.rules().next().is_some();
        let severity = match (tally.success, has_fired) {
            (Some(_), true) => Severity::HIGH,
            (Some(_), false) => Severity::MEDIUM,
            (None, _) if is_inside => Severity::MEDIUM,
            (None, _) => Severity::LOW,
        };
        let is_spraying =
            tally.users.len() >= self.limits.users || tally.rules().any(|rule| rule == Rule::Hosts);
        let key = if self.is_distributed { "many sources" } else { "" };
        Finding {
            detector: self.detector,
            host: self.host,
            key: Text::from(key),
            title: Text::from(self.title()),
            description: Text::from(self.description()),
            severity,
            confidence: self.confidence(is_inside),
            techniques: if is_spraying { SPRAYING.into() } else { GUESSING.into() },
            stage: Stage::CredentialAccess,
            first: tally.first,
            last: tally.last,
            count: tally.attempts,
            peers: tally.others.iter().map(|(other, _)| *other).collect(),
            flows: tally.flows.clone(),
            indicator: None,
            evidence: self.evidence(),
            hunt: format!(
                "SELECT * FROM {} WHERE {} = '{}' AND {} ORDER BY ts",
                self.table,
                if self.is_distributed { "dst_ip" } else { "src_ip" },
                self.host,
                hunt::between(tally.first, tally.last)
            ),
        }
    }

    fn title(&self) -> String {
        let tally = self.tally;
        let (host, service, attempts) = (self.host, self.service, tally.attempts);
        let others = match tally.others.len() {
            GUESS_NAMES.. => format!("{GUESS_NAMES} or more"),
            others => others.to_string(),
        };
        match tally.success {
            Some((into, failures)) => format!(
                "{host} logged on to {into} over {service} after {failures} refused attempts"
            ),
            None if self.is_distributed => {
                format!("{others} sources guess {service} passwords of {host}: {attempts} attempts")
            }
            None => {
                format!(
                    "{host} guesses {service} passwords: {attempts} attempts on {others} host(s)"
                )
            }
        }
    }

    fn description(&self) -> String {
        let tally = self.tally;
        let crossed: Vec<String> = tally.rules().map(|rule| self.in_words(rule)).collect();
        let crossed = if crossed.is_empty() { "none".to_owned() } else { crossed.join("; ") };
        let span = seconds_in_words(tally.last.since(tally.first).as_secs());
        let users = match tally.users.as_slice() {
            [] => String::new(),
            users => {
                let shown: Vec<&str> = users.iter().take(8).map(String::as_str).collect();
                format!(" Users tried: {} ({}).", users.len(), shown.join(", "))
            }
        };
        let next = match tally.success {
            Some((into, _)) => format!(
                "A logon succeeded behind at least {FAILURES_BEFORE_SUCCESS} refused ones: look at \
                 what was done on {into} since, and change the password."
            ),
            None => format!(
                "No logon succeeded so far. Block the source if it is not ours; look at what runs \
                 on {} if it is.",
                self.host
            ),
        };
        format!(
            "{} refused attempts over {} within {span}.{users} Rules crossed: {crossed}. {next}",
            tally.attempts, self.service
        )
    }

    fn in_words(&self, rule: Rule) -> String {
        let limits = self.limits;
        match rule {
            Rule::Quick => format!(
                "{} attempts on one host within {}",
                limits.quick.least,
                seconds_in_words(limits.quick.seconds.into())
            ),
            Rule::Patient => format!("{} attempts on one host within a day", limits.patient),
            Rule::Hosts => format!(
                "{} hosts within an hour or {} within a day",
                limits.hosts_1h, limits.hosts_24h
            ),
            Rule::Users => format!("{} users", limits.users),
            Rule::Sources => format!("{} sources on one host within an hour", limits.sources),
        }
    }

    fn confidence(&self, is_inside: bool) -> f64 {
        let tally = self.tally;
        if tally.rules().next().is_none() {
            return 0.45;
        }
        let attempts = f64::from(u32::try_from(tally.attempts).unwrap_or(u32::MAX));
        let threshold = f64::from(u32::try_from(self.limits.quick.least).unwrap_or(u32::MAX));
        let more = (attempts / threshold - 1.0).clamp(0.0, 3.0);
        let inside = if is_inside { 0.15 } else { 0.0 };
        let success = if tally.success.is_some() { 0.2 } else { 0.0 };
        (0.5 + 0.1 * more + inside + success).min(0.95)
    }

    fn evidence(&self) -> BTreeMap<&'static str, Value> {
        let (tally, limits) = (self.tally, self.limits);
        let rules: Vec<&str> = tally.rules().map(Rule::name).collect();
        let seconds = tally.last.since(tally.first).as_secs();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_hour = tally.attempts as f64 * 3_600.0 / seconds.max(1) as f64;
        let hosts: Vec<IpAddr> = tally.others.iter().map(|(other, _)| *other).collect();
        [
            ("service", json!(self.service)),
            ("rules", json!(rules)),
            ("attempts", json!(tally.attempts)),
            ("window_seconds", json!(seconds)),
            ("per_hour", json!((per_hour * 10.0).round() / 10.0)),
            (if self.is_distributed { "sources" } else { "hosts" }, json!(hosts)),
            ("users", json!(tally.users)),
            ("success", json!(tally.success.map(|(into, _)| into))),
            ("failures_before_success", json!(tally.success.map(|(_, failures)| failures))),
            ("threshold_quick", json!([limits.quick.least, limits.quick.seconds])),
            ("threshold_day", json!(limits.patient)),
            ("threshold_hosts", json!([limits.hosts_1h, limits.hosts_24h])),
            ("threshold_users", json!(limits.users)),
            ("threshold_sources", json!(limits.sources)),
        ]
        .into()
    }
}
