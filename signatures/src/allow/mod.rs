//! What is never bad, or known to be harmless: the allow-list. In: TOML files, and a pack of our
//! own. Out: for what was seen, the entry that silences it; for a finding, the entry that silences,
//! lowers or tags it.
//!
//! ```toml
//! [[allow]]
//! id = "updates"                          # what alerts and counters call it
//! reason = "our package mirror"
//! owner = "platform team"
//! mode = "suppress"                       # or "lower" (half as sure), "tag"
//! detectors = ["intel"]                   # absent: all
//! until = 2027-01-01                      # absent: for ever
//! # What was seen; one of these is enough.
//! names = ["mirror.example", ".cdn.example"]  # a leading dot: with all sub-domains
//! addresses = ["192.0.2.7", "198.51.100.0/24"]
//! hashes = ["d41d8cd98f00b204e9800998ecf8427e"]
//! # Who, how and when; all that are given must hold.
//! src = ["10.0.0.20", "10.2.0.0/24", ".lab.example", "AS64500"]
//! dst = ["10.3.0.0/16"]
//! ports = [3389]
//! protocols = ["rdp"]
//! users = ["zhang"]
//! user_agents = ["check/1.0"]
//! days = ["workdays"]                     # mon to sun, workdays, weekend, all
//! hours = "18:00-08:00"                   # a night belongs to the day on which it begins
//! timezone = "Asia/Shanghai"              # absent: the sensor's
//! ```
//!
//! An entry that names what an indicator named wins over every feed. One that goes by who or when
//! leaves findings alone that are sure by themselves (intelligence of 90 % and more, exploits,
//! canaries), unless it says `override_intel = true`. With `unless_tag = "x"` an entry yields to
//! indicators that their feed tagged `x`.

mod end;
mod read;
mod rule;
mod when;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use analyzers::Timestamp;
use jiff::tz::TimeZone;
use smallvec::SmallVec;

pub use end::Party;
pub use rule::{Mode, Rule, Subject};

use crate::index::Finder;
use crate::limits;
use crate::observable::Observable;
use read::Draft;
use rule::{Found, Reach};

/// Names and addresses that no feed should name: see `allow/default.toml`, which says why of each.
const DEFAULT_PACK: &str = include_str!("../../allow/default.toml");

/// Under which the default pack is told.
const DEFAULT_NAME: &str = "default allow-list";

/// A rule's number in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllowId(u32);

/// What an allow-list says about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// By which entry.
    pub id: AllowId,
    /// What becomes of it.
    pub mode: Mode,
}

/// What is never bad.
#[derive(Default)]
pub struct AllowList {
    finder: Finder,
    /// For each value that is looked up, its rule.
    rules_of_values: Vec<u32>,
    rules: Vec<Rule>,
    /// For each rule, how often it applied.
    hits: Vec<AtomicU64>,
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

/// Whether the default pack is part of an allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultPack {
    /// It is.
    Used,
    /// It is not: the files say everything.
    Unused,
}

impl AllowList {
    /// The default pack and these files; hours are the zone's where an entry names no other.
    ///
    /// # Errors
    /// A file cannot be read, or something in it is not understood: half an allow-list is none.
    pub fn load(pack: DefaultPack, files: &[PathBuf], zone: &TimeZone) -> Result<Self, AllowError> {
        Self::load_with(pack, files, &[], zone)
    }

    /// The same, and behind them texts that are in no file yet, each under the name by which it is
    /// told.
    ///
    /// # Errors
    /// As for [`AllowList::load`].
    pub fn load_with(
        pack: DefaultPack,
        files: &[PathBuf],
        texts: &[(PathBuf, String)],
        zone: &TimeZone,
    ) -> Result<Self, AllowError> {
        let mut draft = Draft::default();
        if pack == DefaultPack::Used {
            draft.add(Path::new(DEFAULT_NAME), DEFAULT_PACK, zone, Reach::Indicators)?;
        }
        for file in files {
            let failed = |reason| AllowError { file: file.clone(), line: None, reason };
            let length = std::fs::metadata(file).map(|meta| meta.len()).unwrap_or(0);
            if length > limits::ALLOW_BYTES {
                return Err(failed(format!("longer than {} bytes", limits::ALLOW_BYTES)));
            }
            let text = std::fs::read_to_string(file)
                .map_err(|error| failed(format!("cannot be read: {error}")))?;
            draft.add(file, &text, zone, Reach::Findings)?;
        }
        for (name, text) in texts {
            draft.add(name, text, zone, Reach::Findings)?;
        }
        let Draft { index, rules_of_values, rules } = draft;
        let hits = rules.iter().map(|_| AtomicU64::new(0)).collect();
        Ok(Self { finder: Finder::new(vec![Arc::new(index)]), rules_of_values, rules, hits })
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

    /// All entries, each with how often it applied. One that never does may be out of date.
    pub fn counted(&self) -> impl Iterator<Item = (&Rule, u64)> + '_ {
        self.rules.iter().zip(self.hits.iter().map(|hits| hits.load(Ordering::Relaxed)))
    }

    /// Goes on counting where a list that this one replaces has come to, entry by entry.
    pub fn continue_counts(&self, replaced: &Self) {
        for (rule, hits) in replaced.counted().filter(|&(_, hits)| hits > 0) {
            let same = |other: &Rule| other.id == rule.id && other.file == rule.file;
            if let Some(counter) = self.rules.iter().position(same).and_then(|at| self.hits.get(at))
            {
                counter.store(hits, Ordering::Relaxed);
            }
        }
    }

    /// Counts that an entry applied.
    pub fn count(&self, id: AllowId) {
        if let Some(hits) = self.hits.get(id.0 as usize) {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The first entry that silences what was seen, whoever did it, for a detector at a packet
    /// time. An endpoint is silenced by its address, a URL by its host. Nothing is counted.
    #[must_use]
    pub fn silences(
        &self,
        seen: &Observable<'_>,
        detector: &str,
        at: Timestamp,
    ) -> Option<AllowId> {
        let mut first: Option<u32> = None;
        self.for_each_naming(seen, &mut |number, rule| {
            if rule.silences(detector, at) {
                first = Some(first.map_or(number, |first| first.min(number)));
            }
        });
        first.map(AllowId)
    }

    /// What is said about a finding, at a packet time: the strongest mode wins, the first entry
    /// among equals. It is counted.
    #[must_use]
    pub fn judge(&self, subject: &Subject<'_>, at: Timestamp) -> Option<Verdict> {
        let mut best: Option<(Mode, u32)> = None;
        let mut ask = |number: u32, rule: &Rule, found| {
            if rule.applies(subject, found, at) {
                let this = (rule.mode, number);
                best = Some(best.map_or(this, |best| best.min(this)));
            }
        };
        if let Some(seen) = &subject.observable {
            self.for_each_naming(seen, &mut |number, rule| ask(number, rule, Found::Indicator));
        }
        let parties = [subject.src, subject.dst];
        let ends = parties.iter().flat_map(|party| {
            let name = party.name.map(Observable::Domain);
            name.into_iter().chain(party.address.map(Observable::Address))
        });
        for seen in ends.chain(subject.ja4.map(Observable::Ja4)) {
            self.for_each_naming(&seen, &mut |number, rule| ask(number, rule, Found::Behaviour));
        }
        for (number, rule) in (0..).zip(&self.rules).filter(|(_, rule)| !rule.by_value) {
            ask(number, rule, Found::Behaviour);
        }
        let (mode, number) = best?;
        let id = AllowId(number);
        self.count(id);
        Some(Verdict { id, mode })
    }

    /// Gives each entry that names what was seen to `each`.
    fn for_each_naming(&self, seen: &Observable<'_>, each: &mut impl FnMut(u32, &Rule)) {
        let mut numbers: SmallVec<[u32; 4]> = SmallVec::new();
        let mut found =
            |_, value: u32| numbers.extend(self.rules_of_values.get(value as usize).copied());
        self.finder.look_up_owner(seen, &mut found);
        for number in numbers {
            if let Some(rule) = self.rules.get(number as usize) {
                each(number, rule);
            }
        }
    }
}

#[cfg(test)]
mod tests;
