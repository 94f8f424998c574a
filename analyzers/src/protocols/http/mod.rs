//! HTTP/1.x and, without TLS, HTTP/2. In: both directions of a TCP flow. Out: one row of the table
//! `http` for each request with its response. RFC 9110, 9112, 9113, 7541.
//!
//! A flow begins as HTTP/1 or with HTTP/2's preface, and may leave HTTP/1: by an upgrade to HTTP/2,
//! which is followed here, or by CONNECT and other upgrades, which are handed off.
//!
//! # Memory
//! An HTTP/1 flow keeps at most [`limits::HTTP_PENDING`] requests of
//! [`limits::HTTP_HEAD_KEPT_BYTES`], 1 MiB, and an HTTP/2 flow [`limits::HTTP2_STREAMS`] pairs of
//! heads, 4 MiB. Bodies are not kept, but decoding one takes a window of at most
//! [`limits::HTTP_WINDOW_BYTES`], 16 MiB; [`limits::HTTP2_CODED_BODIES`] of them at the same time
//! are 64 MiB.

mod content;
mod exchange;
mod fields;
mod h1;
mod h2;
mod probe;
mod record;
#[cfg(test)]
mod tests;

use self::h1::{Exit, Http1, Role};
use self::h2::Http2;
pub use self::record::HttpRecord;
use crate::direction::Direction;
use crate::emitter::Emitter;
use crate::flow_id::Transport;
use crate::limits;
use crate::protocol::{
    Analyzer, Chunk, Finish, FlowContext, Gap, Next, Protocol, Step, StreamStart, Verdict,
};

/// HTTP.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    doc: "Hypertext Transfer Protocol, versions 0.9 to 2, without TLS",
    specifications: &["RFC 9110", "RFC 9112", "RFC 9113", "RFC 7541", "RFC 1945"],
    transports: &[Transport::TCP],
    ports: &[80, 8080, 8000, 8008, 8081, 8888, 3128, 5985, 2375],
    buffer_bytes_max: h2::FRAME_BYTES_MAX,
    probe: probe::probe,
    analyzer: Some(|flow| Box::new(Http::new(flow))),
    tables: &[&HttpRecord::TABLE],
};

const _: () = assert!(limits::HTTP_LINE_BYTES <= h2::FRAME_BYTES_MAX);

/// What the flow speaks.
#[derive(Debug)]
enum Speech {
    /// Nothing was seen that tells the client from the server.
    Undecided,
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    /// Something that is not followed here.
    Left,
}

/// The analyzer of one flow.
#[derive(Debug)]
struct Http {
    flow: FlowContext,
    /// The direction that requests take.
    upstream: Direction,
    speech: Speech,
}

impl Http {
    const fn new(flow: &FlowContext) -> Self {
        Self { flow: *flow, upstream: Direction::SrcToDst, speech: Speech::Undecided }
    }

    fn role(&self, direction: Direction) -> Role {
        if direction == self.upstream { Role::Client } else { Role::Server }
    }

    /// Tells the client from the server by what one of them sends.
    fn decide(&mut self, chunk: &Chunk<'_>) -> Result<(), Step> {
        let bytes = probe::skip_blank_lines(chunk.bytes);
        let status = probe::status_line(bytes);
        let request = probe::request_line(bytes);
        self.upstream = match (status, request) {
            (Verdict::Certain, _) => chunk.direction.reversed(),
            (_, Verdict::Certain) => chunk.direction,
            _ if probe::preface(bytes) == Verdict::Certain => chunk.direction,
            // A flow met at its beginning starts with the client's words, however odd.
            (Verdict::NotForUs, Verdict::NotForUs)
                if self.flow.start == StreamStart::Beginning
                    && chunk.direction == Direction::SrcToDst =>
            {
                chunk.direction
            }
            (Verdict::NotForUs, Verdict::NotForUs) if self.flow.start == StreamStart::Midstream => {
                return Err(Step::Consumed(chunk.bytes.len()));
            }
            _ => return Err(Step::NeedMore { at_least: chunk.bytes.len().saturating_add(1) }),
        };
        self.speech = Speech::Http1(Box::new(Http1::new(&self.flow)));
        Ok(())
    }

    /// Leaves HTTP/1 behind; `taken` bytes of the chunk belong to it.
    fn leave(&mut self, exit: Exit, taken: usize, emitter: &mut Emitter) -> Option<Step> {
        let Speech::Http1(http1) = &mut self.speech else { return None };
        http1.leave(emitter);
        match exit {
            Exit::Over => {
                self.speech = Speech::Left;
                Some(Step::Done)
            }
            Exit::Unknown => {
                self.speech = Speech::Left;
                Some(Step::HandOff { to: Next::Recognise, from: taken })
            }
            Exit::Http2(upgraded) => {
                let mut http2 = Http2::new(&self.flow);
                if let Some(upgraded) = upgraded {
                    http2.upgraded(*upgraded, emitter);
                }
                self.speech = Speech::Http2(Box::new(http2));
                None
            }
        }
    }
}

impl Analyzer for Http {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        if let Speech::Undecided = self.speech
            && let Err(step) = self.decide(chunk)
        {
            return step;
        }
        if let Speech::Left = self.speech {
            return Step::Done;
        }
        let role = self.role(chunk.direction);
        let mut taken = 0_usize;
        let mut needed = 1;
        if let Speech::Http1(http1) = &mut self.speech {
            let (more, exit) = http1.data(role, chunk.bytes, chunk.time, emitter);
            taken = more;
            if let Some(step) = exit.and_then(|exit| self.leave(exit, taken, emitter)) {
                return step;
            }
        }
        if let Speech::Http2(http2) = &mut self.speech {
            let rest = chunk.bytes.get(taken..).unwrap_or_default();
            let (more, at_least) = http2.data(role, rest, chunk.time, emitter);
            taken = taken.saturating_add(more);
            needed = at_least;
        }
        match taken {
            0 => Step::NeedMore { at_least: needed.max(chunk.bytes.len().saturating_add(1)) },
            _ => Step::Consumed(taken),
        }
    }

    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step {
        let role = self.role(gap.direction);
        match &mut self.speech {
            Speech::Undecided => self.flow.start = StreamStart::Midstream,
            Speech::Http1(http1) => http1.gap(role, gap.missing, gap.time, emitter),
            Speech::Http2(http2) => http2.gap(role, gap.missing, gap.time, emitter),
            Speech::Left => return Step::Done,
        }
        Step::Consumed(0)
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        let rest = Direction::BOTH.map(|way| (self.role(way), *finish.rest.of(way)));
        match &mut self.speech {
            Speech::Undecided | Speech::Left => {}
            Speech::Http1(http1) => http1.finish(finish.reason, rest, finish.time, emitter),
            Speech::Http2(http2) => http2.finish(finish.time, emitter),
        }
    }
}
