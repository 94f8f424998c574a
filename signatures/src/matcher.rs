//! The question that all this is for: is what was seen known? In: indicators from feeds, then
//! observables with their packet time. Out: hits, or the allow-list's entry that silences them.

use std::sync::Arc;

use analyzers::Timestamp;
use smallvec::SmallVec;

use crate::Indicator;
use crate::allow::{AllowId, AllowList};
use crate::index::Finder;
use crate::lists::Lists;
use crate::observable::Observable;
use crate::part::{Entry, Part};
use crate::value::Kind;

/// The detector's name under which allow-lists know this room.
pub const DETECTOR: &str = "intel";

/// All indicators, one part for each feed, ready for look-ups. A feed that changes costs its own
/// part and a pass over the others' keys, not their files.
#[derive(Clone, Default)]
pub struct IndicatorSet {
    parts: Vec<Arc<Part>>,
    finder: Finder,
}

/// An indicator that matched; [`IndicatorSet::indicator`] tells its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    part: u32,
    entry: u32,
}

/// All indicators that matched, in the order in which they were loaded. More than a few happen when
/// several feeds name the same thing.
pub type Hits = SmallVec<[Hit; 4]>;

impl IndicatorSet {
    /// Of these parts, whose order is the order of hits.
    #[must_use]
    pub fn new(parts: Vec<Arc<Part>>) -> Self {
        let finder = Finder::new(parts.iter().map(|part| Arc::clone(part.index())).collect());
        Self { parts, finder }
    }

    /// How many indicators it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }

    /// How many values of a kind it holds; one that two feeds name counts twice.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.parts.iter().map(|part| part.index().count(kind)).sum()
    }

    /// Bytes of memory it holds.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.memory()).sum::<usize>() + self.finder.memory()
    }

    /// Indicators that name what was seen and hold at that packet time.
    #[must_use]
    pub fn look_up(&self, observable: &Observable<'_>, at: Timestamp) -> Hits {
        let mut hits = self.look_up_any_time(observable);
        hits.retain(|hit| self.entry(*hit).is_some_and(|entry| entry.validity().holds_at(at)));
        hits
    }

    /// Indicators that name what was seen, also those that are not valid yet or any more.
    #[must_use]
    pub fn look_up_any_time(&self, observable: &Observable<'_>) -> Hits {
        let mut hits = Hits::new();
        self.finder.look_up(observable, &mut |part, entry| hits.push(Hit { part, entry }));
        hits.sort_unstable();
        hits
    }

    /// What a hit stands for; none for a hit of another set.
    #[must_use]
    pub fn indicator(&self, hit: Hit) -> Option<Indicator> {
        self.parts.get(hit.part as usize)?.indicator(hit.entry)
    }

    fn is_tagged(&self, hit: Hit, tag: &str) -> bool {
        let indicator = self.indicator(hit);
        indicator.is_some_and(|indicator| indicator.context.tags.iter().any(|other| other == tag))
    }

    /// All indicators, in the order in which they were loaded.
    pub fn indicators(&self) -> impl Iterator<Item = Indicator> + '_ {
        self.parts.iter().flat_map(|part| {
            let end = u32::try_from(part.len()).unwrap_or(u32::MAX);
            (0..end).filter_map(|entry| part.indicator(entry))
        })
    }

    fn entry(&self, hit: Hit) -> Option<Entry> {
        self.parts.get(hit.part as usize)?.entry(hit.entry)
    }
}

/// Indicators and the allow-list that wins over them.
#[derive(Clone, Default)]
pub struct Matcher {
    /// What is known to be bad.
    pub indicators: IndicatorSet,
    /// What never is.
    pub allow: Arc<AllowList>,
    /// What values are that are neither.
    pub lists: Arc<Lists>,
}

/// The answer for one observable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Indicators that matched.
    pub hits: Hits,
    /// The allow-list's entry that silences them; hits stay, so that they can be counted and shown.
    pub silenced_by: Option<AllowId>,
}

impl Matches {
    /// Whether there is something to tell.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        !self.hits.is_empty() && self.silenced_by.is_none()
    }
}

impl Matcher {
    /// Whether what was seen is known, at its packet time. What an allow-list silences is counted
    /// there.
    #[must_use]
    pub fn matches(&self, observable: &Observable<'_>, at: Timestamp) -> Matches {
        let mut hits = self.indicators.look_up(observable, at);
        // Nearly everything that is seen is unknown: the allow-list is asked for the rest only.
        if hits.is_empty() {
            return Matches::default();
        }
        let Some(id) = self.allow.silences(observable, DETECTOR, at) else {
            return Matches { hits, silenced_by: None };
        };
        if let Some(tag) = self.allow.rule(id).and_then(|rule| rule.unless_tag.as_deref()) {
            let meant = |hit: &Hit| self.indicators.is_tagged(*hit, tag);
            if hits.iter().any(meant) {
                hits.retain(|hit| meant(hit));
                return Matches { hits, silenced_by: None };
            }
        }
        self.allow.count(id);
        Matches { hits, silenced_by: Some(id) }
    }
}

#[cfg(test)]
mod tests;
