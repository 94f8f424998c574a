//! Upgrades to TLS and proxies' consent: the byte at which the flow becomes another's.

use super::flow;
use crate::direction::Direction;
use crate::emitter::Emitter;
use crate::flow_id::Transport;
use crate::limits::UPGRADE_BYTES;
use crate::protocol::{Analyzer, Chunk, Gap, Next, Step};
use crate::protocols;
use crate::time::Timestamp;

const CLIENT: Direction = Direction::SrcToDst;
const SERVER: Direction = Direction::DstToSrc;
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc";

fn follow(service: &str) -> Box<dyn Analyzer> {
    let make = protocols::named(service).and_then(|service| service.analyzer).unwrap();
    make(&flow(Transport::TCP, 50_000, 47_111))
}

/// How a talk ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// In a hand-off, with that much of the last piece left over.
    HandedOff(Next, usize),
    Done,
    Open,
}

/// Shows pieces as a session does: what is not consumed is shown again with what follows it.
fn talk(service: &str, pieces: &[(Direction, &[u8])]) -> End {
    let mut analyzer = follow(service);
    let mut emitter = Emitter::default();
    let mut held = [Vec::new(), Vec::new()];
    for (direction, piece) in pieces {
        let held = &mut held[usize::from(*direction == SERVER)];
        held.extend_from_slice(piece);
        let chunk = Chunk {
            direction: *direction,
            time: Timestamp::default(),
            bytes: held,
            wire_bytes: held.len(),
        };
        match analyzer.data(&chunk, &mut emitter) {
            Step::Consumed(count) => drop(held.drain(..count)),
            Step::NeedMore { at_least } => assert!(at_least > held.len()),
            Step::HandOff { to, from } => return End::HandedOff(to, held.len() - from),
            Step::Done => return End::Done,
            Step::NotMine => panic!("an upgrade is never disowned"),
        }
        let held_max = protocols::named(service).unwrap().buffer_bytes_max;
        assert!(held.len() <= held_max, "{service} holds {}", held.len());
    }
    assert!(emitter.is_empty());
    End::Open
}

/// The same talk with every piece cut into single bytes, up to the last piece.
fn talk_by_byte(service: &str, pieces: &[(Direction, &[u8])]) -> End {
    let bytes: Vec<(Direction, &[u8])> =
        pieces.iter().flat_map(|(d, piece)| piece.chunks(1).map(move |byte| (*d, byte))).collect();
    talk(service, &bytes)
}

fn upgrades(service: &str, pieces: &[(Direction, &[u8])]) {
    let tls = Next::Protocol("tls");
    assert_eq!(talk(service, pieces), End::HandedOff(tls, HELLO.len()), "{service}");
    // One by one, three bytes are enough to see it.
    assert_eq!(talk_by_byte(service, pieces), End::HandedOff(tls, 3), "{service} by byte");
}

#[test]
fn a_handshake_behind_a_line_is_handed_to_tls() {
    upgrades(
        "smtp",
        &[
            (SERVER, b"220 mail ESMTP\r\n"),
            (CLIENT, b"EHLO me\r\n"),
            (SERVER, b"250-mail\r\n250 STARTTLS\r\n"),
            (CLIENT, b"STARTTLS\r\n"),
            (SERVER, b"220 go\r\n"),
            (CLIENT, HELLO),
        ],
    );
    upgrades("imap", &[(CLIENT, b"a1 STARTTLS\r\n"), (SERVER, b"a1 OK go\r\n"), (CLIENT, HELLO)]);
    upgrades("pop3", &[(CLIENT, b"STLS\r\n"), (SERVER, b"+OK go\r\n"), (CLIENT, HELLO)]);
    upgrades("ftp", &[(CLIENT, b"AUTH TLS\r\n"), (SERVER, b"234 go\r\n"), (CLIENT, HELLO)]);
    upgrades("irc", &[(CLIENT, b"STARTTLS\n"), (SERVER, b":s 670 * :go\r\n"), (CLIENT, HELLO)]);
    upgrades("nntp", &[(CLIENT, b"STARTTLS\r\n"), (SERVER, b"382 go\r\n"), (CLIENT, HELLO)]);
}

#[test]
fn an_upgrade_is_found_in_one_segment_and_on_either_side_alone() {
    let one = [b"STARTTLS\r\n", HELLO].concat();
    upgrades("smtp", &[(CLIENT, &one)]);
    upgrades("smtp", &[(SERVER, b"220 mail ESMTP\r\n220 go\r\n"), (SERVER, HELLO)]);
}

#[test]
fn a_handshake_behind_a_tag_is_handed_to_tls() {
    upgrades(
        "xmpp",
        &[
            (CLIENT, b"<?xml version='1.0'?><stream:stream to='x'>\n<starttls xmlns='x'/>\n"),
            (SERVER, b"<proceed xmlns='x'/>"),
            (CLIENT, HELLO),
        ],
    );
}

#[test]
fn a_handshake_behind_a_message_is_handed_to_tls() {
    upgrades(
        "ldap",
        &[
            (CLIENT, b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
            (SERVER, b"\x30\x81\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
            (CLIENT, HELLO),
        ],
    );
    upgrades(
        "postgresql",
        &[
            (CLIENT, b"\x00\x00\x00\x08\x04\xd2\x16\x30"),
            (SERVER, b"N"),
            (CLIENT, b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
            (SERVER, b"S"),
            (CLIENT, HELLO),
        ],
    );
    let request = [&b"\x20\x00\x00\x01"[..], &[0; 32]].concat();
    upgrades(
        "mysql",
        &[(SERVER, b"\x05\x00\x00\x00\x0a8.0\x00"), (CLIENT, &request), (CLIENT, HELLO)],
    );
}

#[test]
fn what_is_no_handshake_goes_on() {
    for (service, pieces) in [
        ("smtp", &[(CLIENT, &b"EHLO me \x16\x03\x01\r\n\x16\x04\x01\r\n"[..])][..]),
        ("smtp", &[(CLIENT, b"EHLO me\r\n\x16\x03\x05\r\n")]),
        ("smtp", &[(CLIENT, b"EHLO me\r\n\x16"), (CLIENT, b"\x04\x01\r\n")]),
        ("ldap", &[(CLIENT, b"\x30\x05\x02\x01\x02\x16\x03")]),
        // A packet of 790 bytes that looks like SSL 3.0.
        ("mysql", &[(CLIENT, b"\x16\x03\x00\x01")]),
    ] {
        assert_eq!(talk(service, pieces), End::Open, "{service}");
        assert_eq!(talk_by_byte(service, pieces), End::Open, "{service} by byte");
    }
}

#[test]
fn what_comes_before_no_upgrade_ends_the_watch() {
    for (service, bytes) in [
        ("postgresql", &b"\x00\x00\x00\x3b\x00\x03\x00\x00user\x00"[..]),
        ("postgresql", b"E\x00\x00\x00\x10SFATAL\x00"),
        ("ldap", b"\x30\x80\x02\x01\x01"),
        ("ldap", b"\x30\x88\x00\x00\x00\x00\x00\x00\x00\x01"),
    ] {
        assert_eq!(talk(service, &[(CLIENT, bytes)]), End::Done, "{service}");
    }
}

#[test]
fn the_watch_ends_behind_its_limit() {
    for (bytes, end) in [
        (UPGRADE_BYTES - 1, End::HandedOff(Next::Protocol("tls"), HELLO.len())),
        (UPGRADE_BYTES, End::HandedOff(Next::Protocol("tls"), HELLO.len())),
        (UPGRADE_BYTES + 1, End::Done),
    ] {
        let mut lines = vec![b'x'; bytes - 1];
        lines.push(b'\n');
        assert_eq!(talk("smtp", &[(CLIENT, &lines), (CLIENT, HELLO)]), end, "{bytes}");
    }
}

#[test]
fn a_gap_costs_a_line_or_the_message_it_lies_in() {
    let gap = |missing| Gap { direction: CLIENT, time: Timestamp::default(), missing, rest: &[] };
    let show = |analyzer: &mut Box<dyn Analyzer>, bytes: &[u8]| {
        let time = Timestamp::default();
        let chunk = Chunk { direction: CLIENT, time, bytes, wire_bytes: bytes.len() };
        analyzer.data(&chunk, &mut Emitter::default())
    };
    let handed = |from| Step::HandOff { to: Next::Protocol("tls"), from };

    let mut lines = follow("smtp");
    assert_eq!(lines.gap(&gap(99), &mut Emitter::default()), Step::Consumed(0));
    assert_eq!(show(&mut lines, &[b"lo me\r\n", HELLO].concat()), handed(7));

    let mut messages = follow("ldap");
    assert_eq!(show(&mut messages, b"\x30\x0a\x02"), Step::Consumed(3));
    assert_eq!(messages.gap(&gap(9), &mut Emitter::default()), Step::Consumed(0));
    assert_eq!(show(&mut messages, HELLO), handed(0));
    assert_eq!(messages.gap(&gap(1), &mut Emitter::default()), Step::Done);
}

#[test]
fn behind_a_proxys_consent_anyone_may_speak() {
    for pieces in [
        &[
            (CLIENT, &b"\x04\x01\x00\x50\x0a\x00\x00\x01\x00"[..]),
            (SERVER, b"\x00\x5a\0\0\0\0\0\0"),
        ][..],
        &[
            (CLIENT, b"\x05\x01\x00"),
            (SERVER, b"\x05\x00"),
            (CLIENT, b"\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50"),
            (SERVER, b"\x05\x00\x00\x01\x0a\x00\x00\x01\x00\x50"),
        ],
        &[
            (CLIENT, b"\x05\x01\x02"),
            (SERVER, b"\x05\x02"),
            (CLIENT, b"\x01\x04anna\x01x"),
            (SERVER, b"\x01\x00"),
            (CLIENT, b"\x05\x01\x00\x03\x01a\x00\x50"),
            (SERVER, b"\x05\x00\x00\x03\x01a\x00\x50"),
        ],
        &[(CLIENT, b"\x05\x01\x00"), (SERVER, b"\x05\x00\x05\x00\x00\x04aaaabbbbccccdddd\x00\x50")],
    ] {
        assert_eq!(talk_by_byte("socks", pieces), End::HandedOff(Next::Recognise, 0));
    }
}

#[test]
fn a_proxys_refusal_ends_the_watch() {
    for pieces in [
        &[
            (CLIENT, &b"\x04\x01\x00\x50\x0a\x00\x00\x01\x00"[..]),
            (SERVER, b"\x00\x5b\0\0\0\0\0\0"),
        ][..],
        &[(CLIENT, b"\x05\x01\x00"), (SERVER, b"\x05\xff")],
        &[(CLIENT, b"\x05\x01\x02"), (SERVER, b"\x05\x02\x01\x01")],
        &[(CLIENT, b"\x05\x01\x00"), (SERVER, b"\x05\x00"), (SERVER, b"\x05\x05\x00\x01")],
        &[(CLIENT, b"\x05\x01\x00"), (SERVER, b"\x05\x00"), (SERVER, b"\x05\x00\x00\x02")],
    ] {
        assert_eq!(talk_by_byte("socks", pieces), End::Done);
    }
}
