//! The two streams of a TCP flow: payload and acknowledgements in, bytes and gaps for the session
//! out.
//!
//! Memory of a direction: what its [`Assembler`] holds behind a hole, its
//! [`Doubtful`](crate::stream::Doubtful) segments, and the newest bytes that were handed on.

use analyzers::{Direction, Emitter, PerDirection, Timestamp, Weird};

use super::tcp::Tcp;
use crate::session::Session;
use crate::stream::{Assembler, Doubtful, Kept, Oddities, Piece};

/// What a TCP flow keeps beside its counters.
#[derive(Default)]
pub(super) struct Streams {
    pub(super) tcp: Tcp,
    assemblers: PerDirection<Assembler>,
    doubtful: PerDirection<Doubtful>,
}

/// Whether a segment can be believed to have arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its checksum is right, or its sender gets none right.
    Sound,
    /// Its checksum is wrong where others are right.
    Doubtful,
}

/// Whether a segment may carry a byte that means nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It carries the stream.
    Payload,
    /// It asks whether the peer is still there (RFC 9293, section 3.8.4): one byte before the next.
    KeepAlive,
}

/// Payload of one packet.
pub(super) struct Arrived<'a> {
    pub(super) direction: Direction,
    pub(super) time: Timestamp,
    /// Offset of the first byte in the stream.
    pub(super) offset: u64,
    pub(super) wire_bytes: u64,
    pub(super) bytes: &'a [u8],
    pub(super) trust: Trust,
    pub(super) purpose: Purpose,
}

impl Streams {
    /// Reads something of each part that a segment changes; the answer means nothing.
    pub(super) fn touch(&self) -> u64 {
        self.missed() ^ u64::from(self.tcp.is_reset())
    }

    /// Takes payload.
    pub(super) fn payload(
        &mut self,
        arrived: &Arrived<'_>,
        session: &mut Session,
        emitter: &mut Emitter,
    ) {
        let Arrived { direction, time, offset, wire_bytes, bytes, .. } = *arrived;
        if arrived.trust == Trust::Sound {
            return self.segment(arrived, session, emitter);
        }
        let kept = Kept { time, offset, wire_bytes, bytes: bytes.into() };
        if let Some(oldest) = self.doubtful.of_mut(direction).keep(kept) {
            emitter.weird(time, Weird::StreamBufferFull);
            self.kept(direction, &oldest, session, emitter);
        }
    }

    /// Takes an acknowledgement of bytes of `direction` up to `offset`. Returns whether it reveals
    /// missing bytes that no earlier one did.
    pub(super) fn acknowledged(
        &mut self,
        direction: Direction,
        offset: u64,
        session: &mut Session,
        emitter: &mut Emitter,
    ) -> bool {
        while let Some(kept) = self.doubtful.of_mut(direction).acknowledged(offset) {
            self.kept(direction, &kept, session, emitter);
        }
        self.assemblers.of_mut(direction).acknowledged(offset)
    }

    /// Another packet of the flow has passed: holes that were given enough time become gaps.
    pub(super) fn packet_passed(
        &mut self,
        time: Timestamp,
        session: &mut Session,
        emitter: &mut Emitter,
    ) {
        for direction in Direction::BOTH {
            let assembler = self.assemblers.of_mut(direction);
            if assembler.has_acked_hole() {
                assembler
                    .packet_passed(&mut |piece| deliver(session, direction, time, piece, emitter));
            }
        }
    }

    /// Hands on all that is held: the flow is over.
    pub(super) fn finish(&mut self, last: Timestamp, session: &mut Session, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            while let Some(kept) = self.doubtful.of_mut(direction).pop() {
                self.kept(direction, &kept, session, emitter);
            }
            self.assemblers
                .of_mut(direction)
                .finish(&mut |piece| deliver(session, direction, last, piece, emitter));
        }
    }

    /// Bytes of both directions that were sent and are not in the capture.
    pub(super) fn missed(&self) -> u64 {
        self.assemblers.src.missed() + self.assemblers.dst.missed()
    }

    fn kept(
        &mut self,
        direction: Direction,
        kept: &Kept,
        session: &mut Session,
        emitter: &mut Emitter,
    ) {
        let Kept { time, offset, wire_bytes, ref bytes } = *kept;
        let (trust, purpose) = (Trust::Sound, Purpose::Payload);
        let arrived = Arrived { direction, time, offset, wire_bytes, bytes, trust, purpose };
        self.segment(&arrived, session, emitter);
    }

    fn segment(&mut self, arrived: &Arrived<'_>, session: &mut Session, emitter: &mut Emitter) {
        let Arrived { direction, time, offset, wire_bytes, bytes, purpose, .. } = *arrived;
        let keep = session.wanted();
        let oddities = self.assemblers.of_mut(direction).segment(
            offset,
            wire_bytes,
            bytes,
            keep,
            &mut |piece| deliver(session, direction, time, piece, emitter),
        );
        let Oddities { overlap_differs, buffer_full } = oddities;
        if overlap_differs && purpose == Purpose::Payload {
            emitter.weird(time, Weird::OverlapDiffers);
        }
        if buffer_full {
            emitter.weird(time, Weird::StreamBufferFull);
        }
    }
}

fn deliver(
    session: &mut Session,
    direction: Direction,
    time: Timestamp,
    piece: Piece<'_>,
    emitter: &mut Emitter,
) {
    match piece {
        Piece::Bytes(bytes) => session.bytes(direction, time, bytes, emitter),
        Piece::Gap(missing) => {
            emitter.weird(time, Weird::StreamGap);
            session.gap(direction, time, missing, emitter);
        }
    }
}
