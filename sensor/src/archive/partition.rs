//! One hour of one table while its rows wait to be written.
//!
//! In: stamped rows in their order of arrival, turned into columns at once, which hold a fraction
//! of the memory of the records. Out: the columns with the order of the file, and the folder that
//! they belong to.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use analyzers::{Table, Timestamp, Uid};
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::columns::Columns;
use super::error::ArchiveError;
use crate::rows::StampedRow;

const HOUR_MICROS: i64 = 3_600_000_000;

/// An hour of packet time, counted from the epoch in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hour(i64);

impl Hour {
    /// The hour of an instant.
    pub(super) const fn at(ts: Timestamp) -> Self {
        Self(ts.micros().div_euclid(HOUR_MICROS))
    }

    /// An hour of a day, 0 to 23.
    pub(super) fn of(date: Date, hour: i8) -> Option<Self> {
        let start = date.to_datetime(jiff::civil::Time::new(hour, 0, 0, 0).ok()?);
        let start = Offset::UTC.to_timestamp(start).ok()?;
        Some(Self(start.as_second().div_euclid(3_600)))
    }

    /// The instant at which it begins.
    pub(super) const fn start(self) -> Timestamp {
        Timestamp::from_secs_nanos(self.0.saturating_mul(3_600), 0)
    }

    /// The instant at which it is over.
    pub(super) const fn end(self) -> Timestamp {
        Timestamp::from_secs_nanos(self.0.saturating_add(1).saturating_mul(3_600), 0)
    }
}

/// Which rows lie together: the hour since the epoch in UTC, and the table's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartitionKey {
    hour: Hour,
    table: &'static str,
}

impl PartitionKey {
    /// The partition that a row belongs to.
    pub(super) fn of(row: &StampedRow) -> Self {
        Self { hour: Hour::at(row.header.ts), table: row.record.table().name }
    }

    /// The partition of that hour of a table.
    pub(super) const fn new(hour: Hour, table: &'static Table) -> Self {
        Self { hour, table: table.name }
    }

    /// Its table's folder in the archive.
    pub(super) fn table_directory(self, archive: &Path) -> PathBuf {
        archive.join(self.table)
    }

    /// Its folder in the archive.
    pub(super) fn directory(self, archive: &Path) -> PathBuf {
        // Packet time spans the years 1677 to 2262, all of which jiff knows.
        let start = jiff::Timestamp::from_second(self.hour.0 * 3_600).unwrap_or_default();
        let start = Offset::UTC.to_datetime(start);
        self.table_directory(archive)
            .join(format!("date={}", start.date()))
            .join(format!("hour={:02}", start.hour()))
    }
}

/// Rows of one hour of one table, still growing.
#[derive(Debug)]
pub(super) struct Partition {
    columns: Columns,
    /// What each row is sorted by.
    keys: Vec<SortKey>,
    /// Memory that the rows hold.
    pub(super) bytes: usize,
    /// The archive's clock when the first row came.
    pub(super) since: Timestamp,
    /// Grows with every use of any partition, so that the smallest is the least recently used.
    pub(super) used: u64,
}

/// A row's ts and uid.
#[derive(Clone, Copy, Debug)]
struct SortKey {
    ts: Timestamp,
    uid: Option<Uid>,
}

impl SortKey {
    /// The order that a file promises is that of its values, so instants are compared in
    /// microseconds and uids as text.
    fn cmp(&self, other: &Self) -> Ordering {
        let uid = |key: &Self| key.uid.map(Uid::text);
        self.ts.micros().cmp(&other.ts.micros()).then_with(|| uid(self).cmp(&uid(other)))
    }
}

impl Partition {
    /// An empty one.
    pub(super) fn new(table: &'static Table, since: Timestamp) -> Self {
        Self { columns: Columns::new(table), keys: Vec::new(), bytes: 0, since, used: 0 }
    }

    /// Takes a row; answers the bytes of memory that it holds.
    ///
    /// # Errors
    /// The record does not put what its table declares.
    pub(super) fn push(&mut self, row: &StampedRow) -> Result<usize, ArchiveError> {
        self.keys.push(SortKey { ts: row.header.ts, uid: row.header.uid });
        let bytes = self.columns.append(row)? + size_of::<SortKey>();
        self.bytes += bytes;
        Ok(bytes)
    }

    /// Rows that it holds.
    pub(super) const fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Ends its growth.
    ///
    /// # Errors
    /// Never, as far as we know.
    pub(super) fn seal(self, key: PartitionKey) -> Result<Sealed, ArrowError> {
        let Self { columns, keys, bytes, .. } = self;
        let indices = 0..u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = indices.collect();
        let key_of = |index: &u32| &keys[*index as usize];
        // Stable, so that arrival decides between equals.
        order.sort_by(|a, b| key_of(a).cmp(key_of(b)));
        let first = order.first().map(|index| key_of(index).ts).unwrap_or_default();
        let last = order.last().map(|index| key_of(index).ts).unwrap_or_default();
        Ok(Sealed {
            key,
            table: columns.table(),
            batch: columns.into_batch()?,
            order,
            first,
            last,
            bytes,
        })
    }
}

/// Rows of one hour of one table that are to be written as one file.
#[derive(Debug)]
pub(super) struct Sealed {
    /// Where they belong.
    pub(super) key: PartitionKey,
    /// Their table.
    pub(super) table: &'static Table,
    /// The rows in order of arrival.
    pub(super) batch: RecordBatch,
    /// Their indices in the order of the file: by ts, then uid, then arrival.
    pub(super) order: Vec<u32>,
    /// The earliest ts.
    pub(super) first: Timestamp,
    /// The latest.
    pub(super) last: Timestamp,
    /// Memory that they hold.
    pub(super) bytes: usize,
}
