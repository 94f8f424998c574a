//! Handshakes over TCP as a whole: what a row says, in whatever pieces the bytes come.

mod datagrams;
mod fingerprints;
mod hellos;
pub(crate) mod wire;

use crate::direction::Direction;
use crate::flow_id::Transport;
use crate::limits;
use crate::protocol::{Probe, Verdict};
use crate::weird::Weird;

use super::PROTOCOL;
use wire::{
    Feed, RFC_9001_HELLO, SECRET, Said, abbreviated_12, certificates, client_hello, envelope,
    extension, finish_12, flow, full_12, hello_12, message, retried_13, server_hello, unhex,
};

use Direction::{DstToSrc, SrcToDst};

fn run(flight: &[(Direction, Vec<u8>)]) -> Said {
    let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
    for (direction, bytes) in flight {
        feed.bytes(*direction, bytes);
    }
    feed.finish()
}

fn assert_values(said: &Said, expected: &[(&str, Option<&str>)]) {
    for (column, value) in expected {
        assert_eq!(said.value(column), *value, "{column}");
    }
}

#[test]
fn a_full_handshake_of_tls_1_2_fills_every_column() {
    let said = run(&full_12());
    assert!(said.is_done && said.weirds.is_empty(), "{said:?}");
    assert_values(
        &said,
        &[
            ("ts", Some("1")),
            ("transport", Some("tcp")),
            ("version", Some("TLSv1.2")),
            ("quic_version", None),
            ("sni", Some("lynx.example")),
            ("ech", Some("false")),
            ("alpn", Some("h2 http/1.1")),
            ("alpn_selected", Some("h2")),
            ("cipher", Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")),
            ("established", Some("true")),
            ("resumed", Some("false")),
            ("subject", Some("CN=Lynx.example,O=Serval\\, Ltd,C=CN")),
            ("issuer", Some("CN=Lynx.example,O=Serval\\, Ltd,C=CN")),
            ("san", Some("lynx.example *.lynx.example")),
            ("serial", Some("08bb00ee")),
            ("not_before", Some("1795346484000000")),
            ("not_after", Some("2110706484000000")),
            (
                "cert_sha256",
                Some("a6f5da1c6ddee439cd93acd94b8c53290c2bac24773d906a881257104adc3270"),
            ),
            ("cert_sha1", Some("4c9dc153962c70093aa59c21d0bf2ff14c345a72")),
            ("cert_count", Some("2")),
            ("self_signed", Some("true")),
        ],
    );
    for fingerprint in ["ja3", "ja3s", "ja4"] {
        assert!(said.value(fingerprint).is_some(), "{fingerprint}");
    }
}

#[test]
fn a_resumed_session_of_tls_1_2_says_so() {
    let said = run(&abbreviated_12());
    let expected = [("resumed", Some("true")), ("established", Some("true")), ("subject", None)];
    assert_values(&said, &expected);
}

#[test]
fn a_retry_of_tls_1_3_is_one_handshake_with_the_first_hello_s_fingerprint() {
    let said = run(&retried_13());
    assert!(said.is_done && said.weirds.is_empty(), "{said:?}");
    let once = run(&retried_13()[..1]);
    assert_eq!(said.value("ja3"), once.value("ja3"));
    assert_values(
        &said,
        &[
            ("version", Some("TLSv1.3")),
            ("cipher", Some("TLS_AES_128_GCM_SHA256")),
            ("sni", Some("example.com")),
            ("established", Some("true")),
            ("resumed", Some("false")),
        ],
    );
}

#[test]
fn every_cut_of_the_streams_gives_the_same_rows() {
    for flight in [full_12(), abbreviated_12(), retried_13()] {
        let whole = run(&flight);
        let without_times = |said: &Said| -> Vec<Vec<(&str, String)>> {
            let cells = |row: &Vec<(&'static str, String)>| row[1..].to_vec();
            said.rows.iter().map(cells).collect()
        };
        for size in [1, 2, 3, 5, 7, 64, 1_000] {
            let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
            for (direction, bytes) in &flight {
                bytes.chunks(size).for_each(|piece| feed.bytes(*direction, piece));
            }
            let said = feed.finish();
            assert_eq!(without_times(&said), without_times(&whole), "pieces of {size}");
            assert_eq!(said.rows[0][0].1, "1", "the row starts with its first segment");
        }
    }
}

#[test]
fn what_is_no_header_is_told_wherever_segments_end() {
    let hello = envelope(22, &hello_12());
    let begun = hello[..hello.len() - 1].to_vec();
    for (answer, rows) in [
        (&b"\x16\x32\x03"[..], 1),
        (b"\x16\x32\x03\x00", 1),
        (b"\x16\x32\x03\x00\x00", 0),
        (b"\x80\x2e\x01\x00\x02\x00\x15", 1),
        (b"220 ready\r\n", 0),
    ] {
        for size in [1, 2, 3, 4, 100] {
            let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
            feed.bytes(SrcToDst, &begun);
            answer.chunks(size).for_each(|piece| feed.bytes(DstToSrc, piece));
            let said = feed.finish();
            assert_eq!(said.rows.len(), rows, "{answer:?} in pieces of {size}: {said:?}");
        }
    }
}

#[test]
fn every_prefix_gives_at_most_one_row_and_no_false_fingerprint() {
    let flight = full_12();
    let whole = run(&flight);
    let total: usize = flight.iter().map(|(_, bytes)| bytes.len()).sum();
    for end in 0..total {
        let mut left = end;
        let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
        for (direction, bytes) in &flight {
            let part = &bytes[..bytes.len().min(left)];
            left -= part.len();
            feed.bytes(*direction, part);
        }
        let said = feed.finish();
        assert!(said.rows.len() <= 1 && said.weirds.is_empty(), "{end}: {said:?}");
        for column in ["ja3", "ja3s", "ja4", "cert_sha256"] {
            let value = said.rows.first().and_then(|_| said.value(column));
            assert!(value.is_none() || value == whole.value(column), "{column} at {end}");
        }
    }
}

#[test]
fn a_gap_anywhere_leaves_what_was_seen_on_its_other_side() {
    let flight = full_12();
    for lost in 0..flight.len() {
        let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
        for (at, (direction, bytes)) in flight.iter().enumerate() {
            if at == lost {
                feed.gap(*direction, bytes.len() as u64);
            } else {
                feed.bytes(*direction, bytes);
            }
        }
        let said = feed.finish();
        assert_eq!(said.value("sni"), (lost != 0).then_some("lynx.example"), "{lost}");
        assert_eq!(said.value("cert_count"), (lost != 1).then_some("2"), "{lost}");
    }
}

#[test]
fn a_gap_inside_application_data_does_not_lose_the_border() {
    let mut feed = Feed::new(&PROTOCOL, Transport::TCP);
    feed.bytes(SrcToDst, &envelope(22, &hello_12()));
    let secret = envelope(23, &[0xee; 400]);
    feed.bytes(DstToSrc, &secret[..100]);
    feed.gap(DstToSrc, 300);
    feed.bytes(DstToSrc, &secret[400..]);
    feed.bytes(DstToSrc, &envelope(22, &server_hello(0x0303, [1; 32], &[], 0x009c, &[])));
    let said = feed.finish();
    assert!(said.weirds.is_empty(), "{said:?}");
    assert_eq!(said.value("cipher"), Some("TLS_RSA_WITH_AES_128_GCM_SHA256"));
}

#[test]
fn one_side_alone_gives_a_row() {
    let only = |side: Direction| -> Vec<(Direction, Vec<u8>)> {
        full_12().into_iter().filter(|(direction, _)| *direction == side).collect()
    };
    let client = run(&only(SrcToDst));
    let expected =
        [("sni", Some("lynx.example")), ("version", None), ("established", Some("false"))];
    assert_values(&client, &expected);
    let server = run(&only(DstToSrc));
    let expected = [("version", Some("TLSv1.2")), ("ja3", None), ("ech", None)];
    assert_values(&server, &expected);
    assert_eq!(server.value("serial"), Some("08bb00ee"));
}

#[test]
fn a_server_that_greets_first_is_still_the_server() {
    let swapped: Vec<_> =
        full_12().into_iter().map(|(side, bytes)| (side.reversed(), bytes)).collect();
    assert_eq!(run(&swapped).rows, run(&full_12()).rows);
}

#[test]
fn another_hello_after_the_server_s_is_another_handshake() {
    let server = envelope(22, &server_hello(0x0303, [1; 32], &[], 0x009c, &[]));
    let hello = (SrcToDst, envelope(22, &hello_12()));
    let said = run(&[hello.clone(), (DstToSrc, server), hello.clone()]);
    assert_eq!(said.rows.len(), 2, "{said:?}");
    assert_eq!(run(&[hello.clone(), hello]).rows.len(), 1);
}

#[test]
fn a_client_s_early_data_does_not_establish() {
    let chosen = [extension(43, &[3, 4]), extension(41, &[0, 0])];
    let server = server_hello(0x0303, [7; 32], &[], 0x1302, &chosen);
    let flight = [
        (SrcToDst, [envelope(22, &unhex(RFC_9001_HELLO)), envelope(23, &SECRET)].concat()),
        (DstToSrc, [envelope(22, &server), envelope(23, &SECRET)].concat()),
    ];
    let said = run(&flight);
    assert_values(&said, &[("established", Some("false")), ("resumed", Some("true"))]);
    let finished = [&flight[..], &[(SrcToDst, envelope(23, &SECRET))]].concat();
    assert_eq!(run(&finished).value("established"), Some("true"));
}

#[test]
fn a_hello_in_records_of_one_byte_is_read() {
    let bytes: Vec<u8> = hello_12().iter().flat_map(|byte| envelope(22, &[*byte])).collect();
    let said = run(&[(SrcToDst, bytes)]);
    assert_eq!(said.value("ja3"), run(&full_12()).value("ja3"));
}

#[test]
fn the_hello_of_ssl_2_is_read_and_odd() {
    let hello = "802b 01 0301 0012 0000 0010 00002f 000005 010080 00c02f 0700c0 000004
                 0102030405060708090a0b0c0d0e0f10";
    let server = envelope(22, &server_hello(0x0301, [1; 32], &[9; 32], 0x002f, &[]));
    let flight = [
        (SrcToDst, [unhex(hello), finish_12()].concat()),
        (DstToSrc, [server, finish_12()].concat()),
    ];
    let said = run(&flight);
    assert_eq!(said.weirds, [Weird::TlsSslV2Hello]);
    assert_values(&said, &[("version", Some("TLSv1.0")), ("ja3", None), ("ja4", None)]);
}

#[test]
fn nonsense_after_a_hello_is_odd_and_the_hello_stays() {
    let said = run(&[(SrcToDst, [envelope(22, &hello_12()), b"GET / HTTP".to_vec()].concat())]);
    assert_eq!(said.weirds, [Weird::TlsMalformed]);
    assert_eq!(said.value("sni"), Some("lynx.example"));
}

#[test]
fn nonsense_from_the_start_is_not_ours() {
    let said = run(&[(SrcToDst, b"GET / HTTP/1.1\r\n\r\n".to_vec())]);
    assert_eq!((said.rows.len(), said.weirds.len()), (0, 0));
}

#[test]
fn a_certificate_that_cannot_be_parsed_still_has_its_hashes() {
    let server = [
        server_hello(0x0303, [1; 32], &[], 0x009c, &[]),
        certificates(&[b"\x30\x03\x02\x01\x01", b"second"]),
    ];
    let said = run(&[(DstToSrc, envelope(22, &server.concat()))]);
    assert_eq!(said.weirds, [Weird::TlsCertificateMalformed]);
    assert_eq!(said.value("cert_sha1"), Some("90d80b0214715c2117f1db310cc56f1e87dc4775"));
    assert_values(&said, &[("cert_count", Some("2")), ("subject", None), ("self_signed", None)]);
}

/// A message of `len` bytes in as many envelopes as it takes.
fn long(kind: u8, len: usize) -> Vec<u8> {
    message(kind, &vec![0; len]).chunks(16_384).flat_map(|part| envelope(22, part)).collect()
}

#[test]
fn messages_end_at_their_limit_and_what_follows_is_read() {
    let server = envelope(22, &server_hello(0x0303, [1; 32], &[], 0x009c, &[]));
    let limit = limits::TLS_MESSAGE_BYTES;
    for (len, weirds) in [(limit - 1, 0), (limit, 0), (limit + 1, 1), (10 * limit, 1)] {
        let done = envelope(22, &message(14, &[]));
        let said = run(&[(DstToSrc, [server.clone(), long(11, len), done].concat())]);
        let too_long = said.weirds.iter().filter(|w| **w == Weird::TlsMessageTooLong).count();
        assert_eq!(too_long, weirds, "{len}");
        assert_eq!(said.value("resumed"), Some("false"));
    }
}

#[test]
fn probes_know_tls_by_its_content() {
    let hello = envelope(22, &hello_12());
    let server = envelope(22, &server_hello(0x0303, [1; 32], &[], 0x009c, &[]));
    let secrets = [envelope(23, &SECRET), envelope(23, &SECRET)].concat();
    let bytewise: Vec<u8> = hello_12().iter().flat_map(|byte| envelope(22, &[*byte])).collect();
    let sslv2 = unhex("8025 01 0301 000c 0000 0010 00002f 000005 010080 00c02f 0102030405060708");
    for (bytes, verdict) in [
        (&hello[..], Verdict::Certain),
        (&hello[..10], Verdict::Certain),
        (&hello[..9], Verdict::Unsure),
        (&hello[..1], Verdict::Unsure),
        (&server, Verdict::Certain),
        (&bytewise, Verdict::Certain),
        (&bytewise[..6], Verdict::Unsure),
        (&secrets, Verdict::Certain),
        (&secrets[..20], Verdict::Unsure),
        (&[envelope(23, &SECRET), b"GET /".to_vec()].concat(), Verdict::NotForUs),
        (&envelope(22, &message(1, &[1; 34])), Verdict::NotForUs),
        (&envelope(22, &message(1, &[9; 35])), Verdict::NotForUs),
        (&sslv2, Verdict::Certain),
        (&sslv2[..3], Verdict::Unsure),
        (b"\x80\x25\x02\x03\x01\x00\x0c\x00\x00\x00\x10", Verdict::NotForUs),
        (b"GET / HTTP/1.1\r\n", Verdict::NotForUs),
        (b"\x16\x04\x01", Verdict::NotForUs),
        (b"\x16\x03\x01\xff\xff\x01", Verdict::NotForUs),
        (b"", Verdict::Unsure),
    ] {
        let probe = Probe { flow: &flow(Transport::TCP), direction: SrcToDst, bytes };
        assert_eq!((PROTOCOL.probe)(&probe), verdict, "{bytes:02x?}");
    }
}

#[test]
fn chinese_tlcp_is_recognised_and_named() {
    let mut bytes = envelope(22, &client_hello(0x0101, &[0xe013], &[]));
    bytes[1..3].copy_from_slice(&[1, 1]);
    let probe = Probe { flow: &flow(Transport::TCP), direction: SrcToDst, bytes: &bytes };
    assert_eq!((PROTOCOL.probe)(&probe), Verdict::Certain);
    let server = envelope(22, &server_hello(0x0101, [1; 32], &[], 0xe013, &[]));
    let said = run(&[(SrcToDst, bytes), (DstToSrc, server)]);
    assert_values(&said, &[("version", Some("TLCPv1.1")), ("cipher", Some("0xe013"))]);
}
