//! What a crash left in an archive, put in order when it is opened again.
//!
//! In: hidden files that no living process holds, the manifest. Out: those that are whole and were
//! entered, under their names; the others removed.

use std::fmt;
use std::path::Path;

use data_encoding::HEXLOWER;

use super::error::ArchiveError;
use super::file::{self, Leftover, SensorName};
use super::manifest::{FileEntry, Manifest, hash_file, name_of};
use super::merge;

/// What a crash had left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Files that were whole and had not got their names; now they have.
    pub named: u64,
    /// Files that were not whole; they were removed. Their rows are lost, but for those that were
    /// only to be merged.
    pub removed: u64,
    /// Merges that were finished, or undone as far as they had come.
    pub merges: u64,
}

impl Recovered {
    /// Whether there was anything.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a crash had left {} whole files without their names, which they have now, and {} that \
             were not whole, which are removed; {} merges were finished or undone",
            self.named, self.removed, self.merges
        )
    }
}

/// Finishes what a crash of this sensor left unfinished.
pub(super) fn recover(
    archive: &Path,
    sensor: &SensorName,
    manifest: &Manifest,
) -> Result<Recovered, ArchiveError> {
    let mut recovered =
        Recovered { merges: merge::recover(archive, sensor)?, ..Recovered::default() };
    let leftovers = file::leftovers(archive, sensor)?;
    let names: Vec<String> =
        leftovers.iter().map(|leftover| name_of(archive, &leftover.published)).collect();
    let entries = manifest.written(&names)?;
    for (mut leftover, name) in leftovers.into_iter().zip(names) {
        let entry = entries.iter().find(|entry| entry.file == name);
        if entry.is_some_and(|entry| is_whole(&mut leftover, entry)) {
            put_in_place(archive, &leftover)?;
            recovered.named += 1;
        } else if file::remove(&leftover.path)? {
            recovered.removed += 1;
        }
    }
    Ok(recovered)
}

/// Whether a leftover is the file that was entered, and its name is free.
fn is_whole(leftover: &mut Leftover, entry: &FileEntry) -> bool {
    let hash = leftover.file.as_mut().and_then(|file| hash_file(file).ok());
    let is_it = hash.is_some_and(|(hash, _)| HEXLOWER.encode(&hash) == entry.sha256);
    is_it && !leftover.published.exists()
}

fn put_in_place(archive: &Path, leftover: &Leftover) -> Result<(), ArchiveError> {
    let folder = leftover.published.parent().unwrap_or(archive);
    std::fs::create_dir_all(folder).map_err(ArchiveError::io("make the directory", folder))?;
    std::fs::rename(&leftover.path, &leftover.published)
        .map_err(ArchiveError::io("rename", &leftover.path))?;
    let folders = folder.ancestors().take_while(|above| above.starts_with(archive));
    folders.into_iter().try_for_each(file::sync_directory)
}
