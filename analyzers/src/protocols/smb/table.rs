//! A small table that traffic can fill but not grow: bounded in entries and in bytes of text.
//!
//! In: entries by key. Out: the least recently used one, whenever a newer one takes its place. A
//! scan over at most a hundred keys is cheaper here than a map, and its order is the same on every
//! run.

use crate::text::Text;

/// Something whose texts count against a table's bytes.
pub(super) trait Weighed {
    /// Bytes of text that it keeps.
    fn text_bytes(&self) -> usize;
}

/// Bytes of a text that may be missing.
pub(super) fn weight(text: Option<&Text>) -> usize {
    match text {
        Some(Text::Wire(bytes)) => bytes.len(),
        Some(Text::Word(_)) | None => 0,
    }
}

/// The bounds of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most entries.
    pub(super) entries: usize,
    /// Most bytes of text in all entries; one entry alone may hold more.
    pub(super) text_bytes: usize,
}

/// A bounded table.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    /// Least recently used first.
    entries: Vec<(K, V)>,
    bounds: Bounds,
}

impl<K: PartialEq, V: Weighed> Table<K, V> {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self { entries: Vec::new(), bounds }
    }

    fn position(&self, key: &K) -> Option<usize> {
        self.entries.iter().rposition(|(known, _)| known == key)
    }

    /// The entry, which stays as old as it was.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The entry, to change; it stays as old as it was.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.iter_mut().rev().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Whether nothing is in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether `wanted` accepts any entry.
    pub(super) fn any(&self, wanted: impl Fn(&K, &V) -> bool) -> bool {
        self.entries.iter().any(|(key, value)| wanted(key, value))
    }

    /// The key of the youngest entry that `wanted` accepts.
    pub(super) fn key_where(&self, wanted: impl Fn(&V) -> bool) -> Option<K>
    where
        K: Copy,
    {
        self.entries.iter().rev().find(|(_, value)| wanted(value)).map(|(key, _)| *key)
    }

    /// The entry, which becomes the most recently used; made when it is not there.
    pub(super) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let value = self.remove(&key).unwrap_or_else(make);
        &mut self.entries.push_mut((key, value)).1
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.position(key).map(|at| self.entries.remove(at).1)
    }

    /// Takes out the oldest entry that `wanted` accepts.
    pub(super) fn remove_where(&mut self, wanted: impl Fn(&K, &V) -> bool) -> Option<(K, V)> {
        let at = self.entries.iter().position(|(key, value)| wanted(key, value))?;
        Some(self.entries.remove(at))
    }

    /// Puts an entry in as the most recently used; what had its key comes back.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let earlier = self.remove(&key);
        self.entries.push((key, value));
        earlier
    }

    /// Takes out the least recently used entry, as long as a bound is passed.
    pub(super) fn overflow(&mut self) -> Option<(K, V)> {
        let over = self.entries.len() > self.bounds.entries
            || (self.entries.len() > 1 && self.text_bytes() > self.bounds.text_bytes);
        over.then(|| self.entries.remove(0))
    }

    /// Takes out everything, least recently used first.
    pub(super) fn drain(&mut self) -> Vec<(K, V)> {
        std::mem::take(&mut self.entries)
    }

    fn text_bytes(&self) -> usize {
        self.entries.iter().map(|(_, value)| value.text_bytes()).sum()
    }
}
