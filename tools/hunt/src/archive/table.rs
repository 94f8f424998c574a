//! A table of the archive for the query engine.
//!
//! In: the columns and conditions of a query. Out: a scan over the files that neither time nor
//! bloom filters rule out. Three steps: days are listed and tried first, then the files of the days
//! that are left, for a year has ten thousand folders a table; then filters are asked, where the
//! conditions want certain values. What is left to the Parquet reader: row groups by their
//! statistics, pages by their index, rows by the conditions.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Int32Array, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::{TableSchema, TableSchemaBuilder};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use jiff::civil::Date;

use super::files::{ArchiveFile, Hour, days_since_epoch};
use super::filters::{Needles, Sifted};
use super::paged::PagedReaders;
use super::{Archive, Ledger};

const DATE: &str = "date";
const HOUR: &str = "hour";
const TS: &str = "ts";
const LAST_HOUR: i8 = 23;

/// A table of an archive, which may hold no file at all.
#[derive(Debug)]
pub struct ArchiveTable {
    archive: Archive,
    name: String,
    schema: TableSchema,
    ledger: Arc<Ledger>,
}

impl ArchiveTable {
    /// The table of that name, with the columns that its files have or should have.
    #[must_use]
    pub fn new(archive: Archive, name: &str, columns: SchemaRef, ledger: Arc<Ledger>) -> Self {
        let partition = vec![
            Arc::new(Field::new(DATE, DataType::Date32, false)),
            Arc::new(Field::new(HOUR, DataType::Int32, false)),
        ];
        let schema = TableSchemaBuilder::new(columns).with_table_partition_cols(partition).build();
        Self { archive, name: name.to_owned(), schema, ledger }
    }

    /// Files that the conditions do not rule out by their hour, nor by their bloom filters.
    async fn choose(&self, state: &dyn Session, filters: &[Expr]) -> Result<Chosen> {
        let schema = self.schema.table_schema();
        let (mut predicate, mut needles) = (None, Needles::default());
        if let Some(filter) = conjunction(filters.iter().cloned()) {
            let names = DFSchema::try_from(Arc::clone(schema))?;
            let filter = state.create_physical_expr(filter, &names)?;
            needles = Needles::of(&filter);
            // A condition that says nothing about time is no error here.
            predicate = PruningPredicateBuilder::new()
                .with_file_schema(Arc::clone(schema))
                .try_build(filter)
                .ok();
        }
        let external = |error| DataFusionError::External(Box::new(error));
        let days = self.archive.days(&self.name).await.map_err(external)?;
        let days = keep(days, predicate.as_ref(), TimeSpan::of_day)?;
        let files = self.archive.files(&self.name, &days).await.map_err(external)?;
        let bytes = |files: &[ArchiveFile]| files.iter().map(|file| file.object.size).sum();
        self.ledger.listed(files.len(), bytes(&files));
        let files = keep(files, predicate.as_ref(), |file| TimeSpan::of_hour(file.hour))?;
        let (sifted, asked) = needles.sift(&self.archive, files).await?;
        self.ledger.asked(asked.bytes_read, asked.groups_ruled_out);
        let bytes = sifted.iter().map(|sifted| sifted.file.object.size).sum();
        self.ledger.chosen(sifted.len(), bytes);
        let bloom = if needles.is_empty() { Bloom::ToAsk } else { Bloom::Asked };
        Ok(Chosen { files: sifted, bloom })
    }

    fn partitioned(&self, Sifted { file, access }: Sifted) -> PartitionedFile {
        let columns = self.schema.file_schema().fields();
        let (first, last) = file.hour.micros();
        let instant = |micros| {
            Precision::Inexact(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
        };
        let of_column = |field: &Arc<Field>| {
            let unknown = ColumnStatistics::new_unknown();
            if field.name() != TS {
                return unknown;
            }
            unknown.with_min_value(instant(first)).with_max_value(instant(last))
        };
        let statistics = Statistics {
            num_rows: Precision::Absent,
            total_byte_size: Precision::Absent,
            column_statistics: columns.iter().map(of_column).collect(),
        };
        let partitioned = PartitionedFile::new_from_meta(file.object)
            .with_partition_values(file.hour.partition_values())
            .with_statistics(Arc::new(statistics));
        match access {
            Some(access) => partitioned.with_extension(access),
            None => partitioned,
        }
    }
}

/// Files to scan.
struct Chosen {
    files: Vec<Sifted>,
    bloom: Bloom,
}

/// What is left to do with bloom filters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bloom {
    /// The reader asks them, of values that turn up while the query runs.
    ToAsk,
    /// All that they can say has been heard.
    Asked,
}

#[async_trait::async_trait]
impl TableProvider for ArchiveTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Chosen { files, bloom } = self.choose(state, filters).await?;
        if files.is_empty() {
            let schema = self.schema.table_schema();
            let columns = match projection {
                Some(columns) => Arc::new(schema.project(columns)?),
                None => Arc::clone(schema),
            };
            return Ok(Arc::new(EmptyExec::new(columns)));
        }
        let threads = state.config().target_partitions();
        let files = files.into_iter().map(|file| self.partitioned(file)).collect();
        let runtime = state.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(self.archive.url())?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let readers: Arc<dyn ParquetFileReaderFactory> = match bloom {
            Bloom::ToAsk => Arc::new(readers),
            Bloom::Asked => Arc::new(PagedReaders(readers)),
        };
        let mut options = state.table_options().parquet.clone();
        options.global.bloom_filter_on_read &= bloom == Bloom::ToAsk;
        let source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(readers);
        let config = FileScanConfigBuilder::new(self.archive.url().clone(), Arc::new(source))
            .with_file_groups(FileGroup::new(files).split_files(threads))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// What is left of `things` when those are gone whose time the predicate rules out.
fn keep<T>(
    things: Vec<T>,
    predicate: Option<&PruningPredicate>,
    span: impl Fn(&T) -> TimeSpan,
) -> Result<Vec<T>> {
    let Some(predicate) = predicate.filter(|_| !things.is_empty()) else { return Ok(things) };
    let spans = TimeSpans(things.iter().map(span).collect());
    let kept = predicate.prune(&spans)?;
    Ok(things.into_iter().zip(kept).filter_map(|(thing, kept)| kept.then_some(thing)).collect())
}

/// A day or an hour, as its columns see it.
struct TimeSpan {
    micros: (i64, i64),
    date: i32,
    hours: (i8, i8),
}

impl TimeSpan {
    fn of_hour(hour: Hour) -> Self {
        Self {
            micros: hour.micros(),
            date: days_since_epoch(hour.date()),
            hours: (hour.hour(), hour.hour()),
        }
    }

    fn of_day(date: &Date) -> Self {
        let micros = |hour| Hour::new(*date, hour).map(Hour::micros).unwrap_or_default();
        Self {
            micros: (micros(0).0, micros(LAST_HOUR).1),
            date: days_since_epoch(*date),
            hours: (0, LAST_HOUR),
        }
    }
}

/// Bounds of `ts`, `date` and `hour`; of other columns nothing is known before files are opened.
struct TimeSpans(Vec<TimeSpan>);

impl TimeSpans {
    fn bounds(&self, column: &Column, end: impl Fn((i64, i64)) -> i64) -> Option<ArrayRef> {
        let hour = |span: &TimeSpan| {
            let (first, last) = span.hours;
            i32::try_from(end((first.into(), last.into()))).unwrap_or_default()
        };
        Some(match column.name() {
            TS => {
                let micros = self.0.iter().map(|span| end(span.micros));
                Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
            }
            DATE => Arc::new(Date32Array::from_iter_values(self.0.iter().map(|span| span.date))),
            HOUR => Arc::new(Int32Array::from_iter_values(self.0.iter().map(hour))),
            _ => return None,
        })
    }
}

impl PruningStatistics for TimeSpans {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |(first, _)| first)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |(_, last)| last)
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
