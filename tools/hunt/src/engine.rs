//! The query engine over an archive.
//!
//! In: an archive, a window of time, bounds. Out: answers, batch by batch. Every table of the
//! contract exists, with or without files; Zeek's names are views over them. Queries read; nothing
//! that SQL can say writes a file or changes a table.

use std::path::PathBuf;
use std::sync::Arc;

use analyzers::tables;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;

use crate::archive::{self, Archive, ArchiveTable, Ledger};
use crate::cluster::Cluster;
use crate::error::HuntError;
use crate::mistake::{self, Names};
use crate::window::Window;
use crate::{functions, views};

/// What a query may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of memory for sorting, joining and grouping; what needs more goes to disk.
    pub memory_bytes: usize,
    /// Threads that scan and compute.
    pub threads: usize,
    /// Where the rest goes; the system's folder for temporary files by default.
    pub spill: Option<PathBuf>,
    /// The cluster that computes; none is this process, for which the bounds above are.
    pub cluster: Option<Cluster>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A laptop has this to spare beside a browser.
            memory_bytes: 2 << 30,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            spill: None,
            cluster: None,
        }
    }
}

/// The engine with the tables of one archive.
pub struct Engine {
    context: SessionContext,
    cluster: Option<Cluster>,
    ledger: Arc<Ledger>,
    names: Names,
}

/// A query that runs.
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, as they come.
    pub stream: SendableRecordBatchStream,
    /// How it runs: its metrics tell what was read.
    pub plan: Arc<dyn ExecutionPlan>,
}

impl Engine {
    /// Opens an archive for queries over a window of time.
    ///
    /// # Errors
    /// The archive cannot be listed.
    pub async fn open(
        archive: &Archive,
        window: Window,
        bounds: &Bounds,
    ) -> Result<Self, HuntError> {
        let context = SessionContext::new_with_state(state(bounds)?);
        let url: &url::Url = archive.url().as_ref();
        context.register_object_store(url, Arc::clone(archive.store()));
        for function in functions::scalar() {
            context.register_udf(function);
        }
        for function in functions::aggregates() {
            context.register_udaf(function);
        }
        let mut engine = Self {
            context,
            cluster: bounds.cluster.clone(),
            ledger: Arc::new(Ledger::default()),
            names: Names::default(),
        };
        engine.register_tables(archive, window).await?;
        engine.register_views().await?;
        engine.names.functions = engine.function_names();
        Ok(engine)
    }

    async fn register_tables(
        &mut self,
        archive: &Archive,
        window: Window,
    ) -> Result<(), HuntError> {
        let mut tables: Vec<(String, SchemaRef)> = tables::all()
            .into_iter()
            .map(|table| (table.name.to_owned(), archive::schema(table)))
            .collect();
        for name in archive.tables().await? {
            if tables.iter().any(|(known, _)| *known == name) {
                continue;
            }
            if let Some(schema) = archive.columns_of_newest_file(&name).await? {
                tables.push((name, schema));
            }
        }
        for (name, schema) in tables {
            let ledger = Arc::clone(&self.ledger);
            let table = Arc::new(ArchiveTable::new(archive.clone(), &name, schema, ledger));
            match window.condition() {
                Some(condition) => {
                    let rows = self.context.read_table(table)?.filter(condition)?;
                    self.context.register_table(name.as_str(), rows.into_view())?;
                }
                None => {
                    self.context.register_table(name.as_str(), table)?;
                }
            }
            self.names.tables.push(name);
        }
        Ok(())
    }

    async fn register_views(&mut self) -> Result<(), HuntError> {
        for view in views::ALL {
            if self.names.tables.iter().any(|name| name == view.name) {
                continue;
            }
            let rows = self.context.sql(view.sql).await?;
            self.context.register_table(view.name, rows.into_view())?;
            self.names.tables.push(view.name.to_owned());
        }
        Ok(())
    }

    /// Names of tables and functions, for suggestions and completion.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    fn function_names(&self) -> Vec<String> {
        let state = self.context.state();
        let scalar = state.scalar_functions().keys();
        let aggregate = state.aggregate_functions().keys();
        let window = state.window_functions().keys();
        let mut names: Vec<String> = scalar.chain(aggregate).chain(window).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// Columns of a table or view.
    ///
    /// # Errors
    /// There is no such table.
    pub async fn columns(&self, table: &str) -> Result<SchemaRef, HuntError> {
        Ok(self.context.table_provider(table).await?.schema())
    }

    /// Adds a function.
    pub fn register(&self, function: ScalarUDF) {
        self.context.register_udf(function);
    }

    /// What scans were planned since the last query began.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Starts a query.
    ///
    /// # Errors
    /// The query is not SQL, names what does not exist, or asks for what is not given; the text
    /// shows the place.
    pub async fn query(&self, sql: &str) -> Result<Answer, HuntError> {
        let statement = self.parse(sql)?;
        self.run(sql, statement).await
    }

    /// Reads a query; exactly one statement.
    ///
    /// # Errors
    /// It is not SQL; the text shows the place.
    pub fn parse(&self, sql: &str) -> Result<Statement, HuntError> {
        let state = self.context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let sql = sql.trim_end().trim_end_matches(';');
        if sql.trim().is_empty() {
            let text = "there is no query; write serval hunt \"SELECT … FROM flow\"";
            return Err(HuntError::Usage(text.to_owned()));
        }
        state
            .sql_to_statement(sql, &dialect)
            .map_err(|error| HuntError::Sql(mistake::tell(sql, &error, &self.names)))
    }

    /// Starts a query that has been read.
    ///
    /// # Errors
    /// The query names what does not exist or asks for what is not given.
    pub async fn run(&self, sql: &str, statement: Statement) -> Result<Answer, HuntError> {
        let told = |error| HuntError::Sql(mistake::tell(sql, &error, &self.names));
        let state = self.context.state();
        let plan = state.statement_to_plan(statement).await.map_err(told)?;
        self.execute(plan).await.map_err(told)
    }

    async fn execute(&self, plan: LogicalPlan) -> datafusion::error::Result<Answer> {
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        self.ledger.clear();
        let frame = DataFrame::new(self.context.state(), plan);
        let context = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let stream = match &self.cluster {
            Some(cluster) => cluster.run(Arc::clone(&plan), self.context.copied_config()).await?,
            None => execute_stream(Arc::clone(&plan), context)?,
        };
        Ok(Answer { schema: stream.schema(), stream, plan })
    }
}

fn state(bounds: &Bounds) -> Result<SessionState, HuntError> {
    let mut config = SessionConfig::new()
        .with_target_partitions(bounds.threads)
        .with_information_schema(true)
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.time_zone = Some("+00:00".to_owned());
    if let Some(cluster) = &bounds.cluster {
        config = cluster.configure(config);
    }
    let spill = match &bounds.spill {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(bounds.memory_bytes)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(spill))
        .build_arc()?;
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build())
}
