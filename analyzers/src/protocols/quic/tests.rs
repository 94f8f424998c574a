//! QUIC connections: Initial packets are sealed here with the keys that the specification gives,
//! and the first bytes of the examples in RFC 9001 and RFC 9369 prove that these are the right
//! ones.

use crate::direction::Direction;
use crate::flow_id::Transport;
use crate::limits;
use crate::protocol::{Probe, Verdict};
use crate::protocols::tls::tests::wire::{
    Feed, RFC_9001_HELLO, Said, extension, flow, server_hello, unhex,
};
use crate::weird::Weird;

use super::PROTOCOL;
use super::keys::Keys;
use super::packet::varint;
use super::version::Version;
use crate::reader::Reader;

use Direction::{DstToSrc, SrcToDst};

const V1: u32 = 1;
const V2: u32 = 0x6b33_43cf;
const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const SERVER_ID: [u8; 8] = [0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5];

fn keys(version: u32, id: &[u8]) -> Keys {
    Keys::derive(&Version(version).families()[0], id)
}

/// The header of an Initial packet up to its packet number, for `len` bytes of frames.
fn head(version: u32, to: &[u8], from: &[u8], len: usize) -> Vec<u8> {
    let first = 0xc0 | Version(version).families()[0].initial_type << 4;
    let len = (0x4000 | (4 + len + 16) as u16).to_be_bytes();
    let ids = [&[to.len() as u8][..], to, &[from.len() as u8], from].concat();
    [&[first][..], &version.to_be_bytes(), &ids, &[0], &len].concat()
}

fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let number = |value: usize| match value {
        0..64 => vec![value as u8],
        _ => (0x4000 | value as u16).to_be_bytes().to_vec(),
    };
    [vec![6], number(offset), number(bytes.len()), bytes.to_vec()].concat()
}

/// A client's datagram, padded to the size that the specification asks for.
fn client(version: u32, id: &[u8], frames: &[u8]) -> Vec<u8> {
    let frames = [frames, &vec![0; 1_162_usize.saturating_sub(frames.len())]].concat();
    keys(version, id).client.seal(&head(version, id, &[], frames.len()), 2, &frames)
}

fn server(version: u32, id: &[u8], frames: &[u8]) -> Vec<u8> {
    let head = head(version, &[], &SERVER_ID, frames.len());
    keys(version, id).server.seal(&head, 1, frames)
}

fn hello() -> Vec<u8> {
    crypto(0, &unhex(RFC_9001_HELLO))
}

fn answer() -> Vec<u8> {
    let extensions = [extension(51, &[0; 36]), extension(43, &[3, 4])];
    let acknowledgement = [2, 0, 0, 0, 0];
    let message = server_hello(0x0303, [7; 32], &[], 0x1301, &extensions);
    [&acknowledgement[..], &crypto(0, &message)].concat()
}

/// A packet with a short header.
fn short() -> Vec<u8> {
    [&[0x41][..], &[0x5a; 40]].concat()
}

fn run(datagrams: &[(Direction, Vec<u8>)]) -> Said {
    let mut feed = Feed::new(&PROTOCOL, Transport::UDP);
    for (direction, bytes) in datagrams {
        feed.datagram(*direction, bytes);
    }
    feed.finish()
}

#[test]
fn sealed_packets_begin_as_in_rfc_9001_and_rfc_9369() {
    for (version, expected) in [
        (
            V1,
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b4
             7d92ec356c0bab7df5976d27cd449f63300099f399",
        ),
        (
            V2,
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceeb
             fa162e75d6c96058bdbfb127cdfcbf903388e99ad04",
        ),
    ] {
        let packet = client(version, &ID, &hello());
        assert_eq!(packet.len(), 1_200);
        assert_eq!(packet[..64], unhex(expected), "{version:08x}");
    }
}

#[test]
fn both_hellos_and_both_short_headers_make_a_row() {
    for (version, name) in
        [(V1, "1"), (V2, "2"), (0xff00_001d, "ff00001d"), (0xff00_001b, "ff00001b")]
    {
        let said = run(&[
            (SrcToDst, client(version, &ID, &hello())),
            (DstToSrc, [server(version, &ID, &answer()), short()].concat()),
            (SrcToDst, short()),
            (DstToSrc, short()),
        ]);
        assert!(said.weirds.is_empty(), "{said:?}");
        for (column, value) in [
            ("ts", "1"),
            ("transport", "quic"),
            ("version", "TLSv1.3"),
            ("quic_version", name),
            ("sni", "example.com"),
            ("alpn", "alpn"),
            ("cipher", "TLS_AES_128_GCM_SHA256"),
            ("established", "true"),
            ("resumed", "false"),
        ] {
            assert_eq!(said.value(column), Some(value), "{column}");
        }
        assert!(said.value("ja4").is_some_and(|ja4| ja4.starts_with("q13d0211")));
    }
}

#[test]
fn a_hello_in_pieces_in_any_order_over_packets_is_one() {
    let whole = run(&[(SrcToDst, client(V1, &ID, &hello()))]);
    let message = unhex(RFC_9001_HELLO);
    let piece = |start: usize, end: usize| crypto(start, &message[start..end.min(message.len())]);
    let first = [piece(200, 999), vec![1, 0, 0], piece(50, 120)].concat();
    let second = [piece(0, 60), piece(110, 220)].concat();
    let said = run(&[(SrcToDst, client(V1, &ID, &first)), (SrcToDst, client(V1, &ID, &second))]);
    assert_eq!(said.value("ja3"), whole.value("ja3"));
    assert_eq!(said.value("sni"), Some("example.com"));
}

#[test]
fn after_a_retry_the_keys_follow_the_new_connection_id() {
    let retry = [&[0xf0, 0, 0, 0, 1, 0, 8][..], &SERVER_ID, &[9; 40]].concat();
    let said = run(&[
        (SrcToDst, client(V1, &ID, &hello())),
        (DstToSrc, retry),
        (SrcToDst, client(V1, &SERVER_ID, &hello())),
        (DstToSrc, server(V1, &SERVER_ID, &answer())),
    ]);
    assert!(said.weirds.is_empty(), "{said:?}");
    assert_eq!(said.value("cipher"), Some("TLS_AES_128_GCM_SHA256"));
}

#[test]
fn the_server_may_answer_in_another_version() {
    let said =
        run(&[(SrcToDst, client(V1, &ID, &hello())), (DstToSrc, server(V2, &ID, &answer()))]);
    assert_eq!((said.value("quic_version"), said.weirds.len()), (Some("2"), 0));
}

#[test]
fn a_version_made_to_be_refused_is_still_opened() {
    let reserved = 0x1a2a_3a4a;
    let said = run(&[(SrcToDst, client(reserved, &ID, &hello()))]);
    assert_eq!(said.value("quic_version"), Some("1a2a3a4a"));
    let negotiation = [&[0x80, 0, 0, 0, 0, 0, 0][..], &V1.to_be_bytes()].concat();
    let said = run(&[
        (SrcToDst, client(reserved, &ID, &hello())),
        (DstToSrc, negotiation),
        (SrcToDst, client(V1, &ID, &hello())),
    ]);
    assert_eq!((said.value("quic_version"), said.weirds.len()), (Some("1"), 0));
}

#[test]
fn connections_one_after_the_other_have_a_row_each() {
    let connection = |id: &[u8]| {
        vec![
            (SrcToDst, client(V1, id, &hello())),
            (DstToSrc, server(V1, id, &answer())),
            (SrcToDst, short()),
            (DstToSrc, short()),
            (SrcToDst, client(V1, id, &[1])),
        ]
    };
    let both = [connection(&ID), connection(&SERVER_ID)].concat();
    let said = run(&both);
    assert_eq!((said.rows.len(), said.weirds.len()), (2, 0), "{said:?}");
}

#[test]
fn coalesced_packets_of_other_kinds_are_stepped_over() {
    let early = [&[0xd0, 0, 0, 0, 1, 1, 7, 0, 20][..], &[3; 20]].concat();
    let handshake = [&[0xe0, 0, 0, 0, 1, 0, 1, 7, 20][..], &[3; 20]].concat();
    let said = run(&[
        (SrcToDst, [early, client(V1, &ID, &hello())].concat()),
        (DstToSrc, [handshake, server(V1, &ID, &answer()), vec![0; 30]].concat()),
    ]);
    assert!(said.weirds.is_empty(), "{said:?}");
    assert_eq!(said.value("established"), Some("false"));
    assert_eq!(said.value("cipher"), Some("TLS_AES_128_GCM_SHA256"));
}

#[test]
fn a_changed_byte_is_noticed_and_no_row_comes_of_it() {
    let datagram = client(V1, &ID, &hello());
    for at in (0..datagram.len()).step_by(7) {
        let mut changed = datagram.clone();
        changed[at] ^= 0x55;
        assert_eq!(run(&[(SrcToDst, changed)]).rows.len(), 0, "{at}");
    }
    for end in 0..datagram.len() {
        assert_eq!(run(&[(SrcToDst, datagram[..end].to_vec())]).rows.len(), 0, "{end}");
    }
}

#[test]
fn keys_are_derived_in_vain_only_so_often() {
    let limit = u64::from(limits::QUIC_KEY_FAILURES);
    for (failures, is_opened) in [(limit - 1, true), (limit, false)] {
        let mut datagrams = Vec::new();
        for id in 0..failures {
            let mut wrong = client(V1, &id.to_be_bytes(), &hello());
            *wrong.last_mut().unwrap() ^= 1;
            datagrams.push((SrcToDst, wrong));
        }
        datagrams.push((SrcToDst, client(V1, &ID, &hello())));
        let said = run(&datagrams);
        assert_eq!(said.rows.len() == 1, is_opened, "{failures}");
        assert!(said.weirds.iter().all(|weird| *weird == Weird::QuicUndecryptable));
    }
}

#[test]
fn bad_frames_are_odd_and_what_came_before_them_stays() {
    for bad in [&[0x08][..], &[6, 0, 0x7f], &[2, 0, 0, 0x40], &[6, 0xc0]] {
        let frames = [&hello()[..], bad].concat();
        let head = head(V1, &ID, &[], frames.len());
        let said = run(&[(SrcToDst, keys(V1, &ID).client.seal(&head, 0, &frames))]);
        assert_eq!(said.weirds, [Weird::QuicMalformed], "{bad:?}");
        assert_eq!(said.value("sni"), Some("example.com"), "{bad:?}");
    }
}

#[test]
fn numbers_have_the_lengths_of_rfc_9000() {
    for (bytes, value) in [
        (&[0x25][..], 37),
        (&[0x40, 0x25], 37),
        (&[0x7b, 0xbd], 15_293),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
    ] {
        assert_eq!(varint(&mut Reader::new(bytes), "number"), Ok(value));
        assert!(varint(&mut Reader::new(&bytes[..bytes.len() - 1]), "number").is_err());
    }
}

#[test]
fn probes_know_quic_by_its_content() {
    let google = [&[0x0d][..], &[1; 8], b"Q043", &[1]].concat();
    let later_google = [&[0xc3][..], b"Q050", &[0x50], &[1; 8]].concat();
    let datagram = client(V1, &ID, &hello());
    for (bytes, verdict) in [
        (&datagram[..], Verdict::Certain),
        (&client(V2, &ID, &hello()), Verdict::Certain),
        (&google, Verdict::Certain),
        (&later_google, Verdict::Certain),
        (&datagram[..1_000], Verdict::NotForUs),
        (&short(), Verdict::NotForUs),
        (b"\xc0\x00\x00\x00\x02\x08", Verdict::NotForUs),
        (b"\x80\x00\x00\x00\x01\x00\x00\x00\x01\x00", Verdict::NotForUs),
        (b"\x0d\x01\x01\x01\x01\x01\x01\x01\x01Q0x3", Verdict::NotForUs),
        (b"", Verdict::NotForUs),
    ] {
        let probe = Probe { flow: &flow(Transport::UDP), direction: SrcToDst, bytes };
        assert_eq!((PROTOCOL.probe)(&probe), verdict, "{bytes:02x?}");
    }
}

#[test]
fn google_s_own_quic_is_only_named() {
    let google = [&[0xc3][..], b"Q050", &[0x50], &[1; 8]].concat();
    let said = run(&[(SrcToDst, google)]);
    assert!(said.is_done && said.rows.is_empty() && said.weirds.is_empty(), "{said:?}");
}
