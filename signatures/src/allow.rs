//! What is never bad: the allow-list, which wins over every feed. In: TOML files, and a pack of our
//! own. Out: the entry that silences an observable for a detector.
//!
//! ```toml
//! [[allow]]
//! id = "updates"                          # what alerts and counters call it
//! reason = "our package mirror"
//! names = ["mirror.example", ".cdn.example"]  # a leading dot: with all sub-domains
//! addresses = ["192.0.2.7", "198.51.100.0/24"]
//! hashes = ["d41d8cd98f00b204e9800998ecf8427e"]
//! detectors = ["intel"]                   # absent: all
//! until = 2027-01-01                      # absent: for ever
//! ```

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzers::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use crate::feeds::seconds_until;
use crate::index::{Finder, Index};
use crate::observable::Observable;
use crate::value::{canonical_url, host_of, network_of_any_size};
use crate::{Key, Kind, Validity, limits};

/// Names and addresses that no feed should name: see `allow/default.toml`, which says why of each.
const DEFAULT_PACK: &str = include_str!("../allow/default.toml");

/// Under which the default pack is told.
const DEFAULT_NAME: &str = "default allow-list";

/// An entry of an allow-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What alerts and counters call it.
    pub id: String,
    /// The file.
    pub file: PathBuf,
    /// Why it is there.
    pub reason: Option<String>,
    /// For which detectors; empty: for all.
    pub detectors: Vec<String>,
    /// How long.
    pub validity: Validity,
}

/// A rule's number in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllowId(u32);

/// What is never bad.
#[derive(Clone, Default)]
pub struct AllowList {
    finder: Finder,
    /// For each value that is looked up, its rule.
    rules_of_values: Vec<u32>,
    rules: Vec<Rule>,
}

/// Why an allow-list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct AllowError {
    /// The file.
    pub file: PathBuf,
    /// The line, where one is to blame.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    allow: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    reason: Option<String>,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
    #[serde(default)]
    hashes: Vec<Spanned<String>>,
    #[serde(default)]
    detectors: Vec<String>,
    until: Option<Spanned<toml::Value>>,
}

impl AllowList {
    /// The default pack and these files.
    ///
    /// # Errors
    /// A file cannot be read, or something in it is not understood: half an allow-list is none.
    pub fn load(pack: DefaultPack, files: &[PathBuf]) -> Result<Self, AllowError> {
        let mut list = Writing::default();
        if pack == DefaultPack::Used {
            list.add(Path::new(DEFAULT_NAME), DEFAULT_PACK)?;
        }
        for file in files {
            let failed = |reason| AllowError { file: file.clone(), line: None, reason };
            let length = std::fs::metadata(file).map(|meta| meta.len()).unwrap_or(0);
            if length > limits::ALLOW_BYTES {
                return Err(failed(format!("longer than {} bytes", limits::ALLOW_BYTES)));
            }
            let text = std::fs::read_to_string(file)
                .map_err(|error| failed(format!("cannot be read: {error}")))?;
            list.add(file, &text)?;
        }
        let Writing { index, rules_of_values, rules } = list;
        Ok(Self { finder: Finder::new(vec![Arc::new(index)]), rules_of_values, rules })
    }

    /// The entry of that number.
    #[must_use]
    pub fn rule(&self, id: AllowId) -> Option<&Rule> {
        self.rules.get(id.0 as usize)
    }

    /// All entries.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first entry that silences what was seen, for a detector at a packet time. An endpoint is
    /// silenced by its address, a URL by its host.
    #[must_use]
    pub fn silences(
        &self,
        observable: &Observable<'_>,
        detector: &str,
        at: Timestamp,
    ) -> Option<AllowId> {
        let mut first: Option<u32> = None;
        let mut found = |_, value: u32| {
            let Some(&rule) = self.rules_of_values.get(value as usize) else { return };
            let applies = self.rules.get(rule as usize).is_some_and(|rule| {
                let scoped = rule.detectors.is_empty();
                (scoped || rule.detectors.iter().any(|name| name == detector))
                    && rule.validity.holds_at(at)
            });
            if applies {
                first = Some(first.map_or(rule, |first| first.min(rule)));
            }
        };
        if let Observable::Url(url) = *observable {
            if let Ok(url) = canonical_url(url) {
                match host_of(&url) {
                    Ok(address) => self.finder.look_up(&Observable::Address(address), &mut found),
                    Err(name) => self.finder.look_up(&Observable::Domain(name), &mut found),
                }
            }
        } else {
            self.finder.look_up(observable, &mut found);
        }
        first.map(AllowId)
    }
}

/// A list that is being read.
#[derive(Default)]
struct Writing {
    index: Index,
    rules_of_values: Vec<u32>,
    rules: Vec<Rule>,
}

impl Writing {
    fn add(&mut self, file: &Path, text: &str) -> Result<(), AllowError> {
        let fail = |span: Option<std::ops::Range<usize>>, reason: String| AllowError {
            file: file.to_owned(),
            line: span.map(|span| line_of(text, span.start)),
            reason,
        };
        let written: Written =
            toml::from_str(text).map_err(|error| fail(error.span(), error.message().to_owned()))?;
        for rule in written.allow {
            let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
            for (values, keys_of) in [
                (&rule.names, name_keys as fn(&str) -> Option<Vec<Key>>),
                (&rule.addresses, address_keys),
                (&rule.hashes, hash_keys),
            ] {
                for value in values {
                    let bad = |reason| fail(Some(value.span()), reason);
                    let keys = keys_of(value.as_ref())
                        .ok_or_else(|| bad(format!("{:?} is not understood", value.as_ref())))?;
                    for key in keys {
                        let full = || bad("the allow-list is full".to_owned());
                        self.index.insert(&key).ok_or_else(full)?;
                        self.rules_of_values.push(number);
                    }
                }
            }
            let until = match &rule.until {
                None => None,
                Some(until) => seconds_until(until.as_ref().to_string().trim_matches('"'))
                    .ok_or_else(|| fail(Some(until.span()), "until is no date".to_owned()))?,
            };
            self.rules.push(Rule {
                id: rule.id,
                file: file.to_owned(),
                reason: rule.reason,
                detectors: rule.detectors,
                validity: Validity { from: None, until },
            });
        }
        Ok(())
    }
}

/// Whether the default pack is part of an allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultPack {
    /// It is.
    Used,
    /// It is not: the files say everything.
    Unused,
}

fn name_keys(text: &str) -> Option<Vec<Key>> {
    // One label is fine here: `.arpa` asks about nothing that a feed should name.
    Key::allowed_name(text).ok().map(|key| vec![key])
}

fn address_keys(text: &str) -> Option<Vec<Key>> {
    let key = match text.parse::<IpAddr>() {
        Ok(_) => Key::parse(Kind::Address, text).ok()?,
        Err(_) => network_of_any_size(text).ok()?,
    };
    Some(vec![key])
}

/// Nobody says whether a hash is a file's or a certificate's; a hash is not met by chance.
fn hash_keys(text: &str) -> Option<Vec<Key>> {
    let kinds: &[Kind] = match text.len() {
        32 => &[Kind::FileMd5, Kind::Ja3],
        40 => &[Kind::FileSha1, Kind::CertificateSha1],
        64 => &[Kind::FileSha256, Kind::CertificateSha256],
        _ => &[Kind::Ja4],
    };
    kinds.iter().map(|&kind| Key::parse(kind, text).ok()).collect()
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.bytes().take(at).filter(|&byte| byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests;
