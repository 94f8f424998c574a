//! Lists that say what a value is, not that it is bad: sinkholes, public resolvers, dynamic DNS,
//! shared services. In: files in MISP's warning list format, and sinkholes of our own. Out: for
//! what was seen, the lists that hold it. Alerts weigh what they find by them; exports leave it at
//! home.
//!
//! MISP's format is JSON: `{"name": …, "type": "cidr" | "hostname" | "string", "list": […]}`; types
//! `substring` and `regex` are not read, for they say nothing about a value by itself.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use smallvec::SmallVec;

use crate::index::{Finder, Index};
use crate::limits;
use crate::observable::Observable;
use crate::value::network_of_any_size;
use crate::{Key, Kind};

/// The list of addresses and names that defenders answer with.
pub const SINKHOLES: &str = "sinkholes";

const OWN_SINKHOLES: &str = include_str!("../allow/sinkholes.toml");

/// Lists, ready for look-ups.
#[derive(Clone, Default)]
pub struct Lists {
    finder: Finder,
    /// For each value, its list.
    lists_of_values: Vec<u16>,
    names: Vec<Box<str>>,
}

/// Why a list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct ListError {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    values: Vec<String>,
}

/// MISP's lists have more members than these.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    list: Vec<String>,
}

impl Lists {
    /// Our own sinkholes and these files: MISP's, or folders of them. A list is called by its file,
    /// or by its folder when the file is `list.json`; lists of one name are one list.
    ///
    /// # Errors
    /// A file cannot be read, is no list, or is of a type that is not read.
    pub fn load(files: &[PathBuf]) -> Result<Self, ListError> {
        let mut draft = Draft::default();
        let own: Own = toml::from_str(OWN_SINKHOLES).map_err(|error| ListError {
            file: SINKHOLES.into(),
            reason: error.message().to_owned(),
        })?;
        draft.add(SINKHOLES, own.values.iter().map(String::as_str), Reach::Exact);
        for file in files {
            draft.read(file)?;
        }
        let Draft { index, lists_of_values, names } = draft;
        Ok(Self { finder: Finder::new(vec![Arc::new(index)]), lists_of_values, names })
    }

    /// The lists that hold what was seen, each once, in the order in which they were read.
    #[must_use]
    pub fn holding(&self, seen: &Observable<'_>) -> SmallVec<[&str; 2]> {
        let mut numbers: SmallVec<[u16; 4]> = SmallVec::new();
        self.finder.look_up_owner(seen, &mut |_, value| {
            numbers.extend(self.lists_of_values.get(value as usize).copied());
        });
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .iter()
            .filter_map(|&list| self.names.get(usize::from(list)).map(|name| &**name))
            .collect()
    }

    /// Whether defenders answer with that address.
    #[must_use]
    pub fn is_sinkhole(&self, address: IpAddr) -> bool {
        self.holding(&Observable::Address(address)).contains(&SINKHOLES)
    }

    /// How many values they hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists_of_values.len()
    }

    /// Whether they hold none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists_of_values.is_empty()
    }
}

/// How far the names of a list reach that say nothing themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Exact,
    Beneath,
}

#[derive(Default)]
struct Draft {
    index: Index,
    lists_of_values: Vec<u16>,
    names: Vec<Box<str>>,
}

impl Draft {
    fn read(&mut self, path: &Path) -> Result<(), ListError> {
        let fail = |reason: String| ListError { file: path.to_owned(), reason };
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| fail(error.to_string()))?;
            let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort_unstable();
            let is_json = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
            for path in paths.iter().filter(|path| path.is_dir() || is_json(path)) {
                self.read(path)?;
            }
            return Ok(());
        }
        let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        if length > limits::JSON_BYTES {
            return Err(fail(format!("JSON longer than {} bytes", limits::JSON_BYTES)));
        }
        let bytes =
            std::fs::read(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let written: Written = serde_json::from_slice(&bytes)
            .map_err(|error| fail(format!("is no MISP warning list: {error}")))?;
        let reach = match written.kind.as_str() {
            "cidr" | "string" => Reach::Exact,
            "hostname" => Reach::Beneath,
            other => return Err(fail(format!("lists of type {other:?} are not read"))),
        };
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = match stem(path) {
            Some(name) if name != "list" => Some(name),
            _ => path.parent().and_then(stem),
        };
        self.add(&name.unwrap_or_default(), written.list.iter().map(String::as_str), reach);
        Ok(())
    }

    /// Adds what can be looked up; lists mix in comments and patterns that cannot.
    fn add<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>, reach: Reach) {
        let known = self.names.iter().position(|other| **other == *name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        let Ok(number) = u16::try_from(number) else { return };
        for key in values.filter_map(|value| key(value, reach)) {
            if self.index.insert(&key).is_some() {
                self.lists_of_values.push(number);
            }
        }
    }
}

fn key(value: &str, reach: Reach) -> Option<Key> {
    if let Ok(key) = network_of_any_size(value) {
        return Some(key);
    }
    if value.parse::<IpAddr>().is_ok() {
        return Key::parse(Kind::Address, value).ok();
    }
    let key = Key::allowed_name(value).ok()?;
    if reach == Reach::Beneath { key.with_subdomains().ok() } else { Some(key) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SHARED: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/misp-warninglists");

    #[test]
    fn a_value_is_told_with_the_lists_that_hold_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("resolvers")).unwrap();
        for (file, content) in [
            (
                "resolvers/list.json",
                r#"{"type": "cidr", "list": ["192.0.2.1", "198.51.100.0/24", "x y"]}"#,
            ),
            (
                "dyn.json",
                r#"{"name": "n", "type": "hostname", "list": [".dyn.example", "home.example"]}"#,
            ),
            ("sinkholes.json", r#"{"type": "string", "list": ["sink.example", "198.51.100.7"]}"#),
        ] {
            fs::write(path(file), content).unwrap();
        }
        let lists = Lists::load(&[directory.path().to_owned()]).unwrap();
        let address = |text: &str| Observable::Address(text.parse().unwrap());
        for (seen, expected) in [
            (address("192.0.2.1"), &["resolvers"][..]),
            (address("192.0.2.2"), &[]),
            (address("198.51.100.7"), &["sinkholes", "resolvers"]),
            (address("146.112.61.110"), &["sinkholes"]),
            (address("146.112.61.111"), &[]),
            (Observable::Domain(b"my.dyn.example"), &["dyn"]),
            (Observable::Domain(b"a.home.example"), &["dyn"]),
            (Observable::Domain(b"sink.example"), &["sinkholes"]),
            (Observable::Domain(b"a.sink.example"), &[]),
        ] {
            assert_eq!(lists.holding(&seen).as_slice(), expected, "{seen:?}");
        }
        assert!(lists.is_sinkhole("199.2.137.9".parse().unwrap()));
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        for (content, expected) in [
            ("{", "is no MISP warning list"),
            (r#"{"type": "regex", "list": []}"#, "lists of type \"regex\" are not read"),
        ] {
            let file = directory.path().join("x.json");
            fs::write(&file, content).unwrap();
            let error = Lists::load(&[file]).err().unwrap().to_string();
            assert!(error.contains("x.json: ") && error.contains(expected), "{error}");
        }
        assert!(Lists::load(&["none.json".into()]).is_err());
    }

    #[test]
    fn published_lists_are_read() {
        let shared = Path::new(SHARED);
        if !shared.is_dir() {
            eprintln!("skipped: {SHARED} is not there");
            return;
        }
        let lists = Lists::load(&[shared.to_owned()]).unwrap();
        let names = |seen: Observable<'_>| {
            lists.holding(&seen).iter().map(|&name| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(Observable::Address("38.102.150.29".parse().unwrap())), ["sinkholes"]);
        assert_eq!(names(Observable::Address("1.0.0.1".parse().unwrap())), ["public-dns-v4"]);
        assert_eq!(names(Observable::Domain(b"x.0000004.xyz")), ["dynamic-dns"]);
        assert!(lists.len() > 98_000, "{}", lists.len());
    }
}
