//! Handshake messages out of the bytes of one direction (RFC 8446 §4): a message may fill many
//! records or CRYPTO frames, and one of those may hold many messages.
//!
//! Only the three kinds that records are made of are kept; all others are passed over by their
//! length.

use crate::limits;
use crate::reader::Reader;

/// Kinds of handshake messages that somebody here looks at.
pub(crate) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    /// A message of its own in the drafts of TLS 1.3.
    pub(crate) const DRAFT_RETRY: u8 = 6;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
}

/// Whether all of a message's body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// To its last byte.
    Whole,
    /// It is longer than [`limits::TLS_MESSAGE_BYTES`].
    TooLong,
    /// The capture ends inside it.
    Cut,
}

/// One handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Its kind.
    pub(crate) kind: u8,
    /// Its body; empty for kinds that nobody reads.
    pub(crate) body: &'a [u8],
    /// Whether that is all of it.
    pub(crate) extent: Extent,
}

/// Whether the body of a kind is kept.
pub(crate) const fn is_read(kind: u8) -> bool {
    matches!(kind, kind::CLIENT_HELLO | kind::SERVER_HELLO | kind::CERTIFICATE)
}

/// Cuts the bytes of one direction into messages.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// Bytes that are not cut yet.
    bytes: Vec<u8>,
    /// Where in them the next message starts.
    at: usize,
    /// Bytes that are still to be passed over before it.
    skip: usize,
}

impl Messages {
    /// Adds bytes behind those that were added before.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at.min(self.bytes.len()));
        self.at = 0;
        let skipped = self.skip.min(bytes.len());
        self.skip = self.skip.saturating_sub(skipped);
        self.bytes.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Option<Message<'_>> {
        let mut r = Reader::new(self.bytes.get(self.at..)?);
        let kind = r.u8("message kind").ok()?;
        let declared = usize::try_from(r.u24("message length").ok()?).ok()?;
        let wanted = if is_read(kind) { declared.min(limits::TLS_MESSAGE_BYTES) } else { 0 };
        let body = r.take(wanted, "message").ok()?;
        let passed_over = r.sub_lax(declared.saturating_sub(wanted)).remaining();
        self.skip = declared.saturating_sub(wanted).saturating_sub(passed_over);
        self.at = self.at.saturating_add(r.offset());
        let too_long = is_read(kind) && wanted < declared;
        Some(Message { kind, body, extent: if too_long { Extent::TooLong } else { Extent::Whole } })
    }

    /// The message that has begun and will not go on.
    pub(crate) fn unfinished(&self) -> Option<Message<'_>> {
        let mut r = Reader::new(self.bytes.get(self.at..)?);
        let kind = r.u8("message kind").ok()?;
        r.u24("message length").ok()?;
        is_read(kind).then_some(Message { kind, body: r.rest(), extent: Extent::Cut })
    }

    /// Forgets everything: what follows is the start of a message.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
