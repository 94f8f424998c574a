//! The protocol contract: the descriptor of a protocol, the probe that recognises it, the analyzer
//! that follows a flow of it, and what they are given.

use crate::direction::{Direction, PerDirection};
use crate::emitter::Emitter;
use crate::flow_id::{Endpoint, Transport};
use crate::record::Table;
use crate::time::Timestamp;

/// A protocol, as the list knows it.
#[derive(Debug)]
pub struct Protocol {
    /// Its name, which is also what `flow.service` says.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Where its wire format is specified.
    pub specifications: &'static [&'static str],
    /// IP protocols that carry it. TCP means a byte stream, anything else datagrams.
    pub transports: &'static [Transport],
    /// Usual ports: they order the probes and never decide.
    pub ports: &'static [u16],
    /// Bytes of one direction that a stream may keep for an unfinished message.
    pub buffer_bytes_max: usize,
    /// Recognises the protocol by its first bytes.
    pub probe: fn(&Probe<'_>) -> Verdict,
    /// Makes the analyzer of one flow; `None` for a service that is only named.
    pub analyzer: Option<NewAnalyzer>,
    /// The tables whose rows it emits.
    pub tables: &'static [&'static Table],
}

/// Makes the analyzer of one flow.
pub type NewAnalyzer = fn(&FlowContext) -> Box<dyn Analyzer>;

/// What is known of a flow when it is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowContext {
    /// Originator.
    pub src: Endpoint,
    /// Responder.
    pub dst: Endpoint,
    /// IP protocol.
    pub transport: Transport,
    /// Whether the flow was met at its beginning.
    pub start: StreamStart,
    /// Whether bodies and files are to be hashed.
    pub hashing: FileHashing,
}

impl FlowContext {
    /// Whether either end uses `port`.
    #[must_use]
    pub const fn has_port(&self, port: u16) -> bool {
        self.src.port == port || self.dst.port == port
    }
}

/// Where in a flow the capture begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStart {
    /// At its first byte: a TCP handshake was seen, or the transport has none.
    Beginning,
    /// Somewhere inside.
    Midstream,
}

/// Whether analyzers hash the files that they see pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileHashing {
    /// Every complete file is hashed and its type sniffed.
    #[default]
    On,
    /// Files are only counted, which costs next to nothing.
    Off,
}

/// The first bytes of one direction, given to a probe.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The flow.
    pub flow: &'a FlowContext,
    /// Which end sent the bytes.
    pub direction: Direction,
    /// At most [`crate::limits::PROBE_BYTES`] bytes from the start of that direction, or a
    /// datagram.
    pub bytes: &'a [u8],
}

/// A probe's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this protocol.
    Certain,
    /// It may be; more bytes will tell.
    Unsure,
    /// It is not.
    NotForUs,
}

/// Contiguous bytes of one direction: a piece of a stream, or one datagram.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Which end sent them.
    pub direction: Direction,
    /// Packet time of the packet that completed them.
    pub time: Timestamp,
    /// The bytes: in a stream, all that were not consumed yet.
    pub bytes: &'a [u8],
    /// Length on the wire; more than `bytes` where the capture cut a datagram.
    pub wire_bytes: usize,
}

/// Bytes of one direction that were sent and acknowledged but are not in the capture.
#[derive(Clone, Copy, Debug)]
pub struct Gap<'a> {
    /// Which end sent them.
    pub direction: Direction,
    /// Packet time at which the gap became certain.
    pub time: Timestamp,
    /// How many are missing.
    pub missing: u64,
    /// The bytes before the gap that were not consumed; they are gone after this call.
    pub rest: &'a [u8],
}

/// The end of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a> {
    /// How it ended.
    pub reason: FinishReason,
    /// Packet time of the flow's last packet.
    pub time: Timestamp,
    /// Bytes that were not consumed.
    pub rest: PerDirection<&'a [u8]>,
    /// Payload bytes of the whole flow.
    pub payload_bytes: PerDirection<u64>,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// Both ends said so.
    Fin,
    /// One end reset it.
    Rst,
    /// Nothing came for as long as its kind may be silent.
    Timeout,
    /// The table was full.
    Evicted,
    /// The input ended.
    Shutdown,
}

impl FinishReason {
    /// The word that `flow.end_reason` says.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
            Self::Evicted => "evicted",
            Self::Shutdown => "shutdown",
        }
    }
}

/// An analyzer's answer: what happens to the bytes it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// That many bytes are done with. The rest is shown again, with what follows it.
    Consumed(usize),
    /// No byte is done with; call again once there are at least this many.
    NeedMore {
        /// Bytes that the message needs, as far as is known; one more than now when it is not.
        at_least: usize,
    },
    /// From the given byte on, the flow speaks another protocol. This analyzer is kept for
    /// `finish`.
    HandOff {
        /// Which one.
        to: Next,
        /// The first byte, in the chunk shown, that is the other's.
        from: usize,
    },
    /// Nothing more is wanted of this flow; it keeps its service.
    Done,
    /// It was never this protocol; the service is taken back.
    NotMine,
}

/// Who goes on after a hand-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The protocol of that name.
    Protocol(&'static str),
    /// Whoever recognises what follows.
    Recognise,
}

/// The state machine of one flow, for both directions.
pub trait Analyzer: Send {
    /// Takes bytes.
    fn data(&mut self, chunk: &Chunk<'_>, emitter: &mut Emitter) -> Step;

    /// Learns that bytes are missing; the next `data` of that direction starts after them.
    fn gap(&mut self, gap: &Gap<'_>, emitter: &mut Emitter) -> Step;

    /// Says what it still has to say. Called once.
    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter);
}
