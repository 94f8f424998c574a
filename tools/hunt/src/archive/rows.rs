//! Rows that a hunt itself gives: records to columns, and columns to files of the archive.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use analyzers::record::Header;
use analyzers::{Column, ColumnKind, Record, Row, Value};
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use datafusion::arrow::compute::take_record_batch;
use object_store::{PutMode, PutOptions, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Archive, arrow_type};
use crate::error::HuntError;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Files of one hour that are tried before giving up on a free name.
const NAMES_TRIED: u32 = 10_000;

/// The rows of one table as columns, in the types of files.
///
/// # Errors
/// A record does not put what its table declares.
pub fn columns_of<R: Record>(rows: &[(Header, R)]) -> Result<RecordBatch, HuntError> {
    let Some((_, first)) = rows.first() else {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
    };
    let columns: Vec<&Column> = Header::TABLE.columns.iter().chain(first.table().columns).collect();
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(rows.len());
    for (header, record) in rows {
        let mut row = Cells(Vec::with_capacity(columns.len()));
        header.cells(&mut row);
        record.cells(&mut row);
        cells.push(row.0);
    }
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let data_type = match arrow_type(column.kind) {
            DataType::Utf8View => DataType::Utf8,
            other => other,
        };
        fields.push(Field::new(column.name, data_type, column.name != "ts"));
        arrays.push(array(column.kind, cells.iter().map(|row| row.get(at))));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// A value, kept until its column is made.
#[derive(Clone, Debug)]
enum Cell {
    Null,
    Text(String),
    Bool(bool),
    Number(i64),
    Real(f64),
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

struct Cells(Vec<Cell>);

impl Row for Cells {
    fn put(&mut self, value: Value<'_>) {
        self.0.push(match value {
            Value::Null => Cell::Null,
            Value::Text(text) => Cell::Text(text.escaped().into_owned()),
            Value::Str(text) => Cell::Text(text.to_owned()),
            Value::Bool(truth) => Cell::Bool(truth),
            Value::U8(number) => Cell::Number(number.into()),
            Value::U16(number) => Cell::Number(number.into()),
            Value::I32(number) => Cell::Number(number.into()),
            Value::I64(number) => Cell::Number(number),
            Value::F64(number) => Cell::Real(number),
            Value::Time(time) => Cell::Number(time.micros()),
            Value::StatedTime(time) => Cell::Number(time.micros()),
            Value::Ip(ip) => Cell::Text(address(ip)),
            Value::Mac(mac) => Cell::Text(mac_text(mac)),
            Value::Uid(uid) => Cell::Text(uid.to_string()),
            Value::TextList(texts) => {
                Cell::Texts(texts.iter().map(|text| text.escaped().into_owned()).collect())
            }
            Value::I64List(numbers) => Cell::Numbers(numbers.to_vec()),
        });
    }
}

fn address(ip: IpAddr) -> String {
    ip.to_string()
}

fn mac_text(mac: [u8; 6]) -> String {
    let mut text = String::new();
    for (at, byte) in mac.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{byte:02x}", if at == 0 { "" } else { ":" });
    }
    text
}

/// A column; a value of another kind than the column's is null.
fn array<'a>(kind: ColumnKind, cells: impl Iterator<Item = Option<&'a Cell>>) -> ArrayRef {
    let number = |cell: Option<&Cell>| match cell {
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    };
    macro_rules! numbers {
        ($builder:ty) => {{
            let mut builder = <$builder>::new();
            cells.for_each(|cell| {
                builder.append_option(number(cell).and_then(|number| number.try_into().ok()));
            });
            Arc::new(builder.finish())
        }};
    }
    match kind {
        ColumnKind::Text => {
            let mut builder = StringBuilder::new();
            cells.for_each(|cell| {
                builder.append_option(match cell {
                    Some(Cell::Text(text)) => Some(text),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
        ColumnKind::Bool => {
            let mut builder = BooleanBuilder::new();
            cells.for_each(|cell| {
                builder.append_option(match cell {
                    Some(Cell::Bool(truth)) => Some(*truth),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
        ColumnKind::F64 => {
            let mut builder = Float64Builder::new();
            cells.for_each(|cell| {
                builder.append_option(match cell {
                    Some(Cell::Real(number)) => Some(*number),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
        ColumnKind::U8 => numbers!(UInt8Builder),
        ColumnKind::U16 => numbers!(UInt16Builder),
        ColumnKind::I32 => numbers!(Int32Builder),
        ColumnKind::I64 => numbers!(Int64Builder),
        ColumnKind::Time => {
            let mut builder = TimestampMicrosecondBuilder::new();
            cells.for_each(|cell| builder.append_option(number(cell)));
            Arc::new(builder.finish().with_timezone("UTC"))
        }
        ColumnKind::TextList => texts(cells),
        ColumnKind::I64List => {
            let field = Field::new("element", DataType::Int64, true);
            let mut builder = ListBuilder::new(Int64Builder::new()).with_field(field);
            cells.for_each(|cell| {
                builder.append_option(match cell {
                    Some(Cell::Numbers(list)) => Some(list.iter().copied().map(Some)),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
    }
}

fn texts<'a>(cells: impl Iterator<Item = Option<&'a Cell>>) -> ArrayRef {
    let field = Field::new("element", DataType::Utf8, true);
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(field);
    cells.for_each(|cell| {
        builder.append_option(match cell {
            Some(Cell::Texts(list)) => Some(list.iter().map(Some)),
            _ => None,
        });
    });
    Arc::new(builder.finish())
}

/// Adds rows of a table to an archive, one file an hour of their `ts`, under the name of `writer`;
/// answers how many files. A file appears when it is whole, and none is ever written over.
///
/// # Errors
/// The archive cannot be written to.
pub async fn write_rows(
    archive: &Archive,
    table: &str,
    writer: &str,
    rows: &RecordBatch,
) -> Result<usize, HuntError> {
    let Some(ts) = rows.column_by_name("ts") else { return Ok(0) };
    let ts = ts.as_primitive::<TimestampMicrosecondType>().values();
    let mut order: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect();
    order.sort_by_key(|row| ts[*row as usize]);
    let hour = |row: &u32| ts[*row as usize].div_euclid(MICROS_PER_HOUR);
    let mut files = 0;
    for part in order.chunk_by(|a, b| hour(a) == hour(b)) {
        let batch = take_record_batch(rows, &UInt32Array::from(part.to_vec()))?;
        let first = part.first().map_or(0, |row| ts[*row as usize]);
        write_hour(archive, table, writer, first, &batch).await?;
        files += 1;
    }
    Ok(files)
}

async fn write_hour(
    archive: &Archive,
    table: &str,
    writer: &str,
    first: i64,
    rows: &RecordBatch,
) -> Result<(), HuntError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut bytes = Vec::new();
    let failed = |error: parquet::errors::ParquetError| HuntError::Engine(error.into());
    let mut file =
        ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).map_err(failed)?;
    file.write(rows).map_err(failed)?;
    file.close().map_err(failed)?;
    let first = jiff::Timestamp::from_microsecond(first).unwrap_or_default();
    let folder = first.strftime("date=%Y-%m-%d/hour=%H").to_string();
    let payload = PutPayload::from(bytes);
    for sequence in 1..NAMES_TRIED {
        let name = format!("{writer}-{}-{sequence:04}.parquet", first.strftime("%Y%m%dT%H%M%SZ"));
        let mut path = archive.root.clone().join(table);
        for part in folder.split('/') {
            path = path.join(part);
        }
        let options = PutOptions::from(PutMode::Create);
        match archive.store.put_opts(&path.join(name), payload.clone(), options).await {
            Err(object_store::Error::AlreadyExists { .. }) => {}
            outcome => return outcome.map(drop).map_err(HuntError::Store),
        }
    }
    let reason = format!("there is no free name in {table}/{folder}");
    Err(HuntError::Archive { name: archive.name.clone(), reason })
}
