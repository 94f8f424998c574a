//! The archive: records as Parquet files that every query engine reads.
//!
//! In: stamped rows in the order that the watch stage gives them, and the clock of packet time.
//! Out: `ARCHIVE/<table>/date=YYYY-MM-DD/hour=HH/<sensor>-<first ts>-<number>.parquet`, partitioned
//! by the row's `ts` in UTC. A row waits in memory with the others of its table and hour; they are
//! written together, sorted by (ts, uid, arrival), when they are many or old enough.
//!
//! - **Invariant:** a file under its final name is whole and durable, is never written again, and
//!   has its hash in the [manifest].
//! - **Invariant:** reaching a bound writes a file early; it never loses a row.
//! - **Invariant:** of an archive that [endures](OnFailure::Endure), rows are lost only while files
//!   cannot be written and memory is full; each is counted in a [`Gap`].
//! - **Invariant:** nothing here knows a protocol; columns come from the record's declaration.

mod adopt;
pub mod ask;
mod columns;
mod compact;
mod error;
mod file;
mod gap;
mod layout;
mod manifest;
mod merge;
mod partition;
mod recover;
mod retention;
mod survey;
#[cfg(test)]
mod tests;
mod tree;
mod verify;
mod write;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzers::Timestamp;
use data_encoding::HEXLOWER;

pub use adopt::adopt;
pub use compact::{Compacted, compact};
pub use error::ArchiveError;
pub use gap::Gap;
pub use recover::Recovered;
pub use retention::{Limits, PrunedHour, Pruning, prune};
pub use verify::{Fault, Verdict, verify};

use crate::rows::{OnFailure, StampedRow};
use file::{InProgress, SensorName};
use gap::Trouble;
use manifest::{Event, FileEntry, Manifest};
use partition::{Partition, PartitionKey, Sealed};
use write::Encoded;

/// How the archive is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The sensor's name, for names of files.
    pub sensor: String,
    /// Bytes of memory that rows may hold while they wait; above it, the partition that holds most
    /// is written.
    pub buffer_bytes: usize,
    /// Partitions that may wait at a time; above it, the least recently used one is written.
    /// Without this bound a capture whose clock jumps opens a partition for each hour that it
    /// names.
    pub partitions: usize,
    /// Rows that a partition may hold; then they are written.
    pub partition_rows: usize,
    /// Threads that write files when several are due.
    pub writers: usize,
    /// Packet time that a row may wait. Longer makes fewer, larger files, which queries like; a
    /// replay, whose reader waits for its end, can afford hours.
    pub wait: Duration,
    /// What is done when a file cannot be written.
    pub on_failure: OnFailure,
    /// Real time after which an archive that endures tries a file again.
    pub retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sensor: "sensor".to_owned(),
            buffer_bytes: 128 * 1024 * 1024,
            partitions: 64,
            partition_rows: 4 * layout::ROW_GROUP_ROWS,
            writers: 1,
            wait: Duration::from_secs(300),
            on_failure: OnFailure::Answer,
            retry: Duration::from_secs(1),
        }
    }
}

/// What was written to one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSummary {
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
}

/// What was written, by the table's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tables that have rows.
    pub tables: BTreeMap<&'static str, TableSummary>,
}

/// An open archive. Dropped without [`finish`](Self::finish), it loses the rows that wait.
#[derive(Debug)]
pub struct Archive {
    directory: PathBuf,
    options: Options,
    sensor: SensorName,
    partitions: BTreeMap<PartitionKey, Partition>,
    /// Partitions that do not grow any more and are to be written; empty between calls unless a
    /// file could not be written.
    sealed: Vec<Sealed>,
    /// Memory that the rows of both hold.
    buffered_bytes: usize,
    clock: Option<Timestamp>,
    uses: u64,
    /// Directories with new names in them.
    unsynced: BTreeSet<PathBuf>,
    manifest: Manifest,
    /// Files that were entered in the manifest and could not be given their names.
    withdrawn: Vec<String>,
    recovered: Recovered,
    summary: Summary,
    /// Since files cannot be written.
    trouble: Option<Trouble>,
    /// A trouble that is over and has cost rows.
    gap: Option<Gap>,
}

impl Archive {
    /// Opens the archive in `directory`, which is made where there is none, and removes what a
    /// crash left there.
    ///
    /// # Errors
    /// The directory cannot be made, read or written.
    pub fn open(directory: &Path, options: Options) -> Result<Self, ArchiveError> {
        let sensor = SensorName::new(&options.sensor);
        std::fs::create_dir_all(directory)
            .map_err(ArchiveError::io("make the archive directory", directory))?;
        let manifest = Manifest::of(directory, &sensor);
        let recovered = recover::recover(directory, &sensor, &manifest)?;
        // Asks now whether files can be made, instead of when the first rows are due.
        InProgress::create(directory, directory, &sensor, Timestamp::default())?;
        Ok(Self {
            directory: directory.to_owned(),
            options,
            sensor,
            partitions: BTreeMap::new(),
            sealed: Vec::new(),
            buffered_bytes: 0,
            clock: None,
            uses: 0,
            unsynced: BTreeSet::new(),
            manifest,
            withdrawn: Vec::new(),
            recovered,
            summary: Summary::default(),
            trouble: None,
            gap: None,
        })
    }

    /// Takes a row.
    ///
    /// # Errors
    /// A file could not be written: its rows still wait, this one with them, and the next call
    /// tries again. Or the record does not put what its table declares.
    pub fn write(&mut self, row: &StampedRow) -> Result<(), ArchiveError> {
        let clock = *self.clock.get_or_insert(row.header.ts);
        let key = PartitionKey::of(row);
        let partition =
            self.partitions.entry(key).or_insert_with(|| Partition::new(row.record.table(), clock));
        self.uses += 1;
        partition.used = self.uses;
        self.buffered_bytes += partition.push(row)?;
        if partition.rows() >= self.options.partition_rows {
            self.seal(key)?;
        }
        self.keep_bounds()?;
        self.write_due()
    }

    /// Moves the clock to packet time and writes what has waited long enough.
    ///
    /// # Errors
    /// A file could not be written; its rows still wait.
    pub fn advance(&mut self, clock: Timestamp) -> Result<(), ArchiveError> {
        self.clock = Some(clock);
        let mut due = Vec::new();
        for (key, partition) in &mut self.partitions {
            // A clock that went back must not make rows wait for the time that it had claimed.
            partition.since = partition.since.min(clock);
            if clock.since(partition.since) >= self.options.wait {
                due.push(*key);
            }
        }
        for key in due {
            self.seal(key)?;
        }
        self.write_due()
    }

    /// What a crash had left when the archive was opened.
    #[must_use]
    pub const fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// The rows that were lost while files could not be written, once they can be again.
    pub fn take_gap(&mut self) -> Option<Gap> {
        self.gap.take()
    }

    /// Whether files cannot be written at present.
    #[must_use]
    pub const fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Writes all rows that wait and says what was written since the archive was opened.
    ///
    /// # Errors
    /// A file could not be written; the others were.
    pub fn finish(mut self) -> Result<Summary, ArchiveError> {
        while let Some(key) = self.partitions.keys().next().copied() {
            self.seal(key)?;
        }
        self.write_sealed()?;
        Ok(self.summary)
    }

    fn keep_bounds(&mut self) -> Result<(), ArchiveError> {
        while self.partitions.len() > self.options.partitions {
            let Some(key) = self.smallest_by(|partition| partition.used) else { break };
            self.seal(key)?;
        }
        while self.buffered_bytes > self.options.buffer_bytes {
            let Some(key) = self.smallest_by(|partition| Reverse(partition.bytes)) else { break };
            self.seal(key)?;
            self.write_due()?;
        }
        Ok(())
    }

    fn smallest_by<T: Ord>(&self, measure: impl Fn(&Partition) -> T) -> Option<PartitionKey> {
        let smallest = self.partitions.iter().min_by_key(|(_, partition)| measure(partition))?;
        Some(*smallest.0)
    }

    /// Ends a partition's growth; its rows are written next.
    fn seal(&mut self, key: PartitionKey) -> Result<(), ArchiveError> {
        if let Some(partition) = self.partitions.remove(&key) {
            let sealed = partition.seal(key);
            let directory = key.directory(&self.directory);
            let failed = ArchiveError::encode(&directory);
            self.sealed.push(sealed.map_err(|cause| failed(cause.into()))?);
        }
        Ok(())
    }

    /// Writes what is sealed. An archive that endures tries again later when that fails, and lets
    /// the oldest rows go when there is no memory for more.
    fn write_due(&mut self) -> Result<(), ArchiveError> {
        let retry = self.options.retry;
        let may_try = self.trouble.as_ref().is_none_or(|trouble| trouble.may_try(retry));
        if may_try
            && self.trouble.is_some()
            && self.sealed.is_empty()
            && let Some(key) = self.smallest_by(|partition| partition.used)
        {
            // Something to try the disk with.
            self.seal(key)?;
        }
        if self.sealed.is_empty() {
            return self.sync_directories_or_endure();
        }
        if may_try {
            let outcome = match &self.trouble {
                None => self.write_sealed(),
                Some(_) => self.write_sealed_after_trouble(),
            };
            match outcome {
                Ok(()) => self.end_trouble(),
                Err(error) if self.options.on_failure == OnFailure::Endure => {
                    self.trouble.get_or_insert_with(|| Trouble::begin(&error)).tried(&error);
                }
                Err(error) => return Err(error),
            }
        }
        self.let_go();
        Ok(())
    }

    /// A directory that could not be made durable is tried again with the next file.
    fn sync_directories_or_endure(&mut self) -> Result<(), ArchiveError> {
        match self.sync_directories() {
            Err(error) if self.options.on_failure == OnFailure::Answer => Err(error),
            _ => Ok(()),
        }
    }

    /// Tries one file, and the others only when that works: a full disk is met once.
    fn write_sealed_after_trouble(&mut self) -> Result<(), ArchiveError> {
        let oldest = (0..self.sealed.len()).min_by_key(|&at| self.sealed[at].first);
        let oldest = oldest.map(|at| self.sealed.swap_remove(at));
        let others = std::mem::replace(&mut self.sealed, oldest.into_iter().collect());
        let outcome = self.write_sealed();
        self.sealed.extend(others);
        outcome.and_then(|()| self.write_sealed())
    }

    fn end_trouble(&mut self) {
        if let Some(trouble) = self.trouble.take() {
            let gap = trouble.end();
            self.gap = (gap.rows > 0).then_some(gap).or(self.gap.take());
        }
    }

    /// While files cannot be written: drops the oldest rows beyond what memory may hold.
    fn let_go(&mut self) {
        let Some(trouble) = &mut self.trouble else { return };
        while self.buffered_bytes > self.options.buffer_bytes
            && let Some(at) = (0..self.sealed.len()).min_by_key(|&at| self.sealed[at].first)
        {
            let sealed = self.sealed.swap_remove(at);
            self.buffered_bytes -= sealed.bytes;
            trouble.lose(sealed.order.len() as u64, sealed.first, sealed.last);
        }
    }

    /// Writes each of the sealed partitions as a file and forgets its rows; what could not be
    /// written stays. Answers the first error.
    fn write_sealed(&mut self) -> Result<(), ArchiveError> {
        let mut outcome = Ok(());
        let mut jobs = Vec::new();
        for sealed in std::mem::take(&mut self.sealed) {
            match self.place_for(&sealed) {
                Ok(target) => jobs.push((sealed, target)),
                Err(error) => {
                    self.sealed.push(sealed);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        let mut encoded = Vec::new();
        for (sealed, file) in write::encode(jobs, &self.sensor, self.options.writers) {
            match file {
                Ok(file) => encoded.push((sealed, file)),
                Err(error) => {
                    self.sealed.push(sealed);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome.and(self.publish(encoded)).and(self.sync_directories())
    }

    /// Enters files in the manifest and gives them their names; the rows of those that it cannot
    /// stay. Answers the first error.
    fn publish(&mut self, encoded: Vec<(Sealed, Encoded)>) -> Result<(), ArchiveError> {
        if let Err(error) = self.enter(&encoded) {
            self.sealed.extend(encoded.into_iter().map(|(sealed, _)| sealed));
            return Err(error);
        }
        let mut outcome = Ok(());
        for (sealed, file) in encoded {
            let name = self.name_of(file.target.published());
            match file.target.publish() {
                Ok(()) => self.note_written(&sealed, file.bytes),
                Err(error) => {
                    self.withdrawn.push(name);
                    self.sealed.push(sealed);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome.and(self.enter(&[]))
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

    fn note_written(&mut self, sealed: &Sealed, bytes: u64) {
        self.buffered_bytes -= sealed.bytes;
        self.unsynced.insert(sealed.key.directory(&self.directory));
        let table = self.summary.tables.entry(sealed.table.name).or_default();
        table.rows += sealed.order.len() as u64;
        table.files += 1;
        table.bytes += bytes;
    }

    fn sync_directories(&mut self) -> Result<(), ArchiveError> {
        while let Some(directory) = self.unsynced.first() {
            file::sync_directory(directory)?;
            self.unsynced.pop_first();
        }
        Ok(())
    }
}
