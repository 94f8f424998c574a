//! When people work here, and who may log on when.
//!
//! In: `[schedule]` of the configuration, a time zone, a calendar of holidays. Out: what local time
//! an instant is, whether its day is a workday, and what the rules say of a login. Local time comes
//! from UTC, which is never ambiguous: the hour that a clock shows twice in autumn is told by its
//! offset, and the hour that it leaves out in spring does not occur.

pub mod calendar;
pub mod hours;
pub mod rule;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;

pub use calendar::Calendar;
pub use hours::{Day, Days, Hours};
pub use rule::{Entrance, Rule, Service, Services, Who};

use crate::span::Span;
use crate::time::Timestamp;

/// Logins to a desktop in an hour that the built-in rule allows a user.
const LOGINS_PER_HOUR: u32 = 5;

/// `[schedule]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// When people work.
    pub work_hours: Hours,
    /// On which days of the week.
    pub work_days: Vec<Day>,
    /// Files of holidays and make-up workdays.
    pub calendar: Files,
    /// How much earlier and later than the hours of a rule is still well.
    pub grace: Span,
    /// Roles: names of users, addresses and networks.
    pub roles: BTreeMap<String, Vec<Who>>,
    /// Who may log on to what and when; the first rule that is about a login decides. Behind them
    /// stands: RDP on workdays in work hours, five times in an hour.
    pub rules: Vec<Rule>,
}

/// One path, or several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct Files(pub Vec<PathBuf>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(PathBuf),
    More(Vec<PathBuf>),
}

impl From<OneOrMore> for Files {
    fn from(written: OneOrMore) -> Self {
        Self(match written {
            OneOrMore::One(path) => vec![path],
            OneOrMore::More(paths) => paths,
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        Self {
            work_hours: Hours::office(),
            work_days: [Monday, Tuesday, Wednesday, Thursday, Friday].map(Day).to_vec(),
            calendar: Files::default(),
            grace: Span::seconds(30 * 60),
            roles: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

/// The schedule of a site.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: TimeZone,
    zone_name: String,
    work_hours: Hours,
    work_days: Vec<Weekday>,
    calendar: Calendar,
    grace_minutes: i32,
    roles: BTreeMap<String, Vec<Who>>,
    rules: Vec<Rule>,
    names: Vec<String>,
}

/// An instant as people at the site see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Date and time of day.
    pub time: DateTime,
    /// As RFC 3339 writes it, with its offset.
    pub text: String,
    /// What the day is.
    pub class: DayClass,
    /// The holiday or make-up day by its name, where the calendar has one.
    pub holiday: Option<String>,
}

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayClass {
    /// People work.
    Workday,
    /// They do not.
    RestDay,
}

impl DayClass {
    /// The word in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workday => "workday",
            Self::RestDay => "restday",
        }
    }
}

/// What the rules say of an entrance.
#[derive(Clone, Copy, Debug)]
pub struct Ruling<'a> {
    /// What the deciding rule is called.
    pub rule: &'a str,
    /// Whether the operator wrote it; else it is built in.
    pub is_written: bool,
    /// The hours that it allows.
    pub hours: &'a Hours,
    /// The days that it allows.
    pub days: &'a Days,
    /// Whether this is one of them.
    pub is_allowed: bool,
    /// How often in an hour it allows.
    pub max_per_hour: Option<u32>,
}

impl Default for Schedule {
    /// Office hours in UTC.
    fn default() -> Self {
        let settings = Settings::default();
        Self::with_zone(&settings, TimeZone::UTC, "UTC", Calendar::default())
    }
}

impl Schedule {
    /// From the settings, the name of an IANA time zone and the calendar that the settings name.
    /// Zones come from the database inside the program, so that the answer is the same everywhere.
    ///
    /// # Errors
    /// There is no such zone, or a rule names a role that is not defined.
    pub fn new(settings: &Settings, zone: &str, calendar: Calendar) -> Result<Self, String> {
        let found = TimeZoneDatabase::bundled().get(zone).map_err(|_| {
            format!("{zone:?} is no time zone; write an IANA name such as \"Asia/Shanghai\"")
        })?;
        for rule in &settings.rules {
            if let Some(Who::Role(role)) = &rule.who
                && !settings.roles.contains_key(role)
            {
                return Err(format!("no role {role:?}; define it in [schedule.roles]"));
            }
        }
        Ok(Self::with_zone(settings, found, zone, calendar))
    }

    fn with_zone(settings: &Settings, zone: TimeZone, name: &str, calendar: Calendar) -> Self {
        let mut rules = settings.rules.clone();
        rules.push(Rule {
            id: Some("work hours".to_owned()),
            service: Services(vec![Service::Named("rdp".to_owned())]),
            max_per_hour: Some(LOGINS_PER_HOUR),
            ..Rule::default()
        });
        let names = (1..)
            .zip(&rules)
            .map(|(number, rule)| rule.id.clone().unwrap_or_else(|| format!("rule {number}")));
        Self {
            zone,
            zone_name: name.to_owned(),
            work_hours: settings.work_hours.clone(),
            work_days: settings.work_days.iter().map(|day| day.0).collect(),
            calendar,
            grace_minutes: i32::try_from(settings.grace.0.as_secs().div_ceil(60))
                .unwrap_or(i32::MAX),
            roles: settings.roles.clone(),
            names: names.collect(),
            rules,
        }
    }

    /// Whether the operator wrote rules.
    #[must_use]
    pub fn has_written_rules(&self) -> bool {
        self.rules.len() > 1
    }

    /// How many minutes hours are widened by.
    #[must_use]
    pub const fn grace_minutes(&self) -> i32 {
        self.grace_minutes
    }

    /// The time zone's name.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The calendar that holds for a date, `none` if there is none.
    #[must_use]
    pub fn calendar_name(&self, date: Date) -> &str {
        self.calendar.name_for(date)
    }

    /// An instant as people here see it.
    #[must_use]
    pub fn local(&self, ts: Timestamp) -> Local {
        let instant = jiff::Timestamp::from_microsecond(ts.micros()).unwrap_or_default();
        let zoned = instant.to_zoned(self.zone.clone());
        let time = zoned.datetime();
        let date = time.date();
        Local {
            time,
            text: zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            class: self.class(date),
            holiday: self.calendar.of(date).map(|entered| entered.name.clone()),
        }
    }

    /// What a day is: as the calendar says, else by the week.
    #[must_use]
    pub fn class(&self, date: Date) -> DayClass {
        let works = match self.calendar.of(date) {
            Some(entered) => !entered.is_off,
            None => self.work_days.contains(&date.weekday()),
        };
        if works { DayClass::Workday } else { DayClass::RestDay }
    }

    /// What the rules say of an entrance; `None` where none is about it.
    #[must_use]
    pub fn ruling(&self, entrance: &Entrance<'_>, local: &Local) -> Option<Ruling<'_>> {
        let mut rules = self.rules.iter().zip(&self.names).enumerate();
        let (at, (rule, name)) = rules.find(|(_, (rule, _))| self.is_about(rule, entrance))?;
        let hours = rule.hours.as_ref().unwrap_or(&self.work_hours);
        Some(Ruling {
            rule: name,
            is_written: at.saturating_add(1) < self.rules.len(),
            hours,
            days: &rule.days,
            is_allowed: self.allows(hours, &rule.days, local),
            max_per_hour: rule.max_per_hour,
        })
    }

    /// Whether a rule names this service and destination itself, so that its use counts as an
    /// entrance even where no logon shows.
    #[must_use]
    pub fn watches(&self, entrance: &Entrance<'_>) -> bool {
        self.rules.iter().any(|rule| {
            (!rule.service.is_any() || rule.dst.is_some())
                && rule.service.have(entrance)
                && rule.dst.is_none_or(|dst| dst.0.contains(&entrance.dst))
        })
    }

    fn is_about(&self, rule: &Rule, entrance: &Entrance<'_>) -> bool {
        rule.service.have(entrance)
            && rule.dst.is_none_or(|dst| dst.0.contains(&entrance.dst))
            && rule.who.as_ref().is_none_or(|who| match who {
                Who::Role(role) => self
                    .roles
                    .get(role)
                    .is_some_and(|members| members.iter().any(|member| member.is(entrance))),
                who => who.is(entrance),
            })
    }

    /// Windows belong to the day on which they begin: those of yesterday may reach into today, and
    /// grace reaches over midnight either way.
    fn allows(&self, hours: &Hours, days: &Days, local: &Local) -> bool {
        let date = local.time.date();
        let clock = local.time.time();
        let minute =
            i32::from(clock.hour()).saturating_mul(60).saturating_add(i32::from(clock.minute()));
        [(date.yesterday().ok(), 1_440), (Some(date), 0), (date.tomorrow().ok(), -1_440)]
            .into_iter()
            .filter_map(|(day, shift)| Some((day?, minute.saturating_add(shift))))
            .any(|(day, minute)| {
                self.is_one_of(days, day) && hours.hold(minute, self.grace_minutes)
            })
    }

    fn is_one_of(&self, days: &Days, date: Date) -> bool {
        match days {
            Days::All => true,
            Days::Workdays => self.class(date) == DayClass::Workday,
            Days::RestDays => self.class(date) == DayClass::RestDay,
            Days::These(days) => days.contains(&date.weekday()),
        }
    }
}

#[cfg(test)]
mod tests;
