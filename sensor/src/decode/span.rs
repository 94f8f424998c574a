//! The bytes of one layer: what the capture holds of them, and how many there were on the wire.
//!
//! In: a frame, or a datagram put together from fragments. Out: headers as arrays, and the bytes
//! after them. A header that is too short says whether the sender or the capture made it so.

use super::SkipReason;

/// Bytes from some header on. Copying it is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    /// What the capture holds; never more than `wire` bytes.
    held: &'a [u8],
    /// Offset of the first byte from where the frame or datagram begins.
    at: usize,
    /// Bytes that there were on the wire.
    wire: usize,
}

/// Who made a header shorter than it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Short {
    /// The sender: the layer around it has no room for it.
    Wire,
    /// The capture: the snap length cut it.
    Capture,
}

impl Short {
    /// The reason for which a packet is skipped: one for each culprit.
    pub(super) const fn reason(self, malformed: SkipReason, cut: SkipReason) -> SkipReason {
        match self {
            Self::Wire => malformed,
            Self::Capture => cut,
        }
    }
}

impl<'a> Span<'a> {
    /// A whole frame or datagram. Captures that claim to hold more than the wire had are believed
    /// in what they hold.
    pub(super) fn new(held: &'a [u8], wire: usize) -> Self {
        Self { held, at: 0, wire: wire.max(held.len()) }
    }

    /// What the capture holds.
    pub(super) const fn held(&self) -> &'a [u8] {
        self.held
    }

    /// Offset of the first byte from where the frame or datagram begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Bytes that there were on the wire.
    pub(super) const fn wire(&self) -> usize {
        self.wire
    }

    /// Whether the capture holds fewer bytes than there were.
    pub(super) const fn is_cut(&self) -> bool {
        self.held.len() < self.wire
    }

    /// The first `N` bytes and what follows them.
    pub(super) fn header<const N: usize>(&self) -> Result<(&'a [u8; N], Self), Short> {
        let (header, held) = self.held.split_first_chunk().ok_or_else(|| self.short(N))?;
        let (at, wire) = (self.at.saturating_add(N), self.wire.saturating_sub(N));
        Ok((header, Self { held, at, wire }))
    }

    /// What follows the first `len` bytes, all of which the capture must hold.
    pub(super) fn skip(&self, len: usize) -> Result<Self, Short> {
        let held = self.held.get(len..).ok_or_else(|| self.short(len))?;
        Ok(Self { held, at: self.at.saturating_add(len), wire: self.wire.saturating_sub(len) })
    }

    /// What follows the first `len` bytes, whether or not the capture holds them.
    pub(super) fn skip_lax(&self, len: usize) -> Self {
        let held = self.held.get(len..).unwrap_or_default();
        Self { held, at: self.at.saturating_add(len), wire: self.wire.saturating_sub(len) }
    }

    /// The same bytes, of which a length field says that there were `wire` on the wire. That may be
    /// more than the layer around holds; the rest then counts as not captured.
    pub(super) fn of_length(&self, wire: usize) -> Self {
        let held = self.held.get(..wire).unwrap_or(self.held);
        Self { held, at: self.at, wire }
    }

    /// At most the first `wire` bytes.
    pub(super) fn at_most(&self, wire: usize) -> Self {
        self.of_length(wire.min(self.wire))
    }

    /// Who is to blame that `len` bytes are not there.
    pub(super) const fn short(&self, len: usize) -> Short {
        if self.wire < len { Short::Wire } else { Short::Capture }
    }
}
