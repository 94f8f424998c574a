//! Canned hunts: questions that others have asked before, with what their answers mean.
//!
//! In: files `NAME.sql` with a header, those that come with the program and those of the user's own
//! directory, which may replace one by its name. Out: a query with its parameters filled in. A
//! parameter is filled in as a literal of its type in the parsed query, never as text.

mod header;
mod parameter;

use std::path::{Path, PathBuf};

use datafusion::sql::parser::Statement;

pub use header::Header;
pub use parameter::{Kind, Parameter, fill};

use crate::engine::Engine;
use crate::error::HuntError;
use crate::mistake::closest;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../signatures/hunts/", $name, ".sql")))),+]
    };
}

/// Those that come with the program: name and text.
const BUILT_IN: &[(&str, &str)] = built_in![
    "admin_share_writes",
    "beacons_by_name",
    "beacons_by_pair",
    "certificates_self_signed",
    "certificates_young",
    "dns_tunnels",
    "exposed_services",
    "external_services_new",
    "failed_logons",
    "long_connections",
    "names_never_contacted",
    "names_not_there",
    "port_sweeps",
    "rare_ja4",
    "rare_sni",
    "rdp_first_seen",
    "rdp_off_hours",
    "smb_fan_out",
    "top_talkers",
    "uploads",
    "user_agents_new",
];

/// A canned hunt.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// What it is called.
    pub name: String,
    /// What its header says.
    pub header: Header,
    /// The whole file.
    pub text: String,
    /// The user's file that it came from; none where it came with the program.
    pub file: Option<PathBuf>,
}

impl Hunt {
    fn parse(name: &str, text: &str, file: Option<&Path>) -> Result<Self, HuntError> {
        let header = Header::parse(text).map_err(|reason| {
            let place = file.map_or_else(|| name.to_owned(), |file| file.display().to_string());
            HuntError::Usage(format!("{place}: {reason}"))
        })?;
        Ok(Self {
            name: name.to_owned(),
            header,
            text: text.to_owned(),
            file: file.map(Path::to_owned),
        })
    }

    /// The query with its parameters: those of `given` (`key=value`), else their defaults.
    ///
    /// # Errors
    /// A key is none of this hunt's, a value is not of its kind, or the query is not SQL.
    pub fn statement(&self, engine: &Engine, given: &[String]) -> Result<Statement, HuntError> {
        let mut values = self.header.parameters.clone();
        for text in given {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| HuntError::Usage(format!("{text:?} is not KEY=VALUE")))?;
            let Some(parameter) = values.iter_mut().find(|parameter| parameter.name == key) else {
                return Err(self.unknown_parameter(key));
            };
            parameter.set(value).map_err(HuntError::Usage)?;
        }
        let mut statement = engine.parse(&self.text)?;
        fill(&mut statement, &values).map_err(HuntError::Usage)?;
        Ok(statement)
    }

    fn unknown_parameter(&self, key: &str) -> HuntError {
        let known = self.header.parameters.iter().map(|parameter| parameter.name.as_str());
        let known: Vec<_> = known.collect();
        HuntError::Usage(match closest(key, known.iter().copied()) {
            Some(meant) => format!("{} has no parameter {key}; did you mean {meant}?", self.name),
            None if known.is_empty() => format!("{} has no parameters", self.name),
            None => format!("{} has no parameter {key}; it has {}", self.name, known.join(", ")),
        })
    }
}

/// All hunts, in the order of their names: those of the program, and those of a directory.
///
/// # Errors
/// A file of the directory cannot be read or has no header.
pub fn all(directory: Option<&Path>) -> Result<Vec<Hunt>, HuntError> {
    let mut hunts = Vec::new();
    for (name, text) in BUILT_IN {
        hunts.push(Hunt::parse(name, text, None)?);
    }
    if let Some(directory) = directory {
        for own in in_directory(directory)? {
            hunts.retain(|hunt| hunt.name != own.name);
            hunts.push(own);
        }
    }
    hunts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(hunts)
}

fn in_directory(directory: &Path) -> Result<Vec<Hunt>, HuntError> {
    let at_fault = || HuntError::io(format!("cannot read {}", directory.display()));
    let mut hunts = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(at_fault())? {
        let file = entry.map_err(at_fault())?.path();
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        if let Some(name) = stem.filter(|_| file.extension().is_some_and(|end| end == "sql")) {
            let what = format!("cannot read {}", file.display());
            let text = std::fs::read_to_string(&file).map_err(HuntError::io(what))?;
            hunts.push(Hunt::parse(name, &text, Some(&file))?);
        }
    }
    Ok(hunts)
}

/// The user's own directory, if there is one: `$XDG_CONFIG_HOME/serval/hunts`.
#[must_use]
pub fn own_directory() -> Option<PathBuf> {
    let configuration = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(configuration.join("serval").join("hunts")).filter(|directory| directory.is_dir())
}

/// The hunt of that name.
///
/// # Errors
/// There is none; the text says which one was probably meant.
pub fn find<'a>(hunts: &'a [Hunt], name: &str) -> Result<&'a Hunt, HuntError> {
    hunts.iter().find(|hunt| hunt.name == name).ok_or_else(|| {
        let meant = closest(name, hunts.iter().map(|hunt| hunt.name.as_str()));
        let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        HuntError::Usage(format!(
            "there is no hunt {name}{meant}\n`serval hunt list` shows them all"
        ))
    })
}

/// All hunts as text: name and title in columns.
#[must_use]
pub fn list(hunts: &[Hunt]) -> String {
    let width = hunts.iter().map(|hunt| hunt.name.len()).max().unwrap_or(0);
    let line = |hunt: &Hunt| {
        let own = if hunt.file.is_some() { " (yours)" } else { "" };
        format!("{:width$}  {}{own}\n", hunt.name, hunt.header.title)
    };
    hunts.iter().map(line).collect()
}

/// A hunt as its reader needs it: what, why, how to read it, its parameters, its query.
#[must_use]
pub fn show(hunt: &Hunt) -> String {
    let header = &hunt.header;
    let mut text = format!("{}\n\nWhy:     {}\n", header.title, header.why);
    if !header.techniques.is_empty() {
        text.push_str(&format!("ATT&CK:  {}\n", header.techniques.join(", ")));
    }
    text.push_str(&format!("Reading: {}\n", header.reading));
    if let Some(file) = &hunt.file {
        text.push_str(&format!("File:    {}\n", file.display()));
    }
    for parameter in &header.parameters {
        let Parameter { name, kind, value, doc } = parameter;
        text.push_str(&format!("-p {name}={value}  ({}) {doc}\n", kind.name()));
    }
    let query = hunt.text.lines().skip_while(|line| line.starts_with("--"));
    text.push('\n');
    for line in query {
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_signatures_room_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../signatures/hunts");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the room")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn every_header_says_what_why_and_how_to_read_it() {
        for hunt in all(None).expect("headers") {
            let header = &hunt.header;
            for (what, text) in
                [("title", &header.title), ("why", &header.why), ("read", &header.reading)]
            {
                assert!(!text.is_empty(), "{}: {what}", hunt.name);
            }
            assert!(header.title.len() <= 60, "{}: {}", hunt.name, header.title);
            for parameter in &header.parameters {
                let placeholder = format!("${}", parameter.name);
                assert!(hunt.text.contains(&placeholder), "{}: {placeholder}", hunt.name);
            }
        }
    }

    #[test]
    fn ones_own_hunts_are_added_and_may_replace() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "-- title: Mine\n-- why: Because.\n-- read: As it is.\nSELECT 1";
        for name in ["mine.sql", "uploads.sql", "notes.txt"] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let hunts = all(Some(folder.path())).expect("hunts");
        assert_eq!(hunts.len(), BUILT_IN.len() + 1);
        assert_eq!(find(&hunts, "uploads").expect("it").header.title, "Mine");
        let error = find(&hunts, "upload").expect_err("none").to_string();
        assert!(error.contains("did you mean uploads?"), "{error}");
        std::fs::write(folder.path().join("bad.sql"), "SELECT 1").expect("written");
        let error = all(Some(folder.path())).expect_err("no header").to_string();
        assert!(error.contains("bad.sql") && error.contains("-- title:"), "{error}");
    }
}
