//! Columns of the archive's tables, in the query engine's types.
//!
//! Texts are views: a comparison looks at the first bytes and follows no pointer. A table of the
//! contract has its declared columns whether or not the archive holds files of it; a column that a
//! file lacks is null.

use std::sync::Arc;

use analyzers::record::Header;
use analyzers::{ColumnKind, Table};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The columns of a table of the contract, those of every table first.
#[must_use]
pub fn schema(table: &Table) -> SchemaRef {
    let columns = Header::TABLE.columns.iter().chain(table.columns);
    let fields: Vec<Field> = columns
        .map(|column| Field::new(column.name, arrow_type(column.kind), column.name != "ts"))
        .collect();
    Arc::new(Schema::new(fields))
}

/// A kind of column in the query engine's types.
#[must_use]
pub fn arrow_type(kind: ColumnKind) -> DataType {
    let list = |element| DataType::List(Arc::new(Field::new("element", element, true)));
    match kind {
        ColumnKind::Text => DataType::Utf8View,
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::U8 => DataType::UInt8,
        ColumnKind::U16 => DataType::UInt16,
        ColumnKind::I32 => DataType::Int32,
        ColumnKind::I64 => DataType::Int64,
        ColumnKind::F64 => DataType::Float64,
        ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnKind::TextList => list(DataType::Utf8),
        ColumnKind::I64List => list(DataType::Int64),
    }
}

/// The columns of a file whose table this program does not know.
pub(super) fn of_file(schema: &Schema) -> SchemaRef {
    let view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(view).collect::<Vec<_>>()))
}
