//! The books of one flow: requests that wait for their responses, sessions, trees and open files.
//!
//! In: requests and responses in the words of [`transaction`](super::transaction). Out: rows. A
//! request leaves its row when its response comes, when a newer request needs its place, or when
//! the flow ends; so a capture of one side alone gives rows too. Reads and writes leave one row
//! each per open file. MS-SMB2 3.2.5.1 and 3.3.5.2 say what identifies what.

mod files;

use self::files::{Asked, Ending};
use crate::emitter::Emitter;
use crate::limits::{
    SMB_EARLY, SMB_FILE_TEXT_BYTES, SMB_NAME_BYTES, SMB_OPEN_FILES, SMB_PENDING,
    SMB_PENDING_TEXT_BYTES, SMB_SESSION_TEXT_BYTES, SMB_SESSIONS, SMB_TREE_TEXT_BYTES, SMB_TREES,
};
use crate::protocol::FileHashing;
use crate::protocols::smb::content::{Contents, Passage, Way};
use crate::protocols::smb::credentials::Identity;
use crate::protocols::smb::dialect::{Dialect, version};
use crate::protocols::smb::entry::{Answer, Pair, Pending, Session, Tree};
use crate::protocols::smb::open_file::{OpenFile, Sum};
use crate::protocols::smb::record::SmbRecord;
use crate::protocols::smb::status;
use crate::protocols::smb::table::{Bounds, Table};
use crate::protocols::smb::transaction::{
    Action, Envelope, Family, FileKey, Request, Response, Transfer,
};
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// The books.
#[derive(Debug)]
pub(crate) struct Ledger {
    dialect: Option<Dialect>,
    pending: Table<Pair, Pending>,
    /// Responses that came before their requests, as a capture of two taps may show them.
    early: Table<Pair, Answer>,
    sessions: Table<u64, Session>,
    /// By session and tree id; SMB 1 counts its trees over all sessions, which is session 0 here.
    trees: Table<(u64, u32), Tree>,
    files: Table<FileKey, OpenFile>,
    /// What passes of their contents; `None` when files are not hashed.
    contents: Option<Contents>,
}

impl Ledger {
    pub(crate) fn new(hashing: FileHashing) -> Self {
        Self {
            dialect: None,
            pending: Table::new(Bounds {
                entries: SMB_PENDING,
                text_bytes: SMB_PENDING_TEXT_BYTES,
            }),
            early: Table::new(Bounds { entries: SMB_EARLY, text_bytes: SMB_NAME_BYTES }),
            sessions: Table::new(Bounds {
                entries: SMB_SESSIONS,
                text_bytes: SMB_SESSION_TEXT_BYTES,
            }),
            trees: Table::new(Bounds { entries: SMB_TREES, text_bytes: SMB_TREE_TEXT_BYTES }),
            files: Table::new(Bounds { entries: SMB_OPEN_FILES, text_bytes: SMB_FILE_TEXT_BYTES }),
            contents: (hashing == FileHashing::On).then(Contents::default),
        }
    }

    /// A request was sent.
    pub(crate) fn request(&mut self, envelope: Envelope, request: Request, emitter: &mut Emitter) {
        let pending = Pending { envelope, request };
        if let Some(early) = self.early.remove(&Pair::of(&envelope)) {
            if early.is_of(&envelope) {
                return self.complete(pending, Some(early), emitter);
            }
            self.unasked(early, emitter);
        }
        if let Some(unanswered) = self.pending.insert(Pair::of(&envelope), pending) {
            self.complete(unanswered, None, emitter);
        }
        while let Some((_, oldest)) = self.pending.overflow() {
            emitter.weird_with(envelope.time, Weird::SmbTableFull, "requests".into());
            self.complete(oldest, None, emitter);
        }
    }

    /// A response was sent. Returns what of a file it brings.
    pub(crate) fn response(
        &mut self,
        envelope: Envelope,
        status: u32,
        response: Response,
        emitter: &mut Emitter,
    ) -> Option<Passage> {
        // An interim response: the final one has the same message id.
        if status == status::PENDING {
            return None;
        }
        let answer = Answer { envelope, status, response };
        if let Some(asked) = self.take_request(&answer, emitter) {
            let Request::Read(transfer) = asked.request else {
                self.complete(asked, Some(answer), emitter);
                return None;
            };
            let transfer = Transfer { bytes: answer.moved(), ..transfer };
            self.complete(asked, Some(answer), emitter);
            return self.passage(&transfer, Way::Read);
        }
        if let Some(earlier) = self.early.insert(Pair::of(&envelope), answer) {
            self.unasked(earlier, emitter);
        }
        while let Some((_, oldest)) = self.early.overflow() {
            self.unasked(oldest, emitter);
        }
        None
    }

    /// The request of a response will not come any more.
    fn unasked(&mut self, answer: Answer, emitter: &mut Emitter) {
        if let Some(asked) = Pending::behind(&answer) {
            self.complete(asked, Some(answer), emitter);
        }
    }

    /// The chain of an SMB 1 request was answered up to `step`: what follows was not carried out.
    pub(crate) fn chain_ended(&mut self, message: u64, step: u8, emitter: &mut Emitter) {
        let family = Family::Smb1;
        let later = |pair: &Pair, _: &Pending| {
            pair.family == family && pair.message == message && pair.step >= step
        };
        while let Some((_, pending)) = self.pending.remove_where(later) {
            self.complete(pending, None, emitter);
        }
    }

    /// A message of `session` was encrypted; the first one leaves a row.
    pub(crate) fn encrypted(&mut self, session: u64, time: Timestamp, emitter: &mut Emitter) {
        let known = self.session(session, time, emitter);
        if known.sealed.replace(time).is_some() {
            return;
        }
        let Identity { user, domain, workstation, target } = known.identity.clone();
        let row = SmbRecord {
            version: Some("3"),
            dialect: self.dialect.as_ref().map(|dialect| dialect.name.clone()),
            user,
            domain,
            workstation,
            ntlm_target: target,
            encrypted: Some(true),
            ..SmbRecord::empty()
        };
        write(time, row, emitter);
    }

    /// The flow is over: whatever still waits leaves its row.
    pub(crate) fn finish(&mut self, emitter: &mut Emitter) {
        for (_, early) in self.early.drain() {
            self.unasked(early, emitter);
        }
        for (_, pending) in self.pending.drain() {
            self.complete(pending, None, emitter);
        }
        for (key, file) in self.files.drain() {
            self.settle(key, file, Ending::Unseen, emitter);
        }
    }

    /// The request that a response answers.
    fn take_request(&mut self, answer: &Answer, emitter: &mut Emitter) -> Option<Pending> {
        let Some(pending) = self.pending.remove(&Pair::of(&answer.envelope)) else {
            // SMB 2 may answer SMB 1's negotiate (MS-SMB2 3.3.5.3.1).
            let Response::Negotiate(_) = answer.response else { return None };
            return self
                .pending
                .remove_where(|_, pending| matches!(pending.request, Request::Negotiate(_)))
                .map(|(_, pending)| pending);
        };
        if pending.envelope.command.code == answer.envelope.command.code {
            return Some(pending);
        }
        self.complete(pending, None, emitter);
        None
    }

    fn complete(&mut self, pending: Pending, answer: Option<Answer>, emitter: &mut Emitter) {
        let Pending { envelope, request } = pending;
        let answer = answer.as_ref();
        match request {
            Request::Negotiate(dialects) => {
                if let Some(Answer { response: Response::Negotiate(chosen), .. }) = answer {
                    self.dialect = Dialect::chosen(*chosen, &dialects);
                }
                let row = self.row(&envelope, answer);
                write(envelope.time, row, emitter);
            }
            Request::SessionSetup(identity) => {
                self.session_setup(&envelope, identity, answer, emitter);
            }
            Request::TreeConnect(share) => self.tree_connect(&envelope, share, answer, emitter),
            Request::Open { path, action, at_close } => {
                let asked = Asked { path, action, at_close };
                self.open(&envelope, asked, answer, emitter);
            }
            Request::Read(transfer) => {
                let moved = answer.and_then(Answer::moved);
                let file = self.opened(transfer.file, &envelope, emitter);
                Sum::add(&mut file.reads, &envelope, answer.map(|answer| answer.status), moved);
            }
            Request::Write(transfer, call) => {
                self.write(&envelope, transfer, call, answer, emitter);
            }
            Request::Resize(file, size) => {
                let key = self.resolve(file);
                if answer.is_none_or(Answer::succeeded)
                    && let Some(open) = key.and_then(|key| self.files.get_mut(&key))
                {
                    open.size = open.size.and(size);
                }
            }
            Request::Close(file) => self.close(&envelope, file, answer, emitter),
            Request::Rename { of, to } => self.rename(&envelope, of, to, answer, emitter),
            Request::Delete(of) => {
                let mut row = self.row(&envelope, answer);
                row.path = self.subject_path(of);
                row.action = Some(Action::Delete.name());
                write(envelope.time, row, emitter);
            }
            Request::Transceive { pipe, call } => {
                self.transceive(&envelope, pipe, call, answer, emitter);
            }
            Request::Query(path) => {
                let row = SmbRecord { path, ..self.row(&envelope, answer) };
                write(envelope.time, row, emitter);
            }
            Request::Bare => {
                let row = self.row(&envelope, answer);
                write(envelope.time, row, emitter);
            }
        }
    }

    fn session_setup(
        &mut self,
        envelope: &Envelope,
        identity: Identity,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        // The response to the first message gives the session its id.
        let id = answer.map_or(envelope.session, |answer| answer.envelope.session);
        let goes_on = answer.is_none_or(|answer| {
            answer.succeeded() || answer.status == status::MORE_PROCESSING_REQUIRED
        });
        let mut told = identity;
        if let Some(Answer { response: Response::SessionSetup(target), .. }) = answer {
            told.target.clone_from(target);
        }
        let session = self.session(id, envelope.time, emitter);
        session.identity.merge(told);
        let row = self.row(envelope, answer);
        if !goes_on {
            self.sessions.remove(&id);
        }
        write(envelope.time, row, emitter);
    }

    fn tree_connect(
        &mut self,
        envelope: &Envelope,
        share: Option<Text>,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let kind = match answer {
            Some(Answer { response: Response::TreeConnect(kind), .. }) => *kind,
            _ => None,
        };
        let row = SmbRecord { tree: share.clone(), share_type: kind, ..self.row(envelope, answer) };
        if let Some(answer) = answer
            && answer.succeeded()
        {
            let Envelope { command, session, tree, .. } = answer.envelope;
            let key = tree_key(command.family, session, tree);
            self.trees.insert(key, Tree { share, kind });
            while self.trees.overflow().is_some() {
                emitter.weird_with(envelope.time, Weird::SmbTableFull, "trees".into());
            }
        }
        write(envelope.time, row, emitter);
    }

    /// The session of that id, which may be new.
    fn session(&mut self, id: u64, time: Timestamp, emitter: &mut Emitter) -> &mut Session {
        if self.sessions.get(&id).is_none() {
            self.sessions.insert(id, Session::default());
            while self.sessions.overflow().is_some() {
                emitter.weird_with(time, Weird::SmbTableFull, "sessions".into());
            }
        }
        self.sessions.entry(id, Session::default)
    }

    /// A row of a transaction, with everything that does not depend on what was asked.
    fn row(&self, envelope: &Envelope, answer: Option<&Answer>) -> SmbRecord {
        let answered = answer.map_or(envelope, |answer| &answer.envelope);
        let session = match envelope.command.name {
            "session_setup" => answered.session,
            _ => envelope.session,
        };
        SmbRecord {
            command: Some(envelope.command.name),
            status: answer.map(|answer| status::name(answer.status)),
            signed: Some(envelope.signed || answered.signed),
            ..self.context(answered.command.family, session, envelope.tree)
        }
    }

    /// What is known of a session and a tree.
    fn context(&self, family: Family, session: u64, tree: u32) -> SmbRecord {
        let identity = self.sessions.get(&session).map(|session| session.identity.clone());
        let Identity { user, domain, workstation, target } = identity.unwrap_or_default();
        let tree = self.trees.get(&tree_key(family, session, tree));
        SmbRecord {
            version: Some(version(family, self.dialect.as_ref())),
            dialect: self.dialect.as_ref().map(|dialect| dialect.name.clone()),
            tree: tree.and_then(|tree| tree.share.clone()),
            share_type: tree.and_then(|tree| tree.kind),
            user,
            domain,
            workstation,
            ntlm_target: target,
            encrypted: Some(false),
            ..SmbRecord::empty()
        }
    }
}

/// SMB 1 counts its trees over all sessions.
const fn tree_key(family: Family, session: u64, tree: u32) -> (u64, u32) {
    match family {
        Family::Smb1 => (0, tree),
        Family::Smb2 => (session, tree),
    }
}

/// Writes a row; a name that reached its bound is a weird.
fn write(time: Timestamp, row: SmbRecord, emitter: &mut Emitter) {
    let names = [&row.path, &row.renamed_to, &row.tree, &row.user, &row.domain, &row.workstation];
    if names.into_iter().flatten().any(|name| name.as_bytes().len() >= SMB_NAME_BYTES) {
        emitter.weird(time, Weird::SmbNameTooLong);
    }
    emitter.record(time, row);
}
