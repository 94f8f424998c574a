//! A candidate configuration: what is, and over it what somebody thinks of.
//!
//! In: the configuration's file; files, entries and settings that were typed. Out: a configuration
//! and allow-lists, read by the same code that reads them for a sensor.

use std::path::{Path, PathBuf};

use analyzers::detectors;
use toml::{Table, Value};

use super::TuneError;
use crate::config::Config;

/// One setting, as typed: `beacon.alert=0.9` or `watch.min_confidence=0.4`.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    path: Vec<String>,
    value: Value,
}

impl Assignment {
    /// Reads one.
    ///
    /// # Errors
    /// It has no `=`, or names neither a detector nor `[watch]`.
    pub(super) fn parse(text: &str) -> Result<Self, TuneError> {
        let example = "write it as beacon.alert=0.9 or watch.min_confidence=0.4";
        let (path, typed) = text.split_once('=').ok_or_else(|| format!("{text:?}: {example}"))?;
        let mut path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        let first = path.first().map(String::as_str).unwrap_or_default();
        if detectors::ALL.iter().any(|detector| detector.name == first) {
            path.insert(0, "detect".to_owned());
        }
        if !matches!(path.first().map(String::as_str), Some("detect" | "watch")) || path.len() < 2 {
            return Err(format!(
                "{text:?} names no detector (`serval explain` lists them) and nothing below \
                 [watch]; {example}"
            )
            .into());
        }
        // What is no TOML is a word: sensitivity=low.
        let read: Result<Table, _> = format!("value = {}", typed.trim()).parse();
        let value = read.ok().and_then(|mut table| table.remove("value"));
        let value = value.unwrap_or_else(|| Value::from(typed.trim()));
        Ok(Self { path, value })
    }

    /// A table with nothing else.
    pub(super) fn table(&self) -> Table {
        let mut value = self.value.clone();
        for key in self.path.iter().rev() {
            value = Value::Table(Table::from_iter([(key.clone(), value)]));
        }
        match value {
            Value::Table(table) => table,
            _ => Table::new(),
        }
    }
}

/// The settings of a file; of none, none.
///
/// # Errors
/// It cannot be read, or is no configuration.
pub(super) fn written(file: Option<&Path>) -> Result<Table, TuneError> {
    // Mistakes are told by the code that reads configurations.
    Config::load(file)?;
    let Some(file) = file else { return Ok(Table::new()) };
    Ok(std::fs::read_to_string(file)?.parse()?)
}

/// A configuration with other settings laid over it.
///
/// # Errors
/// A setting is not known, or its value means nothing.
pub(super) fn config(written: &Table, over: &[Assignment]) -> Result<Config, TuneError> {
    let mut all = written.clone();
    for assignment in over {
        overlay(&mut all, assignment.table());
    }
    Config::from_table(all).map_err(|error| format!("--set: {}", error.message()).into())
}

fn overlay(all: &mut Table, over: Table) {
    for (key, value) in over {
        match (all.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => drop(all.insert(key, value)),
        }
    }
}

/// What a file to be tried is.
pub(super) enum Tried {
    /// Another configuration.
    Config(Table),
    /// An allow-list, to be used with the others.
    Allow(PathBuf, String),
}

/// Reads a file to be tried: one that has entries is an allow-list.
///
/// # Errors
/// It cannot be read, or is neither.
pub(super) fn tried(file: &Path) -> Result<Tried, TuneError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let table: Table =
        text.parse().map_err(|error| format!("{} is not TOML: {error}", file.display()))?;
    if table.contains_key("allow") {
        return Ok(Tried::Allow(file.to_owned(), text));
    }
    written(Some(file)).map(Tried::Config)
}

/// An entry of an allow-list as typed: its keys, with commas between them.
///
/// # Errors
/// It is no TOML.
pub(super) fn entry(typed: &str, number: usize) -> Result<(PathBuf, String), TuneError> {
    let name = format!("--allow {number}");
    let table: Result<Table, _> = format!("entry = {{ {} }}", typed.trim()).parse();
    let entry = table.ok().and_then(|mut table| table.remove("entry"));
    let Some(Value::Table(mut entry)) = entry else {
        return Err(format!(
            "{name}: {typed:?} is no entry; write it as detectors = [\"beacon\"], src = \
             [\"10.0.0.20\"]"
        )
        .into());
    };
    entry.entry("id").or_insert_with(|| Value::from(name.as_str()));
    let list = Value::Array(vec![Value::Table(entry)]);
    let text = toml::to_string(&Table::from_iter([("allow".to_owned(), list)]))?;
    Ok((PathBuf::from(name), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_typed() {
        for (text, expected) in [
            ("beacon.alert=0.9", Ok("[detect.beacon]\nalert = 0.9\n")),
            ("smb_scan.sensitivity = low", Ok("[detect.smb_scan]\nsensitivity = \"low\"\n")),
            ("watch.off=[\"dga\"]", Ok("[watch]\noff = [\"dga\"]\n")),
            ("beacon.alert", Err("write it as")),
            ("beakon.alert=1", Err("names no detector")),
            ("watch=1", Err("names no detector")),
            ("", Err("write it as")),
        ] {
            let read = Assignment::parse(text);
            match (read, expected) {
                (Ok(read), Ok(expected)) => {
                    assert_eq!(toml::to_string(&read.table()).unwrap(), expected, "{text}");
                }
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{text}: {error}");
                }
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn settings_that_mean_nothing_are_told() {
        for (text, expected) in [
            ("beacon.alrt=0.9", "alrt"),
            ("beacon.alert=high", "invalid type"),
            ("smb_scan.hosts_1h=0", "no threshold of contacts"),
        ] {
            let assignment = Assignment::parse(text).unwrap();
            let error = config(&Table::new(), &[assignment]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn entries_are_read_as_they_are_typed() {
        let (_, text) = entry("src = [\"10.0.0.20\"], detectors = [\"beacon\"]", 1).unwrap();
        assert!(text.contains("id = \"--allow 1\"") && text.contains("[[allow]]"), "{text}");
        assert!(entry("src 10.0.0.20", 2).unwrap_err().to_string().contains("--allow 2"));
    }
}
