//! DTLS: fragments, repeats, cookies, epochs.

use crate::direction::Direction;
use crate::flow_id::Transport;
use crate::limits;
use crate::protocol::{Probe, Verdict};
use crate::weird::Weird;

use super::super::PROTOCOL;
use super::wire::{
    CERTIFICATE, Feed, SECRET, Said, certificates, client_body, flow, numbers, server_hello,
    server_name, sized, unhex,
};

use Direction::{DstToSrc, SrcToDst};

/// An envelope of DTLS 1.2.
fn envelope(content: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
    [vec![content], numbers(&[0xfefd, epoch]), vec![0; 6], sized(body)].concat()
}

/// A fragment of a message, in an envelope of its own.
fn fragment(kind: u8, number: u16, body: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let u24 = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
    let (offset, len) = (u24(range.start), u24(range.len()));
    let head = [vec![kind], u24(body.len()), numbers(&[number]), offset, len].concat();
    envelope(22, 0, &[&head, &body[range]].concat())
}

fn whole(kind: u8, number: u16, body: &[u8]) -> Vec<u8> {
    fragment(kind, number, body, 0..body.len())
}

fn hello(cookie: &[u8]) -> Vec<u8> {
    client_body(0xfefd, cookie, &[0xc02b, 0xc02f], &[server_name("lynx.example")])
}

fn server() -> Vec<u8> {
    server_hello(0xfefd, [7; 32], &[0x77; 32], 0xc02b, &[])[4..].to_vec()
}

fn chain() -> Vec<u8> {
    certificates(&[&unhex(CERTIFICATE)])[4..].to_vec()
}

fn run(flight: &[(Direction, Vec<u8>)]) -> Said {
    let mut feed = Feed::new(&PROTOCOL, Transport::UDP);
    for (direction, datagram) in flight {
        feed.datagram(*direction, datagram);
    }
    feed.finish()
}

/// A handshake with a cookie, in which the certificate's fragments come in `order`.
fn handshake(order: &[usize]) -> Vec<(Direction, Vec<u8>)> {
    let chain = chain();
    let mut flight = vec![
        (SrcToDst, whole(1, 0, &hello(&[0]))),
        (DstToSrc, whole(3, 0, &[0xfe, 0xff, 2, 9, 9])),
        (SrcToDst, whole(1, 1, &hello(&[2, 9, 9]))),
        (DstToSrc, whole(2, 1, &server())),
    ];
    for piece in order {
        let start = piece * 100;
        let end = chain.len().min(start + 120);
        flight.push((DstToSrc, fragment(11, 2, &chain, start..end)));
    }
    flight.push((DstToSrc, whole(14, 3, &[])));
    for side in [SrcToDst, DstToSrc] {
        flight.push((side, [envelope(20, 0, &[1]), envelope(22, 1, &SECRET)].concat()));
    }
    flight
}

#[test]
fn fragments_in_any_order_and_again_give_the_same_row() {
    let said = run(&handshake(&[0, 1, 2, 3, 4]));
    assert!(said.is_done && said.weirds.is_empty(), "{said:?}");
    for (column, value) in [
        ("ts", "1"),
        ("transport", "dtls"),
        ("version", "DTLSv1.2"),
        ("sni", "lynx.example"),
        ("cipher", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        ("serial", "08bb00ee"),
        ("cert_count", "1"),
        ("established", "true"),
        ("resumed", "false"),
    ] {
        assert_eq!(said.value(column), Some(value), "{column}");
    }
    assert!(said.value("ja4").is_some_and(|ja4| ja4.starts_with("dd2d")));
    for order in [&[4, 3, 2, 1, 0][..], &[0, 0, 2, 2, 1, 4, 3, 3], &[2, 0, 4, 1, 3, 0]] {
        assert_eq!(run(&handshake(order)).rows, said.rows, "{order:?}");
    }
}

#[test]
fn the_encrypted_form_of_dtls_1_3_counts_as_protected() {
    let chosen = [super::wire::extension(43, &[0xfe, 0xfc])];
    let server = server_hello(0xfefd, [7; 32], &[], 0x1301, &chosen);
    let flight = [
        (SrcToDst, whole(1, 0, &hello(&[0]))),
        (DstToSrc, [whole(2, 0, &server[4..]), vec![0x2e, 1, 2, 3]].concat()),
        (SrcToDst, vec![0x2f, 1, 2, 3]),
    ];
    let said = run(&flight);
    assert_eq!(said.value("version"), Some("DTLSv1.3"));
    assert_eq!(said.value("established"), Some("true"));
}

#[test]
fn media_beside_the_handshake_is_passed_over() {
    let mut flight = handshake(&[0, 1, 2, 3, 4]);
    flight.insert(1, (SrcToDst, b"\x80\x60media".to_vec()));
    flight.insert(2, (DstToSrc, b"\x00\x01STUN".to_vec()));
    let said = run(&flight);
    assert!(said.weirds.is_empty() && said.rows.len() == 1, "{said:?}");
}

#[test]
fn every_prefix_of_a_datagram_is_survived() {
    let datagram = handshake(&[0]).swap_remove(3).1;
    for end in 0..datagram.len() {
        let said = run(&[(DstToSrc, datagram[..end].to_vec())]);
        assert_eq!(said.rows.len(), 0, "{end}");
    }
}

#[test]
fn a_fragment_beyond_its_message_is_odd() {
    let mut bytes = whole(1, 0, &hello(&[0]));
    bytes[13 + 8] = 1;
    let said = run(&[(SrcToDst, bytes)]);
    assert_eq!(said.weirds, [Weird::TlsMalformed]);
}

#[test]
fn unfinished_messages_end_at_their_limit() {
    for (count, weirds) in
        [(limits::DTLS_MESSAGES - 1, 0), (limits::DTLS_MESSAGES, 0), (limits::DTLS_MESSAGES + 1, 1)]
    {
        let pieces =
            (0..count as u16).map(|number| (DstToSrc, fragment(2, number, &[0; 60], 30..60)));
        let said = run(&pieces.collect::<Vec<_>>());
        let full = said.weirds.iter().filter(|weird| **weird == Weird::TlsMessageTooLong);
        assert_eq!(full.count(), weirds, "{count}");
    }
}

#[test]
fn a_cut_hello_gives_a_row_without_fingerprint() {
    let hello = hello(&[0]);
    let said = run(&[(SrcToDst, fragment(1, 0, &hello, 0..hello.len() - 1))]);
    assert_eq!((said.value("ja3"), said.value("ja4")), (None, None));
    assert_eq!(said.value("transport"), Some("dtls"));
}

#[test]
fn probes_know_dtls_by_its_content() {
    let hello = whole(1, 0, &hello(&[0]));
    let connection_id = [vec![25], numbers(&[0xfefd, 1]), vec![0; 6], vec![1, 2, 3]].concat();
    for (bytes, verdict) in [
        (&hello[..], Verdict::Certain),
        (&[hello.clone(), hello.clone()].concat(), Verdict::Certain),
        (&envelope(23, 1, &SECRET), Verdict::Certain),
        (&hello[..hello.len() - 1], Verdict::NotForUs),
        (&[hello.clone(), vec![22]].concat(), Verdict::NotForUs),
        (&connection_id, Verdict::NotForUs),
        (b"\x16\x03\x03\x00\x00", Verdict::NotForUs),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42", Verdict::NotForUs),
        (b"", Verdict::NotForUs),
    ] {
        let probe = Probe { flow: &flow(Transport::UDP), direction: SrcToDst, bytes };
        assert_eq!((PROTOCOL.probe)(&probe), verdict, "{bytes:02x?}");
    }
}
