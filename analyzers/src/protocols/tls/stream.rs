//! TLS over TCP: envelopes out of two byte streams, handshake messages out of envelopes.
//!
//! Only handshake envelopes are waited for and read; the content of all others passes by
//! unbuffered. When both sides have begun to encrypt, the row is said and nothing more is wanted.
//!
//! Memory of a flow, at worst: two unfinished messages of [`crate::limits::TLS_MESSAGE_BYTES`] and
//! an envelope each, and the names of one hello and one certificate.

use crate::direction::{Direction, PerDirection};
use crate::emitter::{Detail, Emitter};
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Step};
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;

use super::carrier::Carrier;
use super::handshake::Handshake;
use super::layer::{self, Header, content};
use super::messages::{Messages, kind};
use super::sslv2;

/// One flow of TLS over TCP.
#[derive(Debug)]
pub(crate) struct TlsStream {
    handshake: Handshake,
    sides: PerDirection<Side>,
}

/// One direction of the flow.
#[derive(Debug, Default)]
struct Side {
    place: Place,
    messages: Messages,
    /// Whether it changed to the keys that were agreed.
    is_encrypted: bool,
    /// When the first byte came that is still waited with.
    waiting_since: Option<Timestamp>,
}

/// Where in its stream a side is read next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// At the very first byte.
    #[default]
    Start,
    /// At a border between envelopes.
    Border,
    /// So many bytes before the next border, in content that nobody reads.
    Inside(usize),
    /// Unknown, after a gap or nonsense: only a chunk that starts with a header is believed.
    Lost,
}

/// What became of the bytes at a border.
enum Taken {
    /// An envelope, or a part that may go.
    Some,
    /// Nothing: that many bytes are needed from the border on.
    Short(usize),
    /// Nothing: it is not TLS.
    NotTls,
}

impl TlsStream {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        Self { handshake: Handshake::new(Carrier::Tcp), sides: PerDirection::default() }
    }
}

impl Analyzer for TlsStream {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let side = self.sides.of_mut(chunk.direction);
        let started = *side.waiting_since.get_or_insert(chunk.time);
        let mut r = Reader::new(chunk.bytes);
        while !r.is_empty() {
            match self.take(chunk.direction, started, &mut r, emitter) {
                Taken::Some => {}
                Taken::Short(needed) if r.offset() == 0 => {
                    return Step::NeedMore { at_least: needed };
                }
                Taken::Short(_) => {
                    self.sides.of_mut(chunk.direction).waiting_since = Some(chunk.time);
                    return Step::Consumed(r.offset());
                }
                Taken::NotTls => return Step::NotMine,
            }
            if self.handshake.is_established() {
                self.handshake.emit(None, emitter);
                return Step::Done;
            }
        }
        self.sides.of_mut(chunk.direction).waiting_since = None;
        Step::Consumed(chunk.bytes.len())
    }

    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step {
        self.unfinished(gap.direction, gap.time, gap.rest, emitter);
        self.handshake.gap(gap.direction);
        let side = self.sides.of_mut(gap.direction);
        side.messages.clear();
        side.waiting_since = None;
        side.place = match side.place {
            Place::Inside(left) if gap.missing <= left as u64 => {
                let missing = usize::try_from(gap.missing).unwrap_or(left);
                Place::Inside(left.saturating_sub(missing))
            }
            _ => Place::Lost,
        };
        Step::Consumed(gap.rest.len())
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            self.unfinished(direction, finish.time, finish.rest.of(direction), emitter);
        }
        self.handshake.emit(None, emitter);
    }
}

impl TlsStream {
    /// Takes what stands at the reader, at most one envelope.
    fn take(
        &mut self,
        direction: Direction,
        time: Timestamp,
        r: &mut Reader<'_>,
        emitter: &mut Emitter,
    ) -> Taken {
        let side = self.sides.of_mut(direction);
        match side.place {
            Place::Inside(left) => {
                let passed = r.sub_lax(left).remaining();
                side.place = match left.saturating_sub(passed) {
                    0 => Place::Border,
                    left => Place::Inside(left),
                };
                return Taken::Some;
            }
            Place::Lost if !is_border(r.rest()) => {
                r.sub_lax(usize::MAX);
                return Taken::Some;
            }
            Place::Start if sslv2::is_hello(r.rest()) => {
                return self.sslv2_hello(direction, time, r, emitter);
            }
            Place::Start | Place::Border | Place::Lost => {}
        }
        // Judged whole, not by its first bytes: the verdict shall not hang on where segments end.
        let needed = head_bytes(side.place, r.rest());
        if r.remaining() < needed {
            return Taken::Short(needed);
        }
        let mut ahead = *r;
        match Header::read(&mut ahead) {
            Ok(header) => {
                let content = header.len.min(ahead.remaining());
                if header.content == content::HANDSHAKE && content < header.len {
                    return Taken::Short(layer::HEADER_BYTES.saturating_add(header.len));
                }
                *r = ahead;
                self.envelope(direction, time, header, r, emitter);
                Taken::Some
            }
            Err(_) if side.place == Place::Start && !self.handshake.is_known() => Taken::NotTls,
            Err(malformed) => {
                emitter.weird_with(time, Weird::TlsMalformed, malformed.into());
                side.place = Place::Lost;
                r.sub_lax(usize::MAX);
                Taken::Some
            }
        }
    }

    /// Takes an envelope whose header was read; a handshake's content is there to its last byte.
    fn envelope(
        &mut self,
        direction: Direction,
        time: Timestamp,
        header: Header,
        r: &mut Reader<'_>,
        emitter: &mut Emitter,
    ) {
        let side = self.sides.of_mut(direction);
        side.place = Place::Border;
        match header.content {
            content::HANDSHAKE => {
                let body = r.sub_lax(header.len).rest();
                if side.is_encrypted && !is_clear_hello(body) {
                    self.handshake.protected(direction);
                } else {
                    side.messages.push(body);
                    self.messages(direction, time, emitter);
                }
                return;
            }
            content::APPLICATION_DATA => self.handshake.protected(direction),
            content::CHANGE_CIPHER_SPEC if !self.handshake.encrypts_handshake() => {
                side.is_encrypted = true;
                self.handshake.change_cipher(direction);
            }
            _ => {}
        }
        let passed = r.sub_lax(header.len).remaining();
        if passed < header.len {
            self.sides.of_mut(direction).place = Place::Inside(header.len.saturating_sub(passed));
        }
    }

    /// Takes the whole messages of a side.
    fn messages(&mut self, direction: Direction, time: Timestamp, emitter: &mut Emitter) {
        let side = self.sides.of_mut(direction);
        while let Some(message) = side.messages.next() {
            if self.handshake.is_followed_by(message.kind) {
                self.handshake.emit(None, emitter);
            }
            self.handshake.message(direction, time, message, emitter);
        }
    }

    fn sslv2_hello(
        &mut self,
        direction: Direction,
        time: Timestamp,
        r: &mut Reader<'_>,
        emitter: &mut Emitter,
    ) -> Taken {
        match sslv2::read(r.rest()) {
            Ok((hello, len)) => {
                r.sub_lax(len);
                self.sides.of_mut(direction).place = Place::Border;
                emitter.weird_with(time, Weird::TlsSslV2Hello, Detail::None);
                self.handshake.old_hello(direction, time, &hello);
                Taken::Some
            }
            Err(_) => Taken::Short(r.remaining().saturating_add(1)),
        }
    }

    /// Takes what a message that will not go on still says.
    fn unfinished(
        &mut self,
        direction: Direction,
        time: Timestamp,
        rest: &[u8],
        emitter: &mut Emitter,
    ) {
        let side = self.sides.of_mut(direction);
        let started = side.waiting_since.unwrap_or(time);
        let mut r = Reader::new(rest);
        let is_clear = matches!(side.place, Place::Start | Place::Border) && !side.is_encrypted;
        if is_clear && Header::read(&mut r).is_ok_and(|h| h.content == content::HANDSHAKE) {
            side.messages.push(r.rest());
            self.messages(direction, started, emitter);
        }
        let side = self.sides.of_mut(direction);
        if let Some(message) = side.messages.unfinished() {
            self.handshake.message(direction, started, message, emitter);
        }
    }
}

/// Bytes from which it can be told what begins here.
fn head_bytes(place: Place, bytes: &[u8]) -> usize {
    let may_be_sslv2 = place == Place::Start && bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    if may_be_sslv2 { sslv2::HEAD_BYTES } else { layer::HEADER_BYTES }
}

/// Whether bytes look like the start of an envelope, and of the next one where that is in sight.
fn is_border(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    let Ok(first) = Header::read(&mut r) else { return false };
    match r.skip(first.len, "record") {
        Ok(()) => Header::read(&mut r).err().is_none_or(|malformed| malformed.is_truncated()),
        Err(_) => true,
    }
}

/// Whether the content of a handshake envelope is a ClientHello in the clear although the side
/// changed its keys: TLS 1.3 sends a ChangeCipherSpec without meaning before its second hello.
fn is_clear_hello(body: &[u8]) -> bool {
    let mut r = Reader::new(body);
    let is_hello = r.u8("message kind") == Ok(kind::CLIENT_HELLO);
    let len = r.u24("message length").unwrap_or(0);
    is_hello && usize::try_from(len).is_ok_and(|len| len == r.remaining()) && r.peek() == Some(3)
}
