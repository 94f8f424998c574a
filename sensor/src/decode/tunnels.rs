//! Packets in packets: IP in IP, GRE and what it carries, VXLAN, GENEVE, GTP-U, Teredo, AYIYA.
//!
//! In: what an IP packet carries, with its ports where it has them. Out: the tunnel and the header
//! inside, or nothing, where it is no tunnel or does not read like one. Tunnels over UDP are only
//! guessed from a port; the walk takes such a guess back when the packet inside makes no sense.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashMap;

use super::SkipReason;
use super::limits::{GTP_EXTENSION_HEADERS, TUNNEL_NAMES, TUNNELS};
use super::link;
use super::network::Fit;
use super::span::Span;
use super::transport::Head;
use super::walk::Layer;

/// An encapsulation that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tunnel {
    /// IPv4 in IPv4 (RFC 2003) or in IPv6 (RFC 2473).
    Ipip,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix,
    /// MPLS in IP (RFC 4023).
    Mpls,
    /// GRE (RFC 2784, RFC 2890).
    Gre,
    /// PPTP's GRE (RFC 2637).
    Pptp,
    /// NVGRE (RFC 7637), with its virtual subnet.
    Nvgre(u32),
    /// ERSPAN (draft-foschiano-erspan), with its session from type II on.
    Erspan(Option<u16>),
    /// VXLAN (RFC 7348), with its network.
    Vxlan(u32),
    /// GENEVE (RFC 8926), with its network.
    Geneve(u32),
    /// GTP-U (3GPP TS 29.281), with its tunnel endpoint: one for each direction.
    Gtp(u32),
    /// Teredo (RFC 4380).
    Teredo,
    /// AYIYA (draft-massar-v6ops-ayiya).
    Ayiya,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipip => f.write_str("ipip"),
            Self::SixInFour => f.write_str("6in4"),
            Self::SixInSix => f.write_str("6in6"),
            Self::Mpls => f.write_str("mpls"),
            Self::Gre => f.write_str("gre"),
            Self::Pptp => f.write_str("pptp"),
            Self::Nvgre(subnet) => write!(f, "nvgre:{subnet}"),
            Self::Erspan(None) => f.write_str("erspan"),
            Self::Erspan(Some(session)) => write!(f, "erspan:{session}"),
            Self::Vxlan(network) => write!(f, "vxlan:{network}"),
            Self::Geneve(network) => write!(f, "geneve:{network}"),
            Self::Gtp(endpoint) => write!(f, "gtp:{endpoint}"),
            Self::Teredo => f.write_str("teredo"),
            Self::Ayiya => f.write_str("ayiya"),
        }
    }
}

/// Tunnels in each other, outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct TunnelPath {
    hops: [Option<Tunnel>; TUNNELS],
    depth: usize,
}

impl TunnelPath {
    /// How many tunnels were entered.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// One tunnel deeper.
    pub(super) fn push(&mut self, tunnel: Tunnel) -> Result<(), SkipReason> {
        let free = self.hops.get_mut(self.depth).ok_or(SkipReason::TooManyLayers)?;
        *free = Some(tunnel);
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// The outermost `depth` tunnels.
    fn outermost(mut self, depth: usize) -> Self {
        for hop in self.hops.iter_mut().skip(depth) {
            *hop = None;
        }
        self.depth = self.depth.min(depth);
        self
    }

    /// How strictly the next IP header's length is taken.
    pub(super) fn fit(&self) -> Fit {
        if self.depth == 0 {
            return Fit::Lax;
        }
        match self.hops.iter().flatten().last() {
            Some(
                Tunnel::Vxlan(_)
                | Tunnel::Geneve(_)
                | Tunnel::Gtp(_)
                | Tunnel::Teredo
                | Tunnel::Ayiya,
            ) => Fit::Strict,
            _ => Fit::Lax,
        }
    }
}

impl fmt::Display for TunnelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, tunnel) in self.hops.iter().flatten().enumerate() {
            write!(f, "{}{tunnel}", if at == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// The texts of tunnel paths, each made once.
#[derive(Debug, Default)]
pub(super) struct TunnelNames(HashMap<TunnelPath, Arc<str>, foldhash::fast::RandomState>);

impl TunnelNames {
    /// How many are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The text of the outermost `depth` tunnels of a path, `None` where there are none. A full
    /// table is emptied: the texts that flows hold live on, and those in use come back.
    pub(super) fn name(&mut self, path: &TunnelPath, depth: usize) -> Option<Arc<str>> {
        if depth == 0 {
            return None;
        }
        let path = path.outermost(depth);
        if self.0.len() >= TUNNEL_NAMES && !self.0.contains_key(&path) {
            self.0.clear();
        }
        Some(Arc::clone(self.0.entry(path).or_insert_with(|| path.to_string().into())))
    }
}

/// What is inside a tunnel: its name, the first header, and that header's bytes.
type Inside<'a> = Option<(Tunnel, Layer, Span<'a>)>;

/// The tunnel that an IP packet carries, if it carries one.
#[inline(always)]
pub(super) fn enter<'a>(
    protocol: u8,
    outer: Family,
    span: Span<'a>,
    head: &Head<'a>,
) -> Inside<'a> {
    match (protocol, outer) {
        (17, _) => match well_known(head.src_port).or_else(|| well_known(head.dst_port)) {
            Some(read) => read(head.payload),
            None => None,
        },
        (4, _) => Some((Tunnel::Ipip, Layer::Ipv4, span)),
        (41, Family::V4) => Some((Tunnel::SixInFour, Layer::Ipv6, span)),
        (41, Family::V6) => Some((Tunnel::SixInSix, Layer::Ipv6, span)),
        (47, _) => gre(span),
        (137, _) => Some((Tunnel::Mpls, Layer::Mpls, span)),
        _ => None,
    }
}

/// Version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Reads a tunnel header in a UDP payload.
type ReadTunnel = for<'a> fn(Span<'a>) -> Inside<'a>;

/// The tunnel that a UDP port is registered for; 8472 is Linux's older number for VXLAN.
const fn well_known(port: u16) -> Option<ReadTunnel> {
    match port {
        4789 | 8472 => Some(vxlan),
        6081 => Some(geneve),
        2152 => Some(gtp),
        3544 => Some(teredo),
        5072 => Some(ayiya),
        _ => None,
    }
}

/// The header that an EtherType inside a tunnel announces.
fn announced(tunnel: Tunnel, ether_type: u16, span: Span<'_>) -> Inside<'_> {
    if ether_type <= 1500 {
        return None;
    }
    let (layer, span) = link::ether_type(ether_type, span).ok()?;
    Some((tunnel, layer, span))
}

/// GRE: flags and version, the EtherType inside, then the fields that the flags announce.
fn gre(span: Span<'_>) -> Inside<'_> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    const VERSION: u16 = 0x0007;
    const PPP: u16 = 0x880b;
    const BRIDGED: u16 = 0x6558;
    const ERSPAN: u16 = 0x88be;
    const ERSPAN_III: u16 = 0x22eb;

    let (&[f0, f1, t0, t1], mut rest) = span.header().ok()?;
    let flags = u16::from_be_bytes([f0, f1]);
    let ether_type = u16::from_be_bytes([t0, t1]);
    let version = flags & VERSION;
    // Source routes were deprecated before anyone used them (RFC 2784, section 2.3).
    if flags & ROUTING != 0 || version > 1 {
        return None;
    }
    if flags & CHECKSUM != 0 {
        rest = rest.skip(4).ok()?;
    }
    let mut key = None;
    if flags & KEY != 0 {
        let (&bytes, after) = rest.header().ok()?;
        (key, rest) = (Some(u32::from_be_bytes(bytes)), after);
    }
    if flags & SEQUENCE != 0 {
        rest = rest.skip(4).ok()?;
    }
    if version == 1 && flags & ACKNOWLEDGMENT != 0 {
        rest = rest.skip(4).ok()?;
    }
    match (ether_type, key) {
        (PPP, Some(key)) if version == 1 => {
            // The key's upper half is the payload's length.
            let payload = rest.at_most(usize::try_from(key >> 16).ok()?);
            Some((Tunnel::Pptp, Layer::Ppp, payload))
        }
        _ if version == 1 => None,
        (BRIDGED, Some(key)) if flags & (CHECKSUM | SEQUENCE) == 0 => {
            Some((Tunnel::Nvgre(key >> 8), Layer::Ethernet, rest))
        }
        (ERSPAN, _) if flags & SEQUENCE == 0 => Some((Tunnel::Erspan(None), Layer::Ethernet, rest)),
        (ERSPAN, _) => erspan_ii(rest),
        (ERSPAN_III, _) => erspan_iii(rest),
        _ => announced(Tunnel::Gre, ether_type, rest),
    }
}

/// ERSPAN type II: the lower ten bits of the second pair of bytes are the session.
fn erspan_ii(span: Span<'_>) -> Inside<'_> {
    let (&[_, _, s0, s1, _, _, _, _], frame) = span.header().ok()?;
    let session = u16::from_be_bytes([s0, s1]) & 0x03ff;
    Some((Tunnel::Erspan(Some(session)), Layer::Ethernet, frame))
}

/// ERSPAN type III: also the frame's type, and whether a platform's own eight bytes follow.
fn erspan_iii(span: Span<'_>) -> Inside<'_> {
    let (&[_, _, s0, s1, _, _, _, _, _, _, f0, f1], mut frame) = span.header().ok()?;
    let session = u16::from_be_bytes([s0, s1]) & 0x03ff;
    let flags = u16::from_be_bytes([f0, f1]);
    if flags & 1 == 1 {
        frame = frame.skip(8).ok()?;
    }
    let layer = match (flags >> 10) & 0x1f {
        0 => Layer::Ethernet,
        2 => Layer::Ip,
        _ => return None,
    };
    Some((Tunnel::Erspan(Some(session)), layer, frame))
}

/// VXLAN: the flag that the network is valid, then the network. Receivers ignore what is reserved,
/// so it may be anything.
fn vxlan(payload: Span<'_>) -> Inside<'_> {
    const NETWORK_IS_VALID: u8 = 0x08;
    let (&[flags, _, _, _, n0, n1, n2, _], frame) = payload.header().ok()?;
    let network = u32::from_be_bytes([0, n0, n1, n2]);
    (flags & NETWORK_IS_VALID != 0).then_some((Tunnel::Vxlan(network), Layer::Ethernet, frame))
}

/// GENEVE: version and length of the options, the EtherType inside, the network.
fn geneve(payload: Span<'_>) -> Inside<'_> {
    let (&[first, _, t0, t1, n0, n1, n2, _], rest) = payload.header().ok()?;
    if first >> 6 != 0 {
        return None;
    }
    let inside = rest.skip(usize::from(first & 0x3f).saturating_mul(4)).ok()?;
    let tunnel = Tunnel::Geneve(u32::from_be_bytes([0, n0, n1, n2]));
    announced(tunnel, u16::from_be_bytes([t0, t1]), inside)
}

/// GTP-U, version 1: user packets alone. Optional fields and extension headers are passed over.
fn gtp(payload: Span<'_>) -> Inside<'_> {
    const USER_PACKET: u8 = 0xff;
    const EXTENSION: u8 = 0x04;
    const OPTIONAL_FIELDS: u8 = 0x07;
    let (&[flags, kind, l0, l1, e0, e1, e2, e3], rest) = payload.header().ok()?;
    // Version 1, protocol type GTP, the reserved bit zero.
    if flags & 0xf8 != 0x30 || kind != USER_PACKET {
        return None;
    }
    let tunnel = Tunnel::Gtp(u32::from_be_bytes([e0, e1, e2, e3]));
    let mut inside = rest.at_most(u16::from_be_bytes([l0, l1]).into());
    if flags & OPTIONAL_FIELDS == 0 {
        return Some((tunnel, Layer::Ip, inside));
    }
    let (&[_, _, _, first], after) = inside.header().ok()?;
    inside = after;
    let mut next = if flags & EXTENSION == 0 { 0 } else { first };
    for _ in 0..GTP_EXTENSION_HEADERS {
        if next == 0 {
            return Some((tunnel, Layer::Ip, inside));
        }
        // Length in units of four bytes, content, and as the last byte the next header's type.
        let (&[words], _) = inside.header().ok()?;
        let before_next = usize::from(words).checked_mul(4)?.checked_sub(1)?;
        let (&[kind], after) = inside.skip(before_next).ok()?.header().ok()?;
        (next, inside) = (kind, after);
    }
    None
}

/// Teredo: an authentication and an origin may stand before the IPv6 packet. Packets without
/// payload, which keep an address translation open, stay what they are to the network: UDP.
fn teredo(payload: Span<'_>) -> Inside<'_> {
    const NO_NEXT_HEADER: u8 = 59;
    let mut packet = payload;
    if let Ok((&[0, 1, id_len, auth_len], rest)) = packet.header() {
        // Identifier, authentication, nonce, confirmation.
        let len = usize::from(id_len).saturating_add(auth_len.into()).saturating_add(9);
        packet = rest.skip(len).ok()?;
    }
    if let Ok((&[0, 0, _, _, _, _, _, _], rest)) = packet.header() {
        packet = rest;
    }
    let (&[version, _, _, _, _, _, next, _], _) = packet.header().ok()?;
    let is_ipv6 = version >> 4 == 6 && next != NO_NEXT_HEADER;
    is_ipv6.then_some((Tunnel::Teredo, Layer::Ipv6, packet))
}

/// AYIYA: lengths of identity and signature, what to do with the packet, its protocol, the time;
/// then identity and signature, then the packet.
fn ayiya(payload: Span<'_>) -> Inside<'_> {
    const FORWARD: u8 = 1;
    let (&[identity, signature, operation, next, _, _, _, _], rest) = payload.header().ok()?;
    let layer = match next {
        4 => Layer::Ipv4,
        41 => Layer::Ipv6,
        _ => return None,
    };
    let identity_len = 1_usize << (identity >> 4);
    let signature_len = usize::from(signature >> 4).saturating_mul(4);
    let packet = rest.skip(identity_len.saturating_add(signature_len)).ok()?;
    (operation & 0x0f == FORWARD).then_some((Tunnel::Ayiya, layer, packet))
}
