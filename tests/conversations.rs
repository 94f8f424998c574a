//! Conversations: what each flow of a capture said, piece by piece, and a session that is told it.
//!
//! In: a capture. Out: for each flow its pieces in order, as the rooms up to the stream give them;
//! and what a [`Session`] makes of them, or of what a test made of them.

use std::collections::BTreeSet;

use analyzers::record::Header;
use analyzers::{
    Direction, Emission, Emitter, FileHashing, Finish, FinishReason, FlowContext, PerDirection,
    StreamStart, Text, Timestamp, Transport,
};
use sensor::decode::{Decoded, Decoder, Packet};
use sensor::flow::history::History;
use sensor::flow::tcp::{SYN, Tcp};
use sensor::flow::{Flow, FlowKey, Sender, VlanInKey};
use sensor::rows::StampedRow;
use sensor::session::Session;
use sensor::stream::Assembler;
use sensor::stream::assembler::{self, Keep};

use crate::captures;
use crate::replays::{self, Frame};

/// What one flow said.
#[derive(Clone)]
pub(crate) struct Conversation {
    /// The capture and the flow's ends, for messages.
    pub(crate) name: String,
    /// What the session is told of the flow.
    pub(crate) context: FlowContext,
    /// Its pieces, in order.
    pub(crate) pieces: Vec<Piece>,
}

/// One thing that a flow said.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Who said it.
    pub(crate) direction: Direction,
    /// When it was complete.
    pub(crate) time: Timestamp,
    /// What.
    pub(crate) content: Content,
}

/// What a piece is.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bytes of a stream.
    Bytes(Vec<u8>),
    /// A datagram.
    Datagram(Vec<u8>),
    /// Bytes of a stream that are missing.
    Gap(u64),
}

impl Piece {
    /// Its bytes, where there are any.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) | Content::Datagram(bytes) => bytes,
            Content::Gap(_) => &[],
        }
    }

    /// The same piece with other bytes.
    pub(crate) fn with(&self, bytes: &[u8]) -> Self {
        let content = match self.content {
            Content::Datagram(_) => Content::Datagram(bytes.to_vec()),
            Content::Bytes(_) | Content::Gap(_) => Content::Bytes(bytes.to_vec()),
        };
        Self { content, ..self.clone() }
    }
}

impl Conversation {
    /// Payload bytes that are there.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes().len()).sum()
    }

    /// Whether it is a stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.context.transport == Transport::TCP
    }

    /// The same stream with everything that one side says in a row as one piece, at the time of the
    /// first, so that it does not matter where it is cut again.
    pub(crate) fn in_turns(&self) -> Self {
        let mut turns: Vec<Piece> = Vec::new();
        for piece in &self.pieces {
            match (turns.last_mut(), &piece.content) {
                (
                    Some(Piece { direction, content: Content::Bytes(turn), .. }),
                    Content::Bytes(more),
                ) if *direction == piece.direction => {
                    turn.extend_from_slice(more);
                }
                _ => turns.push(piece.clone()),
            }
        }
        Self { pieces: turns, ..self.clone() }
    }

    /// How many rows a session has written after each piece.
    pub(crate) fn complete_after_each_piece(&self) -> Vec<usize> {
        let mut hearing = Hearing::new(self.context);
        let heard = |piece| {
            hearing.piece(piece);
            hearing.records()
        };
        self.pieces.iter().map(heard).collect()
    }

    /// What a session makes of it.
    pub(crate) fn said(&self) -> Said {
        said(self.context, &self.pieces)
    }
}

/// All conversations of all captures that say anything.
pub(crate) fn all() -> Vec<Conversation> {
    let captures = captures::manifest().capture;
    captures.iter().flat_map(|capture| of_capture(&capture.path)).collect()
}

/// The conversations of one capture, in the order of their first packets.
pub(crate) fn of_capture(path: &str) -> Vec<Conversation> {
    let mut decoder = Decoder::new();
    let mut listeners: Vec<(FlowKey, Listener)> = Vec::new();
    for frame in replays::frames(path) {
        let Some(packet) = decode(&mut decoder, &frame) else { continue };
        let (key, sender) = FlowKey::of(&packet, VlanInKey::First);
        let known = listeners.iter().rposition(|(other, _)| *other == key);
        let at = known.unwrap_or_else(|| {
            listeners.push((key, Listener::new(path, &packet, sender)));
            listeners.len() - 1
        });
        let payload = packet.payload_bytes(&frame.bytes).to_vec();
        listeners[at].1.packet(&packet, sender, &payload);
    }
    let conversations = listeners.into_iter().map(|(_, listener)| listener.finish());
    conversations.filter(|conversation| conversation.len() > 0).collect()
}

fn decode(decoder: &mut Decoder, frame: &Frame) -> Option<Packet> {
    let raw = sensor::capture::RawPacket {
        time: frame.time,
        offset: 0,
        captured_bytes: u32::try_from(frame.bytes.len()).expect("a frame of less than 4 GiB"),
        wire_bytes: frame.wire_bytes,
        link: frame.link,
    };
    match decoder.decode(&raw, &frame.bytes) {
        Decoded::Packet(packet) => Some(packet),
        Decoded::Held | Decoded::Skipped(_) => None,
    }
}

/// Writes down one flow.
struct Listener {
    conversation: Conversation,
    originator: Sender,
    tcp: Tcp,
    history: History,
    assemblers: PerDirection<Assembler>,
    last: Timestamp,
}

impl Listener {
    fn new(path: &str, packet: &Packet, sender: Sender) -> Self {
        let (src, dst) = Flow::ends(packet);
        let is_sender = src.ip == packet.src_ip && src.port == packet.src_port;
        let start = match &packet.tcp {
            Some(tcp) if tcp.flags & SYN == 0 => StreamStart::Midstream,
            _ => StreamStart::Beginning,
        };
        let transport = packet.transport;
        let context = FlowContext { src, dst, transport, start, hashing: FileHashing::On };
        let name = format!("{path}: {}:{} > {}:{}", src.ip, src.port, dst.ip, dst.port);
        Self {
            conversation: Conversation { name, context, pieces: Vec::new() },
            originator: if is_sender { sender } else { sender.other() },
            tcp: Tcp::default(),
            history: History::default(),
            assemblers: PerDirection::default(),
            last: packet.time,
        }
    }

    fn packet(&mut self, packet: &Packet, sender: Sender, payload: &[u8]) {
        let direction = sender.direction(self.originator);
        let time = packet.time;
        self.last = time;
        let pieces = &mut self.conversation.pieces;
        let Some(tcp) = &packet.tcp else {
            if !payload.is_empty() {
                let content = Content::Datagram(payload.to_vec());
                pieces.push(Piece { direction, time, content });
            }
            return;
        };
        let wire_bytes = packet.payload_wire_bytes;
        let segment = self.tcp.segment(direction, tcp, wire_bytes, &mut self.history);
        if let Some(acked) = segment.acked {
            self.assemblers.of_mut(direction.reversed()).acknowledged(acked);
        }
        if let Some(offset) = segment.offset.filter(|_| wire_bytes > 0) {
            let assembler = self.assemblers.of_mut(direction);
            let wire_bytes = u64::from(wire_bytes);
            assembler.segment(offset, wire_bytes, payload, Keep::Bytes, &mut |piece| {
                pieces.push(written(direction, time, piece));
            });
        }
    }

    fn finish(mut self) -> Conversation {
        let (pieces, time) = (&mut self.conversation.pieces, self.last);
        for direction in Direction::BOTH {
            let assembler = self.assemblers.of_mut(direction);
            assembler.finish(&mut |piece| pieces.push(written(direction, time, piece)));
        }
        self.conversation
    }
}

fn written(direction: Direction, time: Timestamp, piece: assembler::Piece<'_>) -> Piece {
    let content = match piece {
        assembler::Piece::Bytes(bytes) => Content::Bytes(bytes.to_vec()),
        assembler::Piece::Gap(missing) => Content::Gap(missing),
    };
    Piece { direction, time, content }
}

/// What a session said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its rows as JSON, in order.
    pub(crate) records: Vec<String>,
    /// Names of the weirds that it raised.
    pub(crate) weirds: BTreeSet<&'static str>,
    /// The protocol that it recognised.
    pub(crate) service: Option<&'static str>,
}

/// What a session makes of pieces, to the flow's end.
pub(crate) fn said<'a>(context: FlowContext, pieces: impl IntoIterator<Item = &'a Piece>) -> Said {
    let mut hearing = Hearing::new(context);
    pieces.into_iter().for_each(|piece| hearing.piece(piece));
    hearing.finish()
}

/// A session that is told a conversation, and what it has said so far.
pub(crate) struct Hearing {
    session: Session,
    emitter: Emitter,
    said: Said,
    payload_bytes: PerDirection<u64>,
    last: Timestamp,
}

impl Hearing {
    /// A session for such a flow.
    pub(crate) fn new(context: FlowContext) -> Self {
        Self {
            session: Session::new(context),
            emitter: Emitter::default(),
            said: Said::default(),
            payload_bytes: PerDirection::default(),
            last: Timestamp::MIN,
        }
    }

    /// Tells it a piece.
    pub(crate) fn piece(&mut self, piece: &Piece) {
        let Piece { direction, time, content } = piece;
        self.last = *time;
        *self.payload_bytes.of_mut(*direction) += piece.bytes().len() as u64;
        let (session, emitter) = (&mut self.session, &mut self.emitter);
        match content {
            Content::Bytes(bytes) => session.bytes(*direction, *time, bytes, emitter),
            Content::Gap(missing) => session.gap(*direction, *time, *missing, emitter),
            Content::Datagram(bytes) => {
                session.datagram(*direction, *time, bytes, bytes.len(), emitter);
            }
        }
        self.collect();
    }

    /// Rows so far.
    pub(crate) const fn records(&self) -> usize {
        self.said.records.len()
    }

    /// Ends the flow.
    pub(crate) fn finish(mut self) -> Said {
        let finish = Finish {
            reason: FinishReason::Fin,
            time: self.last,
            rest: PerDirection::default(),
            payload_bytes: self.payload_bytes,
        };
        self.said.service = self.session.service();
        self.session.finish(&finish, &mut self.emitter);
        self.collect();
        self.said
    }

    fn collect(&mut self) {
        for emission in self.emitter.drain() {
            match emission {
                Emission::Weird { weird, .. } => {
                    self.said.weirds.insert(weird.name());
                }
                Emission::Record { ts, record } => {
                    let header = Header {
                        ts,
                        uid: None,
                        src_ip: None,
                        src_port: None,
                        dst_ip: None,
                        dst_port: None,
                        proto: None,
                        sensor: Text::Word("test"),
                    };
                    let row = StampedRow { header, record };
                    self.said.records.push(serde_json::to_string(&row).expect("a row"));
                }
            }
        }
    }
}
