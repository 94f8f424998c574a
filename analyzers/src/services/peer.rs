//! Peers: BitTorrent (BEP 3) and its distributed hash table (BEP 5).
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict.

use super::words::{Words, certain_if, holds};
use super::{NAMED, UDP};
use crate::protocol::{Probe, Protocol, Verdict};

/// BitTorrent between peers.
pub const BITTORRENT: Protocol = Protocol {
    name: "bittorrent",
    doc: "BitTorrent between peers.",
    specifications: &["BEP 3"],
    ports: &[6_881, 51_413],
    probe: |probe| HANDSHAKE.verdict(probe, &[]),
    ..NAMED
};

/// BitTorrent's distributed hash table.
pub const BITTORRENT_DHT: Protocol = Protocol {
    name: "bittorrent-dht",
    doc: "BitTorrent's distributed hash table.",
    specifications: &["BEP 5"],
    transports: UDP,
    ports: &[6_881],
    probe: dht,
    ..NAMED
};

const HANDSHAKE: Words = Words { certain: &["\x13BitTorrent protocol"], likely: &[] };

/// A dictionary that says of which kind of message it is, `1:y1:q` for a query.
fn dht(probe: &Probe<'_>) -> Verdict {
    let bytes = probe.bytes;
    let is_dictionary = bytes.starts_with(b"d") && bytes.get(1).is_some_and(u8::is_ascii_digit);
    certain_if(
        is_dictionary && ["1:y1:q", "1:y1:r", "1:y1:e"].iter().any(|kind| holds(bytes, kind)),
    )
}
