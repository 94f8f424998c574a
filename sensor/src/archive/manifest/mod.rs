//! The manifest: which files the archive has, with their hashes, and what became of those that it
//! has no more.
//!
//! In: files that were written, merged, removed. Out: `ARCHIVE/_manifest/<sensor>.jsonl`, which
//! only ever grows: one entry a line, each holding the hash of the one before. Query engines pass
//! over names that begin with `_`. Each sensor has a manifest of its own, so that archives of
//! several can be put together; processes of one sensor take turns by a lock on the file.
//!
//! # What holds
//! - **Invariant:** a file's entry is durable before the file gets its name. So no crash leaves a
//!   named file without an entry.
//! - **Invariant:** the entry is made when the file's bytes and its hidden name are durable. So
//!   after a crash a file with an entry and no name is there under its hidden name, and gets its
//!   name when the archive is opened.
//! - **Invariant:** a file that is removed has its entry before, so that none that a crash spares
//!   looks lost. (On a full disk the first file goes before its entry.)
//! - What the chain cannot show is that someone wrote all of it anew, or cut off its end together
//!   with the newest files: note the head that `serval archive verify` prints elsewhere, and give
//!   it to a later one.

mod entry;
mod read;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::slice;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

pub(super) use entry::{Event, FileEntry, Hash};
pub(super) use read::{Ledger, Standing, ledgers};

use super::error::ArchiveError;
use super::file::{SensorName, sync_directory};
use super::merge::own_as;
use crate::clock;
use entry::{Entry, Line, NOTHING};

/// The folder of manifests.
pub(super) const FOLDER: &str = "_manifest";

/// Ends a manifest's name.
const EXTENSION: &str = ".jsonl";

/// Files of one entry: their names must not make lines that no editor opens.
pub(super) const FILES_AN_ENTRY: usize = 256;

/// How much of a manifest's end is read at first to find its last entry.
const TAIL_BYTES: u64 = 64 * 1024;

/// How often, and how long apart, it is tried to lock a manifest.
const LOCK_TRIES: u32 = 200;
const LOCK_STEP: Duration = Duration::from_millis(5);

/// One sensor's manifest, to be added to. It is not held open between turns: an archive's disk can
/// be remounted, or taken away, under a sensor that runs.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    /// Which file `head` is about.
    inode: Option<u64>,
    head: Head,
}

/// Where a manifest ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    /// Bytes.
    end: u64,
    /// The number of its last entry.
    entry: u64,
    /// The hash of its last entry.
    hash: Hash,
}

const EMPTY: Head = Head { end: 0, entry: 0, hash: NOTHING };

impl Manifest {
    /// The manifest of a sensor, which is made with its first entry.
    pub(super) fn of(archive: &Path, sensor: &SensorName) -> Self {
        let path = archive.join(FOLDER).join(format!("{}{EXTENSION}", sensor.as_str()));
        Self { path, inode: None, head: EMPTY }
    }

    /// Adds entries, which are durable afterwards; all or none.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn append(&mut self, events: Vec<Event>) -> Result<(), ArchiveError> {
        if events.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        let failed = || ArchiveError::io("write the manifest", &path);
        let mut file = self.take_turn()?;
        let written = self.write(&mut file, events);
        if written.is_err() {
            // What was written of them would be taken for the leftover of a crash.
            let _ = file.set_len(self.head.end);
        }
        // With the file, the lock and the turn end.
        drop(file);
        written.map_err(failed())
    }

    /// The manifest, locked, with its head known.
    fn take_turn(&mut self) -> Result<File, ArchiveError> {
        let path = self.path.clone();
        let failed = || ArchiveError::io("write the manifest", &path);
        let mut file = open(&path).map_err(failed())?;
        lock(&file).map_err(failed())?;
        let metadata = file.metadata().map_err(failed())?;
        let (end, inode) = (metadata.len(), Some(metadata.ino()));
        if (end, inode) != (self.head.end, self.inode) {
            // Another process had a turn, the file is another one, or this is the first turn.
            self.head = head(&mut file).map_err(failed())?;
            self.inode = inode;
            if let Some(cut) = end.checked_sub(self.head.end).filter(|&cut| cut > 0) {
                file.set_len(self.head.end).map_err(failed())?;
                self.write(&mut file, vec![Event::Repaired { cut }]).map_err(failed())?;
            }
        }
        Ok(file)
    }

    fn write(&mut self, file: &mut File, events: Vec<Event>) -> io::Result<()> {
        let mut head = self.head;
        let mut text = String::new();
        let at =
            jiff::Timestamp::from_second(clock::now().micros() / 1_000_000).unwrap_or_default();
        for event in events {
            head.entry += 1;
            let before = HEXLOWER.encode(&head.hash);
            let entry = Entry { entry: head.entry, at: at.to_string(), event, before };
            let (line, hash) = entry.line()?;
            head.hash = hash;
            text.push_str(&line);
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        head.end += text.len() as u64;
        self.head = head;
        Ok(())
    }

    /// The latest entries of those of the files `names` that were entered as written.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub(super) fn written(&self, names: &[String]) -> Result<Vec<FileEntry>, ArchiveError> {
        let mut found = BTreeMap::new();
        self.entries_about(names, |event| {
            if let Event::Written(file) = event {
                found.insert(file.file.clone(), file);
            }
        })?;
        Ok(found.into_values().filter(|file| names.contains(&file.file)).collect())
    }

    /// Whether that file was entered as merged.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub(super) fn knows_merged(&self, merged: &FileEntry) -> Result<bool, ArchiveError> {
        let mut is_known = false;
        self.entries_about(slice::from_ref(&merged.file), |event| {
            is_known |= matches!(event, Event::Merged { file, .. } if file == *merged);
        })?;
        Ok(is_known)
    }

    /// Tells of every entry that names one of `names`.
    fn entries_about(
        &self,
        names: &[String],
        mut tell: impl FnMut(Event),
    ) -> Result<(), ArchiveError> {
        let failed = || ArchiveError::io("read the manifest", &self.path);
        let mut lines = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => BufReader::with_capacity(1 << 20, opened.map_err(failed())?),
        };
        let mut line = Vec::new();
        while !names.is_empty() && lines.read_until(b'\n', &mut line).map_err(failed())? > 0 {
            let text = str::from_utf8(&line).unwrap_or_default();
            if names.iter().any(|name| text.contains(name.as_str()))
                && let Some(entry) = Line::read(line.trim_ascii_end()).entry
            {
                tell(entry.event);
            }
            line.clear();
        }
        Ok(())
    }
}

/// A file's name in the manifest: where it lies in the archive, with `/`.
pub(super) fn name_of(archive: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(archive).unwrap_or(path);
    let parts = inside.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Takes a manifest's lock. Another process holds it for a moment; one that keeps it must not keep
/// the sensor from its packets. Where a file system has no locks, there are no turns.
fn lock(file: &File) -> io::Result<()> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_STEP),
            _ => return Ok(()),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another process keeps it locked"))
}

/// Opens a manifest, which is made where there is none.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o640);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let file = options.create(true).open(path)?;
    let archive = folder.parent().unwrap_or(folder);
    let owner = archive.metadata()?;
    [folder, path].into_iter().for_each(|made| own_as(made, &owner));
    [folder, archive].into_iter().try_for_each(sync_directory).map_err(io::Error::other)?;
    Ok(file)
}

/// Where a manifest's last whole entry ends.
fn head(file: &mut File) -> io::Result<Head> {
    let end = file.metadata()?.len();
    let mut reach = TAIL_BYTES;
    loop {
        let from = end.saturating_sub(reach);
        let tail = tail(file, from)?;
        let whole = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = &tail[..whole];
        let last = lines.strip_suffix(b"\n").unwrap_or_default();
        let start = last.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
        match start {
            None if from > 0 => reach = reach.saturating_mul(2),
            None if whole == 0 => return Ok(EMPTY),
            start => {
                let line = Line::read(&last[start.unwrap_or(0)..]);
                // One that somebody changed is followed all the same, as it is: the chain goes on,
                // and shows what was changed.
                let end = from + whole as u64;
                return Ok(Head { end, entry: line.number, hash: line.hash });
            }
        }
    }
}

fn tail(file: &mut File, from: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

/// The hash and the size of a file.
///
/// # Errors
/// It cannot be read.
pub(super) fn hash_file(file: &mut File) -> io::Result<(Hash, u64)> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut block)? {
            0 => return Ok((hash.finalize().into(), bytes)),
            read => {
                hash.update(&block[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Writes to a file and hashes what it writes.
pub(super) struct Hashing<'a> {
    file: &'a File,
    hash: Sha256,
}

impl<'a> Hashing<'a> {
    /// For a file that is empty.
    pub(super) fn new(file: &'a File) -> Self {
        Self { file, hash: Sha256::new() }
    }

    /// The hash of all that was written.
    pub(super) fn finish(self) -> Hash {
        self.hash.finalize().into()
    }
}

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
