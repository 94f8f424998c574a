//! SMB 1 on the wire: the header, the blocks of words and bytes, and AndX chains. MS-CIFS 2.2.3 and
//! 2.2.4, MS-SMB 2.2.
//!
//! In: the first bytes of a message. Out: a [`Header`], and one [`Block`] after another of its
//! chain; [`request`] and [`response`] read what a block says.

mod invariants;
mod request;
mod response;
mod transactions;

pub(super) use invariants::Invariants;
pub(super) use request::request;
pub(super) use response::response;

use super::dcerpc::BIND_BYTES;
use super::name::{Encoding, terminated};
use super::transaction::{Command, Family};
use crate::limits::{SMB_ANDX_STEPS, SMB_HEAD_BYTES};
use crate::malformed::Malformed;
use crate::reader::Reader;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 32;

/// Bytes of the longest words of a write, a read or a transaction's second message, with their
/// counts and padding.
const TRANSFER_BYTES: usize = 40;

/// Commands, MS-CIFS 2.2.2.1.
mod code {
    pub(super) const CREATE_DIRECTORY: u16 = 0x00;
    pub(super) const DELETE_DIRECTORY: u16 = 0x01;
    pub(super) const OPEN: u16 = 0x02;
    pub(super) const CREATE: u16 = 0x03;
    pub(super) const CLOSE: u16 = 0x04;
    pub(super) const DELETE: u16 = 0x06;
    pub(super) const RENAME: u16 = 0x07;
    pub(super) const QUERY_INFORMATION: u16 = 0x08;
    pub(super) const READ: u16 = 0x0a;
    pub(super) const WRITE: u16 = 0x0b;
    pub(super) const CREATE_NEW: u16 = 0x0f;
    pub(super) const CHECK_DIRECTORY: u16 = 0x10;
    pub(super) const LOCKING_ANDX: u16 = 0x24;
    pub(super) const TRANSACTION: u16 = 0x25;
    pub(super) const TRANSACTION_SECONDARY: u16 = 0x26;
    pub(super) const WRITE_AND_CLOSE: u16 = 0x2c;
    pub(super) const OPEN_ANDX: u16 = 0x2d;
    pub(super) const READ_ANDX: u16 = 0x2e;
    pub(super) const WRITE_ANDX: u16 = 0x2f;
    pub(super) const TRANSACTION2: u16 = 0x32;
    pub(super) const TRANSACTION2_SECONDARY: u16 = 0x33;
    pub(super) const TREE_CONNECT: u16 = 0x70;
    pub(super) const NEGOTIATE: u16 = 0x72;
    pub(super) const SESSION_SETUP_ANDX: u16 = 0x73;
    pub(super) const LOGOFF_ANDX: u16 = 0x74;
    pub(super) const TREE_CONNECT_ANDX: u16 = 0x75;
    pub(super) const NT_TRANSACT: u16 = 0xa0;
    pub(super) const NT_TRANSACT_SECONDARY: u16 = 0xa1;
    pub(super) const NT_CREATE_ANDX: u16 = 0xa2;
    pub(super) const NT_RENAME: u16 = 0xa5;
    pub(super) const NO_ANDX: u16 = 0xff;
}

const FLAG_REPLY: u8 = 0x80;
const FLAG2_SIGNED: u16 = 0x0004;
const FLAG2_UNICODE: u16 = 0x8000;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It asks.
    Request,
    /// It answers.
    Response,
}

/// The header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    code: u8,
    pub(super) role: Role,
    pub(super) encoding: Encoding,
    pub(super) signed: bool,
    pub(super) status: u32,
    /// Process id in the high 32 bits, multiplex id in the low 16: together they name a request.
    pub(super) message: u64,
    pub(super) tree: u16,
    pub(super) user: u16,
}

impl Header {
    /// Reads it.
    ///
    /// # Errors
    /// Cut short.
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.skip(4, "protocol id")?;
        let code = r.u8("command")?;
        let status = r.u32_le("status")?;
        let flags = r.u8("flags")?;
        let flags2 = r.u16_le("flags2")?;
        let process_high = r.u16_le("process id, high")?;
        r.skip(8 + 2, "signature, reserved")?;
        let tree = r.u16_le("tree id")?;
        let process = (u32::from(process_high) << 16) | u32::from(r.u16_le("process id")?);
        let user = r.u16_le("user id")?;
        let multiplex = r.u16_le("multiplex id")?;
        Ok(Self {
            code,
            role: if flags & FLAG_REPLY == 0 { Role::Request } else { Role::Response },
            encoding: if flags2 & FLAG2_UNICODE == 0 { Encoding::Oem } else { Encoding::Utf16 },
            signed: flags2 & FLAG2_SIGNED != 0,
            status,
            message: (u64::from(process) << 16) | u64::from(multiplex),
            tree,
            user,
        })
    }

    /// The id by which a client tells apart what one of its processes asks.
    #[allow(clippy::cast_possible_truncation, reason = "the multiplex id is the low half")]
    pub(super) const fn multiplex(&self) -> u16 {
        self.message as u16
    }

    /// How much of a message of `length` bytes is looked at; the rest is content and passes by.
    pub(super) fn head_bytes(&self, length: usize) -> usize {
        let worth = match (u16::from(self.code), self.role) {
            (code::WRITE | code::WRITE_ANDX | code::WRITE_AND_CLOSE, Role::Request) => {
                HEADER_BYTES + TRANSFER_BYTES + BIND_BYTES
            }
            (code::READ | code::READ_ANDX, Role::Response)
            | (
                code::TRANSACTION_SECONDARY
                | code::TRANSACTION2_SECONDARY
                | code::NT_TRANSACT_SECONDARY,
                Role::Request,
            ) => HEADER_BYTES + TRANSFER_BYTES,
            _ => SMB_HEAD_BYTES,
        };
        worth.min(length)
    }
}

/// One command of a chain: its words and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    pub(super) command: Command,
    encoding: Encoding,
    /// The whole message; offsets on the wire count from its beginning.
    message: &'a [u8],
    /// Words of the block, two bytes each; behind the link to the next block, where there is one.
    words: Reader<'a>,
    words_count: u8,
    bytes: Reader<'a>,
    /// Where `bytes` begins in the message, which decides how strings are aligned.
    bytes_at: usize,
}

impl<'a> Block<'a> {
    /// The next string of the block's bytes.
    fn string(&mut self) -> &'a [u8] {
        if self.encoding == Encoding::Utf16 {
            self.align();
        }
        terminated(&mut self.bytes, self.encoding)
    }

    /// The next string, which a byte that tells its format precedes (MS-CIFS 2.2.2.5).
    fn formatted_string(&mut self) -> &'a [u8] {
        self.bytes.sub_lax(1);
        self.string()
    }

    /// Unicode strings begin at an even offset from the header.
    fn align(&mut self) {
        if self.bytes_at.wrapping_add(self.bytes.offset()) & 1 == 1 {
            self.bytes.sub_lax(1);
        }
    }

    /// At most `length` bytes at an offset from the header.
    fn at(&self, offset: usize, length: usize) -> Reader<'a> {
        let mut r = Reader::new(self.message);
        match r.seek(offset, "buffer") {
            Ok(()) => r.sub_lax(length),
            Err(_) => Reader::new(&[]),
        }
    }
}

/// Walks the blocks of a message.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    message: &'a [u8],
    encoding: Encoding,
    /// The next block's command, and where it begins; or what is wrong with that.
    next: Option<Result<(u16, usize), Malformed>>,
    steps: u8,
}

impl<'a> Chain<'a> {
    /// Starts at the block behind the header.
    pub(super) fn new(header: &Header, message: &'a [u8]) -> Self {
        let next = Some(Ok((u16::from(header.code), HEADER_BYTES)));
        Self { message, encoding: header.encoding, next, steps: 0 }
    }

    /// Whether no block follows the last one.
    pub(super) const fn is_over(&self) -> bool {
        self.next.is_none()
    }

    /// The next block; `None` at the end of the chain.
    ///
    /// # Errors
    /// The block is cut short, leads back, or is one too many; the chain ends there.
    pub(super) fn block(&mut self) -> Result<Option<Block<'a>>, Malformed> {
        let Some((code, at)) = self.next.take().transpose()? else { return Ok(None) };
        if self.steps >= SMB_ANDX_STEPS {
            return Err(Malformed::limit("AndX chain", at));
        }
        self.steps = self.steps.saturating_add(1);
        let mut r = Reader::new(self.message);
        r.seek(at, "AndX offset")?;
        let words_count = r.u8("word count")?;
        let mut words = r.sub(usize::from(words_count).saturating_mul(2), "words")?;
        let link = if has_link(code) && words_count >= 2 {
            let next = u16::from(words.u8("AndX command")?);
            words.skip(1, "AndX reserved")?;
            Some((next, usize::from(words.u16_le("AndX offset")?)))
        } else {
            None
        };
        // An answer that says only that it failed may lack the count.
        let bytes_count = usize::from(r.u16_le("byte count").unwrap_or_default());
        let bytes_at = r.offset();
        let bytes = r.sub_lax(bytes_count);
        let command = Command { family: Family::Smb1, code, name: command_name(code) };
        let message = self.message;
        let encoding = self.encoding;
        if let Some((next, offset)) = link
            && next != code::NO_ANDX
            && offset < message.len()
        {
            // A block begins behind the words of the one before: no chain can lead to itself.
            self.next = Some(if offset < bytes_at {
                Err(Malformed::bad_value("AndX offset", at))
            } else {
                Ok((next, offset))
            });
        }
        Ok(Some(Block { command, encoding, message, words, words_count, bytes, bytes_at }))
    }
}

/// Whether a command's words begin with the link to another block.
const fn has_link(code: u16) -> bool {
    matches!(
        code,
        code::LOCKING_ANDX
            | code::OPEN_ANDX
            | code::READ_ANDX
            | code::WRITE_ANDX
            | code::SESSION_SETUP_ANDX
            | code::LOGOFF_ANDX
            | code::TREE_CONNECT_ANDX
            | code::NT_CREATE_ANDX
    )
}

/// The row's name of a command: the same as SMB 2's where they mean the same.
const fn command_name(code: u16) -> &'static str {
    match code {
        code::CREATE_DIRECTORY => "create_directory",
        code::DELETE_DIRECTORY => "delete_directory",
        code::OPEN => "open",
        code::CREATE | code::NT_CREATE_ANDX => "create",
        code::CREATE_NEW => "create_new",
        code::CLOSE => "close",
        code::DELETE => "delete",
        code::RENAME => "rename",
        code::NT_RENAME => "nt_rename",
        code::QUERY_INFORMATION => "query_information",
        code::CHECK_DIRECTORY => "check_directory",
        code::READ | code::READ_ANDX => "read",
        code::WRITE | code::WRITE_ANDX => "write",
        code::WRITE_AND_CLOSE => "write_and_close",
        code::OPEN_ANDX => "open_andx",
        code::TRANSACTION => "trans",
        code::TRANSACTION2 => "trans2",
        code::NT_TRANSACT => "nt_trans",
        code::NEGOTIATE => "negotiate",
        code::SESSION_SETUP_ANDX => "session_setup",
        code::TREE_CONNECT | code::TREE_CONNECT_ANDX => "tree_connect",
        _ => "unknown",
    }
}
