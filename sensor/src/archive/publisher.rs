//! From sealed partitions to files under their final names.
//!
//! In: partitions that do not grow any more. Out: files that are whole, durable and in the
//! [manifest](super::manifest); the partitions that could not be written come back. This is the
//! part of an archive that waits for the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::error::ArchiveError;
use super::file::{self, InProgress, SensorName};
use super::manifest::{self, Event, FileEntry, Manifest};
use super::partition::Sealed;
use super::write::{self, Encoded};

/// Writes an archive's files.
#[derive(Debug)]
pub(super) struct Publisher {
    directory: PathBuf,
    sensor: SensorName,
    /// Threads that encode when several files are due.
    writers: usize,
    manifest: Manifest,
    /// Directories with new names in them.
    unsynced: BTreeSet<PathBuf>,
    /// Files that were entered in the manifest and could not be given their names.
    withdrawn: Vec<String>,
}

/// What came of partitions that were to be written.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Those that are files now.
    pub(super) written: Vec<Written>,
    /// Those that could not be written.
    pub(super) kept: Vec<Sealed>,
    /// The first error.
    pub(super) error: Option<ArchiveError>,
}

/// A partition that is a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Its table's name.
    pub(super) table: &'static str,
    /// Its rows.
    pub(super) rows: u64,
    /// Memory that they held.
    pub(super) held_bytes: usize,
    /// Bytes of the file.
    pub(super) file_bytes: u64,
}

impl Outcome {
    /// Puts partitions by that could not be written.
    fn keep(&mut self, kept: impl IntoIterator<Item = Sealed>, error: ArchiveError) {
        self.kept.extend(kept);
        self.error.get_or_insert(error);
    }
}

impl Publisher {
    /// For the archive in `directory`, whose manifest is this one.
    pub(super) fn new(
        directory: PathBuf,
        sensor: SensorName,
        writers: usize,
        manifest: Manifest,
    ) -> Self {
        let (unsynced, withdrawn) = Default::default();
        Self { directory, sensor, writers, manifest, unsynced, withdrawn }
    }

    /// Writes each partition as a file.
    pub(super) fn publish(&mut self, sealed: Vec<Sealed>) -> Outcome {
        let mut outcome = Outcome { written: Vec::new(), kept: Vec::new(), error: None };
        let mut jobs = Vec::new();
        for sealed in sealed {
            match self.place_for(&sealed) {
                Ok(target) => jobs.push((sealed, target)),
                Err(error) => outcome.keep([sealed], error),
            }
        }
        let mut encoded = Vec::new();
        for (sealed, file) in write::encode(jobs, &self.sensor, self.writers) {
            match file {
                Ok(file) => encoded.push((sealed, file)),
                Err(error) => outcome.keep([sealed], error),
            }
        }
        self.name(encoded, &mut outcome);
        if let Err(error) = self.sync_directories() {
            outcome.keep([], error);
        }
        outcome
    }

    /// Enters files in the manifest and gives them their names; the rows of those that it cannot
    /// are kept.
    fn name(&mut self, encoded: Vec<(Sealed, Encoded)>, outcome: &mut Outcome) {
        if let Err(error) = self.enter(&encoded) {
            return outcome.keep(encoded.into_iter().map(|(sealed, _)| sealed), error);
        }
        for (sealed, file) in encoded {
            let name = self.name_of(file.target.published());
            match file.target.publish() {
                Ok(()) => {
                    self.unsynced.insert(sealed.key.directory(&self.directory));
                    outcome.written.push(Written {
                        table: sealed.table.name,
                        rows: sealed.order.len() as u64,
                        held_bytes: sealed.bytes,
                        file_bytes: file.bytes,
                    });
                }
                Err(error) => {
                    self.withdrawn.push(name);
                    outcome.keep([sealed], error);
                }
            }
        }
        if let Err(error) = self.enter(&[]) {
            outcome.keep([], error);
        }
    }

    /// Enters files, which are durable afterwards under their hidden names, and takes back those
    /// that were entered and could not be put in their places.
    fn enter(&mut self, encoded: &[(Sealed, Encoded)]) -> Result<(), ArchiveError> {
        let nurseries = encoded.iter().filter_map(|(_, file)| file.target.path().parent());
        let nurseries: BTreeSet<&Path> = nurseries.collect();
        nurseries.into_iter().try_for_each(file::sync_directory)?;
        let withdrawn = Event::Withdrawn { files: self.withdrawn.clone() };
        let written = encoded.iter().map(|(sealed, file)| {
            Event::Written(FileEntry {
                file: self.name_of(file.target.published()),
                bytes: file.bytes,
                rows: Some(sealed.order.len() as u64),
                sha256: HEXLOWER.encode(&file.hash),
            })
        });
        let withdrawn = (!self.withdrawn.is_empty()).then_some(withdrawn);
        let events = withdrawn.into_iter().chain(written).collect();
        self.manifest.append(events)?;
        self.withdrawn.clear();
        Ok(())
    }

    /// A file's name in the manifest.
    fn name_of(&self, path: &Path) -> String {
        manifest::name_of(&self.directory, path)
    }

    /// An empty file for a partition's rows, in directories that are there.
    fn place_for(&mut self, sealed: &Sealed) -> Result<InProgress, ArchiveError> {
        let directory = sealed.key.directory(&self.directory);
        if !directory.is_dir() {
            std::fs::create_dir_all(&directory)
                .map_err(ArchiveError::io("make the directory", &directory))?;
            let parents = directory.ancestors().skip(1);
            let parents = parents.take_while(|parent| parent.starts_with(&self.directory));
            self.unsynced.extend(parents.map(Path::to_owned));
        }
        let table_directory = sealed.key.table_directory(&self.directory);
        InProgress::create(&table_directory, &directory, &self.sensor, sealed.first)
    }

    /// Makes new names durable; those that cannot be now are tried again with the next files.
    fn sync_directories(&mut self) -> Result<(), ArchiveError> {
        while let Some(directory) = self.unsynced.first() {
            file::sync_directory(directory)?;
            self.unsynced.pop_first();
        }
        Ok(())
    }
}
