//! Capture files, directories of them and streams as one source of packets.
//!
//! In: paths. Out: batches, file after file; the problems and the tally of all of them. One file is
//! open at a time.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::block::BlockPool;
use super::file::{CaptureFile, Haste};
use super::inputs::{self, Found};
use super::{Batch, CaptureError, Fill, Problem, ProblemKind, Progress, Source, Tally};

/// Bytes of a block: large enough that a read and a hand-over cost nothing beside the packets,
/// small enough that a dozen of them in flight stay in the memory that a small host has.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Problems that are kept until they are fetched. A directory of a hundred thousand unreadable
/// files would otherwise fill the memory with sentences.
const PROBLEMS_MAX: usize = 1_000;

/// Capture files in the order of their first packets, then streams.
pub struct CaptureFiles {
    files: VecDeque<Found>,
    streams: VecDeque<CaptureFile>,
    /// The file that is being read, and the progress at which it ends.
    current: Option<(CaptureFile, Option<u64>)>,
    pool: BlockPool,
    problems: Problems,
    /// What is counted of files that are done, and of packets of all.
    tally: Tally,
    progress: Progress,
    /// Bytes of the files that have been opened.
    opened_bytes: u64,
}

impl CaptureFiles {
    /// Finds the captures that `paths` lead to; `-` is standard input. Looks at each file's first
    /// packet, and at a stream's first bytes.
    ///
    /// # Errors
    /// There is nothing to read.
    pub fn open(paths: &[PathBuf]) -> Result<Self, CaptureError> {
        Self::open_with_blocks_of(paths, BLOCK_BYTES)
    }

    /// As [`Self::open`], reading so many bytes at a time; a record that is longer gets a block of
    /// its own.
    ///
    /// # Errors
    /// There is nothing to read.
    pub fn open_with_blocks_of(
        paths: &[PathBuf],
        block_bytes: usize,
    ) -> Result<Self, CaptureError> {
        if paths.is_empty() {
            return Err(CaptureError::NoInput);
        }
        let mut problems = Problems::default();
        let inputs = inputs::find(paths, &mut problems);
        let total = inputs.files.iter().map(|found| found.bytes).sum();
        let progress = Progress::new(inputs.streams.is_empty().then_some(total));
        let mut streams = VecDeque::new();
        for path in &inputs.streams {
            match inputs::open_stream(path, &progress) {
                Ok(stream) => streams.push_back(stream),
                Err(problem) => problems.add(problem),
            }
        }
        if inputs.files.is_empty() && streams.is_empty() {
            return Err(CaptureError::NothingToRead { problems: problems.take() });
        }
        Ok(Self {
            files: inputs.files.into(),
            streams,
            current: None,
            pool: BlockPool::new(block_bytes.max(1)),
            problems,
            tally: Tally { passed_over: inputs.passed_over, ..Tally::default() },
            progress,
            opened_bytes: 0,
        })
    }

    /// How far reading has come, to be watched from elsewhere.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Paths of the files that are still to be read, in that order.
    pub fn waiting(&self) -> impl Iterator<Item = &std::path::Path> {
        self.files.iter().map(|found| found.path.as_path())
    }

    /// Opens the next file or stream; `None` when there is no other.
    fn next_file(&mut self) -> Option<(CaptureFile, Option<u64>)> {
        while let Some(found) = self.files.pop_front() {
            self.opened_bytes += found.bytes;
            match CaptureFile::open(&found.path, Haste::Patient, &self.progress) {
                Ok(file) => return Some((file, Some(self.opened_bytes))),
                Err(problem) => {
                    self.progress.reach(self.opened_bytes);
                    self.problems.add(problem);
                }
            }
        }
        self.streams.pop_front().map(|stream| (stream, None))
    }

    /// Adds up what `file`, which is done, has counted.
    fn close(&mut self, file: CaptureFile, ends_at: Option<u64>) {
        self.tally = with_file(self.tally, &file);
        for problem in file.into_problems() {
            self.problems.add(problem);
        }
        if let Some(bytes) = ends_at {
            self.progress.reach(bytes);
        }
    }
}

impl Source for CaptureFiles {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        batch.packets.clear();
        loop {
            let Some((mut file, ends_at)) = self.current.take().or_else(|| self.next_file()) else {
                return Ok(Fill::End);
            };
            match file.fill(&mut self.pool, batch) {
                Fill::Packets => {
                    self.current = Some((file, ends_at));
                    self.tally.packets += batch.packets.len() as u64;
                    self.tally.captured_bytes +=
                        batch.packets.iter().map(|p| u64::from(p.captured_bytes)).sum::<u64>();
                    return Ok(Fill::Packets);
                }
                Fill::Quiet(_) | Fill::End => self.close(file, ends_at),
            }
        }
    }

    fn tally(&self) -> Tally {
        self.current.as_ref().map_or(self.tally, |(file, _)| with_file(self.tally, file))
    }

    fn problems(&mut self) -> Vec<Problem> {
        self.problems.take()
    }
}

/// `tally` with what `file` has counted.
fn with_file(tally: Tally, file: &CaptureFile) -> Tally {
    let drops = file.drops();
    Tally {
        damaged_places: tally.damaged_places + file.damaged_places(),
        interface_drops: tally.interface_drops.saturating_add(drops.interface),
        kernel_drops: tally.kernel_drops.saturating_add(drops.kernel),
        files: tally.files + 1,
        ..tally
    }
}

/// Problems that wait to be fetched.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<Problem>,
    unlisted: u64,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if self.listed.len() < PROBLEMS_MAX {
            self.listed.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// Problems since the last fetch.
    pub(super) fn count(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted
    }

    /// Hands them over; the last one stands for those that were not kept.
    pub(super) fn take(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.listed);
        if let Some(last) = problems.last().filter(|_| self.unlisted > 0) {
            let what = ProblemKind::MoreProblems { count: self.unlisted };
            let path = last.path.clone();
            problems.push(Problem { path, offset: None, what });
        }
        self.unlisted = 0;
        problems
    }
}
