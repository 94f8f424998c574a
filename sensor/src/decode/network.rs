//! IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200), the authentication header (RFC 4302).
//!
//! In: an IP packet. Out: its addresses and lengths, and either the transport it carries or the
//! fragment it is. Lengths are those of the header, never those of the frame, whose padding is no
//! payload; only where a header says zero, as captures of segmentation offload do, the frame tells.

use std::net::IpAddr;

use etherparse::err::{ipv4, ipv6};
use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

use super::SkipReason;
use super::checksum::{Checksum, Sum};
use super::limits::{EXTENSION_HEADERS, IPV6_OPTIONS};
use super::span::{Short, Span};

/// Bytes of an IPv6 header.
const IPV6_HEADER_BYTES: usize = 40;

/// IP protocols that this file has to do with.
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const NO_NEXT: u8 = 59;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HOST_IDENTITY: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

/// What is known of an IP packet, or of a datagram that was put together from several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    /// Sender.
    pub(super) src: IpAddr,
    /// Receiver, as the header says; a source route may name a further one.
    pub(super) dst: IpAddr,
    /// Its bytes by its length field.
    pub(super) bytes: u64,
    /// What is known of the header's checksum.
    pub(super) checksum: Checksum,
    /// Whether the addresses are those of the transport's pseudo-header.
    pub(super) addresses: Addresses,
}

/// Whether an IP header's addresses are those of the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// They are.
    Ends,
    /// The destination is a stop on a source route.
    Stop,
}

/// Whether an IP packet's length may exceed what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It may: what is missing was not captured.
    Lax,
    /// It may not: that it is IP at all is only a guess from a UDP port.
    Strict,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried<'a> {
    /// A protocol's header and payload.
    Whole {
        /// IP protocol; that of an extension header until [`extensions`] has walked over it.
        protocol: u8,
        /// From the protocol's header on.
        span: Span<'a>,
    },
    /// A part of a datagram.
    Part(Part<'a>),
}

/// A fragment's place in its datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The sender's number for the datagram.
    pub(super) id: u32,
    /// IP protocol of the datagram; IPv6: of what follows the fragment header.
    pub(super) protocol: u8,
    /// Offset of its first byte in the datagram.
    pub(super) start: usize,
    /// Whether more follow.
    pub(super) place: Place,
    /// Its bytes.
    pub(super) span: Span<'a>,
}

/// Whether more fragments follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// More follow.
    MoreFollow,
    /// It is the end of its datagram.
    Last,
}

fn too_short(short: Short) -> SkipReason {
    short.reason(SkipReason::IpMalformed, SkipReason::IpCut)
}

/// An IP packet of the version that its first four bits say.
pub(super) fn ip(span: Span<'_>, fit: Fit) -> Result<(Ip, Carried<'_>), SkipReason> {
    let (&[first], _) = span.header().map_err(too_short)?;
    match first >> 4 {
        4 => ipv4(span, fit),
        6 => ipv6(span, fit),
        _ => Err(SkipReason::IpMalformed),
    }
}

/// An IPv4 packet.
#[inline(always)]
pub(super) fn ipv4(span: Span<'_>, fit: Fit) -> Result<(Ip, Carried<'_>), SkipReason> {
    let header = Ipv4HeaderSlice::from_slice(span.held()).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(len) => too_short(span.short(len.required_len)),
        ipv4::HeaderSliceError::Content(_) => SkipReason::IpMalformed,
    })?;
    let header_bytes = header.slice();
    let total = match header.total_len() {
        0 => span.wire(),
        total => usize::from(total),
    };
    if total < header_bytes.len() || (fit == Fit::Strict && total > span.wire()) {
        return Err(SkipReason::IpMalformed);
    }
    let ip = Ip {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        bytes: total as u64,
        checksum: Sum::default().with(header_bytes).verdict(),
        addresses: Addresses::Ends,
    };
    let payload = span.of_length(total).skip(header_bytes.len()).map_err(too_short)?;
    let protocol = header.protocol().0;
    if !header.is_fragmenting_payload() {
        return Ok((ip, Carried::Whole { protocol, span: payload }));
    }
    let part = Part {
        id: header.identification().into(),
        protocol,
        start: usize::from(header.fragments_offset().byte_offset()),
        place: if header.more_fragments() { Place::MoreFollow } else { Place::Last },
        span: payload,
    };
    Ok((ip, Carried::Part(part)))
}

/// An IPv6 packet.
pub(super) fn ipv6(span: Span<'_>, fit: Fit) -> Result<(Ip, Carried<'_>), SkipReason> {
    let header = Ipv6HeaderSlice::from_slice(span.held()).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(len) => too_short(span.short(len.required_len)),
        ipv6::HeaderSliceError::Content(_) => SkipReason::IpMalformed,
    })?;
    let rest = span.skip(IPV6_HEADER_BYTES).map_err(too_short)?;
    let next = header.next_header().0;
    let len = match (header.payload_length(), next) {
        (0, protocol::NO_NEXT) => 0,
        (0, protocol::HOP_BY_HOP) => jumbo_length(rest).unwrap_or(rest.wire()),
        (0, _) => rest.wire(),
        (len, _) => usize::from(len),
    };
    if fit == Fit::Strict && len > rest.wire() {
        return Err(SkipReason::IpMalformed);
    }
    let ip = Ip {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        bytes: len.saturating_add(IPV6_HEADER_BYTES) as u64,
        checksum: Checksum::Good,
        addresses: Addresses::Ends,
    };
    Ok((ip, Carried::Whole { protocol: next, span: rest.of_length(len) }))
}

/// Length of a jumbogram (RFC 2675, section 2) from its hop-by-hop options.
fn jumbo_length(payload: Span<'_>) -> Option<usize> {
    const PAD: u8 = 0;
    const JUMBO: u8 = 0xc2;
    let (&[_, words], mut options) = payload.header().ok()?;
    options = options.at_most(usize::from(words).saturating_mul(8).saturating_add(6));
    for _ in 0..IPV6_OPTIONS {
        let (&[kind], after_kind) = options.header().ok()?;
        if kind == PAD {
            options = after_kind;
            continue;
        }
        let (&[len], value) = after_kind.header().ok()?;
        if kind == JUMBO && len == 4 {
            let (&bytes, _) = value.header().ok()?;
            return usize::try_from(u32::from_be_bytes(bytes)).ok();
        }
        options = value.skip(len.into()).ok()?;
    }
    None
}

/// Whether `protocol` is an extension header. IPv4 knows one of them.
pub(super) const fn is_extension(ip: &Ip, protocol: u8) -> bool {
    match protocol {
        protocol::AUTHENTICATION => true,
        protocol::HOP_BY_HOP
        | protocol::ROUTING
        | protocol::FRAGMENT
        | protocol::DESTINATION
        | protocol::MOBILITY
        | protocol::HOST_IDENTITY
        | protocol::SHIM6 => ip.dst.is_ipv6(),
        _ => false,
    }
}

/// Walks over the extension headers that begin with `protocol`.
pub(super) fn extensions<'a>(
    ip: &mut Ip,
    mut protocol: u8,
    mut span: Span<'a>,
) -> Result<Carried<'a>, SkipReason> {
    for _ in 0..EXTENSION_HEADERS {
        if !is_extension(ip, protocol) {
            return Ok(Carried::Whole { protocol, span });
        }
        (protocol, span) = match protocol {
            protocol::AUTHENTICATION => extension(span, authentication_len)?,
            protocol::ROUTING => {
                let (&[_, _, _, stops_left], _) = span.header().map_err(too_short)?;
                if stops_left > 0 {
                    ip.addresses = Addresses::Stop;
                }
                extension(span, extension_len)?
            }
            protocol::MOBILITY | protocol::HOST_IDENTITY | protocol::SHIM6 => {
                // These may be extensions, and mostly are all that the packet carries.
                match extension(span, extension_len)? {
                    (protocol::NO_NEXT, _) => return Ok(Carried::Whole { protocol, span }),
                    next => next,
                }
            }
            protocol::FRAGMENT => match fragment(span)? {
                // An atomic fragment (RFC 6946) is a whole datagram.
                Part { start: 0, place: Place::Last, protocol, span, .. } => (protocol, span),
                part => return Ok(Carried::Part(part)),
            },
            _ => extension(span, extension_len)?,
        };
    }
    Err(SkipReason::TooManyLayers)
}

/// One extension header: the protocol of the next, and its bytes.
fn extension(span: Span<'_>, len: fn(u8) -> usize) -> Result<(u8, Span<'_>), SkipReason> {
    let (&[next, words], _) = span.header().map_err(too_short)?;
    Ok((next, span.skip(len(words)).map_err(too_short)?))
}

/// RFC 8200, section 4.3: units of eight bytes without the first.
fn extension_len(words: u8) -> usize {
    usize::from(words).saturating_add(1).saturating_mul(8)
}

/// RFC 4302, section 2.2: units of four bytes without the first two.
fn authentication_len(words: u8) -> usize {
    usize::from(words).saturating_add(2).saturating_mul(4)
}

/// A fragment header (RFC 8200, section 4.5).
fn fragment(span: Span<'_>) -> Result<Part<'_>, SkipReason> {
    let header = Ipv6FragmentHeaderSlice::from_slice(span.held())
        .map_err(|error| too_short(span.short(error.required_len)))?;
    Ok(Part {
        id: header.identification(),
        protocol: header.next_header().0,
        start: usize::from(header.fragment_offset().byte_offset()),
        place: if header.more_fragments() { Place::MoreFollow } else { Place::Last },
        span: span.skip(header.slice().len()).map_err(too_short)?,
    })
}
