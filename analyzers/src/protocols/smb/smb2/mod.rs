//! SMB 2 and 3 on the wire: headers. MS-SMB2 2.2.1 (packet header), 2.2.41 (transform header),
//! 2.2.42 (compression transform header).
//!
//! In: the first bytes of a message. Out: a [`Header`] that says how long the message is and how
//! much of it is worth looking at; [`request`] and [`response`] read what follows it.

mod request;
mod response;

pub(super) use request::request;
pub(super) use response::response;

use super::dcerpc::BIND_BYTES;
use super::transaction::{Command, Family};
use crate::limits::SMB_HEAD_BYTES;
use crate::malformed::Malformed;
use crate::reader::Reader;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 64;

/// Bytes of the fixed part of a write request.
const WRITE_BYTES: usize = 48;

/// Bytes of the fixed part of a read response.
const READ_BYTES: usize = 16;

/// Commands, MS-SMB2 2.2.1.2.
mod code {
    pub(super) const NEGOTIATE: u16 = 0x00;
    pub(super) const SESSION_SETUP: u16 = 0x01;
    pub(super) const TREE_CONNECT: u16 = 0x03;
    pub(super) const CREATE: u16 = 0x05;
    pub(super) const CLOSE: u16 = 0x06;
    pub(super) const READ: u16 = 0x08;
    pub(super) const WRITE: u16 = 0x09;
    pub(super) const IOCTL: u16 = 0x0b;
    pub(super) const SET_INFO: u16 = 0x11;
}

const FLAG_RESPONSE: u32 = 0x0000_0001;
const FLAG_ASYNC: u32 = 0x0000_0002;
const FLAG_RELATED: u32 = 0x0000_0004;
const FLAG_SIGNED: u32 = 0x0000_0008;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It asks.
    Request,
    /// It answers.
    Response,
}

/// How a message of a compound stands to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It goes on with the same session, tree and file.
    Related,
    /// It stands alone.
    Alone,
}

/// The header, without what Serval has no use for (credits, channel, process).
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) status: u32,
    pub(super) command: Command,
    pub(super) role: Role,
    pub(super) relation: Relation,
    pub(super) signed: bool,
    /// Bytes from this header to the next one in the compound; 0 in the last.
    pub(super) next: usize,
    pub(super) message: u64,
    /// `None` in an asynchronous message, which names its request in the place.
    pub(super) tree: Option<u32>,
    pub(super) session: u64,
}

impl Header {
    /// Reads it.
    ///
    /// # Errors
    /// Cut short, or not of the size that it must have.
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.skip(4, "protocol id")?;
        if r.u16_le("SMB2 header size")? != 64 {
            return Err(Malformed::bad_length("SMB2 header size", 4));
        }
        r.skip(2, "credit charge")?;
        let status = r.u32_le("status")?;
        let code = r.u16_le("command")?;
        r.skip(2, "credits")?;
        let flags = r.u32_le("flags")?;
        let next = r.u32_le("next command")? as usize;
        let message = r.u64_le("message id")?;
        r.skip(4, "process id")?;
        let tree = r.u32_le("tree id")?;
        let session = r.u64_le("session id")?;
        r.skip(16, "signature")?;
        let role = if flags & FLAG_RESPONSE == 0 { Role::Request } else { Role::Response };
        let relation = if flags & FLAG_RELATED == 0 { Relation::Alone } else { Relation::Related };
        Ok(Self {
            status,
            command: Command { family: Family::Smb2, code, name: command_name(code) },
            role,
            relation,
            signed: flags & FLAG_SIGNED != 0,
            next,
            message,
            tree: (flags & FLAG_ASYNC == 0).then_some(tree),
            session,
        })
    }

    /// The message's length, of the bytes that are left in its frame. A next command that lies
    /// inside this header or behind the frame counts as none.
    pub(super) const fn length(&self, left: usize) -> usize {
        if self.next < HEADER_BYTES || self.next > left { left } else { self.next }
    }

    /// How much of a message of `length` bytes is looked at; the rest is content and passes by.
    pub(super) fn head_bytes(&self, length: usize) -> usize {
        let worth = match (self.command.code, self.role) {
            (code::WRITE, Role::Request) => HEADER_BYTES + WRITE_BYTES + BIND_BYTES,
            (code::READ, Role::Response) => HEADER_BYTES + READ_BYTES,
            _ => SMB_HEAD_BYTES,
        };
        worth.min(length)
    }
}

/// The row's name of a command.
const fn command_name(code: u16) -> &'static str {
    match code {
        0x00 => "negotiate",
        0x01 => "session_setup",
        0x02 => "logoff",
        0x03 => "tree_connect",
        0x04 => "tree_disconnect",
        0x05 => "create",
        0x06 => "close",
        0x07 => "flush",
        0x08 => "read",
        0x09 => "write",
        0x0a => "lock",
        0x0b => "ioctl",
        0x0c => "cancel",
        0x0d => "echo",
        0x0e => "query_directory",
        0x0f => "change_notify",
        0x10 => "query_info",
        0x11 => "set_info",
        0x12 => "oplock_break",
        _ => "unknown",
    }
}

/// The session of a transform header, whose message is encrypted.
///
/// # Errors
/// Cut short.
pub(super) fn transform_session(message: &[u8]) -> Result<u64, Malformed> {
    let mut r = Reader::new(message);
    r.skip(4 + 16 + 16, "protocol id, signature, nonce")?;
    r.skip(8, "original size, reserved, flags")?;
    r.u64_le("session id")
}

/// The bytes that stand uncompressed at the beginning of a compressed message: usually its header
/// and fixed part, often nothing.
///
/// # Errors
/// Cut short; or a size and an offset whose sum overflows, which no client sends by mistake
/// (CVE-2020-0796).
pub(super) fn plain_head(message: &[u8]) -> Result<&[u8], Malformed> {
    let mut r = Reader::new(message);
    r.skip(4, "protocol id")?;
    let original = r.u32_le("original size")?;
    let algorithm = r.u16_le("compression algorithm")?;
    let chained = r.u16_le("compression flags")? == 1;
    let at = r.offset();
    let plain = r.u32_le("compression offset")?;
    if chained {
        // The field is the first payload's length here; it is plain when its algorithm is none.
        return Ok(if algorithm == 0 { r.sub_lax(plain as usize).whole() } else { &[] });
    }
    if original.checked_add(plain).is_none() {
        return Err(Malformed::limit("compression offset", at));
    }
    Ok(r.sub_lax(plain as usize).whole())
}
