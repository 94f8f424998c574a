//! The recorded captures under `pcaps/`, and what their manifest says.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The manifest of the captures.
#[derive(Deserialize)]
pub(crate) struct Manifest {
    /// One entry per capture.
    pub(crate) capture: Vec<Capture>,
}

/// What the manifest says of one capture.
#[derive(Deserialize)]
pub(crate) struct Capture {
    /// Path under `pcaps/`.
    pub(crate) path: String,
    /// Hash of the file, hex.
    pub(crate) sha256: String,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// What it shows, in a sentence.
    pub(crate) shows: String,
}

/// The folder that the workspace is in.
pub(crate) fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package is in a folder of the workspace").to_owned()
}

/// The file of a capture, by its path under `pcaps/`.
pub(crate) fn file(path: &str) -> PathBuf {
    project().join("pcaps").join(path)
}

/// The manifest.
pub(crate) fn manifest() -> Manifest {
    let text = std::fs::read_to_string(file("MANIFEST.toml")).expect("pcaps/MANIFEST.toml");
    toml::from_str(&text).expect("pcaps/MANIFEST.toml is TOML of one [[capture]] per file")
}

/// Paths under `pcaps/` of the captures in one of `folders`, in the manifest's order.
pub(crate) fn in_folders(folders: &[&str]) -> Vec<String> {
    let all = manifest().capture.into_iter().map(|capture| capture.path);
    all.filter(|path| folders.iter().any(|folder| path.starts_with(&format!("{folder}/"))))
        .collect()
}

/// Every file below `folder`, sorted, without those in hidden folders and `target/`.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder that can be read") {
            let entry = entry.expect("an entry that can be read");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files
}
