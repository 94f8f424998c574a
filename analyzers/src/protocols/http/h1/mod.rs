//! HTTP/1.0 and 1.1, and 0.9 where it is unmistakable. In: both directions of a flow. Out:
//! exchanges, and an [`Exit`] where the flow goes on as something else. RFC 9112.
//!
//! Each side is a state machine that takes a head line by line and a body as it comes, so that
//! nothing but an unfinished line waits in the stream's buffer.

mod framing;
mod head;
mod line;
mod resync;
#[cfg(test)]
mod tests;

use self::framing::Framing;
use self::head::{Head, LineOutcome, OLDEST, StartLine, excerpt};
use self::line::{Found, LineEnd, Lines};
use super::content::{Body, BodySummary, Ending};
use super::exchange::{Exchanges, Message, RequestLine, StatusLine};
use super::fields::{Fields, Upgrade};
use super::probe;
use crate::emitter::{Detail, Emitter};
use crate::protocol::{FileHashing, FinishReason, FlowContext, StreamStart, Verdict};
use crate::time::Timestamp;
use crate::weird::Weird;

/// Which end of the flow a side is; the originator need not be the client when a flow is met
/// midway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// Where a side stands in its stream.
#[derive(Debug)]
enum State {
    /// Before a start line.
    Start,
    /// Among the fields of a head.
    Head(Box<Head>),
    /// In a body of known length; so many bytes are left, at least one.
    Length { left: u64 },
    /// Before a chunk's size.
    ChunkSize,
    /// In a chunk; so many bytes are left, at least one.
    ChunkData { left: u64 },
    /// Behind a chunk's data, before its line end.
    ChunkEnd,
    /// Among the fields behind the last chunk.
    Trailers,
    /// In a body that ends with the stream.
    UntilClose,
    /// Somewhere; the next start line is sought.
    Lost,
    /// Behind a CONNECT request whose answer is not seen yet.
    Tunnel,
}

/// One direction.
#[derive(Debug)]
struct Side {
    state: State,
    lines: Lines,
    /// Packet time of the message's first packet.
    first: Option<Timestamp>,
    body: Body,
}

impl Side {
    fn new(start: StreamStart) -> Self {
        let state = match start {
            StreamStart::Beginning => State::Start,
            StreamStart::Midstream => State::Lost,
        };
        Self { state, lines: Lines::default(), first: None, body: Body::default() }
    }
}

/// The request that led to an upgrade.
#[derive(Debug)]
pub(super) struct Upgraded {
    /// Packet time of the response that agreed.
    pub(super) first: Timestamp,
    pub(super) request: Message<RequestLine>,
}

/// How the flow goes on when it leaves HTTP/1.
#[derive(Debug)]
pub(super) enum Exit {
    /// As HTTP/2; after an upgrade with the request that stream 1 answers.
    Http2(Option<Box<Upgraded>>),
    /// As whatever is recognised.
    Unknown,
    /// As something that is of no further interest.
    Over,
}

/// What one step did.
enum Progress {
    Took(usize),
    Starved,
    Left(usize, Exit),
}

/// An HTTP/1 flow.
#[derive(Debug)]
pub(super) struct Http1 {
    client: Side,
    server: Side,
    exchanges: Exchanges,
    hashing: FileHashing,
}

impl Http1 {
    pub(super) fn new(flow: &FlowContext) -> Self {
        Self {
            client: Side::new(flow.start),
            server: Side::new(flow.start),
            exchanges: Exchanges::new(flow.start),
            hashing: flow.hashing,
        }
    }

    /// Takes what it can of `bytes`; says how many and whether the flow left HTTP/1.
    pub(super) fn data(
        &mut self,
        role: Role,
        bytes: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> (usize, Option<Exit>) {
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.step(role, rest, now, emitter) {
                Progress::Took(more) => taken = taken.saturating_add(more),
                Progress::Starved => break,
                Progress::Left(more, exit) => return (taken.saturating_add(more), Some(exit)),
            }
        }
        (taken, None)
    }

    fn side(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Takes one line, or what there is of a body. `rest` is not empty. A step that takes nothing
    /// changes the state to one that will.
    fn step(&mut self, role: Role, rest: &[u8], now: Timestamp, emitter: &mut Emitter) -> Progress {
        match self.side(role).state {
            State::Start => self.before_message(role, rest, now, emitter),
            State::Head(_) | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                self.line(role, rest, now, emitter)
            }
            State::Length { left } | State::ChunkData { left } => {
                if role == Role::Client && self.is_declined(rest) {
                    self.end_body(role, Ending::Cut, now, emitter);
                    return Progress::Took(0);
                }
                self.sized_body(role, left, rest, now, emitter)
            }
            State::UntilClose => {
                // A server that names no length and yet goes on has begun its next response.
                if self.exchanges.awaiting().is_some()
                    && probe::status_line(rest) == Verdict::Certain
                {
                    self.end_body(role, Ending::Complete, now, emitter);
                    return Progress::Took(0);
                }
                self.side(role).body.write(rest);
                Progress::Took(rest.len())
            }
            State::Lost => self.seek(role, rest),
            State::Tunnel => match rest.len().saturating_sub(probe::skip_blank_lines(rest).len()) {
                0 if probe::request_line(rest) == Verdict::Certain => {
                    self.side(role).state = State::Start;
                    Progress::Took(0)
                }
                0 => Progress::Left(0, Exit::Unknown),
                blank => Progress::Took(blank),
            },
        }
    }

    /// Before a start line: it may be HTTP/2's preface, or a body without any head.
    fn before_message(
        &mut self,
        role: Role,
        rest: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Progress {
        self.side(role).first.get_or_insert(now);
        match role {
            Role::Client => match probe::preface(rest) {
                Verdict::Certain => return Progress::Left(0, Exit::Http2(None)),
                Verdict::Unsure => return Progress::Starved,
                Verdict::NotForUs => {}
            },
            Role::Server => {
                // The answer shows that a request without a version has no fields to come.
                if matches!(&self.client.state, State::Head(head) if head.is_bare()) {
                    self.head_ended(Role::Client, now, emitter);
                }
                let bare = self.exchanges.awaiting().is_some_and(|request| {
                    request.line.version.as_ref().is_some_and(|sent| sent.as_bytes() == OLDEST)
                });
                if bare && probe::status_line(rest) == Verdict::NotForUs {
                    self.begin_response(StatusLine::default(), Fields::default(), now, emitter);
                    return Progress::Took(0);
                }
            }
        }
        self.line(role, rest, now, emitter)
    }

    fn line(&mut self, role: Role, rest: &[u8], now: Timestamp, emitter: &mut Emitter) -> Progress {
        let (text, taken) = match self.side(role).lines.next(rest) {
            Found::Line { text, taken, end: LineEnd::Feed } => (text, taken),
            Found::Line { text, taken, end: LineEnd::BareReturn } => {
                emitter.weird_with(now, Weird::HttpMalformedHead, "carriage return alone".into());
                (text, taken)
            }
            Found::Cut { text, taken } => {
                emitter.weird(now, Weird::HttpHeadTooLong);
                (text, taken)
            }
            Found::Passed { taken } => return Progress::Took(taken),
            Found::Nothing => return Progress::Starved,
        };
        match self.take_line(role, text, now, emitter) {
            Some(exit) => Progress::Left(taken, exit),
            None => Progress::Took(taken),
        }
    }

    fn take_line(
        &mut self,
        role: Role,
        text: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Option<Exit> {
        match &mut self.side(role).state {
            State::Start => {
                if text.trim_ascii().is_empty() {
                    self.side(role).first = None;
                    return None;
                }
                self.start_line(role, text, now, emitter);
            }
            State::Head(head) => match head.take(text) {
                LineOutcome::Taken => {}
                LineOutcome::Malformed => {
                    let detail = Detail::Text(excerpt(text));
                    emitter.weird_with(now, Weird::HttpMalformedHead, detail);
                }
                LineOutcome::End => return self.head_ended(role, now, emitter),
            },
            State::ChunkSize => self.chunk_size(role, text, now, emitter),
            State::ChunkEnd if text.is_empty() => self.side(role).state = State::ChunkSize,
            State::ChunkEnd => {
                malformed_chunk(text, now, emitter);
                self.lose(role, now, emitter);
            }
            State::Trailers if text.is_empty() => {
                self.end_body(role, Ending::Complete, now, emitter);
            }
            _ => {}
        }
        None
    }

    fn chunk_size(&mut self, role: Role, text: &[u8], now: Timestamp, emitter: &mut Emitter) {
        let size = framing::chunk_size(text);
        if !size.is_some_and(|size| size.is_clean) {
            malformed_chunk(text, now, emitter);
        }
        match size.map(|size| size.bytes) {
            Some(0) => self.side(role).state = State::Trailers,
            Some(left) => self.side(role).state = State::ChunkData { left },
            None => self.lose(role, now, emitter),
        }
    }

    fn start_line(&mut self, role: Role, text: &[u8], now: Timestamp, emitter: &mut Emitter) {
        let head = match role {
            Role::Client => Head::request(text),
            Role::Server => Head::status(text),
        };
        let Some(head) = head else {
            let detail = Detail::Text(excerpt(text));
            emitter.weird_with(now, Weird::HttpMalformedHead, detail);
            self.lose(role, now, emitter);
            return;
        };
        if head.is_odd() {
            emitter.weird_with(now, Weird::HttpMalformedHead, Detail::Text(excerpt(text)));
        }
        self.side(role).state = State::Head(Box::new(head));
    }

    /// A head is complete: its message begins.
    fn head_ended(&mut self, role: Role, now: Timestamp, emitter: &mut Emitter) -> Option<Exit> {
        let State::Head(head) = std::mem::replace(&mut self.side(role).state, State::Start) else {
            return None;
        };
        let Head { line, fields, .. } = *head;
        if fields.cut {
            emitter.weird(now, Weird::HttpHeadTooLong);
        }
        if framing::is_ambiguous(&line, &fields) {
            emitter.weird(now, Weird::HttpAmbiguousLength);
        }
        match line {
            StartLine::Request(line) => {
                self.begin_request(line, fields, now, emitter);
                None
            }
            StartLine::Status(line) => self.begin_response(line, fields, now, emitter),
        }
    }

    fn begin_request(
        &mut self,
        line: RequestLine,
        fields: Fields,
        now: Timestamp,
        emitter: &mut Emitter,
    ) {
        let framing = framing::of_request(&line, &fields);
        let connect = line.is_method(b"CONNECT");
        let first = self.client.first.take().unwrap_or(now);
        let message = Message { line, fields, ..Message::default() };
        self.exchanges.request(first, message, emitter);
        self.client.body = Body::counted();
        self.begin_body(Role::Client, framing, now, emitter);
        if connect {
            self.client.state = State::Tunnel;
        }
    }

    fn begin_response(
        &mut self,
        line: StatusLine,
        fields: Fields,
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Option<Exit> {
        let first = self.server.first.take().unwrap_or(now);
        if matches!(line.status, Some(100 | 102..=199)) {
            return None;
        }
        let request = self.exchanges.awaiting();
        let exit = exit_after(&line, &fields, request);
        let refused = request.is_some_and(|request| request.line.is_method(b"CONNECT"));
        let framing = match exit {
            Some(_) => Framing::None,
            None => framing::of_response(&line, &fields, request),
        };
        let exit = exit.map(|exit| match (exit, request) {
            (Exit::Http2(_), Some(request)) => {
                Exit::Http2(Some(Box::new(Upgraded { first, request: request.clone() })))
            }
            (exit, _) => exit,
        });
        let hashing = line.hashing(&fields, self.hashing);
        self.server.body = Body::hashed(hashing, &fields.codings);
        let message = Message { line, fields, ..Message::default() };
        self.exchanges.response(first, message, emitter);
        self.begin_body(Role::Server, framing, now, emitter);
        if exit.is_none() && refused && matches!(self.client.state, State::Tunnel) {
            self.client.state = State::Start;
        }
        exit
    }

    fn begin_body(&mut self, role: Role, framing: Framing, now: Timestamp, emitter: &mut Emitter) {
        self.side(role).state = match framing {
            Framing::None => return self.end_body(role, Ending::Complete, now, emitter),
            Framing::Length(left) => State::Length { left },
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
    }

    fn sized_body(
        &mut self,
        role: Role,
        left: u64,
        rest: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Progress {
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        self.side(role).body.write(rest.get(..taken).unwrap_or_default());
        self.body_passed(role, u64::try_from(taken).unwrap_or(left), now, emitter);
        Progress::Took(taken)
    }

    /// So many bytes of a sized body went by, seen or not; no more than were left.
    fn body_passed(&mut self, role: Role, bytes: u64, now: Timestamp, emitter: &mut Emitter) {
        match &mut self.side(role).state {
            State::Length { left } => {
                *left = left.saturating_sub(bytes);
                if *left == 0 {
                    self.end_body(role, Ending::Complete, now, emitter);
                }
            }
            State::ChunkData { left } => {
                *left = left.saturating_sub(bytes);
                if *left == 0 {
                    self.side(role).state = State::ChunkEnd;
                }
            }
            _ => {}
        }
    }

    /// The message is over.
    fn end_body(&mut self, role: Role, ending: Ending, now: Timestamp, emitter: &mut Emitter) {
        let side = self.side(role);
        side.state = State::Start;
        let summary = side.body.end(ending, now, emitter);
        self.message_ended(role, summary, emitter);
    }

    fn message_ended(&mut self, role: Role, summary: BodySummary, emitter: &mut Emitter) {
        match role {
            Role::Client => self.exchanges.request_ended(summary, emitter),
            Role::Server => self.exchanges.response_ended(summary, emitter),
        }
    }

    /// Whether a client that asked for leave to send its body was refused and goes on with its next
    /// request instead (RFC 9110 section 10.1.1).
    fn is_declined(&self, rest: &[u8]) -> bool {
        self.exchanges.newest_is_declined()
            && self.client.body.is_empty()
            && probe::request_line(rest) == Verdict::Certain
    }

    /// So many bytes are missing.
    pub(super) fn gap(&mut self, role: Role, missing: u64, now: Timestamp, emitter: &mut Emitter) {
        match self.side(role).state {
            State::Length { left } | State::ChunkData { left } => {
                self.side(role).body.miss(missing.min(left));
                self.body_passed(role, missing.min(left), now, emitter);
                if missing > left {
                    self.lose(role, now, emitter);
                }
            }
            State::UntilClose => self.side(role).body.miss(missing),
            State::Tunnel => {}
            State::Lost => {
                self.side(role).lines.reset();
                if role == Role::Server {
                    self.exchanges.answers_lost();
                }
            }
            _ => self.lose(role, now, emitter),
        }
    }

    /// Writes down what is known of the message being read, and seeks the next one.
    fn lose(&mut self, role: Role, now: Timestamp, emitter: &mut Emitter) {
        emitter.weird(now, Weird::HttpLostPlace);
        if role == Role::Server && matches!(self.server.state, State::Start) {
            self.exchanges.answers_lost();
        }
        self.cut_short(role, Ending::Cut, now, emitter);
        let side = self.side(role);
        side.state = State::Lost;
        side.first = None;
        side.lines.reset();
    }

    /// The message being read, if any, will not go on.
    fn cut_short(&mut self, role: Role, ending: Ending, now: Timestamp, emitter: &mut Emitter) {
        match self.side(role).state {
            State::Start | State::Lost | State::Tunnel => {}
            State::Head(_) => {
                self.head_ended(role, now, emitter);
                self.end_body(role, Ending::Cut, now, emitter);
            }
            State::UntilClose => self.end_body(role, ending, now, emitter),
            _ => self.end_body(role, Ending::Cut, now, emitter),
        }
    }

    /// The flow is over; `rest` was not taken.
    pub(super) fn finish(
        &mut self,
        reason: FinishReason,
        rest: [(Role, &[u8]); 2],
        now: Timestamp,
        emitter: &mut Emitter,
    ) {
        for (role, rest) in rest {
            // A last line without its end.
            if matches!(self.side(role).state, State::Start | State::Head(_))
                && resync::is_whole_start(role, rest)
            {
                self.take_line(role, rest, now, emitter);
            }
            let ending = match reason {
                FinishReason::Fin => Ending::Complete,
                _ => Ending::Cut,
            };
            self.cut_short(role, ending, now, emitter);
        }
        self.exchanges.finish(emitter);
    }

    /// The flow goes on as something else: writes what is open.
    pub(super) fn leave(&mut self, emitter: &mut Emitter) {
        self.exchanges.finish(emitter);
    }

    /// Seeks a start line in bytes of unknown meaning.
    fn seek(&mut self, role: Role, rest: &[u8]) -> Progress {
        let side = self.side(role);
        let (text, taken) = match side.lines.next(rest) {
            Found::Line { text, taken, .. } | Found::Cut { text, taken } => (text, taken),
            Found::Passed { taken } => return Progress::Took(taken),
            Found::Nothing => return Progress::Starved,
        };
        match resync::start_in(role, text) {
            Some(at) => {
                side.state = State::Start;
                side.lines.reset();
                Progress::Took(at)
            }
            None => Progress::Took(taken),
        }
    }
}

fn malformed_chunk(text: &[u8], now: Timestamp, emitter: &mut Emitter) {
    emitter.weird_with(now, Weird::HttpMalformedChunk, Detail::Text(excerpt(text)));
}

/// Whether a final response ends HTTP/1 in this flow, and what comes then.
fn exit_after(
    line: &StatusLine,
    fields: &Fields,
    request: Option<&Message<RequestLine>>,
) -> Option<Exit> {
    match line.status? {
        101 => Some(match fields.upgrade.or(request.and_then(|request| request.fields.upgrade)) {
            Some(Upgrade::Http2) => Exit::Http2(None),
            Some(Upgrade::WebSocket) => Exit::Over,
            Some(Upgrade::Other) | None => Exit::Unknown,
        }),
        200..=299 if request.is_some_and(|request| request.line.is_method(b"CONNECT")) => {
            Some(Exit::Unknown)
        }
        _ => None,
    }
}
