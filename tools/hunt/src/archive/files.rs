//! Files of the archive and the hour that their path promises.

use datafusion::common::ScalarValue;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use object_store::ObjectMeta;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const HOURS_PER_DAY: i8 = 24;

/// An hour of packet time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour {
    date: Date,
    hour: i8,
}

impl Hour {
    /// An hour of a day, 0 to 23.
    #[must_use]
    pub fn new(date: Date, hour: i8) -> Option<Self> {
        (0..HOURS_PER_DAY).contains(&hour).then_some(Self { date, hour })
    }

    /// Its day.
    #[must_use]
    pub const fn date(self) -> Date {
        self.date
    }

    /// Its number in the day.
    #[must_use]
    pub const fn hour(self) -> i8 {
        self.hour
    }

    /// Its first and last microsecond since the epoch.
    #[must_use]
    pub fn micros(self) -> (i64, i64) {
        let first = self
            .date
            .at(self.hour, 0, 0, 0)
            .to_zoned(TimeZone::UTC)
            .map_or(0, |start| start.timestamp().as_microsecond());
        (first, first.saturating_add(MICROS_PER_HOUR - 1))
    }

    /// Its first and last instant.
    #[must_use]
    pub fn instants(self) -> (Timestamp, Timestamp) {
        let (first, last) = self.micros();
        let instant = |micros| Timestamp::from_microsecond(micros).unwrap_or_default();
        (instant(first), instant(last))
    }

    /// The values of the columns `date` and `hour`.
    #[must_use]
    pub fn partition_values(self) -> Vec<ScalarValue> {
        vec![
            ScalarValue::Date32(Some(days_since_epoch(self.date))),
            ScalarValue::Int32(Some(self.hour.into())),
        ]
    }
}

/// A day as Arrow's `Date32` counts it.
pub(super) fn days_since_epoch(date: Date) -> i32 {
    Date::constant(1970, 1, 1).until(date).map_or(0, |span| span.get_days())
}

/// A file of a table.
#[derive(Clone, Debug)]
pub struct ArchiveFile {
    /// The hour that all its rows are of.
    pub hour: Hour,
    /// Where it is and how large.
    pub object: ObjectMeta,
}

impl ArchiveFile {
    /// A listed object, if its name is one of the archive's.
    pub(super) fn new(date: Date, object: ObjectMeta) -> Option<Self> {
        let name = object.location.filename()?;
        if name.starts_with('.') || !name.ends_with(".parquet") || object.size == 0 {
            return None;
        }
        let folder = object.location.parts().rev().nth(1)?;
        let hour = folder.as_ref().strip_prefix("hour=")?.parse().ok()?;
        Some(Self { hour: Hour::new(date, hour)?, object })
    }
}

/// The day that a folder's name says.
pub(super) fn day(folder: &str) -> Option<Date> {
    folder.strip_prefix("date=")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(path: &str) -> ObjectMeta {
        ObjectMeta {
            location: path.into(),
            last_modified: std::time::UNIX_EPOCH.into(),
            size: 100,
            e_tag: None,
            version: None,
        }
    }

    #[test]
    fn paths_tell_the_hour_and_strangers_are_passed_over() {
        let date = Date::constant(2026, 3, 1);
        for (path, expected) in [
            ("a/flow/date=2026-03-01/hour=07/edge-1-20260301T070000Z-0001.parquet", Some(7)),
            ("a/flow/date=2026-03-01/hour=23/x.parquet", Some(23)),
            ("a/flow/date=2026-03-01/hour=24/x.parquet", None),
            ("a/flow/date=2026-03-01/hour=-1/x.parquet", None),
            ("a/flow/date=2026-03-01/hour=7/.x.parquet", None),
            ("a/flow/date=2026-03-01/hour=7/x.parquet.inprogress", None),
            ("a/flow/date=2026-03-01/x.parquet", None),
            ("a/flow/date=2026-03-01/hour=07/manifest.jsonl", None),
        ] {
            let hour = ArchiveFile::new(date, object(path)).map(|file| file.hour.hour());
            assert_eq!(hour, expected, "{path}");
        }
    }

    #[test]
    fn hours_before_the_epoch_count_backwards() {
        let last = Hour::new(Date::constant(1969, 12, 31), 23).expect("an hour");
        assert_eq!(last.micros(), (-MICROS_PER_HOUR, -1));
        assert_eq!(days_since_epoch(last.date()), -1);
        assert_eq!(days_since_epoch(Date::constant(2026, 3, 1)), 20_513);
    }
}
