//! Somebody logs on to a desktop when nobody works here.
//!
//! # What it detects
//! RDP sessions that begin outside the hours and days that the schedule allows, more of them in an
//! hour than it allows, or at an hour at which this user or host never comes.
//!
//! # Why it matters
//! Whoever has stolen an account uses it when its owner sleeps. RDP is how most ransomware crews
//! move by hand.
//!
//! # How
//! A session counts when its volume and time after the handshake are those of a desktop
//! (`rdp.auth_likely`), or when it succeeded in the clear; its beginning is judged.
//!
//! *Rules.* The first rule of `[schedule] rules` that is about a login decides; behind them stands
//! one that allows RDP on workdays in `work_hours`, five times in an hour for a user (or a host, if
//! the client names no user). Hours are local (`[sensor] timezone`), their end is not included, and
//! `grace` (30 min) widens them. The calendar moves workdays: holidays are rest days, make-up days
//! are workdays. Confidence is 0.6, and 0.8 on rest days and from 00:00 to 05:00.
//!
//! *Habit.* For each user (or host) the hours of workdays and rest days are counted, with a
//! half-life of 30 days; neighbouring hours count half. From 20 logins over 7 days on, the surprise
//! of an hour is `-log2((c + 0.5) / (N + 24))` bits, and 2 more where the target was not seen for
//! 30 days. A login that breaks a rule and has at most 4 bits is the habit of the one who does it:
//! its confidence is 0.2, so it stays in the archive. A login in allowed hours is told from 9 bits
//! on, and one of which no rule speaks from 6. The rate is told when it exceeds the rule, or five
//! and the 99.9 % bound of Poisson at one's own mean.
//!
//! # False positives
//! On-call staff, patch windows, colleagues in other time zones: write rules, such as
//! `{ id = "on call", who = "zhang", service = "rdp", days = "all", hours = "00:00-24:00" }`.
//!
//! # Knobs
//! `surprise` (6 bits), `logins` (20) and `days` (7) that a habit needs. Hours, days and rates are
//! `[schedule]`.
//!
//! # References
//! ATT&CK T1078 Valid Accounts, T1021.001 Remote Desktop Protocol.

use serde::Deserialize;
use serde_json::Value;

use crate::detector::{Detector, Event, Findings, Interest, Watcher};
use crate::logins::{Login, Logins, Thresholds};
use crate::protocols::rdp::RdpRecord;
use crate::scene::Scene;
use crate::threshold::{Evidence, Ground, Grounds};

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "rdp_off_hours",
    source: include_str!("rdp_off_hours.rs"),
    interests: &[Interest::Record(&RdpRecord::TABLE)],
};

/// `[detect.rdp_off_hours]`
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
    Box::new(Desktops(Logins::new(DETECTOR.name, knobs.thresholds())))
}

struct Desktops(Logins);

impl Watcher for Desktops {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        if event.what.record::<RdpRecord>().is_none() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::detectors::samples::{Bench, flow};
    use crate::grade::{Severity, Stage};
    use crate::scene::Schedule;
    use crate::scene::assets::Network;
    use crate::scene::schedule::Calendar;

    fn bench(settings: &str) -> Bench {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut calendar = Calendar::default();
        let text = r#"{"year": 2025, "days": [
            {"name": "国庆节", "date": "2025-10-01", "isOffDay": true},
            {"name": "国庆节", "date": "2025-10-11", "isOffDay": false}]}"#;
        calendar.add("cn.json", text).unwrap();
        let settings = toml::from_str(settings).unwrap();
        bench.scene.schedule = Schedule::new(&settings, "Asia/Shanghai", calendar).unwrap();
        bench.scene.assets.critical = vec![Network("10.2.0.10/32".parse().unwrap())];
        bench
    }

    fn record(user: &str, auth_likely: Option<bool>) -> RdpRecord {
        RdpRecord {
            cookie: (!user.is_empty()).then(|| user.to_owned().into()),
            auth_likely,
            ..RdpRecord::new("tcp")
        }
    }

    /// A login at a local time of Shanghai.
    fn login(bench: &mut Bench, at: &str, user: &str, src: &str, dst: &str) -> Vec<Finding> {
        let utc: jiff::Timestamp = format!("{at}+08:00").parse().unwrap();
        bench.record(utc.as_second(), &flow(src, dst, 3389), &record(user, Some(true)))
    }

    const OFFICE: (&str, &str) = ("10.1.0.5", "10.2.0.9");

    #[test]
    fn the_calendar_decides_what_is_off_hours() {
        for (at, confidence) in [
            ("2025-03-05T02:00:00", Some(0.8)),
            ("2025-03-05T10:00:00", None),
            ("2025-03-05T21:00:00", Some(0.6)),
            ("2025-03-07T18:29:00", None),
            ("2025-03-07T18:31:00", Some(0.6)),
            ("2025-03-08T10:00:00", Some(0.8)),
            ("2025-10-01T10:00:00", Some(0.8)),
            ("2025-10-11T10:00:00", None),
        ] {
            let said = login(&mut bench(""), at, "wang", OFFICE.0, OFFICE.1);
            let told: Vec<_> = said.iter().map(|finding| finding.confidence).collect();
            assert_eq!(told, confidence.into_iter().collect::<Vec<_>>(), "{at}");
        }
    }

    #[test]
    fn the_finding_says_everything() {
        let said = login(&mut bench(""), "2025-03-05T02:00:00", "wang", OFFICE.0, OFFICE.1);
        let finding = &said[0];
        assert_eq!(
            finding.title.escaped(),
            "RDP login as wang from 10.1.0.5 to 10.2.0.9 at 02:00 on Wednesday, 2025-03-05, \
             outside 08:00-18:00 on workdays"
        );
        assert_eq!((finding.severity, finding.stage), (Severity::LOW, Stage::LateralMovement));
        assert_eq!(finding.evidence["local_time"], "2025-03-05T02:00:00+08:00");
        assert_eq!(finding.evidence["tz"], "Asia/Shanghai");
        assert_eq!(finding.evidence["calendar"], "cn.json");
        assert_eq!(finding.evidence["baseline_days"], 0.0);
        assert!(finding.hunt.starts_with("SELECT * FROM rdp WHERE uid IN ('C"));
        let said = login(&mut bench(""), "2025-03-05T02:00:00", "", "198.51.100.7", "10.2.0.10");
        assert_eq!((said[0].severity, said[0].stage), (Severity::MEDIUM, Stage::InitialAccess));
        assert_eq!(said[0].host, "10.2.0.10".parse::<std::net::IpAddr>().unwrap());
    }

    #[test]
    fn attempts_are_no_logins() {
        let mut bench = bench("");
        let night: jiff::Timestamp = "2025-03-05T02:00:00+08:00".parse().unwrap();
        for (auth_likely, result, expected) in [
            (Some(false), "encrypted", 0),
            (Some(false), "success", 0),
            (None, "encrypted", 0),
            (None, "success", 1),
        ] {
            let record = RdpRecord { result, ..record("wang", auth_likely) };
            let flow = flow(OFFICE.0, OFFICE.1, 3389);
            assert_eq!(bench.record(night.as_second(), &flow, &record).len(), expected);
        }
    }

    #[test]
    fn six_logins_in_an_hour_are_too_many() {
        let mut bench = bench("");
        let mut said = Vec::new();
        for minute in [0, 9, 18, 27, 36, 45] {
            let at = format!("2025-03-05T10:{minute:02}:00");
            said.push(login(&mut bench, &at, "wang", OFFICE.0, OFFICE.1));
        }
        assert!(said[..5].iter().all(Vec::is_empty));
        assert_eq!(said[5][0].evidence["per_hour"], 6);
        assert_eq!(said[5][0].key.as_bytes(), b"rdp rate");
    }

    #[test]
    fn a_rule_or_the_habit_of_being_on_call_quiets_the_night() {
        let rule = "rules = [{ who = \"zhang\", service = \"rdp\", days = \"all\", \
                    hours = \"00:00-24:00\" }]";
        let night = "2025-03-05T02:00:00";
        assert_eq!(login(&mut bench(rule), night, "ZHANG", OFFICE.0, OFFICE.1), []);
        assert_eq!(login(&mut bench(rule), night, "wang", OFFICE.0, OFFICE.1).len(), 1);
        let mut bench = bench("");
        let nightly = |bench: &mut Bench, day: i32| {
            let at = format!("2025-03-{day:02}T02:10:00");
            login(bench, &at, "zhang", OFFICE.0, OFFICE.1).pop().unwrap().confidence
        };
        let confidences: Vec<f64> = (1..=31).map(|day| nightly(&mut bench, day)).collect();
        assert_eq!(confidences[..20], [0.8; 20]);
        assert_eq!(confidences[30], 0.2, "by now it is a habit");
        // The same hour of somebody who has other habits stays what it is.
        assert_eq!(login(&mut bench, night, "wang", OFFICE.0, OFFICE.1)[0].confidence, 0.8);
    }

    #[test]
    fn the_baseline_outlives_a_restart() {
        let mut before = bench("");
        for day in 1..=31 {
            let at = format!("2025-03-{day:02}T02:10:00");
            login(&mut before, &at, "zhang", "10.1.0.5", "10.2.0.9");
        }
        let memory = before.watcher.memory().unwrap();
        let mut after = bench("");
        after.watcher.remember(&memory).unwrap();
        assert_eq!(after.watcher.memory().unwrap(), memory);
        let said = login(&mut after, "2025-04-01T02:10:00", "zhang", "10.1.0.5", "10.2.0.9");
        assert_eq!(said[0].confidence, 0.2);
        for (memory, expected) in [
            (serde_json::json!({"version": 2, "habits": []}), "of version 1"),
            (serde_json::json!({"version": 1, "habits": [{}]}), "is damaged"),
        ] {
            let error = after.watcher.remember(&memory).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
