//! One capture file or stream, read block by block.
//!
//! In: a reader of bytes, decompressed where needed. Out: batches of packets and findings. Each
//! block begins with what the one before could not use: the record that its end cut.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::BlockPool;
use super::format::{Drops, Findings, Format, Next, Step, Supply, Window};
use super::progress::{Counted, Progress};
use super::unpack::{BadCompression, Unpacked};
use super::{Batch, Fill, Offset, Problem, ProblemKind, Stream};

/// When a batch is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Haste {
    /// When its block is full: for files.
    Patient,
    /// When the first read has brought packets: for a pipe whose other end waits for traffic, and
    /// to see a file's first packet.
    Eager,
}

/// A capture that is being read.
pub(super) struct CaptureFile {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    stream: Stream,
    format: Format,
    haste: Haste,
    findings: Findings,
    /// Bytes that the last block could not use, and how many are needed for the next record.
    carry: Vec<u8>,
    needs: usize,
    /// Offset of the first carried byte.
    offset: u64,
    /// Why reading ended before the file did.
    fault: Option<io::Error>,
    done: bool,
}

impl CaptureFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It cannot be read or is no capture.
    pub(super) fn open(path: &Path, haste: Haste, progress: &Progress) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Self::of_reader(path, Box::new(Counted::new(file, progress.clone())), haste)
    }

    /// Reads a capture from `reader`.
    ///
    /// # Errors
    /// It cannot be read or is no capture.
    pub(super) fn of_reader(
        path: &Path,
        reader: Box<dyn Read + Send>,
        haste: Haste,
    ) -> Result<Self, Problem> {
        let unpacked = Unpacked::open(reader).map_err(|error| Problem {
            path: path.to_owned(),
            offset: None,
            what: fault_kind(&error),
        })?;
        let Some(format) = Format::of(&unpacked.content) else {
            let what = ProblemKind::NotACapture { content: unpacked.content };
            return Err(Problem { path: path.to_owned(), offset: None, what });
        };
        Ok(Self {
            path: path.to_owned(),
            reader: unpacked.reader,
            stream: if unpacked.packed { Stream::Decompressed } else { Stream::File },
            format,
            haste,
            findings: Findings::default(),
            carry: Vec::new(),
            needs: 1,
            offset: 0,
            fault: None,
            done: false,
        })
    }

    /// Replaces what `batch` holds by the next packets.
    pub(super) fn fill(&mut self, pool: &mut BlockPool, batch: &mut Batch) -> Fill {
        batch.packets.clear();
        while !self.done {
            let mut block = pool.take(self.needs);
            let filled = Arc::get_mut(&mut block).map_or(0, |bytes| self.read_block(bytes));
            let bytes = block.get(..filled).unwrap_or_default();
            let supply = if self.done { Supply::Ended } else { Supply::More };
            let window = Window { bytes, offset: self.offset, supply };
            let step = self.format.read(&window, &mut batch.packets, &mut self.findings);
            self.advance(&window, step);
            pool.keep(&block);
            if !batch.packets.is_empty() {
                batch.block = block;
                return Fill::Packets;
            }
        }
        Fill::End
    }

    /// Fills `bytes`; returns how many there are.
    fn read_block(&mut self, bytes: &mut [u8]) -> usize {
        let mut filled = self.carry.len();
        if let Some(start) = bytes.get_mut(..filled) {
            start.copy_from_slice(&self.carry);
        }
        while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.reader.read(room) {
                Ok(0) => {
                    self.done = true;
                    break;
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fault = Some(error);
                    self.done = true;
                    break;
                }
            }
            if self.haste == Haste::Eager && filled >= self.needs {
                break;
            }
        }
        filled
    }

    /// Keeps what the format could not use.
    fn advance(&mut self, window: &Window<'_>, step: Step) {
        self.carry.clear();
        self.carry.extend_from_slice(window.from(step.at));
        self.offset = window.offset_of(step.at);
        if self.fault.is_some() {
            self.findings.end_is_not_the_files();
            self.offset = window.offset_of(window.bytes.len());
        }
        match step.next {
            Next::Bytes(needs) => self.needs = needs.max(self.carry.len() + 1),
            Next::Again | Next::Nothing => self.done = true,
        }
    }

    /// Bytes of the capture, decompressed, that were used so far.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Damaged places so far.
    pub(super) fn damaged_places(&self) -> u64 {
        self.findings.places + u64::from(self.fault.is_some())
    }

    /// Losses that the capture has told so far.
    pub(super) fn drops(&self) -> Drops {
        self.format.drops()
    }

    /// What was wrong with the file, once it has been read.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let Self { path, stream, findings, fault, offset, .. } = self;
        let at = |bytes| Some(Offset { bytes, stream });
        let listed = findings.listed.len() as u64;
        let mut problems: Vec<Problem> = findings
            .listed
            .into_iter()
            .map(|(offset, what)| Problem { path: path.clone(), offset: at(offset), what })
            .collect();
        if findings.places > listed {
            let what = ProblemKind::MoreDamage { places: findings.places - listed };
            problems.push(Problem { path: path.clone(), offset: None, what });
        }
        if let Some(error) = fault {
            problems.push(Problem { path, offset: at(offset), what: fault_kind(&error) });
        }
        problems
    }
}

/// A file that the system does not let us read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let what = ProblemKind::Unreadable { message: error.to_string() };
    Problem { path: path.to_owned(), offset: None, what }
}

fn fault_kind(error: &io::Error) -> ProblemKind {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<BadCompression>()) {
        Some(BadCompression { codec, message }) => {
            ProblemKind::BadCompression { codec: *codec, message: message.clone() }
        }
        None => ProblemKind::Unreadable { message: error.to_string() },
    }
}
