//! One flow: its counters, its TCP state, its streams and its session.
//!
//! In: its packets, one by one. Out: events. Memory a flow: this struct, up to
//! [`HELD_BYTES_MAX`](crate::stream::assembler::HELD_BYTES_MAX) a direction behind holes, and what
//! its analyzer states.

use std::sync::Arc;

use analyzers::limits::{ACTIVITY_AGE, ACTIVITY_IDLE};
use analyzers::{
    Direction, Emission, Emitter, Endpoint, FileHashing, Finish, FinishReason, FlowContext, FlowId,
    FlowRecord, Opening, PerDirection, StreamStart, Text, Timestamp, Transport, Weird,
};

use super::community_id::community_id;
use super::expiry::{Rank, Timeouts};
use super::history::History;
use super::key::Sender;
use super::streams::{Arrived, Purpose, Streams, Trust};
use super::tcp::{ACK, Ending, PSH, SYN};
use super::weirds::{Occurrence, Weirds};
use crate::decode::{Checksum, FragmentOverlap, Packet};
use crate::event::{Event, EventKind};
use crate::session::Session;

/// A flow in the table.
pub struct Flow {
    /// Keyed hash of what the table finds it by.
    pub hash: u64,
    /// Its names.
    pub id: FlowId,
    /// How many flows between the same ends began at the same instant before it.
    pub ordinal: u32,
    /// Packet time of its first packet.
    pub first: Timestamp,
    /// The capture's clock at its last packet.
    pub last_clock: Timestamp,
    /// Who goes first when the table is full.
    pub rank: Rank,
    originator: Sender,
    /// When it is over: the end of the time for stragglers.
    over_until: Timestamp,
    transport: TransportState,
    session: Session,
    history: History,
    totals: PerDirection<Counters>,
    row: RowState,
    link: LinkFacts,
    /// The capture's clock at the originator's last payload, once the flow is old.
    spoke: Timestamp,
    weirds: Weirds,
    events: u32,
}

/// What differs between a stream and datagrams.
enum TransportState {
    Stream(Box<Streams>),
    Datagrams,
}

/// What one direction sent so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    packets: u64,
    ip_bytes: u64,
    /// Datagrams' payload; streams count by sequence numbers.
    payload_bytes: u64,
    tcp_flags: u8,
    bad_checksums: u64,
}

/// What the rows written so far have told.
struct RowState {
    part: i32,
    start: Timestamp,
    /// The capture's clock when this row's first packet came.
    start_clock: Timestamp,
    last: Timestamp,
    told: PerDirection<Counters>,
    told_missed: u64,
}

/// What only the first packet tells.
struct LinkFacts {
    vlan: Option<u16>,
    inner_vlan: Option<u16>,
    tunnel: Option<Arc<str>>,
    /// Of the originator and the responder.
    macs: Option<Macs>,
}

/// Two MAC addresses.
type Macs = ([u8; 6], [u8; 6]);

/// Where a flow's first packet came from, beside the packet itself.
pub struct FirstPacket {
    /// Keyed hash of the flow's key.
    pub hash: u64,
    /// Which end of the key sent the first packet.
    pub sender: Sender,
    /// MAC addresses of its sender and receiver.
    pub macs: Option<Macs>,
    /// Whether file bodies are hashed.
    pub hashing: FileHashing,
}

/// Who sends a flow's first packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FirstSender {
    Originator,
    Responder,
}

impl Flow {
    /// The endpoints of the flow that `packet` opens, originator first. The sender of the first
    /// packet is the originator, except that a SYN-ACK is sent by the responder.
    #[must_use]
    pub fn ends(packet: &Packet) -> (Endpoint, Endpoint) {
        let sender = Endpoint { ip: packet.src_ip, port: packet.src_port };
        let receiver = Endpoint { ip: packet.dst_ip, port: packet.dst_port };
        match first_sender(packet) {
            FirstSender::Originator => (sender, receiver),
            FirstSender::Responder => (receiver, sender),
        }
    }

    /// A flow opened by `packet`, which is not counted yet.
    #[must_use]
    pub fn open(
        packet: &Packet,
        opening: FirstPacket,
        id: FlowId,
        ordinal: u32,
        clock: Timestamp,
    ) -> Self {
        let first_sender = first_sender(packet);
        let (originator, macs) = match first_sender {
            FirstSender::Originator => (opening.sender, opening.macs),
            FirstSender::Responder => {
                (opening.sender.other(), opening.macs.map(|(src, dst)| (dst, src)))
            }
        };
        let mut history = History::default();
        if first_sender == FirstSender::Responder {
            history.repaired();
        }
        let start = match &packet.tcp {
            Some(tcp) if tcp.flags & SYN == 0 => StreamStart::Midstream,
            _ => StreamStart::Beginning,
        };
        let hashing = opening.hashing;
        let context =
            FlowContext { src: id.src, dst: id.dst, transport: id.transport, start, hashing };
        Self {
            hash: opening.hash,
            id,
            ordinal,
            first: packet.time,
            last_clock: clock,
            rank: Rank::Unanswered,
            originator,
            over_until: Timestamp::MAX,
            transport: match packet.tcp {
                Some(_) => TransportState::Stream(Box::default()),
                None => TransportState::Datagrams,
            },
            session: Session::new(context),
            history,
            totals: PerDirection::default(),
            row: RowState {
                part: 1,
                start: packet.time,
                start_clock: clock,
                last: packet.time,
                told: PerDirection::default(),
                told_missed: 0,
            },
            link: LinkFacts {
                vlan: packet.vlan,
                inner_vlan: packet.inner_vlan,
                tunnel: packet.tunnel.clone(),
                macs,
            },
            spoke: Timestamp::MIN,
            weirds: Weirds::default(),
            events: 0,
        }
    }

    /// Reads something of each part that a packet changes; the answer means nothing.
    #[must_use]
    pub fn touch(&self) -> u64 {
        let own = self.totals.src.packets ^ self.row.told.src.packets ^ u64::from(self.events);
        match &self.transport {
            TransportState::Stream(streams) => own ^ streams.touch(),
            TransportState::Datagrams => own,
        }
    }

    /// Whether `packet` opens another flow between the same ends.
    #[must_use]
    pub fn is_reused_by(&self, packet: &Packet, sender: Sender) -> bool {
        match (&self.transport, &packet.tcp) {
            (TransportState::Stream(stream), Some(tcp)) => {
                stream.tcp.is_reused_by(sender.direction(self.originator), tcp)
            }
            _ => false,
        }
    }

    /// When the flow ends if nothing more comes.
    #[must_use]
    pub fn deadline(&self, timeouts: &Timeouts) -> Timestamp {
        if self.rank == Rank::Over {
            return self.over_until;
        }
        match &self.transport {
            TransportState::Stream(stream) if stream.tcp.is_attempt() => {
                self.row.start_clock.after(timeouts.tcp_attempt)
            }
            TransportState::Stream(_) => self.last_clock.after(timeouts.tcp),
            TransportState::Datagrams if self.id.transport == Transport::UDP => {
                self.last_clock.after(timeouts.udp)
            }
            TransportState::Datagrams => self.last_clock.after(timeouts.other),
        }
    }

    /// When the next interim row is due.
    #[must_use]
    pub const fn row_start_clock(&self) -> Timestamp {
        self.row.start_clock
    }

    /// Says that it was opened, by what packet.
    pub fn announce(&mut self, packet: &Packet, clock: Timestamp, events: &mut Vec<Event>) {
        let opening = match &packet.tcp {
            None => Opening::Datagram,
            Some(tcp) if tcp.flags & (SYN | ACK) == SYN => Opening::Syn,
            Some(tcp) if tcp.flags & SYN != 0 => Opening::SynAck,
            Some(_) => Opening::Midstream,
        };
        self.push(clock, EventKind::Opened { ts: packet.time, opening }, events);
    }

    /// Tells of an originator's payload after a silence, in a flow that is old.
    pub fn note_activity(
        &mut self,
        packet: &Packet,
        sender: Sender,
        clock: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let bytes = packet.payload_wire_bytes;
        let spoken = sender.direction(self.originator) == Direction::SrcToDst && bytes > 0;
        if !spoken || clock.since(self.first) < ACTIVITY_AGE {
            return;
        }
        if clock.since(self.spoke) >= ACTIVITY_IDLE {
            self.push(clock, EventKind::Active { ts: packet.time, bytes }, events);
        }
        self.spoke = clock;
    }

    /// Takes a packet with its payload. Returns the flow's rank, which may have changed.
    pub fn packet(
        &mut self,
        packet: &Packet,
        sender: Sender,
        payload: &[u8],
        clock: Timestamp,
        timeouts: &Timeouts,
        emitter: &mut Emitter,
    ) -> Rank {
        let direction = sender.direction(self.originator);
        self.count(packet, direction, clock);
        self.note_oddities(packet, payload, emitter);
        match &mut self.transport {
            TransportState::Stream(_) => {
                if self.segment(packet, direction, payload, emitter) == Ending::Over {
                    self.rank = Rank::Over;
                    self.over_until = clock.after(timeouts.tcp_closed);
                }
            }
            TransportState::Datagrams => self.datagram(packet, direction, payload, emitter),
        }
        let answered = self.totals.src.packets > 0 && self.totals.dst.packets > 0;
        if answered && self.rank == Rank::Unanswered {
            self.rank = Rank::Answered;
        }
        self.rank
    }

    /// Writes an interim row for the packets counted since the last row.
    pub fn interim(&mut self, clock: Timestamp, events: &mut Vec<Event>) {
        let record = self.row("interim");
        let ts = self.row.start;
        self.push(clock, EventKind::FlowRow { ts, record: Box::new(record) }, events);
        self.row.part = self.row.part.saturating_add(1);
        self.row.told = self.spoken_totals();
        self.row.told_missed = self.missed();
        self.row.start_clock = clock;
    }

    /// Marks the packet that is about to be counted as the first of a new row.
    pub fn begin_row(&mut self, packet: &Packet) {
        self.row.start = packet.time;
    }

    /// Ends the flow at `time`.
    pub fn close(
        &mut self,
        time: Timestamp,
        cause: FinishReason,
        emitter: &mut Emitter,
        events: &mut Vec<Event>,
    ) {
        let reason = self.end_reason(cause);
        let last = self.row.last;
        if let TransportState::Stream(streams) = &mut self.transport {
            streams.finish(last, &mut self.session, emitter);
        }
        let totals = self.spoken_totals();
        let payload_bytes =
            PerDirection { src: totals.src.payload_bytes, dst: totals.dst.payload_bytes };
        let finish = Finish { reason, time: last, rest: PerDirection::default(), payload_bytes };
        self.session.finish(&finish, emitter);
        self.collect(time, emitter, events);
        for (ts, record) in self.weirds.take() {
            self.push(time, EventKind::Weird { ts, record }, events);
        }
        let record = Box::new(self.row(reason.name()));
        self.push(time, EventKind::FlowRow { ts: self.row.start, record }, events);
    }

    /// Turns what was emitted into events of this flow.
    pub fn collect(&mut self, time: Timestamp, emitter: &mut Emitter, events: &mut Vec<Event>) {
        for emission in emitter.drain() {
            match emission {
                Emission::Record { ts, record } => {
                    self.push(time, EventKind::Record { ts, record }, events);
                }
                Emission::Weird { ts, weird, detail } => {
                    if self.weirds.count(ts, weird, detail) == Occurrence::First {
                        self.push(time, EventKind::Odd { ts, weird }, events);
                    }
                }
            }
        }
    }

    fn push(&mut self, time: Timestamp, kind: EventKind, events: &mut Vec<Event>) {
        events.push(Event { time, number: self.events, flow: self.id, kind });
        self.events = self.events.saturating_add(1);
    }

    fn count(&mut self, packet: &Packet, direction: Direction, clock: Timestamp) {
        self.last_clock = clock;
        self.row.last = packet.time;
        let counters = self.totals.of_mut(direction);
        counters.packets += 1;
        counters.ip_bytes += packet.ip_bytes;
        counters.payload_bytes += u64::from(packet.payload_wire_bytes);
        counters.bad_checksums += u64::from(packet.checksum == Checksum::Bad);
        counters.tcp_flags |= packet.tcp.map_or(0, |tcp| tcp.flags);
    }

    fn note_oddities(&mut self, packet: &Packet, payload: &[u8], emitter: &mut Emitter) {
        if payload.len() < packet.payload_wire_bytes as usize {
            emitter.weird(packet.time, Weird::PacketCut);
        }
        if packet.fragment_overlap == FragmentOverlap::Differs {
            emitter.weird(packet.time, Weird::FragmentOverlap);
        }
    }

    fn segment(
        &mut self,
        packet: &Packet,
        direction: Direction,
        payload: &[u8],
        emitter: &mut Emitter,
    ) -> Ending {
        let TransportState::Stream(streams) = &mut self.transport else { return Ending::Open };
        let Some(tcp) = &packet.tcp else { return Ending::Open };
        let segment =
            streams.tcp.segment(direction, tcp, packet.payload_wire_bytes, &mut self.history);
        let session = &mut self.session;
        let time = packet.time;
        if let Some(acked) = segment.acked.filter(|_| tcp.flags & ACK != 0) {
            let peer = direction.reversed();
            if streams.acknowledged(peer, acked, session, emitter) {
                streams.tcp.note_gap(peer, &mut self.history);
            }
        }
        if let Some(offset) = segment.offset.filter(|_| packet.payload_wire_bytes > 0) {
            let probes = packet.payload_wire_bytes == 1 && tcp.flags & PSH == 0;
            let arrived = Arrived {
                direction,
                time,
                offset,
                wire_bytes: u64::from(packet.payload_wire_bytes),
                bytes: payload,
                trust: self.totals.of(direction).trust(packet),
                purpose: if probes { Purpose::KeepAlive } else { Purpose::Payload },
            };
            streams.payload(&arrived, session, emitter);
        }
        streams.packet_passed(time, session, emitter);
        segment.ending
    }

    fn datagram(
        &mut self,
        packet: &Packet,
        direction: Direction,
        payload: &[u8],
        emitter: &mut Emitter,
    ) {
        if self.id.transport == Transport::UDP {
            self.history.once(direction, b'd');
        }
        if !payload.is_empty() {
            let wire_bytes = packet.payload_wire_bytes as usize;
            self.session.datagram(direction, packet.time, payload, wire_bytes, emitter);
        }
    }

    fn end_reason(&self, cause: FinishReason) -> FinishReason {
        match &self.transport {
            TransportState::Stream(stream) if self.rank == Rank::Over => {
                if stream.tcp.is_reset() {
                    FinishReason::Rst
                } else {
                    FinishReason::Fin
                }
            }
            _ => cause,
        }
    }

    fn missed(&self) -> u64 {
        match &self.transport {
            TransportState::Stream(streams) => streams.missed(),
            TransportState::Datagrams => 0,
        }
    }

    /// Totals whose payload counts retransmissions once.
    fn spoken_totals(&self) -> PerDirection<Counters> {
        let mut totals = self.totals;
        if let TransportState::Stream(stream) = &self.transport {
            for direction in Direction::BOTH {
                totals.of_mut(direction).payload_bytes = stream.tcp.payload_bytes(direction);
            }
        }
        totals
    }

    fn state(&self) -> &'static str {
        match &self.transport {
            TransportState::Stream(stream) => stream.tcp.conn_state(&self.history),
            TransportState::Datagrams if self.id.transport == Transport::UDP => {
                match (self.totals.src.packets > 0, self.totals.dst.packets > 0) {
                    (true, true) => "SF",
                    (true, false) => "S0",
                    (false, true) => "SHR",
                    (false, false) => "OTH",
                }
            }
            TransportState::Datagrams => "OTH",
        }
    }

    fn row(&self, end_reason: &'static str) -> FlowRecord {
        let totals = self.spoken_totals();
        let since = |d: Direction| totals.of(d).since(self.row.told.of(d));
        let (src, dst) = (since(Direction::SrcToDst), since(Direction::DstToSrc));
        let is_tcp = matches!(self.transport, TransportState::Stream(_));
        let letters = self.history.letters();
        FlowRecord {
            part: self.row.part,
            end_ts: self.row.last,
            community_id: community_id(self.id.src, self.id.dst, self.id.transport),
            service: self.session.service(),
            state: self.state(),
            history: (!letters.is_empty()).then(|| Text::wire(letters)),
            src_packets: signed(src.packets),
            dst_packets: signed(dst.packets),
            src_ip_bytes: signed(src.ip_bytes),
            dst_ip_bytes: signed(dst.ip_bytes),
            src_bytes: signed(src.payload_bytes),
            dst_bytes: signed(dst.payload_bytes),
            missed_bytes: signed(self.missed().saturating_sub(self.row.told_missed)),
            vlan: self.link.vlan,
            inner_vlan: self.link.inner_vlan,
            tunnel: self.link.tunnel.as_ref().map(|tunnel| Text::wire(tunnel.as_bytes())),
            src_mac: self.link.macs.map(|(src, _)| src),
            dst_mac: self.link.macs.map(|(_, dst)| dst),
            tcp_flags_src: is_tcp.then_some(src.tcp_flags),
            tcp_flags_dst: is_tcp.then_some(dst.tcp_flags),
            src_country: None,
            dst_country: None,
            src_asn: None,
            dst_asn: None,
            dst_as_org: None,
            dst_name: None,
            direction: None,
            end_reason,
            bad_checksums: signed(src.bad_checksums + dst.bad_checksums),
        }
    }
}

impl Counters {
    /// Whether a packet that is counted here arrived as it stands, as far as checksums tell.
    fn trust(&self, packet: &Packet) -> Trust {
        let bad = packet.checksum == Checksum::Bad;
        if bad && self.bad_checksums < self.packets { Trust::Doubtful } else { Trust::Sound }
    }

    /// What was counted after `told`; flags are those of the whole flow.
    fn since(&self, told: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(told.packets),
            ip_bytes: self.ip_bytes.saturating_sub(told.ip_bytes),
            payload_bytes: self.payload_bytes.saturating_sub(told.payload_bytes),
            bad_checksums: self.bad_checksums.saturating_sub(told.bad_checksums),
            ..*self
        }
    }
}

fn first_sender(packet: &Packet) -> FirstSender {
    match &packet.tcp {
        Some(tcp) if tcp.flags & (SYN | ACK) == SYN | ACK => FirstSender::Responder,
        _ => FirstSender::Originator,
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
