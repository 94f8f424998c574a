//! Fragments of IPv4 (RFC 791, section 3.2) and IPv6 (RFC 8200, section 4.5), put together.
//!
//! In: fragments, in any order. Out: whole datagrams. Where fragments overlap, the first copy of a
//! byte wins and the overlap is noted: receivers differ in whom they believe, so that it may be an
//! attempt to show a sensor something else. The pool is bounded in datagrams, fragments and bytes,
//! and by packet time; every packet that it swallows is counted when its datagram is given up.

use std::collections::BTreeMap;
use std::net::IpAddr;

use analyzers::Timestamp;
use hashbrown::HashMap;

use super::checksum::Checksum;
use super::limits::{FRAGMENT_BYTES, FRAGMENT_DATAGRAMS, FRAGMENT_WAIT, FRAGMENTS_PER_DATAGRAM};
use super::network::{Ip, Part, Place};
use super::skip::{SkipCounts, SkipReason};
use super::tunnels::TunnelPath;

/// Most bytes that an IP datagram's payload can have: its offsets have sixteen bits.
const DATAGRAM_BYTES: usize = 65_535;

/// Bytes that a datagram or a fragment occupies beside its content, about.
const OVERHEAD_BYTES: usize = 128;

/// How fragments of one datagram overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FragmentOverlap {
    /// They do not; exact copies are none.
    #[default]
    None,
    /// They carry the same bytes where they overlap. IPv6 forbids that, too (RFC 5722).
    Agrees,
    /// They carry different bytes: what the receiver took is not known.
    Differs,
}

/// Which datagram a fragment is part of. IPv6 tells datagrams of one sender apart by their number
/// alone, IPv4 by the protocol, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DatagramKey {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: Option<u8>,
    vlan: Option<u16>,
    tunnels: TunnelPath,
}

/// A fragment as it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// Its IP header.
    pub(super) ip: Ip,
    /// Its place and bytes.
    pub(super) part: Part<'a>,
    /// The outermost frame's VLAN.
    pub(super) vlan: Option<u16>,
    /// The tunnels it came through.
    pub(super) tunnels: TunnelPath,
    /// Packets of the capture that it is made of: more than one where an outer datagram was in
    /// fragments itself.
    pub(super) captured: u32,
    /// What the headers' checksums say.
    pub(super) checksum: Checksum,
    /// How the fragments of an outer datagram overlap.
    pub(super) overlap: FragmentOverlap,
}

/// A whole datagram.
#[derive(Debug)]
pub(super) struct Datagram {
    /// Addresses; packets and bytes of all fragments.
    pub(super) ip: Ip,
    /// IP protocol, or extension header, at the beginning of `bytes`.
    pub(super) protocol: u8,
    /// The payload, as far as the capture holds it without a gap.
    pub(super) bytes: Vec<u8>,
    /// Bytes of the payload on the wire.
    pub(super) wire: usize,
    /// Packets of the capture that it is made of.
    pub(super) captured: u32,
    /// The same by their numbers in the capture.
    pub(super) frames: Vec<u64>,
    /// What the fragments' headers' checksums say.
    pub(super) checksum: Checksum,
    /// How the fragments overlap.
    pub(super) overlap: FragmentOverlap,
}

/// What became of a fragment.
#[derive(Debug)]
pub(super) enum Added {
    /// It waits.
    Held,
    /// It was the last that was missing.
    Whole(Datagram),
    /// It is none, or contradicts those before it.
    Malformed,
    /// Its datagram has more fragments than the bound, and was given up.
    TooMany,
}

/// The fragments that wait.
#[derive(Debug, Default)]
pub(super) struct FragmentPool {
    datagrams: HashMap<DatagramKey, Waiting, foldhash::fast::RandomState>,
    /// The same in the order of arrival.
    oldest: BTreeMap<u64, DatagramKey>,
    arrivals: u64,
    /// Bytes that all occupy.
    stored: usize,
    /// Packets of datagrams that were given up, not yet told.
    given_up: SkipCounts,
}

/// A datagram that is not whole.
#[derive(Debug)]
struct Waiting {
    since: Timestamp,
    arrival: u64,
    fragments: usize,
    /// By their first byte's offset, none overlapping.
    pieces: BTreeMap<usize, Piece>,
    /// Bytes that the pieces cover.
    covered: usize,
    /// Bytes that all of this occupies.
    stored: usize,
    /// Where the datagram ends; known from its last fragment on.
    end: Option<usize>,
    datagram: Datagram,
}

/// Bytes of a datagram.
#[derive(Debug)]
struct Piece {
    end: usize,
    /// Fewer than the piece covers where the capture cut the fragment.
    bytes: Box<[u8]>,
}

impl FragmentPool {
    /// Takes a fragment, which the frames of these numbers brought.
    pub(super) fn add(
        &mut self,
        time: Timestamp,
        fragment: &Fragment<'_>,
        frames: &[u64],
    ) -> Added {
        let Some(end) = end_of(&fragment.part) else { return Added::Malformed };
        let key = fragment.key();
        if self.datagrams.get(&key).is_some_and(|waiting| waiting.is_over(time)) {
            self.give_up(&key, SkipReason::FragmentIncomplete);
        }
        if !self.datagrams.contains_key(&key) {
            self.open(time, key, fragment);
        }
        let Some(waiting) = self.datagrams.get_mut(&key) else { return Added::Malformed };
        if waiting.contradicts(end, fragment.part.place) {
            return Added::Malformed;
        }
        if waiting.fragments >= FRAGMENTS_PER_DATAGRAM {
            self.give_up(&key, SkipReason::FragmentPoolFull);
            return Added::TooMany;
        }
        let before = waiting.stored;
        waiting.take(fragment, end);
        waiting.note_frames(frames);
        self.stored = self.stored.saturating_sub(before).saturating_add(waiting.stored);
        if waiting.is_whole() {
            return self.remove(&key).map_or(Added::Held, |whole| Added::Whole(whole.assemble()));
        }
        while self.stored > FRAGMENT_BYTES && self.evict_oldest() {}
        Added::Held
    }

    /// Gives up what waited too long at `clock`, and tells what was given up since the last call.
    pub(super) fn expire(&mut self, clock: Timestamp, skipped: &mut SkipCounts) {
        while let Some(key) = self.oldest.first_key_value().map(|(_, key)| *key)
            && self.datagrams.get(&key).is_none_or(|waiting| waiting.is_over(clock))
        {
            self.give_up(&key, SkipReason::FragmentIncomplete);
        }
        skipped.add_all(&std::mem::take(&mut self.given_up));
    }

    /// Gives up everything.
    pub(super) fn finish(&mut self, skipped: &mut SkipCounts) {
        for (_, waiting) in self.datagrams.drain() {
            self.given_up.add(SkipReason::FragmentIncomplete, waiting.datagram.captured);
        }
        self.oldest.clear();
        self.stored = 0;
        skipped.add_all(&std::mem::take(&mut self.given_up));
    }

    /// Counts packets that the pool answered for with another packet's fate.
    pub(super) fn count(&mut self, reason: SkipReason, packets: u32) {
        self.given_up.add(reason, packets);
    }

    fn open(&mut self, time: Timestamp, key: DatagramKey, fragment: &Fragment<'_>) {
        if self.datagrams.len() >= FRAGMENT_DATAGRAMS {
            self.evict_oldest();
        }
        self.arrivals = self.arrivals.wrapping_add(1);
        self.oldest.insert(self.arrivals, key);
        self.stored = self.stored.saturating_add(OVERHEAD_BYTES);
        self.datagrams.insert(key, Waiting::new(time, self.arrivals, fragment));
    }

    /// Makes room: a datagram that is still not whole although it came first is the least likely to
    /// become so.
    fn evict_oldest(&mut self) -> bool {
        let Some(key) = self.oldest.first_key_value().map(|(_, key)| *key) else { return false };
        self.give_up(&key, SkipReason::FragmentPoolFull);
        true
    }

    fn give_up(&mut self, key: &DatagramKey, reason: SkipReason) {
        if let Some(waiting) = self.remove(key) {
            self.given_up.add(reason, waiting.datagram.captured);
        }
    }

    fn remove(&mut self, key: &DatagramKey) -> Option<Waiting> {
        let waiting = self.datagrams.remove(key)?;
        self.oldest.remove(&waiting.arrival);
        self.stored = self.stored.saturating_sub(waiting.stored);
        Some(waiting)
    }
}

impl Fragment<'_> {
    fn key(&self) -> DatagramKey {
        DatagramKey {
            src: self.ip.src,
            dst: self.ip.dst,
            id: self.part.id,
            protocol: self.ip.dst.is_ipv4().then_some(self.part.protocol),
            vlan: self.vlan,
            tunnels: self.tunnels,
        }
    }
}

/// Where a fragment ends; `None` where no datagram can have it: all but the last are units of eight
/// bytes, and none ends beyond what a length field can say.
fn end_of(part: &Part<'_>) -> Option<usize> {
    let len = part.span.wire();
    let end = part.start.saturating_add(len);
    let fits = match part.place {
        Place::MoreFollow => len > 0 && len.is_multiple_of(8),
        Place::Last => true,
    };
    (fits && end <= DATAGRAM_BYTES).then_some(end)
}

impl Waiting {
    fn new(since: Timestamp, arrival: u64, first: &Fragment<'_>) -> Self {
        let datagram = Datagram {
            ip: Ip { bytes: 0, ..first.ip },
            protocol: first.part.protocol,
            bytes: Vec::new(),
            wire: 0,
            captured: 0,
            frames: Vec::new(),
            checksum: Checksum::Good,
            overlap: FragmentOverlap::None,
        };
        Self {
            since,
            arrival,
            fragments: 0,
            pieces: BTreeMap::new(),
            covered: 0,
            stored: OVERHEAD_BYTES,
            end: None,
            datagram,
        }
    }

    fn is_over(&self, clock: Timestamp) -> bool {
        clock.since(self.since) > FRAGMENT_WAIT
    }

    /// Whether a fragment that ends at `end` cannot be part of this datagram.
    fn contradicts(&self, end: usize, place: Place) -> bool {
        let last_end = self.pieces.last_key_value().map_or(0, |(_, piece)| piece.end);
        match (self.end, place) {
            (Some(known), Place::Last) => end != known,
            (Some(known), Place::MoreFollow) => end > known,
            (None, Place::Last) => end < last_end,
            (None, Place::MoreFollow) => false,
        }
    }

    fn is_whole(&self) -> bool {
        self.end == Some(self.covered)
    }

    fn take(&mut self, fragment: &Fragment<'_>, end: usize) {
        let Fragment { ip, part, .. } = fragment;
        self.fragments = self.fragments.saturating_add(1);
        if part.place == Place::Last {
            self.end = Some(end);
        }
        let whole = &mut self.datagram;
        if part.start == 0 {
            whole.protocol = part.protocol;
            let behind = (part.span.wire() as u64).saturating_add(fragment_header(ip));
            whole.ip.bytes = ip.bytes.saturating_sub(behind);
        }
        whole.captured = whole.captured.saturating_add(fragment.captured);
        whole.checksum = whole.checksum.and(fragment.checksum);
        let overlap = self.insert(part.start, end, part.span.held());
        self.datagram.overlap = self.datagram.overlap.max(fragment.overlap).max(overlap);
    }

    fn note_frames(&mut self, frames: &[u64]) {
        self.datagram.frames.extend_from_slice(frames);
        self.stored = self.stored.saturating_add(size_of_val(frames));
    }

    /// Keeps those of the bytes `start..end` that are new, and says how the others agree.
    fn insert(&mut self, start: usize, end: usize, held: &[u8]) -> FragmentOverlap {
        let mut overlap = FragmentOverlap::None;
        let mut fresh = Vec::new();
        let mut after = end;
        // From the last piece that begins before `end` back to the first that ends after `start`.
        for (&piece_start, piece) in self.pieces.range(..end).rev() {
            let (from, to) = (piece_start.max(start), piece.end.min(end));
            if from >= to {
                break;
            }
            let earlier = within(&piece.bytes, piece_start, from, to);
            let agrees = agree(earlier, within(held, start, from, to));
            let is_copy = (piece_start, piece.end) == (start, end);
            overlap = overlap.max(match (agrees, is_copy) {
                (true, true) => FragmentOverlap::None,
                (true, false) => FragmentOverlap::Agrees,
                (false, _) => FragmentOverlap::Differs,
            });
            fresh.push((to, after));
            after = from;
        }
        fresh.push((start, after));
        for (from, to) in fresh {
            if from < to {
                self.keep(from, to, within(held, start, from, to));
            }
        }
        overlap
    }

    fn keep(&mut self, start: usize, end: usize, bytes: &[u8]) {
        self.covered = self.covered.saturating_add(end.saturating_sub(start));
        self.stored = self.stored.saturating_add(bytes.len()).saturating_add(OVERHEAD_BYTES);
        self.pieces.insert(start, Piece { end, bytes: bytes.into() });
    }

    /// The datagram, up to the first byte that the capture cut.
    fn assemble(self) -> Datagram {
        let mut datagram = self.datagram;
        datagram.wire = self.covered;
        datagram.ip.bytes = datagram.ip.bytes.saturating_add(self.covered as u64);
        for (start, piece) in self.pieces {
            datagram.bytes.extend_from_slice(&piece.bytes);
            if piece.bytes.len() < piece.end.saturating_sub(start) {
                break;
            }
        }
        datagram
    }
}

/// Bytes of the header that says which fragment this is, which the whole datagram has not.
const fn fragment_header(ip: &Ip) -> u64 {
    if ip.dst.is_ipv4() { 0 } else { 8 }
}

/// The bytes `from..to` of a datagram, of which `bytes` begin at `start`; as many as there are.
fn within(bytes: &[u8], start: usize, from: usize, to: usize) -> &[u8] {
    let end = to.saturating_sub(start).min(bytes.len());
    bytes.get(from.saturating_sub(start)..end).unwrap_or_default()
}

/// Whether two copies say the same, as far as the capture holds both.
fn agree(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).all(|(a, b)| a == b)
}
