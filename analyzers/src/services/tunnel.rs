//! Encrypted tunnels: WireGuard, OpenVPN, IKE (RFC 7296, RFC 2409).
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict. What the tunnel carries cannot
//! be seen.

use super::{BOTH, NAMED, UDP, datagram, stream, uses};
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};
use crate::reader::Reader;

/// WireGuard.
pub const WIREGUARD: Protocol = Protocol {
    name: "wireguard",
    doc: "WireGuard tunnels.",
    specifications: &["WireGuard: Next Generation Kernel Network Tunnel §5.4"],
    transports: UDP,
    ports: &[51_820],
    probe: |probe| datagram(is_wireguard(probe)),
    ..NAMED
};

/// OpenVPN.
pub const OPENVPN: Protocol = Protocol {
    name: "openvpn",
    doc: "OpenVPN tunnels, from their control channel's reset on.",
    specifications: &["OpenVPN wire protocol, draft §4"],
    transports: BOTH,
    ports: &[1_194],
    probe: openvpn,
    ..NAMED
};

/// Internet key exchange.
pub const IKE: Protocol = Protocol {
    name: "ike",
    doc: "Internet key exchange, versions 1 and 2.",
    specifications: &["RFC 7296 §3.1", "RFC 2408 §3.1", "RFC 3948 §2.2"],
    transports: UDP,
    ports: &[500, 4_500],
    probe: |probe| datagram(is_ike(probe.bytes)),
    ..NAMED
};

/// A message's type, three zeros, and the length of its kind.
fn is_wireguard(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    Ok(match (r.u32_le("type")?, probe.bytes.len()) {
        (1, 148) | (2, 92) | (3, 64) => true,
        (4, length @ 32..) => length % 16 == 0 && uses(probe, WIREGUARD.ports),
        _ => false,
    })
}

fn openvpn(probe: &Probe<'_>) -> Verdict {
    if probe.flow.transport != Transport::TCP {
        return datagram(is_openvpn(probe.bytes));
    }
    let mut r = Reader::new(probe.bytes);
    let packet = r.u16("length").and_then(|length| r.take(length.into(), "packet"));
    stream(packet.and_then(is_openvpn))
}

/// A reset of the control channel with key 0: plain, or under one of the keys that may protect it.
fn is_openvpn(bytes: &[u8]) -> Result<bool, Malformed> {
    /// Operation and session.
    const HEAD_BYTES: usize = 9;
    /// Number and time of a protected packet, an empty list of acknowledgements, the reset's
    /// number.
    const PROTECTED_BYTES: usize = HEAD_BYTES + 13;
    /// One acknowledgement and the session that it is for.
    const ACKNOWLEDGED_BYTES: usize = 12;
    /// Lengths of the digests in use.
    const DIGESTS: [usize; 4] = [16, 20, 32, 64];
    let mut r = Reader::new(bytes);
    let acknowledged = match r.u8("operation, key")? {
        0x38 | 0x50 => 0,
        0x40 => ACKNOWLEDGED_BYTES,
        _ => return Ok(false),
    };
    r.seek(HEAD_BYTES, "acknowledgements")?;
    if bytes.len() == HEAD_BYTES.saturating_add(acknowledged).saturating_add(5) {
        let count = if acknowledged == 0 { 0 } else { 1 };
        return Ok(r.u8("acknowledgements")? == count && r.u32("first packet")? == 0);
    }
    let behind = acknowledged.saturating_add(PROTECTED_BYTES);
    let digest = bytes.len().checked_sub(behind).filter(|digest| DIGESTS.contains(digest));
    let Some(digest) = digest else { return Ok(false) };
    // tls-crypt puts the packet's number before the digest, tls-auth behind it.
    let before = r.u32("packet number")? == 1;
    r.seek(HEAD_BYTES.saturating_add(digest), "packet number")?;
    Ok(before || r.u32("packet number")? == 1)
}

/// A header of a known exchange whose length is the datagram's; behind four zeros on the port that
/// ESP shares.
fn is_ike(bytes: &[u8]) -> Result<bool, Malformed> {
    const MARK: [u8; 4] = [0; 4];
    let message = bytes.strip_prefix(&MARK).unwrap_or(bytes);
    let mut r = Reader::new(message);
    if r.u64("initiator")? == 0 {
        return Ok(false);
    }
    r.skip(9, "responder, next payload")?;
    let (version, exchange, flags) = (r.u8("version")?, r.u8("exchange")?, r.u8("flags")?);
    let known = match version >> 4 {
        1 => matches!(exchange, 1..=6 | 32..=33) && flags < 8,
        2 => matches!(exchange, 34..=44) && flags & 0xc7 == 0,
        _ => false,
    };
    r.skip(4, "message")?;
    Ok(known && usize::try_from(r.u32("length")?).ok() == Some(message.len()))
}
