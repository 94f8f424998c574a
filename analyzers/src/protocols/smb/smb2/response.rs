//! SMB 2 responses: what came of it. MS-SMB2 2.2.4 – 2.2.40.

use super::{Header, code};
use crate::malformed::Malformed;
use crate::protocols::smb::credentials::identity;
use crate::protocols::smb::status;
use crate::protocols::smb::transaction::{Action, Chosen, Flaw, Response};
use crate::reader::Reader;

/// Reads what `header`'s response answers; `None` when it leaves no row.
pub(in crate::protocols::smb) fn response(
    header: &Header,
    body: Reader<'_>,
    flaw: &mut Flaw,
) -> Option<Response> {
    // An error has a body of its own kind (2.2.2), but for two that are none.
    let answered = matches!(
        header.status,
        status::SUCCESS | status::BUFFER_OVERFLOW | status::MORE_PROCESSING_REQUIRED
    );
    let read = match header.command.code {
        code::NEGOTIATE | code::TREE_CONNECT | code::CREATE | code::READ | code::WRITE
            if !answered =>
        {
            Ok(Response::Bare)
        }
        code::NEGOTIATE => negotiate(body).map(Response::Negotiate),
        code::SESSION_SETUP if answered => session_setup(body, flaw),
        code::TREE_CONNECT => tree_connect(body),
        code::CREATE => create(body),
        code::READ => read(body),
        code::WRITE => write(body),
        code::SESSION_SETUP | code::CLOSE | code::IOCTL | code::SET_INFO => Ok(Response::Bare),
        _ => return None,
    };
    Some(flaw.keep(read).unwrap_or(Response::Bare))
}

fn negotiate(mut r: Reader<'_>) -> Result<Chosen, Malformed> {
    r.skip(2 + 2, "negotiate response")?;
    r.u16_le("dialect revision").map(Chosen::Revision)
}

fn session_setup(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Response, Malformed> {
    r.skip(2 + 2, "session setup response")?;
    let offset = usize::from(r.u16_le("security buffer offset")?);
    let length = usize::from(r.u16_le("security buffer length")?);
    let mut token = Reader::new(r.whole());
    let names = match token.seek(offset, "security buffer") {
        Ok(()) => flaw.keep(identity(token.sub_lax(length).whole())),
        Err(_) => None,
    };
    Ok(Response::SessionSetup(names.and_then(|names| names.target)))
}

fn tree_connect(mut r: Reader<'_>) -> Result<Response, Malformed> {
    r.skip(2, "tree connect response")?;
    Ok(Response::TreeConnect(match r.u8("share type")? {
        1 => Some("disk"),
        2 => Some("pipe"),
        3 => Some("print"),
        _ => None,
    }))
}

fn create(mut r: Reader<'_>) -> Result<Response, Malformed> {
    r.skip(2 + 1 + 1, "create response")?;
    let action = Action::done(r.u32_le("create action")?);
    r.skip(4 * 8 + 8, "times, allocation size")?;
    let size = r.u64_le("end of file")?;
    r.skip(4 + 4, "attributes, reserved")?;
    let file = u128::from_le_bytes(r.array("file id")?);
    Ok(Response::Open { file: Some(file), action, size: Some(size) })
}

fn read(mut r: Reader<'_>) -> Result<Response, Malformed> {
    r.skip(2, "read response")?;
    let data_at = usize::from(r.u8("data offset")?);
    r.skip(1, "reserved")?;
    Ok(Response::Moved { bytes: Some(u64::from(r.u32_le("data length")?)), data_at })
}

fn write(mut r: Reader<'_>) -> Result<Response, Malformed> {
    r.skip(2 + 2, "write response")?;
    Ok(Response::Moved { bytes: Some(u64::from(r.u32_le("count")?)), data_at: 0 })
}
