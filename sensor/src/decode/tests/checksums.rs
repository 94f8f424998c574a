//! Checksums: against RFC 1071 as it is written, for every protocol that has one.

use super::frames::{checksum, ethernet, ipv4, ipv4_fragment, ipv6, sealed, tcp, udp};
use super::{decode, packet};
use crate::decode::checksum::Sum;
use crate::decode::link::link_type::RAW;
use crate::decode::network::Place::{Last, MoreFollow};
use crate::decode::{Checksum, Decoded};

fn of(packet: &[u8]) -> Checksum {
    match decode(RAW, packet) {
        Decoded::Packet(packet) => packet.checksum,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_fast_sum_is_the_slow_sum() {
    let bytes: Vec<u8> = (0..400_u32).map(|i| (i * 7919 / 8) as u8).collect();
    for len in 0..bytes.len() {
        let mut summed = bytes[..len].to_vec();
        summed.resize(len.next_multiple_of(2), 0);
        summed.extend(checksum(&summed).to_be_bytes());
        assert_eq!(Sum::default().with(&summed).verdict(), Checksum::Good, "{len} bytes");
        let (head, tail) = summed.split_at(len / 4 * 2);
        assert_eq!(Sum::default().with(head).with(tail).verdict(), Checksum::Good, "in two parts");
        summed[len] ^= 1;
        assert_eq!(Sum::default().with(&summed).verdict(), Checksum::Bad, "{len} bytes");
    }
    let ones = Sum::default().with(&[0xff; 65_534]);
    assert_eq!(ones.verdict(), Checksum::Good, "no carry is lost");
}

#[test]
fn every_bit_of_a_packet_counts() {
    for (name, good) in [
        ("TCP", sealed(ipv4(6, &tcp(16, b"odd")), 16)),
        ("TCP over IPv6", sealed(ipv6(6, &tcp(16, b"even")), 16)),
        ("UDP", sealed(ipv4(17, &udp(1111, 53, b"odd")), 6)),
        ("UDP over IPv6", sealed(ipv6(17, &udp(1111, 53, b"even")), 6)),
        ("ICMP", sealed(ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 2, 3]), 2)),
        ("ICMPv6", sealed(ipv6(58, &[128, 0, 0, 0, 0, 1, 0, 2, 3]), 2)),
    ] {
        assert_eq!(of(&good), Checksum::Good, "{name}");
        let transport = if good[0] >> 4 == 4 { 20 } else { 40 };
        // Addresses, and everything from the transport on whose change leaves lengths alone.
        let summed = (transport - 8..transport).chain(transport + 8..good.len());
        for at in summed.filter(|at| *at != transport + 12) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(of(&bad), Checksum::Bad, "{name}, byte {at}");
        }
    }
}

#[test]
fn a_checksum_may_be_absent_bad_or_untold() {
    assert_eq!(of(&ipv4(17, &udp(1, 2, b"x"))), Checksum::Good, "UDP without one");
    assert_eq!(of(&ipv4(6, &tcp(2, b""))), Checksum::Bad, "TCP's zero is a sum like any other");
    assert_eq!(of(&ipv4(47, b"anything")), Checksum::Good, "a transport without one");
    let mut header = ipv4(17, &udp(1, 2, b"x"));
    header[8] -= 1;
    assert_eq!(of(&header), Checksum::Bad, "IPv4's own");
    let mut length = sealed(ipv4(17, &udp(1111, 53, b"data")), 6);
    length[25] = 99;
    assert_eq!(of(&length), Checksum::Bad, "UDP longer than IP");
    let mut long = sealed(ipv4(17, &udp(1111, 53, b"data")), 6);
    long[3] += 4;
    assert_eq!(of(&long), Checksum::Bad, "IP says more than there is, and its own sum is wrong");
    let routed = ipv6(43, &[&[6, 0, 0, 1, 0, 0, 0, 0], &tcp(2, b"")[..]].concat());
    assert_eq!(of(&routed), Checksum::Unknown, "a stop on a source route");
}

#[test]
fn a_tunnel_s_outer_ipv4_header_counts_and_its_outer_udp_does_not() {
    let inner = ethernet(0x0800, &sealed(ipv4(6, &tcp(2, b"")), 16));
    let vxlan = [&[8, 0, 0, 0, 0, 0, 42, 0], &inner[..]].concat();
    let mut outer = ipv4(17, &udp(5555, 4789, &vxlan));
    outer[26] = 1;
    assert_eq!(packet(&ethernet(0x0800, &outer)).checksum, Checksum::Good);
    outer[8] -= 1;
    assert_eq!(packet(&ethernet(0x0800, &outer)).checksum, Checksum::Bad);
}

#[test]
fn a_fragment_s_bad_header_marks_the_datagram() {
    let whole = sealed(ipv4(17, &udp(1111, 53, b"0123456789")), 6);
    for (spoil, expected) in [(0, Checksum::Good), (1, Checksum::Bad)] {
        let first = ipv4_fragment(17, 1, 0, MoreFollow, &whole[20..28]);
        let mut last = ipv4_fragment(17, 1, 8, Last, &whole[28..]);
        last[8] -= spoil;
        let mut decoder = crate::decode::Decoder::new();
        assert!(matches!(decoder.decode(&super::raw(RAW, &first, 99), &first), Decoded::Held));
        let decoded = decoder.decode(&super::raw(RAW, &last, 99), &last);
        let Decoded::Packet(p) = decoded else { panic!("{decoded:?}") };
        assert_eq!(p.checksum, expected);
    }
}
