//! Instants as feeds write them. In: `2026-03-01T12:00:00Z`, `2026-03-01 12:00:00` and `2026-03-01`
//! (both UTC), seconds since 1970. Out: seconds since 1970 in 32 bits.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;

/// The second from which something holds. An instant beyond 2106 is none: it means "for ever".
/// Outer none: not an instant.
pub(super) fn seconds_from(text: &str) -> Option<Option<u32>> {
    parse(text).map(|(seconds, _)| u32::try_from(seconds).ok())
}

/// The second up to which something holds; a date alone includes its day.
pub(crate) fn seconds_until(text: &str) -> Option<Option<u32>> {
    parse(text).map(|(seconds, span)| {
        let end = seconds.saturating_add(if span == Span::Day { DAY } else { 0 });
        // What ended before 1970 has ended; what ends after 2106 does not.
        if end < 0 { Some(0) } else { u32::try_from(end).ok() }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    Instant,
    Day,
}

fn parse(text: &str) -> Option<(i64, Span)> {
    let text = text.trim().trim_end_matches(" UTC");
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((text.parse().ok()?, Span::Instant));
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some((instant.as_second(), Span::Instant));
    }
    // The last instants of the year 9999, with which people mean "for ever", are no `Timestamp`.
    let (civil, span) = match text.len() {
        10 => (text.parse::<Date>().ok()?.to_datetime(Time::midnight()), Span::Day),
        _ => (text.trim_end_matches('Z').parse::<DateTime>().ok()?, Span::Instant),
    };
    let second = civil.to_zoned(TimeZone::UTC).map_or(i64::MAX, |at| at.timestamp().as_second());
    Some((second, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_the_forms_of_feeds() {
        let noon = 1_772_366_400;
        for (text, from, until) in [
            ("2026-03-01T12:00:00Z", Some(Some(noon)), Some(Some(noon))),
            ("2026-03-01T12:00:00.000Z", Some(Some(noon)), Some(Some(noon))),
            ("2026-03-01T13:00:00+01:00", Some(Some(noon)), Some(Some(noon))),
            ("2026-03-01 12:00:00", Some(Some(noon)), Some(Some(noon))),
            ("2026-03-01 12:00:00 UTC", Some(Some(noon)), Some(Some(noon))),
            ("2026-03-01", Some(Some(noon - 43_200)), Some(Some(noon + 43_200))),
            ("1772366400", Some(Some(noon)), Some(Some(noon))),
            ("9999-12-31T23:59:59Z", Some(None), Some(None)),
            ("9999-12-31", Some(None), Some(None)),
            ("1960-01-01", Some(None), Some(Some(0))),
            ("soon", None, None),
            ("", None, None),
            ("2026-13-01", None, None),
        ] {
            assert_eq!(seconds_from(text), from, "{text}");
            assert_eq!(seconds_until(text), until, "{text}");
        }
    }
}
