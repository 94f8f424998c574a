//! From keys to entries. In: keys with entries (dense numbers, in the order in which they came).
//! Out: for a key the entries that stand under it. A [`Finder`] asks several of these at once.

use std::sync::Arc;

use crate::filter::Filter;
use crate::interner::Interner;
use crate::limits;
use crate::networks::Networks;
use crate::observable::Observable;
use crate::probe::{self, Shape, tag};
use crate::value::{Key, KeyBytes, Kind, Scope, address_of, canonical_url, host_of};

const NO_ENTRY: u32 = u32::MAX;

/// Keys, each with a chain of entries.
#[derive(Clone, Default)]
pub(crate) struct Index {
    keys: Interner,
    /// For each key, its newest entry.
    heads: Vec<u32>,
    /// For each entry, the one before it with the same key.
    links: Vec<u32>,
    shape: Shape,
}

/// Where a key is in an index, or would be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    hash: u64,
    number: Option<u32>,
}

impl Index {
    /// Where a key is, or would be.
    pub(crate) fn place(&self, key: &Key) -> Place {
        let (tag, bytes) = (tag(key.kind(), key.scope()), key.bytes());
        let hash = self.keys.hash(tag, bytes);
        Place { hash, number: self.keys.find_hashed(hash, tag, bytes) }
    }

    /// Adds the next entry under a key; the key's number, or none when the index is full.
    pub(crate) fn insert(&mut self, key: &Key) -> Option<u32> {
        self.insert_at(self.place(key), key)
    }

    /// The same, where the key's place is known and nothing was added since.
    pub(crate) fn insert_at(&mut self, place: Place, key: &Key) -> Option<u32> {
        if self.links.len() >= limits::INDICATORS {
            return None;
        }
        let (tag, bytes) = (tag(key.kind(), key.scope()), key.bytes());
        let number = place.number.or_else(|| self.keys.add(place.hash, tag, bytes))?;
        let entry = u32::try_from(self.links.len()).ok()?;
        if let Some(head) = self.heads.get_mut(number as usize) {
            self.links.push(*head);
            *head = entry;
        } else {
            self.links.push(NO_ENTRY);
            self.heads.push(entry);
            self.shape.add(key.kind(), key.scope(), key.bytes());
        }
        Some(number)
    }

    /// Gives back the room that growing took beforehand.
    pub(crate) fn shrink(&mut self) {
        self.keys.shrink();
        self.heads.shrink_to_fit();
        self.links.shrink_to_fit();
    }

    /// Entries that stand under exactly the key of that place, the newest first.
    pub(crate) fn under(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        self.chain(place.number)
    }

    /// Makes room for so many more keys.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.keys.reserve(more);
    }

    /// The key of that number.
    pub(crate) fn key(&self, number: u32) -> Option<Key> {
        let (tag, bytes) = self.keys.get(number);
        let kind = *Kind::ALL.get(usize::from(tag >> 1))?;
        let scope = if tag & 1 == 0 { Scope::Exact } else { Scope::Beneath };
        Some(Key::from_parts(kind, scope, KeyBytes::from_slice(bytes)))
    }

    /// How many keys of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.shape.count(kind)
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.keys.memory() + (self.heads.capacity() + self.links.capacity()) * 4
    }

    fn chain(&self, key: Option<u32>) -> impl Iterator<Item = u32> + '_ {
        let head = key.and_then(|key| self.heads.get(key as usize)).copied();
        std::iter::successors(head, |&entry| self.links.get(entry as usize).copied())
            .take_while(|&entry| entry != NO_ENTRY)
    }
}

/// Several indexes, ready to be asked together: what none of them holds costs one word of memory,
/// however many they are.
#[derive(Clone, Default)]
pub(crate) struct Finder {
    indexes: Vec<Arc<Index>>,
    shape: Shape,
    filter: Filter,
    networks: Networks,
    /// For each network, its index and its key there.
    owners: Vec<(u32, u32)>,
}

impl Finder {
    /// Over these; entries are told with the place of their index here.
    pub(crate) fn new(indexes: Vec<Arc<Index>>) -> Self {
        let mut finder = Self {
            filter: Filter::with_room(indexes.iter().map(|index| index.keys.len()).sum()),
            ..Self::default()
        };
        let network = tag(Kind::Network, Scope::Exact);
        let mut networks = Vec::new();
        for (place, index) in (0_u32..).zip(&indexes) {
            finder.shape.add_all(&index.shape);
            for (key, (tag, bytes)) in (0_u32..).zip(index.keys.strings()) {
                if tag != network {
                    finder.filter.insert(index.keys.hash(tag, bytes));
                } else if let Some((&prefix, address)) = bytes.split_last()
                    && let Some(address) = address_of(address)
                {
                    let number = u32::try_from(finder.owners.len()).unwrap_or(u32::MAX);
                    networks.push((address, prefix, number));
                    finder.owners.push((place, key));
                }
            }
        }
        finder.networks = Networks::new(networks.into_iter());
        finder.indexes = indexes;
        finder
    }

    /// Gives every entry that an observable touches to `found`, with the place of its index.
    pub(crate) fn look_up(&self, seen: &Observable<'_>, found: &mut impl FnMut(u32, u32)) {
        let Some(first) = self.indexes.first() else { return };
        probe::keys(&self.shape, seen, &mut |tag, bytes| {
            let hash = first.keys.hash(tag, bytes);
            if !self.filter.may_hold(hash) {
                return;
            }
            for (place, index) in (0_u32..).zip(&self.indexes) {
                let key = index.keys.find_hashed(hash, tag, bytes);
                index.chain(key).for_each(|entry| found(place, entry));
            }
        });
        if let Observable::Address(address) | Observable::Endpoint(address, _) = *seen {
            for network in self.networks.holding(address) {
                let Some(&(place, key)) = self.owners.get(network as usize) else { continue };
                let Some(index) = self.indexes.get(place as usize) else { continue };
                index.chain(Some(key)).for_each(|entry| found(place, entry));
            }
        }
    }

    /// The same, but for a URL its host is looked up: it belongs to whom the host belongs.
    pub(crate) fn look_up_owner(&self, seen: &Observable<'_>, found: &mut impl FnMut(u32, u32)) {
        let Observable::Url(url) = *seen else { return self.look_up(seen, found) };
        let Ok(url) = canonical_url(url) else { return };
        match host_of(&url) {
            Ok(address) => self.look_up(&Observable::Address(address), found),
            Err(name) => self.look_up(&Observable::Domain(name), found),
        }
    }

    /// Bytes of memory held beside the indexes.
    pub(crate) fn memory(&self) -> usize {
        self.filter.memory() + self.networks.memory() + self.owners.capacity() * 8
    }
}
