//! The schedule of the site, with the calendars that it names.
//!
//! In: the configuration and calendar files. Out: a [`Schedule`], or what is wrong and where.

use std::path::PathBuf;

use analyzers::Schedule;
use analyzers::scene::schedule::Calendar;

use crate::config::Config;

/// Why there is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A calendar cannot be read.
    #[error(
        "cannot read the calendar {path}: {error}; [schedule] calendar names a file in the schema \
         of holiday-cn"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A calendar is none.
    #[error("the calendar {path} is not valid: {error}")]
    Calendar {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: String,
    },
    /// The time zone or a rule means nothing.
    #[error("the schedule is not valid: {0}")]
    Rules(String),
}

/// The schedule, by the configuration.
///
/// # Errors
/// A calendar cannot be read or is none, the time zone does not exist, or a rule names a role that
/// is not defined.
pub fn schedule(config: &Config) -> Result<Schedule, ScheduleError> {
    let mut calendar = Calendar::default();
    for path in &config.schedule.calendar.0 {
        let path = path.clone();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(ScheduleError::Read { path, error }),
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        calendar
            .add(&name.unwrap_or_default(), &text)
            .map_err(|error| ScheduleError::Calendar { path, error })?;
    }
    Schedule::new(&config.schedule, &config.sensor.timezone, calendar).map_err(ScheduleError::Rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, calendar: &str) -> Result<Schedule, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cn.json");
        std::fs::write(&path, calendar).unwrap();
        let text = text.replace("CALENDAR", path.to_str().unwrap());
        let config: Config = toml::from_str(&text).map_err(|error| error.to_string())?;
        schedule(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_calendar_is_read_and_mistakes_are_named_with_their_place() {
        let days = r#"{"days": [{"date": "2026-01-01", "isOffDay": true}]}"#;
        let wanted = "[sensor]\ntimezone = \"Asia/Shanghai\"\n[schedule]\ncalendar = \"CALENDAR\"";
        let schedule = load(wanted, days).unwrap();
        assert_eq!(schedule.calendar_name("2026-05-05".parse().unwrap()), "cn.json");
        for (text, calendar, expected) in [
            (wanted, "{\n\"days\": 7}", "cn.json is not valid: invalid type"),
            (wanted, "{\n\"days\": 7}", "at line 2 column"),
            ("[schedule]\ncalendar = \"/nowhere/x.json\"", "", "cannot read the calendar /nowhere"),
            ("[sensor]\ntimezone = \"Moon\"", "", "\"Moon\" is no time zone"),
            ("[schedule]\nwork_hours = \"late\"", "", "line 2"),
            ("[schedule]\nrules = [{ who = \"role:x\" }]", "", "no role \"x\""),
        ] {
            let error = load(text, calendar).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
