//! Rows to columns: typed builders that take the values of a row in column order.
//!
//! In: stamped rows of one table. Out: a [`RecordBatch`]. Values are written straight into the
//! column's buffer; only text with hostile bytes is copied on its way.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use analyzers::{Column, ColumnKind, Row, Table, Value};
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use super::error::ArchiveError;
use super::layout;
use crate::rows::{MacText, StampedRow, columns};

/// Rows that columns are made for. They grow; most partitions of most tables stay small.
const FIRST_ROWS: usize = 64;

/// Bytes of text that a column is made for, for each of those rows.
const TEXT_BYTES: usize = 16;

/// The columns of a table while they are filled.
#[derive(Debug)]
pub(super) struct Columns {
    table: &'static Table,
    builders: Vec<ColumnBuilder>,
    /// Bytes of a row without its texts and lists.
    fixed_bytes: usize,
    /// Of the row that is being taken.
    row: RowState,
}

/// How far a row has been taken.
#[derive(Clone, Copy, Debug, Default)]
struct RowState {
    /// Column that the next value belongs to.
    next: usize,
    /// Bytes of its texts and lists.
    bytes: usize,
    /// First column whose value was not of its kind.
    undeclared: Option<usize>,
}

impl Columns {
    /// Empty columns.
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            builders: columns(table).map(ColumnBuilder::new).collect(),
            fixed_bytes: columns(table).map(|column| fixed_bytes(column.kind)).sum(),
            row: RowState::default(),
        }
    }

    /// The table that they belong to.
    pub(super) const fn table(&self) -> &'static Table {
        self.table
    }

    /// Takes one row; answers the bytes of memory that it holds.
    ///
    /// # Errors
    /// The record does not put what its table declares. What fits its column was taken, the rest
    /// is null.
    pub(super) fn append(&mut self, row: &StampedRow) -> Result<usize, ArchiveError> {
        self.row = RowState::default();
        row.cells(self);
        if self.row.next < self.builders.len() {
            self.row.undeclared.get_or_insert(self.row.next);
        }
        while self.row.next < self.builders.len() {
            self.put(Value::Null);
        }
        match self.row.undeclared {
            None => Ok(self.fixed_bytes + self.row.bytes),
            Some(index) => {
                let column = columns(self.table).nth(index).map_or("its end", |column| column.name);
                Err(ArchiveError::Undeclared { table: self.table.name, column })
            }
        }
    }

    /// What was taken, as one batch in order of arrival.
    ///
    /// # Errors
    /// Never, as far as we know: all columns are of one length and of the schema's types.
    pub(super) fn into_batch(mut self) -> Result<RecordBatch, ArrowError> {
        let arrays = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(layout::schema(self.table), arrays)
    }
}

impl Row for Columns {
    fn put(&mut self, value: Value<'_>) {
        let index = self.row.next;
        self.row.next += 1;
        let Some(builder) = self.builders.get_mut(index) else {
            self.row.undeclared.get_or_insert(index);
            return;
        };
        match builder.append(value) {
            Some(bytes) => self.row.bytes += bytes,
            None => {
                builder.nulls += 1;
                self.row.undeclared.get_or_insert(index);
            }
        }
    }
}

/// Bytes that a column needs for each row, whatever the value.
const fn fixed_bytes(kind: ColumnKind) -> usize {
    match kind {
        ColumnKind::Bool | ColumnKind::U8 => 1,
        ColumnKind::U16 => 2,
        ColumnKind::I32 => 4,
        ColumnKind::I64 | ColumnKind::F64 | ColumnKind::Time => 8,
        // The offset at which the value ends.
        ColumnKind::Text | ColumnKind::TextList | ColumnKind::I64List => 4,
    }
}

/// One column while it is filled.
#[derive(Debug)]
struct ColumnBuilder {
    typed: TypedBuilder,
    /// Nulls behind its last value. Most values of most tables are null, and many in a row cost
    /// little more than one.
    nulls: usize,
}

impl ColumnBuilder {
    fn new(column: &Column) -> Self {
        Self { typed: TypedBuilder::new(column), nulls: 0 }
    }

    /// Takes a value and answers its bytes of text or list; `None` where its kind is not the
    /// column's, and nothing was taken.
    #[inline]
    fn append(&mut self, value: Value<'_>) -> Option<usize> {
        if matches!(value, Value::Null) {
            self.nulls += 1;
            return Some(0);
        }
        self.append_nulls();
        self.typed.append(value)
    }

    fn append_nulls(&mut self) {
        if self.nulls > 0 {
            self.typed.append_nulls(self.nulls);
            self.nulls = 0;
        }
    }

    fn finish(&mut self) -> ArrayRef {
        self.append_nulls();
        self.typed.finish()
    }
}

/// The builder of a column's values.
#[derive(Debug)]
enum TypedBuilder {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    U8(UInt8Builder),
    U16(UInt16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    F64(Float64Builder),
    Time(TimestampMicrosecondBuilder),
    TextList(ListBuilder<StringBuilder>),
    I64List(ListBuilder<Int64Builder>),
}

impl TypedBuilder {
    fn new(column: &Column) -> Self {
        let rows = FIRST_ROWS;
        match column.kind {
            ColumnKind::Text => Self::Text(StringBuilder::with_capacity(rows, rows * TEXT_BYTES)),
            ColumnKind::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnKind::U8 => Self::U8(UInt8Builder::with_capacity(rows)),
            ColumnKind::U16 => Self::U16(UInt16Builder::with_capacity(rows)),
            ColumnKind::I32 => Self::I32(Int32Builder::with_capacity(rows)),
            ColumnKind::I64 => Self::I64(Int64Builder::with_capacity(rows)),
            ColumnKind::F64 => Self::F64(Float64Builder::with_capacity(rows)),
            ColumnKind::Time => Self::Time(
                TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(layout::UTC),
            ),
            ColumnKind::TextList => Self::TextList(
                ListBuilder::with_capacity(StringBuilder::new(), rows)
                    .with_field(layout::element(ColumnKind::Text)),
            ),
            ColumnKind::I64List => Self::I64List(
                ListBuilder::with_capacity(Int64Builder::new(), rows)
                    .with_field(layout::element(ColumnKind::I64)),
            ),
        }
    }

    /// Takes a value that is not null, and answers as [`ColumnBuilder::append`] does.
    fn append(&mut self, value: Value<'_>) -> Option<usize> {
        match (self, value) {
            (Self::Text(column), value) => return append_text(column, value),
            (Self::TextList(column), Value::TextList(list)) => {
                let elements = column.values();
                let bytes = elements.values_slice().len();
                for text in list {
                    elements.append_value(text.escaped());
                }
                let bytes = elements.values_slice().len() - bytes;
                column.append(true);
                return Some(bytes + list.len() * fixed_bytes(ColumnKind::Text));
            }
            (Self::I64List(column), Value::I64List(list)) => {
                column.values().append_slice(list);
                column.append(true);
                return Some(size_of_val(list));
            }
            (Self::Bool(column), Value::Bool(value)) => column.append_value(value),
            (Self::U8(column), Value::U8(value)) => column.append_value(value),
            (Self::U16(column), Value::U16(value)) => column.append_value(value),
            (Self::I32(column), Value::I32(value)) => column.append_value(value),
            (Self::I64(column), Value::I64(value)) => column.append_value(value),
            (Self::F64(column), Value::F64(value)) => column.append_value(value),
            (Self::Time(column), Value::Time(value)) => column.append_value(value.micros()),
            (Self::Time(column), Value::StatedTime(value)) => column.append_value(value.micros()),
            _ => return None,
        }
        Some(0)
    }

    fn append_nulls(&mut self, number: usize) {
        match self {
            Self::Text(column) => column.append_nulls(number),
            Self::Bool(column) => column.append_nulls(number),
            Self::U8(column) => column.append_nulls(number),
            Self::U16(column) => column.append_nulls(number),
            Self::I32(column) => column.append_nulls(number),
            Self::I64(column) => column.append_nulls(number),
            Self::F64(column) => column.append_nulls(number),
            Self::Time(column) => column.append_nulls(number),
            Self::TextList(column) => column.append_nulls(number),
            Self::I64List(column) => column.append_nulls(number),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => ArrayBuilder::finish(column),
            Self::Bool(column) => ArrayBuilder::finish(column),
            Self::U8(column) => ArrayBuilder::finish(column),
            Self::U16(column) => ArrayBuilder::finish(column),
            Self::I32(column) => ArrayBuilder::finish(column),
            Self::I64(column) => ArrayBuilder::finish(column),
            Self::F64(column) => ArrayBuilder::finish(column),
            Self::Time(column) => ArrayBuilder::finish(column),
            Self::TextList(column) => ArrayBuilder::finish(column),
            Self::I64List(column) => ArrayBuilder::finish(column),
        }
    }
}

/// Takes everything that is written as text.
fn append_text(column: &mut StringBuilder, value: Value<'_>) -> Option<usize> {
    let bytes = column.values_slice().len();
    match value {
        Value::Text(text) => column.append_value(text.escaped()),
        Value::Str(text) => column.append_value(text),
        Value::Uid(uid) => append_ascii(column, &uid.text()),
        Value::Mac(address) => append_ascii(column, &MacText(address).text()),
        Value::Ip(IpAddr::V4(address)) => append_ipv4(column, address),
        Value::Ip(IpAddr::V6(address)) => {
            // Writing into a builder cannot fail.
            let _ = write!(column, "{address}");
            // Ends the value that was written.
            column.append_value("");
        }
        _ => return None,
    }
    Some(column.values_slice().len() - bytes)
}

fn append_ascii(column: &mut StringBuilder, text: &[u8]) {
    column.append_value(str::from_utf8(text).unwrap_or_default());
}

/// What [`Ipv4Addr`]'s own text is, in a fifth of the time; every row has two.
fn append_ipv4(column: &mut StringBuilder, address: Ipv4Addr) {
    let mut text = [0; 15];
    let mut length = 0;
    let mut push = |byte| {
        text[length] = byte;
        length += 1;
    };
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            push(b'.');
        }
        if octet >= 100 {
            push(b'0' + octet / 100);
        }
        if octet >= 10 {
            push(b'0' + octet / 10 % 10);
        }
        push(b'0' + octet % 10);
    }
    append_ascii(column, &text[..length]);
}
