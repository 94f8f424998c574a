//! How a table lies in a Parquet file: types, order, encodings, indexes.
//!
//! In: a table's declaration and the rows of a file. Out: its Arrow schema and the writer's
//! properties. What a column stands for ([`Meaning`]) and its values decide, never its name. Every
//! choice must be readable by DuckDB, pyarrow, Polars, DataFusion, Spark (3.3 and later) and Trino:
//! no unsigned 64-bit integers, no nanoseconds.

use std::sync::Arc;

use analyzers::record::{Header, Meaning};
use analyzers::{Column, ColumnKind, Table};
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::survey::{self, Coding};
use crate::rows::{SCHEMA_VERSION, columns};

/// Time zone of every instant.
pub(super) const UTC: &str = "UTC";

/// Rows of a row group: what one thread of a query engine takes at a time.
pub(super) const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Encoded bytes of a row group. A reader holds a column of one whole row group; without this bound
/// a client that sends the longest headers it can chooses how much memory a query needs.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// Share of look-ups that a bloom filter sends to a row group in vain. At this share a row group
/// whose values are all distinct needs a filter of 256 KiB, sixteen bits a value; sizes are powers
/// of two. With the next smaller one, a look-up for a needle in a large archive would spend most of
/// its time on row groups that do not have it.
const BLOOM_FALSE_POSITIVES: f64 = 0.000_8;

/// Values of lists, per row, that a bloom filter has room for: a response has some answers, hardly
/// ever many.
const LISTED_VALUES: usize = 4;

/// A table's schema in Arrow.
pub(super) fn schema(table: &Table) -> SchemaRef {
    let fields: Vec<Field> = columns(table)
        .map(|column| Field::new(column.name, data_type(column.kind), !is_ts(column)))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The column that partitions and order come from; the only one that is never null.
fn is_ts(column: &Column) -> bool {
    Header::TABLE.columns.first().is_some_and(|ts| ts.name == column.name)
}

fn data_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::U8 => DataType::UInt8,
        ColumnKind::U16 => DataType::UInt16,
        ColumnKind::I32 => DataType::Int32,
        ColumnKind::I64 => DataType::Int64,
        ColumnKind::F64 => DataType::Float64,
        ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        ColumnKind::TextList => DataType::List(element(ColumnKind::Text)),
        ColumnKind::I64List => DataType::List(element(ColumnKind::I64)),
    }
}

/// What a list holds, by the name that the Parquet specification gives it.
pub(super) fn element(kind: ColumnKind) -> FieldRef {
    Arc::new(Field::new("element", data_type(kind), true))
}

/// Properties of a file that holds `batch`, rows of `table`.
pub(super) fn properties(table: &Table, sensor: &str, batch: &RecordBatch) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        // Higher levels take longer and, on columns that are small already, gain nothing.
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_sorting_columns(Some(order()))
        .set_key_value_metadata(Some(vec![
            KeyValue::new("serval.table".to_owned(), table.name.to_owned()),
            KeyValue::new("serval.schema_version".to_owned(), SCHEMA_VERSION.to_string()),
            KeyValue::new("serval.sensor".to_owned(), sensor.to_owned()),
        ]));
    for (column, array) in columns(table).zip(batch.columns()) {
        properties = column_properties(properties, column, array);
    }
    properties.build()
}

/// Rows are sorted by ts, then uid, which are the first two columns of every table.
fn order() -> Vec<SortingColumn> {
    [0, 1]
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
        .into()
}

fn column_properties(
    properties: WriterPropertiesBuilder,
    column: &Column,
    array: &dyn Array,
) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(column.name);
    let mut properties = match survey::coding(array) {
        Coding::Dictionary => properties,
        Coding::Plain => properties.set_column_dictionary_enabled(path(), false),
        Coding::Delta => properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED),
    };
    if is_ts(column) {
        // Pages are in the order of time alone, so they can be passed over by time alone.
        properties = properties.set_column_statistics_enabled(path(), EnabledStatistics::Page);
    }
    if is_looked_up(column) {
        let (path, values) = match array.as_list_opt::<i32>() {
            Some(list) => (element_path(column), list.values().len()),
            None => (path(), array.len()),
        };
        // A row group of lists may have more values than rows; beyond that the filter lets more
        // look-ups pass in vain.
        let distinct = values.min(LISTED_VALUES * ROW_GROUP_ROWS) as u64;
        properties = properties
            .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
            // The filter begins with room for as many and is folded to what it needs.
            .set_column_bloom_filter_max_ndv(path, distinct);
    }
    properties
}

/// Where a list's values lie, by the names of the Parquet specification.
fn element_path(column: &Column) -> ColumnPath {
    ColumnPath::new([column.name, "list", "element"].map(str::to_owned).into())
}

/// Whether hunters ask for rows by this column's exact value.
fn is_looked_up(column: &Column) -> bool {
    match column.meaning {
        Meaning::Identifier
        | Meaning::Address
        | Meaning::Domain
        | Meaning::CertificateSha1
        | Meaning::CertificateSha256
        | Meaning::FileSha256
        | Meaning::Ja3
        | Meaning::Ja4
        | Meaning::ServerFingerprint => {
            matches!(column.kind, ColumnKind::Text | ColumnKind::TextList)
        }
        Meaning::Plain | Meaning::Url | Meaning::FileName | Meaning::UserAgent => false,
    }
}
