//! Pieces of a file of the archive.
//!
//! In: a file's place, ranges of bytes. Out: those bytes. A file of this machine is read by whoever
//! asks: the system has its pages at hand more often than not, and to hand a read of some bytes to
//! another thread takes longer than to read them. A store is sent requests.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path as StorePath;

use super::Archive;

/// A file that is open.
pub(super) enum Pieces<'a> {
    /// Of this machine.
    Here(File, &'a StorePath),
    /// Of a store.
    Store(&'a dyn ObjectStore, &'a StorePath),
}

impl<'a> Pieces<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// It is of this machine, and cannot be opened.
    pub(super) fn open(archive: &'a Archive, place: &'a StorePath) -> object_store::Result<Self> {
        let Some(here) = &archive.here else {
            return Ok(Self::Store(archive.store.as_ref(), place));
        };
        let file = File::open(here.path_to_filesystem(place)?);
        Ok(Self::Here(file.map_err(|error| failed(place, error))?, place))
    }

    /// The bytes of each range.
    ///
    /// # Errors
    /// They cannot be read, or the file is shorter.
    pub(super) async fn read(&self, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        match self {
            Self::Here(file, place) => ranges
                .iter()
                .map(|range| read(file, range).map_err(|error| failed(place, error)))
                .collect(),
            // One request, or as many as the store thinks best.
            Self::Store(store, place) => store.get_ranges(place, ranges).await,
        }
    }
}

fn read(file: &File, range: &Range<u64>) -> std::io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(std::io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

fn failed(place: &StorePath, error: std::io::Error) -> object_store::Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        return object_store::Error::NotFound { path: place.to_string(), source: error.into() };
    }
    object_store::Error::Generic { store: "directory", source: format!("{place}: {error}").into() }
}
