//! Alerts in a file, one JSON object a line, rotated by size.
//!
//! In: alerts. Out: `alerts.jsonl`, and `alerts.jsonl.1`, `.2`, … for what was rotated, `.1` the
//! newest. A batch counts as delivered when it is synced. A file that something else moved away is
//! made anew, so that logrotate works too. A half line that a killed sensor left is removed: its
//! alert is written again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Letter, Sink, Taken};
use crate::alerts::config::JsonlConfig;
use crate::alerts::formats::Format;

/// Bytes at a file's end in which the start of a half line is looked for. Lines are shorter.
const TAIL_BYTES: u64 = 4 << 20;

/// The sink.
pub(super) struct JsonLinesFile {
    path: PathBuf,
    format: Format,
    rotate_bytes: u64,
    keep: u32,
    file: Option<File>,
    lines: Vec<u8>,
}

impl JsonLinesFile {
    pub(super) fn new(config: &JsonlConfig) -> Self {
        Self {
            path: config.path.clone(),
            format: Format::Json(config.format),
            rotate_bytes: config.rotate.0,
            keep: config.keep,
            file: None,
            lines: Vec::new(),
        }
    }

    /// Writes what is held back, into the file that has the name now.
    fn append(&mut self) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| !is_at(file, &self.path)) {
            self.file = None;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => open(&self.path)?,
        };
        let size = file.metadata()?.len();
        let file = if size > 0 && size + self.lines.len() as u64 > self.rotate_bytes {
            drop(file);
            rotate(&self.path, self.keep)?;
            open(&self.path)?
        } else {
            file
        };
        let file = self.file.insert(file);
        file.write_all(&self.lines)?;
        file.sync_data()
    }
}

impl Sink for JsonLinesFile {
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String> {
        self.lines.extend(self.format.render(letter));
        self.lines.push(b'\n');
        Ok(Taken::Whole)
    }

    fn flush(&mut self) -> Result<(), String> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let written = self.append();
        self.lines.clear();
        written.map_err(|error| {
            format!("cannot write {}: {error}; check the disk and its rights", self.path.display())
        })
    }

    fn reset(&mut self) {
        self.file = None;
        self.lines.clear();
    }
}

/// Opens a file for appending; a half line at its end is removed.
fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // A pipe or a terminal has no end to mend.
    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    let size = file.metadata()?.len();
    let start = size.saturating_sub(TAIL_BYTES);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    (&mut file).take(TAIL_BYTES).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if tail.get(whole..).is_some_and(|half| half.starts_with(b"{")) && (whole > 0 || start == 0) {
        file.set_len(start + whole as u64)?;
    }
    Ok(file)
}

/// Whether the open file is the one that has that name.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Moves `path` to `path.1`, what was `.1` to `.2`, and so on; only `keep` of them stay.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}
