//! Feeds: files of indicators in the formats that their makers chose. In: a [`Feed`], that is a
//! path and what is known about it. Out, to an [`Intake`]: indicators one by one, and a refusal
//! with file, line (or JSON path) and reason for everything that cannot be one. A bad line never
//! costs its neighbours.
//!
//! Nothing is read into memory whole but JSON, which is bounded by [`limits::JSON_BYTES`].

mod abuse_ch;
mod csv;
mod detect;
mod json;
mod lines;
mod misp;
mod plain;
mod stix;
mod stix_pattern;
mod suricata;
mod time;
mod zeek;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use csv::Column;

pub(crate) use time::seconds_until;

use crate::value::Kind;
use crate::{Context, Indicator, Key, Origin, Scope, Validity, ValueError, limits};

/// Bytes at a file's head that tell its format.
const HEAD_BYTES: usize = 64 * 1024;

/// How a feed is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One value a line; `hosts` files and blocker lists too.
    Plain,
    /// A table with a header that names its columns.
    Csv,
    /// Zeek's intelligence framework.
    Zeek,
    /// A Suricata dataset or datarep list.
    SuricataDataset,
    /// A Suricata IP reputation list.
    SuricataIprep,
    /// URLhaus, ThreatFox, Feodo Tracker, SSLBL.
    AbuseCh,
    /// A MISP event, or a directory of them with its manifest.
    Misp,
    /// A STIX 2.1 bundle.
    Stix,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Csv,
        Self::Zeek,
        Self::SuricataDataset,
        Self::SuricataIprep,
        Self::AbuseCh,
        Self::Misp,
        Self::Stix,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Csv => "csv",
            Self::Zeek => "zeek",
            Self::SuricataDataset => "suricata_dataset",
            Self::SuricataIprep => "suricata_iprep",
            Self::AbuseCh => "abuse_ch",
            Self::Misp => "misp",
            Self::Stix => "stix",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A feed: where it is, and what is known about it beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// A file, or a directory of files that are read in the order of their names.
    pub path: PathBuf,
    /// Its name in alerts.
    pub name: String,
    /// How it is written; told by its content when absent.
    pub format: Option<Format>,
    /// What values are where the format does not say; told by their looks when absent.
    pub kind: Option<Kind>,
    /// How far names reach that say nothing themselves.
    pub names: Scope,
    /// Columns of a CSV feed whose names are not the usual ones.
    pub columns: Vec<(Column, String)>,
}

impl Feed {
    /// A feed of which only the path is known; its name is the file's, without the ending.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        Self {
            path: path.to_owned(),
            name: stem.to_string_lossy().into_owned(),
            format: None,
            kind: None,
            names: Scope::Exact,
            columns: Vec::new(),
        }
    }

    /// Reads it all.
    pub fn read(&self, intake: &mut dyn Intake) {
        let source = Arc::from(self.name.as_str());
        let mut reading = Reading { feed: self, file: self.path.clone(), source, intake };
        if self.path.is_dir() {
            reading.directory();
        } else if self.path.file_name().is_some_and(|name| name == misp::MANIFEST) {
            misp::feed(&mut reading, self.path.parent().unwrap_or(Path::new("")));
        } else {
            reading.file();
        }
    }
}

/// Who takes what a feed gives.
pub trait Intake {
    /// An indicator.
    fn indicator(&mut self, indicator: Indicator);
    /// An entry that the feed itself withdraws or does not mean for detection.
    fn withheld(&mut self);
    /// Something that cannot be an indicator.
    fn refuse(&mut self, refusal: Refusal);
}

/// Where in a file something stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file itself.
    File,
    /// A line, counted from 1.
    Line(u32),
    /// A path in JSON, as `objects[3].pattern`.
    Path(String),
}

/// Something that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In which file.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
    /// Why; bytes of the feed in it are escaped.
    pub reason: String,
    /// What is missing now.
    pub cost: Cost,
}

/// What a refusal costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// One entry; its neighbours were read.
    Entry,
    /// All that stands behind the place in its file, or in files that were not found.
    Rest,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match &self.place {
            Place::File => {}
            Place::Line(line) => write!(f, ":{line}")?,
            Place::Path(path) => write!(f, ": {path}")?,
        }
        write!(f, ": {}", self.reason)
    }
}

/// A feed that is being read.
struct Reading<'a> {
    feed: &'a Feed,
    file: PathBuf,
    source: Arc<str>,
    intake: &'a mut dyn Intake,
}

impl Reading<'_> {
    fn directory(&mut self) {
        let directory = self.feed.path.clone();
        if directory.join(misp::MANIFEST).is_file() {
            return misp::feed(self, &directory);
        }
        let listed = std::fs::read_dir(&directory).and_then(|entries| {
            entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()
        });
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) => return self.lose(Place::File, format!("cannot be read: {error}")),
        };
        let is_hidden = |path: &Path| {
            path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'))
        };
        paths.retain(|path| path.is_file() && !is_hidden(path));
        paths.sort_unstable();
        if paths.len() > limits::FEED_FILES {
            let most = limits::FEED_FILES;
            self.lose(Place::File, format!("more than {most} files; the rest is not read"));
        }
        for path in paths.into_iter().take(limits::FEED_FILES) {
            self.file = path;
            self.file();
        }
    }

    fn file(&mut self) {
        let opened = File::open(&self.file).and_then(|file| {
            let mut content = BufReader::with_capacity(HEAD_BYTES, file);
            content.fill_buf()?;
            Ok(content)
        });
        let mut content = match opened {
            Ok(content) => content,
            Err(error) => return self.lose(Place::File, format!("cannot be read: {error}")),
        };
        let format = self.feed.format.unwrap_or_else(|| detect::format(content.buffer()));
        match format {
            Format::Plain => plain::read(self, &mut content),
            Format::Csv => csv::read(self, &mut content),
            Format::Zeek => zeek::read(self, &mut content),
            Format::SuricataDataset => suricata::read_dataset(self, &mut content),
            Format::SuricataIprep => suricata::read_reputation(self, &mut content),
            Format::AbuseCh => abuse_ch::read(self, &mut content),
            Format::Misp | Format::Stix => json::read(self, &mut content),
        }
    }

    /// What this feed says where a line says nothing.
    fn context(&self) -> Context {
        Context::of(&self.source)
    }

    /// The key of a value whose kind the format does not say.
    fn key(&self, value: &str) -> Result<Key, ValueError> {
        match self.feed.kind {
            Some(kind) => Key::parse(kind, value),
            None => Key::guess(value),
        }
    }

    /// Gives an indicator on, as far as the feed says its names reach.
    fn take(
        &mut self,
        key: Result<Key, ValueError>,
        context: Context,
        validity: Validity,
        place: Place,
    ) {
        let reach = |key: Key| match self.feed.names {
            Scope::Beneath => key.with_subdomains(),
            Scope::Exact => Ok(key),
        };
        match key.and_then(reach) {
            Ok(key) => {
                let line = if let Place::Line(line) = place { Some(line) } else { None };
                let origin = Origin { line };
                self.intake.indicator(Indicator { key, context, validity, origin });
            }
            Err(error) => self.refuse(place, error.to_string()),
        }
    }

    fn refuse(&mut self, place: Place, reason: String) {
        let (file, cost) = (self.file.clone(), Cost::Entry);
        self.intake.refuse(Refusal { file, place, reason, cost });
    }

    /// Refuses all that stands behind a place.
    fn lose(&mut self, place: Place, reason: String) {
        let (file, cost) = (self.file.clone(), Cost::Rest);
        self.intake.refuse(Refusal { file, place, reason, cost });
    }

    fn refuse_line(&mut self, line: u32, reason: impl fmt::Display) {
        self.refuse(Place::Line(line), reason.to_string());
    }
}

/// A piece of a feed for a reason: escaped, and not too long to read.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", analyzers::text::escape(cut.as_bytes()))
}
