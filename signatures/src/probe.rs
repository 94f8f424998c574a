//! From what was seen to the keys that would name it. In: an [`Observable`], and which keys there
//! are at all. Out: keys to look up: few, and none where nothing of that kind is listed.
//!
//! A name asks for itself and for each parent at a depth that some feed uses; an endpoint for
//! itself and its address; a URL for itself, for itself without its query, and for its folders; a
//! file's path for its ends.

use std::net::IpAddr;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::limits;
use crate::observable::Observable;
use crate::value::{Kind, Name, Scope, address_bytes, canonical_path, canonical_url, is_ja4};

/// Tags are a kind and a scope.
const TAGS: usize = Kind::ALL.len() * 2;

/// Which kinds of keys a set has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    /// Keys by tag.
    counts: [u32; TAGS],
    /// Bit n: some name with n labels is listed with its sub-domains.
    depths: u16,
}

impl Shape {
    /// Counts a key.
    pub(crate) fn add(&mut self, kind: Kind, scope: Scope, bytes: &[u8]) {
        if let Some(count) = self.counts.get_mut(usize::from(tag(kind, scope))) {
            *count += 1;
        }
        if kind == Kind::Domain && scope == Scope::Beneath {
            let labels = bytes.iter().filter(|&&byte| byte == b'.').count() + 1;
            self.depths |= 1 << labels.min(15);
        }
    }

    /// Counts all keys of another set.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (count, others) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(others);
        }
        self.depths |= other.depths;
    }

    /// How many keys of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        [Scope::Exact, Scope::Beneath].map(|scope| self.count_of(kind, scope)).iter().sum()
    }

    fn count_of(&self, kind: Kind, scope: Scope) -> usize {
        self.counts.get(usize::from(tag(kind, scope))).map_or(0, |&count| count as usize)
    }

    fn has(&self, kind: Kind, scope: Scope) -> bool {
        self.count_of(kind, scope) > 0
    }
}

/// A kind and a scope in one byte.
pub(crate) const fn tag(kind: Kind, scope: Scope) -> u8 {
    kind.number() << 1 | scope as u8
}

/// Gives each key that would name what was seen to `each`, as tag and bytes.
pub(crate) fn keys(shape: &Shape, seen: &Observable<'_>, each: &mut impl FnMut(u8, &[u8])) {
    match *seen {
        Observable::Domain(name) => name_keys(shape, name, each),
        Observable::Address(address) => address_keys(shape, address, each),
        Observable::Endpoint(address, port) => {
            if shape.has(Kind::Endpoint, Scope::Exact) {
                let mut key = address_bytes(address);
                key.extend_from_slice(&port.to_be_bytes());
                each(tag(Kind::Endpoint, Scope::Exact), &key);
            }
            address_keys(shape, address, each);
        }
        Observable::Url(url) => url_keys(shape, url, each),
        Observable::Ja3(hex) => hash_key(shape, Kind::Ja3, hex, each),
        Observable::Ja4(text) => {
            let mut lower = [0; 40];
            let length = text.len().min(lower.len());
            if shape.has(Kind::Ja4, Scope::Exact)
                && let (Some(lower), Some(text)) = (lower.get_mut(..length), text.get(..length))
            {
                lower.copy_from_slice(text);
                lower.make_ascii_lowercase();
                if is_ja4(lower) {
                    each(tag(Kind::Ja4, Scope::Exact), lower);
                }
            }
        }
        Observable::CertificateSha1(hex) => hash_key(shape, Kind::CertificateSha1, hex, each),
        Observable::CertificateSha256(hex) => hash_key(shape, Kind::CertificateSha256, hex, each),
        Observable::FileMd5(hex) => hash_key(shape, Kind::FileMd5, hex, each),
        Observable::FileSha1(hex) => hash_key(shape, Kind::FileSha1, hex, each),
        Observable::FileSha256(hex) => hash_key(shape, Kind::FileSha256, hex, each),
        Observable::FileName(path) => path_keys(shape, path, each),
        Observable::UserAgent(agent) => {
            if shape.has(Kind::UserAgent, Scope::Exact) {
                each(tag(Kind::UserAgent, Scope::Exact), agent.trim_ascii());
            }
        }
    }
}

fn name_keys(shape: &Shape, name: &[u8], each: &mut impl FnMut(u8, &[u8])) {
    if shape.count(Kind::Domain) == 0 {
        return;
    }
    let Ok(name) = Name::canonical(name) else { return };
    let name = name.bytes();
    if shape.has(Kind::Domain, Scope::Exact) {
        each(tag(Kind::Domain, Scope::Exact), name);
    }
    if shape.depths == 0 {
        return;
    }
    let dots = name.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'.');
    let starts = dots.map(|(at, _)| at + 1).chain([0]);
    for (labels, start) in (1..=limits::SUBDOMAIN_LABELS).zip(starts) {
        if shape.depths & (1 << labels) != 0 {
            each(tag(Kind::Domain, Scope::Beneath), name.get(start..).unwrap_or_default());
        }
    }
}

fn address_keys(shape: &Shape, address: IpAddr, each: &mut impl FnMut(u8, &[u8])) {
    if shape.has(Kind::Address, Scope::Exact) {
        each(tag(Kind::Address, Scope::Exact), &address_bytes(address));
    }
}

fn url_keys(shape: &Shape, url: &[u8], each: &mut impl FnMut(u8, &[u8])) {
    if shape.count(Kind::Url) == 0 {
        return;
    }
    let Ok(url) = canonical_url(url) else { return };
    let exact = tag(Kind::Url, Scope::Exact);
    each(exact, &url);
    let query = url.iter().position(|&byte| byte == b'?');
    let path = query.and_then(|at| url.get(..at)).unwrap_or(&url);
    if query.is_some() {
        each(exact, path);
    }
    if !shape.has(Kind::Url, Scope::Beneath) {
        return;
    }
    let slashes = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/');
    for (at, _) in slashes.take(limits::PATH_PARTS) {
        each(tag(Kind::Url, Scope::Beneath), path.get(..=at).unwrap_or_default());
    }
}

fn path_keys(shape: &Shape, path: &[u8], each: &mut impl FnMut(u8, &[u8])) {
    if shape.count(Kind::FileName) == 0 {
        return;
    }
    let path = canonical_path(path);
    let slashes = path.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'/');
    let starts = slashes.map(|(at, _)| at + 1).chain([0]);
    for start in starts.take(limits::PATH_PARTS) {
        each(tag(Kind::FileName, Scope::Exact), path.get(start..).unwrap_or_default());
    }
}

fn hash_key(shape: &Shape, kind: Kind, hex: &[u8], each: &mut impl FnMut(u8, &[u8])) {
    let mut bytes = [0_u8; 32];
    let length = hex.len() / 2;
    let is_whole = shape.has(kind, Scope::Exact) && hex.len().is_multiple_of(2);
    let Some(bytes) = bytes.get_mut(..length).filter(|_| is_whole) else { return };
    if HEXLOWER_PERMISSIVE.decode_mut(hex, bytes).is_ok() {
        each(tag(kind, Scope::Exact), bytes);
    }
}
