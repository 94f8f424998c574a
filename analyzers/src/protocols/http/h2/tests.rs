//! HTTP/2 by its bytes: the examples of RFC 7541, frames in every order, and what a capture leaves.

use super::super::tests::{Feed, flow, rows, weirds};
use super::*;
use crate::direction::Direction::{DstToSrc as DOWN, SrcToDst as UP};
use crate::limits::{HTTP2_FIELD_BYTES, HTTP2_STREAMS, HTTP2_TABLE_BYTES};
use crate::protocol::{FinishReason, StreamStart};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn fields(decoder: &mut Decoder, block: &[u8]) -> (Vec<String>, Option<MalformedKind>) {
    let mut told = Vec::new();
    let outcome = decoder.decode(block, &mut |name, value| {
        told.push(format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
    });
    (told, outcome.err().map(|malformed| malformed.kind))
}

/// RFC 7541 appendix C.3 (requests, plain), C.4 (requests, Huffman) and C.6 (responses, Huffman, a
/// table of 256 bytes, so that entries are evicted).
#[test]
fn the_examples_of_the_specification_are_decoded() {
    let first = ":method: GET, :scheme: http, :path: /, :authority: www.example.com";
    let third = ":method: GET, :scheme: https, :path: /index.html, :authority: www.example.com, \
        custom-key: custom-value";
    let response = ":status: 302, cache-control: private, date: Mon, 21 Oct 2013 20:13:21 GMT, \
        location: https://www.example.com";
    let response_last = ":status: 200, cache-control: private, \
        date: Mon, 21 Oct 2013 20:13:22 GMT, \
        location: https://www.example.com, content-encoding: gzip, \
        set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    for (blocks, expected) in [
        (
            &[
                "828684410f7777772e6578616d706c652e636f6d",
                "828684be58086e6f2d6361636865",
                "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
            ][..],
            &[(0, first), (2, third)][..],
        ),
        (
            &[
                "828684418cf1e3c2e5f23a6ba0ab90f4ff",
                "828684be5886a8eb10649cbf",
                "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
            ],
            &[(0, first), (2, third)],
        ),
        (
            &[
                "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff\
                 6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                "4883640effc1c0bf",
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821d\
                 d7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b106\
                 3d5007",
            ],
            &[(0, response), (2, response_last)],
        ),
    ] {
        let mut decoder = Decoder::default();
        let told: Vec<_> = blocks.iter().map(|block| fields(&mut decoder, &hex(block))).collect();
        for (at, text) in expected {
            assert_eq!((told[*at].0.join(", ").as_str(), told[*at].1), (*text, None));
        }
    }
}

#[test]
fn malformed_blocks_tell_what_came_before() {
    use MalformedKind::{BadValue, LimitReached, Truncated};
    for (block, told, kind) in [
        ("82", 1, None),
        ("8241", 1, Some(Truncated)),
        ("82410f7777", 1, Some(Truncated)),
        ("82ffffffffffff", 1, Some(BadValue)),
        // Padding of zeros, padding of a byte, and the end-of-string code.
        ("82418200 00", 1, Some(BadValue)),
        ("824181ff", 1, Some(BadValue)),
        ("824184ffffffff", 1, Some(BadValue)),
        // Entries that are not there are passed over.
        ("82c080be", 1, None),
        ("823fe1ffff7f", 1, Some(LimitReached)),
    ] {
        let (fields, outcome) = fields(&mut Decoder::default(), &hex(block));
        assert_eq!((fields.len(), outcome), (told, kind), "{block}");
    }
}

#[test]
fn the_table_and_the_fields_told_are_bounded() {
    let mut decoder = Decoder::default();
    let table = |bytes: usize| {
        let mut rest = bytes - 31;
        let mut block = vec![0x3f];
        while rest >= 128 {
            block.push((rest % 128) as u8 | 0x80);
            rest /= 128;
        }
        block.push(rest as u8);
        block
    };
    assert_eq!(fields(&mut decoder, &table(HTTP2_TABLE_BYTES)).1, None);
    let over = fields(&mut decoder, &table(HTTP2_TABLE_BYTES + 1)).1;
    assert_eq!(over, Some(MalformedKind::LimitReached));

    // An entry of 1 000 bytes, named again and again by one byte each.
    let mut block = vec![0x40, 1, b'n', 0x7f];
    block.extend_from_slice(&[(967 - 127) as u8 & 0x7f | 0x80, ((967 - 127) >> 7) as u8]);
    block.extend_from_slice(&[b'v'; 967]);
    let times = HTTP2_FIELD_BYTES / 1_000;
    block.extend(vec![0xbe; times - 1]);
    assert_eq!(
        fields(&mut Decoder::default(), &block),
        (vec![format!("n: {}", "v".repeat(967)); times], None)
    );
    block.push(0xbe);
    let (told, outcome) = fields(&mut Decoder::default(), &block);
    assert_eq!((told.len(), outcome), (times, Some(MalformedKind::LimitReached)));
}

const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A literal field without indexing.
fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0, name.len() as u8];
    field.extend_from_slice(name.as_bytes());
    field.push(value.len() as u8);
    field.extend_from_slice(value.as_bytes());
    field
}

fn request(path: &str) -> Vec<u8> {
    let parts =
        [(":method", "GET"), (":path", path), (":authority", "u:p@h:80"), ("user-agent", "a")];
    parts.iter().flat_map(|(name, value)| field(name, value)).collect()
}

const PAIR: &[&str] = &[
    "depth",
    "method",
    "host",
    "uri",
    "version",
    "status",
    "request_body_bytes",
    "response_body_bytes",
];

/// The rows and weirds of one flow, its bytes whole and one by one.
fn exchange(up: &[u8], down: &[u8]) -> (Vec<String>, Vec<Weird>) {
    let mut whole = Feed::new(StreamStart::Beginning);
    let whole = whole.data(UP, up).data(DOWN, down).finish(FinishReason::Fin);
    let mut pieces = Feed::new(StreamStart::Beginning);
    for byte in up {
        pieces.data(UP, &[*byte]);
    }
    for byte in down {
        pieces.data(DOWN, &[*byte]);
    }
    let pieces = pieces.finish(FinishReason::Fin);
    assert_eq!(rows(&whole, PAIR), rows(&pieces, PAIR));
    assert_eq!(weirds(&whole), weirds(&pieces));
    (rows(&whole, PAIR), weirds(&whole))
}

#[test]
fn streams_become_rows_whatever_their_frames() {
    let block = request("/1");
    let (begin, rest) = block.split_at(7);
    let mut padded = vec![3, 0, 0, 0, 0, 9];
    padded.extend_from_slice(&request("/3"));
    padded.extend_from_slice(&[0; 3]);
    let up = [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[0; 6]),
        frame(HEADERS, 0, 1, begin),
        frame(9, END_HEADERS, 1, rest),
        frame(HEADERS, END_HEADERS | END_STREAM | 0x28, 3, &padded),
        frame(0, 8, 1, b"\x02ab\0\0"),
        frame(0, END_STREAM, 1, b""),
    ];
    let down = [
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 3, &field(":status", "103")),
        frame(HEADERS, END_HEADERS, 3, b"\x88"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x8d"),
        frame(0, 0, 3, b"hello"),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &field("grpc-status", "0")),
    ];
    let (rows, weirds) = exchange(&up.concat(), &down.concat());
    assert_eq!(rows, ["1 GET h:80 /1 2 404 2 0", "2 GET h:80 /3 2 200 0 5"]);
    assert!(weirds.is_empty());
}

#[test]
fn a_promised_stream_is_a_request_and_a_reset_one_is_written() {
    let mut promise = 2_u32.to_be_bytes().to_vec();
    promise.extend_from_slice(&request("/pushed"));
    let up = [
        PREFACE.to_vec(),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &request("/1")),
        frame(3, 0, 1, &[0, 0, 0, 8]),
    ];
    let down =
        [frame(5, END_HEADERS, 1, &promise), frame(HEADERS, END_HEADERS | END_STREAM, 2, b"\x88")];
    let (rows, _) = exchange(&up.concat(), &down.concat());
    assert_eq!(rows, ["1 GET h:80 /1 2 - 0 -", "2 GET h:80 /pushed 2 200 0 0"]);
}

#[test]
fn an_upgraded_request_is_answered_on_stream_one() {
    let up = [b"GET /up HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n".to_vec()];
    let down = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, b"\x88"),
        frame(0, END_STREAM, 1, b"hello"),
    ];
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, &up.concat()).data(DOWN, &down.concat());
    feed.data(UP, PREFACE).data(UP, &frame(HEADERS, END_HEADERS | END_STREAM, 3, &request("/3")));
    feed.data(DOWN, &frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\x8d"));
    let said = feed.finish(FinishReason::Fin);
    assert_eq!(
        rows(&said, PAIR),
        ["1 GET h /up 1.1 101 0 0", "1 GET h /up 2 200 0 5", "2 GET h:80 /3 2 404 0 0"]
    );
}

#[test]
fn malformed_frames_cost_no_other_stream() {
    for (odd, weird) in [
        (frame(9, END_HEADERS, 5, b"\x82"), Weird::Http2Malformed),
        (frame(HEADERS, END_HEADERS | 8, 5, b"\xff\x82"), Weird::Http2Malformed),
        (frame(HEADERS, END_HEADERS, 5, b"\x41"), Weird::Http2Malformed),
        (frame(HEADERS, END_HEADERS | 0x20, 5, b"\0\0"), Weird::Http2Malformed),
        (frame(HEADERS, 0, 5, &vec![0; HTTP2_BLOCK_BYTES + 1]), Weird::Http2LimitReached),
        (
            [frame(HEADERS, 0, 5, &vec![0; HTTP2_BLOCK_BYTES]), frame(9, 0, 5, b"\0")].concat(),
            Weird::Http2LimitReached,
        ),
    ] {
        let last = frame(HEADERS, END_HEADERS | END_STREAM, 7, &request("/7"));
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, &[PREFACE.to_vec(), odd, last].concat());
        let said = feed.finish(FinishReason::Fin);
        assert_eq!(weirds(&said), [weird]);
        let uris = rows(&said, &["uri"]);
        assert_eq!(uris.last().map(String::as_str), Some("/7"));
    }
}

#[test]
fn a_gap_inside_data_is_counted_and_one_elsewhere_ends_its_direction() {
    let head = [
        frame(HEADERS, END_HEADERS, 1, b"\x88"),
        [&(10_u32).to_be_bytes()[1..], &[0, END_STREAM, 0, 0, 0, 1], b"abc"].concat(),
    ];
    for (missing, expected) in [(7, "200 10"), (8, "200 3")] {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, PREFACE);
        feed.data(UP, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &request("/1")));
        feed.data(DOWN, &head.concat()).gap(DOWN, missing);
        let said = feed.finish(FinishReason::Fin);
        assert_eq!(rows(&said, &["status", "response_body_bytes"]), [expected]);
        assert_eq!(weirds(&said).len(), usize::from(missing == 8));
    }
}

#[test]
fn open_streams_and_coded_bodies_are_bounded() {
    for (streams, odd) in [(HTTP2_STREAMS, 0), (HTTP2_STREAMS + 1, 1)] {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, PREFACE);
        for n in 0..streams {
            let id = n as u32 * 2 + 1;
            feed.data(UP, &frame(HEADERS, END_HEADERS | END_STREAM, id, &request("/")));
        }
        let said = feed.finish(FinishReason::Fin);
        assert_eq!(rows(&said, &["uri"]).len(), streams);
        assert_eq!(weirds(&said), vec![Weird::Http2LimitReached; odd]);
    }
    let response = [b"\x88".to_vec(), field("content-encoding", "gzip")].concat();
    let mut streams = Streams::new(flow(StreamStart::Beginning).hashing);
    let mut emitter = Emitter::default();
    for id in 0..=crate::limits::HTTP2_CODED_BODIES as u32 {
        assert!(emitter.is_empty(), "{id}");
        let mut head = BlockHead::default();
        Decoder::default().decode(&response, &mut |n, v| head.take(n, v)).unwrap();
        let message = Message { line: head.status, fields: head.fields, ..Message::default() };
        streams.response(id, Timestamp::MIN, message, Timestamp::MIN, &mut emitter);
    }
    assert!(!emitter.is_empty());
}
