//! What the [`Ledger`](super::ledger::Ledger)'s tables hold: requests, responses, sessions, trees.

use super::credentials::Identity;
use super::status;
use super::table::{Weighed, weight};
use super::transaction::{AtClose, Envelope, Family, FileKey, Request, Response, Transfer};
use crate::limits::SMB_SKEW;
use crate::text::Text;
use crate::time::Timestamp;

/// What pairs a request with its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) family: Family,
    pub(super) message: u64,
    pub(super) step: u8,
}

impl Pair {
    pub(super) const fn of(envelope: &Envelope) -> Self {
        let Envelope { command, message, step, .. } = *envelope;
        Self { family: command.family, message, step }
    }
}

/// A read or write whose request was not seen.
const UNSEEN: Transfer = Transfer { file: FileKey::Unseen, offset: None, bytes: None, data_at: 0 };

/// A request that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) envelope: Envelope,
    pub(super) request: Request,
}

impl Pending {
    /// The request behind a response whose request was not seen, as far as the response tells;
    /// `None` when it leaves no row.
    pub(super) fn behind(answer: &Answer) -> Option<Self> {
        let Answer { envelope, response, status } = answer;
        let request = match (response, envelope.command.name) {
            (Response::Negotiate(_), _) => Request::Negotiate(Vec::new()),
            (_, "session_setup") => Request::SessionSetup(Identity::default()),
            (Response::TreeConnect(_), _) => Request::TreeConnect(None),
            (_, "read") => Request::Read(UNSEEN),
            (_, "write" | "write_and_close") => Request::Write(UNSEEN, None),
            (_, "close") => Request::Close(FileKey::Unseen),
            // Most of these leave no row, and the response does not say which ones do. A failure is
            // worth one: an implant may answer under another id than the one that it was asked by.
            (_, "ioctl" | "set_info" | "trans" | "trans2" | "nt_trans")
                if status::is_success(*status) =>
            {
                return None;
            }
            (Response::Open { .. }, _) => {
                Request::Open { path: None, action: None, at_close: AtClose::Keep }
            }
            _ => Request::Bare,
        };
        Some(Self { envelope: *envelope, request })
    }
}

impl Weighed for Pending {
    fn text_bytes(&self) -> usize {
        self.request.text_bytes()
    }
}

/// A response that came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) envelope: Envelope,
    pub(super) status: u32,
    pub(super) response: Response,
}

impl Answer {
    pub(super) const fn succeeded(&self) -> bool {
        status::is_success(self.status)
    }

    /// Whether this answers a request that comes after it, and not one that was lost.
    pub(super) fn is_of(&self, request: &Envelope) -> bool {
        self.envelope.command.code == request.command.code
            && request.time.since(self.envelope.time) <= SMB_SKEW
    }
}

impl Answer {
    /// Bytes that it says were read or written.
    pub(super) const fn moved(&self) -> Option<u64> {
        match self.response {
            Response::Moved { bytes, .. } => bytes,
            _ => None,
        }
    }
}

impl Weighed for Answer {
    fn text_bytes(&self) -> usize {
        match &self.response {
            Response::SessionSetup(target) => weight(target.as_ref()),
            _ => 0,
        }
    }
}

/// A session, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) identity: Identity,
    /// When its first encrypted message came; its row is out then.
    pub(super) sealed: Option<Timestamp>,
}

impl Weighed for Session {
    fn text_bytes(&self) -> usize {
        self.identity.text_bytes()
    }
}

/// A connected share.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) share: Option<Text>,
    pub(super) kind: Option<&'static str>,
}

impl Weighed for Tree {
    fn text_bytes(&self) -> usize {
        weight(self.share.as_ref())
    }
}
