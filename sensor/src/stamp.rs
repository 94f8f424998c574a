//! Whether a file is still the one that was read. In: a path. Out: a stamp, equal as long as
//! nobody wrote to the file or put another in its place; a directory's stamp covers its files.
//!
//! Files are asked, not watched: notifications miss what comes over a network file system and get
//! confused by a rename over the old name, and a look every few seconds costs nothing.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What tells one state of a file from another; the default is a file that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds of the last change to the content, and to the name or mode.
    modified: (i64, i64),
    changed: (i64, i64),
    /// Of a directory: a hash of its files' stamps.
    files: u64,
}

impl Stamp {
    /// The state now of a file, or of a directory with the files in it; links are followed. What
    /// cannot be asked is not there.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let Ok(metadata) = std::fs::metadata(path) else { return Self::default() };
        let mut stamp = Self::from(&metadata);
        if metadata.is_dir() {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
            paths.sort_unstable();
            let mut hasher = DefaultHasher::new();
            for path in &paths {
                path.hash(&mut hasher);
                std::fs::metadata(path).map(|one| Self::from(&one)).ok().hash(&mut hasher);
            }
            stamp.files = hasher.finish();
        }
        stamp
    }

    /// When the content was last changed, in seconds since the epoch; zero of what is not there.
    #[must_use]
    pub const fn modified(&self) -> i64 {
        self.modified.0
    }

    /// The state now of several files together.
    #[must_use]
    pub fn of_all<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut hasher = DefaultHasher::new();
        for path in paths {
            Self::of(path).hash(&mut hasher);
        }
        Self { files: hasher.finish(), ..Self::default() }
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            files: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_was_written_replaced_or_removed_has_another_stamp() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feed.txt");
        let stamps = || (Stamp::of(&path), Stamp::of(directory.path()));
        let mut seen = vec![stamps()];
        fs::write(&path, "one").unwrap();
        seen.push(stamps());
        assert_eq!(stamps(), stamps());
        fs::write(&path, "longer").unwrap();
        seen.push(stamps());
        // The same content and size under the same name, as an editor saves.
        let other = directory.path().join("other.txt");
        fs::write(&other, "longer").unwrap();
        fs::rename(&other, &path).unwrap();
        seen.push(stamps());
        for (index, (file, directory)) in seen.iter().enumerate() {
            let differs = |&(f, d): &(Stamp, Stamp)| f != *file && d != *directory;
            assert!(seen[..index].iter().all(differs), "{index}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::of(&path), Stamp::default());
    }
}
