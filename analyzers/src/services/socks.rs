//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): the way through a proxy, then whatever goes through it.
//!
//! In: both directions of a stream. Out: a hand-off behind the proxy's consent, and nothing else.
//!
//! Memory of a flow: the step that it has reached.

use super::{NAMED, stream};
use crate::direction::Direction;
use crate::emitter::Emitter;
use crate::malformed::Malformed;
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Next, Protocol, Step};
use crate::reader::Reader;

/// SOCKS.
pub const SOCKS: Protocol = Protocol {
    name: "socks",
    doc: "SOCKS proxies, versions 4, 4a and 5, up to the connection that they make.",
    specifications: &["RFC 1928", "RFC 1929", "SOCKS 4A"],
    ports: &[1_080],
    buffer_bytes_max: LONGEST_MESSAGE,
    probe: |probe| stream(is_request(probe.bytes)),
    analyzer: Some(|_| Box::new(Socks::default())),
    ..NAMED
};

/// The proxy's longest message names a host in 255 bytes (RFC 1928 §6).
const LONGEST_MESSAGE: usize = 262;

/// What the proxy will say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Version 4's one answer.
    Answer,
    /// Which way of proof it takes.
    Method,
    /// Whether the password is right.
    Password,
    /// Whether it made the connection.
    Connection,
}

/// The state of one flow.
#[derive(Default)]
struct Socks {
    /// Who asked, and what the other will say.
    asked: Option<(Direction, Stage)>,
}

impl Analyzer for Socks {
    fn data(&mut self, chunk: &Chunk<'_>, _: &mut Emitter) -> Step {
        let mut r = Reader::new(chunk.bytes);
        let Some((client, stage)) = self.asked else {
            let stage = if r.peek() == Some(4) { Stage::Answer } else { Stage::Method };
            self.asked = Some((chunk.direction, stage));
            return Step::Consumed(r.remaining());
        };
        // A client waits for consent; what one sends sooner is not read.
        if chunk.direction == client {
            return Step::Consumed(r.remaining());
        }
        match answer(stage, &mut r) {
            Ok(Answer::Next(stage)) => {
                self.asked = Some((client, stage));
                Step::Consumed(r.offset())
            }
            Ok(Answer::Connected) => Step::HandOff { to: Next::Recognise, from: r.offset() },
            Ok(Answer::Refused) => Step::Done,
            Err(_) => Step::NeedMore { at_least: chunk.bytes.len().saturating_add(1) },
        }
    }

    fn gap(&mut self, _: &Gap<'_>, _: &mut Emitter) -> Step {
        Step::Done
    }

    fn finish(&mut self, _: &Finish<'_>, _: &mut Emitter) {}
}

/// What the proxy says.
enum Answer {
    /// Yes, and then this.
    Next(Stage),
    /// What follows goes through.
    Connected,
    /// No, or a way of proof that is not followed.
    Refused,
}

fn answer(stage: Stage, r: &mut Reader<'_>) -> Result<Answer, Malformed> {
    const GRANTED: u8 = 90;
    let version = r.u8("version")?;
    let said = r.u8("answer")?;
    Ok(match (stage, version, said) {
        (Stage::Answer, 0, GRANTED) => {
            r.skip(6, "port, address")?;
            Answer::Connected
        }
        (Stage::Method, 5, 0) | (Stage::Password, 1, 0) => Answer::Next(Stage::Connection),
        (Stage::Method, 5, 2) => Answer::Next(Stage::Password),
        (Stage::Connection, 5, 0) => {
            r.skip(1, "reserved")?;
            match r.u8("address type")? {
                1 => r.skip(4, "address")?,
                3 => {
                    let length = r.u8("name length")?;
                    r.skip(length.into(), "name")?;
                }
                4 => r.skip(16, "address")?,
                _ => return Ok(Answer::Refused),
            }
            r.skip(2, "port")?;
            Answer::Connected
        }
        _ => Answer::Refused,
    })
}

/// A client's first message, which ends where it says.
fn is_request(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    match r.u8("version")? {
        4 => is_version_4(&mut r),
        5 => is_version_5(&mut r),
        _ => Ok(false),
    }
}

/// Connect or bind, an address, a user; a name behind an address of 0.0.0.x (SOCKS 4A).
fn is_version_4(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    if !matches!(r.u8("command")?, 1 | 2) || r.u16("port")? == 0 {
        return Ok(false);
    }
    let by_name = matches!(r.array("address")?, [0, 0, 0, 1..=u8::MAX]);
    let texts = if by_name { 2 } else { 1 };
    for _ in 0..texts {
        loop {
            match r.u8("text")? {
                0 => break,
                b' '..=b'~' => {}
                _ => return Ok(false),
            }
        }
    }
    Ok(r.is_empty())
}

/// A list of ways of proof: those that are assigned, and private ones.
fn is_version_5(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    const WAYS: u8 = 10;
    let count = r.u8("number of methods")?;
    if !(1..=WAYS).contains(&count) {
        return Ok(false);
    }
    let ways = r.take(count.into(), "methods")?;
    Ok(r.is_empty() && ways.iter().all(|way| matches!(way, 0..=9 | 0x80..=0xfe)))
}
