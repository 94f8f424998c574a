//! What becomes of rows while files cannot be written: the disk is full, read-only or broken.
//!
//! In: the error, rows that had to be let go. Out: when to try again, and how many rows of which
//! time are missing.

use std::time::Duration;

use analyzers::Timestamp;

use super::error::ArchiveError;
use crate::clock::Stopwatch;

/// Rows that are missing in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many.
    pub rows: u64,
    /// The `ts` of the earliest and the latest of them.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Why the first file could not be written.
    pub cause: String,
}

impl Gap {
    /// This one and a later one.
    pub(super) fn with(self, later: Self) -> Self {
        let spans = self.span.into_iter().chain(later.span);
        let span = spans.reduce(|(from, to), (other, until)| (from.min(other), to.max(until)));
        Self { rows: self.rows + later.rows, span, cause: self.cause }
    }
}

/// A time in which files cannot be written.
#[derive(Debug)]
pub(super) struct Trouble {
    tried: Stopwatch,
    gap: Gap,
}

impl Trouble {
    /// It begins with this error.
    pub(super) fn begin(error: &ArchiveError) -> Self {
        tracing::error!("{error}; capture goes on, rows wait in memory");
        let gap = Gap { rows: 0, span: None, cause: error.to_string() };
        Self { tried: Stopwatch::start(), gap }
    }

    /// Whether it is time to try a file again.
    pub(super) fn may_try(&self, retry: Duration) -> bool {
        self.tried.elapsed() >= retry
    }

    /// A file was tried and could not be written.
    pub(super) fn tried(&mut self, error: &ArchiveError) {
        tracing::debug!("{error}");
        self.tried = Stopwatch::start();
    }

    /// Counts rows that are let go.
    pub(super) fn lose(&mut self, rows: u64, first: Timestamp, last: Timestamp) {
        if self.gap.rows == 0 {
            tracing::error!("no memory for more rows; the oldest are let go");
        }
        self.gap.rows += rows;
        let (from, to) = self.gap.span.unwrap_or((first, last));
        self.gap.span = Some((from.min(first), to.max(last)));
    }

    /// It is over.
    pub(super) fn end(self) -> Gap {
        tracing::warn!(rows_lost = self.gap.rows, "the archive is written again");
        self.gap
    }
}
