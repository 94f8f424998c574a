//! The archive's folders as they lie on the disk: tables, days, hours, files.
//!
//! In: the archive's directory. Out: names of what is there, in order; files removed. Links are
//! never followed, so that whatever someone puts into the archive, nothing outside it is read or
//! removed.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};

use super::error::ArchiveError;
use super::partition::Hour;

/// Something in a folder that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its name in the manifest.
    pub(super) name: String,
    /// Its size; `None` where it is no file.
    pub(super) bytes: Option<u64>,
}

/// What a folder holds.
#[derive(Debug, Default)]
struct Listing {
    folders: Vec<String>,
    leaves: Vec<Leaf>,
}

/// The folder `name` of an archive; the archive itself for the empty name.
fn list(archive: &Path, name: &str) -> Result<Listing, ArchiveError> {
    let path = archive.join(name);
    let failed = || ArchiveError::io("list", &path);
    let entries = match std::fs::read_dir(&path) {
        // Gone since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !name.is_empty() => {
            return Ok(Listing::default());
        }
        entries => entries.map_err(failed())?,
    };
    let mut listing = Listing::default();
    for entry in entries {
        let entry = entry.map_err(failed())?;
        let own = entry.file_name().to_string_lossy().into_owned();
        // Hidden, as query engines see it.
        if own.starts_with(['.', '_']) {
            continue;
        }
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => listing.folders.push(name),
            Ok(metadata) => {
                let bytes = metadata.is_file().then_some(metadata.len());
                listing.leaves.push(Leaf { name, bytes });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed()(error)),
        }
    }
    listing.folders.sort_unstable();
    listing.leaves.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// Everything in the archive that is neither hidden nor a folder.
pub(super) fn leaves(archive: &Path) -> Result<Vec<Leaf>, ArchiveError> {
    let mut leaves = Vec::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let listing = list(archive, &folder)?;
        leaves.extend(listing.leaves);
        open.extend(listing.folders);
    }
    leaves.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(leaves)
}

/// The last part of a name.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A table's day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    /// Which.
    pub(super) date: Date,
    /// Its folder.
    pub(super) folder: String,
}

/// All days of all tables, the oldest first.
pub(super) fn days(archive: &Path) -> Result<Vec<Day>, ArchiveError> {
    let mut days = Vec::new();
    for table in list(archive, "")?.folders {
        for folder in list(archive, &table)?.folders {
            let date = last(&folder).strip_prefix("date=").and_then(|date| date.parse().ok());
            days.extend(date.map(|date| Day { date, folder }));
        }
    }
    days.sort_unstable();
    Ok(days)
}

/// The hours of a day, the oldest first, with their folders.
pub(super) fn hours(archive: &Path, day: &Day) -> Result<Vec<(Hour, String)>, ArchiveError> {
    let mut hours = Vec::new();
    for folder in list(archive, &day.folder)?.folders {
        let hour = last(&folder).strip_prefix("hour=").and_then(|hour| hour.parse().ok());
        hours.extend(hour.and_then(|hour| Hour::of(day.date, hour)).map(|hour| (hour, folder)));
    }
    hours.sort_unstable();
    Ok(hours)
}

/// The files of a folder whose names end as the archive's do.
pub(super) fn files(archive: &Path, folder: &str) -> Result<Vec<Leaf>, ArchiveError> {
    let leaves = list(archive, folder)?.leaves.into_iter();
    Ok(leaves.filter(|leaf| leaf.bytes.is_some() && leaf.name.ends_with(".parquet")).collect())
}

/// The archive's directory, to remove files in.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    directory: OwnedFd,
}

impl Root {
    /// Opens it.
    pub(super) fn open(archive: &Path) -> Result<Self, ArchiveError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let directory = openat(CWD, archive, flags, Mode::empty())
            .map_err(|error| ArchiveError::io("open", archive)(error.into()))?;
        Ok(Self { path: archive.to_owned(), directory })
    }

    /// Opens a file for reading.
    pub(super) fn read(&self, name: &str) -> io::Result<File> {
        let (folder, own) = self.folder_of(name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&folder, own, flags, Mode::empty())?.into())
    }

    /// Removes a file; answers whether it was there.
    pub(super) fn remove(&self, name: &str) -> Result<bool, ArchiveError> {
        match self.unlink(name, AtFlags::empty()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            done => done.map(|()| true).map_err(ArchiveError::io("remove", &self.path.join(name))),
        }
    }

    /// Removes a folder that is empty, and then the one that it is in; others stay.
    pub(super) fn remove_empty(&self, name: &str) {
        let mut name = name;
        // The table's folder stays: files grow in it.
        while name.contains('/') && self.unlink(name, AtFlags::REMOVEDIR).is_ok() {
            name = name.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> io::Result<()> {
        let (folder, own) = self.folder_of(name)?;
        Ok(unlinkat(&folder, own, flags)?)
    }

    /// The folder of a file, reached without a link, and the file's own name.
    fn folder_of<'a>(&self, name: &'a str) -> io::Result<(OwnedFd, &'a str)> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut parts = name.split('/').peekable();
        let mut folder = self.directory.try_clone()?;
        while let Some(part) = parts.next() {
            if matches!(part, "" | "." | "..") {
                break;
            }
            if parts.peek().is_none() {
                return Ok((folder, part));
            }
            folder = openat(&folder, part, flags, Mode::empty())?;
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "no name of a file in an archive"))
    }
}
