//! Files of the archive: their names, and how they come to be.
//!
//! In: a folder, a sensor's name, rows. Out: a file that is whole. It grows under a hidden name in
//! its table's folder, is synced, and only then moves to its partition under its final name.
//! Growing files lie in the table's folder because leftovers are looked for whenever the archive is
//! opened, and a year has ten thousand partitions a table.
//!
//! **Invariant:** a file under its final name is whole, and is never written again.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use analyzers::Timestamp;

use super::error::ArchiveError;

/// Bytes of a sensor's name that its files carry: file systems end at 255 for the whole name.
const SENSOR_BYTES: usize = 120;

/// Ends the name of a file that still grows.
const IN_PROGRESS: &str = ".parquet.inprogress";

/// A sensor's name in the form that file names carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SensorName(String);

impl SensorName {
    /// Letters and digits of every script stay, and `-`, `.`, `_` inside; the bytes of anything
    /// else become `%hh`, so that no shell, glob, URL or query engine takes them for its own.
    pub(super) fn new(name: &str) -> Self {
        let mut safe = String::new();
        for c in name.chars() {
            let inside = !safe.is_empty() && matches!(c, '-' | '.' | '_');
            let mut part = String::new();
            if c.is_alphanumeric() || inside {
                part.push(c);
            } else {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(part, "%{byte:02x}");
                }
            }
            if safe.len() + part.len() > SENSOR_BYTES {
                break;
            }
            safe.push_str(&part);
        }
        if safe.is_empty() {
            safe.push_str("sensor");
        }
        Self(safe)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Name without extension of the sensor's `sequence`th file that begins at `first`.
    fn file_stem(&self, first: Timestamp, sequence: u32) -> String {
        // Packet time spans the years 1677 to 2262, all of which jiff knows.
        let first = jiff::Timestamp::from_microsecond(first.micros()).unwrap_or_default();
        format!("{}-{}-{sequence:04}", self.0, first.strftime("%Y%m%dT%H%M%SZ"))
    }

    /// Whether a file of this name is one that this sensor had not finished.
    fn left(&self, file_name: &str) -> bool {
        file_name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(IN_PROGRESS))
            .and_then(|stem| stem.rsplitn(3, '-').nth(2))
            .is_some_and(|sensor| sensor == self.0)
    }
}

/// A file that grows. Dropped before [`publish`](Self::publish), it is removed.
#[derive(Debug)]
pub(super) struct InProgress {
    file: File,
    path: PathBuf,
    published: PathBuf,
}

impl InProgress {
    /// Begins the sensor's next file of the partition in `directory`, whose first row is of
    /// `first`. It grows in `nursery`, a folder of the same file system.
    ///
    /// Whoever makes the hidden file owns its number: another process that writes for the same
    /// sensor meets either the hidden file or the final one, and takes the next number.
    pub(super) fn create(
        nursery: &Path,
        directory: &Path,
        sensor: &SensorName,
        first: Timestamp,
    ) -> Result<Self, ArchiveError> {
        for sequence in 1..=u32::MAX {
            let stem = sensor.file_stem(first, sequence);
            let path = nursery.join(format!(".{stem}{IN_PROGRESS}"));
            let published = directory.join(format!("{stem}.parquet"));
            if published.exists() {
                continue;
            }
            let file = match new_file(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(ArchiveError::io("create", &path)(error)),
            };
            // Tells other processes that this is no leftover. Where a file system has no locks,
            // the worst is that a second sensor of the same name removes it.
            let _ = file.try_lock();
            let this = Self { file, path, published };
            if !this.published.exists() {
                return Ok(this);
            }
        }
        let full = io::Error::new(io::ErrorKind::QuotaExceeded, "no file number is left");
        Err(ArchiveError::io("create a file in", directory)(full))
    }

    /// The growing file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The growing file.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file's bytes durable and gives it its final name; answers its size in bytes.
    pub(super) fn publish(self) -> Result<u64, ArchiveError> {
        self.file.sync_all().map_err(ArchiveError::io("sync", &self.path))?;
        let metadata = self.file.metadata().map_err(ArchiveError::io("read", &self.path))?;
        std::fs::rename(&self.path, &self.published)
            .map_err(ArchiveError::io("rename", &self.path))?;
        Ok(metadata.len())
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        // After publish there is nothing of this name; before it, nobody wants what there is, and
        // what cannot be removed now is removed when the archive is opened again.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A new file, readable by its owner and group: records tell who spoke with whom.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), ArchiveError> {
    match File::open(directory).and_then(|opened| opened.sync_all()) {
        // Network file systems know no such call.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        outcome => outcome.map_err(ArchiveError::io("sync", directory)),
    }
}

/// Removes what a crash of this sensor left; answers how many files.
pub(super) fn remove_leftovers(archive: &Path, sensor: &SensorName) -> Result<usize, ArchiveError> {
    let left = |name: &str| sensor.left(name);
    let mut leftovers = entries(archive, left)?;
    for table in entries(archive, |name| !name.starts_with('.'))? {
        if table.is_dir() {
            leftovers.extend(entries(&table, left)?);
        }
    }
    let mut removed = 0;
    for path in leftovers {
        removed += usize::from(remove_leftover(&path)?);
    }
    Ok(removed)
}

/// Removes a leftover unless a living process holds it; answers whether it is gone.
fn remove_leftover(path: &Path) -> Result<bool, ArchiveError> {
    let held = match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    };
    if held {
        return Ok(false);
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        outcome => outcome.map(|()| true).map_err(ArchiveError::io("remove", path)),
    }
}

fn entries(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, ArchiveError> {
    let at_fault = || ArchiveError::io("list", directory);
    let listing = match std::fs::read_dir(directory) {
        // Not ours, such as lost+found, or gone since it was listed: nothing of ours is in it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
            ) =>
        {
            return Ok(Vec::new());
        }
        listing => listing.map_err(at_fault())?,
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry.map_err(at_fault())?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensor_names_are_safe_in_file_names() {
        for (name, expected) in [
            ("edge-1", "edge-1"),
            ("dc.north_2", "dc.north_2"),
            ("北京", "北京"),
            ("", "sensor"),
            ("..", "%2e."),
            ("-rf", "%2drf"),
            ("_hidden", "%5fhidden"),
            ("a/b\\c", "a%2fb%5cc"),
            ("x=1 *?\n", "x%3d1%20%2a%3f%0a"),
            ("100%", "100%25"),
        ] {
            assert_eq!(SensorName::new(name).as_str(), expected, "{name:?}");
        }
    }

    #[test]
    fn sensor_names_end_where_file_names_would_be_too_long() {
        for (length, expected) in [(119, 119), (120, 120), (121, 120)] {
            assert_eq!(SensorName::new(&"a".repeat(length)).as_str().len(), expected);
        }
        assert_eq!(SensorName::new(&"狮".repeat(41)).as_str(), "狮".repeat(40));
        assert_eq!(SensorName::new(&format!("{}//", "a".repeat(116))).as_str().len(), 119);
    }
}
