//! IP and transport headers: lengths, extension headers, what the capture cut, what contradicts.

use super::frames::{SMALL, SMALL6, ethernet, ipv4, ipv6, small, small6, tcp, udp};
use super::{check, decode, decode_cut, packet, raw, told};
use crate::decode::limits::EXTENSION_HEADERS;
use crate::decode::link::link_type::{ETHERNET, RAW};
use crate::decode::{Checksum, Decoded, Decoder, TcpFields};

/// `packet` with some bytes replaced.
fn with(mut packet: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet
}

/// [`small6`]'s UDP behind `headers`, of which the first is `first`.
fn behind(first: u8, headers: &[u8]) -> Vec<u8> {
    ipv6(first, &[headers, &udp(1111, 53, b"ping")].concat())
}

#[test]
fn lengths_are_those_of_the_ip_header() {
    let p = packet(&ethernet(0x0800, &[small(), vec![0; 14]].concat()));
    assert_eq!((p.payload_wire_bytes, p.ip_bytes), (4, 32), "padding");
    let p = packet(&ethernet(0x86dd, &[small6(), vec![0; 14]].concat()));
    assert_eq!((p.payload_wire_bytes, p.ip_bytes), (4, 52), "padding after IPv6");
    let long = with(ipv4(6, &tcp(16, &[7; 100])), 2, &[0, 0]);
    let p = packet(&ethernet(0x0800, &long));
    assert_eq!((p.payload_wire_bytes, p.ip_bytes), (100, 140), "segmentation offload");
    let long = with(ipv6(6, &tcp(16, &[7; 100])), 4, &[0, 0]);
    let p = packet(&ethernet(0x86dd, &long));
    assert_eq!((p.payload_wire_bytes, p.ip_bytes), (100, 160), "the same over IPv6");
}

#[test]
fn ip_headers_that_contradict_themselves_are_skipped() {
    check(
        RAW,
        &[
            ("a header of 16 bytes", with(small(), 0, &[0x44]), "ip_malformed"),
            ("a header longer than the packet", with(small(), 0, &[0x4f]), "ip_malformed"),
            ("shorter than its header", with(small(), 2, &[0, 19]), "ip_malformed"),
            ("nothing but its header", with(small(), 2, &[0, 20]), "transport_malformed"),
            ("longer than the frame", with(small(), 2, &[0, 40]), SMALL),
            ("half a header", small()[..19].to_vec(), "ip_malformed"),
            ("IPv6: longer than the frame", with(small6(), 4, &[0, 40]), SMALL6),
            ("IPv6: half a header", small6()[..39].to_vec(), "ip_malformed"),
            ("version 5", with(small(), 0, &[0x55]), "ip_malformed"),
        ],
    );
}

#[test]
fn options_and_extension_headers_are_walked_over() {
    let options = [&[0x46, 0, 0, 36][..], &small()[4..20], &[1, 1, 1, 0], &small()[20..]].concat();
    let auth = [&[17, 4, 0, 0][..], &[0; 20]].concat();
    check(
        RAW,
        &[
            ("IPv4 options", options, SMALL),
            ("IPv4 authentication", ipv4(51, &[&auth, &small()[20..]].concat()), SMALL),
            ("hop by hop", behind(0, &[17, 0, 1, 4, 0, 0, 0, 0]), SMALL6),
            (
                "destination of 16 bytes",
                behind(60, &[&[17, 1, 1, 12][..], &[0; 12]].concat()),
                SMALL6,
            ),
            ("routing", behind(43, &[17, 0, 0, 0, 0, 0, 0, 0]), SMALL6),
            ("authentication", behind(51, &auth), SMALL6),
            ("mobility with more behind it", behind(135, &[17, 0, 0, 0, 0, 0, 0, 0]), SMALL6),
            (
                "mobility alone",
                ipv6(135, &[59, 0, 0, 0, 0, 0, 0, 0]),
                "135 fd00::1 0 > fd00::2 0, 8 of 8",
            ),
            ("atomic fragment", behind(44, &[17, 0, 0, 0, 0, 0, 0, 9]), SMALL6),
            (
                "hop by hop, routing",
                behind(0, &[43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0]),
                SMALL6,
            ),
            ("no next header", ipv6(59, &[]), "59 fd00::1 0 > fd00::2 0, 0 of 0"),
            ("ESP", ipv6(50, &[1; 20]), "50 fd00::1 0 > fd00::2 0, 20 of 20"),
            (
                "hop by hop is no header in IPv4",
                ipv4(0, &[17, 0, 1, 4]),
                "0 10.0.0.1 0 > 10.0.0.2 0, 4 of 4",
            ),
            (
                "an extension longer than the packet",
                behind(60, &[17, 9, 1, 4, 0, 0, 0, 0]),
                "ip_malformed",
            ),
            ("half an extension", ipv6(60, &[17]), "ip_malformed"),
        ],
    );
}

#[test]
fn extension_headers_are_bounded() {
    let chain = |len: usize| {
        let mut headers = [60, 0, 1, 4, 0, 0, 0, 0].repeat(len);
        headers[(len - 1) * 8] = 17;
        behind(60, &headers)
    };
    check(
        RAW,
        &[
            ("below", chain(EXTENSION_HEADERS - 2), SMALL6),
            ("at", chain(EXTENSION_HEADERS - 1), SMALL6),
            ("above", chain(EXTENSION_HEADERS), "too_many_layers"),
        ],
    );
}

#[test]
fn a_jumbogram_has_the_length_of_its_option() {
    let datagram = udp(1111, 53, &[7; 100]);
    let mut jumbo = vec![17, 0, 0xc2, 4, 0, 0, 0, 116];
    jumbo.extend(&datagram[..4]);
    jumbo.extend([0, 0, 0, 0]);
    jumbo.extend(&datagram[8..]);
    let frame = [with(ipv6(0, &jumbo), 4, &[0, 0]), vec![0; 9]].concat();
    assert_eq!(told(&decode(RAW, &frame), &frame), "udp fd00::1 1111 > fd00::2 53, 100 of 100");
    let Decoded::Packet(p) = decode(RAW, &frame) else { panic!() };
    assert_eq!(p.ip_bytes, 156);
}

#[test]
fn layers_are_bounded() {
    let labels = |count: usize| {
        let stack = [[0, 0, 0x10, 64].repeat(count - 1), vec![0, 0, 0x11, 64]].concat();
        ethernet(0x8847, &[stack, small()].concat())
    };
    // The frame is stepped over by its link type, the packet is the last layer.
    let table = [
        ("at", labels(15), SMALL),
        ("above", labels(16), "too_many_layers"),
        ("far above", labels(50_000), "too_many_layers"),
    ];
    check(ETHERNET, &table);
}

#[test]
fn tcp_fields_are_read() {
    let p = packet(&ethernet(0x0800, &ipv4(6, &tcp(0x12, b"hello"))));
    let fields = TcpFields { seq: 9, ack: 7, flags: 0x12, window: 0x2000, urgent: 3 };
    assert_eq!((p.tcp, p.src_port, p.dst_port, p.payload_wire_bytes), (Some(fields), 80, 1024, 5));
    let options = with(tcp(2, b"\x02\x04\x05\xb4hello"), 12, &[0x60]);
    assert_eq!(packet(&ethernet(0x0800, &ipv4(6, &options))).payload_wire_bytes, 5);
}

#[test]
fn transports_give_ports_and_payload() {
    let ends = |text: &str| text.replace("IPS", "10.0.0.1").replace("IPD", "10.0.0.2");
    let table = [
        ("ICMP", ipv4(1, &[8, 1, 0, 0, 0, 1, 0, 2, 3, 4]), ends("icmp IPS 8 > IPD 1, 2 of 2")),
        ("ICMP of 7 bytes", ipv4(1, &[8, 0, 0, 0, 0, 1, 0]), "transport_malformed".into()),
        (
            "ICMPv6",
            ipv6(58, &[128, 0, 0, 0, 0, 1, 0, 2, 3]),
            "icmp6 fd00::1 128 > fd00::2 0, 1 of 1".into(),
        ),
        (
            "SCTP",
            ipv4(132, &[&[0, 9, 0, 7][..], &[0; 20]].concat()),
            ends("sctp IPS 9 > IPD 7, 12 of 12"),
        ),
        ("SCTP of 11 bytes", ipv4(132, &[0; 11]), "transport_malformed".into()),
        ("IGMP", ipv4(2, &[0x16; 8]), ends("2 IPS 0 > IPD 0, 8 of 8")),
        ("TCP of 19 bytes", ipv4(6, &tcp(2, &[])[..19]), "transport_malformed".into()),
        (
            "TCP whose header is too short for itself",
            ipv4(6, &with(tcp(2, b"data"), 12, &[0x40])),
            ends("tcp IPS 80 > IPD 1024, 0 of 0"),
        ),
        (
            "TCP whose header is longer than IP",
            ipv4(6, &with(tcp(2, b"data"), 12, &[0xf0])),
            ends("tcp IPS 80 > IPD 1024, 0 of 0"),
        ),
        ("UDP of 7 bytes", ipv4(17, &[0; 7]), "transport_malformed".into()),
        (
            "UDP shorter than IP",
            ipv4(17, &with(udp(1, 2, b"data"), 4, &[0, 10])),
            ends("udp IPS 1 > IPD 2, 2 of 2"),
        ),
        (
            "UDP longer than IP",
            ipv4(17, &with(udp(1, 2, b"data"), 4, &[0, 99])),
            ends("udp IPS 1 > IPD 2, 4 of 4"),
        ),
        (
            "UDP shorter than itself",
            ipv4(17, &with(udp(1, 2, b"data"), 4, &[0, 7])),
            ends("udp IPS 1 > IPD 2, 0 of 0"),
        ),
        (
            "UDP of zero length",
            ipv4(17, &with(udp(1, 2, b"data"), 4, &[0, 0])),
            ends("udp IPS 1 > IPD 2, 4 of 4"),
        ),
    ];
    for (name, frame, expected) in table {
        assert_eq!(told(&decode(RAW, &frame), &frame), expected, "{name}");
    }
    let Decoded::Packet(p) = decode(RAW, &ipv4(6, &with(tcp(2, b""), 12, &[0x40]))) else {
        panic!()
    };
    assert_eq!((p.tcp, p.is_cut()), (None, false), "a contradiction is not the capture's doing");
}

#[test]
fn a_cut_capture_gives_what_it_has() {
    let frame = ethernet(0x0800, &ipv4(6, &tcp(16, b"data")));
    for (captured, expected) in [
        (13, "link_malformed"),
        (14, "ip_cut"),
        (33, "ip_cut"),
        (34, "transport_cut"),
        (37, "transport_cut"),
        (38, "tcp 10.0.0.1 80 > 10.0.0.2 1024, 0 of 0"),
        (53, "tcp 10.0.0.1 80 > 10.0.0.2 1024, 0 of 0"),
        (54, "tcp 10.0.0.1 80 > 10.0.0.2 1024, 0 of 4"),
        (57, "tcp 10.0.0.1 80 > 10.0.0.2 1024, 3 of 4"),
        (58, "tcp 10.0.0.1 80 > 10.0.0.2 1024, 4 of 4"),
    ] {
        let decoded = decode_cut(&frame, captured);
        assert_eq!(told(&decoded, &frame), expected, "{captured} bytes");
        if let Decoded::Packet(p) = decoded {
            assert_eq!((p.is_cut(), p.ip_bytes), (captured < 58, 44));
            assert_eq!(p.checksum == Checksum::Unknown, captured < 58);
            assert_eq!(p.tcp.is_some(), captured >= 54);
        }
    }
    let frame = ethernet(0x0800, &small());
    for (captured, expected) in [(38, "0 of 4"), (41, "0 of 4"), (45, "3 of 4")] {
        assert!(told(&decode_cut(&frame, captured), &frame).ends_with(expected), "UDP, {captured}");
    }
}

#[test]
fn a_packet_lies_where_its_offset_says() {
    let frame = ethernet(0x0800, &small());
    let block = [&[0xee; 100], &frame[..]].concat();
    let packet = crate::capture::RawPacket { offset: 100, ..raw(ETHERNET, &frame, 999) };
    let decoded = Decoder::new().decode(&packet, &block);
    let Decoded::Packet(p) = &decoded else { panic!("{decoded:?}") };
    assert_eq!(p.payload_bytes(&block), b"ping");
    let outside = Decoder::new().decode(&packet, &block[..100]);
    assert_eq!(told(&outside, &block), "link_malformed", "no block, no bytes, no panic");
}
