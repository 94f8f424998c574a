//! A table with a bound: an entry that was not asked for in a long time makes room.
//!
//! In: keys and values. Out: the values, and a count of those that were forgotten. What is
//! forgotten depends on the order of the calls alone, so that detectors stay the same on every run.
//!
//! Entries lie in slots, and a hand goes round over these: the entry under it makes room, unless it
//! was asked for since the hand last came by (the clock algorithm: Corbató 1969). Strict order of
//! use would need a list, and with it the memory of two neighbours on every call; the slots under
//! the hand are next to each other.

use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Entries that may be spared to make one place: then one that was asked for goes all the same, so
/// that no call takes long.
const CHANCES: usize = 8;

/// Slots that are made together: memory comes as entries come, and none is ever moved.
const PAGE: usize = 256;

/// A bounded table.
#[derive(Debug)]
pub struct Recent<K, V> {
    /// Where each key is.
    index: HashTable<Located>,
    pages: Vec<Vec<Option<Entry<K, V>>>>,
    free: Vec<u32>,
    /// Slots that were ever used.
    slots: u32,
    slots_max: u32,
    /// The slot whose turn it is to make room, and the one that a sweep looked at last.
    hand: u32,
    swept: u32,
    /// Stands for a slot that is missing, which none is: so that no answer needs a panic.
    nowhere: Option<Entry<K, V>>,
    evicted: u64,
    hasher: RandomState,
}

/// Its hash is kept here, so that the index grows without a look at the slots.
#[derive(Clone, Copy, Debug)]
struct Located {
    hash: u64,
    slot: u32,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    hash: u64,
    /// Whether it was asked for since the hand came by.
    is_marked: bool,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// For at most that many entries; at least one. Memory is taken as entries come.
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self {
            index: HashTable::new(),
            pages: Vec::new(),
            free: Vec::new(),
            slots: 0,
            slots_max: u32::try_from(entries_max).unwrap_or(u32::MAX).max(1),
            hand: 0,
            swept: 0,
            nowhere: None,
            evicted: 0,
            hasher: RandomState::default(),
        }
    }

    /// The value under a key, which counts as asked for.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let slot = self.find(key)?;
        let entry = self.slot_mut(slot)?.as_mut()?;
        entry.is_marked = true;
        Some(&mut entry.value)
    }

    /// The value under a key, which does not count.
    #[must_use]
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.entry_at(self.find(key)?).map(|entry| &entry.value)
    }

    /// The value under a key, made if there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let hash = self.hasher.hash_one(&key);
        let known = self.find_hashed(hash, &key);
        let slot = known.unwrap_or_else(|| self.place(hash));
        let (page, place) = place_of(slot);
        let entry = self.pages.get_mut(page).and_then(|page| page.get_mut(place));
        let entry = entry.unwrap_or(&mut self.nowhere);
        if let Some(entry) = entry {
            entry.is_marked = true;
        }
        let make = || Entry { value: make(), key, hash, is_marked: false };
        &mut entry.get_or_insert_with(make).value
    }

    /// Puts a value under a key; the one that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let mut value = Some(value);
        let before =
            self.get_mut(&key).and_then(|held| Some(std::mem::replace(held, value.take()?)));
        if let Some(value) = value {
            self.entry(key, || value);
        }
        before
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.find(key)?;
        let entry = self.take(slot)?;
        self.free.push(slot);
        Some(entry.value)
    }

    /// Looks at one entry in so many, at the next ones with each call, and takes out those that are
    /// over.
    pub fn sweep(&mut self, one_in: u32, mut is_over: impl FnMut(&V) -> bool) {
        for _ in 0..self.slots.div_ceil(one_in.max(1)) {
            self.swept = next(self.swept, self.slots);
            if self.entry_at(self.swept).is_some_and(|entry| is_over(&entry.value)) {
                self.take(self.swept);
                self.free.push(self.swept);
            }
        }
    }

    /// The entry that would make room next.
    pub fn next_out(&mut self) -> Option<(&K, &V)> {
        let slot = self.turn()?;
        self.entry_at(slot).map(|entry| (&entry.key, &entry.value))
    }

    /// Takes all entries out, in the order of [`iter`](Self::iter).
    pub fn drain(&mut self) -> impl Iterator<Item = (K, V)> + use<K, V> {
        self.index.clear();
        self.free.clear();
        self.slots = 0;
        let pages = std::mem::take(&mut self.pages);
        pages.into_iter().flatten().flatten().map(|entry| (entry.key, entry.value))
    }

    /// All entries, in an order that is the same on every run.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.pages.iter().flatten().flatten().map(|entry| (&entry.key, &entry.value))
    }

    /// All entries in the same order, to be changed; none counts as asked for.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.pages.iter_mut().flatten().flatten().map(|entry| (&entry.key, &mut entry.value))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// How many entries made room for others.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, key: &K) -> Option<u32> {
        self.find_hashed(self.hasher.hash_one(key), key)
    }

    fn find_hashed(&self, hash: u64, key: &K) -> Option<u32> {
        let is_it = |located: &Located| {
            located.hash == hash && self.entry_at(located.slot).is_some_and(|e| e.key == *key)
        };
        self.index.find(hash, is_it).map(|located| located.slot)
    }

    fn entry_at(&self, slot: u32) -> Option<&Entry<K, V>> {
        let (page, place) = place_of(slot);
        self.pages.get(page)?.get(place)?.as_ref()
    }

    fn slot_mut(&mut self, slot: u32) -> Option<&mut Option<Entry<K, V>>> {
        let (page, place) = place_of(slot);
        self.pages.get_mut(page)?.get_mut(place)
    }

    /// An empty slot for a new key, already in the index.
    fn place(&mut self, hash: u64) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots < self.slots_max => self.make_slot(),
            None => self.make_room(),
        };
        self.index.insert_unique(hash, Located { hash, slot }, |located| located.hash);
        slot
    }

    fn make_slot(&mut self) -> u32 {
        let slot = self.slots;
        self.slots = slot.saturating_add(1);
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => page.push(None),
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(None);
                self.pages.push(page);
            }
        }
        slot
    }

    /// Takes out the entry whose turn it is; its slot. Every slot is in use.
    fn make_room(&mut self) -> u32 {
        let slot = self.turn().unwrap_or(0);
        self.take(slot);
        // Whoever moves in there is the newest.
        self.hand = next(slot, self.slots);
        self.evicted = self.evicted.saturating_add(1);
        slot
    }

    /// Where the entry is whose turn it is: the hand stays before it.
    fn turn(&mut self) -> Option<u32> {
        let mut spared = 0;
        for _ in 0..self.slots {
            let slot = self.hand;
            match self.slot_mut(slot)? {
                Some(entry) if entry.is_marked && spared < CHANCES => {
                    entry.is_marked = false;
                    spared = spared.saturating_add(1);
                }
                Some(_) => return Some(slot),
                None => {}
            }
            self.hand = next(slot, self.slots);
        }
        None
    }

    /// Takes an entry out of its slot and of the index.
    fn take(&mut self, slot: u32) -> Option<Entry<K, V>> {
        let entry = self.slot_mut(slot)?.take()?;
        if let Ok(found) = self.index.find_entry(entry.hash, |located| located.slot == slot) {
            found.remove();
        }
        Some(entry)
    }
}

/// Page and place of a slot.
fn place_of(slot: u32) -> (usize, usize) {
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    (slot / PAGE, slot % PAGE)
}

/// The slot after that one, of so many.
const fn next(slot: u32, slots: u32) -> u32 {
    let next = slot.saturating_add(1);
    if next >= slots { 0 } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_makes_room_and_is_counted() {
        let mut recent = Recent::new(2);
        recent.insert("a", 1);
        recent.insert("b", 2);
        assert_eq!(recent.get_mut(&"a"), Some(&mut 1));
        assert_eq!(*recent.entry("c", || 3), 3);
        assert_eq!((recent.peek(&"b"), recent.evicted(), recent.len()), (None, 1, 2));
        assert_eq!(*recent.entry("a", || 9), 1);
        assert_eq!(recent.insert("c", 4), Some(3));
        assert_eq!(recent.evicted(), 1);
        let mut all: Vec<_> = recent.iter().map(|(key, value)| (*key, *value)).collect();
        all.sort_unstable();
        assert_eq!(all, [("a", 1), ("c", 4)]);
    }

    #[test]
    fn entries_leave_in_the_order_in_which_they_came() {
        let mut recent = Recent::new(10);
        for key in 0..1_000 {
            recent.insert(key, ());
            let known: Vec<_> = (0..=key).filter(|key| recent.peek(key).is_some()).collect();
            assert_eq!(known, ((key - 9).max(0)..=key).collect::<Vec<i32>>());
        }
    }

    #[test]
    fn where_all_were_asked_for_room_is_made_all_the_same() {
        let mut recent = Recent::new(100);
        for key in 0..100 {
            recent.insert(key, ());
            recent.get_mut(&key);
        }
        recent.insert(100, ());
        assert_eq!((recent.len(), recent.evicted()), (100, 1));
        let missing = (0..100).filter(|key| recent.peek(key).is_none()).count();
        assert_eq!(missing, 1);
    }

    #[test]
    fn an_entry_that_is_asked_for_all_the_time_stays() {
        let mut recent = Recent::new(1_000);
        for key in 0..100_000 {
            recent.entry(key, || ());
            recent.get_mut(&7);
        }
        assert!(recent.peek(&7).is_some());
        assert_eq!((recent.len(), recent.evicted()), (1_000, 99_000));
    }

    #[test]
    fn who_asks_who_is_next_is_told_the_one_that_then_makes_room() {
        let mut recent = Recent::new(50);
        for key in 0..50 {
            recent.insert(key, ());
        }
        for key in [0, 1, 2, 9] {
            recent.get_mut(&key);
        }
        for key in 50..90 {
            let next = *recent.next_out().unwrap().0;
            assert_eq!(recent.next_out().unwrap().0, &next, "asking changes nothing");
            recent.insert(key, ());
            assert!(recent.peek(&next).is_none(), "{next}");
        }
        assert_eq!(recent.drain().count(), 50);
        assert!(recent.is_empty() && recent.next_out().is_none());
    }

    #[test]
    fn a_place_that_was_given_back_is_used_again() {
        let mut recent = Recent::new(3);
        for round in 0..1_000 {
            assert_eq!(recent.insert(round, round), None);
            assert_eq!(recent.remove(&round), Some(round));
            assert_eq!(recent.remove(&round), None);
        }
        assert_eq!((recent.len(), recent.evicted(), recent.slots), (0, 0, 1));
    }

    #[test]
    fn a_sweep_takes_out_what_is_over_wherever_it_is() {
        let mut recent = Recent::new(1_000);
        for key in 0..700 {
            recent.insert(key, key);
        }
        for _ in 0..100 {
            recent.sweep(100, |value| value % 7 == 0);
        }
        assert_eq!(recent.len(), 600);
        assert!(recent.iter().all(|(key, value)| key == value && value % 7 != 0));
        assert_eq!(recent.evicted(), 0, "nothing had to make room");
        for key in 0..1_000 {
            recent.entry(key, || key);
        }
        assert_eq!((recent.len(), recent.evicted()), (1_000, 0));
    }
}
