//! One flow's payload: who takes it, and in what pieces it comes.
//!
//! In: six bytes (who takes the flow, its transport and kind, its ports), then pieces between
//! marks. Out: the account of what was said.

use std::net::{IpAddr, Ipv4Addr};

use analyzers::{
    Emitter, Endpoint, FileHashing, Finish, FinishReason, FlowContext, PerDirection, Protocol,
    StreamStart, Timestamp, Transport,
};
use sensor::session::Session;

use crate::{Driven, Feed, Ledger, Piece, Subject, pieces};

/// How a piece's bytes are cut on their way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// As the input says.
    AsTold,
    /// Into so many bytes at a time, those that are told to be missing included.
    Into(usize),
}

/// A flow of one input.
pub struct Talk<'a> {
    protocol: &'static Protocol,
    /// Whether the protocol's analyzer gets the flow without being asked.
    taker: Taker,
    context: FlowContext,
    rest: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taker {
    Session,
    Analyzer,
}

impl<'a> Talk<'a> {
    /// Reads an input; `None` if its head is cut short.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[taker, kind, a, b, c, d], rest) = bytes.split_first_chunk()?;
        let protocol = Driven::protocols().cycle().nth(usize::from(taker / 2))?;
        let end =
            |port| Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: u16::from_be_bytes(port) };
        let context = FlowContext {
            src: end([a, b]),
            dst: end([c, d]),
            transport: if kind & 1 == 0 { Transport::TCP } else { Transport::UDP },
            start: if kind & 2 == 0 { StreamStart::Beginning } else { StreamStart::Midstream },
            hashing: if kind & 4 == 0 { FileHashing::On } else { FileHashing::Off },
        };
        let carried = protocol.transports.contains(&context.transport);
        let taker = if taker % 2 == 1 && carried { Taker::Analyzer } else { Taker::Session };
        Some(Self { protocol, taker, context, rest })
    }

    /// Whether an analyzer gets a stream of bytes from its beginning, with no probe before it.
    #[must_use]
    pub fn is_driven_stream(&self) -> bool {
        self.taker == Taker::Analyzer
            && self.context.transport == Transport::TCP
            && self.context.start == StreamStart::Beginning
    }

    /// The name of the protocol that the head chose.
    #[must_use]
    pub const fn protocol(&self) -> &'static str {
        self.protocol.name
    }

    fn subject(&self) -> Box<dyn Subject> {
        match Driven::new(self.protocol, &self.context) {
            Some(analyzer) if self.taker == Taker::Analyzer => Box::new(analyzer),
            _ => Box::new(Session::new(self.context)),
        }
    }

    /// Plays it to its end.
    #[must_use]
    pub fn play(&self, cut: Cut) -> Ledger {
        let mut subject = self.subject();
        let (mut emitter, mut ledger, mut time) = (Emitter::default(), Ledger::default(), 0);
        for piece in pieces(self.rest).filter_map(Piece::read) {
            for _ in 0..piece.times {
                time += piece.span;
                ledger.fed += piece.bytes.len() + 1;
                let now = Timestamp::from_nanos(time);
                self.feed(subject.as_mut(), &piece, cut, now, &mut emitter);
                ledger.settle(&mut emitter);
            }
        }
        let (reason, time) = (FinishReason::Shutdown, Timestamp::from_nanos(time));
        let (rest, payload_bytes) = (PerDirection::default(), PerDirection::default());
        subject.finish(&Finish { reason, time, rest, payload_bytes }, &mut emitter);
        ledger.settle(&mut emitter);
        ledger
    }

    fn feed(
        &self,
        subject: &mut dyn Subject,
        piece: &Piece<'_>,
        cut: Cut,
        now: Timestamp,
        emitter: &mut Emitter,
    ) {
        let Piece { direction, bytes, .. } = *piece;
        match (self.context.transport, piece.feed, cut) {
            (Transport::TCP, Feed::Missing, Cut::AsTold) => {
                subject.gap(direction, now, bytes.len().max(1) as u64, emitter);
            }
            (Transport::TCP, _, Cut::Into(run))
            | (Transport::TCP, Feed::Runs(run), Cut::AsTold) => {
                bytes.chunks(run).for_each(|run| subject.bytes(direction, now, run, emitter));
            }
            (_, feed, _) => {
                let cut = if matches!(feed, Feed::Missing) { 900 } else { 0 };
                subject.datagram(direction, now, bytes, bytes.len() + cut, emitter);
            }
        }
    }
}
