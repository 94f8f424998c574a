//! The books of one flow: requests that wait for their responses, sessions, trees and open files.
//!
//! In: requests and responses in the words of [`transaction`](super::transaction). Out: rows. A
//! request leaves its row when its response comes, when a newer request needs its place, or when
//! the flow ends; so a capture of one side alone gives rows too. Reads and writes leave one row
//! each per open file. MS-SMB2 3.2.5.1 and 3.3.5.2 say what identifies what.

use super::credentials::Identity;
use super::dialect::{Dialect, version};
use super::entry::{Answer, Pair, Pending, Session, Tree};
use super::open_file::{OpenFile, Sum};
use super::record::SmbRecord;
use super::status;
use super::table::{Bounds, Table};
use super::transaction::{Action, AtClose, Envelope, Family, FileKey, Request, Response, Subject};
use crate::emitter::Emitter;
use crate::limits::{
    SMB_EARLY, SMB_FILE_TEXT_BYTES, SMB_NAME_BYTES, SMB_OPEN_FILES, SMB_PENDING,
    SMB_PENDING_TEXT_BYTES, SMB_SESSION_TEXT_BYTES, SMB_SESSIONS, SMB_TREE_TEXT_BYTES, SMB_TREES,
};
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// The books.
#[derive(Debug)]
pub(super) struct Ledger {
    dialect: Option<Dialect>,
    pending: Table<Pair, Pending>,
    /// Responses that came before their requests, as a capture of two taps may show them.
    early: Table<Pair, Answer>,
    sessions: Table<u64, Session>,
    /// By session and tree id; SMB 1 counts its trees over all sessions, which is session 0 here.
    trees: Table<(u64, u32), Tree>,
    files: Table<FileKey, OpenFile>,
}

impl Ledger {
    pub(super) const fn new() -> Self {
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
        }
    }

    /// A request was sent.
    pub(super) fn request(&mut self, envelope: Envelope, request: Request, emitter: &mut Emitter) {
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

    /// A response was sent.
    pub(super) fn response(
        &mut self,
        envelope: Envelope,
        status: u32,
        response: Response,
        emitter: &mut Emitter,
    ) {
        // An interim response: the final one has the same message id.
        if status == status::PENDING {
            return;
        }
        let answer = Answer { envelope, status, response };
        if let Some(asked) = self.take_request(&answer, emitter) {
            return self.complete(asked, Some(answer), emitter);
        }
        if let Some(earlier) = self.early.insert(Pair::of(&envelope), answer) {
            self.unasked(earlier, emitter);
        }
        while let Some((_, oldest)) = self.early.overflow() {
            self.unasked(oldest, emitter);
        }
    }

    /// The request of a response will not come any more.
    fn unasked(&mut self, answer: Answer, emitter: &mut Emitter) {
        if let Some(asked) = Pending::behind(&answer) {
            self.complete(asked, Some(answer), emitter);
        }
    }

    /// The chain of an SMB 1 request was answered up to `step`: what follows was not carried out.
    pub(super) fn chain_ended(&mut self, message: u64, step: u8, emitter: &mut Emitter) {
        let family = Family::Smb1;
        let later = |pair: &Pair, _: &Pending| {
            pair.family == family && pair.message == message && pair.step >= step
        };
        while let Some((_, pending)) = self.pending.remove_where(later) {
            self.complete(pending, None, emitter);
        }
    }

    /// A message of `session` was encrypted; the first one leaves a row.
    pub(super) fn encrypted(&mut self, session: u64, time: Timestamp, emitter: &mut Emitter) {
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
    pub(super) fn finish(&mut self, emitter: &mut Emitter) {
        for (_, early) in self.early.drain() {
            self.unasked(early, emitter);
        }
        for (_, pending) in self.pending.drain() {
            self.complete(pending, None, emitter);
        }
        for (_, file) in self.files.drain() {
            self.settle(file, emitter);
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
            Request::Read(file) => {
                let moved = answer.and_then(Answer::moved);
                let file = self.opened(file, &envelope, emitter);
                Sum::add(&mut file.reads, &envelope, answer.map(|answer| answer.status), moved);
            }
            Request::Write { file, bytes, service } => {
                let moved = if answer.is_some() { answer.and_then(Answer::moved) } else { bytes };
                let file = self.opened(file, &envelope, emitter);
                file.bind(service);
                Sum::add(&mut file.writes, &envelope, answer.map(|answer| answer.status), moved);
            }
            Request::Close(file) => self.close(&envelope, file, answer, emitter),
            Request::Rename { of, to } => self.rename(&envelope, of, to, answer, emitter),
            Request::Delete(of) => {
                let mut row = self.row(&envelope, answer);
                row.path = self.subject_path(of);
                row.action = Some(Action::Delete.name());
                write(envelope.time, row, emitter);
            }
            Request::Transceive { pipe, service } => {
                self.transceive(&envelope, pipe, service, answer, emitter);
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

    fn open(
        &mut self,
        envelope: &Envelope,
        asked: Asked,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let Asked { path, action, at_close } = asked;
        let (id, done) = match answer {
            Some(Answer { response: Response::Open { file, action }, .. }) => (*file, *action),
            _ => (None, None),
        };
        let mut row = self.row(envelope, answer);
        row.path.clone_from(&path);
        row.action = done.or(action).map(Action::name);
        write(envelope.time, row, emitter);
        let key = match (id, answer) {
            (Some(id), _) => FileKey::Id(id),
            (None, None) => FileKey::OpenedBy(envelope.message),
            (None, Some(_)) => return,
        };
        let file = OpenFile { path, at_close, ..OpenFile::unseen(envelope) };
        if let Some(earlier) = self.files.insert(key, file) {
            self.settle(earlier, emitter);
        }
        self.shed_files(envelope.time, emitter);
    }

    fn close(
        &mut self,
        envelope: &Envelope,
        file: FileKey,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let mut row = self.row(envelope, answer);
        let open = self.resolve(file).and_then(|key| self.files.remove(&key));
        match open {
            Some(open) => {
                row.path.clone_from(&open.path);
                row.pipe_service.clone_from(&open.service);
                let closed = answer.is_none_or(Answer::succeeded);
                if open.at_close == AtClose::Delete && closed {
                    row.action = Some(Action::Delete.name());
                }
                self.settle(open, emitter);
            }
            // The compound's create failed: there was nothing to close.
            None if matches!(file, FileKey::OpenedBy(_)) => return,
            None => {}
        }
        write(envelope.time, row, emitter);
    }

    fn rename(
        &mut self,
        envelope: &Envelope,
        of: Subject,
        to: Option<Text>,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let mut row = self.row(envelope, answer);
        row.action = Some(Action::Rename.name());
        row.renamed_to.clone_from(&to);
        if let Subject::File(file) = of
            && answer.is_none_or(Answer::succeeded)
            && let Some(open) = self.resolve(file).and_then(|key| self.files.get_mut(&key))
        {
            row.path = std::mem::replace(&mut open.path, to);
        } else {
            row.path = self.subject_path(of);
        }
        write(envelope.time, row, emitter);
    }

    fn transceive(
        &mut self,
        envelope: &Envelope,
        pipe: Subject,
        service: Option<Text>,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let mut row = self.row(envelope, answer);
        match pipe {
            Subject::Path(path) => (row.path, row.pipe_service) = (path, service),
            Subject::File(file) => {
                let open = self.opened(file, envelope, emitter);
                open.bind(service);
                row.path.clone_from(&open.path);
                row.pipe_service.clone_from(&open.service);
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

    /// The key under which an open file stands.
    fn resolve(&self, file: FileKey) -> Option<FileKey> {
        match file {
            FileKey::OpenedBy(message) => {
                self.files.key_where(|open| open.opened_by == Some(message))
            }
            FileKey::Id(_) | FileKey::Unseen => Some(file),
        }
    }

    /// The open file of that name; one whose opening was not seen starts here.
    fn opened(
        &mut self,
        file: FileKey,
        envelope: &Envelope,
        emitter: &mut Emitter,
    ) -> &mut OpenFile {
        let key = self.resolve(file).unwrap_or(file);
        if self.files.get(&key).is_none() {
            self.files.insert(key, OpenFile::unseen(envelope));
            self.shed_files(envelope.time, emitter);
        }
        self.files.entry(key, || OpenFile::unseen(envelope))
    }

    fn subject_path(&self, of: Subject) -> Option<Text> {
        match of {
            Subject::Path(path) => path,
            Subject::File(file) => {
                let key = self.resolve(file)?;
                self.files.get(&key).and_then(|open| open.path.clone())
            }
        }
    }

    fn shed_files(&mut self, time: Timestamp, emitter: &mut Emitter) {
        while let Some((_, file)) = self.files.overflow() {
            emitter.weird_with(time, Weird::SmbTableFull, "open files".into());
            self.settle(file, emitter);
        }
    }

    /// Writes what was read from and written to a file.
    fn settle(&self, file: OpenFile, emitter: &mut Emitter) {
        let sums = [("read", Action::Read, &file.reads), ("write", Action::Write, &file.writes)];
        for (command, action, sum) in sums {
            let Some(sum) = sum else { continue };
            let row = SmbRecord {
                command: Some(command),
                status: sum.status.map(status::name),
                path: file.path.clone(),
                action: Some(action.name()),
                bytes: sum.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
                signed: Some(sum.signed),
                pipe_service: file.service.clone(),
                ..self.context(file.family, file.session, file.tree)
            };
            write(sum.first, row, emitter);
        }
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

/// What an open asks for.
struct Asked {
    path: Option<Text>,
    action: Option<Action>,
    at_close: AtClose,
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
