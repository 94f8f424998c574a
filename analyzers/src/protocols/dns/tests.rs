//! Tests of whole flows: pairing, streams, recognition. What one message means is tested in
//! [`wire`].

mod wire;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::emitter::Emission;
use crate::flow_id::Endpoint;
use crate::limits::{DNS_PENDING, DNS_PENDING_AGE};
use crate::protocol::{FinishReason, Probe, Verdict};
use crate::record::{Record, Row, Value};

/// A message: header, then whatever `body` holds.
fn message(id: u16, flags: u16, counts: [u16; 4], body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [id, flags].iter().chain(&counts) {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(body.concat());
    bytes
}

/// A name without compression.
fn wire_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

const A_IN: &[u8] = &[0, 1, 0, 1];
const PTR_IN: &[u8] = &[0, 12, 0, 1];
/// An answer for the name at byte 12: A, IN, 300 seconds, 192.0.2.1.
const ANSWER: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1];

fn query(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x0100, [1, 0, 0, 0], &[&wire_name(name), A_IN])
}

fn response(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x8180, [1, 1, 0, 0], &[&wire_name(name), A_IN, ANSWER])
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |m: &Vec<u8>| [&(m.len() as u16).to_be_bytes(), m.as_slice()].concat();
    messages.iter().flat_map(frame).collect()
}

fn flow(transport: Transport, ports: [u16; 2], start: StreamStart) -> FlowContext {
    let end = |host, port| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), port };
    FlowContext {
        src: end(1, ports[0]),
        dst: end(2, ports[1]),
        transport,
        start,
        hashing: crate::protocol::FileHashing::Off,
    }
}

fn udp(port: u16) -> FlowContext {
    flow(Transport::UDP, [40_000, port], StreamStart::Beginning)
}

fn tcp(start: StreamStart) -> FlowContext {
    flow(Transport::TCP, [40_000, 53], start)
}

use Direction::{DstToSrc as Dst, SrcToDst as Src};

/// A flow under test: the clock moves a millisecond with each chunk.
struct Session {
    dns: Dns,
    emitter: Emitter,
    millis: i64,
    rest: PerDirection<Vec<u8>>,
}

impl Session {
    fn new(flow: &FlowContext) -> Self {
        let (dns, emitter) = (Dns::new(flow), Emitter::default());
        Self { dns, emitter, millis: 0, rest: PerDirection::default() }
    }

    fn datagram(&mut self, direction: Direction, bytes: &[u8]) {
        self.cut_datagram(direction, bytes, bytes.len());
    }

    fn cut_datagram(&mut self, direction: Direction, bytes: &[u8], wire_bytes: usize) {
        let chunk = Chunk { direction, time: self.tick(), bytes, wire_bytes };
        assert_eq!(self.dns.data(&chunk, &mut self.emitter), Step::Consumed(bytes.len()));
    }

    fn segment(&mut self, direction: Direction, bytes: &[u8]) {
        let time = self.tick();
        let kept = self.rest.of_mut(direction);
        kept.extend(bytes);
        let chunk = Chunk { direction, time, bytes: kept, wire_bytes: kept.len() };
        match self.dns.data(&chunk, &mut self.emitter) {
            Step::Consumed(done) => drop(kept.drain(..done)),
            Step::NeedMore { at_least } => assert!(at_least > kept.len()),
            step => panic!("{step:?}"),
        }
    }

    fn gap(&mut self, direction: Direction) {
        let time = self.tick();
        let rest = std::mem::take(self.rest.of_mut(direction));
        let gap = Gap { direction, time, missing: 100, rest: &rest };
        assert_eq!(self.dns.gap(&gap, &mut self.emitter), Step::Consumed(0));
    }

    fn tick(&mut self) -> Timestamp {
        self.millis += 1;
        Timestamp::from_nanos(self.millis * 1_000_000)
    }

    /// Ends the flow: the named columns of each row, then the names of the weirds.
    fn said(mut self, columns: &str) -> Vec<String> {
        let rest = PerDirection { src: &self.rest.src[..], dst: &self.rest.dst[..] };
        let time = Timestamp::from_nanos(self.millis * 1_000_000);
        let payload_bytes = PerDirection::default();
        let finish = Finish { reason: FinishReason::Fin, time, rest, payload_bytes };
        self.dns.finish(&finish, &mut self.emitter);
        let said = self.emitter.drain().map(|emission| match emission {
            Emission::Record { record, .. } => cells(&*record, columns),
            Emission::Weird { weird, .. } => weird.name().to_owned(),
        });
        said.collect()
    }
}

#[derive(Default)]
struct Words(Vec<String>);

impl Row for Words {
    fn put(&mut self, value: Value<'_>) {
        self.0.push(match value {
            Value::Null => "-".to_owned(),
            Value::Text(text) => text.escaped().into_owned(),
            Value::Str(word) => word.to_owned(),
            Value::Bool(bit) => bit.to_string(),
            Value::U8(number) => number.to_string(),
            Value::U16(number) => number.to_string(),
            Value::I64(number) => number.to_string(),
            other => format!("{other:?}"),
        });
    }
}

/// The named columns of a row.
fn cells(record: &dyn Record, columns: &str) -> String {
    let mut words = Words::default();
    record.cells(&mut words);
    let names: Vec<_> = record.table().columns.iter().map(|column| column.name).collect();
    let cell = |name| words.0[names.iter().position(|n| *n == name).expect(name)].clone();
    columns.split(' ').map(cell).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_pair_fills_every_column() {
    let mut session = Session::new(&udp(53));
    session.datagram(Src, &query(7, "WWW.example.org"));
    session.datagram(Dst, &response(7, "www.EXAMPLE.org"));
    let columns = "transport id opcode query qtype qclass rcode aa tc rd ra answers answer_types \
                   answer_ttls rtt_us query_bytes response_bytes";
    assert_eq!(
        session.said(columns),
        ["udp 7 0 www.example.org A IN NOERROR false false true true TextList([\"192.0.2.1\"]) \
          TextList([\"A\"]) I64List([300]) 1000 33 49"]
    );
}

#[test]
fn queries_and_responses_are_paired_by_id_question_and_direction() {
    let ask = |id, name| (Src, query(id, name));
    let answer = |id, name| (Dst, response(id, name));
    let mute = |id, rcode: u16| (Dst, message(id, 0x8000 | rcode, [0; 4], &[]));
    type Case = (&'static str, Vec<(Direction, Vec<u8>)>, &'static [&'static str]);
    let cases: [Case; 8] = [
        ("unanswered", vec![ask(1, "a")], &["1 a - -"]),
        ("unasked", vec![answer(1, "a")], &["1 a NOERROR -"]),
        (
            "out of order",
            vec![ask(1, "a"), ask(2, "b"), answer(2, "b"), answer(1, "a")],
            &["2 b NOERROR 1000", "1 a NOERROR 3000"],
        ),
        (
            "one id, two questions",
            vec![ask(1, "a"), ask(1, "b"), answer(1, "b"), answer(1, "a")],
            &["1 b NOERROR 1000", "1 a NOERROR 3000"],
        ),
        ("another question", vec![ask(1, "a"), answer(1, "b")], &["1 b NOERROR -", "1 a - -"]),
        (
            "asked twice, answered once",
            vec![ask(1, "a"), ask(1, "a"), answer(1, "a")],
            &["1 a NOERROR 2000", "1 a - -"],
        ),
        ("no question in the response", vec![ask(1, "a"), mute(1, 1)], &["1 a FORMERR 1000"]),
        (
            "both from the same end",
            vec![(Dst, query(1, "a")), answer(1, "a")],
            &["1 a NOERROR -", "1 a - -"],
        ),
    ];
    for (name, chunks, expected) in cases {
        let mut session = Session::new(&udp(53));
        for (direction, bytes) in chunks {
            session.datagram(direction, &bytes);
        }
        assert_eq!(session.said("id query rcode rtt_us"), expected, "{name}");
    }
}

#[test]
fn multicast_dns_pairs_by_flow_and_id() {
    let announcement = message(0, 0x8400, [0, 1, 0, 0], &[&wire_name("a"), A_IN, &ANSWER[6..]]);
    let answered = "mdns a NOERROR TextList([\"192.0.2.1\"])";
    for (direction, response) in
        [(Dst, &announcement), (Src, &announcement), (Dst, &response(0, "a"))]
    {
        let mut session = Session::new(&udp(5353));
        session.datagram(Src, &query(0, "a"));
        session.datagram(direction, response);
        assert_eq!(session.said("transport query rcode answers"), [answered]);
    }
    let mut session = Session::new(&udp(5353));
    session.datagram(Src, &announcement);
    // Nobody asked: the name is the one that is announced.
    assert_eq!(session.said("transport query rcode answers"), [answered]);
}

#[test]
fn multicast_dns_prefers_the_question_that_is_answered() {
    let announcement = message(0, 0x8400, [0, 1, 0, 0], &[&wire_name("b"), A_IN, &ANSWER[6..]]);
    let mut session = Session::new(&udp(5353));
    session.datagram(Src, &query(0, "a"));
    session.datagram(Src, &query(0, "b"));
    session.datagram(Src, &announcement);
    assert_eq!(session.said("query rcode"), ["b NOERROR", "a -"]);
}

#[test]
fn llmnr_and_netbios_speak_their_dialect() {
    let mut llmnr = Session::new(&udp(5355));
    llmnr.datagram(Dst, &message(1, 0x8500, [1, 0, 0, 0], &[&wire_name("wpad"), A_IN]));
    assert_eq!(llmnr.said("transport query aa tc rd ra"), ["llmnr wpad - false - -"]);

    let name = wire_name("FHFAEBEECACACACACACACACACACACAAA");
    let mut netbios = Session::new(&udp(137));
    netbios.datagram(Src, &message(2, 0x0110, [1, 0, 0, 0], &[&name, &[0, 32, 0, 1]]));
    let record = [&name[..], &[0, 32, 0, 1, 0, 0, 0, 9, 0, 6, 0x60, 0, 192, 0, 2, 9]].concat();
    netbios.datagram(Dst, &message(2, 0x8580, [0, 1, 0, 0], &[&record]));
    assert_eq!(
        netbios.said("transport query qtype rcode answers answer_types"),
        ["nbns wpad NB NOERROR TextList([\"192.0.2.9\"]) TextList([\"NB\"])"]
    );
}

#[test]
fn the_oldest_query_is_given_up_when_one_more_waits_than_the_bound_allows() {
    for (count, weirds) in [(DNS_PENDING - 1, 0), (DNS_PENDING, 0), (DNS_PENDING + 1, 1)] {
        let mut session = Session::new(&udp(53));
        for id in 0..count {
            session.datagram(Src, &query(id as u16, "a"));
        }
        let said = session.said("id rcode");
        assert_eq!(said.iter().filter(|s| *s == "dns_too_many_pending").count(), weirds);
        assert_eq!(said.len(), count + weirds, "no query may be lost");
    }
}

#[test]
fn a_query_waits_so_long_and_no_longer() {
    let age = i64::try_from(DNS_PENDING_AGE.as_millis()).unwrap();
    for (wait, expected) in [
        (age - 1, vec!["1 NOERROR"]),
        (age, vec!["1 NOERROR"]),
        (age + 1, vec!["1 -", "1 NOERROR"]),
    ] {
        let mut session = Session::new(&udp(53));
        session.datagram(Src, &query(1, "a"));
        session.millis += wait - 1;
        session.datagram(Dst, &response(1, "a"));
        assert_eq!(session.said("id rcode"), expected, "after {wait} ms");
    }
}

#[test]
fn a_cut_datagram_gives_what_it_holds() {
    let whole = response(1, "abc");
    for (kept, expected) in [
        (11, vec!["dns_cut"]),
        (14, vec!["dns_cut", "1 - - NOERROR TextList([]) 37"]),
        (18, vec!["dns_cut", "1 abc - NOERROR TextList([]) 37"]),
        (21, vec!["dns_cut", "1 abc A NOERROR TextList([]) 37"]),
        (36, vec!["dns_cut", "1 abc A NOERROR TextList([]) 37"]),
        (37, vec!["1 abc A NOERROR TextList([\"192.0.2.1\"]) 37"]),
    ] {
        let mut session = Session::new(&udp(53));
        session.cut_datagram(Dst, &whole[..kept], whole.len());
        let said = session.said("id query qtype rcode answers response_bytes");
        assert_eq!(said, expected, "{kept} bytes");
    }
}

/// Two queries, two responses, out of order.
fn conversation() -> [(Direction, Vec<u8>); 2] {
    [
        (Src, framed(&[query(1, "a.example"), query(2, "b.example")])),
        (Dst, framed(&[response(2, "b.example"), response(1, "a.example")])),
    ]
}

#[test]
fn segments_may_split_messages_anywhere() {
    let columns = "transport id query rcode answers query_bytes response_bytes";
    let expected = {
        let mut session = Session::new(&tcp(StreamStart::Beginning));
        conversation().iter().for_each(|(direction, bytes)| session.segment(*direction, bytes));
        session.said(columns)
    };
    assert_eq!(expected[1], "tcp 1 a.example NOERROR TextList([\"192.0.2.1\"]) 27 43");
    for start in [StreamStart::Beginning, StreamStart::Midstream] {
        let mut single_bytes = Session::new(&tcp(start));
        for (direction, bytes) in conversation() {
            bytes.iter().for_each(|byte| single_bytes.segment(direction, &[*byte]));
        }
        assert_eq!(single_bytes.said(columns), expected);
        for cut in 0..=conversation()[0].1.len() {
            let mut session = Session::new(&tcp(start));
            for (direction, bytes) in conversation() {
                let (head, tail) = bytes.split_at(cut.min(bytes.len()));
                session.segment(direction, head);
                session.segment(direction, tail);
            }
            assert_eq!(session.said(columns), expected, "cut at {cut}");
        }
    }
}

#[test]
fn a_stream_is_picked_up_at_its_next_message() {
    let second = framed(&[response(2, "second.example")]);
    let first = framed(&[response(1, "first.example")]);
    for lost in 1..first.len() {
        let mut midstream = Session::new(&tcp(StreamStart::Midstream));
        midstream.segment(Dst, &[&first[lost..], &second].concat());
        assert_eq!(midstream.said("id query rcode"), ["2 second.example NOERROR"], "{lost} lost");

        let mut gapped = Session::new(&tcp(StreamStart::Beginning));
        gapped.segment(Dst, &first);
        gapped.gap(Dst);
        gapped.segment(Dst, &first[lost..]);
        gapped.segment(Dst, &second);
        assert_eq!(
            gapped.said("id query rcode"),
            ["1 first.example NOERROR", "2 second.example NOERROR"]
        );
    }
}

#[test]
fn a_zone_transfer_is_picked_up_by_its_id() {
    let part = |id| message(id, 0x8480, [0, 1, 0, 0], &[&wire_name("a.example"), &ANSWER[2..]]);
    for (id, expected) in [(1, "1 - NOERROR"), (2, "")] {
        let mut gapped = Session::new(&tcp(StreamStart::Beginning));
        gapped.segment(Dst, &framed(&[response(1, "first.example")]));
        gapped.gap(Dst);
        gapped.segment(Dst, &framed(&[part(id)])[1..]);
        gapped.segment(Dst, &framed(&[part(id)]));
        let said = gapped.said("id query rcode");
        assert_eq!(said.get(1).map_or("", String::as_str), expected);
    }
}

#[test]
fn a_message_whose_end_is_missing_gives_what_stands_before_the_gap() {
    let whole = framed(&[response(1, "a.example")]);
    for (kept, expected) in [
        (2 + 12, vec![]),
        (2 + 13, vec!["dns_cut", "1 - NOERROR TextList([]) 43"]),
        (2 + 27, vec!["dns_cut", "1 a.example NOERROR TextList([]) 43"]),
    ] {
        let columns = "id query rcode answers response_bytes";
        let mut gapped = Session::new(&tcp(StreamStart::Beginning));
        gapped.segment(Dst, &whole[..kept]);
        gapped.gap(Dst);
        assert_eq!(gapped.said(columns), expected, "gap after {kept}");
        let mut ended = Session::new(&tcp(StreamStart::Beginning));
        ended.segment(Dst, &whole[..kept]);
        assert_eq!(ended.said(columns), expected, "end after {kept}");
    }
}

#[test]
fn a_stream_out_of_step_is_searched() {
    let odd_counts = message(1, 0, [0xffff; 4], &[]);
    for odd in [b"\x00\x0b".to_vec(), framed(&[odd_counts]), vec![0; 40]] {
        let mut session = Session::new(&tcp(StreamStart::Beginning));
        session.segment(Src, &[&odd[..], &framed(&[query(5, "example.org")])].concat());
        assert_eq!(session.said("id query"), ["dns_out_of_step", "5 example.org"], "{odd:?}");
    }
}

#[test]
fn a_stream_never_asks_for_more_than_its_buffer() {
    let mut session = Session::new(&tcp(StreamStart::Beginning));
    session.segment(Src, b"\xff");
    let bytes = b"\xff\xff\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let chunk = Chunk { direction: Src, time: Timestamp::MIN, bytes, wire_bytes: bytes.len() };
    let step = session.dns.data(&chunk, &mut session.emitter);
    assert_eq!(step, Step::NeedMore { at_least: PROTOCOL.buffer_bytes_max });
}

fn verdict(flow: &FlowContext, bytes: &[u8]) -> Verdict {
    (PROTOCOL.probe)(&Probe { flow, direction: Src, bytes })
}

#[test]
fn datagrams_are_recognised_by_content_and_forgiven_more_on_a_port_of_dns() {
    use Verdict::{Certain, NotForUs};
    let plain = query(1, "example.org");
    let edns = [&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0][..]].concat();
    let with_edns = message(1, 0x0120, [1, 0, 0, 1], &[&wire_name("a.b"), A_IN, &edns]);
    let announcement = message(0, 0x8400, [0, 1, 0, 0], &[&wire_name("a"), A_IN, &ANSWER[6..]]);
    let private = message(1, 0x0100, [1, 0, 0, 0], &[&wire_name("a"), &[0xff, 0x78, 0, 1]]);
    let binary = message(1, 0x0100, [1, 0, 0, 0], &[b"\x02\xc3\x01\x00", A_IN]);
    let several = message(0, 0, [2, 0, 0, 0], &[&wire_name("a"), PTR_IN, &wire_name("b"), PTR_IN]);
    let cut_name = message(1, 0x0100, [1, 0, 0, 0], &[b"\x03a"]);
    let odd_record = message(1, 0, [0, 1, 0, 0], &[&[0, 0xff, 0xf0, 0xff, 0xf0], &[0; 20]]);
    // Message, then the verdicts on port 53 and on any other.
    let cases: [(&str, &[u8], Verdict, Verdict); 22] = [
        ("query", &plain, Certain, Certain),
        ("response", &response(1, "a"), Certain, Certain),
        ("EDNS", &with_edns, Certain, Certain),
        ("no question", &announcement, Certain, NotForUs),
        ("private type", &private, Certain, NotForUs),
        ("binary name", &binary, Certain, NotForUs),
        ("two questions", &several, Certain, NotForUs),
        ("cut name", &cut_name, Certain, NotForUs),
        ("cut answer", &response(1, "a")[..30], Certain, NotForUs),
        ("bare refusal", &message(1, 0x8001, [0; 4], &[]), Certain, NotForUs),
        ("trailing byte", &[&plain[..], &[0]].concat(), Certain, NotForUs),
        ("reserved bit", &message(1, 0x40, [1, 0, 0, 0], &[&[0], A_IN]), Certain, NotForUs),
        ("odd record", &odd_record, NotForUs, NotForUs),
        ("zeros", &[0; 48], NotForUs, NotForUs),
        ("nothing", &[], NotForUs, NotForUs),
        ("NTP", b"\x23\x02\x06\xe8\0\0\x03\xe8\0\0\x01\xf4\xc0\0\x02\x01", NotForUs, NotForUs),
        ("STUN", b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", NotForUs, NotForUs),
        ("SNMP", b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04", NotForUs, NotForUs),
        ("SIP", b"OPTIONS sip:a@example.org SIP/2.0\r\n\r\n", NotForUs, NotForUs),
        ("QUIC", b"\xc3\0\0\0\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\0\0", NotForUs, NotForUs),
        ("DNSCrypt", b"r6fnvWj8\x9d\x11\x02\xa4\x37\x77\x91\x80", NotForUs, NotForUs),
        ("DTLS", b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x36\x01\0\0", NotForUs, NotForUs),
    ];
    for (name, bytes, on_port, elsewhere) in cases {
        assert_eq!(verdict(&udp(53), bytes), on_port, "{name} on port 53");
        assert_eq!(verdict(&udp(12_345), bytes), elsewhere, "{name} on another port");
    }
    assert_eq!(verdict(&udp(5353), &announcement), Certain);
}

#[test]
fn streams_are_recognised_by_length_header_and_question() {
    use Verdict::{Certain, NotForUs, Unsure};
    let elsewhere = flow(Transport::TCP, [40_000, 8_053], StreamStart::Beginning);
    let stream = framed(&[query(1, "example.org")]);
    for kept in 0..=stream.len() {
        let on_port = if kept < 14 { Unsure } else { Certain };
        let verdict_on_port = verdict(&tcp(StreamStart::Beginning), &stream[..kept]);
        assert_eq!(verdict_on_port, on_port, "{kept} bytes on port 53");
        let content = if kept < stream.len() { Unsure } else { Certain };
        assert_eq!(verdict(&elsewhere, &stream[..kept]), content, "{kept} bytes elsewhere");
    }
    let client_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaa";
    for other in [&b"GET / HTTP/1.1\r\n\r\n"[..], client_hello, &[0; 64]] {
        assert_eq!(verdict(&tcp(StreamStart::Beginning), other), NotForUs, "{other:?}");
        assert_eq!(verdict(&elsewhere, other), NotForUs, "{other:?}");
    }
    let tail = [&stream[5..], &stream[..]].concat();
    assert_eq!(verdict(&tcp(StreamStart::Midstream), &tail), Certain);
    assert_eq!(verdict(&tcp(StreamStart::Beginning), &tail), NotForUs);
}
