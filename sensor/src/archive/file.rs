//! Files of the archive: their names, and how they come to be.
//!
//! In: a folder, a sensor's name, rows. Out: a file that is whole. It grows under a hidden name in
//! its table's folder, is synced, entered in the manifest, and only then moves to its partition
//! under its final name. Growing files lie in the table's folder because leftovers are looked for
//! whenever the archive is opened, and a year has ten thousand partitions a table.
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

/// Ends the name of a file that is whole.
const WHOLE: &str = ".parquet";

/// Ends the name of a file that still grows.
const IN_PROGRESS: &str = ".parquet.inprogress";

/// A sensor's name in the form that file names carry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// A name that a file carries.
    pub(super) fn known(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The sensor that wrote the file of this name; `None` where none did.
    pub(super) fn of_file(file_name: &str) -> Option<Self> {
        Stem::of(file_name.strip_suffix(WHOLE)?).map(|stem| Self(stem.sensor.to_owned()))
    }

    /// Where a file of this sensor would have come to lie that it had not put in its place, from
    /// the table's folder on.
    fn left(&self, file_name: &str) -> Option<PathBuf> {
        let name = file_name.strip_prefix('.')?.strip_suffix(IN_PROGRESS)?;
        let stem = Stem::of(name).filter(|stem| stem.sensor == self.0)?;
        let first = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stem.first).ok()?;
        let hour = format!("hour={:02}", first.hour());
        let folder = Path::new(&format!("date={}", first.date())).join(hour);
        Some(folder.join(format!("{name}{WHOLE}")))
    }
}

/// The parts of a file's name.
struct Stem<'a> {
    sensor: &'a str,
    first: &'a str,
}

impl<'a> Stem<'a> {
    fn of(stem: &'a str) -> Option<Self> {
        let mut parts = stem.rsplitn(3, '-');
        let (sequence, first, sensor) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number =
            !sequence.is_empty() && sequence.bytes().all(|digit| digit.is_ascii_digit());
        (is_number && first.ends_with('Z') && !sensor.is_empty()).then_some(Self { sensor, first })
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

    /// Where it will be.
    pub(super) fn published(&self) -> &Path {
        &self.published
    }

    /// Makes the file's bytes durable; answers their number.
    pub(super) fn sync(&self) -> Result<u64, ArchiveError> {
        self.file.sync_all().map_err(ArchiveError::io("sync", &self.path))?;
        let metadata = self.file.metadata().map_err(ArchiveError::io("read", &self.path))?;
        Ok(metadata.len())
    }

    /// Gives the file, which is durable, its final name.
    pub(super) fn publish(self) -> Result<(), ArchiveError> {
        std::fs::rename(&self.path, &self.published).map_err(ArchiveError::io("rename", &self.path))
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

/// A file that a crash of a sensor left under its hidden name.
#[derive(Debug)]
pub(super) struct Leftover {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Where it would have come to lie.
    pub(super) published: PathBuf,
    /// It, locked; `None` where it cannot be opened.
    pub(super) file: Option<File>,
}

/// What a crash of this sensor left. Files that a living process holds are none.
pub(super) fn leftovers(
    archive: &Path,
    sensor: &SensorName,
) -> Result<Vec<Leftover>, ArchiveError> {
    let left = |name: &str| sensor.left(name).is_some();
    let mut found = entries(archive, left)?;
    for table in entries(archive, |name| !name.starts_with(['.', '_']))? {
        if table.is_dir() {
            found.extend(entries(&table, left)?);
        }
    }
    let leftover = |path: PathBuf| {
        let file = File::open(&path).ok();
        let lock = file.as_ref().map(File::try_lock);
        if matches!(lock, Some(Err(TryLockError::WouldBlock))) {
            return None;
        }
        let place = sensor.left(path.file_name()?.to_str()?)?;
        let published = path.parent()?.join(place);
        Some(Leftover { path, published, file })
    };
    Ok(found.into_iter().filter_map(leftover).collect())
}

/// What lies in the tables' folders under a hidden name of this sensor with that end.
pub(super) fn ending(
    archive: &Path,
    end: &str,
    sensor: &SensorName,
) -> Result<Vec<PathBuf>, ArchiveError> {
    let is_it = |name: &str| {
        let stem = name.strip_prefix('.').and_then(|name| name.strip_suffix(end));
        stem.and_then(Stem::of).is_some_and(|stem| stem.sensor == sensor.as_str())
    };
    let mut found = Vec::new();
    for table in entries(archive, |name| !name.starts_with(['.', '_']))? {
        if table.is_dir() {
            found.extend(entries(&table, is_it)?);
        }
    }
    Ok(found)
}

/// Removes a file that may be gone already; answers whether it was there.
pub(super) fn remove(path: &Path) -> Result<bool, ArchiveError> {
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
