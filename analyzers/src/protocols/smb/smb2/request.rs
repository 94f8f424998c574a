//! SMB 2 requests: what is asked. MS-SMB2 2.2.3 – 2.2.39.

use super::{Header, code};
use crate::malformed::Malformed;
use crate::protocols::smb::credentials::identity;
use crate::protocols::smb::dcerpc::call;
use crate::protocols::smb::name::{Encoding, path};
use crate::protocols::smb::transaction::{
    Action, AtClose, FileKey, Flaw, Request, Subject, Transfer,
};
use crate::reader::Reader;
use crate::text::Text;

/// `FILE_DELETE_ON_CLOSE`, MS-SMB2 2.2.13.
const DELETE_ON_CLOSE: u32 = 0x0000_1000;

/// `FSCTL_PIPE_TRANSCEIVE`, MS-SMB2 2.2.31.
const PIPE_TRANSCEIVE: u32 = 0x0011_c017;

/// `SMB2_0_INFO_FILE` and the information classes of MS-FSCC 2.4 that change a name or a size,
/// or remove a file.
const INFO_FILE: u8 = 1;
const RENAME: u8 = 10;
const DISPOSITION: u8 = 13;
const END_OF_FILE: u8 = 20;
const DISPOSITION_EX: u8 = 64;
const RENAME_EX: u8 = 65;

/// Reads what `header`'s request asks; `None` when it leaves no row.
pub(in crate::protocols::smb) fn request(
    header: &Header,
    body: Reader<'_>,
    flaw: &mut Flaw,
) -> Option<Request> {
    let read = match header.command.code {
        code::NEGOTIATE => Ok(Some(Request::Negotiate(Vec::new()))),
        code::SESSION_SETUP => session_setup(body, flaw).map(Some),
        code::TREE_CONNECT => tree_connect(body, flaw).map(Some),
        code::CREATE => create(body, flaw).map(Some),
        code::CLOSE => close(body).map(Some),
        code::READ => read(body).map(Some),
        code::WRITE => write(body, flaw).map(Some),
        code::IOCTL => ioctl(body),
        code::SET_INFO => set_info(body, flaw),
        _ => return None,
    };
    flaw.keep(read).unwrap_or(Some(Request::Bare))
}

/// The bytes that a message keeps at `offset` from its header.
fn buffer<'a>(
    body: &Reader<'a>,
    offset: usize,
    length: usize,
    field: &'static str,
) -> Result<&'a [u8], Malformed> {
    if length == 0 {
        return Ok(&[]);
    }
    let mut r = Reader::new(body.whole());
    r.seek(offset, field)?;
    r.take(length, field)
}

/// As [`buffer`], or what is left of it where the message goes on beyond what is looked at.
fn buffer_lax<'a>(body: &Reader<'a>, offset: usize, length: usize) -> &'a [u8] {
    let mut r = Reader::new(body.whole());
    match r.seek(offset, "buffer") {
        Ok(()) => r.sub_lax(length).whole(),
        Err(_) => &[],
    }
}

fn file_id(r: &mut Reader<'_>) -> Result<FileKey, Malformed> {
    r.array("file id").map(|id| FileKey::Id(u128::from_le_bytes(id)))
}

fn unicode_path(bytes: Option<&[u8]>) -> Option<Text> {
    bytes.and_then(|bytes| path(bytes, Encoding::Utf16))
}

fn session_setup(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Request, Malformed> {
    r.skip(2 + 1 + 1 + 4 + 4, "session setup request")?;
    let offset = usize::from(r.u16_le("security buffer offset")?);
    let length = usize::from(r.u16_le("security buffer length")?);
    let names = flaw.keep(identity(buffer_lax(&r, offset, length)));
    Ok(Request::SessionSetup(names.unwrap_or_default()))
}

fn tree_connect(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Request, Malformed> {
    r.skip(2 + 2, "tree connect request")?;
    let offset = usize::from(r.u16_le("path offset")?);
    let length = usize::from(r.u16_le("path length")?);
    let share = flaw.keep(buffer(&r, offset, length, "share"));
    Ok(Request::TreeConnect(
        share.and_then(|bytes| crate::protocols::smb::name::name(bytes, Encoding::Utf16)),
    ))
}

fn create(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Request, Malformed> {
    r.skip(2 + 1 + 1 + 4 + 8 + 8, "create request")?;
    r.skip(4 + 4 + 4, "access, attributes, sharing")?;
    let disposition = r.u32_le("create disposition")?;
    let options = r.u32_le("create options")?;
    let offset = usize::from(r.u16_le("name offset")?);
    let length = usize::from(r.u16_le("name length")?);
    let bytes = flaw.keep(buffer(&r, offset, length, "file name"));
    let at_close = if options & DELETE_ON_CLOSE == 0 { AtClose::Keep } else { AtClose::Delete };
    Ok(Request::Open { path: unicode_path(bytes), action: Action::asked(disposition), at_close })
}

fn close(mut r: Reader<'_>) -> Result<Request, Malformed> {
    r.skip(2 + 2 + 4, "close request")?;
    file_id(&mut r).map(Request::Close)
}

fn read(mut r: Reader<'_>) -> Result<Request, Malformed> {
    r.skip(2 + 1 + 1 + 4, "read request")?;
    let offset = r.u64_le("file offset")?;
    let file = file_id(&mut r)?;
    Ok(Request::Read(Transfer { file, offset: Some(offset), bytes: None, data_at: 0 }))
}

fn write(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Request, Malformed> {
    r.skip(2, "write request")?;
    let data_at = usize::from(flaw.keep(r.u16_le("data offset")).unwrap_or_default());
    let bytes = r.u32_le("write length")?;
    let offset = r.u64_le("file offset")?;
    let file = file_id(&mut r)?;
    let call = call(buffer_lax(&r, data_at, bytes as usize));
    let bytes = Some(u64::from(bytes));
    Ok(Request::Write(Transfer { file, offset: Some(offset), bytes, data_at }, call))
}

fn ioctl(mut r: Reader<'_>) -> Result<Option<Request>, Malformed> {
    r.skip(2 + 2, "ioctl request")?;
    if r.u32_le("control code")? != PIPE_TRANSCEIVE {
        return Ok(None);
    }
    let pipe = Subject::File(file_id(&mut r)?);
    let offset = r.u32_le("input offset")? as usize;
    let length = r.u32_le("input count")? as usize;
    let call = call(buffer_lax(&r, offset, length));
    Ok(Some(Request::Transceive { pipe, call }))
}

fn set_info(mut r: Reader<'_>, flaw: &mut Flaw) -> Result<Option<Request>, Malformed> {
    r.skip(2, "set info request")?;
    let kind = r.u8("information type")?;
    let class = r.u8("information class")?;
    let length = r.u32_le("buffer length")? as usize;
    let offset = usize::from(r.u16_le("buffer offset")?);
    r.skip(2 + 4, "reserved, additional information")?;
    let file = file_id(&mut r)?;
    let of = Subject::File(file);
    let mut information = Reader::new(buffer_lax(&r, offset, length));
    Ok(match (kind, class) {
        (INFO_FILE, RENAME | RENAME_EX) => {
            let to = flaw.keep(new_name(&mut information));
            Some(Request::Rename { of, to: unicode_path(to) })
        }
        (INFO_FILE, DISPOSITION | DISPOSITION_EX) => {
            let wish = flaw.keep(information.u8("disposition")).unwrap_or_default();
            (wish & 1 == 1).then_some(Request::Delete(of))
        }
        (INFO_FILE, END_OF_FILE) => {
            Some(Request::Resize(file, flaw.keep(information.u64_le("end of file"))))
        }
        _ => None,
    })
}

/// MS-FSCC 2.4.43.2, `FILE_RENAME_INFORMATION_TYPE_2`.
fn new_name<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    r.skip(8 + 8, "replacement flag, root directory")?;
    let length = r.u32_le("new name length")? as usize;
    r.take(length, "new name")
}
