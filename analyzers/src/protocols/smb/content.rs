//! Contents of files that pass: put in order, hashed, and told when they are whole.
//!
//! In: pieces of a file with their offsets, as reads and writes bring them. Out: SHA-256 and media
//! type of a file that was seen from its first byte to its last. Blocks may come out of order, up
//! to [`SMB_HELD_BYTES`] a flow; what was read twice counts once; a file that was written twice in
//! one place is not what passed, and has no hash.

use super::transaction::FileKey;
use crate::digest::Digest;
use crate::limits::{SMB_HASHED_FILES, SMB_HELD_BYTES};

/// Which way a content goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the server.
    Read,
    /// To the server.
    Written,
}

/// Bytes of a file that a message is about to bring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) file: FileKey,
    pub(super) way: Way,
    /// Where in the file they belong.
    pub(super) offset: u64,
    /// How many.
    pub(super) bytes: u64,
}

/// Bytes of a file, on their way in the message that is passing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) passage: Passage,
    /// Bytes of the message before them.
    pub(super) before: usize,
}

impl Content {
    /// Takes bytes of the message; returns those that are the file's, and what is still to come.
    pub(super) fn split(mut self, bytes: &[u8]) -> (Passage, &[u8], Option<Self>) {
        let rest = bytes.get(self.before..).unwrap_or_default();
        let wanted = usize::try_from(self.passage.bytes).unwrap_or(usize::MAX);
        let piece = rest.get(..wanted).unwrap_or(rest);
        let now = self.passage;
        let passed = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.before = self.before.saturating_sub(bytes.len());
        self.passage.offset = self.passage.offset.saturating_add(passed);
        self.passage.bytes = self.passage.bytes.saturating_sub(passed);
        (now, piece, (self.passage.bytes > 0).then_some(self))
    }
}

/// A hash and a media type.
pub(super) type Hashed = (String, Option<&'static str>);

/// One file on its way.
#[derive(Debug)]
struct Body {
    file: FileKey,
    way: Way,
    /// The first byte that was not hashed.
    next: u64,
    digest: Digest,
    /// Pieces behind `next`, by their offsets.
    held: Vec<(u64, Vec<u8>)>,
}

impl Body {
    /// Hashes a piece that begins at or before `next`.
    fn take(&mut self, offset: u64, piece: &[u8]) {
        let known = usize::try_from(self.next.saturating_sub(offset)).unwrap_or(usize::MAX);
        let new = piece.get(known..).unwrap_or_default();
        self.digest.update(new);
        self.next = self.next.saturating_add(length(new));
    }

    /// Hashes what is held and has its turn; returns how many bytes that frees.
    fn drain(&mut self) -> usize {
        let mut freed = 0_usize;
        while let Some(at) = self.held.iter().position(|(offset, _)| *offset <= self.next) {
            let (offset, piece) = self.held.remove(at);
            freed = freed.saturating_add(piece.len());
            self.take(offset, &piece);
        }
        freed
    }

    fn held_bytes(&self) -> usize {
        self.held.iter().map(|(_, piece)| piece.len()).sum()
    }
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It counts.
    In,
    /// It was written where something stood already: the file gets no hash.
    Spoiled,
    /// A bound was reached: the file gets no hash.
    Full,
}

/// The files of a flow that are being hashed.
#[derive(Debug, Default)]
pub(super) struct Contents {
    bodies: Vec<Body>,
    held_bytes: usize,
}

impl Contents {
    /// Takes the next bytes of a passage.
    pub(super) fn take(&mut self, passage: &Passage, piece: &[u8]) -> Taken {
        let Passage { file, way, offset, .. } = *passage;
        let at = self.bodies.iter().position(|body| body.file == file && body.way == way);
        let at = match at {
            Some(at) => at,
            None if self.bodies.len() >= SMB_HASHED_FILES => return Taken::Full,
            None => {
                let digest = Digest::default();
                self.bodies.push(Body { file, way, next: 0, digest, held: Vec::new() });
                self.bodies.len().saturating_sub(1)
            }
        };
        let Some(body) = self.bodies.get_mut(at) else { return Taken::Full };
        if offset <= body.next {
            if way == Way::Written && offset < body.next {
                self.forget(file);
                return Taken::Spoiled;
            }
            body.take(offset, piece);
            if !body.held.is_empty() {
                self.held_bytes = self.held_bytes.saturating_sub(body.drain());
            }
            return Taken::In;
        }
        if self.held_bytes.saturating_add(piece.len()) > SMB_HELD_BYTES {
            self.forget(file);
            return Taken::Full;
        }
        self.held_bytes = self.held_bytes.saturating_add(piece.len());
        let end = |(start, piece): &(u64, Vec<u8>)| start.saturating_add(length(piece));
        match body.held.iter_mut().find(|held| end(held) == offset) {
            Some((_, held)) => held.extend_from_slice(piece),
            None => body.held.push((offset, piece.to_vec())),
        }
        Taken::In
    }

    /// The hash of a file that passed that way, if all its `size` bytes did. It starts anew.
    pub(super) fn whole(&mut self, file: FileKey, way: Way, size: Option<u64>) -> Option<Hashed> {
        let at = self.bodies.iter().position(|body| body.file == file && body.way == way)?;
        let body = self.bodies.remove(at);
        self.held_bytes = self.held_bytes.saturating_sub(body.held_bytes());
        (size == Some(body.next) && body.next > 0 && body.held.is_empty())
            .then(|| body.digest.finish())
    }

    /// Forgets the files that are being written; returns them.
    pub(super) fn forget_written(&mut self) -> Vec<FileKey> {
        let written = self.bodies.iter().filter(|body| body.way == Way::Written);
        let files: Vec<FileKey> = written.map(|body| body.file).collect();
        files.iter().for_each(|file| self.forget(*file));
        files
    }

    /// What passed of a file is not what it holds: its hash would name nothing.
    pub(super) fn forget(&mut self, file: FileKey) {
        self.bodies.retain(|body| body.file != file);
        self.held_bytes = self.bodies.iter().map(Body::held_bytes).sum();
    }
}

fn length(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
