//! A row on its way out of the sensor, and what all of its forms share.
//!
//! In: a record with the header that the watch stage puts before it. Out: a [`StampedRow`], which
//! the [archive](crate::archive) writes as Parquet and [`json`] as a line of a [`stream`]; the
//! texts of instants and MAC addresses, which must read the same wherever they stand.

mod beside;
pub mod json;
#[cfg(test)]
pub(crate) mod samples;
pub mod stream;

use std::fmt;

use analyzers::record::Header;
use analyzers::{Column, Record, Row, StatedTime, Table, Timestamp};

/// Version of the tables' columns. Columns are only ever added, and a file or a JSON Schema that
/// names this version has all of them.
pub const SCHEMA_VERSION: u32 = 1;

/// What whoever writes rows does when they cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It answers the error: for a replay, which can be run again.
    Answer,
    /// It goes on: rows wait as far as memory allows, the others are let go and counted. For live
    /// capture, whose packets come but once.
    Endure,
}

/// One row: the columns of every table, and the table's own.
#[derive(Debug)]
pub struct StampedRow {
    /// When, which flow, which sensor.
    pub header: Header,
    /// The table's own columns.
    pub record: Box<dyn Record>,
}

impl StampedRow {
    /// Puts the values into `row`, in the order of [`columns`].
    pub fn cells(&self, row: &mut dyn Row) {
        self.as_ref().cells(row);
    }

    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> RowRef<'_> {
        RowRef { header: &self.header, record: self.record.as_ref() }
    }
}

/// One row, borrowed from wherever its parts are.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    /// When, which flow, which sensor.
    pub header: &'a Header,
    /// The table's own columns.
    pub record: &'a dyn Record,
}

impl RowRef<'_> {
    /// Puts the values into `row`, in the order of [`columns`].
    pub fn cells(&self, row: &mut dyn Row) {
        self.header.cells(row);
        self.record.cells(row);
    }
}

/// All columns of a table: those of every table first, then its own.
pub fn columns(table: &Table) -> impl Iterator<Item = &Column> {
    Header::TABLE.columns.iter().chain(table.columns)
}

/// An instant as RFC 3339 writes it, in UTC with six digits: `2026-01-02T03:04:05.678901Z`.
#[derive(Clone, Copy, Debug)]
pub struct UtcText(pub Timestamp);

impl fmt::Display for UtcText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_utc(self.0.micros(), f)
    }
}

/// A stated instant, written in the same way.
#[derive(Clone, Copy, Debug)]
pub struct StatedText(pub StatedTime);

impl fmt::Display for StatedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_utc(self.0.micros(), f)
    }
}

/// Writes microseconds since the Unix epoch; as a number beyond the years that RFC 3339 can write.
fn write_utc(micros: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // A civil date and time, because jiff's instants end a day before the year 9999 does.
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    match epoch.checked_add(jiff::SignedDuration::from_micros(micros)) {
        Ok(instant) if instant.year() >= 0 => write!(f, "{instant:.6}Z"),
        _ => write!(f, "{micros}"),
    }
}

/// A MAC address as `00:11:22:33:44:55`.
#[derive(Clone, Copy, Debug)]
pub struct MacText(pub [u8; 6]);

impl MacText {
    /// The text, in ASCII.
    #[must_use]
    pub fn text(self) -> [u8; 17] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b':'; 17];
        for (digits, byte) in text.chunks_mut(3).zip(self.0) {
            digits[0] = HEX[usize::from(byte >> 4)];
            digits[1] = HEX[usize::from(byte & 15)];
        }
        text
    }
}

impl fmt::Display for MacText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc_with_six_digits() {
        for (nanos, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_767_323_045_678_901_999, "2026-01-02T03:04:05.678901Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224Z"),
        ] {
            assert_eq!(UtcText(Timestamp::from_nanos(nanos)).to_string(), expected);
        }
    }

    #[test]
    fn stated_instants_reach_the_last_second_that_can_be_written() {
        for (secs, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
            (253_402_300_800, "253402300800000000"),
            (-62_167_219_200, "0000-01-01T00:00:00.000000Z"),
            (-62_167_219_201, "-62167219201000000"),
        ] {
            assert_eq!(StatedText(StatedTime::from_secs(secs)).to_string(), expected);
        }
    }

    #[test]
    fn mac_addresses_keep_their_leading_zeros() {
        assert_eq!(MacText([0, 0x11, 0xaa, 0xff, 0x0b, 5]).to_string(), "00:11:aa:ff:0b:05");
    }
}
