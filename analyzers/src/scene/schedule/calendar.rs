//! Holidays and make-up workdays, from files in the schema of holiday-cn:
//! `{"year": 2026, "days": [{"name": "元旦", "date": "2026-01-01", "isOffDay": true}, …]}`.
//!
//! In: the text of a file. Out: what a date is, where the file says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

/// A file, as it is written.
#[derive(Deserialize)]
struct File {
    days: Vec<Entry>,
    year: Option<i16>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    date: String,
    #[serde(rename = "isOffDay")]
    is_off_day: bool,
}

/// What a calendar says of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The holiday that it belongs to.
    pub name: String,
    /// Whether people rest; if not, they work although the week would let them rest.
    pub is_off: bool,
}

/// The dates of one or more files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, Entered>,
    years: BTreeSet<i16>,
    name: String,
}

impl Calendar {
    /// Adds a file by its name and text.
    ///
    /// # Errors
    /// It is not JSON of that schema, or a date is none; the text names the place.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            format!(
                "{error}; a calendar is {{\"year\": 2026, \"days\": [{{\"date\": \"2026-01-01\", \
                 \"isOffDay\": true}}]}}"
            )
        })?;
        for entry in file.days {
            let date: Date = entry
                .date
                .parse()
                .map_err(|_| format!("{:?} is no date; write it as \"2026-01-01\"", entry.date))?;
            self.years.insert(date.year());
            self.days.insert(date, Entered { name: entry.name, is_off: entry.is_off_day });
        }
        self.years.extend(file.year);
        if !self.name.is_empty() {
            self.name.push_str(", ");
        }
        self.name.push_str(name);
        Ok(())
    }

    /// What it says of a date.
    #[must_use]
    pub fn of(&self, date: Date) -> Option<&Entered> {
        self.days.get(&date)
    }

    /// What evidence calls it: `none` where it says nothing about that year.
    #[must_use]
    pub fn name_for(&self, date: Date) -> &str {
        if self.years.contains(&date.year()) { &self.name } else { "none" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_rests_and_who_makes_up_for_it() {
        let mut calendar = Calendar::default();
        let text = r#"{"year": 2025, "days": [
            {"name": "春节", "date": "2025-01-26", "isOffDay": false},
            {"name": "春节", "date": "2025-01-28", "isOffDay": true}]}"#;
        calendar.add("cn.json", text).unwrap();
        let day = |text: &str| calendar.of(text.parse().unwrap()).map(|day| day.is_off);
        assert_eq!(day("2025-01-26"), Some(false));
        assert_eq!(day("2025-01-28"), Some(true));
        assert_eq!(day("2025-01-27"), None);
        assert_eq!(calendar.name_for("2025-07-01".parse().unwrap()), "cn.json");
        assert_eq!(calendar.name_for("2027-07-01".parse().unwrap()), "none");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, expected) in [
            ("{", "line 1 column 1"),
            ("{\"year\": 2025}", "missing field `days`"),
            ("{\"days\": [\n{\"date\": \"2025-01-26\"}]}", "line 2"),
            (
                r#"{"days": [{"date": "2025-02-30", "isOffDay": true}]}"#,
                "\"2025-02-30\" is no date",
            ),
        ] {
            let error = Calendar::default().add("x", text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
