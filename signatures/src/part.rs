//! The indicators of one feed, packed. In: a [`Feed`]. Out: a [`Part`], about sixty bytes an
//! indicator, and a [`Tally`] of what was taken and what was not.

use std::sync::Arc;

use crate::feeds::{Cost, Feed, Intake, Place, Refusal};
use crate::index::Index;
use crate::limits;
use crate::profile::Profiles;
use crate::value::Kind;
use crate::{Context, Indicator, Origin, Validity};

/// Says "no such second": validity is packed into 32 bits.
const OPEN_FROM: u32 = 0;
const OPEN_UNTIL: u32 = u32::MAX;
const NO_LINE: u32 = 0;

/// Bytes of a line of the shortest feeds, lists of names: what a table is made for, so that it
/// need not grow while a large feed is read. What was too much is given back.
const BYTES_PER_LINE: u64 = 24;

/// An indicator, packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    key: u32,
    profile: u32,
    from: u32,
    until: u32,
    line: u32,
}

impl Entry {
    pub(crate) fn validity(self) -> Validity {
        Validity {
            from: (self.from != OPEN_FROM).then_some(self.from),
            until: (self.until != OPEN_UNTIL).then_some(self.until),
        }
    }

    fn says_the_same(self, other: Self) -> bool {
        Self { line: NO_LINE, ..self } == Self { line: NO_LINE, ..other }
    }
}

/// The indicators of one feed, packed; never changed once they are read.
#[derive(Clone, Default)]
pub struct Part {
    index: Arc<Index>,
    entries: Vec<Entry>,
    profiles: Profiles,
}

impl Part {
    /// Reads a feed; what it gave.
    #[must_use]
    pub fn load(feed: &Feed) -> (Self, Tally) {
        Self::load_wanted(feed, &mut |_| true)
    }

    /// Reads a feed, but takes only the indicators that are `wanted`; what it gave.
    #[must_use]
    pub fn load_wanted(feed: &Feed, wanted: &mut dyn FnMut(&Indicator) -> bool) -> (Self, Tally) {
        let mut packing = Packing::default();
        let bytes = std::fs::metadata(&feed.path).map_or(0, |metadata| metadata.len());
        let lines = usize::try_from(bytes / BYTES_PER_LINE).unwrap_or(0);
        packing.index.reserve(lines.min(limits::INDICATORS));
        let mut chosen = Chosen { packing, wanted };
        feed.read(&mut chosen);
        let Packing { mut index, mut entries, profiles, tally, .. } = chosen.packing;
        index.shrink();
        entries.shrink_to_fit();
        (Self { index: Arc::new(index), entries, profiles }, tally)
    }

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

    pub(crate) fn indicator(&self, entry: u32) -> Option<Indicator> {
        let entry = self.entries.get(entry as usize)?;
        Some(Indicator {
            key: self.index.key(entry.key)?,
            context: self.profiles.get(entry.profile)?,
            validity: entry.validity(),
            origin: Origin { line: (entry.line != NO_LINE).then_some(entry.line) },
        })
    }

    pub(crate) fn entry(&self, entry: u32) -> Option<Entry> {
        self.entries.get(entry as usize).copied()
    }

    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.index
    }

    pub(crate) fn memory(&self) -> usize {
        self.index.memory() + self.profiles.memory() + self.entries.capacity() * size_of::<Entry>()
    }
}

/// What a feed gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Indicators taken, by kind.
    taken: [usize; Kind::ALL.len()],
    /// Indicators that the feed had given already, with the same story.
    pub repeated: usize,
    /// Indicators beyond [`limits::SAME_VALUE`] for one value.
    pub crowded: usize,
    /// Indicators for which there was no room ([`limits::INDICATORS`], [`limits::ARENA_BYTES`]).
    pub no_room: usize,
    /// Entries that the feed itself withdraws or does not mean for detection.
    pub withheld: usize,
    /// What was refused, at most [`limits::REFUSALS_KEPT`].
    pub refusals: Vec<Refusal>,
    /// How many were refused.
    pub refused: usize,
    /// How many of these were whole lines of a list or table.
    refused_lines: usize,
    /// How many of these cost the rest of their file.
    lost: usize,
}

impl Tally {
    /// Indicators of one kind that were taken.
    #[must_use]
    pub fn taken(&self, kind: Kind) -> usize {
        self.taken.get(usize::from(kind.number())).copied().unwrap_or(0)
    }

    /// Whether the feed is damaged rather than merely imperfect, so that the `before` indicators
    /// that it gave last are better than these: a file of it could not be read to its end, or most
    /// of its lines and most of its indicators are gone, as when a server answers with a page for
    /// people.
    #[must_use]
    pub fn is_damaged(&self, before: usize) -> bool {
        let understood = self.total() + self.repeated + self.crowded + self.withheld;
        self.lost > 0 || (self.refused_lines > understood && understood < before.div_ceil(2))
    }

    /// All indicators that were taken.
    #[must_use]
    pub fn total(&self) -> usize {
        self.taken.iter().sum()
    }
}

/// A part that takes only what is wanted.
struct Chosen<'a> {
    packing: Packing,
    wanted: &'a mut dyn FnMut(&Indicator) -> bool,
}

impl Intake for Chosen<'_> {
    fn indicator(&mut self, indicator: Indicator) {
        if (self.wanted)(&indicator) {
            self.packing.indicator(indicator);
        }
    }

    fn withheld(&mut self) {
        self.packing.withheld();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.packing.refuse(refusal);
    }
}

/// A part that is being made.
#[derive(Default)]
struct Packing {
    index: Index,
    entries: Vec<Entry>,
    profiles: Profiles,
    /// The context that came last, and its number.
    last: Option<(Context, u32)>,
    tally: Tally,
}

impl Packing {
    /// The number of a context, which is mostly that of the line before.
    fn profile(&mut self, context: &Context) -> Option<u32> {
        if let Some((known, number)) = &self.last
            && known == context
        {
            return Some(*number);
        }
        let number = self.profiles.intern(context)?;
        self.last = Some((context.clone(), number));
        Some(number)
    }

    /// Adds one, unless it is there already; none when there is no room.
    fn add(&mut self, indicator: &Indicator) -> Option<()> {
        let key = &indicator.key;
        let mut entry = Entry {
            key: 0,
            profile: self.profile(&indicator.context)?,
            from: indicator.validity.from.unwrap_or(OPEN_FROM),
            until: indicator.validity.until.unwrap_or(OPEN_UNTIL),
            line: indicator.origin.line.unwrap_or(NO_LINE),
        };
        let mut others = 0;
        let place = self.index.place(key);
        for other in self.index.under(place) {
            let Some(&other) = self.entries.get(other as usize) else { continue };
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
        entry.key = self.index.insert_at(place, key)?;
        self.entries.push(entry);
        if let Some(taken) = self.tally.taken.get_mut(usize::from(key.kind().number())) {
            *taken += 1;
        }
        Some(())
    }
}

impl Intake for Packing {
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
        self.tally.refused_lines += usize::from(matches!(refusal.place, Place::Line(_)));
        self.tally.lost += usize::from(refusal.cost == Cost::Rest);
        if self.tally.refusals.len() < limits::REFUSALS_KEPT {
            self.tally.refusals.push(refusal);
        }
    }
}
