//! Directories and tickets: LDAP (RFC 4511), CLDAP (MS-ADTS §7.3.3), Kerberos (RFC 4120).
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict. LDAP can be upgraded to TLS
//! (RFC 4511 §4.14), which is followed.

use super::upgrade::{self, Framing, ber};
use super::{BOTH, NAMED, either, uses};
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol};
use crate::reader::Reader;

/// Lightweight directory access.
pub const LDAP: Protocol = Protocol {
    name: "ldap",
    doc: "Lightweight directory access, up to an upgrade to TLS; over UDP too.",
    specifications: &["RFC 4511", "MS-ADTS §7.3.3"],
    transports: BOTH,
    ports: &[389, 3_268],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: |probe| either(probe, is_ldap(probe.bytes)),
    analyzer: Some(|_| upgrade::follow(Framing::Ber)),
    ..NAMED
};

/// Kerberos.
pub const KERBEROS: Protocol = Protocol {
    name: "kerberos",
    doc: "Kerberos version 5.",
    specifications: &["RFC 4120 §5, §7.2"],
    transports: BOTH,
    ports: &[88, 464],
    probe: |probe| either(probe, is_kerberos(probe)),
    ..NAMED
};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;

/// A sequence of a message's number and an operation (RFC 4511 §4.1.1), and the operation's first
/// field, whose type no other protocol puts there.
fn is_ldap(bytes: &[u8]) -> Result<bool, Malformed> {
    const LARGEST_MESSAGE: u64 = 1 << 24;
    let mut r = Reader::new(bytes);
    if r.peek().is_some_and(|tag| tag != SEQUENCE) {
        return Ok(false);
    }
    let message = ber(&mut r)?;
    if message > LARGEST_MESSAGE || r.peek().is_some_and(|tag| tag != INTEGER) {
        return Ok(false);
    }
    match ber(&mut r)? {
        number @ 1..=4 => r.skip(usize::try_from(number).unwrap_or(0), "message number")?,
        _ => return Ok(false),
    }
    let Some(operation) = r.peek() else { return r.u8("operation").map(|_| false) };
    let length = ber(&mut r)?;
    let first_field = match operation {
        // Unbind is empty (§4.3), abandon holds a number (§4.11), deletion a name (§4.8).
        0x42 => return Ok(length == 0),
        0x50 => return Ok((1..=4).contains(&length)),
        0x4a => return Ok(length > 0),
        0x60 => INTEGER,
        0x63..=0x64 | 0x66 | 0x68 | 0x6c | 0x6e | 0x73 => OCTETS,
        0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78 => ENUMERATED,
        // Extended requests name themselves (§4.12).
        0x77 => 0x80,
        _ => return Ok(false),
    };
    Ok(r.u8("first field")? == first_field)
}

/// An application tag and a sequence; off the port also its first field, the version 5. Over TCP a
/// length stands before it.
fn is_kerberos(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    if probe.flow.transport == Transport::TCP && r.u32("length")? > 0xff_ffff {
        return Ok(false);
    }
    let tag = r.peek();
    let first_field = match tag {
        Some(0x6a | 0x6c) => 0xa1,
        Some(0x6b | 0x6d..=0x6f | 0x74..=0x76 | 0x7e) => 0xa0,
        Some(_) => return Ok(false),
        None => return r.u8("tag").map(|_| false),
    };
    ber(&mut r)?;
    let inner = r.peek();
    ber(&mut r)?;
    if inner != Some(SEQUENCE) || uses(probe, KERBEROS.ports) {
        return Ok(inner == Some(SEQUENCE));
    }
    let version: [u8; 5] = r.array("version")?;
    Ok(version == [first_field, 3, INTEGER, 1, 5])
}
