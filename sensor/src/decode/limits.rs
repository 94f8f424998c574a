//! Every bound of this room, with its reason and who gains when it is missing.

use std::time::Duration;

/// Headers that are walked through, from the link to the transport: a sender may nest VLAN, MPLS
/// and extension headers at will, and every one costs time.
pub(super) const LAYERS: usize = 16;

/// Extension headers of one IP packet. RFC 8200 has use for seven; whoever sends more wants a
/// sensor to give up before it sees the ports, so there is room for twice as many.
pub(super) const EXTENSION_HEADERS: usize = 16;

/// Options that are looked at in one IPv6 options header, of 2,048 bytes at most.
pub(super) const IPV6_OPTIONS: usize = 64;

/// Extension headers of one GTP-U packet; the standard knows six kinds.
pub(super) const GTP_EXTENSION_HEADERS: usize = 8;

/// Tunnels in each other. Networks nest two or three; packets nested deeper are made to burn time.
pub(super) const TUNNELS: usize = 4;

/// Different tunnel names that are kept. They carry identifiers of 24 or 32 bits that a sender
/// chooses; without a bound, one packet for each would fill the memory.
pub(super) const TUNNEL_NAMES: usize = 4_096;

/// Datagrams of which fragments are kept. A sender of fragments without end gains memory otherwise.
pub(super) const FRAGMENT_DATAGRAMS: usize = 4_096;

/// Fragments of one datagram: as many as there are units of eight bytes in the longest. Fewer would
/// hide whoever sends such small ones, which is the oldest trick there is; without a bound, copies
/// of one fragment could keep a datagram busy for ever. What they occupy is bounded below.
pub(super) const FRAGMENTS_PER_DATAGRAM: usize = 8_192;

/// Bytes that fragments may occupy, the tables around them included.
pub const FRAGMENT_BYTES: usize = 16 << 20;

/// How long a datagram may wait for its fragments, in packet time: what Linux waits.
pub const FRAGMENT_WAIT: Duration = Duration::from_secs(30);
