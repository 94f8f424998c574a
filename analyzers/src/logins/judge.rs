//! Holds each login to the rules of the schedule and to the habit of the one who logs on.
//!
//! In: logins. Out: findings. Rules need no learning; habits count from twenty logins over a week
//! on. A login that breaks a rule and is the habit of the one who does it, as with people on call,
//! is found but hardly likely to be anything. Hours that a rule allows take more surprise, and
//! hours that the operator wrote down himself settle the matter.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::detector::{Findings, FlowsBehind};
use crate::limits::{LOGIN_BREACHES, LOGIN_HABITS};
use crate::logins::habit::{Comparison, Habit};
use crate::logins::login::Login;
use crate::logins::report::Report;
use crate::recent::Recent;
use crate::scene::schedule::rule::plain_user;
use crate::scene::schedule::{Local, Ruling};
use crate::scene::{Heading, Scene};
use crate::threshold::{Evidence, Ground, Threshold};
use crate::time::Timestamp;

/// The layout of a [`Memory`].
const MEMORY_VERSION: u32 = 1;

/// Silence after which a breach of the same kind is told as a new one.
const BREACH_OVER_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Up to this many bits a login is usual.
const USUAL_BITS: f64 = 4.0;

/// Bits that hours allowed by the built-in rule take more: in office hours people come as they
/// like, and only an odd hour and a new target together mean something.
const ALLOWED_BITS: f64 = 3.0;

/// Logins in an hour that surprise nobody, whatever the habit.
const LEAST_RATE: u32 = 5;

/// Where habits begin to count, and what is surprising.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Logins that a habit needs.
    pub logins: u64,
    /// Days that it needs.
    pub days: f64,
    /// Bits from which on a login is surprising.
    pub surprise: f64,
}

impl Thresholds {
    const fn least_surprise(&self) -> Threshold {
        Threshold::least("surprise", self.surprise)
    }

    const fn least_logins(&self) -> Threshold {
        Threshold::least("logins", self.logins as f64)
    }

    const fn least_days(&self) -> Threshold {
        Threshold::least("days", self.days)
    }

    /// The ground on which an alert stands: what breaks a rule needs no knob.
    #[must_use]
    pub fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let habit = Ground::exact(self.least_logins(), evidence.number("baseline_logins"))
            .and_then(|ground| ground.and(self.least_days(), evidence.number("baseline_days")));
        let ground = match evidence.text("breach") {
            Some(breach) if breach == Breach::Habit.name() => {
                let extra = if evidence.has("rule") { ALLOWED_BITS } else { 0.0 };
                let bits = evidence.number("surprise_bits").map(|bits| bits - extra);
                habit.and_then(|ground| ground.and(self.least_surprise(), bits))
            }
            Some(breach) if breach == Breach::HabitRate.name() => habit,
            _ => None,
        };
        vec![ground.unwrap_or(Ground::FIXED)]
    }
}

/// What a login breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    /// The hours or days of a rule.
    Hours,
    /// The number of logins in an hour that a rule allows.
    Rate,
    /// The hours of one's own habit.
    Habit,
    /// The rate of one's own habit.
    HabitRate,
}

impl Breach {
    /// What evidence calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Rate => "rate",
            Self::Habit => "habit",
            Self::HabitRate => "habit_rate",
        }
    }
}

/// Everything that is known of a login when it is judged.
pub(super) struct Judged<'a> {
    pub(super) login: &'a Login<'a>,
    pub(super) local: Local,
    pub(super) ruling: Option<Ruling<'a>>,
    pub(super) habit: Comparison,
    pub(super) is_established: bool,
}

/// Breaches of one kind at one host.
#[derive(Debug)]
pub(super) struct Breaches {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
    pub(super) flows: FlowsBehind,
}

/// What is kept over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The layout.
    pub version: u32,
    /// Habits, by service and name.
    pub habits: Vec<Kept>,
}

/// One habit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The service.
    pub service: String,
    /// The user, or the host where none is known.
    pub who: String,
    /// The habit.
    pub habit: Habit,
}

impl Memory {
    /// Reads one.
    ///
    /// # Errors
    /// It is no memory of logins, or one of another version.
    pub fn read(value: &Value) -> Result<Self, String> {
        let version = value.get("version").and_then(Value::as_u64);
        if version != Some(MEMORY_VERSION.into()) {
            return Err(format!(
                "this is no baseline of version {MEMORY_VERSION}; learn it again from the archive"
            ));
        }
        Self::deserialize(value).map_err(|error| format!("the baseline is damaged: {error}"))
    }

    /// Joins what another sensor, or an earlier time, learned.
    pub fn join(&mut self, other: Self) {
        for theirs in other.habits {
            let same =
                |ours: &&mut Kept| (&ours.service, &ours.who) == (&theirs.service, &theirs.who);
            match self.habits.iter_mut().find(same) {
                Some(ours) => ours.habit.join(&theirs.habit),
                None => self.habits.push(theirs),
            }
        }
        self.habits.sort_by(|a, b| (&a.service, &a.who).cmp(&(&b.service, &b.who)));
    }
}

/// The state of a login detector.
pub struct Logins {
    detector: &'static str,
    thresholds: Thresholds,
    habits: Recent<(String, String), Habit>,
    breaches: Recent<(IpAddr, String), Breaches>,
}

impl Logins {
    /// Of the detector of that name.
    #[must_use]
    pub fn new(detector: &'static str, thresholds: Thresholds) -> Self {
        Self {
            detector,
            thresholds,
            habits: Recent::new(LOGIN_HABITS),
            breaches: Recent::new(LOGIN_BREACHES),
        }
    }

    /// Judges a login by what was before it, then learns of it.
    pub fn judge(&mut self, login: &Login<'_>, scene: &Scene, findings: &mut Findings) {
        let local = scene.schedule.local(login.ts);
        let (class, hour, target) = (local.class, local.time.hour(), login.flow.dst.ip);
        let who = login.user.as_deref().map_or_else(|| login.flow.src.ip.to_string(), plain_user);
        let habit = self.habits.entry((login.service.clone(), who), || Habit::new(login.ts));
        let comparison = habit.compare(login.ts, class, hour, target);
        habit.learn(login.ts, class, hour, target);
        let thresholds = self.thresholds;
        let is_established = thresholds.least_logins().is_met(comparison.logins as f64)
            && thresholds.least_days().is_met(comparison.days);
        let ruling = scene.schedule.ruling(&login.entrance(), &local);
        let judged = Judged { login, local, ruling, habit: comparison, is_established };
        for breach in judged.breaches(&thresholds) {
            self.say(breach, &judged, scene, findings);
        }
    }

    fn say(&mut self, breach: Breach, judged: &Judged<'_>, scene: &Scene, findings: &mut Findings) {
        let login = judged.login;
        let host = match login.heading {
            Heading::Inbound => login.flow.dst.ip,
            Heading::Outbound | Heading::Internal | Heading::External => login.flow.src.ip,
        };
        let key = match breach {
            Breach::Hours | Breach::Habit => format!("{} {}", login.service, login.flow.dst.ip),
            Breach::Rate | Breach::HabitRate => format!("{} rate", login.service),
        };
        let new = || Breaches {
            first: login.ts,
            last: login.ts,
            count: 0,
            flows: FlowsBehind::default(),
        };
        let breaches = self.breaches.entry((host, key.clone()), new);
        if login.ts.since(breaches.last) > BREACH_OVER_AFTER {
            *breaches = new();
        }
        breaches.first = breaches.first.min(login.ts);
        breaches.last = breaches.last.max(login.ts);
        breaches.count = breaches.count.saturating_add(1);
        breaches.flows.add(login.flow);
        let detector = self.detector;
        let surprise = self.thresholds.surprise;
        let report = Report { detector, host, key, breach, judged, breaches, surprise, scene };
        findings.say(report.finding());
    }

    /// Entries that made room for others.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.habits.evicted().saturating_add(self.breaches.evicted())
    }

    /// The habits.
    #[must_use]
    pub fn memory(&self) -> Option<Value> {
        let mut habits: Vec<Kept> = self
            .habits
            .iter()
            .map(|((service, who), habit)| Kept {
                service: service.clone(),
                who: who.clone(),
                habit: habit.clone(),
            })
            .collect();
        habits.sort_by(|a, b| (&a.service, &a.who).cmp(&(&b.service, &b.who)));
        serde_json::to_value(Memory { version: MEMORY_VERSION, habits }).ok()
    }

    /// Takes habits back; those of the longest silence first, so that they make room first.
    ///
    /// # Errors
    /// It is no memory of logins.
    pub fn remember(&mut self, memory: &Value) -> Result<(), String> {
        let mut habits = Memory::read(memory)?.habits;
        habits.sort_by_key(|kept| kept.habit.last());
        for Kept { service, who, habit } in habits {
            self.habits.insert((service, who), habit);
        }
        Ok(())
    }
}

impl Judged<'_> {
    /// What it breaks.
    fn breaches(&self, thresholds: &Thresholds) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let habit = &self.habit;
        match self.ruling {
            Some(ruling) if !ruling.is_allowed => breaches.push(Breach::Hours),
            Some(ruling) if ruling.is_written => {}
            ruling => {
                let extra = if ruling.is_some() { ALLOWED_BITS } else { 0.0 };
                let is_surprising = thresholds.least_surprise().is_met(habit.bits - extra);
                if self.is_established && is_surprising {
                    breaches.push(Breach::Habit);
                }
            }
        }
        let is_interactive = matches!(self.login.service.as_str(), "rdp" | "ssh");
        match self.ruling.and_then(|ruling| ruling.max_per_hour) {
            Some(most) if habit.in_an_hour > most => breaches.push(Breach::Rate),
            Some(_) => {}
            None => {
                let usual = habit.usual_in_an_hour.max(LEAST_RATE);
                if is_interactive && self.is_established && habit.in_an_hour > usual {
                    breaches.push(Breach::HabitRate);
                }
            }
        }
        breaches
    }

    /// Whether it is what this one always does.
    pub(super) fn is_usual(&self, breach: Breach) -> bool {
        self.is_established
            && match breach {
                Breach::Hours => self.habit.bits <= USUAL_BITS,
                Breach::Rate => self.habit.in_an_hour <= self.habit.usual_in_an_hour,
                Breach::Habit | Breach::HabitRate => false,
            }
    }
}
