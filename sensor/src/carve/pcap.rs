//! The capture that is written: pcap with nanoseconds, one link type a file.
//!
//! In: frames as they were captured. Out: files. The format is that of draft-ietf-opsawg-pcap,
//! little-endian. It has one link type a file, so frames of a second one go to a file beside the
//! first. A file grows under a hidden name and gets its own when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::capture::{LinkType, RawPacket};
use crate::pipeline::StageError;

/// Magic of little-endian files whose times have nanoseconds.
const MAGIC: u32 = 0xa1b2_3c4d;

/// Longest packet that the file is said to hold: what readers accept.
const SNAP_BYTES: u32 = 262_144;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Where the packets of wanted flows go.
pub(super) struct Evidence {
    path: PathBuf,
    /// By link type; the first has the path itself.
    parts: Vec<Part>,
    packets: u64,
    misplaced: usize,
    timeless: u64,
}

/// A file of one link type.
struct Part {
    link: LinkType,
    packets: u64,
    out: BufWriter<Box<dyn Write + Send>>,
    file: Option<Growing>,
}

/// A file that is not whole.
struct Growing {
    file: File,
    hidden: PathBuf,
    path: PathBuf,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Packets.
    pub(super) packets: u64,
    /// Files.
    pub(super) files: Vec<WrittenFile>,
    /// Packets of a second link type, which a stream cannot hold.
    pub(super) misplaced: usize,
    /// Packets with a time that the format cannot say.
    pub(super) timeless: u64,
}

/// A file that was written.
#[derive(Debug)]
pub(super) struct WrittenFile {
    /// Where.
    pub(super) path: PathBuf,
    /// Its link type.
    pub(super) link: LinkType,
    /// Its packets.
    pub(super) packets: u64,
}

impl Evidence {
    /// Evidence that will be at `path`; `-` is standard output. Nothing is made before the first
    /// packet.
    ///
    /// # Errors
    /// Something is there already.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        refuse_taken(path)?;
        let path = path.to_owned();
        Ok(Self { path, parts: Vec::new(), packets: 0, misplaced: 0, timeless: 0 })
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(super) fn write(&mut self, raw: &RawPacket, bytes: &[u8]) -> Result<(), StageError> {
        let at = match self.parts.iter().position(|part| part.link == raw.link) {
            Some(at) => at,
            None if is_stream(&self.path) && !self.parts.is_empty() => {
                self.misplaced += 1;
                return Ok(());
            }
            None => {
                self.parts.push(Part::begin(&self.path, raw.link, self.parts.len())?);
                self.parts.len() - 1
            }
        };
        let part = &mut self.parts[at];
        let (header, time) = record_header(raw, bytes);
        let failed = |error| cannot(&self.path, &error);
        part.out.write_all(&header).and_then(|()| part.out.write_all(bytes)).map_err(failed)?;
        part.packets += 1;
        self.packets += 1;
        self.timeless += u64::from(time == Time::Unsayable);
        Ok(())
    }

    /// Makes the files durable and gives them their names.
    ///
    /// # Errors
    /// A file cannot be written, or its name was taken meanwhile.
    pub(super) fn finish(self) -> Result<Written, StageError> {
        let Self { path, parts, packets, misplaced, timeless } = self;
        let mut files = Vec::new();
        for mut part in parts {
            let failed = |error| cannot(&path, &error);
            part.out.flush().map_err(failed)?;
            let (link, packets) = (part.link, part.packets);
            let path = match part.file {
                None => path.clone(),
                Some(growing) => growing.publish()?,
            };
            files.push(WrittenFile { path, link, packets });
        }
        Ok(Written { packets, files, misplaced, timeless })
    }
}

impl Part {
    fn begin(path: &Path, link: LinkType, number: usize) -> Result<Self, StageError> {
        let (file, target): (_, Box<dyn Write + Send>) = if is_stream(path) {
            (None, Box::new(io::stdout()))
        } else {
            let path = if number == 0 { path.to_owned() } else { beside(path, link) };
            let growing = Growing::create(path)?;
            let target = growing.file.try_clone().map_err(|error| cannot(&growing.path, &error))?;
            (Some(growing), Box::new(target))
        };
        let mut out = BufWriter::with_capacity(1 << 20, target);
        let mut header = Vec::from(MAGIC.to_le_bytes());
        // Version 2.4; a zone and an accuracy that nobody uses.
        for number in [2_u16, 4, 0, 0, 0, 0] {
            header.extend(number.to_le_bytes());
        }
        header.extend(SNAP_BYTES.to_le_bytes());
        header.extend(u32::from(link.0).to_le_bytes());
        out.write_all(&header).map_err(|error| cannot(path, &error))?;
        Ok(Self { link, packets: 0, out, file })
    }
}

impl Growing {
    fn create(path: PathBuf) -> Result<Self, StageError> {
        refuse_taken(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hidden = path.with_file_name(format!(".{name}.inprogress"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Packets hold what was said: for their owner and group.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        let file = options.open(&hidden).map_err(|error| cannot(&path, &error))?;
        Ok(Self { file, hidden, path })
    }

    fn publish(self) -> Result<PathBuf, StageError> {
        let done = self.file.sync_all();
        refuse_taken(&self.path)?;
        done.and_then(|()| std::fs::rename(&self.hidden, &self.path))
            .map_err(|error| cannot(&self.path, &error))?;
        Ok(self.path.clone())
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // After publishing there is nothing of this name; before it, nobody wants what there is.
        let _ = std::fs::remove_file(&self.hidden);
    }
}

/// Whether a record's header says its packet's time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Said,
    Unsayable,
}

fn record_header(raw: &RawPacket, bytes: &[u8]) -> ([u8; 16], Time) {
    let nanos = raw.time.nanos();
    let seconds = u32::try_from(nanos.div_euclid(SECOND));
    let time = if seconds.is_ok() { Time::Said } else { Time::Unsayable };
    let fraction = seconds.map_or(0, |_| u32::try_from(nanos.rem_euclid(SECOND)).unwrap_or(0));
    let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut header = [0; 16];
    header[..4].copy_from_slice(&seconds.unwrap_or(0).to_le_bytes());
    header[4..8].copy_from_slice(&fraction.to_le_bytes());
    header[8..12].copy_from_slice(&captured.to_le_bytes());
    header[12..].copy_from_slice(&raw.wire_bytes.to_le_bytes());
    (header, time)
}

fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// `out.pcap` for frames of another link type: `out-link101.pcap`.
fn beside(path: &Path, link: LinkType) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or("pcap".as_ref()).to_string_lossy();
    path.with_file_name(format!("{stem}-link{}.{extension}", link.0))
}

/// Evidence is never written over, and least of all the capture that it comes from.
fn refuse_taken(path: &Path) -> Result<(), String> {
    if !is_stream(path) && path.symlink_metadata().is_ok() {
        return Err(format!(
            "{} is there already and is not written over; remove it, or name another file",
            path.display()
        ));
    }
    Ok(())
}

fn cannot(path: &Path, error: &io::Error) -> StageError {
    format!("cannot write {}: {error}; check the path and the disk", path.display()).into()
}
