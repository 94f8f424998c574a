//! Recognises DNS by content. The port only says how much proof is wanted.
//!
//! In: the first bytes of a direction, or a datagram. Out: a verdict. On a port of DNS a header
//! with modest counts suffices, or a sound one with a readable question; what follows may be odd or
//! cut. On any other port the question must be one that a program would ask, and a datagram must
//! hold exactly one message.
//!
//! A stream's later messages are found again after a gap by the same test ([`message_at`]). It
//! reads no further than the first question, so that a search costs a bounded number of steps a
//! byte.

use super::dialect::{DNS_PORT, Dialect, LLMNR_PORT, MDNS_PORT, NBNS_PORT};
use super::message::{HEADER_BYTES, Header, Message};
use super::mnemonic::{class_word, type_word};
use super::name;
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{FlowContext, Probe, StreamStart, Verdict};
use crate::reader::Reader;

/// How much proof is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The port speaks for DNS already.
    Port,
    /// Content alone.
    Content,
    /// Content alone, in a flow where a message of that id was seen: further messages of a zone
    /// transfer (RFC 5936 §2.2) have it and no question.
    ContentAfter(u16),
}

impl Proof {
    fn wanted(flow: &FlowContext) -> Self {
        let by_port = match flow.transport {
            Transport::TCP => [DNS_PORT, LLMNR_PORT].as_slice(),
            _ => [DNS_PORT, MDNS_PORT, LLMNR_PORT, NBNS_PORT].as_slice(),
        };
        if by_port.iter().any(|port| flow.has_port(*port)) { Self::Port } else { Self::Content }
    }
}

/// Answers the list of protocols.
pub(super) fn probe(probe: &Probe<'_>) -> Verdict {
    let proof = Proof::wanted(probe.flow);
    if probe.flow.transport != Transport::TCP {
        return datagram(probe.bytes, Dialect::of(probe.flow), proof);
    }
    let verdict = message_at(probe.bytes, proof);
    if proof == Proof::Content
        || probe.flow.start == StreamStart::Beginning
        || verdict == Verdict::Certain
    {
        return verdict;
    }
    match find_message(probe.bytes, Proof::Content) {
        Found::At(_) => Verdict::Certain,
        Found::UnclearFrom(_) => Verdict::Unsure,
    }
}

fn datagram(bytes: &[u8], dialect: Dialect, proof: Proof) -> Verdict {
    let verdict = start_of_message(bytes, bytes.len(), dialect, proof);
    let whole = || Message::read(bytes, dialect).is_ok_and(|m| m.malformed.is_none());
    match (verdict, proof) {
        (Verdict::Certain, Proof::Port) => Verdict::Certain,
        (Verdict::Certain, Proof::Content) if whole() => Verdict::Certain,
        _ => Verdict::NotForUs,
    }
}

/// Where in a stream a message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Its length field is there.
    At(usize),
    /// No message begins before that byte; from there on more bytes will tell.
    UnclearFrom(usize),
}

/// The first place in a stream's bytes where a message with a length before it begins.
pub(super) fn find_message(bytes: &[u8], proof: Proof) -> Found {
    for (start, _) in bytes.iter().enumerate() {
        match message_at(bytes.get(start..).unwrap_or_default(), proof) {
            Verdict::Certain => return Found::At(start),
            Verdict::Unsure => return Found::UnclearFrom(start),
            Verdict::NotForUs => {}
        }
    }
    Found::UnclearFrom(bytes.len())
}

/// Whether a message with its length before it begins at the first byte.
fn message_at(bytes: &[u8], proof: Proof) -> Verdict {
    let mut reader = Reader::new(bytes);
    match reader.u16("message length") {
        Ok(length) if usize::from(length) < HEADER_BYTES => Verdict::NotForUs,
        Ok(length) => start_of_message(reader.rest(), length.into(), Dialect::Tcp, proof),
        Err(_) => Verdict::Unsure,
    }
}

/// Judges a message of `wire_bytes` by its header and its first question.
fn start_of_message(bytes: &[u8], wire_bytes: usize, dialect: Dialect, proof: Proof) -> Verdict {
    let mut reader = Reader::new(bytes);
    let Ok(header) = Header::read(&mut reader) else { return Verdict::Unsure };
    if !is_sound(&header, wire_bytes, proof) {
        return Verdict::NotForUs;
    }
    if header.questions == 0 && header.records() == 0 {
        let refusal = header.is_response() && header.rcode() != 0;
        return if refusal { Verdict::Certain } else { Verdict::NotForUs };
    }
    if proof == Proof::Port && is_modest(&header) {
        return Verdict::Certain;
    }
    match first_entry(&mut reader, dialect, proof) {
        Ok(()) => Verdict::Certain,
        Err(malformed) if malformed.is_truncated() => Verdict::Unsure,
        Err(_) => Verdict::NotForUs,
    }
}

/// Whether the counts alone tell DNS from other protocols that hide behind its port.
fn is_modest(header: &Header) -> bool {
    header.questions == 1 && header.records() <= RECORDS_BELIEVED
}

/// Bytes of the smallest question and of the smallest record.
const SMALLEST_QUESTION: usize = 5;
const SMALLEST_RECORD: usize = 11;

/// Most questions that a message is believed to hold; multicast DNS asks several at once.
const QUESTIONS_BELIEVED: u16 = 64;

/// Most records that a header with an unreadable question is believed to count.
const RECORDS_BELIEVED: usize = 64;

/// Whether a message of `wire_bytes` can hold what its header counts.
pub(super) fn fits(header: &Header, wire_bytes: usize) -> bool {
    let questions = usize::from(header.questions).saturating_mul(SMALLEST_QUESTION);
    let records = header.records().saturating_mul(SMALLEST_RECORD);
    questions.saturating_add(records).saturating_add(HEADER_BYTES) <= wire_bytes
}

/// Whether the header's numbers go together.
fn is_sound(header: &Header, wire_bytes: usize, proof: Proof) -> bool {
    let fits = fits(header, wire_bytes);
    match proof {
        // A capture that cuts datagrams hides how long they were; a readable question makes up for
        // it.
        Proof::Port => header.questions == 1 || fits && header.questions <= QUESTIONS_BELIEVED,
        Proof::Content | Proof::ContentAfter(_) => {
            let query_is_plain = header.is_response() || header.rcode() == 0;
            let reserved_bit = header.flags & 0x0040;
            // Standard query, notify, update.
            let known_operation = matches!(header.opcode(), 0 | 4 | 5);
            let asks_one = header.questions == 1 || goes_on(header, proof);
            fits && asks_one && query_is_plain && reserved_bit == 0 && known_operation
        }
    }
}

/// Whether a response without a question goes on with what another message began.
fn goes_on(header: &Header, proof: Proof) -> bool {
    header.questions == 0 && header.is_response() && proof == Proof::ContentAfter(header.id)
}

/// Reads the first question, or the start of the first record where there is none: responses of
/// multicast DNS and NetBIOS repeat no question. Doubts what no program sends.
fn first_entry(r: &mut Reader<'_>, dialect: Dialect, proof: Proof) -> Result<(), Malformed> {
    let start = r.offset();
    let mut text = Vec::with_capacity(64);
    name::read(r, &mut text)?;
    let type_is_known = type_word(r.u16("type")?, dialect).is_some();
    let class_is_known = class_word(dialect.class(r.u16("class")?)).is_some();
    let plausible = match proof {
        Proof::Port => type_is_known || class_is_known,
        Proof::Content | Proof::ContentAfter(_) => {
            type_is_known && class_is_known && text.iter().all(u8::is_ascii_graphic)
        }
    };
    if plausible { Ok(()) } else { Err(Malformed::bad_value("first entry", start)) }
}
