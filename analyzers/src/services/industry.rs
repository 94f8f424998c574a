//! Industry and small things: Modbus, DNP3 (IEEE 1815), S7comm, BACnet (ASHRAE 135), CoAP (RFC
//! 7252).
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict.

use super::{BOTH, NAMED, UDP, datagram, either, stream, uses};
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol};
use crate::reader::Reader;

/// Modbus over TCP.
pub const MODBUS: Protocol = Protocol {
    name: "modbus",
    doc: "Modbus over TCP.",
    specifications: &["MODBUS Messaging on TCP/IP 1.0b §3.1", "MODBUS Application Protocol 1.1b3"],
    ports: &[502],
    probe: |probe| stream(is_modbus(probe)),
    ..NAMED
};

/// Distributed network protocol.
pub const DNP3: Protocol = Protocol {
    name: "dnp3",
    doc: "Distributed network protocol of utilities.",
    specifications: &["IEEE 1815-2012 §9"],
    transports: BOTH,
    ports: &[20_000],
    probe: |probe| either(probe, is_dnp3(probe.bytes)),
    ..NAMED
};

/// Siemens S7 communication.
pub const S7COMM: Protocol = Protocol {
    name: "s7comm",
    doc: "Communication of Siemens S7 controllers.",
    specifications: &["RFC 1006", "ISO 8073", "Wireshark, S7 Communication"],
    ports: &[102],
    probe: |probe| stream(is_s7comm(probe.bytes)),
    ..NAMED
};

/// Building automation.
pub const BACNET: Protocol = Protocol {
    name: "bacnet",
    doc: "Building automation and control over IP.",
    specifications: &["ASHRAE 135, annex J"],
    transports: UDP,
    ports: &[47_808],
    probe: |probe| datagram(is_bacnet(probe.bytes)),
    ..NAMED
};

/// Constrained applications.
pub const COAP: Protocol = Protocol {
    name: "coap",
    doc: "Requests and responses of constrained devices.",
    specifications: &["RFC 7252 §3"],
    transports: UDP,
    ports: &[5_683],
    probe: |probe| datagram(is_coap(probe)),
    ..NAMED
};

/// A header with protocol 0 and a function, whose length is that of its request or response.
fn is_modbus(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const LARGEST_MESSAGE: u16 = 254;
    let mut r = Reader::new(probe.bytes);
    r.skip(2, "transaction")?;
    let (protocol, length) = (r.u16("protocol")?, r.u16("length")?);
    if protocol != 0 || !(3..=LARGEST_MESSAGE).contains(&length) {
        return Ok(false);
    }
    r.skip(1, "unit")?;
    let function = r.u8("function")?;
    let rest = r.take(usize::from(length.saturating_sub(2)), "data")?;
    let first = rest.first().copied().map_or(0, usize::from);
    let counted = rest.len() == first.saturating_add(1);
    Ok(match function {
        1..=4 => rest.len() == 4 || counted,
        5 | 6 | 8 => rest.len() == 4,
        7 | 11 | 12 | 17 => rest.len() <= 5 || counted,
        15 | 16 => {
            rest.len() == 4
                || rest.get(4).is_some_and(|n| rest.len() == usize::from(*n).saturating_add(5))
        }
        22 => rest.len() == 6,
        20 | 21 | 23 | 24 | 43 => uses(probe, MODBUS.ports) || counted,
        // An exception and its reason.
        0x81..=0xab if rest.len() == 1 => (1..=11).contains(&first),
        // Vendors' own, and what is wrong.
        function => function != 0 && uses(probe, MODBUS.ports),
    })
}

/// The start bytes and a header that its check agrees with.
fn is_dnp3(bytes: &[u8]) -> Result<bool, Malformed> {
    const CHECKED_BYTES: usize = 8;
    let mut r = Reader::new(bytes);
    if r.u8("start")? != 0x05 || r.u8("start")? != 0x64 {
        return Ok(false);
    }
    r.seek(0, "header")?;
    let header = r.take(CHECKED_BYTES, "header")?;
    Ok(r.u16_le("check")? == dnp3_check(header))
}

/// The cyclic redundancy check of DNP3 (§9.2.4.3), bits reversed.
fn dnp3_check(bytes: &[u8]) -> u16 {
    const POLYNOMIAL: u16 = 0xa6bc;
    let by_bit = |sum: u16| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
    let by_byte = |sum, byte: &u8| (0..8).fold(sum ^ u16::from(*byte), |sum, _| by_bit(sum));
    !bytes.iter().fold(0, by_byte)
}

/// A transport connection between two named access points, and S7 in the first data behind it.
fn is_s7comm(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    // A connection's request or confirmation, then data.
    for _ in 0..2 {
        let (version, reserved) = (r.u8("version")?, r.u8("reserved")?);
        if version != 3 || reserved != 0 {
            return Ok(false);
        }
        let Some(length) = usize::from(r.u16("length")?).checked_sub(4) else { return Ok(false) };
        let mut packet = r;
        let (head, kind) = (packet.u8("transport header length")?, packet.u8("transport packet")?);
        match kind {
            // With parameters; a remote desktop's has none of these.
            0xe0 | 0xd0 if head > 6 => {
                packet.skip(5, "references, class")?;
                if !matches!(packet.u8("parameter")?, 0xc0..=0xc2) {
                    return Ok(false);
                }
            }
            0xf0 => {
                packet.skip(1, "end of message")?;
                return Ok(matches!(packet.u8("S7")?, 0x32 | 0x72));
            }
            _ => return Ok(false),
        }
        r.skip(length, "packet")?;
    }
    Ok(false)
}

/// A virtual link's header of the datagram's length, and a network header of version 1.
fn is_bacnet(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    let (kind, function) = (r.u8("type")?, r.u8("function")?);
    if kind != 0x81 || usize::from(r.u16("length")?) != bytes.len() {
        return Ok(false);
    }
    match function {
        // Forwarded: the origin's address stands before the network header.
        4 => r.skip(6, "origin")?,
        9..=11 => {}
        0..=8 => return Ok(r.remaining() <= 10),
        _ => return Ok(false),
    }
    Ok(r.u8("network version")? == 1)
}

/// Version 1, a code of a known class, and options up to the payload. Few bits: the port must
/// agree.
fn is_coap(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    let first = r.u8("version, type, token length")?;
    let code = r.u8("code")?;
    let token = first & 0x0f;
    let known = matches!(code, 0..=7 | 0x40..=0x5f | 0x80..=0x9f | 0xa0..=0xa5);
    if first >> 6 != 1 || token > 8 || !known || !uses(probe, COAP.ports) {
        return Ok(false);
    }
    r.skip(2, "message")?;
    r.skip(token.into(), "token")?;
    while let Some(option) = r.peek() {
        if option == 0xff {
            return Ok(r.remaining() > 1);
        }
        r.skip(1, "option")?;
        extended(option >> 4, &mut r)?;
        let length = extended(option & 0x0f, &mut r)?;
        r.skip(length, "option")?;
    }
    Ok(true)
}

/// A number of four bits, or with one or two bytes more (RFC 7252 §3.1).
fn extended(bits: u8, r: &mut Reader<'_>) -> Result<usize, Malformed> {
    match bits {
        0..=12 => Ok(bits.into()),
        13 => Ok(usize::from(r.u8("extended number")?).saturating_add(13)),
        14 => Ok(usize::from(r.u16("extended number")?).saturating_add(269)),
        _ => Err(Malformed::bad_value("option", r.offset())),
    }
}
