//! A cluster by Ballista: one scheduler, executors, and hunts that submit their plans.
//!
//! In: plans that the engine has made for one archive. Out: their rows. Scheduler and executors are
//! this program, so that all of them know its functions. A plan names files as the archive does, so
//! the archive lies where every executor finds it by the same name: an object store, or a file
//! system that they share. Nothing here asks who somebody is; a cluster belongs into a network of
//! its own.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::RuntimeProducer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{
    FunctionRegistry as _, SendableRecordBatchStream, SessionState, SessionStateBuilder,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;
use object_store::ObjectStore;
use url::Url;

use crate::archive::Archive;
use crate::ask::say;
use crate::cli::ExecutorArgs;
use crate::error::HuntError;
use crate::functions;

/// Parts that a plan is cut into. Executors take parts as they have threads to spare; with fewer
/// parts than threads some would idle, with many more each part is hardly worth its way.
const PARTS: usize = 16;

/// The port of a scheduler that is named without one; Ballista's own.
const PORT: u16 = 50_050;

/// Seconds that an executor waits for its scheduler, which may be started after it.
const PATIENCE_SECONDS: u16 = 30;

/// A cluster, by its scheduler.
#[derive(Clone, Debug)]
pub struct Cluster {
    scheduler: String,
}

impl Cluster {
    /// The cluster of the scheduler at `df://HOST:PORT`.
    ///
    /// # Errors
    /// The text is of another form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "df");
        let host = url.as_ref().and_then(Url::host_str).filter(|host| !host.is_empty());
        let (Some(url), Some(host)) = (&url, host) else {
            return Err("write it as df://HOST:PORT, the address of a scheduler".to_owned());
        };
        Ok(Self { scheduler: format!("http://{host}:{}", url.port().unwrap_or(PORT)) })
    }

    /// How plans for a cluster are made: without what only threads of one process can share.
    pub(crate) fn configure(&self, config: SessionConfig) -> SessionConfig {
        config.upgrade_for_ballista().with_target_partitions(PARTS)
    }

    /// Has a plan executed.
    pub(crate) async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: SessionConfig,
    ) -> Result<SendableRecordBatchStream> {
        let codec = config.ballista_physical_extension_codec();
        let session = format!("serval-hunt-{}", std::process::id());
        let settings = config.ballista_config();
        let scheduler = self.scheduler.clone();
        execute_physical_plan::<PhysicalPlanNode>(
            scheduler,
            &settings,
            plan,
            codec.as_ref(),
            session,
            config,
        )
        .await
    }
}

/// Runs a scheduler until the process ends.
///
/// # Errors
/// It cannot listen.
pub async fn schedule(listen: SocketAddr) -> Result<(), HuntError> {
    let config = SchedulerConfig {
        bind_host: listen.ip().to_string(),
        bind_port: listen.port(),
        external_host: listen.ip().to_string(),
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        // A hunter reaches the scheduler; the executors may lie behind it.
        enable_embedded_flight_proxy: true,
        ..SchedulerConfig::default()
    };
    let cluster =
        BallistaCluster::new_memory(listen.to_string(), Arc::new(state), Arc::new(session));
    say(&format!("scheduler at df://{listen}"));
    let server = start_server(cluster, listen, Arc::new(config));
    tokio::select! {
        ended = server => ended.map_err(failed),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Runs an executor until the process is told to end.
///
/// # Errors
/// The scheduler is not there, or the executor cannot listen.
pub async fn execute(args: &ExecutorArgs, memory_bytes: usize) -> Result<(), HuntError> {
    let folder = match &args.work {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(HuntError::io("there is no folder for intermediate results"))?;
    let work = folder.path().to_string_lossy().into_owned();
    let threads = args.threads.unwrap_or_else(|| crate::engine::Bounds::default().threads);
    let config = ExecutorProcessConfig {
        bind_host: args.listen.ip().to_string(),
        external_host: Some(args.advertise.clone().unwrap_or_else(|| args.listen.ip().to_string())),
        port: args.listen.port(),
        scheduler_host: args.scheduler.ip().to_string(),
        scheduler_port: args.scheduler.port(),
        scheduler_connect_timeout_seconds: PATIENCE_SECONDS,
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        vcores: threads,
        memory_pool_size: u64::try_from(memory_bytes).ok(),
        work_dir: Some(work.clone()),
        override_config_producer: Some(Arc::new(session)),
        override_function_registry: Some(Arc::new(registry())),
        override_runtime_producer: Some(runtimes(work)),
        ..ExecutorProcessConfig::default()
    };
    say(&format!("executor at {} with {threads} threads", args.listen));
    start_executor_process(Arc::new(config)).await.map_err(failed)
}

fn failed(error: BallistaError) -> HuntError {
    HuntError::Engine(DataFusionError::External(Box::new(error)))
}

fn session() -> SessionConfig {
    SessionConfig::new_with_ballista()
}

/// What the scheduler reads plans with.
fn state(config: SessionConfig) -> Result<SessionState> {
    let mut state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    for function in functions::scalar() {
        state.register_udf(Arc::new(function))?;
    }
    for function in functions::aggregates() {
        state.register_udaf(Arc::new(function))?;
    }
    Ok(state)
}

/// What executors read plans with.
fn registry() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    for function in functions::scalar() {
        registry.scalar_functions.insert(function.name().to_owned(), Arc::new(function));
    }
    for function in functions::aggregates() {
        registry.aggregate_functions.insert(function.name().to_owned(), Arc::new(function));
    }
    registry
}

fn runtimes(work: String) -> RuntimeProducer {
    Arc::new(move |_| {
        RuntimeEnvBuilder::new()
            .with_temp_file_path(work.clone())
            .with_object_store_registry(Arc::new(Stores::default()))
            .build_arc()
    })
}

/// Object stores, opened when a plan first names them, with the environment's credentials.
#[derive(Debug, Default)]
struct Stores(DefaultObjectStoreRegistry);

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.0.get_store(url) {
            return Ok(store);
        }
        let external = |error| DataFusionError::External(Box::new(error));
        let store = Arc::clone(Archive::open(url.as_str()).map_err(external)?.store());
        self.0.register_store(url, Arc::clone(&store));
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_a_scheduler_s_address() {
        for (text, expected) in [
            ("df://10.0.0.1:50050", Some("http://10.0.0.1:50050")),
            ("df://hunt.example", Some("http://hunt.example:50050")),
            ("df://[::1]:7", Some("http://[::1]:7")),
            ("http://10.0.0.1", None),
            ("10.0.0.1:50050", None),
            ("df://", None),
        ] {
            let scheduler = Cluster::parse(text).ok().map(|cluster| cluster.scheduler);
            assert_eq!(scheduler.as_deref(), expected, "{text}");
        }
    }
}
