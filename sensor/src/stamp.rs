//! Whether a file is still the one that was read. In: a path. Out: a stamp, equal as long as
//! nobody wrote to the file or put another in its place.
//!
//! Files are asked, not watched: notifications miss what comes over a network file system and get
//! confused by a rename over the old name, and a look every few seconds costs nothing.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What tells one state of a file from another; the default is a file that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds of the last change to the content, and to the name or mode.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The file's state now; links are followed. A file that cannot be asked is one that is not
    /// there.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        std::fs::metadata(path).map(|metadata| Self::from(&metadata)).unwrap_or_default()
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
        let mut seen = vec![Stamp::of(&path)];
        fs::write(&path, "one").unwrap();
        seen.push(Stamp::of(&path));
        assert_eq!(Stamp::of(&path), Stamp::of(&path));
        fs::write(&path, "longer").unwrap();
        seen.push(Stamp::of(&path));
        // The same content and size under the same name, as an editor saves.
        let other = directory.path().join("other.txt");
        fs::write(&other, "longer").unwrap();
        fs::rename(&other, &path).unwrap();
        seen.push(Stamp::of(&path));
        for (index, stamp) in seen.iter().enumerate() {
            assert!(!seen[..index].contains(stamp), "{index}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::of(&path), Stamp::default());
    }
}
