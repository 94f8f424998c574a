//! SMB 1 responses: what came of it. MS-CIFS 2.2.4, MS-SMB 2.2.4.

use super::{Block, code};
use crate::malformed::Malformed;
use crate::protocols::smb::credentials::identity;
use crate::protocols::smb::name::{Encoding, terminated};
use crate::protocols::smb::transaction::{Action, Chosen, Flaw, Response};
use crate::reader::Reader;

/// Words of a session setup's answer that carries a GSS-API blob (MS-SMB 2.2.4.6.2).
const EXTENDED_SECURITY_WORDS: u8 = 4;

/// Reads what a block of a response answers; `None` when it leaves no row.
pub(in crate::protocols::smb) fn response(
    block: &mut Block<'_>,
    flaw: &mut Flaw,
) -> Option<Response> {
    // An error's block is empty (2.2.4, error responses).
    let answered = block.words_count > 0;
    let read = match block.command.code {
        code::NEGOTIATE if answered => negotiate(block).map(Response::Negotiate),
        code::SESSION_SETUP_ANDX if answered => session_setup(block, flaw),
        code::TREE_CONNECT_ANDX if answered => Ok(tree_connect(block)),
        code::NT_CREATE_ANDX if answered => nt_create(&mut block.words),
        code::OPEN_ANDX if answered => open_andx(&mut block.words),
        code::OPEN | code::CREATE | code::CREATE_NEW if answered => {
            block.words.u16_le("file id").map(|file| opened(file, None, None))
        }
        code::READ_ANDX if answered => read_andx(&mut block.words),
        code::READ | code::WRITE | code::WRITE_AND_CLOSE if answered => {
            block.words.u16_le("count").map(|count| moved(u64::from(count), 0))
        }
        code::WRITE_ANDX if answered => write_andx(&mut block.words),
        code::TRANSACTION2 if answered => trans2_open(block),
        code::NT_TRANSACT if answered => nt_trans_create(block),
        code::NEGOTIATE
        | code::SESSION_SETUP_ANDX
        | code::TREE_CONNECT
        | code::TREE_CONNECT_ANDX
        | code::NT_CREATE_ANDX
        | code::OPEN_ANDX
        | code::OPEN
        | code::CREATE
        | code::CREATE_NEW
        | code::CREATE_DIRECTORY
        | code::DELETE
        | code::DELETE_DIRECTORY
        | code::RENAME
        | code::NT_RENAME
        | code::CLOSE
        | code::READ
        | code::READ_ANDX
        | code::WRITE
        | code::WRITE_ANDX
        | code::WRITE_AND_CLOSE
        | code::QUERY_INFORMATION
        | code::CHECK_DIRECTORY
        | code::TRANSACTION
        | code::TRANSACTION2
        | code::NT_TRANSACT => Ok(Response::Bare),
        _ => return None,
    };
    Some(flaw.keep(read).unwrap_or(Response::Bare))
}

fn opened(file: u16, action: Option<Action>, size: Option<u64>) -> Response {
    Response::Open { file: Some(u128::from(file)), action, size }
}

const fn moved(bytes: u64, data_at: usize) -> Response {
    Response::Moved { bytes: Some(bytes), data_at }
}

fn negotiate(block: &mut Block<'_>) -> Result<Chosen, Malformed> {
    block.words.u16_le("dialect index").map(Chosen::Place)
}

fn session_setup(block: &mut Block<'_>, flaw: &mut Flaw) -> Result<Response, Malformed> {
    if block.words_count != EXTENDED_SECURITY_WORDS {
        return Ok(Response::SessionSetup(None));
    }
    block.words.skip(2, "session setup action")?;
    let length = usize::from(block.words.u16_le("security blob length")?);
    let names = flaw.keep(identity(block.bytes.sub_lax(length).whole()));
    Ok(Response::SessionSetup(names.and_then(|names| names.target)))
}

fn tree_connect(block: &mut Block<'_>) -> Response {
    Response::TreeConnect(match terminated(&mut block.bytes, Encoding::Oem) {
        b"A:" => Some("disk"),
        b"IPC" => Some("pipe"),
        service if service.starts_with(b"LPT") => Some("print"),
        _ => None,
    })
}

fn nt_create(r: &mut Reader<'_>) -> Result<Response, Malformed> {
    r.skip(1, "oplock level")?;
    let file = r.u16_le("file id")?;
    let done = Action::done(r.u32_le("create action")?);
    let size = r.skip(4 * 8 + 4 + 8, "times, attributes, allocation size");
    let size = size.and_then(|()| r.u64_le("end of file")).ok();
    Ok(opened(file, done, size))
}

fn open_andx(r: &mut Reader<'_>) -> Result<Response, Malformed> {
    let file = r.u16_le("file id")?;
    r.skip(2 + 4, "attributes, time")?;
    let size = r.u32_le("file size")?;
    r.skip(2 + 2 + 2, "access, type, pipe state")?;
    let done = Action::done(u32::from(r.u16_le("open results")? & 3));
    Ok(opened(file, done, Some(u64::from(size))))
}

fn read_andx(r: &mut Reader<'_>) -> Result<Response, Malformed> {
    r.skip(2 + 2 + 2, "available, compaction, reserved")?;
    let length = r.u16_le("data length")?;
    let data_at = usize::from(r.u16_le("data offset")?);
    let high = r.u16_le("data length, high")?;
    Ok(moved((u64::from(high) << 16) | u64::from(length), data_at))
}

fn write_andx(r: &mut Reader<'_>) -> Result<Response, Malformed> {
    let count = r.u16_le("count")?;
    r.skip(2, "available")?;
    let high = r.u16_le("count, high")?;
    Ok(moved((u64::from(high) << 16) | u64::from(count), 0))
}

/// The parameters of `TRANS2_OPEN2`'s answer (2.2.6.1.2). The header does not say which sub-command
/// is answered; only the request that it is paired with does.
fn trans2_open(block: &mut Block<'_>) -> Result<Response, Malformed> {
    block.words.skip(2 + 2 + 2, "totals, reserved")?;
    let length = usize::from(block.words.u16_le("parameter count")?);
    let offset = usize::from(block.words.u16_le("parameter offset")?);
    let mut r = block.at(offset, length);
    let Ok(file) = r.u16_le("file id") else { return Ok(Response::Bare) };
    let done = r
        .skip(2 + 4 + 4 + 2 + 2 + 2, "attributes, time, size, access, type, pipe state")
        .and_then(|()| r.u16_le("action taken"));
    Ok(opened(file, done.ok().and_then(|done| Action::done(u32::from(done & 3))), None))
}

/// The parameters of `NT_TRANSACT_CREATE`'s answer (2.2.7.1.2); see [`trans2_open`].
fn nt_trans_create(block: &mut Block<'_>) -> Result<Response, Malformed> {
    block.words.skip(3 + 4 + 4, "reserved, totals")?;
    let length = block.words.u32_le("parameter count")? as usize;
    let offset = block.words.u32_le("parameter offset")? as usize;
    let mut r = block.at(offset, length);
    let (Ok(()), Ok(file)) = (r.skip(2, "oplock level"), r.u16_le("file id")) else {
        return Ok(Response::Bare);
    };
    Ok(opened(file, r.u32_le("create action").ok().and_then(Action::done), None))
}
