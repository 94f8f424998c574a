//! Days and hours of a rule, in a time zone's own clock. In: words. Out: whether an instant of
//! packet time falls into them.

use analyzers::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

/// Some hours of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct When {
    /// Bit n: the n-th day from Monday.
    days: u8,
    hours: Option<(Time, Time)>,
    zone: TimeZone,
}

const ALL_DAYS: u8 = 0b111_1111;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl When {
    /// From days (`mon` to `sun`, `workdays`, `weekend`, `all`; none: all) and hours
    /// (`18:00-08:00`; the end is not included, and the night belongs to the day on which it
    /// begins).
    pub(super) fn parse(
        days: &[String],
        hours: Option<&str>,
        zone: TimeZone,
    ) -> Result<Self, String> {
        let mut bits = if days.is_empty() { ALL_DAYS } else { 0 };
        for day in days {
            bits |= match day.as_str() {
                "all" => ALL_DAYS,
                "workdays" => 0b001_1111,
                "weekend" => 0b110_0000,
                name => match NAMES.iter().position(|&other| other == name) {
                    Some(at) => 1 << at,
                    None => {
                        let names = NAMES.join(", ");
                        return Err(format!(
                            "{name:?} is no day; there are {names}, workdays, weekend, all"
                        ));
                    }
                },
            };
        }
        let hours = hours.map(|text| {
            let (from, until) = text.split_once('-')?;
            // 24:00 is how people write the end of a day.
            let time = |text: &str| match text.trim() {
                "24:00" => Some(Time::midnight()),
                text => Time::strptime("%H:%M", text).ok(),
            };
            Some((time(from)?, time(until)?))
        });
        let hours = match hours {
            Some(None) => return Err("hours are written as \"18:00-08:00\"".to_owned()),
            Some(hours) => hours,
            None => None,
        };
        Ok(Self { days: bits, hours, zone })
    }

    /// Whether an instant falls into it.
    #[must_use]
    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        let Ok(instant) = jiff::Timestamp::from_microsecond(at.micros()) else { return false };
        let civil = self.zone.to_datetime(instant);
        let (date, time) = (civil.date(), civil.time());
        match self.hours {
            None => self.has(date.weekday()),
            Some((from, until)) if from < until => {
                self.has(date.weekday()) && (from..until).contains(&time)
            }
            // Past midnight it is still the night of yesterday.
            Some((from, until)) => {
                let yesterday = date.yesterday().map(|date| date.weekday());
                (time >= from && self.has(date.weekday()))
                    || (time < until && yesterday.is_ok_and(|day| self.has(day)))
            }
        }
    }

    fn has(&self, day: Weekday) -> bool {
        self.days >> day.to_monday_zero_offset() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_local_and_a_night_belongs_to_the_day_on_which_it_begins() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        // 2026-07-03 is a Friday; Shanghai is eight hours ahead.
        for (days, hours, instant, expected) in [
            (&[][..], None, "2026-07-03T00:00:00Z", true),
            (&["fri"], None, "2026-07-02T16:00:00Z", true),
            (&["fri"], None, "2026-07-02T15:59:59Z", false),
            (&["workdays"], Some("08:00-18:00"), "2026-07-03T09:59:59Z", true),
            (&["workdays"], Some("08:00-18:00"), "2026-07-03T10:00:00Z", false),
            (&["workdays"], Some("08:00-18:00"), "2026-07-04T04:00:00Z", false),
            (&["weekend"], Some("00:00-24:00"), "2026-07-04T04:00:00Z", true),
            (&["fri"], Some("18:00-08:00"), "2026-07-03T10:00:00Z", true),
            (&["fri"], Some("18:00-08:00"), "2026-07-03T23:59:59Z", true),
            (&["fri"], Some("18:00-08:00"), "2026-07-04T00:00:00Z", false),
            (&["sat"], Some("18:00-08:00"), "2026-07-03T23:59:59Z", false),
            (&["fri"], Some("18:00-08:00"), "2026-07-02T20:00:00Z", false),
        ] {
            let when = When::parse(&words(days), hours, zone.clone()).unwrap();
            let second = instant.parse::<jiff::Timestamp>().unwrap().as_second();
            let at = Timestamp::from_secs_nanos(second, 0);
            assert_eq!(when.holds_at(at), expected, "{days:?} {hours:?} {instant}");
        }
        for (days, hours) in [
            (&["friday"][..], None),
            (&[], Some("8-18")),
            (&[], Some("08:00")),
            (&[], Some("25:00-26:00")),
        ] {
            assert!(When::parse(&words(days), hours, TimeZone::UTC).is_err(), "{days:?} {hours:?}");
        }
    }
}
