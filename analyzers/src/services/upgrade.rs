//! Services whose talk may turn into TLS on the same connection: `STARTTLS` and its kin.
//!
//! In: both directions of a stream. Out: a hand-off to TLS at its first byte, and nothing else.
//! Rather than learn each service's way to ask and to agree, this watches where units of talk begin
//! (a line, a tag, a message): a TLS handshake record there (RFC 8446 §5.1) is what no unit begins
//! with. So an upgrade is found whichever side of it the capture holds.
//!
//! Memory of a flow: two positions, and at most [`BUFFER_BYTES`] of the stream for each direction.

use crate::direction::PerDirection;
use crate::emitter::Emitter;
use crate::limits::UPGRADE_BYTES;
use crate::malformed::Malformed;
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Next, Step};
use crate::reader::Reader;

/// Bytes that a stream may keep for an unfinished length field.
pub(super) const BUFFER_BYTES: usize = 16;

/// How a service divides its talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Into lines.
    Lines,
    /// Into XML tags.
    Tags,
    /// Into BER elements (LDAP, RFC 4511 §5.1).
    Ber,
    /// Into packets that begin with a length of three bytes and a number (MySQL).
    Packets,
    /// Into one request of eight bytes and an answer of one (PostgreSQL).
    Request,
}

/// Where a direction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a unit.
    Start,
    /// Inside one that ends with this byte.
    Until(u8),
    /// Inside one of which that many bytes are left.
    Inside(u64),
}

/// The state of one flow.
struct Upgrade {
    framing: Framing,
    places: PerDirection<Place>,
    /// Bytes read.
    read: usize,
}

/// An analyzer that waits for TLS.
pub(super) fn follow(framing: Framing) -> Box<dyn Analyzer> {
    let places = PerDirection { src: Place::Start, dst: Place::Start };
    Box::new(Upgrade { framing, places, read: 0 })
}

impl Analyzer for Upgrade {
    fn data(&mut self, chunk: &Chunk<'_>, _: &mut Emitter) -> Step {
        if self.read > UPGRADE_BYTES {
            return Step::Done;
        }
        let place = self.places.of_mut(chunk.direction);
        let mut r = Reader::new(chunk.bytes);
        while !r.is_empty() {
            let at = r;
            let step = match *place {
                Place::Start => start(self.framing, &mut r),
                Place::Until(end) => Ok(Begun::At(until(end, &mut r))),
                Place::Inside(left) => Ok(Begun::At(inside(left, &mut r))),
            };
            match step {
                Ok(Begun::At(next)) => *place = next,
                Ok(Begun::Tls) => {
                    return Step::HandOff { to: Next::Protocol("tls"), from: at.offset() };
                }
                Ok(Begun::Other) => return Step::Done,
                Err(malformed) if malformed.is_truncated() => {
                    r = at;
                    break;
                }
                Err(_) => return Step::Done,
            }
        }
        self.read = self.read.saturating_add(r.offset());
        match r.offset() {
            0 => Step::NeedMore { at_least: chunk.bytes.len().saturating_add(1) },
            read => Step::Consumed(read),
        }
    }

    fn gap(&mut self, gap: &Gap<'_>, _: &mut Emitter) -> Step {
        let place = self.places.of_mut(gap.direction);
        match (self.framing, *place) {
            (Framing::Lines, _) => *place = Place::Until(b'\n'),
            (Framing::Tags, _) => *place = Place::Until(b'>'),
            (_, Place::Inside(left)) if left >= gap.missing => {
                *place = Place::Inside(left.saturating_sub(gap.missing));
            }
            _ => return Step::Done,
        }
        Step::Consumed(0)
    }

    fn finish(&mut self, _: &Finish<'_>, _: &mut Emitter) {}
}

/// What begins at a unit's place.
enum Begun {
    /// A unit; the direction stands there now.
    At(Place),
    /// TLS.
    Tls,
    /// What the service does not say before an upgrade.
    Other,
}

/// Reads as much of a unit as tells its length, or a TLS record.
fn start(framing: Framing, r: &mut Reader<'_>) -> Result<Begun, Malformed> {
    if is_tls(framing, *r)? {
        return Ok(Begun::Tls);
    }
    Ok(match framing {
        Framing::Lines => Begun::At(Place::Until(b'\n')),
        Framing::Tags if r.peek().is_some_and(|byte| byte.is_ascii_whitespace()) => {
            r.skip(1, "space")?;
            Begun::At(Place::Start)
        }
        Framing::Tags => Begun::At(Place::Until(b'>')),
        Framing::Ber => Begun::At(Place::Inside(ber(r)?)),
        Framing::Packets => {
            let [low, middle, high, _] = r.array("packet length")?;
            Begun::At(Place::Inside(u64::from(u32::from_le_bytes([low, middle, high, 0]))))
        }
        Framing::Request => request(r)?,
    })
}

/// Whether a handshake record begins here.
fn is_tls(framing: Framing, mut r: Reader<'_>) -> Result<bool, Malformed> {
    const HANDSHAKE: u8 = 22;
    if r.peek() != Some(HANDSHAKE) {
        return Ok(false);
    }
    r.skip(1, "record type")?;
    let version = r.u16("record version")?;
    Ok(match framing {
        // SSL 3.0 looks like a packet of 790 bytes.
        Framing::Packets => (0x0301..=0x0304).contains(&version),
        _ => (0x0300..=0x0304).contains(&version),
    })
}

/// The length of a BER element's contents.
pub(super) fn ber(r: &mut Reader<'_>) -> Result<u64, Malformed> {
    r.skip(1, "tag")?;
    let first = r.u8("length")?;
    if first < 0x80 {
        return Ok(u64::from(first));
    }
    let at = r.offset();
    match first & 0x7f {
        count @ 1..=4 => {
            let length = r.take(usize::from(count), "long length")?;
            Ok(length.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)))
        }
        _ => Err(Malformed::bad_length("long length", at)),
    }
}

/// PostgreSQL's request for encryption, or the byte that agrees to it.
fn request(r: &mut Reader<'_>) -> Result<Begun, Malformed> {
    if matches!(r.peek(), Some(b'S' | b'G' | b'N')) {
        r.skip(1, "answer")?;
        return Ok(Begun::At(Place::Start));
    }
    const SSL: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    const GSS: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
    if r.peek() != Some(0) {
        return Ok(Begun::Other);
    }
    let asked: [u8; 8] = r.array("request code")?;
    Ok(if asked == SSL || asked == GSS { Begun::At(Place::Start) } else { Begun::Other })
}

fn until(end: u8, r: &mut Reader<'_>) -> Place {
    match memchr::memchr(end, r.rest()) {
        Some(at) => {
            r.sub_lax(at.saturating_add(1));
            Place::Start
        }
        None => {
            r.sub_lax(r.remaining());
            Place::Until(end)
        }
    }
}

fn inside(left: u64, r: &mut Reader<'_>) -> Place {
    let passed = r.sub_lax(usize::try_from(left).unwrap_or(usize::MAX)).remaining();
    match left.saturating_sub(u64::try_from(passed).unwrap_or(u64::MAX)) {
        0 => Place::Start,
        left => Place::Inside(left),
    }
}
