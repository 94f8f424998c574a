//! A table with a bound: the entry that was not asked for the longest time makes room.
//!
//! In: keys and values. Out: the values, and a count of those that were forgotten. What is
//! forgotten depends on the order of the calls alone, so that detectors stay the same on every run.

use std::hash::Hash;
use std::num::NonZeroUsize;

use foldhash::fast::RandomState;
use lru::LruCache;

/// A bounded table.
#[derive(Debug)]
pub struct Recent<K: Hash + Eq, V> {
    entries: LruCache<K, V, RandomState>,
    evicted: u64,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// For at most that many entries; at least one. Memory is taken as entries come.
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        let bound = NonZeroUsize::new(entries_max).unwrap_or(NonZeroUsize::MIN);
        let mut entries = LruCache::unbounded_with_hasher(RandomState::default());
        entries.resize(bound);
        Self { entries, evicted: 0 }
    }

    /// The value under a key, which counts as asked for.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// The value under a key, which does not count.
    #[must_use]
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.entries.peek(key)
    }

    /// The value under a key, made if there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if self.is_full() && !self.entries.contains(&key) {
            self.entries.pop_lru();
            self.evicted = self.evicted.saturating_add(1);
        }
        self.entries.get_or_insert_mut(key, make)
    }

    /// Puts a value under a key; the one that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.is_full() && !self.entries.contains(&key) {
            self.entries.pop_lru();
            self.evicted = self.evicted.saturating_add(1);
        }
        self.entries.put(key, value)
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.pop(key)
    }

    /// The entry that would make room next.
    #[must_use]
    pub fn oldest(&self) -> Option<(&K, &V)> {
        self.entries.peek_lru()
    }

    /// Takes that entry out.
    pub fn remove_oldest(&mut self) -> Option<(K, V)> {
        self.entries.pop_lru()
    }

    /// All entries, those asked for last first: an order that is the same on every run.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// All entries in the same order, to be changed; none counts as asked for.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries made room for others.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= self.entries.cap().get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_the_longest_time_makes_room_and_is_counted() {
        let mut recent = Recent::new(2);
        recent.insert("a", 1);
        recent.insert("b", 2);
        assert_eq!(recent.get_mut(&"a"), Some(&mut 1));
        assert_eq!(*recent.entry("c", || 3), 3);
        assert_eq!((recent.peek(&"b"), recent.evicted(), recent.len()), (None, 1, 2));
        assert_eq!(*recent.entry("a", || 9), 1);
        assert_eq!(recent.oldest(), Some((&"c", &3)));
        assert_eq!(recent.insert("c", 4), Some(3));
        assert_eq!(recent.evicted(), 1);
        let order: Vec<_> = recent.iter().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(order, [("c", 4), ("a", 1)]);
    }
}
