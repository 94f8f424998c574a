//! HTTP/1 from first byte to row: what real programs send, what hostile ones send, and what a
//! capture leaves of it.

use super::*;
use crate::direction::PerDirection;
use crate::emitter::Emission;
use crate::flow_id::Endpoint;
use crate::protocol::{FileHashing, FinishReason, Probe};
use crate::record::{Row, Value};
use crate::time::Timestamp;
use crate::weird::Weird;
use Direction::{DstToSrc as DOWN, SrcToDst as UP};

/// A flow fed by hand, with the buffers that a stream would keep.
pub(super) struct Feed {
    analyzer: Http,
    rest: PerDirection<Vec<u8>>,
    emitter: Emitter,
    clock: i64,
    /// What the analyzer answered last.
    pub(super) step: Step,
}

pub(super) fn flow(start: StreamStart) -> FlowContext {
    let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
    FlowContext {
        src: end(40_000),
        dst: end(80),
        transport: Transport::TCP,
        start,
        hashing: FileHashing::On,
    }
}

impl Feed {
    pub(super) fn new(start: StreamStart) -> Self {
        Self::with(&flow(start))
    }

    pub(super) fn with(flow: &FlowContext) -> Self {
        Self {
            analyzer: Http::new(flow),
            rest: PerDirection::default(),
            emitter: Emitter::default(),
            clock: 0,
            step: Step::Consumed(0),
        }
    }

    pub(super) fn data(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.clock += 1_000;
        let rest = self.rest.of_mut(direction);
        rest.extend_from_slice(bytes);
        let chunk = Chunk {
            direction,
            time: Timestamp::from_nanos(self.clock),
            bytes: rest,
            wire_bytes: rest.len(),
        };
        self.step = self.analyzer.data(&chunk, &mut self.emitter);
        match self.step {
            Step::Consumed(taken) => drop(rest.drain(..taken)),
            Step::NeedMore { at_least } => assert!(at_least > rest.len()),
            _ => {}
        }
        self
    }

    pub(super) fn gap(&mut self, direction: Direction, missing: u64) -> &mut Self {
        let rest = std::mem::take(self.rest.of_mut(direction));
        let time = Timestamp::from_nanos(self.clock);
        self.step =
            self.analyzer.gap(&Gap { direction, time, missing, rest: &rest }, &mut self.emitter);
        self
    }

    pub(super) fn finish(&mut self, reason: FinishReason) -> Vec<Emission> {
        let rest = PerDirection { src: self.rest.src.as_slice(), dst: self.rest.dst.as_slice() };
        let time = Timestamp::from_nanos(self.clock);
        let finish = Finish { reason, time, rest, payload_bytes: PerDirection { src: 0, dst: 0 } };
        self.analyzer.finish(&finish, &mut self.emitter);
        self.emitter.drain().collect()
    }
}

/// The cells that a test names, as text; a cell that is null is left out.
#[derive(Default)]
struct Cells(Vec<String>);

impl Row for Cells {
    fn put(&mut self, value: Value<'_>) {
        self.0.push(match value {
            Value::Null => "-".to_owned(),
            Value::Text(text) => text.escaped().into_owned(),
            Value::Str(text) => text.to_owned(),
            Value::U16(number) => number.to_string(),
            Value::I32(number) => number.to_string(),
            Value::I64(number) => number.to_string(),
            other => panic!("{other:?}"),
        });
    }
}

/// The named columns of every row, in the order of emission.
pub(super) fn rows(emissions: &[Emission], columns: &[&str]) -> Vec<String> {
    let places: Vec<_> = columns
        .iter()
        .map(|name| HttpRecord::TABLE.columns.iter().position(|c| c.name == *name).unwrap())
        .collect();
    let rows = emissions.iter().filter_map(|emission| match emission {
        Emission::Record { record, .. } => Some(record),
        Emission::Weird { .. } => None,
    });
    rows.map(|record| {
        let mut cells = Cells::default();
        record.cells(&mut cells);
        places.iter().map(|&place| cells.0[place].clone()).collect::<Vec<_>>().join(" ")
    })
    .collect()
}

pub(super) fn weirds(emissions: &[Emission]) -> Vec<Weird> {
    let weirds = emissions.iter().filter_map(|emission| match emission {
        Emission::Weird { weird, .. } => Some(*weird),
        Emission::Record { .. } => None,
    });
    weirds.collect()
}

/// The columns that tell most.
const PAIR: &[&str] = &["method", "host", "uri", "status", "response_body_bytes"];

/// What one request and its response give, the bytes whole and one by one.
fn exchange(up: &[u8], down: &[u8], columns: &[&str]) -> (Vec<String>, Vec<Weird>) {
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
    assert_eq!(rows(&whole, columns), rows(&pieces, columns), "whole and byte by byte");
    assert_eq!(weirds(&whole), weirds(&pieces), "whole and byte by byte");
    (rows(&whole, columns), weirds(&whole))
}

#[test]
fn a_request_and_its_response_fill_every_column() {
    let up = b"POST http://a.example/x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\n\
        User-Agent: curl/8\r\n\
        Referer: http://r/\r\nOrigin: http://o\r\nX-Forwarded-For: 1.2.3.4\r\n\
        x-forwarded-for: 5.6.7.8\r\n\
        Authorization: Basic dXNlcjpzZWNyZXQ=\r\nContent-Type: Text/Plain; charset=utf-8\r\n\
        Content-Length: 3\r\n\r\nabc";
    let down = b"HTTP/1.1 200 All Fine\r\nServer: nginx\r\nContent-Type: application/json\r\n\
        Content-Length: 7\r\n\r\n{\"a\":1}";
    let names: Vec<_> = HttpRecord::TABLE.columns.iter().map(|column| column.name).collect();
    let (rows, weirds) = exchange(up, down, &names);
    assert_eq!(
        rows,
        ["1 POST a.example:8080 http://a.example/x?y=1 1.1 curl/8 http://r/ http://o \
            1.2.3.4, 5.6.7.8 user 200 All Fine text/plain application/json nginx 3 7 \
            015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862 application/json"]
    );
    assert!(weirds.is_empty());
    assert!(!format!("{rows:?}").contains("secret"));
}

#[test]
fn heads_are_read_however_they_are_written() {
    for (up, expected) in [
        (&b"GET /a HTTP/1.0\n\n"[..], "GET - /a 200 2"),
        (b"\r\n\r\nGET /a HTTP/1.1\r\nHost:h\r\n\r\n", "GET h /a 200 2"),
        (b"get  /a\t HTTP/1.1 \r\nHOST \t:  h  \r\n\r\n", "get h /a 200 2"),
        (b"GET /a b c HTTP/1.1\r\nHost: h\r\n\r\n", "GET h /a b c 200 2"),
        (b"GET /a HTTP/1.1\r\nHost:\r\n\th\r\n\r\n", "GET h /a 200 2"),
        (b"GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", "GET h /a 200 2"),
        (b"FROB * HTTP/1.1\r\nHost: h\r\n\r\n", "FROB h * 200 2"),
        (b"GET /a http/1.1\r\nHost: u:p@h:1\r\n\r\n", "GET h:1 /a 200 2"),
        (b"GET /\xff\x1b HTTP/1.1\r\n\r\n", "GET - /\\xff\\x1b 200 2"),
    ] {
        let (rows, weirds) = exchange(up, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", PAIR);
        assert_eq!(rows, [expected]);
        assert!(weirds.is_empty(), "{expected}: {weirds:?}");
    }
}

#[test]
fn a_malformed_head_gives_what_could_be_read_and_a_weird() {
    for (up, expected, weird) in [
        (
            &b"GET /a HTTP/1.1\r\nno colon here\r\nHost: h\r\n\r\n"[..],
            "GET h /a 200 2",
            &[Weird::HttpMalformedHead][..],
        ),
        (
            b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "POST - /a 200 2",
            &[Weird::HttpAmbiguousLength],
        ),
        (
            b"POST /a HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "POST - /a 200 2",
            &[Weird::HttpAmbiguousLength],
        ),
        (
            b"GET /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "GET - /a 200 2",
            &[Weird::HttpAmbiguousLength],
        ),
        (b"GET /a HTTP/1.1\rHost: h\r\n\r\n", "GET h /a 200 2", &[Weird::HttpMalformedHead]),
        (b"GET /a\r\nHost: h\r\n\r\n", "GET h /a 200 2", &[]),
        (b"POST /a JUNK\r\nHost: h\r\n\r\n", "POST h /a JUNK 200 2", &[Weird::HttpMalformedHead]),
        (b"GET HTTP/1.1\r\nHost: h\r\n\r\n", "GET h - 200 2", &[Weird::HttpMalformedHead]),
        (
            b"POST /a HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST - /a 200 2",
            &[Weird::HttpAmbiguousLength],
        ),
    ] {
        let (rows, weirds) = exchange(up, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", PAIR);
        assert_eq!((rows, weirds), (vec![expected.to_owned()], weird.to_vec()));
    }
}

#[test]
fn a_body_ends_where_its_framing_says() {
    for (up, down, expected) in [
        (
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n"[..],
            "0 -",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", "0 -"),
        (b"HEAD / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "0 -"),
        (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nto the end", "10 text/plain"),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                3;ext=1\r\nabc\r\n00A \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            "13 text/plain",
        ),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
            "2 text/plain",
        ),
    ] {
        let (rows, _) = exchange(up, down, &["response_body_bytes", "response_mime"]);
        assert_eq!(rows, [expected]);
    }
}

#[test]
fn a_malformed_chunk_ends_the_body_and_the_next_response_is_found() {
    for chunk in ["xyz\r\n", "+3\r\nabc\r\n", "3\r\nabcd\r\n", "-1\r\n", "11111111111111111\r\n"] {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, b"GET /1 HTTP/1.1\r\n\r\n");
        feed.data(DOWN, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        feed.data(DOWN, chunk.as_bytes());
        feed.data(UP, b"GET /2 HTTP/1.1\r\n\r\n");
        feed.data(DOWN, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
        let said = feed.finish(FinishReason::Fin);
        let rows = rows(&said, &["uri", "status", "response_sha256"]);
        assert_eq!(rows, ["/1 200 -", "/2 404 -"], "{chunk:?}");
        assert_eq!(weirds(&said), [Weird::HttpMalformedChunk, Weird::HttpLostPlace], "{chunk:?}");
    }
}

#[test]
fn framing_that_receivers_read_differently_is_followed_and_said() {
    for (fields, body, bytes, weird) in [
        ("Transfer-Encoding: chunked", "3 junk\r\nabc\r\n0\r\n\r\n", 3, Weird::HttpMalformedChunk),
        ("Transfer-Encoding: chunked\0", "3\r\nabc\r\n0\r\n\r\n", 3, Weird::HttpAmbiguousLength),
        ("Transfer-Encoding: chunked, x", "3\r\nabc\r\n0\r\n\r\n", 3, Weird::HttpAmbiguousLength),
        ("Content-Length: 9\r\nContent-Length: 2", "ok", 2, Weird::HttpAmbiguousLength),
        ("Content-Length: 2 x", "ok", 2, Weird::HttpAmbiguousLength),
        ("Content-Length: x", "until close", 11, Weird::HttpAmbiguousLength),
    ] {
        let down = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}");
        let (rows, weirds) =
            exchange(b"GET / HTTP/1.1\r\n\r\n", down.as_bytes(), &["response_body_bytes"]);
        assert_eq!((rows, weirds), (vec![bytes.to_string()], vec![weird]), "{fields}");
    }
    let (rows, weirds) = exchange(
        b"GET / HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        &["response_body_bytes"],
    );
    assert_eq!((rows, weirds), (vec!["11".to_owned()], vec![Weird::HttpAmbiguousLength]));
}

#[test]
fn pipelined_requests_meet_their_responses_in_order() {
    let (rows, _) = exchange(
        b"GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 201 OK\r\nContent-Length: 5\r\n\r\n\
            HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n",
        &["depth", "uri", "status"],
    );
    assert_eq!(rows, ["1 /1 200", "2 /2 201", "3 /3 202"]);
}

#[test]
fn interim_responses_are_no_responses() {
    let (rows, _) = exchange(
        b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
            HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
        &["status", "request_body_bytes"],
    );
    assert_eq!(rows, ["201 2"]);
}

#[test]
fn a_client_refused_to_send_its_body_goes_on_with_its_next_request() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, b"PUT /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    feed.data(UP, b"PUT /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
    feed.data(DOWN, b"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
    let said = feed.finish(FinishReason::Fin);
    let rows = rows(&said, &["uri", "status", "request_body_bytes"]);
    assert_eq!(rows, ["/1 417 0", "/2 201 2"]);
}

#[test]
fn connect_hands_the_flow_off_when_the_proxy_agrees() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 200 Connection established\r\n\r\n\x16\x03\x01");
    assert_eq!(feed.step, Step::HandOff { to: Next::Recognise, from: 39 });
    let said = feed.finish(FinishReason::Fin);
    assert_eq!(rows(&said, PAIR), ["CONNECT h:443 h:443 200 0"]);
}

#[test]
fn connect_refused_leaves_the_flow_as_it_is() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, b"CONNECT h:443 HTTP/1.1\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno");
    feed.data(UP, b"GET /next HTTP/1.1\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let said = feed.finish(FinishReason::Fin);
    assert_eq!(rows(&said, PAIR), ["CONNECT - h:443 407 2", "GET - /next 200 0"]);
}

#[test]
fn a_tunnel_seen_from_the_client_alone_is_handed_off_too() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, b"CONNECT h:443 HTTP/1.1\r\n\r\n").data(UP, b"\x16\x03\x01\x02\0");
    assert_eq!(feed.step, Step::HandOff { to: Next::Recognise, from: 0 });
    assert_eq!(rows(&feed.finish(FinishReason::Fin), PAIR), ["CONNECT - h:443 - -"]);
}

#[test]
fn an_upgrade_ends_http() {
    let head = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n";
    let handed = Step::HandOff { to: Next::Recognise, from: head.len() };
    for (token, step) in [("websocket", Step::Done), ("tcp", handed)] {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, format!("GET /u HTTP/1.1\r\nUpgrade: {token}\r\n\r\n").as_bytes());
        feed.data(DOWN, &[&head[..], b"\x81\x05hello"].concat());
        assert_eq!(feed.step, step);
        assert_eq!(rows(&feed.finish(FinishReason::Fin), PAIR), ["GET - /u 101 0"]);
    }
}

#[test]
fn one_side_alone_gives_what_it_can() {
    let mut client = Feed::new(StreamStart::Beginning);
    client.data(UP, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    let said = client.finish(FinishReason::Timeout);
    assert_eq!(rows(&said, PAIR), ["GET - /1 - -", "GET - /2 - -"]);
    assert!(weirds(&said).is_empty());

    let mut server = Feed::new(StreamStart::Midstream);
    server.data(UP, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 404 No\r\n\r\n");
    let said = server.finish(FinishReason::Fin);
    assert_eq!(rows(&said, PAIR), ["- - - 200 1", "- - - 404 0"]);
}

#[test]
fn a_flow_met_midway_is_read_from_its_next_message() {
    let mut feed = Feed::new(StreamStart::Midstream);
    feed.data(DOWN, b"rest of a body\nand more");
    feed.data(UP, b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 nonsense\r\nxHTTP/1.1 304 Not\r\n\r\n").gap(UP, 9);
    feed.data(UP, b"key=valuePOST /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let said = feed.finish(FinishReason::Fin);
    assert_eq!(rows(&said, PAIR), ["GET h /1 304 0", "POST h /2 200 0"]);
}

#[test]
fn a_response_captured_before_its_request_still_meets_it() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    feed.data(UP, b"GET /1 HTTP/1.1\r\n\r\n");
    assert_eq!(rows(&feed.finish(FinishReason::Fin), PAIR), ["GET - /1 200 0"]);
}

#[test]
fn a_gap_inside_a_body_is_counted_and_spoils_the_hash_alone() {
    let mut feed = Feed::new(StreamStart::Beginning);
    feed.data(UP, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    feed.data(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01").gap(DOWN, 5);
    feed.data(DOWN, b"789HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n").gap(DOWN, 5);
    feed.data(DOWN, b"\r\n0\r\n\r\n");
    let said = feed.finish(FinishReason::Fin);
    let rows = rows(&said, &["uri", "status", "response_body_bytes", "response_sha256"]);
    assert_eq!(rows, ["/1 200 10 -", "/2 201 5 -"]);
    assert!(weirds(&said).is_empty());
}

#[test]
fn a_part_of_a_file_has_no_hash_and_a_range_of_all_of_it_has() {
    for (status, range, hashed) in [
        (206, "Content-Range: bytes 0-1/2\r\n", true),
        (206, "Content-Range: bytes 0-1/9\r\n", false),
        (206, "Content-Range: bytes 1-2/3\r\n", false),
        (206, "Content-Range: bytes 0-1/*\r\n", false),
        (206, "Content-Range: bytes 0-9223372036854775807/0\r\n", false),
        (206, "Content-Range: lines 0-1/2\r\n", false),
        (206, "", false),
        (200, "Content-Range: bytes 1-2/3\r\n", true),
    ] {
        let down = format!("HTTP/1.1 {status} OK\r\n{range}Content-Length: 2\r\n\r\nok");
        let (rows, weirds) =
            exchange(b"GET / HTTP/1.1\r\n\r\n", down.as_bytes(), &["response_sha256"]);
        assert_eq!((rows[0] != "-", weirds), (hashed, vec![]), "{status} {range}");
    }
}

#[test]
fn a_gap_beyond_a_body_or_in_a_head_costs_no_later_exchange() {
    for lost in
        ["HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", ""]
    {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, b"GET /1 HTTP/1.1\r\n\r\n");
        feed.data(DOWN, lost.as_bytes()).gap(DOWN, 500).data(DOWN, b"tail of a body");
        feed.data(UP, b"GET /2 HTTP/1.1\r\n\r\n");
        feed.data(DOWN, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
        let said = feed.finish(FinishReason::Fin);
        let first = if lost.is_empty() { "/1 -" } else { "/1 200" };
        assert_eq!(rows(&said, &["uri", "status"]), [first, "/2 404"], "{lost:?}");
        assert_eq!(weirds(&said), [Weird::HttpLostPlace], "{lost:?}");
    }
}

#[test]
fn a_line_is_kept_to_its_bound_and_cut_beyond_it() {
    for (extra, expected) in [(0, 0), (1, 1)] {
        // The bound holds for the line with its end.
        let uri = "a".repeat(limits::HTTP_LINE_BYTES - "GET / HTTP/1.1\n".len() + extra);
        let up = format!("GET /{uri} HTTP/1.1\nHost: h\n\n");
        let mut feed = Feed::new(StreamStart::Beginning);
        let said = feed.data(UP, up.as_bytes()).finish(FinishReason::Fin);
        let cut = weirds(&said).iter().filter(|w| **w == Weird::HttpHeadTooLong).count();
        assert_eq!(cut, expected, "{extra}");
    }
}

#[test]
fn a_field_that_never_ends_is_cut_and_the_head_goes_on() {
    let agent = "a".repeat(3 * limits::HTTP_LINE_BYTES);
    let up = format!("GET / HTTP/1.1\r\nUser-Agent: {agent}\r\nReferer: r\r\n\r\n");
    let mut feed = Feed::new(StreamStart::Beginning);
    let said = feed.data(UP, up.as_bytes()).finish(FinishReason::Fin);
    let kept = rows(&said, &["user_agent"])[0].len();
    assert_eq!(kept, limits::HTTP_LINE_BYTES - "User-Agent: ".len());
    assert_eq!(rows(&said, &["referrer"]), ["r"]);
    assert_eq!(weirds(&said), [Weird::HttpHeadTooLong]);
}

#[test]
fn the_fields_kept_of_one_head_are_bounded_together() {
    let value = "v".repeat(limits::HTTP_HEAD_KEPT_BYTES / 2);
    let up =
        format!("GET / HTTP/1.1\r\nUser-Agent: {value}\r\nReferer: {value}\r\nOrigin: o\r\n\r\n");
    let mut feed = Feed::new(StreamStart::Beginning);
    let said = feed.data(UP, up.as_bytes()).finish(FinishReason::Fin);
    let cells = rows(&said, &["user_agent", "referrer"]);
    let kept = cells[0].len() - 1 + "GET/1.1".len();
    assert_eq!(kept, limits::HTTP_HEAD_KEPT_BYTES);
    assert_eq!(rows(&said, &["origin"]), ["-"]);
    assert_eq!(weirds(&said), [Weird::HttpHeadTooLong]);
}

#[test]
fn open_requests_are_bounded_and_the_oldest_is_written() {
    for (requests, odd) in [(limits::HTTP_PENDING, 0), (limits::HTTP_PENDING + 1, 1)] {
        let mut feed = Feed::new(StreamStart::Beginning);
        feed.data(UP, b"GET /0 HTTP/1.1\r\n\r\n");
        feed.data(DOWN, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        for n in 1..=requests {
            feed.data(UP, format!("GET /{n} HTTP/1.1\r\n\r\n").as_bytes());
        }
        let said = feed.finish(FinishReason::Fin);
        assert_eq!(rows(&said, PAIR).len(), requests + 1);
        assert_eq!(weirds(&said), vec![Weird::HttpTooManyPending; odd]);
    }
}

#[test]
fn a_last_line_without_its_end_is_still_read() {
    let (rows, _) = exchange(b"GET /a HTTP/1.1", b"HTTP/1.1 404", PAIR);
    assert_eq!(rows, ["GET - /a 404 0"]);
    let (rows, _) = exchange(b"GET /a HTTP/1.1\r\nHost: h", b"", PAIR);
    assert_eq!(rows, ["GET - /a - -"]);
}

#[test]
fn the_oldest_http_has_neither_version_nor_head() {
    let (rows, weirds) = exchange(b"GET /old\r\n", b"<html>plain</html>", PAIR);
    assert_eq!(rows, ["GET - /old - 18"]);
    assert!(weirds.is_empty());
}

#[test]
fn a_name_is_taken_from_credentials_and_never_a_password() {
    for (credentials, expected) in [
        ("Basic dXNlcjpwYTpzcw==", "user"),
        ("basic   dXNlcjo", "user"),
        ("Basic OnBhc3M=", "-"),
        ("Basic c2VjcmV0dG9rZW4=", "-"),
        ("Basic !!!", "-"),
        ("Digest realm=\"a,b\", username=\"Mufasa\", nonce=\"x\"", "Mufasa"),
        ("Digest username=plain,realm=x", "plain"),
        ("Digest realm=\"username=\"", "-"),
        ("Bearer abcdef", "-"),
        ("Basic", "-"),
    ] {
        let up = format!("GET / HTTP/1.1\r\nAuthorization: {credentials}\r\n\r\n");
        let (rows, _) = exchange(up.as_bytes(), b"", &["username"]);
        assert_eq!(rows, [expected], "{credentials}");
    }
}

#[test]
fn the_probe_knows_http_from_its_likes() {
    use Verdict::{Certain, NotForUs, Unsure};
    let flow = flow(StreamStart::Beginning);
    for (bytes, verdict) in [
        (&b"GET /"[..], Certain),
        (b"\r\nPOST http://h/ HTT", Certain),
        (b"OPTIONS * HTTP/1.1\r\n", Certain),
        (b"FROB x HTTP/1.0\n", Certain),
        (b"HTTP/1.1 200", Certain),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Certain),
        (b"GE", Unsure),
        (b"HTT", Unsure),
        (b"PRI * HT", Unsure),
        (b"OPTIONS rtsp://h/", Unsure),
        (b"", Unsure),
        (b"OPTIONS rtsp://h/ RTSP/1.0\r\n", NotForUs),
        (b"INVITE sip:a@b SIP/2.0\r\n", NotForUs),
        (b"RESPMOD icap://h/ ICAP/1.0\r\n", NotForUs),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotForUs),
        (b"220 mail ESMTP\r\n", NotForUs),
        (b"USER anonymous\r\n", NotForUs),
        (b"\x16\x03\x01\x02\0", NotForUs),
        (b"HTTP/9", NotForUs),
    ] {
        let probe = Probe { flow: &flow, direction: UP, bytes };
        assert_eq!(probe::probe(&probe), verdict, "{:?}", crate::text::escape(bytes));
    }
}
