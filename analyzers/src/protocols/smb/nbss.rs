//! Frames: the four bytes before each message, and how to find them again after bytes were lost.
//!
//! RFC 1002 4.3 (NetBIOS session service, port 139) and MS-SMB2 2.1 (direct TCP, port 445) share
//! one header: a type and a length. In: bytes of a stream. Out: what kind of frame starts here, or
//! where the next believable one does.

use crate::reader::Reader;

/// Bytes of a frame's header.
pub(super) const HEADER_BYTES: usize = 4;

/// Bytes that [`find`] wants to see of a frame before it believes in it: both headers of SMB 2.
const CANDIDATE_BYTES: usize = HEADER_BYTES + 64;

/// Longest NetBIOS control frame: a session request holds two encoded names of at most 255 bytes.
const CONTROL_BYTES_MAX: usize = 512;

/// What stands where a frame should begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A session message with that many bytes of SMB.
    Message(usize),
    /// A session request, its answer, or a keep-alive, with that many bytes.
    Control(usize),
    /// Not a frame.
    Foreign,
    /// Too few bytes to tell; this many are needed.
    Short(usize),
}

/// The four protocols that a session message may carry, by their first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// MS-CIFS 2.2.3.1.
    Smb1,
    /// MS-SMB2 2.2.1.
    Smb2,
    /// MS-SMB2 2.2.41: what follows is encrypted.
    Transform,
    /// MS-SMB2 2.2.42: what follows is compressed.
    Compression,
}

/// The protocol whose identifier stands at the beginning of `message`.
pub(super) fn magic(message: &[u8]) -> Option<Magic> {
    match message {
        [0xff, b'S', b'M', b'B', ..] => Some(Magic::Smb1),
        [0xfe, b'S', b'M', b'B', ..] => Some(Magic::Smb2),
        [0xfd, b'S', b'M', b'B', ..] => Some(Magic::Transform),
        [0xfc, b'S', b'M', b'B', ..] => Some(Magic::Compression),
        _ => None,
    }
}

/// Reads the header at the beginning of `bytes`, and the protocol identifier behind it.
pub(super) fn frame(bytes: &[u8]) -> Frame {
    let mut r = Reader::new(bytes);
    let Ok(kind) = r.u8("frame type") else { return Frame::Short(HEADER_BYTES) };
    if !matches!(kind, 0 | 0x81..=0x85) {
        return Frame::Foreign;
    }
    let Ok(length) = r.u24("frame length") else { return Frame::Short(HEADER_BYTES) };
    let length = length as usize;
    if kind != 0 {
        return if length > CONTROL_BYTES_MAX { Frame::Foreign } else { Frame::Control(length) };
    }
    let identifier = r.rest();
    if identifier.len() < 4 {
        let plausible = identifier.first().is_none_or(|byte| *byte >= 0xfc) && length >= 32;
        return if plausible { Frame::Short(HEADER_BYTES + 4) } else { Frame::Foreign };
    }
    if magic(identifier).is_none() || length < 16 {
        return Frame::Foreign;
    }
    Frame::Message(length)
}

/// Where to look on after bytes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A believable frame begins at this byte.
    At(usize),
    /// None does before this byte; look again from here when there is more.
    NotBefore(usize),
}

/// Looks for the next frame. Each byte is searched once, but for the few that a header may
/// straddle.
pub(super) fn find(bytes: &[u8]) -> Found {
    for hit in memchr::memmem::find_iter(bytes, b"SMB") {
        let Some(start) = hit.checked_sub(HEADER_BYTES + 1) else { continue };
        let Some(candidate) = bytes.get(start..) else { continue };
        if candidate.len() < CANDIDATE_BYTES {
            if matches!(frame(candidate), Frame::Message(_)) {
                return Found::NotBefore(start);
            }
        } else if is_believable(candidate) {
            return Found::At(start);
        }
    }
    Found::NotBefore(bytes.len().saturating_sub(HEADER_BYTES + 3))
}

/// Whether the two headers at the beginning of `bytes` agree with what the specifications fix.
pub(super) fn is_believable(bytes: &[u8]) -> bool {
    let Frame::Message(length) = frame(bytes) else { return false };
    let mut r = Reader::new(bytes);
    let Ok(()) = r.skip(HEADER_BYTES, "frame header") else { return false };
    let header = r.rest();
    match (magic(header), header) {
        // StructureSize is always 64, and there are nineteen commands.
        (Some(Magic::Smb2), [_, _, _, _, 64, 0, _, _, _, _, _, _, command, 0, ..]) => {
            *command <= 0x12 && length >= 64
        }
        // A word count and a byte count follow the header of 32 bytes.
        (Some(Magic::Smb1), _) => length >= 35,
        (Some(Magic::Transform), _) => length > 52,
        (Some(Magic::Compression), _) => length > 16,
        _ => false,
    }
}
