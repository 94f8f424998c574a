//! Frame headers, and what stands around the fragment in frames that carry header blocks. RFC 9113
//! sections 4.1 and 6.

use crate::malformed::Malformed;
use crate::reader::Reader;

/// Bytes of a frame's header.
pub(super) const HEADER_BYTES: usize = 9;

/// The kinds of frame that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Data,
    Headers,
    RstStream,
    PushPromise,
    Continuation,
    /// PRIORITY, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, and those that are not known.
    Other,
}

/// A frame's flags; which bit means what depends on its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// The sender's part of the stream ends here (DATA, HEADERS).
    pub(super) const fn end_stream(self) -> bool {
        self.0 & 0x1 != 0
    }

    /// The header block ends here.
    pub(super) const fn end_headers(self) -> bool {
        self.0 & 0x4 != 0
    }

    /// Padding follows the payload, its length before it.
    pub(super) const fn padded(self) -> bool {
        self.0 & 0x8 != 0
    }

    /// Priority fields precede the fragment (HEADERS).
    const fn priority(self) -> bool {
        self.0 & 0x20 != 0
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Bytes of the payload.
    pub(super) length: usize,
    pub(super) kind: FrameKind,
    pub(super) flags: Flags,
    pub(super) stream: u32,
}

impl FrameHeader {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = usize::try_from(r.u24("frame length")?).unwrap_or(usize::MAX);
        let kind = match r.u8("frame type")? {
            0 => FrameKind::Data,
            1 => FrameKind::Headers,
            3 => FrameKind::RstStream,
            5 => FrameKind::PushPromise,
            9 => FrameKind::Continuation,
            _ => FrameKind::Other,
        };
        let flags = Flags(r.u8("frame flags")?);
        let stream = stream_id(r)?;
        Ok(Self { length, kind, flags, stream })
    }

    /// The stream whose fields a payload carries, and the fragment of its header block.
    pub(super) fn fragment<'a>(&self, payload: &'a [u8]) -> Result<(u32, &'a [u8]), Malformed> {
        let mut r = Reader::new(payload);
        if self.kind == FrameKind::Continuation {
            return Ok((self.stream, payload));
        }
        let padding = match self.flags.padded() {
            true => usize::from(r.u8("pad length")?),
            false => 0,
        };
        let stream = match self.kind {
            FrameKind::PushPromise => stream_id(&mut r)?,
            _ => self.stream,
        };
        if self.kind == FrameKind::Headers && self.flags.priority() {
            r.skip(5, "priority")?;
        }
        let length = r
            .remaining()
            .checked_sub(padding)
            .ok_or(Malformed::bad_length("pad length", HEADER_BYTES))?;
        Ok((stream, r.take(length, "fragment")?))
    }
}

/// A stream's number; the bit before it is reserved.
fn stream_id(r: &mut Reader<'_>) -> Result<u32, Malformed> {
    Ok(r.u32("stream")? & 0x7fff_ffff)
}
