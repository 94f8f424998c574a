//! Fragments: every order, overlaps, what never becomes whole, and the bounds of the pool.

use std::net::IpAddr;

use super::frames::{ethernet, ipv4, ipv4_fragment, ipv6, ipv6_part, small, udp};
use super::{Decoded, Decoder, Packet, RawPacket, SkipCounts, Timestamp, finish, raw, told};
use crate::decode::limits::{
    FRAGMENT_BYTES, FRAGMENT_DATAGRAMS, FRAGMENT_WAIT, FRAGMENTS_PER_DATAGRAM,
};
use crate::decode::link::link_type::{ETHERNET, RAW};
use crate::decode::network::Place::{self, Last, MoreFollow};
use crate::decode::{FragmentOverlap, SkipReason};

/// A datagram of 40 bytes: a UDP header and 32 bytes that differ.
fn datagram() -> Vec<u8> {
    udp(1111, 53, &(0..32).collect::<Vec<u8>>())
}

/// Whether a part of `all` that ends at `end` is its last.
fn place(end: u16, all: &[u8]) -> Place {
    if usize::from(end) < all.len() { MoreFollow } else { Last }
}

/// A fragment of [`datagram`] over IPv4.
fn v4(start: u16, end: u16) -> Vec<u8> {
    let all = datagram();
    ipv4_fragment(17, 7, start, place(end, &all), &all[start.into()..end.into()])
}

/// A fragment of [`datagram`] over IPv6.
fn v6(start: u16, end: u16) -> Vec<u8> {
    let all = datagram();
    ipv6(44, &ipv6_part(17, 7, start, place(end, &all), &all[start.into()..end.into()]))
}

fn feed(decoder: &mut Decoder, packet: &[u8]) -> Decoded {
    decoder.decode(&raw(RAW, packet, packet.len()), packet)
}

/// Feeds packets, all but the last of which must be held, and gives the one that results.
fn whole(packets: &[Vec<u8>]) -> Packet {
    let mut decoder = Decoder::new();
    let (last, before) = packets.split_last().unwrap();
    for packet in before {
        assert!(matches!(feed(&mut decoder, packet), Decoded::Held));
    }
    let packet = match feed(&mut decoder, last) {
        Decoded::Packet(packet) => packet,
        other => panic!("{other:?}"),
    };
    assert_eq!(finish(decoder).total(), 0, "nothing is left");
    packet
}

fn permutations(items: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    if items.len() < 2 {
        return vec![items.to_vec()];
    }
    let mut all = Vec::new();
    for at in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

#[test]
fn fragments_are_put_together_in_every_order() {
    let parts4 = [v4(0, 8), v4(8, 16), v4(16, 32), v4(32, 40)];
    let parts6 = [v6(0, 8), v6(8, 16), v6(16, 32), v6(32, 40)];
    for (parts, header_bytes) in [(parts4, 20), (parts6, 40)] {
        for order in permutations(&parts) {
            let p = whole(&order);
            assert_eq!(p.payload_bytes(&[]), &datagram()[8..]);
            assert_eq!((p.src_port, p.dst_port, p.payload_wire_bytes), (1111, 53, 32));
            assert_eq!((p.captured_packets, p.ip_bytes), (4, 40 + header_bytes));
            assert_eq!((p.fragment_overlap, p.is_cut()), (FragmentOverlap::None, false));
        }
    }
}

#[test]
fn copies_of_fragments_are_no_overlap_but_count() {
    let p = whole(&[v4(0, 16), v4(0, 16), v4(0, 16), v4(16, 40)]);
    assert_eq!((p.captured_packets, p.fragment_overlap), (4, FragmentOverlap::None));
    assert_eq!(p.payload_bytes(&[]), &datagram()[8..]);
}

#[test]
fn the_first_copy_of_a_byte_wins() {
    let spoiled = |start: u16, end: u16| {
        let mut packet = v4(start, end);
        packet[20..].fill(0xee);
        packet
    };
    for (name, packets, overlap, expected) in [
        ("agreeing", vec![v4(0, 24), v4(16, 40)], FragmentOverlap::Agrees, None),
        ("inside", vec![v4(0, 32), v4(8, 16), v4(32, 40)], FragmentOverlap::Agrees, None),
        (
            "around",
            vec![v4(8, 16), v4(24, 32), v4(0, 32), v4(32, 40)],
            FragmentOverlap::Agrees,
            None,
        ),
        (
            "later copy differs",
            vec![v4(0, 16), spoiled(8, 16), v4(16, 40)],
            FragmentOverlap::Differs,
            None,
        ),
        (
            "same place differs",
            vec![v4(0, 16), spoiled(0, 16), v4(16, 40)],
            FragmentOverlap::Differs,
            None,
        ),
        ("teardrop", vec![v4(0, 40 - 8), spoiled(8, 40)], FragmentOverlap::Differs, Some(32)),
        (
            "differing around",
            vec![v4(8, 16), spoiled(24, 32), v4(0, 32), v4(32, 40)],
            FragmentOverlap::Differs,
            Some(24),
        ),
    ] {
        let p = whole(&packets);
        assert_eq!(p.fragment_overlap, overlap, "{name}");
        let mut bytes = datagram();
        if let Some(at) = expected {
            bytes[at..at + 8].fill(0xee);
        }
        assert_eq!(p.payload_bytes(&[]), &bytes[8..], "{name}");
    }
    let p = whole(&[v6(0, 24), v6(16, 40)]);
    assert_eq!(p.fragment_overlap, FragmentOverlap::Agrees, "IPv6 forbids it, and is marked");
}

#[test]
fn fragments_of_other_datagrams_do_not_mix() {
    let all = datagram();
    let tagged =
        |vlan: u8, packet: Vec<u8>| ethernet(0x8100, &[&[0, vlan, 8, 0], &packet[..]].concat());
    let last = v4(16, 40);
    for (name, link, first, other) in [
        ("number", RAW, v4(0, 16), ipv4_fragment(17, 8, 16, Last, &all[16..])),
        ("protocol", RAW, v4(0, 16), ipv4_fragment(6, 7, 16, Last, &all[16..])),
        ("VLAN", ETHERNET, tagged(1, v4(0, 16)), tagged(2, last.clone())),
        ("tunnel", RAW, v4(0, 16), ipv4(4, &last)),
    ] {
        let mut decoder = Decoder::new();
        for packet in [first, other] {
            let decoded = decoder.decode(&raw(link, &packet, 999), &packet);
            assert!(matches!(decoded, Decoded::Held), "{name}: {decoded:?}");
        }
        assert_eq!(finish(decoder).count(SkipReason::FragmentIncomplete), 2, "{name}");
    }
    let mut last = ipv6(44, &ipv6_part(6, 7, 16, Last, &all[16..]));
    let p = whole(&[v6(0, 16), last.clone()]);
    assert_eq!(p.dst_port, 53, "IPv6: the first fragment says the protocol, the number is enough");
    last[47] = 8;
    let mut decoder = Decoder::new();
    feed(&mut decoder, &v6(0, 16));
    assert!(matches!(feed(&mut decoder, &last), Decoded::Held), "IPv6: another number");
}

#[test]
fn impossible_fragments_are_skipped() {
    let all = datagram();
    let of = |start, place, len| ipv4_fragment(17, 7, start, place, &vec![1; len]);
    for (name, packets) in [
        ("not a multiple of eight", vec![of(0, MoreFollow, 12)]),
        ("empty, and more to follow", vec![of(8, MoreFollow, 0)]),
        ("beyond what a datagram can have", vec![of(65_528, Last, 8)]),
        ("after the end", vec![v4(16, 40), of(40, MoreFollow, 8)]),
        ("another end", vec![v4(16, 40), of(40, Last, 8)]),
        ("an end before what there is", vec![v4(8, 32), of(8, Last, 8)]),
        (
            "IPv6, not a multiple of eight",
            vec![ipv6(44, &ipv6_part(17, 7, 0, MoreFollow, &all[..12]))],
        ),
    ] {
        let mut decoder = Decoder::new();
        let (last, before) = packets.split_last().unwrap();
        for packet in before {
            assert!(matches!(feed(&mut decoder, packet), Decoded::Held), "{name}");
        }
        assert_eq!(told(&feed(&mut decoder, last), &[]), "fragment_malformed", "{name}");
        assert_eq!(finish(decoder).total(), before.len() as u64, "{name}");
    }
    assert!(matches!(feed(&mut Decoder::new(), &of(65_520, Last, 15)), Decoded::Held), "the end");
    let p =
        whole(&[v4(0, 16), ipv4_fragment(17, 7, 40, Last, &[]), v4(16, 32), of(32, MoreFollow, 8)]);
    assert_eq!(p.payload_wire_bytes, 32, "an empty end is an end");
}

#[test]
fn fragments_wait_for_as_long_as_the_bound_says() {
    let at = |nanos: i64, packet: &[u8]| RawPacket {
        time: Timestamp::from_nanos(nanos),
        ..raw(RAW, packet, packet.len())
    };
    let wait = FRAGMENT_WAIT.as_nanos() as i64;
    for (late, is_whole) in [(wait - 1, true), (wait, true), (wait + 1, false)] {
        let (first, last) = (v4(0, 16), v4(16, 40));
        let mut decoder = Decoder::new();
        decoder.decode(&at(0, &first), &first);
        let decoded = decoder.decode(&at(late, &last), &last);
        assert_eq!(matches!(decoded, Decoded::Packet(_)), is_whole, "{late} ns");

        let mut decoder = Decoder::new();
        decoder.decode(&at(0, &first), &first);
        let mut skipped = SkipCounts::default();
        decoder.expire_fragments(Timestamp::from_nanos(late), &mut skipped);
        let expected = u64::from(!is_whole);
        assert_eq!(skipped.count(SkipReason::FragmentIncomplete), expected, "{late} ns");
        assert_eq!(finish(decoder).total(), 1 - expected, "{late} ns");
    }
}

#[test]
fn a_full_pool_gives_up_its_oldest_datagram() {
    let mut decoder = Decoder::new();
    let first = |id: usize| ipv4_fragment(17, id as u16, 0, MoreFollow, &datagram()[..16]);
    for id in 0..FRAGMENT_DATAGRAMS {
        assert!(matches!(feed(&mut decoder, &first(id)), Decoded::Held));
    }
    let mut skipped = SkipCounts::default();
    decoder.expire_fragments(Timestamp::from_nanos(7), &mut skipped);
    assert_eq!(skipped.total(), 0, "at the bound");
    feed(&mut decoder, &first(FRAGMENT_DATAGRAMS));
    decoder.expire_fragments(Timestamp::from_nanos(7), &mut skipped);
    assert_eq!(skipped.count(SkipReason::FragmentPoolFull), 1, "above the bound");
    let rest = |id: u16| ipv4_fragment(17, id, 16, Last, &datagram()[16..]);
    assert!(matches!(feed(&mut decoder, &rest(0)), Decoded::Held), "the oldest is gone");
    assert!(matches!(feed(&mut decoder, &rest(2)), Decoded::Packet(_)), "later ones are there");
}

#[test]
fn the_pool_s_bytes_are_bounded() {
    let mut decoder = Decoder::new();
    let big = vec![0; 65_000];
    let mut sent = 0;
    let mut skipped = SkipCounts::default();
    while skipped.total() == 0 {
        feed(&mut decoder, &ipv4_fragment(17, sent, 0, MoreFollow, &big));
        sent += 1;
        decoder.expire_fragments(Timestamp::from_nanos(7), &mut skipped);
    }
    assert_eq!(usize::from(sent), FRAGMENT_BYTES / (big.len() + 256) + 1);
    assert_eq!(skipped.count(SkipReason::FragmentPoolFull), 1);
    assert_eq!(finish(decoder).total(), u64::from(sent) - 1);
}

#[test]
fn fragments_of_one_datagram_are_bounded() {
    let mut decoder = Decoder::new();
    let units = (0..FRAGMENTS_PER_DATAGRAM - 2).map(|at| 8 * at as u16 + 8);
    for start in units {
        feed(&mut decoder, &ipv4_fragment(17, 7, start, MoreFollow, &[0; 8]));
    }
    feed(&mut decoder, &ipv4_fragment(17, 7, 16, MoreFollow, &[0; 8]));
    feed(&mut decoder, &ipv4_fragment(17, 7, 16, MoreFollow, &[0; 8]));
    let above = feed(&mut decoder, &ipv4_fragment(17, 7, 16, MoreFollow, &[0; 8]));
    assert_eq!(told(&above, &[]), "fragment_pool_full");
    let skipped = finish(decoder);
    assert_eq!(skipped.count(SkipReason::FragmentPoolFull), FRAGMENTS_PER_DATAGRAM as u64);
    assert_eq!(skipped.total(), FRAGMENTS_PER_DATAGRAM as u64);
}

#[test]
fn a_cut_fragment_gives_the_bytes_before_the_cut() {
    let mut decoder = Decoder::new();
    let (first, middle, last) = (v4(0, 16), v4(16, 32), v4(32, 40));
    feed(&mut decoder, &first);
    decoder.decode(&raw(RAW, &middle, 20 + 5), &middle);
    let Decoded::Packet(p) = feed(&mut decoder, &last) else { panic!() };
    assert_eq!(p.payload_bytes(&[]), &datagram()[8..21]);
    assert_eq!((p.payload_wire_bytes, p.is_cut()), (32, true));
}

#[test]
fn tunnels_in_fragments_and_fragments_in_tunnels_are_followed() {
    let outer = |start: usize, end: usize, inside: &[u8]| {
        ipv4_fragment(4, 9, start as u16, place(end as u16, inside), &inside[start..end])
    };
    let inside = small();
    let p = whole(&[outer(0, 16, &inside), outer(16, 32, &inside)]);
    assert_eq!((p.dst_port, p.tunnel.as_deref()), (53, Some("ipip")));
    assert_eq!((p.captured_packets, p.ip_bytes), (2, 32), "one packet, in two");

    let p = whole(&[ipv4(4, &v4(0, 16)), ipv4(4, &v4(16, 40))]);
    assert_eq!((p.captured_packets, p.ip_bytes), (2, 60));
    assert_eq!((p.dst_ip, p.tunnel.as_deref()), (IpAddr::from([10, 0, 0, 2]), Some("ipip")));

    let (first, last) = (v4(0, 16), v4(16, 40));
    let p = whole(&[
        outer(0, 16, &first),
        outer(16, first.len(), &first),
        outer(0, 16, &last),
        outer(16, last.len(), &last),
    ]);
    assert_eq!((p.captured_packets, p.ip_bytes), (4, 60), "both at once");
    assert_eq!(p.payload_bytes(&[]), &datagram()[8..]);
}

#[test]
fn a_datagram_that_makes_no_sense_is_skipped_with_all_its_fragments() {
    let mut decoder = Decoder::new();
    feed(&mut decoder, &ipv4_fragment(17, 7, 0, MoreFollow, &[0; 8]));
    feed(&mut decoder, &ipv4_fragment(51, 8, 0, MoreFollow, &[9; 8]));
    let last = feed(&mut decoder, &ipv4_fragment(51, 8, 8, Last, &[9; 8]));
    assert_eq!(told(&last, &[]), "ip_malformed", "an authentication header longer than all");
    let skipped = finish(decoder);
    assert_eq!(skipped.count(SkipReason::IpMalformed), 1, "and one by this answer");
    assert_eq!(skipped.count(SkipReason::FragmentIncomplete), 1);
}
