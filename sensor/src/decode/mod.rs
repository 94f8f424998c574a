//! From the link layer to the innermost transport header.
//!
//! In: one packet's bytes. Out: a [`Packet`]: addresses, ports, lengths from the wire, where its
//! payload is; or the reason why it was skipped. Lengths are taken from the headers, never guessed.
//!
//! The story: [`walk`] follows the headers of a frame one by one, with [`link`], [`network`],
//! [`transport`] and [`tunnels`] reading one each; what it reaches is a packet, or a fragment that
//! [`fragments`] keeps until its datagram is whole, and then the walk goes on inside.
//!
//! # Invariants
//! - **Invariant:** every packet of the capture is counted once: in a [`Packet`]'s
//!   `captured_packets`, by [`Decoded::Skipped`], or by [`Decoder::expire_fragments`] and
//!   [`Decoder::finish`].
//! - **Invariant:** what a plain TCP packet meets is one function to the compiler: the steps on its
//!   way are inlined by force, since handing layers over in memory takes as long again as reading
//!   them.
//! - **Invariant:** nothing is allocated for a packet that is neither fragment nor in a tunnel that
//!   was never seen before.
//! - **Invariant:** nothing here can panic or recurse, and every loop has a bound in [`limits`].

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

use std::net::IpAddr;
use std::sync::Arc;

use analyzers::{Timestamp, Transport};

use crate::capture::{LinkType, RawPacket};

mod checksum;
mod fragments;
mod limits;
mod link;
mod network;
mod skip;
mod span;
#[cfg(test)]
mod tests;
mod transport;
mod tunnels;
mod walk;

pub use checksum::Checksum;
pub use fragments::FragmentOverlap;
pub use limits::{FRAGMENT_BYTES, FRAGMENT_WAIT};
pub use link::macs;
pub use skip::{SkipCounts, SkipReason};

use fragments::{Added, Fragment, FragmentPool};
use span::Span;
use tunnels::TunnelNames;
use walk::{Found, Reached, Walk};

/// What the decoder makes of a packet.
#[derive(Debug)]
pub enum Decoded {
    /// A packet that belongs to a flow.
    Packet(Packet),
    /// A fragment that waits for the rest of its datagram; it is counted when that is complete, or
    /// as skipped when it never is.
    Held,
    /// Nothing for the flow table.
    Skipped(SkipReason),
}

/// One innermost packet (or one datagram made of several fragments).
#[derive(Clone, Debug)]
pub struct Packet {
    /// Packet time; of the last fragment, where there are several.
    pub time: Timestamp,
    /// Sender of the innermost IP packet.
    pub src_ip: IpAddr,
    /// Receiver of the innermost IP packet.
    pub dst_ip: IpAddr,
    /// Sender's port; ICMP: the type.
    pub src_port: u16,
    /// Receiver's port; ICMP: the code.
    pub dst_port: u16,
    /// IP protocol after extension headers.
    pub transport: Transport,
    /// First 802.1Q tag's VLAN, of the outermost frame.
    pub vlan: Option<u16>,
    /// Second tag's VLAN.
    pub inner_vlan: Option<u16>,
    /// Encapsulations that were removed, outermost first, such as `gre` or `vxlan:42`.
    pub tunnel: Option<Arc<str>>,
    /// Packets of the capture that this was made of: one, or the number of fragments.
    pub captured_packets: u32,
    /// Bytes of the innermost IP packet by its length field, put together where it was in
    /// fragments.
    pub ip_bytes: u64,
    /// How the fragments overlap, where there are several.
    pub fragment_overlap: FragmentOverlap,
    /// TCP's fields; `None` also where the capture cut the header, or the header's own length
    /// cannot be: then nothing is known but the ports.
    pub tcp: Option<TcpFields>,
    /// What the headers' checksums say.
    pub checksum: Checksum,
    /// The transport's payload.
    pub payload: Payload,
    /// Payload bytes by the headers' lengths; more than `payload` holds where the capture cut it.
    /// Zero where TCP's header does not tell.
    pub payload_wire_bytes: u32,
}

impl Packet {
    /// The payload's bytes, which lie in the packet's batch's block unless they were put together.
    #[must_use]
    pub fn payload_bytes<'a>(&'a self, block: &'a [u8]) -> &'a [u8] {
        match &self.payload {
            Payload::Block { offset, len } => {
                let start = *offset as usize;
                block.get(start..start.saturating_add(*len as usize)).unwrap_or_default()
            }
            Payload::Reassembled(joined) => &joined.bytes,
        }
    }

    /// The frames that it was put together from, by their numbers in the capture; none where it
    /// came in one.
    #[must_use]
    pub fn fragments(&self) -> &[u64] {
        match &self.payload {
            Payload::Block { .. } => &[],
            Payload::Reassembled(joined) => &joined.frames,
        }
    }

    /// Whether the capture holds less of the packet than there was on the wire.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let held = match &self.payload {
            Payload::Block { len, .. } => *len as usize,
            Payload::Reassembled(joined) => joined.bytes.len(),
        };
        held < self.payload_wire_bytes as usize
            || (self.transport == Transport::TCP
                && self.tcp.is_none()
                && self.checksum == Checksum::Unknown)
    }
}

/// Fields of a TCP header that the flow and stream rooms read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFields {
    /// Sequence number of the first payload byte (of the SYN, where there is one).
    pub seq: u32,
    /// Acknowledgement number; meaningful with the ACK flag.
    pub ack: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
    pub flags: u8,
    /// Window, unscaled.
    pub window: u16,
    /// Urgent pointer; meaningful with the URG flag.
    pub urgent: u16,
}

/// Where a payload's bytes are.
#[derive(Clone, Debug)]
pub enum Payload {
    /// In the batch's block.
    Block {
        /// Offset of the first byte in the block.
        offset: u32,
        /// Number of bytes that the capture holds.
        len: u32,
    },
    /// Put together from fragments.
    Reassembled(Arc<Joined>),
}

/// What fragments were put together to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The bytes.
    pub bytes: Box<[u8]>,
    /// The frames of the capture that brought them, counted from zero in the order in which the
    /// decoder was given them.
    pub frames: Box<[u64]>,
}

/// Makes packets of frames. It remembers fragments that wait, and the names of tunnels.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Frames so far.
    frames: u64,
    fragments: FragmentPool,
    names: TunnelNames,
}

/// Where the bytes are that a walk went through.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    /// In the block, from this offset on.
    Block(u32),
    /// In a datagram that was put together from these frames.
    Datagram(&'a [u64]),
}

impl Decoder {
    /// A decoder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one packet, whose bytes lie in `block`.
    pub fn decode(&mut self, raw: &RawPacket, block: &[u8]) -> Decoded {
        let number = self.frames;
        self.frames = number.wrapping_add(1);
        let frame = Span::new(raw.bytes(block), raw.wire_bytes as usize);
        let mut walk = Walk::new();
        let mut reached = None;
        if let Err(reason) = walk.frame(raw.link, frame, &mut reached) {
            return Decoded::Skipped(reason);
        }
        match &reached {
            Some(Reached::Packet(found)) => {
                Decoded::Packet(self.packet(raw.time, &walk, found, Source::Block(raw.offset)))
            }
            Some(Reached::Fragment(fragment)) => self.fragment(raw.time, number, walk, fragment),
            None => Decoded::Skipped(SkipReason::NotIp),
        }
    }

    /// Gives up datagrams whose fragments did not come in time, and adds their packets to
    /// `skipped`.
    pub fn expire_fragments(&mut self, clock: Timestamp, skipped: &mut SkipCounts) {
        self.fragments.expire(clock, skipped);
    }

    /// Gives up all datagrams that are not whole, and adds their packets to `skipped`.
    pub fn finish(&mut self, skipped: &mut SkipCounts) {
        self.fragments.finish(skipped);
    }

    /// Keeps a fragment. Where it completes its datagram, the walk goes on inside, and may reach a
    /// fragment again: a tunnel's.
    fn fragment(
        &mut self,
        time: Timestamp,
        number: u64,
        mut walk: Walk,
        first: &Fragment<'_>,
    ) -> Decoded {
        let mut added = self.fragments.add(time, first, &[number]);
        loop {
            let datagram = match added {
                Added::Whole(datagram) => datagram,
                Added::Held => return Decoded::Held,
                Added::Malformed => return self.skip(SkipReason::FragmentMalformed, walk.captured),
                Added::TooMany => return self.skip(SkipReason::FragmentPoolFull, walk.captured),
            };
            let mut reached = None;
            if let Err(reason) = walk.datagram(&datagram, &mut reached) {
                return self.skip(reason, walk.captured);
            }
            added = match &reached {
                Some(Reached::Packet(found)) => {
                    let from = Source::Datagram(&datagram.frames);
                    return Decoded::Packet(self.packet(time, &walk, found, from));
                }
                Some(Reached::Fragment(fragment)) => {
                    self.fragments.add(time, fragment, &datagram.frames)
                }
                None => return self.skip(SkipReason::NotIp, walk.captured),
            };
        }
    }

    /// Skips what `captured` packets were put together to: this one by the answer, those before it,
    /// which were answered with [`Decoded::Held`], by the pool's account.
    fn skip(&mut self, reason: SkipReason, captured: u32) -> Decoded {
        self.fragments.count(reason, captured.saturating_sub(1));
        Decoded::Skipped(reason)
    }

    #[inline(always)]
    fn packet(
        &mut self,
        time: Timestamp,
        walk: &Walk,
        found: &Found<'_>,
        from: Source<'_>,
    ) -> Packet {
        let Found { ip, protocol, head, .. } = found;
        let held = head.payload.held();
        let payload = match from {
            Source::Block(offset) => Payload::Block {
                offset: offset.saturating_add(saturating_u32(head.payload.at())),
                len: saturating_u32(held.len()),
            },
            Source::Datagram(frames) => {
                Payload::Reassembled(Arc::new(Joined { bytes: held.into(), frames: frames.into() }))
            }
        };
        Packet {
            time,
            src_ip: ip.src,
            dst_ip: ip.dst,
            src_port: head.src_port,
            dst_port: head.dst_port,
            transport: Transport(*protocol),
            vlan: walk.vlan,
            inner_vlan: walk.inner_vlan,
            tunnel: self.names.name(&walk.tunnels, found.tunnels),
            captured_packets: walk.captured,
            ip_bytes: ip.bytes,
            fragment_overlap: walk.overlap,
            tcp: head.tcp,
            checksum: found.checksum.and(transport::checksum(ip, *protocol, found.span)),
            payload,
            payload_wire_bytes: saturating_u32(head.payload.wire()),
        }
    }
}

/// A length as its field has it; no frame is longer than 32 bits can say.
fn saturating_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
