//! Whether alerts keep to some hours or days.
//!
//! In: alerts, the sensor's time zone. Out: hours and days as an entry of an allow-list writes
//! them, where they are few.

use std::collections::BTreeSet;

use jiff::Zoned;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::past::Past;

/// Days of alerts below which nothing is said of their hours: twice is no habit.
const DAYS_MIN: usize = 3;

/// The longest stretch of hours that is worth naming.
const HOURS_MAX: usize = 8;

/// Hours and days; empty: always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct When {
    days: Option<&'static str>,
    hours: Option<String>,
}

impl When {
    /// The lines of an entry.
    pub(super) fn lines(&self, quoted: impl Fn(&str) -> String) -> Vec<String> {
        let days = self.days.map(|days| format!("days = [{}]", quoted(days)));
        let hours = self.hours.as_ref().map(|hours| format!("hours = {}", quoted(hours)));
        days.into_iter().chain(hours).collect()
    }

    /// In a few words.
    pub(super) fn words(&self) -> String {
        match (self.days, &self.hours) {
            (None, None) => String::new(),
            (Some(days), None) => format!(", {days}"),
            (None, Some(hours)) => format!(", {hours}"),
            (Some(days), Some(hours)) => format!(", {days} {hours}"),
        }
    }
}

/// The hours and days that alerts keep to, if they keep to few.
pub(super) fn when(pasts: &[&Past], zone: &TimeZone) -> Option<When> {
    let tellings = pasts.iter().flat_map(|past| &past.tellings);
    let times: Vec<Zoned> = tellings.filter_map(|telling| local(telling.row.last, zone)).collect();
    let dates: BTreeSet<_> = times.iter().map(Zoned::date).collect();
    if dates.len() < DAYS_MIN {
        return None;
    }
    let hours: BTreeSet<usize> =
        times.iter().filter_map(|time| usize::try_from(time.hour()).ok()).collect();
    let hours = stretch(&hours).filter(|(_, length)| *length <= HOURS_MAX);
    let hours = hours.map(|(from, length)| format!("{from:02}:00-{:02}:00", (from + length) % 24));
    let is_rest = |time: &&Zoned| matches!(time.weekday(), Weekday::Saturday | Weekday::Sunday);
    let rest = times.iter().filter(is_rest).count();
    // Few alerts fall on workdays by chance.
    let days = match rest {
        0 if dates.len() >= 2 * DAYS_MIN => Some("workdays"),
        all if all == times.len() => Some("weekend"),
        _ => None,
    };
    (days.is_some() || hours.is_some()).then_some(When { days, hours })
}

/// An instant by the sensor's clock.
pub(super) fn local(at: analyzers::Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    Some(instant.to_zoned(zone.clone()))
}

/// The shortest stretch of the day that holds all of these hours: where it begins, how long it is.
fn stretch(hours: &BTreeSet<usize>) -> Option<(usize, usize)> {
    let length_from = |from: usize| hours.iter().map(|hour| (hour + 24 - from) % 24 + 1).max();
    hours
        .iter()
        .filter_map(|&from| Some((from, length_from(from)?)))
        .min_by_key(|(_, length)| *length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_stretch_goes_over_midnight() {
        for (hours, expected) in [
            (&[][..], None),
            (&[3], Some((3, 1))),
            (&[1, 2, 4], Some((1, 4))),
            (&[23, 0, 1], Some((23, 3))),
            (&[0, 12], Some((0, 13))),
        ] {
            let hours: BTreeSet<usize> = hours.iter().copied().collect();
            assert_eq!(stretch(&hours), expected, "{hours:?}");
        }
    }
}
