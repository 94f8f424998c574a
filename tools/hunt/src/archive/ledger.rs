//! What a hunt had to read of the archive, and what it was spared.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts files while scans are planned. One for each archive in use; a query starts it anew.
#[derive(Debug, Default)]
pub struct Ledger {
    files: AtomicU64,
    bytes: AtomicU64,
    files_chosen: AtomicU64,
    bytes_chosen: AtomicU64,
    bytes_asked: AtomicU64,
    groups_ruled_out: AtomicU64,
}

/// What the archive held for the tables of a query, and how much of it has to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Files of the tables that were asked, as far as their folders were listed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that neither time nor bloom filters ruled out.
    pub files_chosen: u64,
    /// Their bytes.
    pub bytes_chosen: u64,
    /// Bytes that were read to ask bloom filters.
    pub bytes_asked: u64,
    /// Row groups that they ruled out, of files that are opened or not.
    pub groups_ruled_out: u64,
}

impl Ledger {
    /// Forgets what was counted.
    pub fn clear(&self) {
        let Self { files, bytes, files_chosen, bytes_chosen, bytes_asked, groups_ruled_out } = self;
        for count in [files, bytes, files_chosen, bytes_chosen, bytes_asked, groups_ruled_out] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// Counts files that were listed.
    pub(super) fn listed(&self, files: usize, bytes: u64) {
        self.files.fetch_add(files as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts files that will be opened.
    pub(super) fn chosen(&self, files: usize, bytes: u64) {
        self.files_chosen.fetch_add(files as u64, Ordering::Relaxed);
        self.bytes_chosen.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts what asking bloom filters took, and row groups that they ruled out.
    pub(super) fn asked(&self, bytes: u64, groups_ruled_out: u64) {
        self.bytes_asked.fetch_add(bytes, Ordering::Relaxed);
        self.groups_ruled_out.fetch_add(groups_ruled_out, Ordering::Relaxed);
    }

    /// The counts.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Reading {
            files: load(&self.files),
            bytes: load(&self.bytes),
            files_chosen: load(&self.files_chosen),
            bytes_chosen: load(&self.bytes_chosen),
            bytes_asked: load(&self.bytes_asked),
            groups_ruled_out: load(&self.groups_ruled_out),
        }
    }
}
