//! Contexts, packed. Feeds say the same of thousands of values; a set keeps each story once.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::interner::Interner;
use crate::{Confidence, Context, Severity, Stage, Technique};

const NO_WORD: u32 = u32::MAX;

/// Joins tags in one word: the character that ASCII has for it.
const TAG_SEPARATOR: &str = "\u{1f}";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Profile {
    source: u32,
    family: u32,
    actor: u32,
    tags: u32,
    reference: u32,
    advice: u32,
    technique: Option<Technique>,
    confidence: Option<Confidence>,
    severity: Option<Severity>,
    stage: Option<Stage>,
}

/// All contexts of a set.
#[derive(Clone, Default)]
pub(crate) struct Profiles {
    words: Interner,
    profiles: Vec<Profile>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Profiles {
    /// The number of a context; none when there is no room.
    pub(crate) fn intern(&mut self, context: &Context) -> Option<u32> {
        let tags = (!context.tags.is_empty()).then(|| context.tags.join(TAG_SEPARATOR));
        let profile = Profile {
            source: self.word(Some(&context.source))?,
            family: self.word(context.family.as_deref())?,
            actor: self.word(context.actor.as_deref())?,
            tags: self.word(tags.as_deref())?,
            reference: self.word(context.reference.as_deref())?,
            advice: self.word(context.advice.as_deref())?,
            technique: context.technique,
            confidence: context.confidence,
            severity: context.severity,
            stage: context.stage,
        };
        let Self { profiles, numbers, hasher, .. } = self;
        let hash = hasher.hash_one(profile);
        let same = |&number: &u32| profiles.get(number as usize) == Some(&profile);
        if let Some(&number) = numbers.find(hash, same) {
            return Some(number);
        }
        let number = u32::try_from(profiles.len()).ok()?;
        profiles.push(profile);
        numbers.insert_unique(hash, number, |&number| hasher.hash_one(profiles[number as usize]));
        Some(number)
    }

    /// The context of that number.
    pub(crate) fn get(&self, number: u32) -> Option<Context> {
        let profile = self.profiles.get(number as usize)?;
        let tags = self.text(profile.tags).unwrap_or_default();
        Some(Context {
            source: Arc::from(self.text(profile.source).unwrap_or_default()),
            family: self.text(profile.family),
            actor: self.text(profile.actor),
            confidence: profile.confidence,
            severity: profile.severity,
            stage: profile.stage,
            technique: profile.technique,
            tags: tags.split_terminator(TAG_SEPARATOR).map(str::to_owned).collect(),
            reference: self.text(profile.reference),
            advice: self.text(profile.advice),
        })
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.words.memory()
            + self.profiles.capacity() * size_of::<Profile>()
            + self.numbers.allocation_size()
    }

    fn word(&mut self, text: Option<&str>) -> Option<u32> {
        text.map_or(Some(NO_WORD), |text| self.words.intern(0, text.as_bytes()))
    }

    fn text(&self, word: u32) -> Option<String> {
        if word == NO_WORD {
            return None;
        }
        Some(String::from_utf8_lossy(self.words.get(word).1).into_owned())
    }
}
