//! The question that all this is for: is what was seen known? In: indicators from feeds, then
//! observables with their packet time. Out: hits, or the allow-list's entry that silences them.

use analyzers::Timestamp;
use smallvec::SmallVec;

use crate::allow::{AllowId, AllowList};
use crate::feeds::{Feed, Intake, Refusal};
use crate::index::Index;
use crate::limits;
use crate::observable::Observable;
use crate::profile::Profiles;
use crate::value::Kind;
use crate::{Indicator, Origin, Validity};

/// The detector's name under which allow-lists know this room.
pub const DETECTOR: &str = "intel";

/// Says "no such second": validity is packed into 32 bits.
const OPEN_FROM: u32 = 0;
const OPEN_UNTIL: u32 = u32::MAX;
const NO_LINE: u32 = 0;

/// An indicator, packed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    key: u32,
    profile: u32,
    from: u32,
    until: u32,
    line: u32,
}

impl Entry {
    fn validity(self) -> Validity {
        Validity {
            from: (self.from != OPEN_FROM).then_some(self.from),
            until: (self.until != OPEN_UNTIL).then_some(self.until),
        }
    }

    fn says_the_same(self, other: Self) -> bool {
        Self { line: NO_LINE, ..self } == Self { line: NO_LINE, ..other }
    }
}

/// Indicators, packed for look-ups; made by a [`SetBuilder`], never changed afterwards.
#[derive(Clone, Default)]
pub struct IndicatorSet {
    index: Index,
    entries: Vec<Entry>,
    profiles: Profiles,
}

/// An indicator that matched; [`IndicatorSet::indicator`] tells its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit(u32);

/// All indicators that matched, in the order in which they were loaded. More than a few happen when
/// several feeds name the same thing.
pub type Hits = SmallVec<[Hit; 4]>;

impl IndicatorSet {
    /// How many indicators it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many different values of a kind it holds.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.index.count(kind)
    }

    /// Bytes of memory it holds.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.index.memory() + self.profiles.memory() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Indicators that name what was seen and hold at that packet time.
    #[must_use]
    pub fn look_up(&self, observable: &Observable<'_>, at: Timestamp) -> Hits {
        let mut hits = self.look_up_any_time(observable);
        hits.retain(|hit| {
            self.entries.get(hit.0 as usize).is_some_and(|entry| entry.validity().holds_at(at))
        });
        hits
    }

    /// Indicators that name what was seen, also those that are not valid yet or any more.
    #[must_use]
    pub fn look_up_any_time(&self, observable: &Observable<'_>) -> Hits {
        let mut hits = Hits::new();
        self.index.look_up(observable, &mut |entry| hits.push(Hit(entry)));
        hits.sort_unstable();
        hits
    }

    /// What a hit stands for; none for a hit of another set.
    #[must_use]
    pub fn indicator(&self, hit: Hit) -> Option<Indicator> {
        let entry = self.entries.get(hit.0 as usize)?;
        Some(Indicator {
            key: self.index.key(entry.key)?,
            context: self.profiles.get(entry.profile)?,
            validity: entry.validity(),
            origin: Origin { line: (entry.line != NO_LINE).then_some(entry.line) },
        })
    }

    /// All indicators, in the order in which they were loaded.
    pub fn indicators(&self) -> impl Iterator<Item = Indicator> + '_ {
        let end = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        (0..end).filter_map(|entry| self.indicator(Hit(entry)))
    }
}

/// What a feed gave to a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Indicators taken, by kind.
    taken: [usize; Kind::ALL.len()],
    /// Indicators that the set had already, with the same story.
    pub repeated: usize,
    /// Indicators beyond [`limits::SAME_VALUE`] for one value.
    pub crowded: usize,
    /// Indicators for which the set had no room ([`limits::INDICATORS`], [`limits::ARENA_BYTES`]).
    pub no_room: usize,
    /// Entries that the feed itself withdraws or does not mean for detection.
    pub withheld: usize,
    /// What was refused, at most [`limits::REFUSALS_KEPT`].
    pub refusals: Vec<Refusal>,
    /// How many were refused.
    pub refused: usize,
}

impl Tally {
    /// Indicators of one kind that were taken.
    #[must_use]
    pub fn taken(&self, kind: Kind) -> usize {
        self.taken.get(usize::from(kind.number())).copied().unwrap_or(0)
    }

    /// All indicators that were taken.
    #[must_use]
    pub fn total(&self) -> usize {
        self.taken.iter().sum()
    }
}

/// Makes a set out of what feeds give.
#[derive(Default)]
pub struct SetBuilder {
    set: IndicatorSet,
    tally: Tally,
}

impl SetBuilder {
    /// An empty set to be filled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a feed into the set; what it gave.
    pub fn load(&mut self, feed: &Feed) -> Tally {
        self.tally = Tally::default();
        feed.read(self);
        std::mem::take(&mut self.tally)
    }

    /// The set, ready.
    #[must_use]
    pub fn finish(mut self) -> IndicatorSet {
        self.set.index.finish();
        self.set
    }

    /// Adds one, unless it is there already; none when there is no room.
    fn add(&mut self, indicator: &Indicator) -> Option<()> {
        let set = &mut self.set;
        let key = &indicator.key;
        let mut entry = Entry {
            key: 0,
            profile: set.profiles.intern(&indicator.context)?,
            from: indicator.validity.from.unwrap_or(OPEN_FROM),
            until: indicator.validity.until.unwrap_or(OPEN_UNTIL),
            line: indicator.origin.line.unwrap_or(NO_LINE),
        };
        let mut others = 0;
        for other in set.index.under(key) {
            let Some(&other) = set.entries.get(other as usize) else { continue };
            entry.key = other.key;
            if entry.says_the_same(other) {
                self.tally.repeated += 1;
                return Some(());
            }
            others += 1;
        }
        if others >= limits::SAME_VALUE {
            self.tally.crowded += 1;
            return Some(());
        }
        entry.key = set.index.insert(key)?;
        set.entries.push(entry);
        if let Some(taken) = self.tally.taken.get_mut(usize::from(key.kind().number())) {
            *taken += 1;
        }
        Some(())
    }
}

impl Intake for SetBuilder {
    fn indicator(&mut self, indicator: Indicator) {
        if self.add(&indicator).is_none() {
            self.tally.no_room += 1;
        }
    }

    fn withheld(&mut self) {
        self.tally.withheld += 1;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.tally.refused += 1;
        if self.tally.refusals.len() < limits::REFUSALS_KEPT {
            self.tally.refusals.push(refusal);
        }
    }
}

/// Indicators and the allow-list that wins over them.
#[derive(Clone, Default)]
pub struct Matcher {
    /// What is known to be bad.
    pub indicators: IndicatorSet,
    /// What never is.
    pub allow: AllowList,
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
    /// Whether what was seen is known, at its packet time.
    #[must_use]
    pub fn matches(&self, observable: &Observable<'_>, at: Timestamp) -> Matches {
        let hits = self.indicators.look_up(observable, at);
        // Nearly everything that is seen is unknown: the allow-list is asked for the rest only.
        let silenced_by =
            if hits.is_empty() { None } else { self.allow.silences(observable, DETECTOR, at) };
        Matches { hits, silenced_by }
    }
}

#[cfg(test)]
mod tests;
