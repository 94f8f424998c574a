//! Calls of procedures far away: DCE/RPC (C706, MS-RPCE) and ONC RPC (RFC 5531) with NFS.
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict.

use super::{BOTH, NAMED, either};
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};
use crate::reader::Reader;

/// DCE remote procedure calls.
pub const DCERPC: Protocol = Protocol {
    name: "dcerpc",
    doc: "DCE remote procedure calls outside SMB's pipes.",
    specifications: &["C706 §12", "MS-RPCE §2.2"],
    transports: BOTH,
    ports: &[135],
    probe: dcerpc,
    ..NAMED
};

/// Network file system.
pub const NFS: Protocol = Protocol {
    name: "nfs",
    doc: "Network file system.",
    specifications: &["RFC 1813", "RFC 7530", "RFC 5531"],
    transports: BOTH,
    ports: &[2_049],
    probe: |probe| either(probe, calls(probe, |program| program == NFS_PROGRAM)),
    ..NAMED
};

/// Port mapper.
pub const PORTMAP: Protocol = Protocol {
    name: "portmap",
    doc: "The port mapper of ONC remote procedure calls.",
    specifications: &["RFC 1833", "RFC 5531"],
    transports: BOTH,
    ports: &[111],
    probe: |probe| either(probe, calls(probe, |program| program == PORTMAP_PROGRAM)),
    ..NAMED
};

/// Other ONC remote procedure calls.
pub const SUNRPC: Protocol = Protocol {
    name: "sunrpc",
    doc: "ONC remote procedure calls of other programs.",
    specifications: &["RFC 5531"],
    transports: BOTH,
    probe: |probe| either(probe, calls(probe, is_other_program)),
    ..NAMED
};

const PORTMAP_PROGRAM: u32 = 100_000;
const NFS_PROGRAM: u32 = 100_003;

fn is_other_program(program: u32) -> bool {
    (100_001..=100_300).contains(&program) && program != NFS_PROGRAM
}

fn dcerpc(probe: &Probe<'_>) -> Verdict {
    let calls =
        if probe.flow.transport == Transport::TCP { is_connected } else { is_connectionless };
    either(probe, calls(probe.bytes))
}

/// Version 5, a known packet, and lengths that fit its header (C706 §12.6.3.1).
fn is_connected(bytes: &[u8]) -> Result<bool, Malformed> {
    const HEADER_BYTES: u16 = 16;
    let mut r = Reader::new(bytes);
    if r.u8("version")? != 5 || r.u8("minor version")? > 1 {
        return Ok(false);
    }
    if !matches!(r.u8("packet type")?, 0 | 2..=3 | 11..=20) {
        return Ok(false);
    }
    r.skip(1, "flags")?;
    if !is_representation(r.array("representation")?) {
        return Ok(false);
    }
    let little = bytes.get(4).is_some_and(|first| first & 0x10 != 0);
    let (length, proof) = if little {
        (r.u16_le("length")?, r.u16_le("length of proof")?)
    } else {
        (r.u16("length")?, r.u16("length of proof")?)
    };
    r.skip(4, "call")?;
    Ok(length >= HEADER_BYTES && proof <= length.saturating_sub(HEADER_BYTES))
}

/// Version 4, a known packet, and its body's length (C706 §12.5.1).
fn is_connectionless(bytes: &[u8]) -> Result<bool, Malformed> {
    const HEADER_BYTES: usize = 80;
    let mut r = Reader::new(bytes);
    if r.u8("version")? != 4 || r.u8("packet type")? > 10 {
        return Ok(false);
    }
    r.skip(2, "flags")?;
    let [first, float, reserved] = r.array("representation")?;
    r.seek(74, "body length")?;
    let body = if first & 0x10 != 0 { r.u16_le("body length")? } else { r.u16("body length")? };
    let fits = bytes.len() >= HEADER_BYTES.saturating_add(body.into());
    Ok(is_representation([first, float, reserved, 0]) && fits)
}

/// ASCII or EBCDIC, a known kind of floating-point number, and nothing else (C706 §14.1).
const fn is_representation(bytes: [u8; 4]) -> bool {
    matches!(bytes, [0x00 | 0x01 | 0x10 | 0x11, 0..=3, 0, 0])
}

/// A call of version 2 to a program that `wanted` knows. Over TCP a record mark stands before it.
fn calls(probe: &Probe<'_>, wanted: fn(u32) -> bool) -> Result<bool, Malformed> {
    const LAST_FRAGMENT: u32 = 0x8000_0000;
    let mut r = Reader::new(probe.bytes);
    if probe.flow.transport == Transport::TCP && r.u32("record mark")? & LAST_FRAGMENT == 0 {
        return Ok(false);
    }
    r.skip(4, "transaction")?;
    let (kind, version) = (r.u32("message type")?, r.u32("RPC version")?);
    if kind != 0 || version != 2 {
        return Ok(false);
    }
    Ok(wanted(r.u32("program")?) && r.u32("program version")? <= 10)
}
