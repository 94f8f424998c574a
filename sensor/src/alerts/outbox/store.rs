//! The alerts that are owed, in the order of their numbers, within a bound.
//!
//! In: numbered alerts; how far each sink has come. Out: batches of alerts. There is one row of
//! segments for each severity, so that making room is dropping the oldest segment of the least
//! severe ones: nothing is rewritten, and a number that is missing between two that are there was
//! shed.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::segment::{Body, Entry, Segment, Tail, frame_bytes};
use crate::alerts::alert::Level;

/// A bound is cut into so many segments: the step in which room is made.
const SEGMENTS_PER_BOUND: u64 = 64;

/// The largest segment: what is read back at once after a crash.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// Alerts that wait in memory after the disk took none, before it is tried again.
const IN_MEMORY_BETWEEN_TRIES: usize = 64;

/// What became of an alert that was to be stored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// How many alerts of each level were shed to make room, this one included if it was.
    pub(super) shed: [u64; Level::COUNT],
    /// Why the alert is in memory only.
    pub(super) failure: Option<io::Error>,
}

/// What was found at the start.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Alerts.
    pub(super) alerts: u64,
    /// Files that ended in bytes that are no alert.
    pub(super) torn: Vec<PathBuf>,
}

/// One alert of a batch.
#[derive(Clone, Debug)]
pub(super) struct Stub {
    /// Its number.
    pub(super) sequence: u64,
    /// Its severity.
    pub(super) level: Level,
    /// Where its bytes are.
    pub(super) body: Body,
}

/// All rows of segments.
#[derive(Debug)]
pub(super) struct Store {
    folder: Option<PathBuf>,
    /// Indexed by [`Level::index`].
    rows: [VecDeque<Segment>; Level::COUNT],
    bytes: u64,
    bound: u64,
    /// Alerts before this number are owed to nobody.
    floor: u64,
}

impl Store {
    /// An empty one, in `folder` where there is one, that holds at most `bound` bytes.
    pub(super) fn new(folder: Option<&Path>, bound: u64) -> Self {
        let folder = folder.map(Path::to_owned);
        Self { folder, rows: Default::default(), bytes: 0, bound, floor: 0 }
    }

    /// Takes up what an earlier run left.
    ///
    /// # Errors
    /// The folder or one of its files cannot be read.
    pub(super) fn recover(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let Some(folder) = &self.folder else { return Ok(found) };
        let mut files: Vec<(Level, PathBuf)> = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let level = path.file_name().and_then(|name| level_of(name.to_str()?));
            files.extend(level.map(|level| (level, path)));
        }
        files.sort();
        for (level, path) in files {
            let (segment, tail) = Segment::recover(&path)?;
            found.alerts += segment.entries().len() as u64;
            self.bytes += segment.bytes();
            if segment.entries().is_empty() {
                segment.remove();
            } else {
                self.rows[level.index()].push_back(segment);
            }
            if tail == Tail::Torn {
                found.torn.push(path);
            }
        }
        Ok(found)
    }

    /// The number behind the last alert; 1 where there is none.
    pub(super) fn next_sequence(&self) -> u64 {
        let last = self.rows.iter().filter_map(|row| row.back()?.last()).max();
        last.map_or(1, |last| last + 1)
    }

    /// The number of the oldest alert.
    pub(super) fn first_sequence(&self) -> Option<u64> {
        self.rows.iter().filter_map(|row| row.front()?.first()).min()
    }

    /// Adds an alert, whose number is above all before; makes room first.
    pub(super) fn append(&mut self, sequence: u64, level: Level, body: Arc<[u8]>) -> Stored {
        let mut stored = Stored::default();
        let needed = frame_bytes(u32::try_from(body.len()).unwrap_or(u32::MAX));
        while self.bytes + needed > self.bound {
            match self.least_severe().filter(|least| least.index() >= level.index()) {
                Some(least) => stored.shed[least.index()] += self.shed_oldest(least),
                None => {
                    stored.shed[level.index()] += 1;
                    return stored;
                }
            }
        }
        if let Err(error) = self.put(sequence, level, &body) {
            stored.failure = Some(error);
            // It waits in memory, and so do a few more before the disk is tried again.
            let mut segment = Segment::default();
            if segment.append(sequence, &body).is_ok() {
                self.rows[level.index()].push_back(segment);
            }
        }
        self.bytes += needed;
        stored
    }

    /// Adds an alert to the last segment of its row, or to a new one.
    fn put(&mut self, sequence: u64, level: Level, body: &Arc<[u8]>) -> io::Result<()> {
        let row = &mut self.rows[level.index()];
        let segment_bytes = (self.bound / SEGMENTS_PER_BOUND).min(SEGMENT_BYTES_MAX);
        let has_room = |last: &Segment| !last.is_closed() && last.bytes() < segment_bytes;
        if let Some(last) = row.back_mut().filter(|last| has_room(last)) {
            last.append(sequence, body)?;
            if self.folder.is_some()
                && last.file().is_none()
                && last.entries().len() >= IN_MEMORY_BETWEEN_TRIES
            {
                last.close();
            }
            return Ok(());
        }
        let path = self.folder.as_ref().map(|folder| folder.join(file_name(level, sequence)));
        let mut segment = Segment::create(path)?;
        if let Err(error) = segment.append(sequence, body) {
            segment.remove();
            return Err(error);
        }
        row.push_back(segment);
        Ok(())
    }

    /// The files that new alerts go to.
    pub(super) fn open_files(&self) -> Vec<Arc<File>> {
        self.rows.iter().filter_map(|row| row.back()?.file()).collect()
    }

    fn least_severe(&self) -> Option<Level> {
        let row = self.rows.iter().rposition(|row| !row.is_empty());
        row.and_then(|index| Level::ALL.get(index).copied())
    }

    /// Drops the oldest segment of a level: how many alerts were owed to somebody.
    fn shed_oldest(&mut self, level: Level) -> u64 {
        let Some(segment) = self.rows[level.index()].pop_front() else { return 0 };
        self.bytes -= segment.bytes();
        segment.remove();
        let owed = segment.entries().iter().filter(|entry| entry.sequence >= self.floor);
        owed.count() as u64
    }

    /// Every sink has surely got what comes before `floor`: what nobody waits for is dropped.
    pub(super) fn discard(&mut self, floor: u64) {
        self.floor = floor;
        for row in &mut self.rows {
            while let Some(segment) = row.pop_front_if(|first| first.last() < Some(floor)) {
                self.bytes -= segment.bytes();
                segment.remove();
            }
        }
    }

    /// At most `count` alerts from number `from` on and before `end`, in order.
    pub(super) fn batch(&self, from: u64, end: u64, count: usize) -> Vec<Stub> {
        let mut rows: Vec<_> = Level::ALL
            .into_iter()
            .map(|level| (level, entries_from(&self.rows[level.index()], from).peekable()))
            .collect();
        let mut batch = Vec::new();
        while batch.len() < count {
            let next = rows
                .iter_mut()
                .filter_map(|(level, row)| {
                    let sequence = row.peek()?.sequence;
                    Some((sequence, *level, row))
                })
                .min_by_key(|(sequence, ..)| *sequence)
                .filter(|(sequence, ..)| *sequence < end);
            let Some((sequence, level, row)) = next else { break };
            if let Some(entry) = row.next() {
                batch.push(Stub { sequence, level, body: entry.body.clone() });
            }
        }
        batch
    }
}

fn entries_from(row: &VecDeque<Segment>, from: u64) -> impl Iterator<Item = &Entry> {
    let segment = row.partition_point(|segment| segment.last() < Some(from));
    let entries = row.range(segment..).flat_map(Segment::entries);
    entries.skip_while(move |entry| entry.sequence < from)
}

fn file_name(level: Level, first: u64) -> String {
    format!("{}-{first:020}.alerts", level.name().to_ascii_lowercase())
}

fn level_of(file_name: &str) -> Option<Level> {
    let (level, first) = file_name.strip_suffix(".alerts")?.split_once('-')?;
    first.parse::<u64>().ok()?;
    Level::parse(&level.to_ascii_uppercase())
}
