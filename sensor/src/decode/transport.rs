//! TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, RFC 4443), SCTP (RFC 9260); of any other protocol
//! only its number is known.
//!
//! In: what an IP packet carries. Out: ports, TCP's fields, the payload, and whether the checksum
//! is right. A header that the capture cut still gives what it has, as long as its ports are there.

use analyzers::Transport;

use super::checksum::{Checksum, Sum};
use super::network::{Addresses, Ip};
use super::span::{Short, Span};
use super::{SkipReason, TcpFields};

const TCP_HEADER_BYTES: usize = 20;
const UDP_HEADER_BYTES: usize = 8;
const ICMP_HEADER_BYTES: usize = 8;
const SCTP_HEADER_BYTES: usize = 12;

/// What a transport header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Sender's port; ICMP: the type.
    pub(super) src_port: u16,
    /// Receiver's port; ICMP: the code.
    pub(super) dst_port: u16,
    /// TCP's fields, where the capture holds them and they say where the payload begins.
    pub(super) tcp: Option<TcpFields>,
    /// What follows the header.
    pub(super) payload: Span<'a>,
}

/// Reads a transport header.
#[inline(always)]
pub(super) fn head(protocol: u8, span: Span<'_>) -> Result<Head<'_>, SkipReason> {
    match Transport(protocol) {
        Transport::TCP => tcp(span),
        Transport::UDP => udp(span),
        Transport::ICMP | Transport::ICMP6 => icmp(span),
        Transport::SCTP => {
            let (src_port, dst_port) = ports(span, SCTP_HEADER_BYTES)?;
            Ok(Head { src_port, dst_port, tcp: None, payload: span.skip_lax(SCTP_HEADER_BYTES) })
        }
        _ => Ok(Head { src_port: 0, dst_port: 0, tcp: None, payload: span }),
    }
}

fn too_short(short: Short) -> SkipReason {
    short.reason(SkipReason::TransportMalformed, SkipReason::TransportCut)
}

/// Both ports, of a header that is `header_bytes` long at least.
fn ports(span: Span<'_>, header_bytes: usize) -> Result<(u16, u16), SkipReason> {
    if span.wire() < header_bytes {
        return Err(SkipReason::TransportMalformed);
    }
    let (&[s0, s1, d0, d1], _) = span.header().map_err(too_short)?;
    Ok((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
}

#[inline(always)]
fn tcp(span: Span<'_>) -> Result<Head<'_>, SkipReason> {
    let (src_port, dst_port) = ports(span, TCP_HEADER_BYTES)?;
    let without_fields = Head { src_port, dst_port, tcp: None, payload: span.at_most(0) };
    let Ok((header, _)) = span.header::<TCP_HEADER_BYTES>() else { return Ok(without_fields) };
    let &[_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, u0, u1] = header;
    let header_bytes = usize::from(offset >> 4).saturating_mul(4);
    if header_bytes < TCP_HEADER_BYTES || header_bytes > span.wire() {
        // No receiver takes such a segment, so its flags must not move the flow's state.
        return Ok(without_fields);
    }
    let fields = TcpFields {
        seq: u32::from_be_bytes([s0, s1, s2, s3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        window: u16::from_be_bytes([w0, w1]),
        urgent: u16::from_be_bytes([u0, u1]),
    };
    Ok(Head { src_port, dst_port, tcp: Some(fields), payload: span.skip_lax(header_bytes) })
}

fn udp(span: Span<'_>) -> Result<Head<'_>, SkipReason> {
    let (src_port, dst_port) = ports(span, UDP_HEADER_BYTES)?;
    let datagram = udp_length(span).map_or(span, |len| span.at_most(len));
    Ok(Head { src_port, dst_port, tcp: None, payload: datagram.skip_lax(UDP_HEADER_BYTES) })
}

/// UDP's own length field; `None` where the capture cut it, and where it is zero, which jumbograms
/// and segmentation offload mean as "all that IP has".
fn udp_length(span: Span<'_>) -> Option<usize> {
    let (&[_, _, _, _, high, low], _) = span.header().ok()?;
    let len = u16::from_be_bytes([high, low]);
    (len != 0).then_some(usize::from(len))
}

fn icmp(span: Span<'_>) -> Result<Head<'_>, SkipReason> {
    if span.wire() < ICMP_HEADER_BYTES {
        return Err(SkipReason::TransportMalformed);
    }
    let (&[kind, code], _) = span.header().map_err(too_short)?;
    Ok(Head {
        src_port: kind.into(),
        dst_port: code.into(),
        tcp: None,
        payload: span.skip_lax(ICMP_HEADER_BYTES),
    })
}

/// Whether the transport's checksum is right.
pub(super) fn checksum(ip: &Ip, protocol: u8, span: Span<'_>) -> Checksum {
    match Transport(protocol) {
        Transport::ICMP if span.is_cut() => Checksum::Unknown,
        Transport::ICMP => Sum::default().with(span.held()).verdict(),
        Transport::TCP | Transport::ICMP6 => with_pseudo_header(ip, protocol, span),
        Transport::UDP => udp_checksum(ip, span),
        _ => Checksum::Good,
    }
}

fn udp_checksum(ip: &Ip, span: Span<'_>) -> Checksum {
    let len = udp_length(span).unwrap_or(span.wire());
    match span.header() {
        Ok(([_, _, _, _, _, _, 0, 0], _)) => Checksum::Good,
        _ if len < UDP_HEADER_BYTES || len > span.wire() => Checksum::Bad,
        _ => with_pseudo_header(ip, Transport::UDP.0, span.at_most(len)),
    }
}

fn with_pseudo_header(ip: &Ip, protocol: u8, span: Span<'_>) -> Checksum {
    let Ok(len) = u32::try_from(span.wire()) else { return Checksum::Unknown };
    if span.is_cut() || ip.addresses == Addresses::Stop {
        return Checksum::Unknown;
    }
    let sum = Sum::default().with_pseudo_header(ip.src, ip.dst, protocol, len);
    sum.with(span.held()).verdict()
}
