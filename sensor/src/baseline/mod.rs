//! Baselines: what detectors learned of logins, in a file that people can look into and edit.
//!
//! In: what the login detectors want to keep. Out: a file of JSON, replaced whole or not at all,
//! and the answers of `serval baseline`.

mod ask;
mod kept;
mod learn;

pub use ask::run;
pub use kept::Kept;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What detectors learned, by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baselines(pub BTreeMap<String, Value>);

/// Why there are no baselines.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file says something else.
    #[error("{path} is no baseline: {error}; `serval baseline learn` makes one from an archive")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: String,
    },
}

impl Baselines {
    /// Reads a file; one that is not there holds nothing.
    ///
    /// # Errors
    /// It cannot be read, or is not an object of JSON.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let file = |error| BaselineError::File { path: path.to_owned(), error };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(file(error)),
        };
        serde_json::from_str(&text).map(Self).map_err(|error| BaselineError::Content {
            path: path.to_owned(),
            error: error.to_string(),
        })
    }

    /// Writes them to a file beside it first, so that a crash leaves the old one whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), BaselineError> {
        let error = |error| BaselineError::File { path: path.to_owned(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(error)?;
        }
        let beside = path.with_extension("json.new");
        let mut file = fs::File::create(&beside).map_err(error)?;
        let text = self.text();
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(error)?;
        fs::rename(&beside, path).map_err(error)
    }

    /// As it stands in the file.
    #[must_use]
    pub fn text(&self) -> String {
        // A map of JSON values can always be written.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_mistakes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/baseline.json");
        assert_eq!(Baselines::load(&path).unwrap(), Baselines::default());
        let mut baselines = Baselines::default();
        baselines.0.insert("rdp_off_hours".to_owned(), serde_json::json!({"version": 1}));
        baselines.save(&path).unwrap();
        baselines.save(&path).unwrap();
        assert_eq!(Baselines::load(&path).unwrap(), baselines);
        fs::write(&path, "{\n7").unwrap();
        let error = Baselines::load(&path).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("serval baseline learn"), "{error}");
    }
}
