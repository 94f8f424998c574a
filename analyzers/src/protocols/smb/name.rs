//! Names on the wire: UTF-16 or OEM bytes in, [`Text`] out.
//!
//! MS-SMB2 2.2 writes every string in UTF-16LE; MS-CIFS 2.2.1.1 and MS-NLMP 2.2.2.5 let a flag
//! choose between that and the client's OEM code page. OEM bytes stay as they are. A lone surrogate
//! keeps its three bytes of generalised UTF-8, which sinks escape like any other odd byte, so that
//! no two different names ever look the same.

use std::net::IpAddr;

use crate::limits::SMB_NAME_BYTES;
use crate::reader::Reader;
use crate::text::Text;

/// How a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Two bytes a unit, least significant first.
    Utf16,
    /// One byte a character, of a code page that the wire does not tell.
    Oem,
}

/// The name in `bytes`, up to its first NUL and at most [`SMB_NAME_BYTES`] long; `None` when empty.
pub(super) fn name(bytes: &[u8], encoding: Encoding) -> Option<Text> {
    let mut out = match encoding {
        Encoding::Oem => bytes.iter().copied().take_while(|&byte| byte != 0).collect(),
        Encoding::Utf16 => utf16(bytes),
    };
    out.truncate(SMB_NAME_BYTES);
    (!out.is_empty()).then(|| Text::from(out))
}

/// As [`name`], without the backslashes that SMB 1 puts before a path and SMB 2 does not.
pub(super) fn path(bytes: &[u8], encoding: Encoding) -> Option<Text> {
    let text = name(bytes, encoding)?;
    let bytes = text.as_bytes();
    let inside = bytes.iter().position(|&byte| byte != b'\\').and_then(|at| bytes.get(at..))?;
    Some(if inside.len() == bytes.len() { text } else { Text::wire(inside) })
}

/// A NUL-terminated name at the cursor; one that the message cuts off ends there.
pub(super) fn terminated<'a>(r: &mut Reader<'a>, encoding: Encoding) -> &'a [u8] {
    let rest = r.rest();
    let (len, terminator) = match encoding {
        Encoding::Oem => (memchr::memchr(0, rest), 1),
        Encoding::Utf16 => {
            let unit = rest.chunks_exact(2).position(|unit| unit == [0, 0]);
            (unit.map(|at| at.saturating_mul(2)), 2)
        }
    };
    let bytes = r.sub_lax(len.unwrap_or(rest.len())).whole();
    r.sub_lax(terminator);
    bytes
}

/// The server of a share's name (`\\\\SERVER\\SHARE`), where an address stands for it; IPv6 in the
/// form that a path allows, with a domain of its own.
pub(super) fn server_address(share: &[u8]) -> Option<IpAddr> {
    const IPV6_DOMAIN: &str = ".ipv6-literal.net";
    let server = share.strip_prefix(b"\\\\")?.split(|byte| *byte == b'\\').next()?;
    let server = std::str::from_utf8(server).ok()?;
    let at = server.len().checked_sub(IPV6_DOMAIN.len());
    match at.and_then(|at| server.split_at_checked(at)) {
        Some((address, domain)) if domain.eq_ignore_ascii_case(IPV6_DOMAIN) => {
            address.replace('-', ":").parse().ok()
        }
        _ => server.parse().ok(),
    }
}

fn utf16(bytes: &[u8]) -> Vec<u8> {
    let units = bytes
        .chunks_exact(2)
        .map(|unit| unit.iter().rev().fold(0, |value: u16, &byte| (value << 8) | u16::from(byte)))
        .take_while(|&unit| unit != 0)
        .take(SMB_NAME_BYTES);
    let mut out = Vec::with_capacity(bytes.len().div_euclid(2).min(SMB_NAME_BYTES));
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => out.extend_from_slice(&surrogate(lone.unpaired_surrogate())),
        }
    }
    out
}

/// The three bytes that UTF-8 would give the code point, were it allowed.
fn surrogate(unit: u16) -> [u8; 3] {
    let [high, low] = unit.to_be_bytes();
    let middle = ((high & 0x0f) << 2) | (low >> 6);
    [0xe0 | (high >> 4), 0x80 | middle, 0x80 | (low & 0x3f)]
}
