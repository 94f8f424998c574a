//! Flows of bytes in, rows and weirds out.

use std::net::{IpAddr, Ipv4Addr};

use super::{PROTOCOL, RdpRecord};
use crate::direction::{Direction, PerDirection};
use crate::emitter::{Emission, Emitter};
use crate::flow_id::{Endpoint, Transport};
use crate::limits::RDP_MESSAGE_BYTES;
use crate::protocol::{
    Analyzer, Chunk, FileHashing, Finish, FinishReason, FlowContext, Gap, Next, Probe, Step,
    StreamStart, Verdict,
};
use crate::record::{Row, Value};
use crate::time::Timestamp;

const CLIENT: Direction = Direction::SrcToDst;
const SERVER: Direction = Direction::DstToSrc;

/// A request as mstsc sends it, for CredSSP.
const REQUEST: &[u8] =
    b"\x03\0\0\x29\x24\xe0\0\0\0\0\0Cookie: mstshash=joe\r\n\x01\0\x08\0\x0b\0\0\0";

/// A request of a client that knows no negotiation.
const OLD_REQUEST: &[u8] = b"\x03\0\0\x21\x1c\xe0\0\0\0\0\0Cookie: mstshash=joe\r\n";

/// Confirms: CredSSP with early user authorization, TLS, a refusal, and an old server's.
const HYBRID_EX: &[u8] = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x08\0\0\0";
const RDSTLS: &[u8] = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x04\0\0\0";
const REFUSAL: &[u8] = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x03\0\x08\0\x05\0\0\0";
const OLD_CONFIRM: &[u8] = b"\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0";

/// A whole TLS record and the beginning of another.
const TLS: &[u8] = b"\x16\x03\x01\0\x02ab\x16\x03";

fn context(transport: Transport, start: StreamStart) -> FlowContext {
    let end = |port| Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port };
    FlowContext { src: end(50_000), dst: end(3_389), transport, start, hashing: FileHashing::Off }
}

fn probe_of(transport: Transport, bytes: &[u8]) -> Verdict {
    let flow = context(transport, StreamStart::Beginning);
    (PROTOCOL.probe)(&Probe { flow: &flow, direction: CLIENT, bytes })
}

fn frame(user_data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(user_data.len() + 7).unwrap();
    [&[3, 0], &length.to_be_bytes()[..], &[2, 0xf0, 0x80], user_data].concat()
}

fn element(tag: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [tag, &[0x82], &length.to_be_bytes(), body].concat()
}

fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap();
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
}

fn conference(key: &[u8], blocks: &[u8]) -> Vec<u8> {
    let length = u16::try_from(blocks.len()).unwrap() | 0x8000;
    [b"\0\x05\0\x14\x7c\0\x01\x81\x2a\0\x08\0\x10\0\x01\xc0\0", key, &length.to_be_bytes(), blocks]
        .concat()
}

/// A client's connect message with one channel of that name.
fn connect_initial(channel: &[u8; 8]) -> Vec<u8> {
    let mut core = vec![4, 0, 8, 0, 0, 5, 0, 4, 1, 0xca, 3, 0xaa, 4, 8, 0, 0, 0x28, 0x0a, 0, 0];
    core.extend("狮-PC".encode_utf16().flat_map(u16::to_le_bytes));
    core.resize(142, 0);
    core.extend("55274-OEM".encode_utf16().flat_map(u16::to_le_bytes));
    core.resize(206, 0);
    let network = [&[1, 0, 0, 0], &channel[..], &[0, 0, 0, 0x80]].concat();
    let blocks = [block(0xc001, &core), block(0xc003, &network)].concat();
    let before = b"\x04\x01\x01\x04\x01\x01\x01\x01\xff\x30\x00\x30\x00\x30\x00";
    let body = [&before[..], &element(&[4], &conference(b"Duca", &blocks))].concat();
    frame(&element(&[0x7f, 0x65], &body))
}

/// A server's connect message with that result.
fn connect_response(result: u8) -> Vec<u8> {
    let blocks = block(0x0c02, &[2, 0, 0, 0, 2, 0, 0, 0]);
    let before = [0x0a, 1, result, 2, 1, 0, 0x30, 0];
    let body = [&before[..], &element(&[4], &conference(b"McDn", &blocks))].concat();
    frame(&element(&[0x7f, 0x66], &body))
}

/// Writes each value that is not null as `column=value`.
struct Cells(Vec<String>);

impl Row for Cells {
    fn put(&mut self, value: Value<'_>) {
        let column = RdpRecord::TABLE.columns[self.0.len()].name;
        self.0.push(match value {
            Value::Null => String::new(),
            Value::Text(text) => format!("{column}={}", text.escaped()),
            Value::Str(word) => format!("{column}={word}"),
            other => format!("{column}={other:?}"),
        });
    }
}

/// What happens to a flow.
#[derive(Clone, Copy)]
enum Event<'a> {
    Bytes(Direction, &'a [u8]),
    Lost(Direction),
}

/// Drives an analyzer as a session does.
struct Flow {
    analyzer: Box<dyn Analyzer>,
    rest: PerDirection<Vec<u8>>,
    payload: PerDirection<u64>,
    emitter: Emitter,
    last: Option<Step>,
}

impl Flow {
    fn new(transport: Transport, start: StreamStart) -> Self {
        Self {
            analyzer: (PROTOCOL.analyzer.unwrap())(&context(transport, start)),
            rest: PerDirection::default(),
            payload: PerDirection::default(),
            emitter: Emitter::default(),
            last: None,
        }
    }

    fn over(&self) -> bool {
        matches!(self.last, Some(Step::Done | Step::HandOff { .. }))
    }

    fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        *self.payload.of_mut(direction) += bytes.len() as u64;
        if self.over() {
            return;
        }
        let rest = self.rest.of_mut(direction);
        rest.extend_from_slice(bytes);
        while !rest.is_empty() {
            let time = Timestamp::from_secs_nanos(1, 0);
            let chunk = Chunk { direction, time, bytes: rest, wire_bytes: rest.len() };
            let step = self.analyzer.data(&chunk, &mut self.emitter);
            self.last = Some(step);
            match step {
                Step::Consumed(count) => {
                    assert!(count > 0 && count <= rest.len());
                    rest.drain(..count);
                }
                Step::NeedMore { at_least } => {
                    assert!(at_least > rest.len() && at_least <= PROTOCOL.buffer_bytes_max);
                    return;
                }
                Step::HandOff { to, from } => {
                    assert_eq!(to, Next::Protocol("tls"));
                    rest.drain(..from);
                    return;
                }
                Step::Done => rest.clear(),
                Step::NotMine => panic!("recognised in vain"),
            }
        }
    }

    fn lost(&mut self, direction: Direction) {
        let rest = std::mem::take(self.rest.of_mut(direction));
        let time = Timestamp::from_secs_nanos(1, 0);
        let gap = Gap { direction, time, missing: 9, rest: &rest };
        self.last = Some(self.analyzer.gap(&gap, &mut self.emitter));
    }

    /// Ends the flow after that many seconds: the row's cells, then the weirds' names.
    fn finish(mut self, secs: i64, more: PerDirection<u64>) -> Vec<String> {
        let finish = Finish {
            reason: FinishReason::Fin,
            time: Timestamp::from_secs_nanos(1 + secs, 0),
            rest: PerDirection { src: &self.rest.src, dst: &self.rest.dst },
            payload_bytes: PerDirection {
                src: self.payload.src + more.src,
                dst: self.payload.dst + more.dst,
            },
        };
        self.analyzer.finish(&finish, &mut self.emitter);
        let (mut cells, mut weirds) = (Cells(Vec::new()), Vec::new());
        for emission in self.emitter.drain() {
            match emission {
                Emission::Record { record, .. } => {
                    assert!(cells.0.is_empty(), "a second row");
                    record.cells(&mut cells);
                }
                Emission::Weird { weird, .. } => weirds.push(format!("!{}", weird.name())),
            }
        }
        assert_eq!(cells.0.len(), RdpRecord::TABLE.columns.len());
        cells.0.retain(|cell| !cell.is_empty());
        [cells.0, weirds].concat()
    }
}

fn row(events: &[Event<'_>]) -> Vec<String> {
    let mut flow = Flow::new(Transport::TCP, StreamStart::Beginning);
    for event in events {
        match *event {
            Event::Bytes(direction, bytes) => flow.bytes(direction, bytes),
            Event::Lost(direction) => flow.lost(direction),
        }
    }
    flow.finish(0, PerDirection::default())
}

const REQUESTED: &str = "requested_protocols=TextList([\"ssl\", \"hybrid\", \"hybrid_ex\"])";

#[test]
fn a_negotiated_connection_is_handed_to_tls() {
    let both = [HYBRID_EX, TLS].concat();
    let old_hello = b"\x80\x2e\x01\x03\x01";
    for chunks in [
        &[(CLIENT, REQUEST), (SERVER, &both)][..],
        &[(CLIENT, REQUEST), (SERVER, HYBRID_EX), (CLIENT, TLS)],
        &[(CLIENT, REQUEST), (SERVER, HYBRID_EX), (CLIENT, old_hello)],
        // As two taps may tell it.
        &[(CLIENT, REQUEST), (CLIENT, &TLS[..7]), (SERVER, &both)],
        &[(SERVER, HYBRID_EX), (CLIENT, REQUEST), (CLIENT, TLS)],
    ] {
        let events: Vec<_> = chunks.iter().map(|&(way, bytes)| Event::Bytes(way, bytes)).collect();
        let expected = [
            "transport=tcp",
            "cookie=joe",
            REQUESTED,
            "selected_protocol=hybrid_ex",
            "result=encrypted",
            "auth_likely=Bool(false)",
        ];
        assert_eq!(row(&events), expected);
    }
}

#[test]
fn tls_begins_behind_the_confirm() {
    let mut flow = Flow::new(Transport::TCP, StreamStart::Beginning);
    flow.bytes(CLIENT, REQUEST);
    flow.bytes(SERVER, &[HYBRID_EX, TLS].concat());
    assert_eq!(flow.last, Some(Step::HandOff { to: Next::Protocol("tls"), from: HYBRID_EX.len() }));
}

#[test]
fn volume_and_time_behind_the_handshake_tell_a_desktop() {
    for (secs, src, dst, likely) in [
        (60, 8_000, 6_000, Some("auth_likely=Bool(true)")),
        (4, 8_000, 6_000, Some("auth_likely=Bool(false)")),
        (60, 1_300, 6_000, Some("auth_likely=Bool(false)")),
    ] {
        let mut flow = Flow::new(Transport::TCP, StreamStart::Beginning);
        flow.bytes(CLIENT, REQUEST);
        flow.bytes(SERVER, HYBRID_EX);
        let cells = flow.finish(secs, PerDirection { src, dst });
        assert_eq!(cells.last().map(String::as_str), likely);
    }
}

#[test]
fn one_direction_gives_what_it_has() {
    let client = ["transport=tcp", "cookie=joe", REQUESTED, "result=encrypted"];
    assert_eq!(row(&[Event::Bytes(CLIENT, REQUEST), Event::Bytes(CLIENT, TLS)]), client);
    let server = ["transport=tcp", "selected_protocol=hybrid_ex", "result=encrypted"];
    assert_eq!(row(&[Event::Bytes(SERVER, HYBRID_EX)]), server);
    let asked = ["transport=tcp", "cookie=joe", REQUESTED, "result=unknown"];
    assert_eq!(row(&[Event::Bytes(CLIENT, REQUEST)]), asked);
}

#[test]
fn a_hello_is_held_back_only_while_an_answer_may_come() {
    for (length, held) in [(RDP_MESSAGE_BYTES - 6, true), (RDP_MESSAGE_BYTES - 5, false)] {
        let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
        let mut flow = Flow::new(Transport::TCP, StreamStart::Beginning);
        flow.bytes(CLIENT, REQUEST);
        flow.bytes(CLIENT, &[22, 3, 1, high, low]);
        assert_eq!(!flow.over(), held, "a record of {length} bytes");
        flow.bytes(CLIENT, &vec![0; length]);
        assert_eq!(!flow.over(), held, "a record of {length} bytes");
        flow.bytes(CLIENT, &[20]);
        assert!(flow.over());
    }
}

#[test]
fn a_refusal_names_its_reason() {
    let expected = [
        "transport=tcp",
        "cookie=joe",
        REQUESTED,
        "failure=HYBRID_REQUIRED_BY_SERVER",
        "result=failed",
        "auth_likely=Bool(false)",
    ];
    assert_eq!(row(&[Event::Bytes(CLIENT, REQUEST), Event::Bytes(SERVER, REFUSAL)]), expected);
    let disconnect = b"\x03\0\0\x0b\x06\x80\0\0\0\0\0";
    let expected = ["transport=tcp", "cookie=joe", "result=failed", "auth_likely=Bool(false)"];
    let events = [Event::Bytes(CLIENT, OLD_REQUEST), Event::Bytes(SERVER, disconnect)];
    assert_eq!(row(&events), expected);
}

#[test]
fn standard_security_shows_client_and_server() {
    let initial = connect_initial(b"rdpdr\0\0\0");
    let events = [
        Event::Bytes(CLIENT, OLD_REQUEST),
        Event::Bytes(SERVER, OLD_CONFIRM),
        Event::Bytes(CLIENT, &initial),
        Event::Bytes(SERVER, &connect_response(0)),
        Event::Bytes(CLIENT, b"\x44\x08 fast path"),
    ];
    let expected = [
        "transport=tcp",
        "cookie=joe",
        "selected_protocol=rdp",
        "client_name=狮-PC",
        "client_build=2600",
        "keyboard_layout=0x00000804",
        "desktop_width=U16(1280)",
        "desktop_height=U16(1024)",
        "product_id=55274-OEM",
        "channels=TextList([\"rdpdr\"])",
        "encryption_method=128bit",
        "encryption_level=client_compatible",
        "result=success",
        "auth_likely=Bool(false)",
    ];
    assert_eq!(row(&events), expected);
    let response = connect_response(14);
    let refused = row(&[Event::Bytes(SERVER, OLD_CONFIRM), Event::Bytes(SERVER, &response)]);
    assert!(refused.contains(&"result=failed".to_owned()));
}

#[test]
fn the_row_does_not_depend_on_how_the_bytes_are_cut() {
    let initial = [OLD_REQUEST, &connect_initial(b"rdpdr\0\0\0")].concat();
    let response = [OLD_CONFIRM, &connect_response(0)].concat();
    let whole = row(&[Event::Bytes(CLIENT, &initial), Event::Bytes(SERVER, &response)]);
    assert_eq!(whole.len(), 14);
    for size in [1, 2, 3, 7, 50] {
        let client = initial.chunks(size).map(|piece| Event::Bytes(CLIENT, piece));
        let server = response.chunks(size).map(|piece| Event::Bytes(SERVER, piece));
        assert_eq!(row(&client.chain(server).collect::<Vec<_>>()), whole, "pieces of {size}");
    }
    for at in 0..=initial.len() {
        let (head, tail) = initial.split_at(at);
        let events =
            [(CLIENT, head), (CLIENT, tail), (SERVER, &response)].map(|(d, b)| Event::Bytes(d, b));
        assert_eq!(row(&events), whole, "cut at {at}");
    }
}

#[test]
fn each_prefix_gives_a_row_without_complaint() {
    let initial = [OLD_REQUEST, &connect_initial(b"rdpdr\0\0\0")].concat();
    // Behind the client's name: the rest of 206 bytes of core data, and 20 of network data.
    let name_end = initial.len() - 20 - (206 - 20 - 32);
    for len in 1..initial.len() {
        let cells = row(&[Event::Bytes(CLIENT, &initial[..len])]);
        assert!(cells.iter().all(|cell| !cell.starts_with('!')), "{len}: {cells:?}");
        let named = cells.contains(&"client_name=狮-PC".to_owned());
        assert_eq!(named, len >= name_end, "{len}: {cells:?}");
    }
}

#[test]
fn a_gap_costs_what_it_covers() {
    let initial = connect_initial(b"rdpdr\0\0\0");
    let cells = row(&[
        Event::Bytes(CLIENT, &REQUEST[..35]),
        Event::Lost(CLIENT),
        Event::Bytes(CLIENT, &initial),
    ]);
    assert!(cells.contains(&"cookie=joe".to_owned()) && cells.len() > 6, "{cells:?}");
    let events = [Event::Lost(CLIENT), Event::Bytes(CLIENT, b"garbage"), Event::Lost(SERVER)];
    assert_eq!(row(&events), ["transport=tcp", "result=unknown"]);
    let events =
        [Event::Bytes(CLIENT, REQUEST), Event::Lost(SERVER), Event::Bytes(CLIENT, &TLS[..7])];
    assert!(row(&events).contains(&"result=encrypted".to_owned()));
}

#[test]
fn a_stream_met_in_its_middle_is_read_from_its_connect_message() {
    let mut flow = Flow::new(Transport::TCP, StreamStart::Midstream);
    flow.bytes(SERVER, &connect_response(0));
    let cells = flow.finish(0, PerDirection::default());
    let encryption = ["encryption_method=128bit", "encryption_level=client_compatible"];
    assert_eq!(cells[1], "selected_protocol=rdp");
    assert_eq!(cells[2..4], encryption);
}

#[test]
fn what_is_odd_is_told() {
    let odd = |events: &[Event<'_>]| {
        let cells = row(events);
        cells.into_iter().filter(|cell| cell.starts_with('!')).collect::<Vec<_>>()
    };
    let internal = connect_initial(b"ms_t120\0");
    assert_eq!(odd(&[Event::Bytes(CLIENT, &internal)]), ["!rdp_internal_channel"]);
    let events = [Event::Bytes(CLIENT, REQUEST), Event::Bytes(SERVER, RDSTLS)];
    assert_eq!(odd(&events), ["!rdp_protocol_not_requested"]);
    let events = [Event::Bytes(CLIENT, REQUEST), Event::Bytes(CLIENT, b"GET / HTTP/1.0")];
    assert_eq!(odd(&events), ["!rdp_malformed"]);
    let mut wrong = REQUEST.to_vec();
    wrong[4] = 0;
    assert_eq!(odd(&[Event::Bytes(CLIENT, &wrong)]), ["!rdp_malformed"]);
    let bad_tag = frame(b"\x7f\x65\x02\x05\x00");
    assert_eq!(odd(&[Event::Bytes(CLIENT, &bad_tag)]), ["!rdp_malformed"]);
}

#[test]
fn a_message_is_read_up_to_its_bound() {
    for (length, weirds) in
        [(RDP_MESSAGE_BYTES - 1, 0), (RDP_MESSAGE_BYTES, 0), (RDP_MESSAGE_BYTES + 1, 1)]
    {
        let mut initial = connect_initial(b"rdpdr\0\0\0");
        initial.resize(length, 0);
        initial[2..4].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        let cells = row(&[Event::Bytes(CLIENT, &initial)]);
        assert!(cells.contains(&"client_name=狮-PC".to_owned()));
        let told = cells.iter().filter(|cell| *cell == "!rdp_message_too_long").count();
        assert_eq!(told, weirds, "{length} bytes");
    }
}

#[test]
fn flipped_bits_never_cost_the_row() {
    let client = [OLD_REQUEST, &connect_initial(b"rdpdr\0\0\0")].concat();
    let server = [OLD_CONFIRM, &connect_response(0)].concat();
    for bit in 0..client.len() * 8 {
        let mut flipped = client.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(row(&[Event::Bytes(CLIENT, &flipped), Event::Bytes(SERVER, &server)]).len() > 2);
    }
    for bit in 0..server.len() * 8 {
        let mut flipped = server.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(row(&[Event::Bytes(CLIENT, &client), Event::Bytes(SERVER, &flipped)]).len() > 2);
    }
}

#[test]
fn recognises_by_content_alone() {
    let initial = connect_initial(b"rdpdr\0\0\0");
    let scanner = b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0";
    let s7 = b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02";
    let s7_confirm = b"\x03\0\0\x12\x0d\xd0\0\x01\0\x02\0\xc0\x01\x0a\xc1\x02\x01\0";
    let s7_line_end = b"\x03\0\0\x12\x0d\xe0\0\0\0\x01\0\xc1\x01\x61\xc2\x02\x0d\x0a";
    let bare = b"\x03\0\0\x0b\x06\xe0\0\0\x12\x34\0";
    let bare_confirm = b"\x03\0\0\x0b\x06\xd0\0\x01\0\x02\0";
    for (bytes, expected) in [
        (REQUEST, Verdict::Certain),
        (OLD_REQUEST, Verdict::Certain),
        (HYBRID_EX, Verdict::Certain),
        (REFUSAL, Verdict::Certain),
        (OLD_CONFIRM, Verdict::Certain),
        (scanner, Verdict::Certain),
        (&initial, Verdict::Certain),
        (&initial[..100], Verdict::Certain),
        (&connect_response(0), Verdict::Certain),
        (&[&bare[..], &initial].concat(), Verdict::Certain),
        (&REQUEST[..REQUEST.len() - 1], Verdict::Unsure),
        (&initial[..20], Verdict::Unsure),
        (bare, Verdict::Unsure),
        (bare_confirm, Verdict::Unsure),
        (b"", Verdict::Unsure),
        (b"\x03\0", Verdict::Unsure),
        (s7, Verdict::NotForUs),
        (s7_confirm, Verdict::NotForUs),
        (s7_line_end, Verdict::NotForUs),
        (&frame(b"\x32\x01\0\0\0\0\0\x08\0\0\xf0\0\0\x01\0\x01\x01\xe0"), Verdict::NotForUs),
        (b"\x03\0\0\x30\x08\x02\x10\x5a\x05\x04\x03\x80\x90\xa3", Verdict::NotForUs),
        (b"\x03\0\xff\xff\x06\xe0\0\0\0\0\0", Verdict::NotForUs),
        (&[bare, &frame(b"\x04\x01")[..]].concat(), Verdict::NotForUs),
        (TLS, Verdict::NotForUs),
        (b"GET / HTTP/1.1\r\n", Verdict::NotForUs),
    ] {
        assert_eq!(probe_of(Transport::TCP, bytes), expected, "{}", bytes.escape_ascii());
    }
}

/// A datagram of the UDP handshake.
fn handshake(acknowledged: [u8; 4], flags: [u8; 2], mtu: u16) -> Vec<u8> {
    let mtu = mtu.to_be_bytes();
    let head = [&acknowledged[..], &[0, 64], &flags, &[1, 2, 3, 4], &mtu, &mtu].concat();
    [head, vec![0; 1_216]].concat()
}

#[test]
fn the_udp_handshake_gives_a_row() {
    let syn = handshake([0xff; 4], [0x18, 1], 1_232);
    let syn_ack = handshake([1, 2, 3, 4], [0x10, 5], 1_232);
    let data = [0x99; 60];
    for (datagrams, result) in [
        (&[(CLIENT, &syn[..]), (CLIENT, &syn)][..], "result=unknown"),
        (&[(CLIENT, &syn), (SERVER, &syn_ack)], "result=unknown"),
        (&[(CLIENT, &syn), (CLIENT, &data)], "result=unknown"),
        (&[(CLIENT, &syn), (SERVER, &syn_ack), (CLIENT, &data)], "result=encrypted"),
        (&[(SERVER, &syn_ack), (SERVER, &data)], "result=encrypted"),
    ] {
        let mut flow = Flow::new(Transport::UDP, StreamStart::Beginning);
        for (direction, bytes) in datagrams {
            flow.bytes(*direction, bytes);
        }
        assert_eq!(flow.finish(0, PerDirection::default()), ["transport=udp", result]);
    }
}

#[test]
fn only_the_udp_handshake_is_recognised() {
    for (datagram, expected) in [
        (handshake([0xff; 4], [0, 1], 1_232), Verdict::Certain),
        (handshake([0xff; 4], [2, 1], 1_132), Verdict::Certain),
        (handshake([1, 2, 3, 4], [0x10, 5], 1_200), Verdict::Certain),
        (handshake([1, 2, 3, 4], [0, 1], 1_232), Verdict::NotForUs),
        (handshake([0xff; 4], [0, 3], 1_232), Verdict::NotForUs),
        (handshake([0xff; 4], [0, 1], 1_131), Verdict::NotForUs),
        (handshake([0xff; 4], [0, 1], 1_233), Verdict::NotForUs),
        (handshake([0xff; 4], [0, 1], 1_232)[..15].to_vec(), Verdict::NotForUs),
        (REQUEST.to_vec(), Verdict::NotForUs),
    ] {
        assert_eq!(probe_of(Transport::UDP, &datagram), expected);
    }
}
