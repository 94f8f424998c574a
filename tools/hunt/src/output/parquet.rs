//! An answer as a Parquet file that every engine reads: texts are `Utf8`, times microseconds, as in
//! the archive.

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::compute::cast;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Sink;
use crate::error::HuntError;

/// Writes a Parquet file.
pub(super) struct ParquetSink {
    writer: ArrowWriter<Box<dyn Write + Send>>,
    schema: SchemaRef,
}

impl ParquetSink {
    pub(super) fn new(out: Box<dyn Write + Send>, schema: &Schema) -> Result<Self, HuntError> {
        let portable = |field: &Arc<Field>| {
            let data_type = portable(field.data_type());
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        };
        let fields: Vec<_> = schema.fields().iter().map(portable).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer =
            ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(failed)?;
        Ok(Self { writer, schema })
    }
}

/// The type that stands for `data_type` in files.
fn portable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::UInt64 => DataType::Int64,
        DataType::Null => DataType::Utf8,
        DataType::Dictionary(_, values) => portable(values),
        DataType::Timestamp(_, zone) => {
            DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, zone.clone())
        }
        other => other.clone(),
    }
}

fn failed(error: ParquetError) -> HuntError {
    HuntError::Engine(error.into())
}

impl Sink for ParquetSink {
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let columns = columns.collect::<Result<_, _>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.writer.write(&batch).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<(), HuntError> {
        let mut out = self.writer.into_inner().map_err(failed)?;
        out.flush().map_err(HuntError::io("cannot write the answer"))
    }
}
