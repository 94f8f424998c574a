//! Somebody guesses passwords over SMB.
//!
//! # What it detects
//! SMB sessions that servers refuse for a wrong name or password, again and again: many on one
//! host, one on each of many hosts, one for each of many users. And the one that succeeds.
//!
//! # Why it matters
//! Any Windows host says over SMB whether a password is right. Spraying one password over all users
//! stays below their lock-out.
//!
//! # How
//! A `session_setup` with a status of a refused logon counts as an attempt, one that succeeds with
//! a named user as a success. Rules: A, 10 attempts in 10 min on one host; B, 30 in 24 h; C, 5
//! hosts in 1 h or 10 in 24 h; D, 5 users in 24 h; E, 20 sources on one host in 1 h. Confidence and
//! success are as in `rdp_bruteforce`. What Kerberos or encryption hides is not seen.
//!
//! # False positives
//! A service with an old password tries for ever, at an even pace, as one user: the users in the
//! evidence tell it. Correct its password.
//!
//! # Knobs
//! `quick` (10), `attempts_24h` (30), `hosts_1h` (5), `hosts_24h` (10), `users` (5), `sources`
//! (20); up to 128, hosts, users and sources up to 32.
//!
//! # References
//! ATT&CK T1110.001 Password Guessing, T1110.003 Password Spraying, T1021.002 SMB/Windows Admin
//! Shares.

use serde::Deserialize;

use crate::detector::{Detector, Event, Findings, Interest, Watcher};
use crate::guessing::{Attempt, Guesses, Limits, Span};
use crate::logins::login;
use crate::protocols::smb::SmbRecord;
use crate::scanning::Least;
use crate::scene::Scene;
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "smb_bruteforce",
    source: include_str!("smb_bruteforce.rs"),
    interests: &[Interest::Record(&SmbRecord::TABLE)],
};

/// How servers refuse a logon.
const REFUSALS: [&[u8]; 6] = [
    b"STATUS_LOGON_FAILURE",
    b"STATUS_WRONG_PASSWORD",
    b"STATUS_NO_SUCH_USER",
    b"STATUS_ACCOUNT_LOCKED_OUT",
    b"STATUS_ACCOUNT_DISABLED",
    b"STATUS_PASSWORD_EXPIRED",
];

/// `[detect.smb_bruteforce]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Attempts on one host in ten minutes.
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
            hosts_1h: Least(5),
            hosts_24h: Least(10),
            users: Least(5),
            sources: Least(20),
        }
    }
}

impl Knobs {
    const fn limits(&self) -> Limits {
        Limits {
            quick: Span { least: self.quick.0, seconds: 600 },
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
    Box::new(Guessing(Guesses::new(DETECTOR.name, "SMB", "smb", knobs.limits())))
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

/// The user, and whether the server accepted him.
fn outcome(record: &SmbRecord) -> Option<(Option<String>, bool)> {
    if record.command != Some("session_setup") {
        return None;
    }
    let user = login::name(record.user.as_ref());
    match record.status.as_ref().map(Text::as_bytes)? {
        b"STATUS_SUCCESS" => user.map(|user| (Some(user), true)),
        status => REFUSALS.contains(&status).then_some((user, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::detectors::samples::{Bench, flow};
    use crate::grade::Severity;

    /// Sessions of users, one every ten seconds, with the server's answer.
    fn watch(sessions: &[(&'static str, &'static str)]) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for (at, (user, status)) in (0..).zip(sessions) {
            let record = SmbRecord {
                command: Some("session_setup"),
                status: Some((*status).into()),
                user: Some((*user).into()),
                ..SmbRecord::empty()
            };
            said.extend(bench.record(at * 10, &flow("10.0.0.5", "10.0.0.9", 445), &record));
        }
        said
    }

    const NO: &str = "STATUS_LOGON_FAILURE";

    #[test]
    fn refused_sessions_are_counted_by_host_and_by_user() {
        assert_eq!(watch(&[("wang", NO); 9]), []);
        assert_eq!(watch(&[("wang", NO); 10]).len(), 1);
        let spray = [("a", NO), ("b", NO), ("c", NO), ("d", NO), ("e", NO)];
        assert_eq!(watch(&spray)[0].evidence["rules"][0], "D: users");
        assert_eq!(watch(&[("wang", "STATUS_MORE_PROCESSING_REQUIRED"); 90]), []);
        assert_eq!(watch(&[("wang", "STATUS_SUCCESS"); 90]), []);
    }

    #[test]
    fn a_session_behind_guesses_is_major() {
        let mut sessions = vec![("wang", NO); 11];
        sessions.push(("wang", "STATUS_SUCCESS"));
        assert_eq!(watch(&sessions).last().unwrap().severity, Severity::HIGH);
    }
}
