//! SMB 1's three families of transactions: `SMB_COM_TRANSACTION` (pipes and mailslots),
//! `TRANSACTION2` and `NT_TRANSACT`. MS-CIFS 2.2.4.33, 2.2.4.46, 2.2.4.62, and the sub-commands in
//! 2.2.5 – 2.2.7.
//!
//! Only a transaction's first message is read: names and binds stand in it. What a sub-command asks
//! renames the block's command, since a row says what was asked.

use super::Block;
use super::request::{file_id, open_mode};
use crate::malformed::Malformed;
use crate::protocols::smb::dcerpc::call;
use crate::protocols::smb::name::{Encoding, path};
use crate::protocols::smb::transaction::{Action, AtClose, Flaw, Request, Subject};
use crate::reader::Reader;
use crate::text::Text;

/// The name of every transaction over a pipe that is open already; its FID follows the function.
const OPEN_PIPE: &[u8] = b"PIPE\\";

/// Sub-commands of `TRANSACTION2`, 2.2.2.2.
mod trans2_code {
    pub(super) const OPEN2: u16 = 0x00;
    pub(super) const FIND_FIRST2: u16 = 0x01;
    pub(super) const FIND_NEXT2: u16 = 0x02;
    pub(super) const QUERY_FS_INFORMATION: u16 = 0x03;
    pub(super) const SET_FS_INFORMATION: u16 = 0x04;
    pub(super) const QUERY_PATH_INFORMATION: u16 = 0x05;
    pub(super) const SET_PATH_INFORMATION: u16 = 0x06;
    pub(super) const QUERY_FILE_INFORMATION: u16 = 0x07;
    pub(super) const SET_FILE_INFORMATION: u16 = 0x08;
    pub(super) const CREATE_DIRECTORY: u16 = 0x0d;
    pub(super) const SESSION_SETUP: u16 = 0x0e;
    pub(super) const GET_DFS_REFERRAL: u16 = 0x10;
}

/// Functions of `NT_TRANSACT`, 2.2.2.2.
mod nt_code {
    pub(super) const CREATE: u16 = 1;
    pub(super) const LAST: u16 = 8;
}

/// Information levels that remove, rename or resize (2.2.2.3.4, and MS-SMB 2.2.2.3.5: 1000 and the
/// class of MS-FSCC).
const SET_DISPOSITION: u16 = 0x0102;
const PASS_DISPOSITION: u16 = 1013;
const PASS_RENAME: u16 = 1010;
const SET_END_OF_FILE: u16 = 0x0104;
const PASS_END_OF_FILE: u16 = 1020;

/// `FILE_DELETE_ON_CLOSE`.
const DELETE_ON_CLOSE: u32 = 0x0000_1000;

/// The parts of a transaction.
struct Parts<'a> {
    parameters: Reader<'a>,
    data: Reader<'a>,
    setup: Reader<'a>,
    encoding: Encoding,
}

impl<'a> Parts<'a> {
    /// `SMB_COM_TRANSACTION` and `TRANSACTION2` share their words.
    fn read(block: &mut Block<'a>) -> Result<Self, Malformed> {
        let r = &mut block.words;
        r.skip(2 * 4 + 1 + 1 + 2 + 4 + 2, "transaction totals, flags, time-out")?;
        let parameter_count = usize::from(r.u16_le("parameter count")?);
        let parameter_offset = usize::from(r.u16_le("parameter offset")?);
        let data_count = usize::from(r.u16_le("data count")?);
        let data_offset = usize::from(r.u16_le("data offset")?);
        r.skip(1 + 1, "setup count")?;
        let setup = *r;
        Ok(Self {
            parameters: block.at(parameter_offset, parameter_count),
            data: block.at(data_offset, data_count),
            setup,
            encoding: block.encoding,
        })
    }

    /// `NT_TRANSACT` has wider ones, and its function among them.
    fn read_nt(block: &mut Block<'a>) -> Result<(u16, Self), Malformed> {
        let r = &mut block.words;
        r.skip(1 + 2 + 4 * 4, "transaction totals")?;
        let parameter_count = r.u32_le("parameter count")? as usize;
        let parameter_offset = r.u32_le("parameter offset")? as usize;
        let data_count = r.u32_le("data count")? as usize;
        let data_offset = r.u32_le("data offset")? as usize;
        r.skip(1, "setup count")?;
        let function = r.u16_le("function")?;
        let setup = *r;
        let parts = Self {
            parameters: block.at(parameter_offset, parameter_count),
            data: block.at(data_offset, data_count),
            setup,
            encoding: block.encoding,
        };
        Ok((function, parts))
    }

    /// The path behind `fixed` bytes of parameters.
    fn path_after(&self, fixed: usize) -> Option<Text> {
        let mut r = self.parameters;
        r.skip(fixed, "parameters").ok()?;
        path(r.rest(), self.encoding)
    }
}

/// A transaction over a pipe or a mailslot.
pub(super) fn trans(block: &mut Block<'_>) -> Result<Request, Malformed> {
    let mut parts = Parts::read(block)?;
    let name = path(block.string(), block.encoding);
    let call = call(parts.data.rest());
    let unnamed = name.as_ref().is_none_or(|name| name.as_bytes() == OPEN_PIPE);
    let pipe = match parts.setup.skip(2, "function").and_then(|()| file_id(&mut parts.setup)) {
        Ok(file) if unnamed => Subject::File(file),
        _ => Subject::Path(name),
    };
    Ok(Request::Transceive { pipe, call })
}

/// A file-system transaction; `None` when it leaves no row.
pub(super) fn trans2(block: &mut Block<'_>, flaw: &mut Flaw) -> Result<Option<Request>, Malformed> {
    let mut parts = Parts::read(block)?;
    let subcommand = parts.setup.u16_le("sub-command")?;
    block.command.name = match subcommand {
        trans2_code::OPEN2 => "trans2_open2",
        trans2_code::FIND_FIRST2 => "trans2_find_first2",
        trans2_code::QUERY_PATH_INFORMATION => "trans2_query_path_information",
        trans2_code::SET_PATH_INFORMATION => "trans2_set_path_information",
        trans2_code::SET_FILE_INFORMATION => "trans2_set_file_information",
        trans2_code::CREATE_DIRECTORY => "trans2_create_directory",
        trans2_code::SESSION_SETUP => "trans2_session_setup",
        trans2_code::GET_DFS_REFERRAL => "trans2_get_dfs_referral",
        _ => "trans2",
    };
    Ok(match subcommand {
        trans2_code::OPEN2 => Some(open2(&parts)?),
        trans2_code::FIND_FIRST2 => Some(Request::Query(parts.path_after(2 + 2 + 2 + 2 + 4))),
        trans2_code::QUERY_PATH_INFORMATION => Some(Request::Query(parts.path_after(2 + 4))),
        trans2_code::GET_DFS_REFERRAL => Some(Request::Query(parts.path_after(2))),
        trans2_code::SET_PATH_INFORMATION => {
            let of = Subject::Path(parts.path_after(2 + 4));
            let level = parts.parameters.u16_le("information level")?;
            set_information(of, level, &mut parts, flaw)
        }
        trans2_code::SET_FILE_INFORMATION => {
            let file = file_id(&mut parts.parameters)?;
            let level = parts.parameters.u16_le("information level")?;
            if matches!(level, SET_END_OF_FILE | PASS_END_OF_FILE) {
                Some(Request::Resize(file, flaw.keep(parts.data.u64_le("end of file"))))
            } else {
                set_information(Subject::File(file), level, &mut parts, flaw)
            }
        }
        trans2_code::CREATE_DIRECTORY => Some(Request::Open {
            path: parts.path_after(4),
            action: Some(Action::Create),
            at_close: AtClose::Keep,
        }),
        trans2_code::FIND_NEXT2
        | trans2_code::QUERY_FS_INFORMATION
        | trans2_code::SET_FS_INFORMATION
        | trans2_code::QUERY_FILE_INFORMATION => None,
        // Reserved sub-commands are used by nobody but tools that look for holes.
        _ => Some(Request::Bare),
    })
}

/// `TRANS2_OPEN2`, 2.2.6.1.1.
fn open2(parts: &Parts<'_>) -> Result<Request, Malformed> {
    let mut r = parts.parameters;
    r.skip(2 + 2 + 2 + 2 + 4, "flags, access, attributes, time")?;
    let action = open_mode(r.u16_le("open mode")?);
    r.skip(4 + 10, "allocation size, reserved")?;
    let path = path(r.rest(), parts.encoding);
    Ok(Request::Open { path, action, at_close: AtClose::Keep })
}

fn set_information(
    of: Subject,
    level: u16,
    parts: &mut Parts<'_>,
    flaw: &mut Flaw,
) -> Option<Request> {
    match level {
        SET_DISPOSITION | PASS_DISPOSITION => {
            let wish = flaw.keep(parts.data.u8("disposition")).unwrap_or_default();
            (wish & 1 == 1).then_some(Request::Delete(of))
        }
        PASS_RENAME => {
            let to = flaw.keep(new_name(&mut parts.data));
            let to = to.and_then(|bytes| path(bytes, Encoding::Utf16));
            Some(Request::Rename { of, to })
        }
        _ => None,
    }
}

/// MS-FSCC 2.4.43.1, `FILE_RENAME_INFORMATION_TYPE_1`.
fn new_name<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    r.skip(4 + 4, "replacement flag, root directory")?;
    let length = r.u32_le("new name length")? as usize;
    r.take(length, "new name")
}

/// An NT transaction; `None` when it leaves no row.
pub(super) fn nt_trans(
    block: &mut Block<'_>,
    flaw: &mut Flaw,
) -> Result<Option<Request>, Malformed> {
    let (function, parts) = Parts::read_nt(block)?;
    Ok(match function {
        nt_code::CREATE => {
            block.command.name = "nt_trans_create";
            flaw.keep(create(&parts))
        }
        // Functions that are not defined are used by nobody but tools that look for holes.
        0 => Some(Request::Bare),
        _ if function > nt_code::LAST => Some(Request::Bare),
        _ => None,
    })
}

/// `NT_TRANSACT_CREATE`, 2.2.7.1.1.
fn create(parts: &Parts<'_>) -> Result<Request, Malformed> {
    let mut r = parts.parameters;
    r.skip(4 + 4 + 4 + 8 + 4 + 4, "flags, root, access, size, attributes, sharing")?;
    let action = Action::asked(r.u32_le("create disposition")?);
    let options = r.u32_le("create options")?;
    r.skip(4 + 4, "security descriptor and attribute lengths")?;
    let length = r.u32_le("name length")? as usize;
    r.skip(4 + 1, "impersonation, security flags")?;
    let at_close = if options & DELETE_ON_CLOSE == 0 { AtClose::Keep } else { AtClose::Delete };
    let bytes = r.sub_lax(length).whole();
    Ok(Request::Open { path: path(bytes, parts.encoding), action, at_close })
}
