//! A small builder of packets: Ethernet, IPv4, TCP, UDP, fragments and three kinds of wrapping.
//!
//! Numbers of streams are offsets, as in the stream room: 0 is the SYN, 1 the first payload byte.
//! RFC 791, RFC 9293, RFC 768, RFC 2784 (GRE), RFC 7348 (VXLAN), IEEE 802.1Q.

use std::net::{Ipv4Addr, SocketAddrV4};

use analyzers::{Direction, PerDirection, Timestamp};
use sensor::capture::LinkType;

use crate::replays::Frame;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
pub(crate) const URG: u8 = 32;

const ETHERNET: LinkType = LinkType(1);
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Whether a checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Good,
    Bad,
}

/// One TCP segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) from: Direction,
    pub(crate) flags: u8,
    /// Offset of its first byte, or of the SYN.
    pub(crate) offset: i64,
    /// Offset that it acknowledges.
    pub(crate) ack: i64,
    pub(crate) payload: Vec<u8>,
    pub(crate) urgent: u16,
    pub(crate) checksum: Checksum,
}

impl Segment {
    /// A sound segment.
    pub(crate) fn new(from: Direction, flags: u8, offset: i64, ack: i64, payload: &[u8]) -> Self {
        let (payload, urgent) = (payload.to_vec(), 0);
        Self { from, flags, offset, ack, payload, urgent, checksum: Checksum::Good }
    }
}

/// The ends of a flow and where their numbers start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) src: SocketAddrV4,
    pub(crate) dst: SocketAddrV4,
    /// Sequence numbers of the SYNs.
    pub(crate) origins: PerDirection<u32>,
}

impl Ends {
    /// Host `number` asks the port of a server.
    pub(crate) fn new(number: u16, src_port: u16, dst_port: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self {
            src: SocketAddrV4::new(Ipv4Addr::new(10, 20, high, low), src_port),
            dst: SocketAddrV4::new(Ipv4Addr::new(10, 30, high, low), dst_port),
            origins: PerDirection { src: 1_000_000, dst: 3_000_000_000 },
        }
    }

    fn of(&self, from: Direction) -> (SocketAddrV4, SocketAddrV4) {
        match from {
            Direction::SrcToDst => (self.src, self.dst),
            Direction::DstToSrc => (self.dst, self.src),
        }
    }

    /// A segment as an IP packet.
    pub(crate) fn tcp(&self, segment: &Segment) -> Vec<u8> {
        let (src, dst) = self.of(segment.from);
        let seq = number(*self.origins.of(segment.from), segment.offset);
        let ack = number(*self.origins.of(segment.from.reversed()), segment.ack);
        let mut bytes = Vec::with_capacity(20 + segment.payload.len());
        bytes.extend(src.port().to_be_bytes());
        bytes.extend(dst.port().to_be_bytes());
        bytes.extend(seq.to_be_bytes());
        bytes.extend(if segment.flags & ACK == 0 { 0 } else { ack }.to_be_bytes());
        bytes.extend([5 << 4, segment.flags, 0xff, 0xff, 0, 0]);
        bytes.extend(segment.urgent.to_be_bytes());
        bytes.extend(&segment.payload);
        let right = checksum(&[&pseudo_header(*src.ip(), *dst.ip(), TCP, bytes.len()), &bytes]);
        let sum = match segment.checksum {
            Checksum::Good => right,
            Checksum::Bad => right ^ 0x5555,
        };
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        ipv4(*src.ip(), *dst.ip(), TCP, &bytes)
    }

    /// A datagram as an IP packet.
    pub(crate) fn udp(&self, from: Direction, payload: &[u8]) -> Vec<u8> {
        let (src, dst) = self.of(from);
        udp(src, dst, payload)
    }
}

/// The sequence number of an offset.
fn number(origin: u32, offset: i64) -> u32 {
    let low = u32::try_from(offset.rem_euclid(1 << 32)).expect("less than 2^32");
    origin.wrapping_add(low)
}

fn udp(src: SocketAddrV4, dst: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 8).expect("a datagram of less than 64 KiB");
    let mut bytes = Vec::with_capacity(payload.len() + 8);
    for field in [src.port(), dst.port(), len, 0] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(payload);
    let sum = checksum(&[&pseudo_header(*src.ip(), *dst.ip(), UDP, bytes.len()), &bytes]);
    bytes[6..8].copy_from_slice(&if sum == 0 { 0xffff } else { sum }.to_be_bytes());
    ipv4(*src.ip(), *dst.ip(), UDP, &bytes)
}

/// An IP packet around a payload. Its identification follows from what it holds, so that fragments
/// of different packets do not meet.
fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 20).expect("a packet of less than 64 KiB");
    let mut bytes = vec![0x45, 0];
    bytes.extend(len.to_be_bytes());
    bytes.extend(checksum(&[payload]).to_be_bytes());
    bytes.extend([0, 0, 64, protocol, 0, 0]);
    bytes.extend(src.octets());
    bytes.extend(dst.octets());
    fill_header_checksum(&mut bytes);
    bytes.extend(payload);
    bytes
}

fn fill_header_checksum(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn pseudo_header(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, len: usize) -> Vec<u8> {
    let len = u16::try_from(len).expect("less than 64 KiB").to_be_bytes();
    [&src.octets()[..], &dst.octets(), &[0, protocol], &len].concat()
}

/// The Internet checksum (RFC 1071) of parts, of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2)).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    });
    let mut sum: u32 = 0;
    for word in words {
        sum += word;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

/// A piece of an IP packet's payload: `bytes` at `offset`, a multiple of eight.
pub(crate) fn fragment(packet: &[u8], offset: usize, bytes: &[u8], is_last: bool) -> Vec<u8> {
    let len = u16::try_from(bytes.len() + 20).expect("a fragment of less than 64 KiB");
    let field = u16::try_from(offset / 8).expect("an offset") | if is_last { 0 } else { 0x2000 };
    let mut fragment = packet[..20].to_vec();
    fragment[2..4].copy_from_slice(&len.to_be_bytes());
    fragment[6..8].copy_from_slice(&field.to_be_bytes());
    fill_header_checksum(&mut fragment);
    fragment.extend(bytes);
    fragment
}

/// An IP packet in fragments of at most `most` bytes of payload, a multiple of eight.
pub(crate) fn fragments(packet: &[u8], most: usize) -> Vec<Vec<u8>> {
    let payload = &packet[20..];
    if payload.len() <= most {
        return vec![packet.to_vec()];
    }
    let pieces = payload.chunks(most).enumerate();
    let last = payload.len().div_ceil(most) - 1;
    pieces.map(|(at, bytes)| fragment(packet, at * most, bytes, at == last)).collect()
}

/// What is put around an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// Ethernet alone.
    Plain,
    /// An 802.1Q tag.
    Vlan(u16),
    /// GRE, in IP between two routers.
    Gre,
    /// Ethernet in VXLAN, in UDP between two switches.
    Vxlan,
}

impl Wrapping {
    /// An IP packet as a frame.
    pub(crate) fn frame(self, packet: &[u8]) -> Vec<u8> {
        let (near, far) = (Ipv4Addr::new(172, 16, 0, 1), Ipv4Addr::new(172, 16, 0, 2));
        match self {
            Self::Plain => ethernet(&[], packet),
            Self::Vlan(tag) => ethernet(&[&[0x81, 0][..], &tag.to_be_bytes()].concat(), packet),
            Self::Gre => ethernet(&[], &ipv4(near, far, 47, &[&[0, 0, 8, 0], packet].concat())),
            Self::Vxlan => {
                let header = [8, 0, 0, 0, 0, 0, 42, 0];
                let inner = [&header[..], &ethernet(&[], packet)].concat();
                let (near, far) = (SocketAddrV4::new(near, 50_000), SocketAddrV4::new(far, 4_789));
                ethernet(&[], &udp(near, far, &inner))
            }
        }
    }
}

fn ethernet(tag: &[u8], packet: &[u8]) -> Vec<u8> {
    let macs = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    [&macs[..], tag, &[8, 0], packet].concat()
}

/// A frame captured at that time, whole.
pub(crate) fn captured(time: Timestamp, bytes: Vec<u8>) -> Frame {
    let wire_bytes = u32::try_from(bytes.len()).expect("a frame of less than 4 GiB");
    Frame { time, link: ETHERNET, bytes, wire_bytes }
}
