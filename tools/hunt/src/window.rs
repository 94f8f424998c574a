//! The span of packet time that a hunt looks at.
//!
//! In: `--since 7d` or `--between 2026-03-01 2026-03-02T12:00`. Out: a half-open window of
//! microseconds. Times without a zone are UTC, as everything in the archive is.

use datafusion::common::ScalarValue;
use datafusion::prelude::{Expr, col, lit};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A window of packet time; an open end is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First instant that belongs to it.
    pub from: Option<Timestamp>,
    /// First instant that does not any more.
    pub until: Option<Timestamp>,
}

/// Why a window makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Not a span of time.
    #[error("{0:?} is not a span of time; write it as 90m, 12h, 7d or 2w, or give an instant")]
    Span(String),
    /// Not an instant.
    #[error(
        "{0:?} is not an instant; write it as 2026-03-01, 2026-03-01T12:00 or \
         2026-03-01T12:00:00Z (UTC unless it says otherwise)"
    )]
    Instant(String),
    /// The end is not after the start.
    #[error("the window ends at {until}, which is not after its start {from}")]
    Empty {
        /// Its start.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { from: None, until: None };

    /// Everything since a span ago (`7d`) or an instant (`2026-03-01`).
    ///
    /// # Errors
    /// The text is neither.
    pub fn since(text: &str, now: Timestamp) -> Result<Self, WindowError> {
        if let Ok(from) = instant(text) {
            return Ok(Self { from: Some(from), until: None });
        }
        let from = now.checked_sub(span(text)?).map_err(|_| WindowError::Span(text.to_owned()))?;
        Ok(Self { from: Some(from), until: Some(now).filter(|now| *now > from) })
    }

    /// Everything between two instants; the second does not belong to it.
    ///
    /// # Errors
    /// One of them is no instant, or the second is not after the first.
    pub fn between(from: &str, until: &str) -> Result<Self, WindowError> {
        let (from, until) = (instant(from)?, instant(until)?);
        if until <= from {
            return Err(WindowError::Empty { from, until });
        }
        Ok(Self { from: Some(from), until: Some(until) })
    }

    /// The window of the same length that ends where this one begins; none where an end is open.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        let (from, until) = (self.from?, self.until?);
        let earlier = from.checked_sub(until.duration_since(from)).ok()?;
        Some(Self { from: Some(earlier), until: Some(from) })
    }

    /// Whether some instant of `first..=last` belongs to it.
    #[must_use]
    pub fn meets(self, first: Timestamp, last: Timestamp) -> bool {
        self.from.is_none_or(|from| last >= from) && self.until.is_none_or(|until| first < until)
    }

    /// The window as a condition on the column `ts`; none for all of time.
    #[must_use]
    pub fn condition(self) -> Option<Expr> {
        let literal = |time: Timestamp| {
            lit(ScalarValue::TimestampMicrosecond(Some(time.as_microsecond()), Some("UTC".into())))
        };
        let from = self.from.map(|from| col("ts").gt_eq(literal(from)));
        let until = self.until.map(|until| col("ts").lt(literal(until)));
        match (from, until) {
            (Some(from), Some(until)) => Some(from.and(until)),
            (from, until) => from.or(until),
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.from, self.until) {
            (Some(from), Some(until)) => write!(f, "{from} to {until}"),
            (Some(from), None) => write!(f, "since {from}"),
            (None, Some(until)) => write!(f, "until {until}"),
            (None, None) => f.write_str("all of the archive"),
        }
    }
}

/// An instant: with a zone, or a date with or without a time of day, in UTC.
fn instant(text: &str) -> Result<Timestamp, WindowError> {
    let utc = |civil: DateTime| civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>()
        .or_else(|error| match text.parse::<DateTime>() {
            Ok(civil) if !text.contains('[') => utc(civil),
            _ => Err(error),
        })
        .or_else(|_| text.parse::<Date>().and_then(|date| utc(date.at(0, 0, 0, 0))))
        .map_err(|_| WindowError::Instant(text.to_owned()))
}

/// A span that is longer than nothing; days have 24 hours and weeks seven days.
fn span(text: &str) -> Result<SignedDuration, WindowError> {
    text.parse::<Span>()
        .ok()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok())
        .filter(|span| span.is_positive())
        .ok_or_else(|| WindowError::Span(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn spans_count_back_from_now() {
        let now = at("2026-03-08T12:00:00Z");
        for (text, from) in [
            ("7d", "2026-03-01T12:00:00Z"),
            ("1w", "2026-03-01T12:00:00Z"),
            ("90m", "2026-03-08T10:30:00Z"),
            ("1h 30m", "2026-03-08T10:30:00Z"),
        ] {
            let expected = Window { from: Some(at(from)), until: Some(now) };
            assert_eq!(Window::since(text, now), Ok(expected), "{text}");
        }
    }

    #[test]
    fn instants_are_utc_unless_they_say_otherwise() {
        for (text, expected) in [
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T12:30", "2026-03-01T12:30:00Z"),
            ("2026-03-01 12:30:05", "2026-03-01T12:30:05Z"),
            ("2026-03-01T12:30:00Z", "2026-03-01T12:30:00Z"),
            ("2026-03-01T12:30:00+08:00", "2026-03-01T04:30:00Z"),
        ] {
            assert_eq!(instant(text), Ok(at(expected)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_told_with_what_to_write() {
        let now = at("2026-03-08T12:00:00Z");
        for text in ["", "soon", "-7d", "0d", "7", "2026-02-30"] {
            let error = Window::since(text, now).expect_err(text).to_string();
            assert!(error.contains("7d"), "{error}");
        }
        let error = Window::between("2026-03-02", "2026-03-01").expect_err("backwards");
        assert!(matches!(error, WindowError::Empty { .. }), "{error}");
        assert!(Window::between("yesterday", "2026-03-01").is_err());
    }

    #[test]
    fn the_window_before_has_the_same_length() {
        let window = Window::between("2026-03-02", "2026-03-03").expect("a window");
        assert_eq!(window.before(), Window::between("2026-03-01", "2026-03-02").ok());
        assert_eq!(Window::ALL.before(), None);
    }

    #[test]
    fn ends_are_half_open() {
        let window = Window::between("2026-03-02", "2026-03-03").expect("a window");
        let meets = |first: &str, last: &str| window.meets(at(first), at(last));
        assert!(meets("2026-03-01T23:00:00Z", "2026-03-02T00:00:00Z"));
        assert!(!meets("2026-03-03T00:00:00Z", "2026-03-03T01:00:00Z"));
        let condition = window.condition().map(|condition| condition.to_string());
        assert!(condition.is_some_and(|text| text.starts_with("ts >= ") && text.contains("ts < ")));
        assert_eq!(Window::ALL.condition(), None);
    }
}
