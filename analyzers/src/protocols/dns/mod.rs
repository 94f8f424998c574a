//! DNS over UDP and TCP (RFC 1035, RFC 7766), multicast DNS (RFC 6762), LLMNR (RFC 4795) and the
//! NetBIOS name service (RFC 1002 §4.2): one message format, four protocols.
//!
//! In: datagrams, or a stream of messages each with its length before it. Out: one [`DnsRecord`]
//! for a query with its response, for a query that nobody answered, and for a response that nobody
//! asked for.
//!
//! A stream that begins in the middle of a message, or loses bytes, is searched for the next
//! message.
//!
//! Memory of a flow: [`DNS_PENDING`](crate::limits::DNS_PENDING) queries of about 110 bytes with a
//! name of at most [`DNS_NAME_BYTES`](crate::limits::DNS_NAME_BYTES) each, thus 90 KiB; on TCP the
//! stream keeps one message of at most 64 KiB for each direction.

mod dialect;
mod encoding;
mod message;
mod mnemonic;
mod name;
mod pending;
mod probe;
mod rdata;
mod record;
mod svcb;
#[cfg(test)]
mod tests;

pub use record::DnsRecord;

use self::dialect::Dialect;
use self::message::{HEADER_BYTES, Header, Message};
use self::pending::{Pending, Query};
use self::probe::{Found, Proof};
use crate::direction::{Direction, PerDirection};
use crate::emitter::Emitter;
use crate::flow_id::Transport;
use crate::limits::DNS_MESSAGE_BYTES;
use crate::malformed::Malformed;
use crate::protocol::{Analyzer, Chunk, Finish, FlowContext, Gap, Protocol, Step, StreamStart};
use crate::reader::Reader;
use crate::time::Timestamp;
use crate::weird::Weird;

/// DNS, as the list of protocols knows it.
pub const PROTOCOL: Protocol = Protocol {
    name: "dns",
    doc: "Domain Name System, with multicast DNS, LLMNR and the NetBIOS name service",
    specifications: &["RFC 1035", "RFC 6891", "RFC 6762", "RFC 4795", "RFC 1002 §4.2"],
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[dialect::DNS_PORT, dialect::MDNS_PORT, dialect::LLMNR_PORT, dialect::NBNS_PORT],
    buffer_bytes_max: LENGTH_BYTES + DNS_MESSAGE_BYTES,
    probe: probe::probe,
    analyzer: Some(|flow| Box::new(Dns::new(flow))),
    tables: &[&DnsRecord::TABLE],
};

/// Bytes of the length before each message of a stream.
const LENGTH_BYTES: usize = 2;

/// Whether the next byte of a stream is known to begin a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// It does.
    InStep,
    /// Not known; the next message must be found.
    Searching,
}

/// One flow.
struct Dns {
    dialect: Dialect,
    transport: Transport,
    framing: PerDirection<Framing>,
    /// Id of the newest message.
    newest_id: Option<u16>,
    pending: Pending,
}

/// A message with what is known of it beside its bytes.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    time: Timestamp,
    direction: Direction,
    bytes: &'a [u8],
    /// Length on the wire, more than `bytes` where some are missing.
    wire_bytes: usize,
}

impl Analyzer for Dns {
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let &Chunk { direction, time, bytes, wire_bytes } = chunk;
        if self.transport == Transport::TCP {
            return self.stream(chunk, emitter);
        }
        self.message(Arrival { time, direction, bytes, wire_bytes }, emitter);
        Step::Consumed(bytes.len())
    }

    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step {
        self.cut_message(gap.time, gap.direction, gap.rest, emitter);
        *self.framing.of_mut(gap.direction) = Framing::Searching;
        Step::Consumed(0)
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        for direction in Direction::BOTH {
            self.cut_message(finish.time, direction, finish.rest.of(direction), emitter);
        }
        while let Some(query) = self.pending.pop() {
            self.unanswered(query, emitter);
        }
    }
}

impl Dns {
    fn new(flow: &FlowContext) -> Self {
        let framing = match flow.start {
            StreamStart::Beginning => Framing::InStep,
            StreamStart::Midstream => Framing::Searching,
        };
        Self {
            dialect: Dialect::of(flow),
            transport: flow.transport,
            framing: PerDirection { src: framing, dst: framing },
            newest_id: None,
            pending: Pending::default(),
        }
    }

    /// Takes the messages out of a stream.
    fn stream(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step {
        let &Chunk { direction, time, bytes, .. } = chunk;
        let mut reader = Reader::new(bytes);
        loop {
            if *self.framing.of(direction) == Framing::Searching {
                let proof = self.newest_id.map_or(Proof::Content, Proof::ContentAfter);
                match probe::find_message(reader.rest(), proof) {
                    Found::At(offset) => {
                        reader.sub_lax(offset);
                        *self.framing.of_mut(direction) = Framing::InStep;
                    }
                    Found::UnclearFrom(offset) => {
                        reader.sub_lax(offset);
                        return rest_wanted(&reader, reader.remaining().saturating_add(1));
                    }
                }
            }
            match next_message(&reader) {
                Ok(Frame { message, after }) => {
                    let wire_bytes = message.len();
                    self.message(Arrival { time, direction, bytes: message, wire_bytes }, emitter);
                    reader = after;
                }
                Err(Unframed::Short { at_least }) => return rest_wanted(&reader, at_least),
                Err(Unframed::OutOfStep(malformed)) => {
                    emitter.weird_with(time, Weird::DnsOutOfStep, malformed.into());
                    *self.framing.of_mut(direction) = Framing::Searching;
                }
            }
        }
    }

    /// Reads what there is of a stream's message whose end will never come.
    fn cut_message(
        &mut self,
        time: Timestamp,
        direction: Direction,
        rest: &[u8],
        emitter: &mut Emitter,
    ) {
        let mut reader = Reader::new(rest);
        if let (Framing::InStep, Ok(length)) =
            (*self.framing.of(direction), reader.u16("message length"))
            && reader.remaining() > HEADER_BYTES
        {
            let (bytes, wire_bytes) = (reader.rest(), usize::from(length));
            self.message(Arrival { time, direction, bytes, wire_bytes }, emitter);
        }
    }

    /// Reads one message and writes the records that it completes.
    fn message(&mut self, arrival: Arrival<'_>, emitter: &mut Emitter) {
        let Arrival { time, direction, bytes, wire_bytes } = arrival;
        while let Some(query) = self.pending.pop_expired(time) {
            self.unanswered(query, emitter);
        }
        let message = match Message::read(bytes, self.dialect) {
            Ok(message) => message,
            Err(malformed) => return complain(arrival, malformed, emitter),
        };
        self.newest_id = Some(message.header.id);
        if let Some(malformed) = message.malformed {
            complain(arrival, malformed, emitter);
        }
        if message.answers_left_out {
            emitter.weird(time, Weird::DnsAnswersLeftOut);
        }
        if message.header.is_response() {
            let query = self.pending.take(&message, direction, self.dialect);
            let ts = query.as_ref().map_or(time, |query| query.time);
            let response = Response { time, bytes: wire_bytes, message };
            emitter.record(ts, DnsRecord::answered(self.dialect, query, response));
            return;
        }
        let Message { header, question, .. } = message;
        let query = Query { time, direction, header, question, bytes: wire_bytes };
        if let Some(oldest) = self.pending.push(query) {
            emitter.weird(time, Weird::DnsTooManyPending);
            self.unanswered(oldest, emitter);
        }
    }

    fn unanswered(&self, query: Query, emitter: &mut Emitter) {
        emitter.record(query.time, DnsRecord::unanswered(self.dialect, query));
    }
}

/// A response on its way into a record.
struct Response {
    time: Timestamp,
    bytes: usize,
    message: Message,
}

fn complain(arrival: Arrival<'_>, malformed: Malformed, emitter: &mut Emitter) {
    let cut = malformed.is_truncated() && arrival.bytes.len() < arrival.wire_bytes;
    let weird = if cut { Weird::DnsCut } else { Weird::DnsMalformed };
    emitter.weird_with(arrival.time, weird, malformed.into());
}

/// One message of a stream, and the reader behind it.
struct Frame<'a> {
    message: &'a [u8],
    after: Reader<'a>,
}

/// Why a stream's next bytes are no message.
enum Unframed {
    /// It is not whole yet; that many bytes are needed from its length field on.
    Short { at_least: usize },
    /// What stands where a message should begin cannot be one.
    OutOfStep(Malformed),
}

fn next_message<'a>(reader: &Reader<'a>) -> Result<Frame<'a>, Unframed> {
    let mut after = *reader;
    let Ok(length) = after.u16("message length") else {
        return Err(Unframed::Short { at_least: LENGTH_BYTES });
    };
    let length = usize::from(length);
    if length < HEADER_BYTES {
        return Err(Unframed::OutOfStep(Malformed::bad_length("message length", reader.offset())));
    }
    let mut header = after;
    if let Ok(header) = Header::read(&mut header)
        && !probe::fits(&header, length)
    {
        return Err(Unframed::OutOfStep(Malformed::bad_length("section counts", reader.offset())));
    }
    match after.take(length, "message") {
        Ok(message) => Ok(Frame { message, after }),
        Err(_) => Err(Unframed::Short { at_least: length.saturating_add(LENGTH_BYTES) }),
    }
}

/// Asks for more bytes: those before the reader are done with, or, if there are none, for
/// `at_least`.
fn rest_wanted(reader: &Reader<'_>, at_least: usize) -> Step {
    match reader.offset() {
        0 => Step::NeedMore { at_least },
        done => Step::Consumed(done),
    }
}
