//! From what was seen to what was listed. In: keys with entries (dense numbers, in the order in
//! which they came). Out: for an [`Observable`] the entries that name it or something around it.
//!
//! A look-up is a few probes of one hash table, none where nothing of that kind is listed: a name
//! asks for itself and for each parent at a depth that some feed uses, an address for itself and
//! for its networks, a URL for itself, for itself without its query, and for its folders.

use std::net::IpAddr;

use data_encoding::HEXLOWER_PERMISSIVE;
use smallvec::SmallVec;

use crate::interner::Interner;
use crate::limits;
use crate::networks::Networks;
use crate::observable::Observable;
use crate::value::{
    Key, KeyBytes, Kind, Scope, address_bytes, address_of, canonical_name, canonical_path,
    canonical_url, is_ja4,
};

const NO_ENTRY: u32 = u32::MAX;

/// Tags are a kind and a scope.
const TAGS: usize = Kind::ALL.len() * 2;

/// Keys, each with a chain of entries.
#[derive(Clone, Default)]
pub(crate) struct Index {
    keys: Interner,
    /// For each key, its newest entry.
    heads: Vec<u32>,
    /// For each entry, the one before it with the same key.
    links: Vec<u32>,
    /// Keys by tag.
    counts: [u32; TAGS],
    /// Bit n: some name with n labels is listed with its sub-domains.
    depths: u16,
    networks: Networks,
}

impl Index {
    /// Adds the next entry under a key; the key's number, or none when the set is full.
    pub(crate) fn insert(&mut self, key: &Key) -> Option<u32> {
        if self.links.len() >= limits::INDICATORS {
            return None;
        }
        let tag = tag(key.kind(), key.scope());
        let number = self.keys.intern(tag, key.bytes())?;
        let entry = u32::try_from(self.links.len()).ok()?;
        if let Some(head) = self.heads.get_mut(number as usize) {
            self.links.push(*head);
            *head = entry;
        } else {
            self.links.push(NO_ENTRY);
            self.heads.push(entry);
            if let Some(count) = self.counts.get_mut(usize::from(tag)) {
                *count += 1;
            }
            if key.kind() == Kind::Domain && key.scope() == Scope::Beneath {
                let labels = key.bytes().iter().filter(|&&byte| byte == b'.').count() + 1;
                self.depths |= 1 << labels.min(15);
            }
        }
        Some(number)
    }

    /// Entries that stand under exactly this key, the newest first.
    pub(crate) fn under(&self, key: &Key) -> impl Iterator<Item = u32> + '_ {
        let number = self.keys.find(tag(key.kind(), key.scope()), key.bytes());
        self.chain(number)
    }

    /// Makes networks ready; to be called once all is in.
    pub(crate) fn finish(&mut self) {
        let network = tag(Kind::Network, Scope::Exact);
        let all = (0..u32::try_from(self.keys.len()).unwrap_or(u32::MAX)).filter_map(|number| {
            let (tag, bytes) = self.keys.get(number);
            let (&prefix, address) = bytes.split_last().filter(|_| tag == network)?;
            Some((address_of(address)?, prefix, number))
        });
        self.networks = Networks::new(all);
    }

    /// The key of that number.
    pub(crate) fn key(&self, number: u32) -> Option<Key> {
        let (tag, bytes) = self.keys.get(number);
        let kind = *Kind::ALL.get(usize::from(tag >> 1))?;
        let scope = if tag & 1 == 0 { Scope::Exact } else { Scope::Beneath };
        Some(Key::from_parts(kind, scope, KeyBytes::from_slice(bytes)))
    }

    /// How many different keys of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        [Scope::Exact, Scope::Beneath].map(|scope| self.count_of(kind, scope)).iter().sum()
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.keys.memory()
            + (self.heads.capacity() + self.links.capacity()) * 4
            + self.networks.memory()
    }

    /// Gives every entry that an observable touches to `found`.
    pub(crate) fn look_up(&self, observable: &Observable<'_>, found: &mut impl FnMut(u32)) {
        match *observable {
            Observable::Domain(name) => self.look_up_name(name, found),
            Observable::Address(address) => self.look_up_address(address, found),
            Observable::Endpoint(address, port) => {
                if self.count_of(Kind::Endpoint, Scope::Exact) > 0 {
                    let mut key = address_bytes(address);
                    key.extend_from_slice(&port.to_be_bytes());
                    self.probe(Kind::Endpoint, Scope::Exact, &key, found);
                }
                self.look_up_address(address, found);
            }
            Observable::Url(url) => self.look_up_url(url, found),
            Observable::Ja3(hex) => self.look_up_hash(Kind::Ja3, hex, found),
            Observable::Ja4(text) => {
                let lower: SmallVec<[u8; 40]> =
                    text.iter().take(40).map(u8::to_ascii_lowercase).collect();
                if is_ja4(&lower) {
                    self.probe(Kind::Ja4, Scope::Exact, &lower, found);
                }
            }
            Observable::CertificateSha1(hex) => {
                self.look_up_hash(Kind::CertificateSha1, hex, found);
            }
            Observable::CertificateSha256(hex) => {
                self.look_up_hash(Kind::CertificateSha256, hex, found);
            }
            Observable::FileMd5(hex) => self.look_up_hash(Kind::FileMd5, hex, found),
            Observable::FileSha1(hex) => self.look_up_hash(Kind::FileSha1, hex, found),
            Observable::FileSha256(hex) => self.look_up_hash(Kind::FileSha256, hex, found),
            Observable::FileName(path) => self.look_up_path(path, found),
            Observable::UserAgent(agent) => {
                self.probe(Kind::UserAgent, Scope::Exact, agent.trim_ascii(), found);
            }
        }
    }

    fn look_up_name(&self, name: &[u8], found: &mut impl FnMut(u32)) {
        if self.count(Kind::Domain) == 0 {
            return;
        }
        let Ok(name) = canonical_name(name) else { return };
        self.probe(Kind::Domain, Scope::Exact, &name, found);
        if self.depths == 0 {
            return;
        }
        let dots = name.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'.');
        let starts = dots.map(|(at, _)| at + 1).chain([0]);
        for (labels, start) in (1..=limits::SUBDOMAIN_LABELS).zip(starts) {
            if self.depths & (1 << labels) != 0 {
                let parent = name.get(start..).unwrap_or_default();
                self.probe(Kind::Domain, Scope::Beneath, parent, found);
            }
        }
    }

    fn look_up_address(&self, address: IpAddr, found: &mut impl FnMut(u32)) {
        self.probe(Kind::Address, Scope::Exact, &address_bytes(address), found);
        for number in self.networks.holding(address) {
            self.chain(Some(number)).for_each(&mut *found);
        }
    }

    fn look_up_url(&self, url: &[u8], found: &mut impl FnMut(u32)) {
        if self.count(Kind::Url) == 0 {
            return;
        }
        let Ok(url) = canonical_url(url) else { return };
        self.probe(Kind::Url, Scope::Exact, &url, found);
        let query = url.iter().position(|&byte| byte == b'?');
        let path = query.and_then(|at| url.get(..at)).unwrap_or(&url);
        if query.is_some() {
            self.probe(Kind::Url, Scope::Exact, path, found);
        }
        if self.count_of(Kind::Url, Scope::Beneath) == 0 {
            return;
        }
        let slashes = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
        for (at, _) in slashes.take(limits::PATH_PARTS) {
            let folder = path.get(..=at).unwrap_or_default();
            self.probe(Kind::Url, Scope::Beneath, folder, found);
        }
    }

    fn look_up_path(&self, path: &[u8], found: &mut impl FnMut(u32)) {
        if self.count(Kind::FileName) == 0 {
            return;
        }
        let path = canonical_path(path);
        let slashes = path.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'/');
        let starts = slashes.map(|(at, _)| at + 1).chain([0]);
        for start in starts.take(limits::PATH_PARTS) {
            let end_of_path = path.get(start..).unwrap_or_default();
            self.probe(Kind::FileName, Scope::Exact, end_of_path, found);
        }
    }

    fn look_up_hash(&self, kind: Kind, hex: &[u8], found: &mut impl FnMut(u32)) {
        let mut bytes = [0_u8; 32];
        let length = hex.len() / 2;
        let Some(bytes) = bytes.get_mut(..length).filter(|_| hex.len().is_multiple_of(2)) else {
            return;
        };
        if HEXLOWER_PERMISSIVE.decode_mut(hex, bytes).is_ok() {
            self.probe(kind, Scope::Exact, bytes, found);
        }
    }

    fn probe(&self, kind: Kind, scope: Scope, bytes: &[u8], found: &mut impl FnMut(u32)) {
        if self.count_of(kind, scope) > 0 {
            self.chain(self.keys.find(tag(kind, scope), bytes)).for_each(found);
        }
    }

    fn chain(&self, key: Option<u32>) -> impl Iterator<Item = u32> + '_ {
        let head = key.and_then(|key| self.heads.get(key as usize)).copied();
        std::iter::successors(head, |&entry| self.links.get(entry as usize).copied())
            .take_while(|&entry| entry != NO_ENTRY)
    }

    fn count_of(&self, kind: Kind, scope: Scope) -> usize {
        self.counts.get(usize::from(tag(kind, scope))).map_or(0, |&count| count as usize)
    }
}

const fn tag(kind: Kind, scope: Scope) -> u8 {
    kind.number() << 1 | scope as u8
}
