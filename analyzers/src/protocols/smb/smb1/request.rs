//! SMB 1 requests: what is asked. MS-CIFS 2.2.4, MS-SMB 2.2.4.

use super::transactions;
use super::{Block, code};
use crate::limits::SMB_DIALECTS;
use crate::malformed::Malformed;
use crate::protocols::smb::credentials::{Identity, identity};
use crate::protocols::smb::dcerpc::call;
use crate::protocols::smb::name::{Encoding, name, path, terminated};
use crate::protocols::smb::transaction::{
    Action, AtClose, FileKey, Flaw, Request, Subject, Transfer,
};
use crate::reader::Reader;
use crate::text::Text;

/// `FILE_DELETE_ON_CLOSE`, MS-CIFS 2.2.4.64.1.
const DELETE_ON_CLOSE: u32 = 0x0000_1000;

/// `SMB_NT_RENAME_RENAME_FILE`, MS-CIFS 2.2.4.66.1; the other levels make links.
const NT_RENAME_FILE: u16 = 0x0104;

/// Words of a session setup whose token is a GSS-API blob (MS-SMB 2.2.4.6.1).
const EXTENDED_SECURITY_WORDS: u8 = 12;

/// Reads what a block of a request asks, and the command's name where a sub-command tells more;
/// `None` when it leaves no row.
pub(in crate::protocols::smb) fn request(
    block: &mut Block<'_>,
    flaw: &mut Flaw,
) -> Option<Request> {
    let read = match block.command.code {
        code::NEGOTIATE => Ok(Some(negotiate(block))),
        code::SESSION_SETUP_ANDX => session_setup(block, flaw).map(Some),
        code::TREE_CONNECT_ANDX => tree_connect_andx(block).map(Some),
        code::TREE_CONNECT => {
            Ok(Some(Request::TreeConnect(share(block.formatted_string(), block))))
        }
        code::NT_CREATE_ANDX => nt_create(block).map(Some),
        code::OPEN_ANDX => open_andx(block).map(Some),
        code::OPEN => Ok(Some(open(block, Action::Open))),
        code::CREATE | code::CREATE_NEW | code::CREATE_DIRECTORY => {
            Ok(Some(open(block, Action::Create)))
        }
        code::CLOSE => file_id(&mut block.words).map(|file| Some(Request::Close(file))),
        code::READ => file_id(&mut block.words).map(|file| Some(Request::Read(of_file(file)))),
        code::READ_ANDX => read_andx(block).map(Some),
        code::WRITE | code::WRITE_AND_CLOSE => write(block).map(Some),
        code::WRITE_ANDX => write_andx(block).map(Some),
        code::DELETE | code::DELETE_DIRECTORY => {
            Ok(Some(Request::Delete(Subject::Path(formatted_path(block)))))
        }
        code::RENAME => Ok(Some(rename(block))),
        code::NT_RENAME => nt_rename(block),
        code::QUERY_INFORMATION | code::CHECK_DIRECTORY => {
            Ok(Some(Request::Query(formatted_path(block))))
        }
        code::TRANSACTION => transactions::trans(block).map(Some),
        code::TRANSACTION2 => transactions::trans2(block, flaw),
        code::NT_TRANSACT => transactions::nt_trans(block, flaw),
        _ => return None,
    };
    flaw.keep(read).unwrap_or(Some(Request::Bare))
}

/// An SMB 1 file id.
pub(super) fn file_id(r: &mut Reader<'_>) -> Result<FileKey, Malformed> {
    r.u16_le("file id").map(|id| FileKey::Id(u128::from(id)))
}

fn formatted_path(block: &mut Block<'_>) -> Option<Text> {
    path(block.formatted_string(), block.encoding)
}

fn share(bytes: &[u8], block: &Block<'_>) -> Option<Text> {
    name(bytes, block.encoding)
}

fn negotiate(block: &mut Block<'_>) -> Request {
    let mut dialects = Vec::new();
    while !block.bytes.is_empty() && dialects.len() < SMB_DIALECTS {
        block.bytes.sub_lax(1);
        let dialect = terminated(&mut block.bytes, Encoding::Oem);
        // A place in the list counts even where nothing stands in it.
        dialects.push(name(dialect, Encoding::Oem).unwrap_or(Text::Word("")));
    }
    Request::Negotiate(dialects)
}

fn session_setup(block: &mut Block<'_>, flaw: &mut Flaw) -> Result<Request, Malformed> {
    // Older forms carry an account name beside hashes, not a token.
    if block.words_count != EXTENDED_SECURITY_WORDS {
        return Ok(Request::SessionSetup(Identity::default()));
    }
    block.words.skip(2 + 2 + 2 + 4, "session setup request")?;
    let length = usize::from(block.words.u16_le("security blob length")?);
    let names = flaw.keep(identity(block.bytes.sub_lax(length).whole()));
    Ok(Request::SessionSetup(names.unwrap_or_default()))
}

fn tree_connect_andx(block: &mut Block<'_>) -> Result<Request, Malformed> {
    block.words.skip(2, "tree connect flags")?;
    let password = usize::from(block.words.u16_le("password length")?);
    block.bytes.sub_lax(password);
    Ok(Request::TreeConnect(share(block.string(), block)))
}

fn nt_create(block: &mut Block<'_>) -> Result<Request, Malformed> {
    let words = &mut block.words;
    words.skip(1, "reserved")?;
    let length = usize::from(words.u16_le("name length")?);
    words.skip(4 + 4 + 4 + 8 + 4 + 4, "flags, root, access, size, attributes, sharing")?;
    let action = Action::asked(words.u32_le("create disposition")?);
    let options = words.u32_le("create options")?;
    let at_close = if options & DELETE_ON_CLOSE == 0 { AtClose::Keep } else { AtClose::Delete };
    if block.encoding == Encoding::Utf16 {
        block.align();
    }
    let bytes = block.bytes.sub_lax(length).whole();
    Ok(Request::Open { path: path(bytes, block.encoding), action, at_close })
}

/// What an open mode (MS-CIFS 2.2.4.41.1, OpenMode) asks for.
pub(super) const fn open_mode(mode: u16) -> Option<Action> {
    match mode & 0x13 {
        0x10 => Some(Action::Create),
        0x01 | 0x11 => Some(Action::Open),
        0x02 | 0x12 => Some(Action::Overwrite),
        _ => None,
    }
}

fn open_andx(block: &mut Block<'_>) -> Result<Request, Malformed> {
    block.words.skip(2 + 2 + 2 + 2 + 4, "flags, access, attributes, time")?;
    let action = open_mode(block.words.u16_le("open mode")?);
    let path = path(block.string(), block.encoding);
    Ok(Request::Open { path, action, at_close: AtClose::Keep })
}

fn open(block: &mut Block<'_>, action: Action) -> Request {
    Request::Open { path: formatted_path(block), action: Some(action), at_close: AtClose::Keep }
}

/// A transfer whose content is not followed.
const fn of_file(file: FileKey) -> Transfer {
    Transfer { file, offset: None, bytes: None, data_at: 0 }
}

/// Words of a read that has the upper half of its offset.
const LONG_READ_WORDS: u8 = 12;

/// Words of a write that has the upper half of its offset.
const LONG_WRITE_WORDS: u8 = 14;

fn read_andx(block: &mut Block<'_>) -> Result<Request, Malformed> {
    let words = &mut block.words;
    let file = file_id(words)?;
    let low = words.u32_le("offset")?;
    words.skip(2 + 2 + 4 + 2, "counts, time-out, remaining")?;
    let offset = long(low, block.words_count >= LONG_READ_WORDS, words)?;
    Ok(Request::Read(Transfer { offset: Some(offset), ..of_file(file) }))
}

/// An offset whose upper half may follow.
fn long(low: u32, has_high: bool, words: &mut Reader<'_>) -> Result<u64, Malformed> {
    let high = if has_high { words.u32_le("offset, high")? } else { 0 };
    Ok((u64::from(high) << 32) | u64::from(low))
}

fn write(block: &mut Block<'_>) -> Result<Request, Malformed> {
    let file = file_id(&mut block.words)?;
    let bytes = u64::from(block.words.u16_le("write count")?);
    block.bytes.sub_lax(3);
    let call = call(block.bytes.rest());
    Ok(Request::Write(Transfer { bytes: Some(bytes), ..of_file(file) }, call))
}

fn write_andx(block: &mut Block<'_>) -> Result<Request, Malformed> {
    let words = &mut block.words;
    let file = file_id(words)?;
    let low = words.u32_le("offset")?;
    words.skip(4 + 2 + 2, "time-out, mode, remaining")?;
    let high = words.u16_le("data length, high")?;
    let length = (u32::from(high) << 16) | u32::from(words.u16_le("data length")?);
    let data_at = usize::from(words.u16_le("data offset")?);
    let offset = long(low, block.words_count >= LONG_WRITE_WORDS, words)?;
    let mut data = block.at(data_at, length as usize);
    let call = call(data.rest()).or_else(|| {
        // In message mode the pipe message's length stands before its first byte.
        data.sub_lax(2);
        call(data.rest())
    });
    let bytes = Some(u64::from(length));
    Ok(Request::Write(Transfer { file, offset: Some(offset), bytes, data_at }, call))
}

fn rename(block: &mut Block<'_>) -> Request {
    let of = Subject::Path(formatted_path(block));
    Request::Rename { of, to: formatted_path(block) }
}

fn nt_rename(block: &mut Block<'_>) -> Result<Option<Request>, Malformed> {
    block.words.skip(2, "search attributes")?;
    let level = block.words.u16_le("information level")?;
    Ok((level == NT_RENAME_FILE).then(|| rename(block)))
}
