//! Tunnels: into each of them, out of what only looks like one, and the bounds.

use std::sync::Arc;

use super::frames::{SMALL, SMALL6, ethernet, ipv4, ipv6, small, small6, tcp, udp};
use super::{check, decode, raw, told};
use crate::decode::limits::{TUNNEL_NAMES, TUNNELS};
use crate::decode::link::link_type::RAW;
use crate::decode::{Decoded, Decoder};

fn gre(header: &[u8], inside: &[u8]) -> Vec<u8> {
    ipv4(47, &[header, inside].concat())
}

/// Bytes from UDP port 40000 to `port`.
fn over_udp(port: u16, header: &[u8], inside: &[u8]) -> Vec<u8> {
    ipv4(17, &udp(40_000, port, &[header, inside].concat()))
}

fn small_in(tunnel: &str) -> String {
    format!("{SMALL}, {tunnel}")
}

fn small6_in(tunnel: &str) -> String {
    format!("{SMALL6}, {tunnel}")
}

#[test]
fn the_innermost_packet_of_ip_tunnels_is_found() {
    let frame = ethernet(0x0800, &small());
    let ppp = [&[0, 0x21], &small()[..]].concat();
    let erspan = |tail: &[u8]| [&[0x10, 5, 0x08, 7], tail, &frame].concat();
    check(
        RAW,
        &[
            ("IPv4 in IPv4", ipv4(4, &small()), &small_in("ipip")),
            ("IPv4 in IPv6", ipv6(4, &small()), &small_in("ipip")),
            ("IPv6 in IPv4", ipv4(41, &small6()), &small6_in("6in4")),
            ("IPv6 in IPv6", ipv6(41, &small6()), &small6_in("6in6")),
            (
                "MPLS in IP",
                ipv4(137, &[&[0, 0, 0x11, 64], &small()[..]].concat()),
                &small_in("mpls"),
            ),
            ("GRE", gre(&[0, 0, 8, 0], &small()), &small_in("gre")),
            ("GRE to IPv6", gre(&[0, 0, 0x86, 0xdd], &small6()), &small6_in("gre")),
            (
                "GRE, all fields",
                gre(&[0xb0, 0, 8, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &small()),
                &small_in("gre"),
            ),
            ("GRE with PPP", gre(&[0, 0, 0x88, 0x0b], &ppp), &small_in("gre")),
            ("GRE with Ethernet", gre(&[0, 0, 0x65, 0x58], &frame), &small_in("gre")),
            ("GRE with MPLS", gre(&[0, 0, 0x88, 0x47, 0, 0, 0x11, 64], &small()), &small_in("gre")),
            ("NVGRE", gre(&[0x20, 0, 0x65, 0x58, 0, 0, 42, 9], &frame), &small_in("nvgre:42")),
            ("PPTP", gre(&[0x30, 1, 0x88, 0x0b, 0, 34, 0, 3, 0, 0, 0, 1], &ppp), &small_in("pptp")),
            (
                "PPTP with acknowledgment",
                gre(&[0x30, 0x81, 0x88, 0x0b, 0, 34, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2], &ppp),
                &small_in("pptp"),
            ),
            ("ERSPAN I", gre(&[0, 0, 0x88, 0xbe], &frame), &small_in("erspan")),
            (
                "ERSPAN II",
                gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &erspan(&[0; 4])),
                &small_in("erspan:7"),
            ),
            (
                "ERSPAN III",
                gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &erspan(&[0; 8])),
                &small_in("erspan:7"),
            ),
            (
                "ERSPAN III with a platform's header",
                gre(
                    &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1],
                    &erspan(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
                ),
                &small_in("erspan:7"),
            ),
            (
                "ERSPAN III with IP",
                gre(
                    &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1],
                    &[&[0x20, 5, 0x08, 7, 0, 0, 0, 0, 0, 0, 8, 0], &small()[..]].concat(),
                ),
                &small_in("erspan:7"),
            ),
        ],
    );
}

#[test]
fn the_innermost_packet_of_udp_tunnels_is_found() {
    let frame = ethernet(0x0800, &small());
    let bubble_free = small6();
    check(
        RAW,
        &[
            ("VXLAN", over_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &frame), &small_in("vxlan:42")),
            (
                "VXLAN, Linux's port",
                over_udp(8472, &[8, 0, 0, 0, 1, 0, 0, 0], &frame),
                &small_in("vxlan:65536"),
            ),
            (
                "VXLAN with reserved bits",
                over_udp(4789, &[0x88, 1, 2, 3, 0, 0, 42, 4], &frame),
                &small_in("vxlan:42"),
            ),
            (
                "GENEVE",
                over_udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 7, 0], &frame),
                &small_in("geneve:7"),
            ),
            (
                "GENEVE with options",
                over_udp(6081, &[1, 0, 8, 0, 0, 0, 7, 0, 1, 2, 3, 0], &small()),
                &small_in("geneve:7"),
            ),
            (
                "GTP-U",
                over_udp(2152, &[0x30, 255, 0, 32, 0, 0, 1, 1], &small()),
                &small_in("gtp:257"),
            ),
            (
                "GTP-U with a sequence number",
                over_udp(2152, &[0x32, 255, 0, 36, 0, 0, 1, 1, 0, 9, 0, 0], &small()),
                &small_in("gtp:257"),
            ),
            (
                "GTP-U with extension headers",
                over_udp(
                    2152,
                    &[0x34, 255, 0, 44, 0, 0, 1, 1, 0, 0, 0, 0x85, 1, 0, 9, 0x85, 1, 0, 9, 0],
                    &small(),
                ),
                &small_in("gtp:257"),
            ),
            ("Teredo", over_udp(3544, &[], &bubble_free), &small6_in("teredo")),
            (
                "Teredo with an origin",
                over_udp(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &bubble_free),
                &small6_in("teredo"),
            ),
            (
                "Teredo with authentication",
                over_udp(3544, &[&[0, 1, 1, 2, 9, 8, 8][..], &[0; 9]].concat(), &bubble_free),
                &small6_in("teredo"),
            ),
            (
                "AYIYA",
                over_udp(
                    5072,
                    &[&[0x42, 0x52, 0x11, 41, 0, 0, 0, 0][..], &[0; 36]].concat(),
                    &bubble_free,
                ),
                &small6_in("ayiya"),
            ),
        ],
    );
}

#[test]
fn what_only_looks_like_a_tunnel_stays_what_it_is_outside() {
    let frame = ethernet(0x0800, &small());
    let long = [&[0x45, 0, 0, 99], &small()[4..]].concat();
    let arp = ethernet(0x0806, &[0; 28]);
    let vxlan = [8, 0, 0, 0, 0, 0, 42, 0];
    let table = [
        ("VXLAN without its flag", over_udp(4789, &[0; 8], &frame), 4789),
        ("VXLAN with ARP", over_udp(4789, &vxlan, &arp), 4789),
        ("VXLAN cut short", over_udp(4789, &vxlan, &frame[..20]), 4789),
        (
            "VXLAN with a packet longer than itself",
            over_udp(4789, &vxlan, &ethernet(0x0800, &long)),
            4789,
        ),
        ("text to VXLAN's port", over_udp(4789, b"hello, this is not", b""), 4789),
        ("GENEVE of version 1", over_udp(6081, &[0x40, 0, 0x65, 0x58, 0, 0, 7, 0], &frame), 6081),
        ("GENEVE with 802.3", over_udp(6081, &[0, 0, 0, 32, 0, 0, 7, 0], &small()), 6081),
        (
            "GENEVE options beyond its end",
            over_udp(6081, &[0x3f, 0, 8, 0, 0, 0, 7, 0], &small()),
            6081,
        ),
        ("GTP echo", over_udp(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 9, 0, 0], &[]), 2152),
        ("GTP of version 0", over_udp(2152, &[0x10, 255, 0, 32, 0, 0, 1, 1], &small()), 2152),
        (
            "GTP extension of length zero",
            over_udp(2152, &[0x34, 255, 0, 36, 0, 0, 1, 1, 0, 0, 0, 0x85, 0, 0, 0, 0], &small()),
            2152,
        ),
        ("GTP with text", over_udp(2152, &[0x30, 255, 0, 5, 0, 0, 1, 1], b"hello"), 2152),
        ("Teredo bubble", over_udp(3544, &[], &ipv6(59, &[])), 3544),
        ("Teredo with IPv4", over_udp(3544, &[], &small()), 3544),
        (
            "AYIYA that is no packet to forward",
            over_udp(
                5072,
                &[&[0x42, 0x52, 0x10, 41, 0, 0, 0, 0][..], &[0; 36]].concat(),
                &small6(),
            ),
            5072,
        ),
    ];
    for (name, frame, port) in table {
        let text = told(&decode(RAW, &frame), &frame);
        assert!(
            text.starts_with(&format!("udp 10.0.0.1 40000 > 10.0.0.2 {port}, ")),
            "{name}: {text}"
        );
        assert!(text.ends_with(|c: char| c.is_ascii_digit()), "{name}: {text}");
    }
    for (name, frame) in [
        ("GRE with source routes", gre(&[0x40, 0, 8, 0, 0, 0, 0, 0], &small())),
        ("GRE of version 2", gre(&[0, 2, 8, 0], &small())),
        ("GRE of version 1 without PPP", gre(&[0x20, 1, 8, 0, 0, 0, 0, 0], &small())),
        ("PPTP acknowledgment alone", gre(&[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 3, 0, 0, 0, 2], &[])),
        ("GRE keep-alive", gre(&[0, 0, 0, 0], &[])),
        ("GRE with garbage", gre(&[0, 0, 8, 0], &[0xff; 40])),
        ("GRE shorter than its flags say", gre(&[0xb0, 0, 8, 0], &[0; 7])),
        ("ERSPAN III of an unknown frame", gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0xff; 60])),
    ] {
        let text = told(&decode(RAW, &frame), &frame);
        assert!(text.starts_with("47 10.0.0.1 0 > 10.0.0.2 0, "), "{name}: {text}");
    }
}

#[test]
fn tunnels_are_named_from_the_outside_in() {
    let vxlan = over_udp(
        4789,
        &[8, 0, 0, 0, 0, 0, 42, 0],
        &ethernet(0x0800, &gre(&[0, 0, 8, 0], &small())),
    );
    check(RAW, &[("nested", vxlan, &small_in("vxlan:42/gre"))]);
    let text = over_udp(4789, &[0; 8], b"no tunnel");
    let outer = gre(&[0, 0, 8, 0], &text);
    let table = [(
        "the guess is taken back, the rest stays",
        outer,
        "udp 10.0.0.1 40000 > 10.0.0.2 4789, 17 of 17, gre",
    )];
    check(RAW, &table);
}

#[test]
fn only_the_outermost_frame_s_vlans_count() {
    let inner = ethernet(0x8100, &[&[0, 9, 8, 0], &small()[..]].concat());
    let vxlan = over_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &inner);
    let frame = ethernet(0x8100, &[&[0, 5, 8, 0], &vxlan[..]].concat());
    check(1, &[("a VLAN inside", frame, &format!("{SMALL}, vlan 5, vxlan:42"))]);
}

#[test]
fn tunnels_are_bounded() {
    let nested = |depth| (0..depth).fold(small(), |inside, _| ipv4(4, &inside));
    check(
        RAW,
        &[
            ("below", nested(TUNNELS - 1), &small_in("ipip/ipip/ipip")),
            ("at", nested(TUNNELS), &small_in("ipip/ipip/ipip/ipip")),
            ("above", nested(TUNNELS + 1), "too_many_layers"),
            ("far above", nested(1_000), "too_many_layers"),
        ],
    );
}

#[test]
fn names_are_shared_and_their_table_is_bounded() {
    let mut decoder = Decoder::new();
    let mut name = |network: usize| {
        let [.., a, b, c] = network.to_be_bytes();
        let frame = over_udp(4789, &[8, 0, 0, 0, a, b, c, 0], &ethernet(0x0800, &small()));
        match decoder.decode(&raw(RAW, &frame, frame.len()), &frame) {
            Decoded::Packet(packet) => (packet.tunnel.unwrap(), decoder.names.len()),
            other => panic!("{other:?}"),
        }
    };
    let (first, _) = name(0);
    assert!(Arc::ptr_eq(&first, &name(0).0), "one text for one tunnel");
    for network in 1..TUNNEL_NAMES {
        name(network);
    }
    assert_eq!(name(TUNNEL_NAMES - 1).1, TUNNEL_NAMES, "at the bound");
    assert_eq!(name(TUNNEL_NAMES).1, 1, "above the bound the table begins anew");
    assert_eq!(*name(0).0, *first, "and says the same");
}

#[test]
fn a_cut_tunnel_stays_a_flow() {
    let frame =
        over_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(0x0800, &ipv4(6, &tcp(2, b"x"))));
    let inner_ports = 20 + 8 + 8 + 14 + 20 + 4;
    for (captured, expected) in
        [(inner_ports - 1, "udp"), (inner_ports, "tcp"), (frame.len(), "tcp")]
    {
        let decoded = Decoder::new().decode(&raw(RAW, &frame, captured), &frame);
        assert!(told(&decoded, &frame).starts_with(expected), "{captured}");
    }
}
