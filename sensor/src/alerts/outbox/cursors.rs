//! How far each sink has come, on disk: one small JSON file that is replaced as a whole.
//!
//! In: the sinks' names and the numbers of the alerts that they wait for. Out: the same at the next
//! start. The file is not synced each time: after a power cut an older one makes alerts go out
//! twice, never not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::state;

/// The file's name.
const FILE: &str = "cursors.json";

/// How far each sink has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Cursors {
    /// The number that the next alert gets.
    pub(super) next: u64,
    /// For each sink by name, the number of the first alert that it has not surely got.
    pub(super) sinks: BTreeMap<String, u64>,
}

/// Whether a file is on the disk for sure before the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// The system writes it when it likes.
    Later,
    /// Now.
    Now,
}

impl Cursors {
    /// Reads the file in `folder`; `None` where there is none, or where it is damaged and was set
    /// aside.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(super) fn load(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .map_err(|error| state::set_aside(&path, &error.to_string()))
                .ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file in `folder`.
    ///
    /// # Errors
    /// It cannot be written; the old one stays.
    pub(super) fn save(&self, folder: &Path, sync: Sync) -> io::Result<()> {
        let new = folder.join("cursors.new");
        let mut file = File::create(&new)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        if sync == Sync::Now {
            file.sync_all()?;
        }
        fs::rename(&new, folder.join(FILE))
    }
}
