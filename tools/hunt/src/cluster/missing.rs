//! What stands for a cluster in a build without: nothing that can be.

use std::convert::Infallible;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

/// A cluster, of which there is none.
#[derive(Clone, Debug)]
pub struct Cluster(Infallible);

impl Cluster {
    /// Refuses.
    ///
    /// # Errors
    /// Always; the text says which build can.
    pub fn parse(_: &str) -> Result<Self, String> {
        Err("this build hunts on one machine; build hunt with `--features cluster`".to_owned())
    }

    pub(crate) const fn configure(&self, _: SessionConfig) -> SessionConfig {
        match self.0 {}
    }

    #[allow(clippy::unused_async)] // the same form as where there is one
    pub(crate) async fn run(
        &self,
        _: Arc<dyn ExecutionPlan>,
        _: SessionConfig,
    ) -> Result<SendableRecordBatchStream> {
        match self.0 {}
    }
}
