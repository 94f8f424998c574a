//! Flows as their rows show them: states, histories, counts, time-outs, eviction.

use std::sync::Arc;
use std::time::Duration;

use analyzers::{FlowRecord, Opening, Timestamp, Transport};

use super::table::{Arrival, Tools};
use super::tcp::{ACK, FIN, RST, SYN};
use super::uid::UidMaker;
use super::{FlowKey, FlowSettings, FlowTable, SHARDS};
use crate::capture::{LinkType, RawPacket};
use crate::decode::{Checksum, FragmentOverlap, Joined, Packet, Payload, TcpFields};
use crate::event::{Event, EventKind};

/// A packet without payload.
pub fn packet(src: &str, src_port: u16, dst: &str, dst_port: u16, transport: Transport) -> Packet {
    Packet {
        time: Timestamp::from_secs_nanos(1_000, 0),
        src_ip: src.parse().unwrap(),
        dst_ip: dst.parse().unwrap(),
        src_port,
        dst_port,
        transport,
        vlan: None,
        inner_vlan: None,
        tunnel: None,
        captured_packets: 1,
        ip_bytes: 40,
        fragment_overlap: FragmentOverlap::None,
        tcp: None,
        checksum: Checksum::Good,
        payload: Payload::Block { offset: 0, len: 0 },
        payload_wire_bytes: 0,
    }
}

/// A payload that is not in a block.
fn joined(bytes: &[u8]) -> Payload {
    Payload::Reassembled(Arc::new(Joined { bytes: bytes.into(), frames: [0, 1].into() }))
}

/// A table and what comes out of it.
struct Lab {
    table: FlowTable,
    tools: Tools,
    clock: Timestamp,
}

impl Lab {
    fn new(settings: FlowSettings) -> Self {
        Self {
            table: FlowTable::default(),
            tools: Tools {
                settings,
                uids: UidMaker::new("lab"),
                emitter: analyzers::Emitter::default(),
                events: Vec::new(),
            },
            clock: Timestamp::MIN,
        }
    }

    fn take(&mut self, packet: Packet) {
        self.clock = self.clock.max(packet.time);
        let (key, sender) = FlowKey::of(&packet, self.tools.settings.vlan_in_key);
        let frame = RawPacket {
            time: packet.time,
            offset: 0,
            captured_bytes: 0,
            wire_bytes: 0,
            link: LinkType(1),
        };
        let hash = u64::from(packet.src_port) ^ u64::from(packet.dst_port);
        let arrival = Arrival { packet, key, sender, hash, clock: self.clock, frame };
        self.table.packet(&arrival, &[], &mut self.tools);
    }

    fn rows(&mut self) -> Vec<FlowRecord> {
        let clock = self.clock;
        self.table.finish(clock, &mut self.tools);
        std::mem::take(&mut self.tools.events)
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::FlowRow { record, .. } => Some(*record),
                _ => None,
            })
            .collect()
    }
}

/// A TCP segment between a client (`>`) and a server (`<`).
#[derive(Clone, Copy)]
struct Step(char, u8, u32, u32, &'static str);

fn segment(step: &Step, millis: i64) -> Packet {
    let Step(way, flags, seq, ack, payload) = step;
    let base = match way {
        '>' => packet("10.0.0.1", 40_000, "10.0.0.2", 80, Transport::TCP),
        _ => packet("10.0.0.2", 80, "10.0.0.1", 40_000, Transport::TCP),
    };
    Packet {
        time: Timestamp::from_secs_nanos(1_000, millis * 1_000_000),
        tcp: Some(TcpFields { seq: *seq, ack: *ack, flags: *flags, window: 1_000, urgent: 0 }),
        payload: joined(payload.as_bytes()),
        payload_wire_bytes: u32::try_from(payload.len()).unwrap(),
        ..base
    }
}

fn rows_of(steps: &[Step]) -> Vec<FlowRecord> {
    let mut lab = Lab::new(FlowSettings::default());
    for (at, step) in steps.iter().enumerate() {
        lab.take(segment(step, i64::try_from(at).unwrap()));
    }
    lab.rows()
}

const SYN_ACK: u8 = SYN | ACK;
const FIN_ACK: u8 = FIN | ACK;
const RST_ACK: u8 = RST | ACK;

/// A conversation that is one flow: its name, segments, state, history, payload bytes each way.
type Conversation = (&'static str, &'static [Step], &'static str, &'static str, (i64, i64));

const CONVERSATIONS: &[Conversation] = &[
    (
        "normal",
        &[
            Step('>', SYN, 100, 0, ""),
            Step('<', SYN_ACK, 900, 101, ""),
            Step('>', ACK, 101, 901, ""),
            Step('>', ACK, 101, 901, "GET"),
            Step('<', ACK, 901, 104, "OK"),
            Step('>', FIN_ACK, 104, 903, ""),
            Step('<', FIN_ACK, 903, 105, ""),
            Step('>', ACK, 105, 904, ""),
        ],
        "SF",
        "ShADdFf",
        (3, 2),
    ),
    ("no answer", &[Step('>', SYN, 1, 0, "")], "S0", "S", (0, 0)),
    ("refused", &[Step('>', SYN, 1, 0, ""), Step('<', RST_ACK, 0, 2, "")], "REJ", "Sr", (0, 0)),
    (
        "open",
        &[Step('>', SYN, 1, 0, ""), Step('<', SYN_ACK, 50, 2, ""), Step('>', ACK, 2, 51, "")],
        "S1",
        "ShA",
        (0, 0),
    ),
    (
        "reset by the originator",
        &[
            Step('>', SYN, 1, 0, ""),
            Step('<', SYN_ACK, 50, 2, ""),
            Step('>', ACK, 2, 51, "x"),
            Step('>', RST, 3, 0, ""),
        ],
        "RSTO",
        "ShDR",
        (1, 0),
    ),
    (
        "reset by the responder",
        &[
            Step('>', SYN, 1, 0, ""),
            Step('<', SYN_ACK, 50, 2, ""),
            Step('>', ACK, 2, 51, "x"),
            Step('<', RST_ACK, 51, 3, ""),
        ],
        "RSTR",
        "ShDr",
        (1, 0),
    ),
    ("withdrawn", &[Step('>', SYN, 1, 0, ""), Step('>', RST, 2, 0, "")], "RSTOS0", "SR", (0, 0)),
    ("half open scan", &[Step('>', SYN, 1, 0, ""), Step('>', FIN, 2, 0, "")], "SH", "SF", (0, 0)),
    (
        "seen from the SYN-ACK on",
        &[Step('<', SYN_ACK, 50, 2, ""), Step('>', ACK, 2, 51, "ab")],
        "S1",
        "^hD",
        (2, 0),
    ),
    (
        "met midway",
        &[Step('>', ACK, 700, 900, "abc"), Step('<', ACK, 900, 703, "de")],
        "OTH",
        "Dd",
        (3, 2),
    ),
    (
        "closed and reset by the originator",
        &[
            Step('>', SYN, 1, 0, ""),
            Step('<', SYN_ACK, 50, 2, ""),
            Step('>', FIN_ACK, 2, 51, ""),
            Step('<', ACK, 51, 3, "late"),
            Step('>', RST, 3, 0, ""),
        ],
        "RSTO",
        "ShFdR",
        (0, 4),
    ),
    (
        "retransmitted",
        &[
            Step('>', SYN, 1, 0, ""),
            Step('<', SYN_ACK, 50, 2, ""),
            Step('>', ACK, 2, 51, "abc"),
            Step('>', ACK, 2, 51, "abc"),
        ],
        "S1",
        "ShDT",
        (3, 0),
    ),
    (
        "across the wrap of sequence numbers",
        &[
            Step('>', SYN, u32::MAX - 1, 0, ""),
            Step('<', SYN_ACK, 50, u32::MAX, ""),
            Step('>', ACK, u32::MAX, 51, "abcd"),
            Step('>', ACK, 3, 51, "ef"),
        ],
        "S1",
        "ShD",
        (6, 0),
    ),
];

#[test]
fn states_and_histories_are_zeeks() {
    for (name, steps, state, history, bytes) in CONVERSATIONS {
        let rows = rows_of(steps);
        assert_eq!(rows.len(), 1, "{name}");
        let row = &rows[0];
        let letters = row.history.as_ref().unwrap().escaped().into_owned();
        assert_eq!((row.state, letters.as_str()), (*state, *history), "{name}");
        assert_eq!((row.src_bytes, row.dst_bytes), *bytes, "{name}");
    }
}

#[test]
fn the_receiver_of_a_syn_ack_is_the_originator() {
    let row = &rows_of(&[Step('<', SYN_ACK, 50, 2, "")])[0];
    assert_eq!((row.src_packets, row.dst_packets), (0, 1));
}

#[test]
fn a_gap_is_counted_and_written() {
    let row = &rows_of(&[
        Step('>', SYN, 1, 0, ""),
        Step('<', SYN_ACK, 50, 2, ""),
        Step('>', ACK, 2, 51, "ab"),
        Step('>', ACK, 8, 51, "gh"),
        Step('<', ACK, 51, 10, ""),
    ])[0];
    assert_eq!(row.missed_bytes, 4);
    assert_eq!(row.history.as_ref().unwrap().escaped(), "ShDaG");
}

#[test]
fn another_syn_opens_another_flow_and_a_retransmitted_one_does_not() {
    let again = [Step('>', SYN, 1, 0, ""), Step('>', SYN, 1, 0, "")];
    assert_eq!(rows_of(&again).len(), 1);
    let other = [Step('>', SYN, 1, 0, ""), Step('>', SYN, 7_000, 0, "")];
    assert_eq!(rows_of(&other).len(), 2);
}

fn udp(src_port: u16, secs: i64) -> Packet {
    Packet {
        time: Timestamp::from_secs_nanos(secs, 0),
        ..packet("10.0.0.1", src_port, "10.0.0.2", 53, Transport::UDP)
    }
}

fn udp_answer(port: u16, secs: i64) -> Packet {
    Packet {
        time: Timestamp::from_secs_nanos(secs, 0),
        ..packet("10.0.0.2", 53, "10.0.0.1", port, Transport::UDP)
    }
}

#[test]
fn silence_ends_a_flow_at_its_deadline_whoever_notices() {
    for sweeps in [false, true] {
        let mut lab = Lab::new(FlowSettings::default());
        lab.take(udp(1, 100));
        lab.take(udp(2, 161));
        if sweeps {
            lab.table.expire(lab.clock, &mut lab.tools);
        }
        lab.take(udp(1, 161));
        let is_row = |event: &&Event| matches!(event.kind, EventKind::FlowRow { .. });
        let rows = lab.tools.events.iter().filter(is_row);
        let ends: Vec<_> = rows.map(|event| event.time).collect();
        assert_eq!(ends, [Timestamp::from_secs_nanos(160, 0)], "sweeps: {sweeps}");
        assert_eq!(lab.rows().len(), 3);
    }
}

#[test]
fn an_old_flow_tells_of_its_originator_after_each_silence() {
    let mut lab = Lab::new(FlowSettings::default());
    for (secs, millis) in [(0, 0), (59, 0), (118, 0), (177, 0), (236, 0), (295, 0)] {
        lab.take(datagram_with_payload(secs, millis));
    }
    for (secs, millis) in [(301, 0), (301, 400), (302, 300), (303, 300), (303, 301)] {
        lab.take(datagram_with_payload(secs, millis));
    }
    let mut opened = Vec::new();
    let mut active = Vec::new();
    for event in &lab.tools.events {
        match event.kind {
            EventKind::Opened { opening, .. } => opened.push(opening),
            EventKind::Active { ts, bytes } => active.push((ts.nanos() / 1_000_000, bytes)),
            _ => {}
        }
    }
    assert_eq!(opened, [Opening::Datagram]);
    assert_eq!(active, [(301_000, 4), (303_300, 4)]);
}

fn datagram_with_payload(secs: i64, millis: i64) -> Packet {
    Packet {
        time: Timestamp::from_secs_nanos(secs, millis * 1_000_000),
        payload: joined(b"beat"),
        payload_wire_bytes: 4,
        ..packet("10.0.0.1", 1, "10.0.0.2", 53, Transport::UDP)
    }
}

#[test]
fn interim_rows_add_up() {
    let interim = Duration::from_secs(100);
    let mut lab = Lab::new(FlowSettings { interim, ..FlowSettings::default() });
    for secs in [0, 50, 99, 140, 190, 205] {
        lab.take(udp(1, secs));
    }
    let rows = lab.rows();
    let parts: Vec<_> = rows.iter().map(|r| (r.part, r.src_packets, r.end_reason)).collect();
    assert_eq!(parts, [(1, 3, "interim"), (2, 3, "shutdown")]);
}

#[test]
fn a_flood_of_unanswered_flows_spares_the_answered_one() {
    let per_shard = 10;
    let flows_max = per_shard * SHARDS;
    let mut lab = Lab::new(FlowSettings { flows_max, ..FlowSettings::default() });
    lab.take(udp(1, 0));
    lab.take(udp_answer(1, 0));
    for port in 2..1_000 {
        lab.take(udp(port, 1));
    }
    assert_eq!(lab.table.open_flows(), per_shard);
    assert_eq!(lab.table.evicted(), 999 - 10);
    lab.take(udp(1, 2));
    let answered: Vec<_> = lab.rows().into_iter().filter(|row| row.dst_packets > 0).collect();
    assert_eq!(answered.len(), 1);
    assert_eq!(answered[0].src_packets, 2);
}

#[test]
fn flows_that_begin_at_the_same_instant_have_different_uids() {
    let mut lab = Lab::new(FlowSettings::default());
    let first = segment(&Step('>', SYN, 1, 0, ""), 0);
    let second = segment(&Step('>', SYN, 9_999, 0, ""), 0);
    lab.take(first);
    lab.take(second);
    let clock = lab.clock;
    lab.table.finish(clock, &mut lab.tools);
    let is_opened = |event: &&Event| matches!(event.kind, EventKind::Opened { .. });
    let opened = lab.tools.events.iter().filter(is_opened);
    let uids: Vec<_> = opened.map(|event| event.flow.uid).collect();
    assert_eq!(uids.len(), 2);
    assert_ne!(uids[0], uids[1]);
}

#[test]
fn a_reset_after_a_fin_of_the_same_side_ends_the_flow() {
    let rows = rows_of(&[
        Step('>', SYN, 1, 0, ""),
        Step('<', SYN_ACK, 50, 2, ""),
        Step('>', FIN_ACK, 2, 51, ""),
        Step('>', RST, 3, 0, ""),
    ]);
    assert_eq!((rows[0].state, rows[0].end_reason), ("RSTO", "rst"));
}

#[test]
fn a_syn_into_an_open_connection_opens_another_one_only_when_it_is_answered() {
    let open = [
        Step('>', SYN, 1, 0, ""),
        Step('<', SYN_ACK, 50, 2, ""),
        Step('>', ACK, 2, 51, "abc"),
        Step('>', SYN, 9_000, 0, ""),
    ];
    let goes_on = [Step('>', ACK, 5, 51, "def"), Step('<', ACK, 51, 8, "")];
    let rows = rows_of(&[&open[..], &goes_on].concat());
    assert_eq!(rows.iter().map(|row| row.src_bytes).collect::<Vec<_>>(), [6]);
    for (answer, flows) in [
        (Step('<', SYN_ACK, 700, 9_001, ""), 2),
        (Step('<', SYN_ACK, 700, 8_000, ""), 1),
        (Step('<', ACK, 51, 5, ""), 1),
    ] {
        let ack = answer.2 + 1;
        let data = Step('>', ACK, 9_001, ack, "new");
        let rows = rows_of(&[&open[..], &[answer, data]].concat());
        assert_eq!(rows.len(), flows);
    }
}
