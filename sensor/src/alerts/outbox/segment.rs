//! A stretch of alerts of one severity: an index in memory, the bytes in a file or, where there is
//! none, in memory.
//!
//! In: numbered alerts. Out: the same, and what is left of a file after a crash. A file is eight
//! bytes of magic, then frames: length (u32), CRC-32 (u32) of number and body, number (u64), all
//! little-endian, then the body. A frame that is cut ends the file: what a killed sensor was just
//! writing was promised to nobody yet. A frame whose length or checksum is wrong ends it, too, but
//! that is damage.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::state;

/// What a file of the outbox begins with; the last digit is the version.
const MAGIC: &[u8; 8] = b"SVOUTBX1";

/// Bytes before a body.
const FRAME_HEAD: usize = 16;

/// The longest body. A record of the house is some kibibytes; a length beyond this is no frame.
pub(super) const BODY_MAX: usize = 1 << 20;

/// Where a body is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// In a file that stays readable while somebody holds it, removed or not.
    File {
        /// The segment's file.
        file: Arc<File>,
        /// Where the frame starts.
        offset: u64,
        /// Bytes of the body.
        len: u32,
    },
    /// In memory.
    Memory(Arc<[u8]>),
}

impl Body {
    /// The bytes; the number is checked against the frame's own.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else there.
    pub(super) fn read(&self, sequence: u64) -> io::Result<Arc<[u8]>> {
        match self {
            Self::Memory(bytes) => Ok(Arc::clone(bytes)),
            Self::File { file, offset, len } => {
                let mut frame = vec![0; FRAME_HEAD + *len as usize];
                file.read_exact_at(&mut frame, *offset)?;
                match check(&frame) {
                    Some((number, body)) if number == sequence => Ok(body.into()),
                    _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum is wrong")),
                }
            }
        }
    }
}

/// One alert of a segment.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its number.
    pub(super) sequence: u64,
    /// Its bytes.
    pub(super) body: Body,
}

/// A stretch of alerts, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Segment {
    path: Option<PathBuf>,
    file: Option<Arc<File>>,
    entries: Vec<Entry>,
    /// Bytes of the file that are whole frames.
    file_bytes: u64,
    /// Bytes of bodies, and of the frames around them.
    bytes: u64,
    state: State,
}

/// Whether more may be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Yes.
    #[default]
    Open,
    /// It is of an earlier run, its file took no more, or another place is to be tried.
    Closed,
}

impl Segment {
    /// An empty segment, in a new file at `path` where there is one.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn create(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.write_all(MAGIC)?;
        Ok(Self {
            path: Some(path),
            file: Some(Arc::new(file)),
            entries: Vec::new(),
            file_bytes: MAGIC.len() as u64,
            ..Self::default()
        })
    }

    /// What a file holds, and whether it ended in something that is no frame.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn recover(at: &Path) -> io::Result<(Self, Tail)> {
        let file = OpenOptions::new().read(true).write(true).open(at)?;
        let file = Arc::new(file);
        let size = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 16, file.as_ref());
        let path = Some(at.to_owned());
        let mut segment = Self { path, state: State::Closed, ..Self::default() };
        let mut magic = [0; MAGIC.len()];
        if size >= MAGIC.len() as u64 {
            reader.read_exact(&mut magic)?;
        }
        let mut tail = if size < MAGIC.len() as u64 { Tail::Torn } else { Tail::Damaged };
        if magic == *MAGIC {
            segment.file_bytes = MAGIC.len() as u64;
            tail = loop {
                match next_frame(&mut reader)? {
                    Frame::Whole(sequence, body_bytes) => {
                        let offset = segment.file_bytes;
                        let body = Body::File { file: Arc::clone(&file), offset, len: body_bytes };
                        segment.note(sequence, body, body_bytes);
                        segment.file_bytes += frame_bytes(body_bytes);
                    }
                    Frame::Cut if segment.file_bytes == size => break Tail::Whole,
                    Frame::Cut => break Tail::Torn,
                    Frame::Damaged => break Tail::Damaged,
                }
            };
        }
        drop(reader);
        if tail == Tail::Damaged {
            state::copy_aside(at, "a frame of it is not what was written");
        }
        if tail != Tail::Whole {
            file.set_len(segment.file_bytes)?;
        }
        segment.file = Some(file);
        Ok((segment, tail))
    }

    fn note(&mut self, sequence: u64, body: Body, body_bytes: u32) {
        self.entries.push(Entry { sequence, body });
        self.bytes += frame_bytes(body_bytes);
    }

    /// Adds an alert.
    ///
    /// # Errors
    /// The file does not take it; the segment is closed.
    pub(super) fn append(&mut self, sequence: u64, bytes: &Arc<[u8]>) -> io::Result<()> {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let body = match &self.file {
            None => Body::Memory(Arc::clone(bytes)),
            Some(file) => {
                if let Err(error) = file.write_all_at(&frame(sequence, bytes), self.file_bytes) {
                    self.state = State::Closed;
                    return Err(error);
                }
                let offset = self.file_bytes;
                self.file_bytes += frame_bytes(len);
                Body::File { file: Arc::clone(file), offset, len }
            }
        };
        self.note(sequence, body, len);
        Ok(())
    }

    /// The file, to be synced by whoever wrote to it.
    pub(super) fn file(&self) -> Option<Arc<File>> {
        self.file.clone()
    }

    /// Nothing more is to be added.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Whether nothing more is to be added.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The alerts.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The number of the first alert.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.sequence)
    }

    /// The number of the last alert.
    pub(super) fn last(&self) -> Option<u64> {
        self.entries.last().map(|entry| entry.sequence)
    }

    /// Bytes of bodies, and of the frames around them.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Removes the file. That it is gone already is fine; anything else is found again and told at
    /// the next start.
    pub(super) fn remove(&self) {
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
    }
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// With a whole frame.
    Whole,
    /// In the middle of a frame: a crash, or nothing but zeros, as power cuts leave.
    Torn,
    /// With bytes that nobody wrote; a copy of the file was kept.
    Damaged,
}

/// Bytes of a frame around a body of so many.
pub(super) fn frame_bytes(body: u32) -> u64 {
    FRAME_HEAD as u64 + u64::from(body)
}

fn checksum(number: &[u8], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(number);
    crc.update(body);
    crc.finalize()
}

fn frame(sequence: u64, body: &[u8]) -> Vec<u8> {
    let number = sequence.to_le_bytes();
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(FRAME_HEAD + body.len());
    frame.extend(len.to_le_bytes());
    frame.extend(checksum(&number, body).to_le_bytes());
    frame.extend(number);
    frame.extend(body);
    frame
}

/// Number and body of a whole frame whose checksum is right.
fn check(frame: &[u8]) -> Option<(u64, &[u8])> {
    let (len, rest) = frame.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (number, body) = rest.split_first_chunk::<8>()?;
    let is_right = u32::from_le_bytes(*len) as usize == body.len()
        && u32::from_le_bytes(*crc) == checksum(number, body);
    is_right.then(|| (u64::from_le_bytes(*number), body))
}

/// What follows in a file.
enum Frame {
    /// A frame's number and the bytes of its body.
    Whole(u64, u32),
    /// The end, or a frame that the end cuts.
    Cut,
    /// A frame with a wrong length or checksum.
    Damaged,
}

fn next_frame(reader: &mut impl Read) -> io::Result<Frame> {
    let mut frame = vec![0; FRAME_HEAD];
    if !read_whole(reader, &mut frame)? {
        return Ok(Frame::Cut);
    }
    // A file that was made longer before its bytes came, as power cuts leave it.
    if frame.iter().all(|byte| *byte == 0) {
        return Ok(Frame::Cut);
    }
    let len = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]);
    if len as usize > BODY_MAX {
        return Ok(Frame::Damaged);
    }
    frame.resize(FRAME_HEAD + len as usize, 0);
    if !read_whole(reader, &mut frame[FRAME_HEAD..])? {
        return Ok(Frame::Cut);
    }
    Ok(check(&frame).map_or(Frame::Damaged, |(number, _)| Frame::Whole(number, len)))
}

fn read_whole(reader: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
