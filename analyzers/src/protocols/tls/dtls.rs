//! DTLS (RFC 6347, RFC 9147): envelopes out of datagrams, messages out of fragments.
//!
//! Fragments come in any order and again; a message is taken once, when it is whole. What is
//! encrypted is only noticed. Memory of a flow, at worst: [`limits::DTLS_MESSAGES`] unfinished
//! messages a direction, of [`limits::TLS_MESSAGE_BYTES`] each.

use crate::direction::{Direction, PerDirection};
use crate::emitter::Emitter;
use crate::limits;
use crate::malformed::Malformed;
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Step};
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;

use super::carrier::Carrier;
use super::handshake::Handshake;
use super::layer::{Envelope, content};
use super::messages::{Extent, Message, is_read};
use super::pieces::Pieces;

/// One flow of DTLS.
#[derive(Debug)]
pub(crate) struct Dtls {
    handshake: Handshake,
    sides: PerDirection<Side>,
}

/// One direction of the flow.
#[derive(Debug, Default)]
struct Side {
    /// Messages of which fragments came, by their number.
    unfinished: Vec<Unfinished>,
    /// One bit per number of a message that was taken, so that a repeated one is not.
    taken: u64,
}

/// A message of which not all fragments came yet.
#[derive(Debug)]
struct Unfinished {
    number: u16,
    kind: u8,
    len: usize,
    started: Timestamp,
    pieces: Pieces,
}

/// A fragment's header (RFC 6347 §4.2.2) and its bytes.
struct Fragment<'a> {
    kind: u8,
    len: usize,
    number: u16,
    offset: u64,
    bytes: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let kind = r.u8("message kind")?;
        let len = r.u24("message length")?;
        let number = r.u16("message number")?;
        let offset = r.u24("fragment offset")?;
        let start = r.offset();
        let fragment_len = r.u24("fragment length")?;
        if offset.saturating_add(fragment_len) > len {
            return Err(Malformed::bad_length("fragment length", start));
        }
        Ok(Self {
            kind,
            len: usize::try_from(len).unwrap_or(usize::MAX),
            number,
            offset: u64::from(offset),
            bytes: r.take(usize::try_from(fragment_len).unwrap_or(usize::MAX), "fragment")?,
        })
    }
}

impl Dtls {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        Self { handshake: Handshake::new(Carrier::Dtls), sides: PerDirection::default() }
    }
}

impl Analyzer for Dtls {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let mut r = Reader::new(chunk.bytes);
        while !r.is_empty() {
            match Envelope::read(&mut r) {
                Ok(Some(envelope)) => {
                    self.envelope(chunk.direction, chunk.time, envelope, emitter);
                }
                Ok(None) => {
                    self.handshake.protected(chunk.direction);
                    break;
                }
                // Media and STUN share the flow with DTLS (RFC 7983).
                Err(_) if r.offset() <= 1 => break,
                Err(malformed) => {
                    emitter.weird_with(chunk.time, Weird::TlsMalformed, malformed.into());
                    break;
                }
            }
        }
        if self.handshake.is_established() {
            self.handshake.emit(None, emitter);
            return Step::Done;
        }
        Step::Consumed(chunk.bytes.len())
    }

    fn gap(&mut self, gap: &Gap<'_>, _emitter: &mut Emitter) -> Step {
        Step::Consumed(gap.rest.len())
    }

    fn finish(&mut self, _finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            for message in self.sides.of_mut(direction).unfinished.drain(..) {
                let body = message.pieces.known();
                let cut = Message { kind: message.kind, body, extent: Extent::Cut };
                if !body.is_empty() {
                    self.handshake.message(direction, message.started, cut, emitter);
                }
            }
        }
        self.handshake.emit(None, emitter);
    }
}

impl Dtls {
    fn envelope(
        &mut self,
        direction: Direction,
        time: Timestamp,
        envelope: Envelope<'_>,
        emitter: &mut Emitter,
    ) {
        match envelope.content {
            content::HANDSHAKE if envelope.epoch == 0 => {
                let mut r = Reader::new(envelope.body);
                while !r.is_empty() {
                    match Fragment::read(&mut r) {
                        Ok(fragment) => self.fragment(direction, time, &fragment, emitter),
                        Err(malformed) => {
                            emitter.weird_with(time, Weird::TlsMalformed, malformed.into());
                            return;
                        }
                    }
                }
            }
            content::HANDSHAKE | content::APPLICATION_DATA => self.handshake.protected(direction),
            content::CHANGE_CIPHER_SPEC => self.handshake.change_cipher(direction),
            _ => {}
        }
    }

    fn fragment(
        &mut self,
        direction: Direction,
        time: Timestamp,
        fragment: &Fragment<'_>,
        emitter: &mut Emitter,
    ) {
        let side = self.sides.of_mut(direction);
        if side.has_taken(fragment.number) {
            return;
        }
        if fragment.bytes.len() == fragment.len || !is_read(fragment.kind) {
            let body = if is_read(fragment.kind) { fragment.bytes } else { &[] };
            side.taken(fragment.number);
            let message = Message { kind: fragment.kind, body, extent: Extent::Whole };
            self.handshake.message(direction, time, message, emitter);
            return;
        }
        let Some(unfinished) = side.unfinished(fragment, time) else {
            emitter.weird(time, Weird::TlsMessageTooLong);
            return;
        };
        if unfinished.pieces.put(fragment.offset, fragment.bytes).is_err() {
            emitter.weird(time, Weird::TlsMessageTooLong);
        }
        if unfinished.pieces.known().len() >= unfinished.len {
            let number = fragment.number;
            if let Some(whole) = side.remove(number) {
                side.taken(number);
                let body = whole.pieces.known();
                let message = Message { kind: whole.kind, body, extent: Extent::Whole };
                self.handshake.message(direction, whole.started, message, emitter);
            }
        }
    }
}

impl Side {
    /// The message that a fragment belongs to; `None` where no room is left for it.
    fn unfinished(&mut self, fragment: &Fragment<'_>, time: Timestamp) -> Option<&mut Unfinished> {
        let known = self.unfinished.iter().position(|message| message.number == fragment.number);
        if known.is_none() && self.unfinished.len() < limits::DTLS_MESSAGES {
            self.unfinished.push(Unfinished {
                number: fragment.number,
                kind: fragment.kind,
                len: fragment.len,
                started: time,
                pieces: Pieces::default(),
            });
            return self.unfinished.last_mut();
        }
        self.unfinished.get_mut(known?)
    }

    fn remove(&mut self, number: u16) -> Option<Unfinished> {
        let at = self.unfinished.iter().position(|message| message.number == number)?;
        Some(self.unfinished.swap_remove(at))
    }

    fn taken(&mut self, number: u16) {
        self.taken |= bit(number);
    }

    fn has_taken(&self, number: u16) -> bool {
        let bit = bit(number);
        self.taken & bit == bit
    }
}

/// The bit of a message's number; none beyond the sixty-fourth, which no handshake has and nobody
/// reads.
fn bit(number: u16) -> u64 {
    1_u64.checked_shl(u32::from(number)).unwrap_or(0)
}
