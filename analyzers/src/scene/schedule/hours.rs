//! Hours of a day and days of a week, as people write them.
//!
//! In: `08:00-18:00`, `08:00-12:00, 13:00-18:00`, `22:00-06:00`; `workday`, `restday`, `all`, names
//! of weekdays. Out: whether an instant of local time lies in them.

use jiff::civil::Weekday;
use serde::{Deserialize, Deserializer};

/// Minutes of a day.
const DAY: i32 = 24 * 60;

/// Windows of a day; the end is not included, and may lie in the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Minutes from midnight: from, and until, which is more than from.
    windows: Vec<(i32, i32)>,
    /// As it was written.
    text: String,
}

impl Hours {
    /// From eight to six.
    #[must_use]
    pub fn office() -> Self {
        Self { windows: vec![(8 * 60, 18 * 60)], text: "08:00-18:00".to_owned() }
    }

    /// Reads them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let windows: Option<Vec<(i32, i32)>> = text.split(',').map(window).collect();
        windows.map(|windows| Self { windows, text: text.trim().to_owned() })
    }

    /// Whether `minute`, counted from midnight of the day that the windows belong to and thus
    /// negative before it, lies in one of them or within `grace` minutes of it.
    #[must_use]
    pub fn hold(&self, minute: i32, grace: i32) -> bool {
        self.windows.iter().any(|(from, until)| {
            minute >= from.saturating_sub(grace) && minute < until.saturating_add(grace)
        })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn window(text: &str) -> Option<(i32, i32)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    if from >= DAY || from == until {
        return None;
    }
    Some((from, if until > from { until } else { until.saturating_add(DAY) }))
}

/// `08:30`, up to `24:00`.
fn minute(text: &str) -> Option<i32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    if hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = i32::from(hours).saturating_mul(60).saturating_add(i32::from(minutes));
    (minutes < 60 && minute <= DAY).then_some(minute)
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} are no hours; write \"08:00-18:00\" or \"08:00-12:00, 13:00-18:00\"; \
                 \"22:00-06:00\" ends in the next morning, \"00:00-24:00\" is always"
            ))
        })
    }
}

/// A day of the week, as written: `mon` to `sun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub Weekday);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        weekday(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} is no day of the week; write \"mon\", \"tue\", \"wed\", \"thu\", \
                 \"fri\", \"sat\" or \"sun\""
            ))
        })
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// On which days a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Days {
    /// Workdays: those of the week, moved by the calendar.
    #[default]
    Workdays,
    /// All other days.
    RestDays,
    /// Every day.
    All,
    /// These days of the week, whatever the calendar says.
    These(Vec<Weekday>),
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            List(Vec<String>),
        }
        let (words, shown) = match Written::deserialize(deserializer)? {
            Written::Word(word) => match word.as_str() {
                "workday" | "workdays" => return Ok(Self::Workdays),
                "restday" | "restdays" => return Ok(Self::RestDays),
                "all" => return Ok(Self::All),
                _ => (vec![word.clone()], word),
            },
            Written::List(words) => (words.clone(), words.join(", ")),
        };
        let days: Option<Vec<Weekday>> = words.iter().map(|word| weekday(word)).collect();
        days.filter(|days| !days.is_empty()).map(Self::These).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{shown:?} are no days; write \"workday\", \"restday\", \"all\" or \
                 [\"mon\", \"tue\"]"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_with_their_end_left_out() {
        for (text, inside, outside) in [
            ("08:00-18:00", vec![480, 1_079], vec![479, 1_080]),
            ("8:00-12:00, 13:00-18:00", vec![480, 719, 780], vec![720, 779]),
            ("22:00-06:00", vec![1_320, 1_439, 1_440, 1_799], vec![1_319, 1_800, 0]),
            ("00:00-24:00", vec![0, 1_439], vec![-1, 1_440]),
        ] {
            let hours = Hours::parse(text).unwrap();
            assert!(inside.iter().all(|minute| hours.hold(*minute, 0)), "{text}");
            assert!(!outside.iter().any(|minute| hours.hold(*minute, 0)), "{text}");
        }
        let hours = Hours::office();
        assert!(hours.hold(450, 30) && hours.hold(1_109, 30));
        assert!(!hours.hold(449, 30) && !hours.hold(1_110, 30));
        for text in ["", "8-18", "08:00", "08:00-08:00", "25:00-26:00", "08:60-09:00", "24:00-1:00"]
        {
            assert_eq!(Hours::parse(text), None, "{text:?}");
        }
    }
}
