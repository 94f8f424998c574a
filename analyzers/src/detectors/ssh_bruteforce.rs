//! Somebody guesses passwords of SSH.
//!
//! # What it detects
//! SSH connections that end like refused logons, again and again: many on one host, some on many
//! hosts, many sources on one host. And the session that succeeds behind them.
//!
//! # Why it matters
//! Every SSH server on the Internet is guessed at all day; inside, it is somebody who moves on.
//!
//! # How
//! SSH hides its outcome. A connection whose client sent 512 B or more, so that keys were
//! exchanged, and in which neither side reached 4 KiB counts as an attempt; one in which both did
//! counts as a session; others count as neither. Because short commands may look like attempts,
//! thresholds are higher than for RDP: A, 30 in 30 min on one host; B, 100 in 24 h; C, 10 hosts in
//! 1 h or 20 in 24 h; E, 20 sources on one host in 1 h. Confidence and success are as in
//! `rdp_bruteforce`.
//!
//! # False positives
//! Programs that run short commands often, as monitoring does: allow them by address.
//!
//! # Knobs
//! `quick` (30), `attempts_24h` (100), `hosts_1h` (10), `hosts_24h` (20), `users` (32; SSH hides
//! them), `sources` (20); up to 128, hosts and sources up to 32.
//!
//! # References
//! ATT&CK T1110.001 Password Guessing, T1110.003 Password Spraying, T1021.004 SSH.

use serde::Deserialize;

use crate::detector::{Detector, Event, Findings, Interest, Watcher, What};
use crate::flow_record::FlowRecord;
use crate::guessing::{Attempt, Guesses, Limits, Span};
use crate::logins::login::SSH_SESSION_BYTES;
use crate::scanning::Least;
use crate::scene::Scene;
use crate::threshold::{Evidence, Ground, Grounds};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "ssh_bruteforce",
    source: include_str!("ssh_bruteforce.rs"),
    interests: &[Interest::Row],
};

/// Payload of a client that went on behind the exchange of keys: tools that guess offer a few
/// algorithms only, and so send less than half of what OpenSSH does.
const KEYS_EXCHANGED_BYTES: i64 = 512;

/// `[detect.ssh_bruteforce]`
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
            quick: Least(30),
            attempts_24h: Least(100),
            hosts_1h: Least(10),
            hosts_24h: Least(20),
            users: Least(32),
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
    Box::new(Guessing(Guesses::new(DETECTOR.name, "SSH", "flow", knobs.limits())))
}

struct Guessing(Guesses);

impl Watcher for Guessing {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let Some((user, is_success)) = outcome(event.what) else { return };
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

/// Whether a connection was a session; users are hidden.
fn outcome(what: What<'_>) -> Option<(Option<String>, bool)> {
    let What::Row(record) = what else { return None };
    if record.service != Some("ssh") || record.part != 1 {
        return None;
    }
    let FlowRecord { src_bytes, dst_bytes, .. } = *record;
    let least = src_bytes.min(dst_bytes);
    let most = src_bytes.max(dst_bytes);
    if least >= SSH_SESSION_BYTES {
        return Some((None, true));
    }
    let is_attempt = most < SSH_SESSION_BYTES
        && src_bytes >= KEYS_EXCHANGED_BYTES
        && dst_bytes > 0
        && record.end_reason != "interim";
    is_attempt.then_some((None, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::detectors::samples::{Bench, flow, row};
    use crate::grade::Severity;

    /// Connections with what either side sent, one a minute.
    fn watch(connections: &[(i64, i64)]) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for (at, (src_bytes, dst_bytes)) in (0..).zip(connections) {
            let mut record = row("SF");
            record.service = Some("ssh");
            (record.src_bytes, record.dst_bytes) = (*src_bytes, *dst_bytes);
            said.extend(bench.row(at * 60, &flow("10.0.0.5", "10.0.0.9", 22), &record));
        }
        said
    }

    #[test]
    fn refused_logons_are_counted_and_sessions_are_not() {
        assert_eq!(watch(&[(2_200, 2_400); 29]), []);
        assert_eq!(watch(&[(2_200, 2_400); 30])[0].severity, Severity::MEDIUM);
        assert_eq!(watch(&[(695, 881); 30])[0].severity, Severity::MEDIUM, "few algorithms");
        assert_eq!(watch(&[(200, 900); 90]), [], "banners");
        assert_eq!(watch(&[(3_000, 90_000); 90]), [], "neither");
        assert_eq!(watch(&[(9_000, 90_000); 90]), [], "sessions");
    }

    #[test]
    fn a_session_behind_guesses_is_major() {
        let mut connections = vec![(2_200, 2_400); 40];
        connections.push((9_000, 12_000));
        assert_eq!(watch(&connections).last().unwrap().severity, Severity::HIGH);
    }
}
