//! The books' pages on open files: what is opened, read, written, renamed and closed, what passes
//! of its contents, and what is said to the program behind a pipe.

use super::{Ledger, tree_key, write};
use crate::emitter::Emitter;
use crate::protocols::smb::content::{Contents, Hashed, Passage, Taken, Way};
use crate::protocols::smb::dcerpc::Call;
use crate::protocols::smb::entry::Answer;
use crate::protocols::smb::open_file::{OpenFile, Sum};
use crate::protocols::smb::operations;
use crate::protocols::smb::record::SmbRecord;
use crate::protocols::smb::status;
use crate::protocols::smb::transaction::{
    Action, AtClose, Envelope, FileKey, Response, Subject, Transfer,
};
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

impl Ledger {
    /// What a transfer brings of a file whose contents can be told.
    pub(crate) fn passage(&self, transfer: &Transfer, way: Way) -> Option<Passage> {
        self.contents.as_ref()?;
        let (offset, bytes) = (transfer.offset?, transfer.bytes?);
        let file = self.resolve(transfer.file)?;
        let open = self.files.get(&file)?;
        let tree = self.trees.get(&tree_key(open.family, open.session, open.tree));
        let is_pipe = tree.is_some_and(|tree| tree.kind.is_some_and(|kind| kind != "disk"));
        (open.size.is_some() && !is_pipe && bytes > 0).then_some(Passage {
            file,
            way,
            offset,
            bytes,
        })
    }

    /// Bytes are missing, and with them perhaps the ends of files that are being written.
    pub(crate) fn lost_sight(&mut self) {
        for file in self.contents.iter_mut().flat_map(Contents::forget_written) {
            if let Some(open) = self.files.get_mut(&file) {
                open.size = None;
            }
        }
    }

    /// Bytes of a file pass.
    pub(crate) fn pass(
        &mut self,
        passage: &Passage,
        piece: &[u8],
        time: Timestamp,
        emitter: &mut Emitter,
    ) {
        let Some(contents) = &mut self.contents else { return };
        let Some(open) = self.files.get_mut(&passage.file) else { return };
        match contents.take(passage, piece) {
            Taken::In if passage.way == Way::Written => {
                let end = passage.offset.saturating_add(passage.bytes);
                open.size = open.size.map(|size| size.max(end));
            }
            Taken::In => {}
            Taken::Spoiled => open.size = None,
            Taken::Full => {
                open.size = None;
                emitter.weird_with(time, Weird::SmbTableFull, "contents".into());
            }
        }
    }

    pub(super) fn open(
        &mut self,
        envelope: &Envelope,
        asked: Asked,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let Asked { path, action, at_close } = asked;
        let (id, done, size) = match answer {
            Some(Answer { response: Response::Open { file, action, size }, .. }) => {
                (*file, *action, *size)
            }
            _ => (None, None, None),
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
        let file = OpenFile { path, at_close, size, ..OpenFile::unseen(envelope) };
        if let Some(earlier) = self.files.insert(key, file) {
            self.settle(key, earlier, Ending::Unseen, emitter);
        }
        self.shed_files(envelope.time, emitter);
    }

    pub(super) fn close(
        &mut self,
        envelope: &Envelope,
        file: FileKey,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let mut row = self.row(envelope, answer);
        let key = self.resolve(file);
        let open = key.and_then(|key| Some((key, self.files.remove(&key)?)));
        match open {
            Some((key, open)) => {
                row.path.clone_from(&open.path);
                row.pipe_service = open.service().cloned();
                let closed = answer.is_none_or(Answer::succeeded);
                if open.at_close == AtClose::Delete && closed {
                    row.action = Some(Action::Delete.name());
                }
                if let Some((sha256, mime)) = self.settle(key, open, Ending::Closed, emitter) {
                    (row.sha256, row.mime) = (Some(sha256), mime);
                }
            }
            // The compound's create failed: there was nothing to close.
            None if matches!(file, FileKey::OpenedBy(_)) => return,
            None => {}
        }
        write(envelope.time, row, emitter);
    }

    pub(super) fn write(
        &mut self,
        envelope: &Envelope,
        transfer: Transfer,
        call: Option<Call>,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let asked = transfer.bytes;
        let moved = if answer.is_some() { answer.and_then(Answer::moved) } else { asked };
        let file = self.opened(transfer.file, envelope, emitter);
        file.hear(call.as_ref());
        // What passed is not what stands in the file now.
        if moved != asked {
            file.size = None;
        }
        Sum::add(&mut file.writes, envelope, answer.map(|answer| answer.status), moved);
        // A call is worth a row of its own; the bytes count in the sum alone.
        if let Some(Call::Request { .. }) = call {
            let (path, service) = (file.path.clone(), file.service().cloned());
            let row = SmbRecord { path, ..called(self.row(envelope, answer), service, call) };
            write(envelope.time, row, emitter);
        }
    }

    pub(super) fn rename(
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

    pub(super) fn transceive(
        &mut self,
        envelope: &Envelope,
        pipe: Subject,
        call: Option<Call>,
        answer: Option<&Answer>,
        emitter: &mut Emitter,
    ) {
        let (path, service) = match pipe {
            Subject::Path(path) => {
                let mut unseen = OpenFile::unseen(envelope);
                unseen.hear(call.as_ref());
                (path, unseen.service().cloned())
            }
            Subject::File(file) => {
                let open = self.opened(file, envelope, emitter);
                open.hear(call.as_ref());
                (open.path.clone(), open.service().cloned())
            }
        };
        let row = SmbRecord { path, ..called(self.row(envelope, answer), service, call) };
        write(envelope.time, row, emitter);
    }

    /// The key under which an open file stands.
    pub(super) fn resolve(&self, file: FileKey) -> Option<FileKey> {
        match file {
            FileKey::OpenedBy(message) => {
                self.files.key_where(|open| open.opened_by == Some(message))
            }
            FileKey::Id(_) | FileKey::Unseen => Some(file),
        }
    }

    /// The open file of that name; one whose opening was not seen starts here.
    pub(super) fn opened(
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

    pub(super) fn subject_path(&self, of: Subject) -> Option<Text> {
        match of {
            Subject::Path(path) => path,
            Subject::File(file) => {
                let key = self.resolve(file)?;
                self.files.get(&key).and_then(|open| open.path.clone())
            }
        }
    }

    fn shed_files(&mut self, time: Timestamp, emitter: &mut Emitter) {
        while let Some((key, file)) = self.files.overflow() {
            emitter.weird_with(time, Weird::SmbTableFull, "open files".into());
            self.settle(key, file, Ending::Unseen, emitter);
        }
    }

    /// Writes what was read from and written to a file; returns the hash of what it holds.
    pub(super) fn settle(
        &mut self,
        key: FileKey,
        file: OpenFile,
        ending: Ending,
        emitter: &mut Emitter,
    ) -> Option<Hashed> {
        let mut hash = |way| {
            let hashed = self.contents.as_mut()?.whole(key, way, file.size);
            // More might have been written, had the flow gone on; a file that was written to is not
            // the one that was read before.
            let told = match way {
                Way::Read => file.writes.is_none(),
                Way::Written => ending == Ending::Closed,
            };
            hashed.filter(|_| told)
        };
        let (read, written) = (hash(Way::Read), hash(Way::Written));
        let sums = [
            ("read", Action::Read, &file.reads, &read),
            ("write", Action::Write, &file.writes, &written),
        ];
        for (command, action, sum, hashed) in sums {
            let Some(sum) = sum else { continue };
            let row = SmbRecord {
                command: Some(command),
                status: sum.status.map(status::name),
                path: file.path.clone(),
                action: Some(action.name()),
                bytes: sum.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
                signed: Some(sum.signed),
                pipe_service: file.service().cloned(),
                sha256: hashed.as_ref().map(|(sha256, _)| sha256.clone()),
                mime: hashed.as_ref().and_then(|(_, mime)| *mime),
                ..self.context(file.family, file.session, file.tree)
            };
            write(sum.first, row, emitter);
        }
        written.or(read)
    }
}

/// What an open asks for.
pub(super) struct Asked {
    pub(super) path: Option<Text>,
    pub(super) action: Option<Action>,
    pub(super) at_close: AtClose,
}

/// How an open file is left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was closed.
    Closed,
    /// Its place was needed, or the flow is over.
    Unseen,
}

/// A row with what it calls of the program behind a pipe.
fn called(row: SmbRecord, service: Option<Text>, call: Option<Call>) -> SmbRecord {
    let opnum = match call {
        Some(Call::Request { opnum, .. }) => Some(opnum),
        _ => None,
    };
    let interface = service.as_ref().map_or(&b""[..], Text::as_bytes);
    SmbRecord {
        operation: opnum.and_then(|opnum| operations::name(interface, opnum)),
        opnum: opnum.map(i32::from),
        pipe_service: service,
        ..row
    }
}
