//! What requests ask and responses answer, in words that SMB 1, 2 and 3 share.
//!
//! The wire modules fill these in; the [`Ledger`](super::ledger::Ledger) pairs them. A field is
//! `None` where its message was cut or contradicts itself.

use super::credentials::Identity;
use super::dcerpc::Call;
use super::table::{Weighed, weight};
use crate::malformed::Malformed;
use crate::text::Text;
use crate::time::Timestamp;

/// The two wire formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// MS-CIFS, MS-SMB.
    Smb1,
    /// MS-SMB2, SMB 3 included.
    Smb2,
}

/// A command, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Whose command it is.
    pub(super) family: Family,
    /// Its number.
    pub(super) code: u16,
    /// Its name in a row.
    pub(super) name: &'static str,
}

/// What the headers of a request and of its response say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    /// Packet time of the message's first packet.
    pub(super) time: Timestamp,
    /// The command.
    pub(super) command: Command,
    /// SMB 2: message id; SMB 1: process and multiplex id.
    pub(super) message: u64,
    /// Place in an AndX chain, from 0.
    pub(super) step: u8,
    /// Session, SMB 1: user id.
    pub(super) session: u64,
    /// Tree.
    pub(super) tree: u32,
    /// Whether the message is signed.
    pub(super) signed: bool,
}

/// How a message names an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKey {
    /// By its id, persistent and volatile part; SMB 1: the 16 bits of its FID.
    Id(u128),
    /// As the file that an earlier message of the same compound or chain opens.
    OpenedBy(u64),
    /// Not at all: the request was not seen.
    Unseen,
}

/// What a rename or a delete works on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    /// An open file.
    File(FileKey),
    /// A path.
    Path(Option<Text>),
}

/// Bytes of a file on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    /// The file.
    pub(super) file: FileKey,
    /// Where in the file they belong.
    pub(super) offset: Option<u64>,
    /// How many a write brings; a read's answer says how many it brings.
    pub(super) bytes: Option<u64>,
    /// Where in the message a write's bytes begin.
    pub(super) data_at: usize,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// An existing file was opened.
    Open,
    /// It was made.
    Create,
    /// It was replaced.
    Overwrite,
    /// It was read.
    Read,
    /// It was written.
    Write,
    /// Its name was changed.
    Rename,
    /// It was removed.
    Delete,
}

impl Action {
    /// The word in a row.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Overwrite => "overwrite",
            Self::Read => "read",
            Self::Write => "write",
            Self::Rename => "rename",
            Self::Delete => "delete",
        }
    }

    /// What a create disposition (MS-SMB2 2.2.13, MS-CIFS 2.2.4.64.1) asks for.
    pub(super) const fn asked(disposition: u32) -> Option<Self> {
        match disposition {
            1 | 3 => Some(Self::Open),
            2 => Some(Self::Create),
            0 | 4 | 5 => Some(Self::Overwrite),
            _ => None,
        }
    }

    /// What a create action (MS-SMB2 2.2.14, MS-CIFS 2.2.4.64.2) says was done.
    pub(super) const fn done(create_action: u32) -> Option<Self> {
        match create_action {
            1 => Some(Self::Open),
            2 => Some(Self::Create),
            0 | 3 => Some(Self::Overwrite),
            _ => None,
        }
    }
}

/// What becomes of a file when it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtClose {
    /// It stays.
    Keep,
    /// It was opened to be deleted then.
    Delete,
}

/// What a request asks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// SMB 1's dialects, of which the response names one by its place; SMB 2's are numbers.
    Negotiate(Vec<Text>),
    /// Who logs on, as far as this token tells.
    SessionSetup(Identity),
    /// The share, and the tree's type as far as the client asks for one.
    TreeConnect(Option<Text>),
    /// A file or pipe to open.
    Open {
        /// Its path; `None` for the share's root too.
        path: Option<Text>,
        /// What is asked for.
        action: Option<Action>,
        /// Whether it goes when it is closed.
        at_close: AtClose,
    },
    /// Bytes of a file.
    Read(Transfer),
    /// Bytes for a file, and what they say to the program behind a pipe.
    Write(Transfer, Option<Call>),
    /// A new size of a file.
    Resize(FileKey, Option<u64>),
    /// The end of an open file.
    Close(FileKey),
    /// A new name.
    Rename {
        /// Of what.
        of: Subject,
        /// The new path.
        to: Option<Text>,
    },
    /// A removal.
    Delete(Subject),
    /// A write and a read of a pipe in one.
    Transceive {
        /// The pipe.
        pipe: Subject,
        /// What the bytes say.
        call: Option<Call>,
    },
    /// A question about a path.
    Query(Option<Text>),
    /// Something whose content does not matter or could not be read.
    Bare,
}

impl Request {
    /// The open file that the request names.
    pub(super) const fn file_mut(&mut self) -> Option<&mut FileKey> {
        match self {
            Self::Read(Transfer { file, .. })
            | Self::Write(Transfer { file, .. }, _)
            | Self::Resize(file, _)
            | Self::Close(file)
            | Self::Rename { of: Subject::File(file), .. }
            | Self::Delete(Subject::File(file))
            | Self::Transceive { pipe: Subject::File(file), .. } => Some(file),
            _ => None,
        }
    }
}

impl Weighed for Request {
    fn text_bytes(&self) -> usize {
        match self {
            Self::Negotiate(dialects) => dialects.iter().map(|text| weight(Some(text))).sum(),
            Self::SessionSetup(identity) => identity.text_bytes(),
            Self::TreeConnect(path) | Self::Open { path, .. } | Self::Query(path) => {
                weight(path.as_ref())
            }
            Self::Write(_, call) => call_weight(call.as_ref()),
            Self::Rename { of, to } => of.text_bytes().saturating_add(weight(to.as_ref())),
            Self::Delete(of) => of.text_bytes(),
            Self::Transceive { pipe, call } => {
                pipe.text_bytes().saturating_add(call_weight(call.as_ref()))
            }
            Self::Read(_) | Self::Resize(..) | Self::Close(_) | Self::Bare => 0,
        }
    }
}

fn call_weight(call: Option<&Call>) -> usize {
    call.map_or(0, Call::text_bytes)
}

impl Weighed for Subject {
    fn text_bytes(&self) -> usize {
        match self {
            Self::File(_) => 0,
            Self::Path(path) => weight(path.as_ref()),
        }
    }
}

/// What a response answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Response {
    /// The dialect.
    Negotiate(Chosen),
    /// The server's computer name, from an NTLM challenge.
    SessionSetup(Option<Text>),
    /// `disk`, `pipe` or `print`.
    TreeConnect(Option<&'static str>),
    /// A file was opened.
    Open {
        /// Its id.
        file: Option<u128>,
        /// What was done.
        action: Option<Action>,
        /// Its size in bytes.
        size: Option<u64>,
    },
    /// Bytes were read or written.
    Moved {
        /// How many.
        bytes: Option<u64>,
        /// Where in the message those that were read begin.
        data_at: usize,
    },
    /// Nothing that matters beside the status.
    Bare,
}

/// A negotiated dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// SMB 2: its number.
    Revision(u16),
    /// SMB 1: its place in the request's list.
    Place(u16),
}

/// The first contradiction that a message holds; the rest of it is still read.
#[derive(Debug, Default)]
pub(super) struct Flaw(Option<Malformed>);

impl Flaw {
    /// The value, or a note of why there is none.
    pub(super) fn keep<T>(&mut self, read: Result<T, Malformed>) -> Option<T> {
        read.map_err(|malformed| self.0.get_or_insert(malformed)).ok()
    }

    /// What was wrong.
    pub(super) const fn found(&self) -> Option<Malformed> {
        self.0
    }
}
