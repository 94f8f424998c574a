//! Byte strings, each kept once. In: bytes. Out: a dense number for them, and back.
//!
//! All strings lie end to end in one arena; a number is found through a hash table of numbers, so a
//! string costs its bytes, four for where it begins and about seven in the table.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::limits;

/// One seed for all, so that a string hashed once can be looked for in many tables. It differs in
/// each process: who writes feeds cannot choose strings that collide.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Byte strings and their numbers. Each string has a tag, a byte that parts kinds.
#[derive(Clone)]
pub(crate) struct Interner {
    arena: Vec<u8>,
    /// Where each string begins, with its tag; it ends where the next one begins.
    starts: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Default for Interner {
    fn default() -> Self {
        Self {
            arena: Vec::new(),
            starts: Vec::new(),
            numbers: HashTable::new(),
            hasher: SEED.clone(),
        }
    }
}

impl Interner {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.arena.capacity() + self.starts.capacity() * 4 + self.numbers.allocation_size()
    }

    /// The number of a string; none when the arena is full.
    pub(crate) fn intern(&mut self, tag: u8, bytes: &[u8]) -> Option<u32> {
        let hash = self.hash(tag, bytes);
        self.find_hashed(hash, tag, bytes).or_else(|| self.add(hash, tag, bytes))
    }

    /// The number of a string that is not there yet, whose hash is known; none when the arena is
    /// full.
    pub(crate) fn add(&mut self, hash: u64, tag: u8, bytes: &[u8]) -> Option<u32> {
        if self.arena.len() + bytes.len() + 1 > limits::ARENA_BYTES {
            return None;
        }
        let number = u32::try_from(self.starts.len()).ok()?;
        self.starts.push(u32::try_from(self.arena.len()).ok()?);
        self.arena.push(tag);
        self.arena.extend_from_slice(bytes);
        let Self { arena, starts, numbers, hasher } = self;
        numbers.insert_unique(hash, number, |&number| {
            let (tag, bytes) = string(arena, starts, number);
            hash_of(hasher, tag, bytes)
        });
        Some(number)
    }

    /// A string's tag and bytes; empty for a number that was never given out.
    pub(crate) fn get(&self, number: u32) -> (u8, &[u8]) {
        string(&self.arena, &self.starts, number)
    }

    /// All strings with their tags, in the order of their numbers.
    pub(crate) fn strings(&self) -> impl Iterator<Item = (u8, &[u8])> + '_ {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(|number| self.get(number))
    }

    /// Makes room for so many more strings, so that the table of numbers need not grow.
    pub(crate) fn reserve(&mut self, more: usize) {
        let Self { arena, starts, numbers, hasher } = self;
        numbers.reserve(more, |&number| {
            let (tag, bytes) = string(arena, starts, number);
            hash_of(hasher, tag, bytes)
        });
    }

    /// Gives back the room that growing took beforehand.
    pub(crate) fn shrink(&mut self) {
        self.arena.shrink_to_fit();
        self.starts.shrink_to_fit();
        let Self { arena, starts, numbers, hasher } = self;
        numbers.shrink_to_fit(|&number| {
            let (tag, bytes) = string(arena, starts, number);
            hash_of(hasher, tag, bytes)
        });
    }

    /// The number of a string whose hash is known.
    pub(crate) fn find_hashed(&self, hash: u64, tag: u8, bytes: &[u8]) -> Option<u32> {
        self.numbers.find(hash, |&number| self.get(number) == (tag, bytes)).copied()
    }

    /// A string's hash, the same in every interner.
    pub(crate) fn hash(&self, tag: u8, bytes: &[u8]) -> u64 {
        hash_of(&self.hasher, tag, bytes)
    }
}

fn hash_of(hasher: &RandomState, tag: u8, bytes: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(bytes);
    hasher.write_u8(tag);
    hasher.finish()
}

fn string<'a>(arena: &'a [u8], starts: &[u32], number: u32) -> (u8, &'a [u8]) {
    let number = number as usize;
    let Some(&start) = starts.get(number) else { return (0, &[]) };
    let end = starts.get(number + 1).map_or(arena.len(), |&end| end as usize);
    match arena.get(start as usize..end) {
        Some([tag, bytes @ ..]) => (*tag, bytes),
        _ => (0, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_number_for_each_tag_and_is_found_again() {
        let mut interner = Interner::default();
        let mut numbers = Vec::new();
        for index in 0..2_000_u32 {
            numbers.push(interner.intern(1, index.to_string().as_bytes()).unwrap());
        }
        assert_eq!(numbers, (0..2_000).collect::<Vec<_>>());
        assert_eq!(interner.intern(1, b"77"), Some(77));
        assert_eq!(interner.intern(2, b"77"), Some(2_000));
        assert_eq!(interner.intern(1, b""), Some(2_001));
        assert_eq!(interner.get(77), (1, &b"77"[..]));
        assert_eq!(interner.get(2_000), (2, &b"77"[..]));
        assert_eq!(interner.get(2_001), (1, &b""[..]));
        for (tag, bytes, expected) in
            [(1, b"77", Some(77)), (2, b"77", Some(2_000)), (3, b"77", None), (1, b"7x", None)]
        {
            let hash = interner.hash(tag, bytes);
            assert_eq!(interner.find_hashed(hash, tag, bytes), expected);
        }
        let (memory, length) = (interner.memory(), interner.len());
        interner.reserve(100_000);
        assert!(interner.memory() > memory);
        interner.shrink();
        assert!(interner.memory() <= memory);
        assert_eq!((interner.len(), interner.intern(1, b"77")), (length, Some(77)));
    }
}
