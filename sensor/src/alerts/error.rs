//! What can keep alerts from being delivered, in words for the person who runs the sensor.
//!
//! In: what the system answered. Out: a sentence that says what, why, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The system refused.
    #[error("cannot {action} {}: {cause}; {}", path.display(), remedy(cause.kind()))]
    Io {
        /// What was tried, as a verb with its object's beginning.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system answered.
        cause: io::Error,
    },
    /// Another process delivers from the same outbox.
    #[error(
        "another Serval uses the outbox that {} locks: stop it, or give this one another state \
         directory",
        path.display()
    )]
    InUse {
        /// The lock.
        path: PathBuf,
    },
    /// The system gives no thread.
    #[error("cannot start a thread for alerts: {0}; allow the sensor's user more processes")]
    Thread(io::Error),
    /// A sink cannot work as it is configured.
    #[error("the alert sink {sink} cannot be used: {problem}")]
    Sink {
        /// Which.
        sink: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl DeliveryError {
    /// For `map_err`: the action and the path that an I/O error belongs to.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }
}

/// What the reader of the message can do.
fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied => {
            "give the sensor's user the right to write there, or choose another place"
        }
        io::ErrorKind::ReadOnlyFilesystem => "mount it for writing, or choose another place",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in the way: move it, or choose another place"
        }
        io::ErrorKind::NotFound => "make the folder that it is in, or choose another place",
        _ => "check the disk, or choose another place",
    }
}
