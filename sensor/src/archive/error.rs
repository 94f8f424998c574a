//! What can go wrong with the archive, in words for the person who runs the sensor.
//!
//! In: what the system or the encoder answered. Out: a sentence that says which path, why, and what
//! to do about it.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// Why the archive could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
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
    /// The rows could not be encoded as Parquet.
    #[error("cannot encode {}: {cause}; please report this", path.display())]
    Encode {
        /// The file that was being written.
        path: PathBuf,
        /// What the encoder answered.
        cause: ParquetError,
    },
    /// There is nothing that says what the archive should hold.
    #[error(
        "{} has no manifest, so that nothing says what it should hold; `serval archive adopt` \
         enters its files as they are now",
        path.display()
    )]
    NoManifest {
        /// The archive.
        path: PathBuf,
    },
    /// Another process merges files.
    #[error("another process merges files in {}; wait until it is done", path.display())]
    Busy {
        /// The archive.
        path: PathBuf,
    },
    /// Rows come faster than the disk takes files.
    #[error(
        "the disk of {} takes files more slowly than rows come, or does not answer; look for what \
         else uses it, or use a faster one",
        path.display()
    )]
    Behind {
        /// The archive.
        path: PathBuf,
    },
    /// The thread that writes files is gone.
    #[error("the thread that writes the archive has ended; please report this")]
    WriterEnded,
    /// A record put values that its table does not declare.
    #[error(
        "a record of table {table} differs from its declaration at {column}; please report this"
    )]
    Undeclared {
        /// The table.
        table: &'static str,
        /// The column, or what stands in its place.
        column: &'static str,
    },
}

/// What the reader of the message can do.
fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied => {
            "give the sensor's user the right to write there, or choose another archive directory"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "mount it for writing, or choose another archive directory"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space: `serval archive prune` removes the oldest hours"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in the way: move it, or choose another archive directory"
        }
        _ => "check the disk, or choose another archive directory",
    }
}

impl ArchiveError {
    /// Whether there was no room.
    pub(super) fn is_full_disk(&self) -> bool {
        let Self::Io { cause, .. } = self else { return false };
        matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// For `map_err`: the action and the path that an I/O error belongs to.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_owned(), cause }
    }

    /// For `map_err`: the path that an encoder's error belongs to. A full disk reaches us through
    /// the encoder too, and must read like a full disk.
    pub(super) fn encode(path: &Path) -> impl FnOnce(ParquetError) -> Self {
        move |cause| match cause {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(cause) => Self::Io { action: "write", path: path.to_owned(), cause: *cause },
                Err(inner) => {
                    Self::Encode { path: path.to_owned(), cause: ParquetError::External(inner) }
                }
            },
            cause => Self::Encode { path: path.to_owned(), cause },
        }
    }
}
