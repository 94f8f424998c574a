//! Retention: the oldest hours go when the archive is too old, too large, or the disk too full.
//!
//! In: limits, the present. Out: files removed, hour by hour of all tables, and entered in their
//! manifests as retired. Only files that the archive's own names name are touched, links are not
//! followed, and an hour that may still be written is left alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use analyzers::Timestamp;

use super::error::ArchiveError;
use super::file::SensorName;
use super::manifest::{Event, FILES_AN_ENTRY, Manifest};
use super::partition::Hour;
use super::tree::{self, Leaf, Root};

/// How long after its end an hour may still get rows: a flow's row comes an hour after the flow's
/// first packet, and waits for others.
pub(super) const OPEN: Duration = Duration::from_secs(2 * 3_600);

/// What an archive may hold. Without a limit nothing is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Hours that ended longer ago go.
    pub age: Option<Duration>,
    /// The oldest go while all files together have more bytes.
    pub bytes: Option<u64>,
    /// The oldest go while the file system has fewer bytes free.
    pub free: Option<u64>,
}

impl Limits {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether files are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruning {
    /// They are.
    Done,
    /// It is only said which would be.
    Rehearsed,
}

/// An hour that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunedHour {
    /// When it began.
    pub start: Timestamp,
    /// By which limit it went.
    pub why: &'static str,
    /// Files of all tables.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Removes what is beyond the limits, and tells `removed` of each hour.
///
/// # Errors
/// A folder cannot be read, a file not removed, or the manifest not written; what was removed
/// before stays removed.
pub fn prune(
    archive: &Path,
    limits: &Limits,
    now: Timestamp,
    pruning: Pruning,
    removed: &mut dyn FnMut(PrunedHour),
) -> Result<(), ArchiveError> {
    if limits.is_none() {
        return Ok(());
    }
    let root = Root::open(archive)?;
    let mut held = match limits.bytes {
        Some(_) => tree::leaves(archive)?.iter().filter_map(|leaf| leaf.bytes).sum(),
        None => 0_u64,
    };
    // Asked once: file systems give back late, and what is removed must not be removed twice over.
    let mut free = match limits.free {
        Some(_) => free_bytes(archive)?,
        None => 0,
    };
    let mut manifests = Manifests { archive, open: BTreeMap::new() };
    for (hour, folders) in Hours::of(archive)? {
        if now.since(hour.end()) < OPEN {
            break;
        }
        let Some(why) = limits.exceeded(now, hour, held, free) else { break };
        let mut files = Vec::new();
        for folder in &folders {
            let found = tree::files(archive, folder)?.into_iter();
            files
                .extend(found.filter(|leaf| SensorName::of_file(tree::last(&leaf.name)).is_some()));
        }
        let bytes = files.iter().filter_map(|leaf| leaf.bytes).sum();
        if pruning == Pruning::Done {
            manifests.retire(&root, &files, why)?;
            folders.iter().for_each(|folder| root.remove_empty(folder));
        }
        free = free.saturating_add(bytes);
        held = held.saturating_sub(bytes);
        if !files.is_empty() {
            let files = files.len() as u64;
            removed(PrunedHour { start: hour.start(), why, files, bytes });
        }
    }
    Ok(())
}

impl Limits {
    /// The limit that an archive of `held` bytes is beyond that has that hour.
    fn exceeded(&self, now: Timestamp, hour: Hour, held: u64, free: u64) -> Option<&'static str> {
        if self.age.is_some_and(|age| now.since(hour.end()) > age) {
            Some("age")
        } else if self.bytes.is_some_and(|most| held > most) {
            Some("bytes")
        } else if self.free.is_some_and(|least| free < least) {
            Some("free")
        } else {
            None
        }
    }
}

/// Bytes that the archive's file system has free for this user.
fn free_bytes(archive: &Path) -> Result<u64, ArchiveError> {
    let system = rustix::fs::statvfs(archive)
        .map_err(|error| ArchiveError::io("ask for the free space of", archive)(error.into()))?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// The hours of all tables, the oldest first, each with its folders. Days are read one by one: a
/// year has ten thousand folders a table, of which a sensor that prunes often needs a few.
struct Hours<'a> {
    archive: &'a Path,
    days: std::iter::Peekable<std::vec::IntoIter<tree::Day>>,
    due: std::collections::btree_map::IntoIter<Hour, Vec<String>>,
}

impl<'a> Hours<'a> {
    fn of(archive: &'a Path) -> Result<Self, ArchiveError> {
        let days = tree::days(archive)?.into_iter().peekable();
        Ok(Self { archive, days, due: BTreeMap::new().into_iter() })
    }
}

impl Iterator for Hours<'_> {
    type Item = (Hour, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(hour) = self.due.next() {
                return Some(hour);
            }
            let first = self.days.peek()?.date;
            let mut due: BTreeMap<Hour, Vec<String>> = BTreeMap::new();
            while let Some(day) = self.days.next_if(|day| day.date == first) {
                // A folder that cannot be read is left alone, and so are its hours.
                for (hour, folder) in tree::hours(self.archive, &day).unwrap_or_default() {
                    due.entry(hour).or_default().push(folder);
                }
            }
            self.due = due.into_iter();
        }
    }
}

/// The manifests that files are entered in as retired.
struct Manifests<'a> {
    archive: &'a Path,
    open: BTreeMap<SensorName, Manifest>,
}

impl Manifests<'_> {
    /// Enters files as retired and removes them.
    fn retire(&mut self, root: &Root, files: &[Leaf], why: &str) -> Result<(), ArchiveError> {
        let mut by_sensor: BTreeMap<SensorName, Vec<String>> = BTreeMap::new();
        for leaf in files {
            if let Some(sensor) = SensorName::of_file(tree::last(&leaf.name)) {
                by_sensor.entry(sensor).or_default().push(leaf.name.clone());
            }
        }
        for (sensor, names) in by_sensor {
            let manifest = self.open.entry(sensor);
            let manifest = manifest.or_insert_with_key(|sensor| Manifest::of(self.archive, sensor));
            for names in names.chunks(FILES_AN_ENTRY) {
                retire(manifest, root, names, why)?;
            }
        }
        Ok(())
    }
}

fn retire(
    manifest: &mut Manifest,
    root: &Root,
    names: &[String],
    why: &str,
) -> Result<(), ArchiveError> {
    let retired = || vec![Event::Retired { files: names.to_vec(), why: why.to_owned() }];
    match manifest.append(retired()) {
        // No room for an entry is no reason to make none.
        Err(error) if error.is_full_disk() => {
            if let Some(first) = names.first() {
                root.remove(first)?;
            }
            manifest.append(retired())?;
        }
        done => done?,
    }
    names.iter().try_for_each(|name| root.remove(name).map(drop))
}
