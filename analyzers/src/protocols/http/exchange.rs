//! Requests and the responses that answer them. In: heads and ended bodies in the order of the
//! wire. Out: one row for each pair (RFC 9112 section 9.3.2: responses come in the order of
//! requests).

use std::collections::VecDeque;

use super::content::BodySummary;
use super::fields::{Extent, Fields};
use super::record::HttpRecord;
use crate::emitter::Emitter;
use crate::limits::HTTP_PENDING;
use crate::protocol::{FileHashing, StreamStart};
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// The first line of a request, or the pseudo-fields of HTTP/2.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RequestLine {
    pub(super) method: Option<Text>,
    pub(super) uri: Option<Text>,
    pub(super) version: Option<Text>,
}

impl RequestLine {
    pub(super) fn is_method(&self, method: &[u8]) -> bool {
        self.method.as_ref().is_some_and(|sent| sent.as_bytes() == method)
    }
}

/// The first line of a response, or the pseudo-fields of HTTP/2.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StatusLine {
    pub(super) version: Option<Text>,
    pub(super) status: Option<u16>,
    pub(super) reason: Option<Text>,
}

impl StatusLine {
    /// Whether the body of such an answer is hashed: a part of a file has no hash of its own.
    pub(super) fn hashing(&self, fields: &Fields, wanted: FileHashing) -> FileHashing {
        const PARTIAL_CONTENT: u16 = 206;
        if self.status == Some(PARTIAL_CONTENT) && fields.range == Extent::Part {
            return FileHashing::Off;
        }
        wanted
    }
}

/// Whether a message, or one side of an exchange, is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its body may go on.
    #[default]
    Open,
    /// It is over.
    Ended,
}

/// What is kept of one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Message<L> {
    pub(super) line: L,
    pub(super) fields: Fields,
    pub(super) body: BodySummary,
    pub(super) phase: Phase,
}

/// A request and its response, as far as they were seen.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// Packet time of its first packet.
    pub(super) first: Timestamp,
    /// 1 for the flow's first request.
    pub(super) depth: Option<i32>,
    pub(super) request: Option<Message<RequestLine>>,
    pub(super) response: Option<Message<StatusLine>>,
}

impl Exchange {
    /// Whether nothing more can come: the response is over, and the request too.
    pub(super) fn is_over(&self) -> bool {
        let sent = self.request.as_ref().is_none_or(|request| request.phase == Phase::Ended);
        sent && self.response.as_ref().is_some_and(|response| response.phase == Phase::Ended)
    }

    pub(super) fn write(self, emitter: &mut Emitter) {
        emitter.record(self.first, HttpRecord::from(self));
    }
}

/// The exchanges of an HTTP/1 flow that are not written yet. The response being read belongs to the
/// front, the request being read to the back.
#[derive(Debug)]
pub(super) struct Exchanges {
    /// Boxed, since a queue keeps room for several and most flows have one open at a time.
    open: VecDeque<Box<Exchange>>,
    requests: i32,
    start: StreamStart,
    /// Whether any response was seen; a client seen alone is never answered, which is not odd.
    answered: bool,
    /// How many of the open requests may have been answered inside a gap.
    answers_lost: usize,
}

impl Exchanges {
    pub(super) fn new(start: StreamStart) -> Self {
        Self { open: VecDeque::new(), requests: 0, start, answered: false, answers_lost: 0 }
    }

    /// A request's head is complete.
    pub(super) fn request(
        &mut self,
        first: Timestamp,
        message: Message<RequestLine>,
        emitter: &mut Emitter,
    ) {
        self.requests = self.requests.saturating_add(1);
        let depth = Some(self.requests);
        for _ in 0..std::mem::take(&mut self.answers_lost) {
            self.write_front(emitter);
        }
        // Packets of both directions may be captured in the wrong order, so that the response to a
        // flow's request comes first.
        if self.start == StreamStart::Beginning
            && let [only] = self.open.make_contiguous()
            && only.request.is_none()
        {
            only.request = Some(message);
            only.depth = depth;
            return;
        }
        if self.open.len() >= HTTP_PENDING {
            if self.answered {
                emitter.weird(first, Weird::HttpTooManyPending);
            }
            self.write_front(emitter);
        }
        let exchange = Exchange { first, depth, request: Some(message), response: None };
        self.open.push_back(Box::new(exchange));
    }

    /// The request being read is over.
    pub(super) fn request_ended(&mut self, body: BodySummary, emitter: &mut Emitter) {
        if let Some(request) = self.open.back_mut().and_then(|last| last.request.as_mut()) {
            request.body = body;
            request.phase = Phase::Ended;
        }
        self.write_over(emitter);
    }

    /// A final response's head is complete.
    pub(super) fn response(
        &mut self,
        first: Timestamp,
        message: Message<StatusLine>,
        emitter: &mut Emitter,
    ) {
        self.answered = true;
        self.answers_lost = 0;
        if self.open.front().is_some_and(|front| front.response.is_some()) {
            self.write_front(emitter);
        }
        match self.open.front_mut() {
            Some(front) => front.response = Some(message),
            None => self.open.push_back(Box::new(Exchange {
                first,
                depth: None,
                request: None,
                response: Some(message),
            })),
        }
    }

    /// The response being read is over.
    pub(super) fn response_ended(&mut self, body: BodySummary, emitter: &mut Emitter) {
        if let Some(response) = self.open.front_mut().and_then(|front| front.response.as_mut()) {
            response.body = body;
            response.phase = Phase::Ended;
        }
        self.write_over(emitter);
    }

    /// The server's place was lost between two responses: whatever is open may have been answered
    /// there. A client that does not pipeline shows by its next request that it was.
    pub(super) fn answers_lost(&mut self) {
        self.answers_lost = self.open.len();
    }

    /// The request that the next response answers.
    pub(super) fn awaiting(&self) -> Option<&Message<RequestLine>> {
        self.open.iter().find(|open| open.response.is_none()).and_then(|open| open.request.as_ref())
    }

    /// Whether the newest request waits for leave to send its body and has a final response
    /// already.
    pub(super) fn newest_is_declined(&self) -> bool {
        self.open.back().is_some_and(|last| {
            let waits =
                last.request.as_ref().is_some_and(|request| request.fields.expects_continue);
            waits && last.response.is_some()
        })
    }

    /// Writes everything that is open.
    pub(super) fn finish(&mut self, emitter: &mut Emitter) {
        while !self.open.is_empty() {
            self.write_front(emitter);
        }
    }

    fn write_front(&mut self, emitter: &mut Emitter) {
        if let Some(front) = self.open.pop_front() {
            front.write(emitter);
        }
    }

    /// Writes what is over. A response whose request is not seen yet is kept at a flow's beginning.
    fn write_over(&mut self, emitter: &mut Emitter) {
        while self.open.front().is_some_and(|front| {
            front.is_over() && (front.request.is_some() || self.start == StreamStart::Midstream)
        }) {
            self.write_front(emitter);
        }
    }
}
