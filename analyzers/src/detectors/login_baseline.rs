//! Somebody logs on, or reaches what rules watch, at an hour at which he does not.
//!
//! # What it detects
//! The same as `rdp_off_hours` for everything else: SSH sessions, SMB sessions of users, and the
//! use of any service that a rule names, such as a data base at midnight.
//!
//! # Why it matters
//! Stolen accounts are used by people with other habits and other hours. A core data base that is
//! read at night by a host that never did so is how a theft looks from the network.
//!
//! # How
//! SSH counts when either side sent 4 KiB or more, which a refused logon does not; SMB when the
//! server accepted a session of a named user who is no machine (`…$`); other services when a rule
//! of `[schedule]` names their service or destination and they answered. The rest is as in
//! `rdp_off_hours`: the first rule about a login decides, then the habit of the user or, where the
//! traffic names none, of the host. No rule is built in for these services. Rates are told for SSH
//! only, for programs open SMB and data bases as they need.
//!
//! # False positives
//! Automation with an irregular schedule, travelling users. A service account that comes around the
//! clock surprises nobody by itself.
//!
//! # Knobs
//! `surprise` (6 bits), `logins` (20) and `days` (7) that a habit needs.
//!
//! # References
//! ATT&CK T1078 Valid Accounts, T1021.002 SMB/Windows Admin Shares, T1021.004 SSH.

use serde::Deserialize;
use serde_json::Value;

use crate::detector::{Detector, Event, Findings, Interest, Watcher, What};
use crate::flow_record::FlowRecord;
use crate::logins::{Login, Logins, Thresholds};
use crate::protocols::smb::SmbRecord;
use crate::scene::Scene;
use crate::threshold::{Evidence, Ground, Grounds};

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "login_baseline",
    source: include_str!("login_baseline.rs"),
    interests: &[Interest::Record(&SmbRecord::TABLE), Interest::Row],
};

/// `[detect.login_baseline]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Bits from which on an hour is surprising.
    pub surprise: f64,
    /// Logins that a habit needs.
    pub logins: u64,
    /// Days that it needs.
    pub days: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { surprise: 6.0, logins: 20, days: 7.0 }
    }
}

impl Knobs {
    const fn thresholds(&self) -> Thresholds {
        let Self { surprise, logins, days } = *self;
        Thresholds { logins, days, surprise }
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        self.thresholds().grounds(evidence)
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Others(Logins::new(DETECTOR.name, knobs.thresholds())))
}

struct Others(Logins);

impl Watcher for Others {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let may_be = match event.what {
            What::Row(record) => is_candidate(record, scene),
            _ => event.what.record::<SmbRecord>().is_some(),
        };
        if !may_be {
            return;
        }
        if let Some(login) = Login::of(event, scene) {
            self.0.judge(&login, scene, findings);
        }
    }

    fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    fn memory(&self) -> Option<Value> {
        self.0.memory()
    }

    fn remember(&mut self, memory: &Value) -> Result<(), String> {
        self.0.remember(memory)
    }
}

/// Whether the row of a flow can be a login at all: most are not, and are done with here.
fn is_candidate(record: &FlowRecord, scene: &Scene) -> bool {
    record.service == Some("ssh") || scene.schedule.has_written_rules()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::detectors::samples::{Bench, flow, row};
    use crate::scene::Schedule;
    use crate::scene::schedule::Calendar;

    fn bench(settings: &str) -> Bench {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let settings = toml::from_str(settings).unwrap();
        bench.scene.schedule = Schedule::new(&settings, "UTC", Calendar::default()).unwrap();
        bench
    }

    fn secs(at: &str) -> i64 {
        at.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    /// A flow of a service that was used.
    fn used(bench: &mut Bench, at: &str, service: &'static str, port: u16) -> Vec<Finding> {
        let mut record = row("SF");
        (record.service, record.src_bytes) = (Some(service), 9_000);
        bench.row(secs(at), &flow("10.1.0.5", "10.2.0.10", port), &record)
    }

    #[test]
    fn a_data_base_at_midnight_is_told_where_a_rule_watches_it() {
        let rules = "rules = [{ id = \"core\", service = \"database\", dst = \"10.2.0.10\", \
                     days = \"all\", hours = \"06:00-22:00\" }]";
        let midnight = "2025-03-05T00:10:00Z";
        assert_eq!(used(&mut bench(""), midnight, "mysql", 3306), []);
        assert_eq!(used(&mut bench(rules), "2025-03-05T12:00:00Z", "mysql", 3306), []);
        let said = used(&mut bench(rules), midnight, "mysql", 3306);
        assert_eq!(said[0].evidence["rule"], "core");
        assert_eq!(said[0].confidence, 0.8);
    }

    #[test]
    fn an_unusual_hour_of_ssh_is_told_with_the_age_of_the_baseline() {
        let mut bench = bench("");
        for day in 3..=28 {
            assert_eq!(used(&mut bench, &format!("2025-03-{day:02}T09:30:00Z"), "ssh", 22), []);
        }
        let said = used(&mut bench, "2025-03-29T03:00:00Z", "ssh", 22);
        assert_eq!(said.len(), 1);
        assert!(said[0].evidence["baseline_days"].as_f64().unwrap() > 25.0);
        assert!(said[0].description.escaped().contains("baseline of"));
        assert!(said[0].confidence >= 0.4, "{}", said[0].confidence);
    }

    #[test]
    fn refused_logons_machines_and_strangers_to_it_are_no_logins() {
        let mut bench = bench("rules = [{ service = \"smb\", hours = \"08:00-09:00\" }]");
        let night = secs("2025-03-05T03:00:00Z");
        let smb = |command, status: &'static str, user: &'static str| SmbRecord {
            command: Some(command),
            status: Some(status.into()),
            user: (!user.is_empty()).then(|| user.into()),
            ..SmbRecord::empty()
        };
        for (command, status, user, expected) in [
            ("session_setup", "STATUS_SUCCESS", "wang", 1),
            ("session_setup", "STATUS_LOGON_FAILURE", "wang", 0),
            ("session_setup", "STATUS_SUCCESS", "PC-7$", 0),
            ("session_setup", "STATUS_SUCCESS", "", 0),
            ("tree_connect", "STATUS_SUCCESS", "wang", 0),
        ] {
            let flow = flow("10.1.0.5", "10.2.0.10", 445);
            let said = bench.record(night, &flow, &smb(command, status, user));
            assert_eq!(said.len(), expected, "{command} {status} {user}");
        }
    }
}
