//! The streams of an HTTP/2 flow. In: heads, data and ends by stream number. Out: an exchange for
//! each stream once both sides have ended it, or one side has reset it.

use super::super::content::{Body, Ending};
use super::super::exchange::{Exchange, Message, Phase, RequestLine, StatusLine};
use super::super::h1::Role;
use crate::emitter::Emitter;
use crate::limits::{HTTP2_CODED_BODIES, HTTP2_STREAMS};
use crate::protocol::FileHashing;
use crate::time::Timestamp;
use crate::weird::Weird;

/// A stream that is open.
#[derive(Debug)]
struct Stream {
    id: u32,
    exchange: Exchange,
    sent: Body,
    answered: Body,
}

impl Stream {
    fn body(&mut self, role: Role) -> &mut Body {
        match role {
            Role::Client => &mut self.sent,
            Role::Server => &mut self.answered,
        }
    }

    /// One side says nothing more.
    fn end(&mut self, role: Role, ending: Ending, now: Timestamp, emitter: &mut Emitter) {
        let body = self.body(role).end(ending, now, emitter);
        match (role, &mut self.exchange.request, &mut self.exchange.response) {
            (Role::Client, Some(request), _) => {
                (request.body, request.phase) = (body, Phase::Ended);
            }
            (Role::Server, _, Some(response)) => {
                (response.body, response.phase) = (body, Phase::Ended);
            }
            _ => {}
        }
    }

    /// Both sides say nothing more, whatever was still to come.
    fn write(mut self, now: Timestamp, emitter: &mut Emitter) {
        for role in [Role::Client, Role::Server] {
            let ended = match role {
                Role::Client => self.exchange.request.as_ref().map(|request| request.phase),
                Role::Server => self.exchange.response.as_ref().map(|response| response.phase),
            };
            if ended == Some(Phase::Open) {
                self.end(role, Ending::Cut, now, emitter);
            }
        }
        self.exchange.write(emitter);
    }
}

/// The open streams, oldest first; at most [`HTTP2_STREAMS`].
#[derive(Debug)]
pub(super) struct Streams {
    open: Vec<Stream>,
    requests: i32,
    hashing: FileHashing,
}

impl Streams {
    pub(super) const fn new(hashing: FileHashing) -> Self {
        Self { open: Vec::new(), requests: 0, hashing }
    }

    fn find(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.iter_mut().rev().find(|stream| stream.id == id)
    }

    fn open(&mut self, id: u32, exchange: Exchange, now: Timestamp, emitter: &mut Emitter) {
        if self.open.len() >= HTTP2_STREAMS {
            emitter.weird(now, Weird::Http2LimitReached);
            self.open.remove(0).write(now, emitter);
        }
        self.open.push(Stream { id, exchange, sent: Body::counted(), answered: Body::counted() });
    }

    /// A request's head; a second one on the same stream is its trailers.
    pub(super) fn request(
        &mut self,
        id: u32,
        first: Timestamp,
        message: Message<RequestLine>,
        now: Timestamp,
        emitter: &mut Emitter,
    ) {
        if self.find(id).is_some_and(|stream| stream.exchange.request.is_some()) {
            return;
        }
        self.requests = self.requests.saturating_add(1);
        let depth = Some(self.requests);
        match self.find(id) {
            Some(stream) => {
                stream.exchange.depth = depth;
                stream.exchange.request = Some(message);
            }
            None => {
                let exchange = Exchange { first, depth, request: Some(message), response: None };
                self.open(id, exchange, now, emitter);
            }
        }
    }

    /// A final response's head; a second one on the same stream is its trailers.
    pub(super) fn response(
        &mut self,
        id: u32,
        first: Timestamp,
        message: Message<StatusLine>,
        now: Timestamp,
        emitter: &mut Emitter,
    ) {
        let coded = self.open.iter().filter(|stream| {
            let response = stream.exchange.response.as_ref();
            response.is_some_and(|response| !response.fields.codings.is_empty())
        });
        let body = if message.fields.codings.is_empty() || coded.count() < HTTP2_CODED_BODIES {
            let hashing = message.line.hashing(&message.fields, self.hashing);
            Body::hashed(hashing, &message.fields.codings)
        } else {
            emitter.weird(now, Weird::Http2LimitReached);
            Body::counted()
        };
        if self.find(id).is_none() {
            let exchange = Exchange { first, depth: None, request: None, response: None };
            self.open(id, exchange, now, emitter);
        }
        if let Some(stream) = self.find(id).filter(|stream| stream.exchange.response.is_none()) {
            stream.answered = body;
            stream.exchange.response = Some(message);
        }
    }

    /// Data of one side.
    pub(super) fn data(&mut self, id: u32, role: Role, piece: &[u8]) {
        if let Some(stream) = self.find(id) {
            stream.body(role).write(piece);
        }
    }

    /// Data of one side that the capture does not hold.
    pub(super) fn miss(&mut self, id: u32, role: Role, missing: u64) {
        if let Some(stream) = self.find(id) {
            stream.body(role).miss(missing);
        }
    }

    /// One side says nothing more on the stream.
    pub(super) fn end(&mut self, id: u32, role: Role, now: Timestamp, emitter: &mut Emitter) {
        if let Some(stream) = self.find(id) {
            stream.end(role, Ending::Complete, now, emitter);
            if stream.exchange.is_over() {
                self.close(id, now, emitter);
            }
        }
    }

    /// Either side gives up the stream, or it is over.
    pub(super) fn close(&mut self, id: u32, now: Timestamp, emitter: &mut Emitter) {
        if let Some(at) = self.open.iter().position(|stream| stream.id == id) {
            self.open.remove(at).write(now, emitter);
        }
    }

    /// The flow is over.
    pub(super) fn finish(&mut self, now: Timestamp, emitter: &mut Emitter) {
        for stream in self.open.drain(..) {
            stream.write(now, emitter);
        }
    }
}
