//! Bodies: counted, and for responses decoded, hashed and sniffed while they pass.
//!
//! In: the body's bytes in pieces, after transfer decoding. Out: a [`BodySummary`]. Nothing of a
//! body is kept but its first [`FILE_SNIFF_BYTES`](crate::limits::FILE_SNIFF_BYTES); coded bodies
//! hold their decoders' windows besides.

mod coding;
#[cfg(test)]
mod tests;

pub(super) use self::coding::Coding;
use self::coding::{Layer, Trouble};
use crate::emitter::Emitter;
use crate::protocol::FileHashing;
use crate::time::Timestamp;
use crate::weird::Weird;

/// What is kept of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BodySummary {
    /// Bytes after transfer decoding.
    pub(super) bytes: u64,
    /// SHA-256 in hex of the whole decoded body.
    pub(super) sha256: Option<String>,
    /// Type of the whole decoded body by its first bytes.
    pub(super) mime: Option<&'static str>,
}

/// Whether a body came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its framing says so.
    Complete,
    /// It was left before its end.
    Cut,
}

/// What becomes of a body's bytes beside being counted.
enum Interest {
    /// Nothing.
    None,
    /// They are to be hashed, once there are any.
    Awaited(Vec<Coding>),
    /// They are being hashed.
    Hashing(Box<dyn Layer>),
}

/// A body that is passing.
pub(super) struct Body {
    bytes: u64,
    interest: Interest,
    trouble: Option<Trouble>,
}

impl Default for Body {
    fn default() -> Self {
        Self::counted()
    }
}

impl Body {
    /// A body that is only counted.
    pub(super) const fn counted() -> Self {
        Self { bytes: 0, interest: Interest::None, trouble: None }
    }

    /// A body that is decoded and hashed when that is on.
    pub(super) fn hashed(hashing: FileHashing, codings: &[Coding]) -> Self {
        let interest = match hashing {
            FileHashing::On => Interest::Awaited(codings.to_vec()),
            FileHashing::Off => Interest::None,
        };
        Self { bytes: 0, interest, trouble: None }
    }

    /// Whether none of it was seen yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Takes its next bytes.
    pub(super) fn write(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if piece.is_empty() {
            return;
        }
        if let Interest::Awaited(codings) = &self.interest {
            match coding::layers(codings) {
                Ok(layers) => self.interest = Interest::Hashing(layers),
                Err(trouble) => self.give_up(trouble),
            }
        }
        if let Interest::Hashing(layers) = &mut self.interest {
            layers.allow(u64::MAX, coding::allowance(self.bytes));
            if let Err(error) = layers.write_all(piece) {
                self.give_up(Trouble::from(error));
            }
        }
    }

    /// Learns that bytes of it are missing: they count, but the rest cannot be hashed.
    pub(super) fn miss(&mut self, missing: u64) {
        self.bytes = self.bytes.saturating_add(missing);
        self.interest = Interest::None;
    }

    fn give_up(&mut self, trouble: Trouble) {
        self.interest = Interest::None;
        self.trouble = Some(trouble);
    }

    /// Says what is known of it at its end, and leaves an empty body behind.
    pub(super) fn end(
        &mut self,
        ending: Ending,
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> BodySummary {
        let body = std::mem::take(self);
        let mut summary = BodySummary { bytes: body.bytes, sha256: None, mime: None };
        let mut trouble = body.trouble;
        if let (Interest::Hashing(layers), Ending::Complete) = (body.interest, ending) {
            match layers.finish() {
                Ok(digest) => {
                    let (sha256, mime) = digest.finish();
                    (summary.sha256, summary.mime) = (Some(sha256), mime);
                }
                Err(error) => trouble = Some(Trouble::from(error)),
            }
        }
        match trouble {
            Some(Trouble::Undecodable) => emitter.weird(now, Weird::HttpContentUndecodable),
            Some(Trouble::Bomb) => emitter.weird(now, Weird::HttpContentBomb),
            None => {}
        }
        summary
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
