//! A login in words: what the login detectors say.
//!
//! In: what a login breaks, and everything that is known of it. Out: the finding.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use crate::detector::Finding;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::logins::judge::{Breach, Breaches, Judged};
use crate::scene::schedule::{DayClass, Days};
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;

/// Valid accounts, remote desktop.
const DESKTOP: &[Technique] = &[Technique::new(1078, 0), Technique::new(1021, 1)];

/// Valid accounts, administrative shares.
const SHARES: &[Technique] = &[Technique::new(1078, 0), Technique::new(1021, 2)];

/// Valid accounts, SSH.
const SHELL: &[Technique] = &[Technique::new(1078, 0), Technique::new(1021, 4)];

/// Valid accounts.
const ACCOUNTS: &[Technique] = &[Technique::new(1078, 0)];

/// Days of learning from which on a habit counts in full.
const FULL_DAYS: f64 = 14.0;

/// How likely a breach is anything where it is the habit of the one who commits it: kept in the
/// archive, not told.
const USUAL_CONFIDENCE: f64 = 0.2;

pub(super) struct Report<'a> {
    pub(super) detector: &'static str,
    pub(super) host: IpAddr,
    pub(super) key: String,
    pub(super) breach: Breach,
    pub(super) judged: &'a Judged<'a>,
    pub(super) breaches: &'a Breaches,
    pub(super) surprise: f64,
    pub(super) scene: &'a Scene,
}

impl Report<'_> {
    pub(super) fn finding(&self) -> Finding {
        let login = self.judged.login;
        let critical = &self.scene.assets.critical;
        let is_critical = [login.flow.src.ip, login.flow.dst.ip]
            .into_iter()
            .any(|end| assets::any_contains(critical, end));
        let from_outside = matches!(login.heading, Heading::Inbound | Heading::External);
        Finding {
            detector: self.detector,
            host: self.host,
            key: Text::from(self.key.clone()),
            title: Text::from(self.title()),
            description: Text::from(self.description()),
            severity: if is_critical { Severity::MEDIUM } else { Severity::LOW },
            confidence: self.confidence(),
            techniques: match login.service.as_str() {
                "rdp" => DESKTOP.into(),
                "smb" => SHARES.into(),
                "ssh" => SHELL.into(),
                _ => ACCOUNTS.into(),
            },
            stage: if from_outside { Stage::InitialAccess } else { Stage::LateralMovement },
            first: self.breaches.first,
            last: self.breaches.last,
            count: self.breaches.count,
            peers: [login.flow.src.ip, login.flow.dst.ip]
                .into_iter()
                .filter(|end| *end != self.host)
                .collect(),
            flows: self.breaches.flows.clone(),
            indicator: None,
            evidence: self.evidence(),
            hunt: format!(
                "SELECT * FROM {} WHERE {} ORDER BY ts",
                login.table,
                hunt::uids(&self.breaches.flows)
            ),
        }
    }

    fn confidence(&self) -> f64 {
        let judged = self.judged;
        if judged.is_usual(self.breach) {
            return USUAL_CONFIDENCE;
        }
        let learned = (judged.habit.days / FULL_DAYS).min(1.0);
        match self.breach {
            Breach::Hours => {
                let is_rest = judged.local.class == DayClass::RestDay;
                if is_rest || judged.local.time.hour() < 5 { 0.8 } else { 0.6 }
            }
            Breach::Rate => 0.6,
            Breach::Habit => (0.4 + 0.05 * (judged.habit.bits - self.surprise)).min(0.7) * learned,
            Breach::HabitRate => 0.5 * learned,
        }
    }

    fn title(&self) -> String {
        let login = self.judged.login;
        let by = login.user.as_ref().map_or_else(String::new, |user| format!(" as {user}"));
        let (src, dst) = (login.flow.src.ip, login.flow.dst.ip);
        let service = self.service();
        let what = format!("{service} login{by} from {src} to {dst}");
        let time = self.judged.local.time.strftime("%H:%M on %A, %Y-%m-%d");
        match self.breach {
            Breach::Hours => format!("{what} at {time}, outside {}", self.allowed_hours()),
            Breach::Habit => format!("{what} at {time}, an hour unusual for whoever this is"),
            Breach::Rate | Breach::HabitRate => {
                let rate = self.judged.habit.in_an_hour;
                format!("{rate} {service} logins{by} from {src} within an hour, last to {dst}")
            }
        }
    }

    fn service(&self) -> String {
        match self.judged.login.service.as_str() {
            known @ ("rdp" | "smb" | "ssh") => known.to_uppercase(),
            other => other.to_owned(),
        }
    }

    fn allowed_hours(&self) -> String {
        let Some(ruling) = self.judged.ruling else { return String::new() };
        let days = match ruling.days {
            Days::Workdays => "on workdays".to_owned(),
            Days::RestDays => "on rest days".to_owned(),
            Days::All => "on any day".to_owned(),
            Days::These(days) => {
                let names: Vec<String> = days.iter().map(|day| format!("{day:?}")).collect();
                format!("on {}", names.join(", "))
            }
        };
        format!("{} {days}", ruling.hours.text())
    }

    fn description(&self) -> String {
        let judged = self.judged;
        let (login, local, habit) = (judged.login, &judged.local, &judged.habit);
        let schedule = &self.scene.schedule;
        let day = match (local.class, &local.holiday) {
            (DayClass::Workday, Some(name)) => format!("a workday that makes up for {name}"),
            (DayClass::Workday, None) => "a workday".to_owned(),
            (DayClass::RestDay, Some(name)) => format!("a holiday ({name})"),
            (DayClass::RestDay, None) => "a rest day".to_owned(),
        };
        let rule = match (self.breach, judged.ruling) {
            (Breach::Hours, Some(ruling)) => format!(
                " The rule \"{}\" allows {}, with a grace of {} min.",
                ruling.rule,
                self.allowed_hours(),
                schedule.grace_minutes()
            ),
            (Breach::Rate, Some(ruling)) => format!(
                " The rule \"{}\" allows {} in an hour; these are {}.",
                ruling.rule,
                ruling.max_per_hour.unwrap_or_default(),
                habit.in_an_hour
            ),
            _ => String::new(),
        };
        format!(
            "It counts as a login because {}. It began at {} ({}, calendar: {}), {day}.{rule} {} \
             Ask the user or the owner of {} whether this was they; if it is on-call work, write a \
             rule for it in [schedule].",
            login.reason,
            local.text,
            schedule.zone_name(),
            schedule.calendar_name(local.time.date()),
            self.baseline(),
            login.flow.src.ip
        )
    }

    /// What the habit says, with its age.
    fn baseline(&self) -> String {
        let habit = &self.judged.habit;
        let target = if habit.is_new_target { ", a target not seen for 30 days" } else { "" };
        if !self.judged.is_established {
            return format!(
                "The baseline is too young to say more: {} logins in {:.1} days{target}.",
                habit.logins, habit.days
            );
        }
        let verdict = if self.judged.is_usual(self.breach) {
            "this is what this one always does"
        } else {
            "that is how surprising it is"
        };
        format!(
            "By the baseline of {} logins in {:.0} days {verdict}: {:.1} bits ({:.1} are told), \
             {} in an hour where up to {} are usual{target}.",
            habit.logins,
            habit.days,
            habit.bits,
            self.surprise,
            habit.in_an_hour,
            habit.usual_in_an_hour
        )
    }

    fn evidence(&self) -> BTreeMap<&'static str, Value> {
        let judged = self.judged;
        let (login, local, habit) = (judged.login, &judged.local, &judged.habit);
        let schedule = &self.scene.schedule;
        let ruling = judged.ruling.as_ref();
        let tenth = |value: f64| json!((value * 10.0).round() / 10.0);
        [
            ("service", json!(login.service)),
            ("breach", json!(self.breach.name())),
            ("user", json!(login.user)),
            ("login_because", json!(login.reason)),
            ("local_time", json!(local.text)),
            ("tz", json!(schedule.zone_name())),
            ("calendar", json!(schedule.calendar_name(local.time.date()))),
            ("day_class", json!(local.class.name())),
            ("holiday", json!(local.holiday)),
            ("rule", json!(ruling.map(|ruling| ruling.rule))),
            ("rule_hours", json!(ruling.map(|ruling| ruling.hours.text()))),
            ("rule_max_per_hour", json!(ruling.and_then(|ruling| ruling.max_per_hour))),
            ("grace_minutes", json!(schedule.grace_minutes())),
            ("per_hour", json!(habit.in_an_hour)),
            ("usual_per_hour", json!(habit.usual_in_an_hour)),
            ("surprise_bits", tenth(habit.bits)),
            ("surprise_threshold", json!(self.surprise)),
            ("baseline_logins", json!(habit.logins)),
            ("baseline_logins_faded", tenth(habit.faded)),
            ("baseline_days", tenth(habit.days)),
            ("baseline_established", json!(judged.is_established)),
            ("usual_for_this_one", json!(judged.is_usual(self.breach))),
            ("new_target", json!(habit.is_new_target)),
        ]
        .into()
    }
}
