//! Work at a distance: SSH (RFC 4253), Telnet (RFC 854), RFB (RFC 6143) and X11.
//!
//! In: the first bytes of either side. Out: a verdict.

use super::words::Words;
use super::{NAMED, stream, uses};
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol};
use crate::reader::Reader;

/// Secure shell.
pub const SSH: Protocol = Protocol {
    name: "ssh",
    doc: "Secure shell.",
    specifications: &["RFC 4253 §4.2"],
    ports: &[22],
    probe: |probe| SSH_WORDS.verdict(probe, &[]),
    ..NAMED
};

/// Telnet.
pub const TELNET: Protocol = Protocol {
    name: "telnet",
    doc: "Telnet, where the two ends negotiate options.",
    specifications: &["RFC 854", "RFC 855"],
    ports: &[23],
    probe: |probe| stream(is_telnet(probe)),
    ..NAMED
};

/// Remote framebuffer, the protocol of VNC.
pub const RFB: Protocol = Protocol {
    name: "rfb",
    doc: "Remote framebuffer, the protocol of VNC.",
    specifications: &["RFC 6143 §7.1.1"],
    ports: &[5_900, 5_901],
    probe: |probe| stream(is_rfb(probe.bytes)),
    ..NAMED
};

/// The X window system.
pub const X11: Protocol = Protocol {
    name: "x11",
    doc: "The X window system.",
    specifications: &["X Window System Protocol, version 11, §8"],
    ports: &[6_000, 6_001],
    probe: |probe| stream(is_x11(probe.bytes)),
    ..NAMED
};

const SSH_WORDS: Words = Words { certain: &["SSH-2.", "SSH-1."], likely: &[] };

/// Two negotiations in a row, or one on the port.
fn is_telnet(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    let wanted = if uses(probe, TELNET.ports) { 1 } else { 2 };
    for _ in 0..wanted {
        const IAC: u8 = 255;
        const VERBS: std::ops::RangeInclusive<u8> = 251..=254;
        const HIGHEST_OPTION: u8 = 49;
        if r.u8("command")? != IAC || !VERBS.contains(&r.u8("verb")?) {
            return Ok(false);
        }
        if r.u8("option")? > HIGHEST_OPTION {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `RFB 003.008` and a line feed, twelve bytes in all.
fn is_rfb(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    for expected in b"RFB 000.000\n" {
        let byte = r.u8("version")?;
        let fits = if *expected == b'0' { byte.is_ascii_digit() } else { byte == *expected };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A client's setup: byte order, version 11.0, and the cookie's name or no authorisation at all.
fn is_x11(bytes: &[u8]) -> Result<bool, Malformed> {
    const COOKIE: &[u8] = b"MIT-MAGIC-COOKIE-1";
    let mut r = Reader::new(bytes);
    let from_bytes = match r.u8("byte order")? {
        b'l' => u16::from_le_bytes,
        b'B' => u16::from_be_bytes,
        _ => return Ok(false),
    };
    r.skip(1, "unused")?;
    let version = [from_bytes(r.array("major version")?), from_bytes(r.array("minor version")?)];
    if version != [11, 0] {
        return Ok(false);
    }
    let name_bytes = usize::from(from_bytes(r.array("length of the authorisation's name")?));
    let data_bytes = usize::from(from_bytes(r.array("length of the authorisation")?));
    r.skip(2, "unused")?;
    match (name_bytes, data_bytes) {
        (0, 0) => Ok(r.is_empty()),
        (name, 16) if name == COOKIE.len() => Ok(r.take(name, "authorisation's name")? == COOKIE),
        _ => Ok(false),
    }
}
