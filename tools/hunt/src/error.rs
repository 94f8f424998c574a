//! Why a hunt could not be done, in words that say what to do next.

use datafusion::error::DataFusionError;

use crate::window::WindowError;

/// Why a hunt could not be done.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The archive cannot be used.
    #[error("archive {name}: {reason}")]
    Archive {
        /// What the user called it.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A mistake in SQL, told with its place.
    #[error("{0}")]
    Sql(String),
    /// What was asked makes no sense; the text says what would.
    #[error("{0}")]
    Usage(String),
    /// The window of time makes no sense.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// Something could not be written or read.
    #[error("{what}: {error}")]
    Io {
        /// What.
        what: String,
        /// Why.
        error: std::io::Error,
    },
    /// The object store refused.
    #[error("the archive cannot be read: {0}")]
    Store(#[from] object_store::Error),
    /// The query engine gave up.
    #[error("{}", crate::mistake::plain(.0))]
    Engine(#[from] DataFusionError),
    /// The user stopped it.
    #[error("stopped; what was written so far is not the whole answer")]
    Interrupted,
    /// Whoever read the output has seen enough.
    #[error("the reader of the output has gone")]
    ReaderGone,
}

impl HuntError {
    /// Wraps an error of reading or writing.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Io { what, error },
        }
    }
}

impl From<arrow_schema::ArrowError> for HuntError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Engine(error.into())
    }
}
