//! How far reading has come. In: the reader adds the bytes that it takes from its files. Out: a
//! handle that another thread can read at any time, for a progress bar.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes read of all files, compressed bytes where a file is compressed. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// For files that have `total` bytes together, if that is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self { read: Arc::default(), total }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes that there are; unknown when a stream is among the inputs.
    #[must_use]
    pub const fn bytes_total(&self) -> Option<u64> {
        self.total
    }

    /// Moves on to `bytes`, where a file that was left early would have ended.
    pub(super) fn reach(&self, bytes: u64) {
        self.read.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// A reader that counts.
pub(super) struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R> Counted<R> {
    pub(super) const fn new(inner: R, progress: Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
