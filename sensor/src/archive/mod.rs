//! The archive: records as Parquet files that every query engine reads.
//!
//! In: stamped rows in the order that the watch stage gives them, and the clock of packet time.
//! Out: `ARCHIVE/<table>/date=YYYY-MM-DD/hour=HH/<sensor>-<first ts>-<number>.parquet`, partitioned
//! by the row's `ts` in UTC. A row waits in memory with the others of its table and hour; they are
//! written together, sorted by (ts, uid, arrival), when they are many or old enough: here, or in a
//! thread beside ([`Writing`]), whose disk nobody waits for.
//!
//! - **Invariant:** a file under its final name is whole and durable, is never written again, and
//!   has its hash in the [manifest].
//! - **Invariant:** reaching a bound writes a file early; it never loses a row.
//! - **Invariant:** which rows share a file depends on rows alone, not on how fast the disk is.
//! - **Invariant:** of an archive that [endures](OnFailure::Endure), rows are lost only while files
//!   cannot be written, or not fast enough, and memory is full; each is counted in a [`Gap`].
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
mod publisher;
mod recover;
mod retention;
mod survey;
#[cfg(test)]
mod tests;
mod tree;
mod verify;
mod write;
mod writer;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzers::Timestamp;

pub use adopt::adopt;
pub use compact::{Compacted, compact};
pub use error::ArchiveError;
pub use gap::Gap;
pub use recover::Recovered;
pub use retention::{Limits, PrunedHour, Pruning, prune};
pub use verify::{Fault, Verdict, verify};
pub use writer::Writing;

use crate::rows::{OnFailure, StampedRow};
use file::{InProgress, SensorName};
use gap::Trouble;
use manifest::Manifest;
use partition::{Partition, PartitionKey, Sealed};
use publisher::{Outcome, Publisher};
use writer::Writer;

/// How the archive is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The sensor's name, for names of files.
    pub sensor: String,
    /// Bytes of memory that rows may hold while they gather; above it, the partition that holds
    /// most is written. Rows that are being written may hold as much again.
    pub buffer_bytes: usize,
    /// Partitions that may wait at a time; above it, the least recently used one is written.
    /// Without this bound a capture whose clock jumps opens a partition for each hour that it
    /// names.
    pub partitions: usize,
    /// Rows that a partition may hold; then they are written.
    pub partition_rows: usize,
    /// Where files are written.
    pub writing: Writing,
    /// Threads that encode when several files are due.
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
            writing: Writing::Here,
            writers: 1,
            wait: Duration::from_secs(300),
            on_failure: OnFailure::Answer,
            retry: Duration::from_secs(1),
        }
    }
}

/// Time after which a batch of files that is not written yet is a trouble of its own.
const SLOW: Duration = Duration::from_secs(10);

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
    partitions: BTreeMap<PartitionKey, Partition>,
    /// Memory that their rows hold.
    gathered_bytes: usize,
    /// Partitions that do not grow any more and wait for the writer.
    sealed: Vec<Sealed>,
    /// Memory that the rows of these hold, and of those that are being written.
    backlog_bytes: usize,
    clock: Option<Timestamp>,
    uses: u64,
    writer: Writer,
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
        let publisher = Publisher::new(directory.to_owned(), sensor, options.writers, manifest);
        let writer = Writer::start(publisher, options.writing);
        Ok(Self {
            directory: directory.to_owned(),
            partitions: BTreeMap::new(),
            gathered_bytes: 0,
            sealed: Vec::new(),
            backlog_bytes: 0,
            clock: None,
            uses: 0,
            writer: writer.map_err(ArchiveError::io("start a thread for", directory))?,
            options,
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
        self.gathered_bytes += partition.push(row)?;
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
        self.write_due()?;
        if self.writer.busy().is_some_and(|busy| busy >= SLOW) {
            self.fall_behind();
        }
        Ok(())
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

    /// Memory that rows hold which are not in files yet, in bytes.
    #[must_use]
    pub const fn waiting_bytes(&self) -> usize {
        self.gathered_bytes + self.backlog_bytes
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
        if let Some(outcome) = self.writer.wait()? {
            // What failed is tried once more.
            self.note(outcome);
        }
        self.writer.begin(std::mem::take(&mut self.sealed))?;
        let outcome = self.writer.wait()?;
        if let Some(error) = outcome.and_then(|outcome| self.note(outcome)) {
            return Err(error);
        }
        // Says how many rows it has cost; there is no row any more to say it in.
        self.end_trouble();
        Ok(self.summary)
    }

    fn keep_bounds(&mut self) -> Result<(), ArchiveError> {
        while self.partitions.len() > self.options.partitions {
            let Some(key) = self.smallest_by(|partition| partition.used) else { break };
            self.seal(key)?;
        }
        while self.gathered_bytes > self.options.buffer_bytes {
            let Some(key) = self.smallest_by(|partition| Reverse(partition.bytes)) else { break };
            self.seal(key)?;
        }
        Ok(())
    }

    fn smallest_by<T: Ord>(&self, measure: impl Fn(&Partition) -> T) -> Option<PartitionKey> {
        let smallest = self.partitions.iter().min_by_key(|(_, partition)| measure(partition))?;
        Some(*smallest.0)
    }

    /// Ends a partition's growth; its rows are written next.
    fn seal(&mut self, key: PartitionKey) -> Result<(), ArchiveError> {
        let Some(partition) = self.partitions.remove(&key) else { return Ok(()) };
        self.gathered_bytes -= partition.bytes;
        let sealed = partition
            .seal(key)
            .map_err(|cause| ArchiveError::encode(&key.directory(&self.directory))(cause.into()))?;
        self.backlog_bytes += sealed.bytes;
        self.sealed.push(sealed);
        Ok(())
    }

    /// Gives the writer what is sealed, and takes what it has done. What cannot be written, or not
    /// in time, is an error, is waited for, or is let go.
    fn write_due(&mut self) -> Result<(), ArchiveError> {
        self.take_done()?;
        self.begin_batch()?;
        // In this thread it is done by now.
        self.take_done()?;
        if self.options.on_failure == OnFailure::Endure {
            self.let_go();
            return Ok(());
        }
        while self.backlog_bytes > self.options.buffer_bytes
            && let Some(outcome) = self.writer.wait()?
        {
            self.settle(outcome)?;
            self.begin_batch()?;
        }
        Ok(())
    }

    /// Begins to write what is sealed, where nothing is being written.
    fn begin_batch(&mut self) -> Result<(), ArchiveError> {
        let retry = self.options.retry;
        let may_try = self.trouble.as_ref().is_none_or(|trouble| trouble.may_try(retry));
        if !may_try || self.writer.busy().is_some() {
            return Ok(());
        }
        if self.trouble.is_none() {
            if !self.sealed.is_empty() {
                self.writer.begin(std::mem::take(&mut self.sealed))?;
            }
            return Ok(());
        }
        if self.sealed.is_empty()
            && let Some(key) = self.smallest_by(|partition| partition.used)
        {
            // Something to try the disk with.
            self.seal(key)?;
        }
        // One file, and the others only when that works: a full disk is met once.
        match self.take_oldest() {
            Some(sealed) => self.writer.begin(vec![sealed]),
            None => Ok(()),
        }
    }

    fn take_done(&mut self) -> Result<(), ArchiveError> {
        self.writer.take()?.map_or(Ok(()), |outcome| self.settle(outcome))
    }

    /// Takes what came of a batch. An archive that endures tries again later what failed.
    fn settle(&mut self, outcome: Outcome) -> Result<(), ArchiveError> {
        match self.note(outcome) {
            None => self.end_trouble(),
            Some(error) if self.options.on_failure == OnFailure::Endure => {
                self.trouble.get_or_insert_with(|| Trouble::begin(&error)).tried(&error);
            }
            Some(error) => return Err(error),
        }
        Ok(())
    }

    /// Counts what was written and keeps what was not; the error, if there was one.
    fn note(&mut self, outcome: Outcome) -> Option<ArchiveError> {
        for written in outcome.written {
            self.backlog_bytes -= written.held_bytes;
            let table = self.summary.tables.entry(written.table).or_default();
            table.rows += written.rows;
            table.files += 1;
            table.bytes += written.file_bytes;
        }
        self.sealed.extend(outcome.kept);
        outcome.error
    }

    fn end_trouble(&mut self) {
        if let Some(trouble) = self.trouble.take() {
            let gap = trouble.end();
            self.gap = match self.gap.take() {
                Some(before) => Some(before.with(gap)),
                None => (gap.rows > 0).then_some(gap),
            };
        }
    }

    /// Drops the oldest rows beyond what memory may hold of those that cannot be written, or not
    /// as fast as they come.
    fn let_go(&mut self) {
        while self.backlog_bytes > self.options.buffer_bytes
            && let Some(sealed) = self.take_oldest()
        {
            self.backlog_bytes -= sealed.bytes;
            self.fall_behind().lose(sealed.order.len() as u64, sealed.first, sealed.last);
        }
    }

    /// A trouble, begun now if there was none: the disk is not fast enough.
    fn fall_behind(&mut self) -> &mut Trouble {
        let behind = || ArchiveError::Behind { path: self.directory.clone() };
        self.trouble.get_or_insert_with(|| Trouble::begin(&behind()))
    }

    fn take_oldest(&mut self) -> Option<Sealed> {
        let oldest = (0..self.sealed.len()).min_by_key(|&at| self.sealed[at].first)?;
        Some(self.sealed.swap_remove(oldest))
    }
}
