//! From the link layer to IP: Ethernet and its tags, Linux cooked captures, PPP, MPLS and the like.
//!
//! In: a frame and its link type. Out: step by step, which header comes next and where. The
//! registry of link types is that of pcap (draft-ietf-opsawg-pcaplinktype); each step names its
//! standard.

use etherparse::Ethernet2HeaderSlice;

use super::span::{Short, Span};
use super::walk::Layer;
use super::{LinkType, SkipReason};

/// The next header and its bytes.
pub(super) type Next<'a> = Result<(Layer, Span<'a>), SkipReason>;

/// Attributes of an NFLOG packet that are passed over to find its bytes; the kernel writes a dozen.
const NFLOG_ATTRIBUTES: usize = 32;

/// Link types that Serval reads.
pub(super) mod link_type {
    /// BSD loopback: an address family in the byte order of the capturing host.
    pub(in super::super) const NULL: u16 = 0;
    /// Ethernet.
    pub(in super::super) const ETHERNET: u16 = 1;
    /// PPP, with or without its HDLC address.
    pub(in super::super) const PPP: u16 = 9;
    /// Raw IP, as some systems number it.
    pub(in super::super) const RAW_BSD: u16 = 12;
    /// Raw IP, as OpenBSD numbers it.
    pub(in super::super) const RAW_OPENBSD: u16 = 14;
    /// PPP in HDLC framing.
    pub(in super::super) const PPP_HDLC: u16 = 50;
    /// PPPoE without its Ethernet header.
    pub(in super::super) const PPP_ETHER: u16 = 51;
    /// Raw IP.
    pub(in super::super) const RAW: u16 = 101;
    /// Cisco HDLC.
    pub(in super::super) const C_HDLC: u16 = 104;
    /// OpenBSD loopback: an address family in network order.
    pub(in super::super) const LOOP: u16 = 108;
    /// Linux cooked capture.
    pub(in super::super) const LINUX_SLL: u16 = 113;
    /// MPLS.
    pub(in super::super) const MPLS: u16 = 219;
    /// Raw IPv4.
    pub(in super::super) const IPV4: u16 = 228;
    /// Raw IPv6.
    pub(in super::super) const IPV6: u16 = 229;
    /// Linux netfilter log.
    pub(in super::super) const NFLOG: u16 = 239;
    /// Linux cooked capture, version 2.
    pub(in super::super) const LINUX_SLL2: u16 = 276;
}

/// Source and destination MAC of a frame, where its link type has both. Meant for a flow's first
/// packet: the decoder itself has no use for them.
#[must_use]
pub fn macs(link: LinkType, frame: &[u8]) -> Option<([u8; 6], [u8; 6])> {
    if link.0 != link_type::ETHERNET {
        return None;
    }
    let header = Ethernet2HeaderSlice::from_slice(frame).ok()?;
    Some((header.source(), header.destination()))
}

/// The first header of a frame.
#[inline(always)]
pub(super) fn outermost(link: LinkType, frame: Span<'_>) -> Next<'_> {
    match link.0 {
        link_type::ETHERNET => ethernet(frame),
        link_type::RAW | link_type::RAW_BSD | link_type::RAW_OPENBSD => Ok((Layer::Ip, frame)),
        link_type::IPV4 => Ok((Layer::Ipv4, frame)),
        link_type::IPV6 => Ok((Layer::Ipv6, frame)),
        link_type::NULL | link_type::LOOP => loopback(frame),
        link_type::LINUX_SLL => linux_cooked(frame),
        link_type::LINUX_SLL2 => linux_cooked_2(frame),
        link_type::PPP => Ok((Layer::Ppp, frame)),
        link_type::PPP_HDLC => ppp_hdlc(frame),
        link_type::PPP_ETHER => Ok((Layer::Pppoe, frame)),
        link_type::C_HDLC => cisco_hdlc(frame),
        link_type::MPLS => Ok((Layer::Mpls, frame)),
        link_type::NFLOG => nflog(frame),
        _ => Err(SkipReason::UnknownLinkType),
    }
}

fn too_short(_: Short) -> SkipReason {
    SkipReason::LinkMalformed
}

/// Ethernet II and IEEE 802.3.
#[inline(always)]
pub(super) fn ethernet(span: Span<'_>) -> Next<'_> {
    let (&[.., high, low], rest) = span.header::<14>().map_err(too_short)?;
    ether_type(u16::from_be_bytes([high, low]), rest)
}

/// What an EtherType says about the bytes after it; up to 1500 it is their number (IEEE 802.3,
/// section 3.2.6).
#[inline(always)]
pub(super) fn ether_type(ether_type: u16, rest: Span<'_>) -> Next<'_> {
    Ok(match ether_type {
        0..=1500 => (Layer::Llc, rest.at_most(usize::from(ether_type))),
        0x0800 => (Layer::Ipv4, rest),
        0x86dd => (Layer::Ipv6, rest),
        0x0806 | 0x8035 => return Err(SkipReason::Arp),
        // IEEE 802.1Q, 802.1ad, and the numbers that were used before there was an 802.1ad.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => (Layer::Vlan, rest),
        0x8847 | 0x8848 => (Layer::Mpls, rest),
        0x8864 => (Layer::Pppoe, rest),
        0x880b => (Layer::Ppp, rest),
        0x6558 => (Layer::Ethernet, rest),
        0x894f => (Layer::Nsh, rest),
        // Cisco FabricPath: two bytes of tag and hops, then the frame.
        0x8903 => (Layer::Ethernet, rest.skip(2).map_err(too_short)?),
        // Provider backbone bridging (IEEE 802.1ah): the service's tag, then the customer's frame.
        0x88e7 => (Layer::Ethernet, rest.skip(4).map_err(too_short)?),
        // Cisco VN-Tag and IEEE 802.1BR E-TAG: a tag, then an EtherType.
        0x8926 => (Layer::EtherType, rest.skip(4).map_err(too_short)?),
        0x893f => (Layer::EtherType, rest.skip(6).map_err(too_short)?),
        _ => return Err(SkipReason::NotIp),
    })
}

/// An EtherType alone.
pub(super) fn bare_ether_type(span: Span<'_>) -> Next<'_> {
    let (&bytes, rest) = span.header::<2>().map_err(too_short)?;
    ether_type(u16::from_be_bytes(bytes), rest)
}

/// A VLAN tag (IEEE 802.1Q, section 9.6): its VLAN, `None` in a tag that tells a priority alone,
/// and what follows.
pub(super) fn vlan(span: Span<'_>) -> Result<(Option<u16>, Next<'_>), SkipReason> {
    let (&[control, id, high, low], rest) = span.header::<4>().map_err(too_short)?;
    let vlan = u16::from_be_bytes([control & 0x0f, id]);
    Ok(((vlan != 0).then_some(vlan), ether_type(u16::from_be_bytes([high, low]), rest)))
}

/// IEEE 802.2 logical link control, and the SNAP header in it (RFC 1042).
pub(super) fn llc(span: Span<'_>) -> Next<'_> {
    let (&[dsap, ssap, control], rest) = span.header::<3>().map_err(too_short)?;
    match (dsap, ssap, control) {
        (0x06, 0x06, 0x03) => Ok((Layer::Ipv4, rest)),
        (0xaa, 0xaa, 0x03) => {
            let (&[vendor @ .., high, low], rest) = rest.header::<5>().map_err(too_short)?;
            match vendor {
                // RFC 1042, and IEEE 802.1H for what must survive a bridge.
                [0, 0, 0] | [0, 0, 0xf8] => ether_type(u16::from_be_bytes([high, low]), rest),
                _ => Err(SkipReason::NotIp),
            }
        }
        _ => Err(SkipReason::NotIp),
    }
}

/// One entry of an MPLS label stack (RFC 3032, section 2.1). What the last one carries is not said;
/// its first four bits tell IP from a pseudowire's control word (RFC 4385, section 3).
pub(super) fn mpls(span: Span<'_>) -> Next<'_> {
    let (&[_, _, bottom, _], rest) = span.header::<4>().map_err(too_short)?;
    if bottom & 1 == 0 {
        return Ok((Layer::Mpls, rest));
    }
    let (&[first], _) = rest.header::<1>().map_err(too_short)?;
    match first >> 4 {
        4 => Ok((Layer::Ipv4, rest)),
        6 => Ok((Layer::Ipv6, rest)),
        0 => Ok((Layer::Ethernet, after_control_word(rest))),
        _ => Ok((Layer::Ethernet, rest)),
    }
}

/// A pseudowire's frame after its control word, unless only the frame of a pseudowire without one,
/// whose first address begins with zeros, has an EtherType where it must be.
fn after_control_word(span: Span<'_>) -> Span<'_> {
    match span.skip(4) {
        Ok(frame) if has_ether_type(frame) || !has_ether_type(span) => frame,
        _ => span,
    }
}

/// Whether a frame has an EtherType that is known here, and no length.
fn has_ether_type(frame: Span<'_>) -> bool {
    matches!(ethernet(frame), Ok((layer, _)) if layer != Layer::Llc)
}

/// The network service header (RFC 8300, section 2.2).
pub(super) fn nsh(span: Span<'_>) -> Next<'_> {
    let (&[_, words, _, protocol], _) = span.header::<4>().map_err(too_short)?;
    let len = usize::from(words & 0x3f).saturating_mul(4);
    if len < 8 {
        return Err(SkipReason::LinkMalformed);
    }
    let layer = match protocol {
        1 => Layer::Ipv4,
        2 => Layer::Ipv6,
        3 => Layer::Ethernet,
        4 => Layer::Nsh,
        5 => Layer::Mpls,
        _ => return Err(SkipReason::NotIp),
    };
    Ok((layer, span.skip(len).map_err(too_short)?))
}

/// A PPPoE session's packet (RFC 2516, section 4).
pub(super) fn pppoe(span: Span<'_>) -> Next<'_> {
    let (&[version, code, _, _, high, low], rest) = span.header::<6>().map_err(too_short)?;
    match (version, code) {
        (0x11, 0) => Ok((Layer::Ppp, rest.at_most(u16::from_be_bytes([high, low]).into()))),
        (0x11, _) => Err(SkipReason::NotIp),
        _ => Err(SkipReason::LinkMalformed),
    }
}

/// PPP (RFC 1661, section 2), with or without HDLC's address and control (RFC 1662, section 3.1)
/// and with its protocol field compressed or not (RFC 1661, section 6.5).
pub(super) fn ppp(span: Span<'_>) -> Next<'_> {
    let span = match span.header() {
        Ok(([0xff, 0x03], rest)) => rest,
        _ => span,
    };
    let (&[first], short_rest) = span.header().map_err(too_short)?;
    let (protocol, rest) = if first & 1 == 1 {
        (u16::from(first), short_rest)
    } else {
        let (&bytes, rest) = span.header::<2>().map_err(too_short)?;
        (u16::from_be_bytes(bytes), rest)
    };
    match protocol {
        0x0021 => Ok((Layer::Ipv4, rest)),
        0x0057 => Ok((Layer::Ipv6, rest)),
        0x0281 | 0x0283 => Ok((Layer::Mpls, rest)),
        _ => Err(SkipReason::NotIp),
    }
}

/// PPP on a serial line, which may speak Cisco's HDLC instead.
fn ppp_hdlc(span: Span<'_>) -> Next<'_> {
    match span.header() {
        Ok(([0x0f | 0x8f, 0], _)) => cisco_hdlc(span),
        _ => Ok((Layer::Ppp, span)),
    }
}

/// Cisco HDLC: address, control, EtherType (RFC 1547, section 4.3.1). Its keep-alive SLARP has the
/// number that RARP has elsewhere.
fn cisco_hdlc(span: Span<'_>) -> Next<'_> {
    let (&[_, _, high, low], rest) = span.header::<4>().map_err(too_short)?;
    match u16::from_be_bytes([high, low]) {
        0..=1500 | 0x8035 => Err(SkipReason::NotIp),
        known => ether_type(known, rest),
    }
}

/// A loopback's address family. Its byte order is the capturing host's, and families are small
/// numbers, so that whichever order gives the smaller one is right.
fn loopback(span: Span<'_>) -> Next<'_> {
    let (&bytes, rest) = span.header::<4>().map_err(too_short)?;
    match u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes)) {
        2 => Ok((Layer::Ipv4, rest)),
        // IPv6 on Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 23 | 24 | 28 | 30 => Ok((Layer::Ipv6, rest)),
        _ => Err(SkipReason::NotIp),
    }
}

/// Linux cooked capture (LINKTYPE_LINUX_SLL).
fn linux_cooked(span: Span<'_>) -> Next<'_> {
    let (&[.., high, low], rest) = span.header::<16>().map_err(too_short)?;
    cooked_protocol(u16::from_be_bytes([high, low]), rest)
}

/// Linux cooked capture, version 2 (LINKTYPE_LINUX_SLL2).
fn linux_cooked_2(span: Span<'_>) -> Next<'_> {
    let (&[high, low, ..], rest) = span.header::<20>().map_err(too_short)?;
    cooked_protocol(u16::from_be_bytes([high, low]), rest)
}

/// Linux numbers what has no EtherType below 1500, where Ethernet has lengths: 4 is IEEE 802.2.
fn cooked_protocol(protocol: u16, rest: Span<'_>) -> Next<'_> {
    match protocol {
        4 => Ok((Layer::Llc, rest)),
        0..=1500 => Err(SkipReason::NotIp),
        known => ether_type(known, rest),
    }
}

/// A packet from the netfilter log (LINKTYPE_NFLOG): attributes in the capturing host's byte order,
/// of which number 9 is the packet. Little-endian, since no host of the other kind logs any more.
fn nflog(span: Span<'_>) -> Next<'_> {
    const PAYLOAD: u16 = 9;
    let (&[family, _, _, _], mut rest) = span.header::<4>().map_err(too_short)?;
    let layer = match family {
        2 => Layer::Ipv4,
        10 => Layer::Ipv6,
        _ => return Err(SkipReason::NotIp),
    };
    for _ in 0..NFLOG_ATTRIBUTES {
        let (&[l0, l1, t0, t1], value) = rest.header::<4>().map_err(too_short)?;
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        let value_len = len.checked_sub(4).ok_or(SkipReason::LinkMalformed)?;
        if u16::from_le_bytes([t0, t1]) & 0x7fff == PAYLOAD {
            return Ok((layer, value.at_most(value_len)));
        }
        rest = rest.skip(len.next_multiple_of(4)).map_err(too_short)?;
    }
    Err(SkipReason::LinkMalformed)
}
