//! HTTP/2 without TLS. In: both directions from the client's preface on. Out: one exchange for each
//! stream. RFC 9113.
//!
//! Data is counted and hashed as it comes; only frames that carry header blocks wait for their end.

mod frame;
mod hpack;
mod huffman;
mod streams;
#[cfg(test)]
mod tests;

use self::frame::{Flags, FrameHeader, FrameKind, HEADER_BYTES};
use self::hpack::Decoder;
use self::streams::Streams;
use super::exchange::{Message, RequestLine, StatusLine};
use super::fields::{FieldName, Fields};
use super::h1::{Role, Upgraded};
use super::probe::PREFACE;
use crate::emitter::{Detail, Emitter};
use crate::limits::HTTP2_BLOCK_BYTES;
use crate::malformed::{Malformed, MalformedKind};
use crate::protocol::FlowContext;
use crate::reader::Reader;
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// Bytes that a stream may have to keep for one frame.
pub(super) const FRAME_BYTES_MAX: usize = HTTP2_BLOCK_BYTES + HEADER_BYTES;

/// The stream that answers a request which asked for the upgrade (RFC 7540 section 3.2).
const UPGRADED_STREAM: u32 = 1;

/// Where a side stands between frames.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Before the client's preface.
    Preface,
    /// Before a frame.
    Frame,
    /// In a payload.
    Payload(Payload),
    /// A gap tore the frames apart; they cannot be found again.
    Lost,
}

/// A payload that is taken as it comes.
#[derive(Clone, Copy, Debug)]
struct Payload {
    /// Bytes that are left of data.
    data: usize,
    /// Bytes that are left of padding, or of a frame without interest.
    padding: usize,
    stream: u32,
    /// Whether data belongs to a stream, and ends it.
    flags: Option<Flags>,
}

/// A header block whose end is not seen yet.
#[derive(Debug)]
struct Block {
    stream: u32,
    /// Whether it is a promised request, sent by the server.
    kind: FrameKind,
    flags: Flags,
    first: Timestamp,
    bytes: Vec<u8>,
}

/// One direction.
#[derive(Debug)]
struct Side {
    state: State,
    hpack: Decoder,
    block: Option<Block>,
    /// Packet time of the first byte of the frame being waited for.
    first: Option<Timestamp>,
}

impl Side {
    fn new(state: State) -> Self {
        Self { state, hpack: Decoder::default(), block: None, first: None }
    }
}

/// An HTTP/2 flow.
#[derive(Debug)]
pub(super) struct Http2 {
    client: Side,
    server: Side,
    streams: Streams,
}

impl Http2 {
    /// Starts before the client's preface.
    pub(super) fn new(flow: &FlowContext) -> Self {
        Self {
            client: Side::new(State::Preface),
            server: Side::new(State::Frame),
            streams: Streams::new(flow.hashing),
        }
    }

    /// Goes on after an upgrade: stream 1 answers its request, which is over.
    pub(super) fn upgraded(&mut self, upgraded: Upgraded, emitter: &mut Emitter) {
        let Upgraded { first, mut request } = upgraded;
        request.line.version = Some(Text::Word("2"));
        self.streams.request(UPGRADED_STREAM, first, request, first, emitter);
        self.streams.end(UPGRADED_STREAM, Role::Client, first, emitter);
    }

    fn side(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Takes what it can of `bytes` and says how many, and how many it needs at least to go on.
    pub(super) fn data(
        &mut self,
        role: Role,
        bytes: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> (usize, usize) {
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            self.side(role).first.get_or_insert(now);
            match self.step(role, rest, now, emitter) {
                Ok(more) => taken = taken.saturating_add(more),
                Err(at_least) => return (taken, at_least),
            }
            self.side(role).first = None;
        }
        (taken, 1)
    }

    /// Takes some of `rest`, or says how many bytes it needs.
    fn step(
        &mut self,
        role: Role,
        rest: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Result<usize, usize> {
        match self.side(role).state {
            State::Preface if rest.len() < PREFACE.len() => Err(PREFACE.len()),
            State::Preface => {
                self.side(role).state = State::Frame;
                if rest.starts_with(PREFACE) {
                    return Ok(PREFACE.len());
                }
                self.lose(role, Malformed::bad_value("preface", 0), now, emitter);
                Ok(rest.len())
            }
            State::Frame => self.frame(role, rest, now, emitter),
            State::Payload(payload) => Ok(self.payload(role, payload, rest, now, emitter)),
            State::Lost => Ok(rest.len()),
        }
    }

    fn frame(
        &mut self,
        role: Role,
        rest: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Result<usize, usize> {
        let mut r = Reader::new(rest);
        let header = FrameHeader::read(&mut r).map_err(|_| HEADER_BYTES)?;
        let stream = header.stream;
        let mut payload = Payload { data: 0, padding: header.length, stream, flags: None };
        match header.kind {
            FrameKind::Headers | FrameKind::PushPromise | FrameKind::Continuation => {
                if header.length <= HTTP2_BLOCK_BYTES {
                    let whole = HEADER_BYTES.saturating_add(header.length);
                    let bytes = r.take(header.length, "payload").map_err(|_| whole)?;
                    if let Err(malformed) = self.header_frame(role, &header, bytes, now, emitter) {
                        weird(malformed, now, emitter);
                    }
                    return Ok(whole);
                }
                self.side(role).block = None;
                emitter.weird(now, Weird::Http2LimitReached);
            }
            FrameKind::Data => {
                let padding = match header.flags.padded() {
                    true => r.u8("pad length").map_err(|_| HEADER_BYTES.saturating_add(1))?,
                    false => 0,
                };
                let read = r.offset().saturating_sub(HEADER_BYTES);
                let left = header.length.saturating_sub(read);
                payload.padding = usize::from(padding).min(left);
                payload.data = left.saturating_sub(payload.padding);
                payload.flags = Some(header.flags);
            }
            FrameKind::RstStream => self.streams.close(stream, now, emitter),
            FrameKind::Other => {}
        }
        self.enter(role, payload, now, emitter);
        Ok(r.offset())
    }

    /// Goes on with a payload of which so much is left, perhaps nothing.
    fn enter(&mut self, role: Role, payload: Payload, now: Timestamp, emitter: &mut Emitter) {
        let left = payload.data.saturating_add(payload.padding);
        self.side(role).state = if left == 0 { State::Frame } else { State::Payload(payload) };
        if left == 0 && payload.flags.is_some_and(Flags::end_stream) {
            self.streams.end(payload.stream, role, now, emitter);
        }
    }

    fn payload(
        &mut self,
        role: Role,
        mut payload: Payload,
        rest: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> usize {
        let data = payload.data.min(rest.len());
        self.streams.data(payload.stream, role, rest.get(..data).unwrap_or_default());
        let padding = payload.padding.min(rest.len().saturating_sub(data));
        payload.data = payload.data.saturating_sub(data);
        payload.padding = payload.padding.saturating_sub(padding);
        self.enter(role, payload, now, emitter);
        data.saturating_add(padding)
    }

    /// A frame that carries a header block or a part of one.
    fn header_frame(
        &mut self,
        role: Role,
        header: &FrameHeader,
        payload: &[u8],
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Result<(), Malformed> {
        let (stream, fragment) = header.fragment(payload)?;
        let side = self.side(role);
        let first = side.first.unwrap_or(now);
        let mut block = match (header.kind, side.block.take()) {
            (FrameKind::Continuation, Some(block)) if block.stream == stream => block,
            (FrameKind::Continuation, _) => return Err(Malformed::bad_value("continuation", 0)),
            (kind, _) => Block { stream, kind, flags: header.flags, first, bytes: Vec::new() },
        };
        if block.bytes.len().saturating_add(fragment.len()) > HTTP2_BLOCK_BYTES {
            return Err(Malformed::limit("header block", block.bytes.len()));
        }
        block.bytes.extend_from_slice(fragment);
        if header.flags.end_headers() {
            return self.block_ended(role, &block, now, emitter);
        }
        side.block = Some(block);
        Ok(())
    }

    /// A header block is whole: a message begins, or ends with trailers. What could be read of a
    /// malformed one counts.
    fn block_ended(
        &mut self,
        role: Role,
        block: &Block,
        now: Timestamp,
        emitter: &mut Emitter,
    ) -> Result<(), Malformed> {
        let mut head = BlockHead::default();
        let outcome =
            self.side(role).hpack.decode(&block.bytes, &mut |name, value| head.take(name, value));
        let promised = block.kind == FrameKind::PushPromise;
        let BlockHead { request, status, fields } = head;
        if role == Role::Client || promised {
            let message = Message { line: request, fields, ..Message::default() };
            self.streams.request(block.stream, block.first, message, now, emitter);
        } else if !matches!(status.status, Some(100..=199)) {
            let message = Message { line: status, fields, ..Message::default() };
            self.streams.response(block.stream, block.first, message, now, emitter);
        }
        if promised {
            self.streams.end(block.stream, Role::Client, now, emitter);
        } else if block.flags.end_stream() {
            self.streams.end(block.stream, role, now, emitter);
        }
        outcome
    }

    /// So many bytes are missing: no harm inside a payload that is taken as it comes.
    pub(super) fn gap(&mut self, role: Role, missing: u64, now: Timestamp, emitter: &mut Emitter) {
        match (self.side(role).state, usize::try_from(missing)) {
            (State::Payload(mut payload), Ok(missing))
                if missing <= payload.data.saturating_add(payload.padding) =>
            {
                let data = payload.data.min(missing);
                self.streams.miss(payload.stream, role, u64::try_from(data).unwrap_or(u64::MAX));
                payload.data = payload.data.saturating_sub(data);
                payload.padding = payload.padding.saturating_sub(missing.saturating_sub(data));
                self.enter(role, payload, now, emitter);
            }
            (State::Lost, _) => {}
            _ => self.lose(role, Malformed::bad_length("frame in a gap", 0), now, emitter),
        }
    }

    fn lose(&mut self, role: Role, malformed: Malformed, now: Timestamp, emitter: &mut Emitter) {
        emitter.weird_with(now, Weird::HttpLostPlace, malformed.into());
        let side = self.side(role);
        side.state = State::Lost;
        side.block = None;
    }

    /// The flow is over.
    pub(super) fn finish(&mut self, now: Timestamp, emitter: &mut Emitter) {
        self.streams.finish(now, emitter);
    }
}

fn weird(malformed: Malformed, now: Timestamp, emitter: &mut Emitter) {
    let name = match malformed.kind {
        MalformedKind::LimitReached => Weird::Http2LimitReached,
        _ => Weird::Http2Malformed,
    };
    emitter.weird_with(now, name, Detail::Malformed(malformed));
}

/// The fields of one block, pseudo-fields apart (RFC 9113 section 8.3).
struct BlockHead {
    request: RequestLine,
    status: StatusLine,
    fields: Fields,
}

impl Default for BlockHead {
    fn default() -> Self {
        let version = Some(Text::Word("2"));
        Self {
            request: RequestLine { version: version.clone(), ..RequestLine::default() },
            status: StatusLine { version, ..StatusLine::default() },
            fields: Fields::default(),
        }
    }
}

impl BlockHead {
    fn take(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b":method" => self.request.method = self.fields.keep(value),
            b":path" => self.request.uri = self.fields.keep(value),
            b":authority" => {
                self.fields.host = None;
                self.fields.take(FieldName::Host, value);
            }
            b":status" => {
                let digits = std::str::from_utf8(value).ok();
                self.status.status = digits.and_then(|digits| digits.parse().ok());
            }
            _ => {
                if let Some(name) = FieldName::of(name) {
                    self.fields.take(name, value);
                }
            }
        }
    }
}
