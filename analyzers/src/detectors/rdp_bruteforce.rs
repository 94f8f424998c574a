//! Somebody guesses passwords of remote desktops.
//!
//! # What it detects
//! RDP logons that are refused again and again: many on one host, few on each of many hosts, many
//! users, many sources on one host. And the logon that succeeds behind them.
//!
//! # Why it matters
//! Guessed RDP passwords are how most ransomware gets in. Real guessers are slow: 304 attempts in
//! nine hours, or one on each of forty hosts in a day.
//!
//! # How
//! An attempt is an RDP connection that did not become a desktop (`rdp.auth_likely` is false, or
//! its result is `failed`). Rules, any of which fires: A, 10 attempts on one host in 30 min; B, 30
//! in 24 h; C, 3 hosts in 1 h or 5 in 24 h; D, 3 users from one source in 24 h; E, 20 sources on
//! one host in 1 h. Confidence is 0.5, 0.1 more for each further time that the attempts reach A's
//! number, up to three, 0.15 more from inside.
//!
//! A success of the same source within 24 h behind 5 or more failures raises it to P1 where a rule
//! fired, and is P2 where none did. A source with a success for every five failures is a gateway
//! behind which many work, and its successes are not told.
//!
//! # False positives
//! RD gateways, brokers and probes of monitoring: allow them by address. Somebody who forgot his
//! password ends below ten.
//!
//! # Knobs
//! `quick` (10), `attempts_24h` (30), `hosts_1h` (3), `hosts_24h` (5), `users` (3), `sources` (20);
//! up to 128, hosts, users and sources up to 32.
//!
//! # References
//! ATT&CK T1110.001 Password Guessing, T1110.003 Password Spraying, T1110.004 Credential Stuffing.

use serde::Deserialize;

use crate::detector::{Detector, Event, Findings, Interest, Watcher};
use crate::guessing::{Attempt, Guesses, Limits, Span};
use crate::logins::login;
use crate::protocols::rdp::RdpRecord;
use crate::scanning::Least;
use crate::scene::Scene;
use crate::threshold::{Evidence, Ground, Grounds};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "rdp_bruteforce",
    source: include_str!("rdp_bruteforce.rs"),
    interests: &[Interest::Record(&RdpRecord::TABLE)],
};

/// `[detect.rdp_bruteforce]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Attempts on one host in half an hour.
    pub quick: Least,
    /// Attempts on one host in a day.
    pub attempts_24h: Least,
    /// Hosts in an hour.
    pub hosts_1h: Least,
    /// Hosts in a day.
    pub hosts_24h: Least,
    /// Users in a day.
    pub users: Least,
    /// Sources on one host in an hour.
    pub sources: Least,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            quick: Least(10),
            attempts_24h: Least(30),
            hosts_1h: Least(3),
            hosts_24h: Least(5),
            users: Least(3),
            sources: Least(20),
        }
    }
}

impl Knobs {
    const fn limits(&self) -> Limits {
        Limits {
            quick: Span { least: self.quick.0, seconds: 1_800 },
            patient: self.attempts_24h.0,
            hosts_1h: self.hosts_1h.0,
            hosts_24h: self.hosts_24h.0,
            users: self.users.0,
            sources: self.sources.0,
        }
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        self.limits().grounds(evidence)
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Guessing(Guesses::new(DETECTOR.name, "RDP", "rdp", knobs.limits())))
}

struct Guessing(Guesses);

impl Watcher for Guessing {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let Some((user, is_success)) = event.what.record().and_then(outcome) else { return };
        let (flow, ts, heading) = (event.flow, event.ts, event.heading);
        self.0.note(&Attempt { flow, ts, heading, user, is_success }, scene, findings);
    }

    fn finish(&mut self, _: Timestamp, scene: &Scene, findings: &mut Findings) {
        self.0.finish(scene, findings);
    }

    fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}

/// The user, and whether a connection became a desktop.
fn outcome(record: &RdpRecord) -> Option<(Option<String>, bool)> {
    if record.transport != "tcp" {
        return None;
    }
    let is_success = match (record.auth_likely, record.result) {
        (Some(likely), _) => likely,
        (None, "failed") => false,
        (None, "success") => true,
        (None, _) => return None,
    };
    Some((login::name(record.cookie.as_ref()), is_success))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::detectors::samples::{Bench, flow};
    use crate::grade::Severity;

    /// Attempts: second, source, host, user, whether it succeeds.
    fn watch<'a>(
        attempts: impl IntoIterator<Item = (i64, &'a str, String, &'a str, bool)>,
    ) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for (secs, src, dst, user, likely) in attempts {
            let cookie = (!user.is_empty()).then(|| user.to_owned().into());
            let record = RdpRecord { cookie, auth_likely: Some(likely), ..RdpRecord::new("tcp") };
            said.extend(bench.record(secs, &flow(src, &dst, 3389), &record));
        }
        said.extend(bench.finish());
        said
    }

    const OUTSIDE: &str = "198.51.100.7";

    fn one_host(count: i64, gap: i64) -> Vec<Finding> {
        watch((0..count).map(|at| (at * gap, OUTSIDE, "10.0.0.9".to_owned(), "hello", false)))
    }

    #[test]
    fn guesses_on_one_host_are_counted_in_minutes_and_in_days() {
        assert_eq!(one_host(9, 60), []);
        assert!(!one_host(10, 200).is_empty(), "10 within 30 min");
        assert_eq!(one_host(29, 360), [], "29 at ten in an hour");
        assert!(!one_host(30, 360).is_empty(), "30 at ten in an hour");
        assert_eq!(one_host(100, 3_600), [], "one in an hour");
        let last = one_host(304, 110).pop().unwrap();
        assert_eq!((last.count, last.severity), (304, Severity::LOW));
        assert_eq!(last.evidence["users"], serde_json::json!(["hello"]));
    }

    #[test]
    fn guesses_on_many_hosts_are_spraying_however_slow() {
        let spray = |count: i64, gap: i64| {
            let target = |at: i64| format!("10.0.0.{}", at + 1);
            watch((0..count).map(|at| (at * gap, OUTSIDE, target(at), "hello", false)))
        };
        assert_eq!(spray(2, 60), []);
        assert_eq!(spray(3, 1_800)[0].count, 3);
        assert_eq!(spray(5, 6_000)[0].count, 5);
        assert_eq!(spray(9, 30_000), []);
    }

    #[test]
    fn many_users_of_one_source_and_many_sources_on_one_host_are_told() {
        let host = || "10.0.0.9".to_owned();
        let users = ["a", "b", "c"];
        let said = watch((0..).zip(users).map(|(at, user)| (at, OUTSIDE, host(), user, false)));
        assert_eq!(said[0].evidence["rules"][0], "D: users");
        let sources: Vec<String> = (1..=20).map(|at| format!("198.51.100.{at}")).collect();
        let attempts = (0..).zip(&sources).map(|(at, src)| (at, src.as_str(), host(), "a", false));
        let said = watch(attempts);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].host, "10.0.0.9".parse::<std::net::IpAddr>().unwrap());
        assert_eq!(said[0].peers.len(), 20);
    }

    #[test]
    fn a_success_behind_guesses_is_major_and_one_behind_mistakes_is_not() {
        let run = |failures: i64| {
            let host = || "10.0.0.9".to_owned();
            let tries = (0..failures).map(|at| (at * 60, OUTSIDE, host(), "hello", false));
            watch(tries.chain([(failures * 60, OUTSIDE, host(), "hello", true)]))
        };
        assert_eq!(run(4), [], "a forgotten password");
        assert_eq!(run(5)[0].severity, Severity::MEDIUM);
        let said = run(12);
        let success = said.last().unwrap();
        assert_eq!(success.severity, Severity::HIGH);
        assert_eq!(success.evidence["failures_before_success"], 12);
        assert!(success.confidence > said[0].confidence);
    }

    #[test]
    fn a_gateway_behind_which_many_work_did_not_break_in() {
        let said = watch((0..200).map(|at| {
            let user = ["a", "b", "c", "d"][usize::try_from(at % 4).unwrap()];
            (at * 60, "10.0.0.2", format!("10.0.1.{}", at % 2), user, at % 3 != 0)
        }));
        assert!(said.iter().all(|finding| finding.severity < Severity::HIGH));
    }
}
