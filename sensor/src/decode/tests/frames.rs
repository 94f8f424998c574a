//! Frames for tests, header by header. Addresses are 10.0.0.1 and 10.0.0.2, or fd00::1 and fd00::2.

use crate::decode::network::Place;

/// A frame of that EtherType.
pub(super) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &ether_type.to_be_bytes()[..], payload].concat()
}

/// An IPv4 packet.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, 0, Place::Last, payload)
}

/// An IPv4 packet with a place in a datagram.
pub(super) fn ipv4_fragment(
    protocol: u8,
    id: u16,
    start: u16,
    place: Place,
    payload: &[u8],
) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let place = (start / 8) | if place == Place::MoreFollow { 0x2000 } else { 0 };
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend(id.to_be_bytes());
    header.extend(place.to_be_bytes());
    header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    let sum = checksum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);
    [&header, payload].concat()
}

/// An IPv6 packet.
pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend((payload.len() as u16).to_be_bytes());
    header.extend([next, 64]);
    for host in [1, 2] {
        header.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]);
    }
    [&header, payload].concat()
}

/// An IPv6 fragment header and its part of a datagram.
pub(super) fn ipv6_part(next: u8, id: u32, start: u16, place: Place, part: &[u8]) -> Vec<u8> {
    let place = (start | u16::from(place == Place::MoreFollow)).to_be_bytes();
    [&[next, 0], &place[..], &id.to_be_bytes(), part].concat()
}

/// A UDP datagram without checksum.
pub(super) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len()) as u16;
    let fields = [src, dst, len, 0].map(u16::to_be_bytes);
    [&fields.concat(), payload].concat()
}

/// A TCP segment from port 80 to port 1024, whose checksum is zero.
pub(super) fn tcp(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0, 80, 4, 0, 0, 0, 0, 9, 0, 0, 0, 7, 0x50, flags];
    header.extend([0x20, 0, 0, 0, 0, 3]);
    [&header, payload].concat()
}

/// The packet that most tables put at the end of what they are about: four bytes over UDP.
pub(super) fn small() -> Vec<u8> {
    ipv4(17, &udp(1111, 53, b"ping"))
}

/// What [`small`] is to the decoder.
pub(super) const SMALL: &str = "udp 10.0.0.1 1111 > 10.0.0.2 53, 4 of 4";

/// The same over IPv6.
pub(super) fn small6() -> Vec<u8> {
    ipv6(17, &udp(1111, 53, b"ping"))
}

/// What [`small6`] is to the decoder.
pub(super) const SMALL6: &str = "udp fd00::1 1111 > fd00::2 53, 4 of 4";

/// RFC 1071 as it is written: sixteen bits at a time.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IP packet with the checksum of its transport put right; the checksum's place is `at` bytes
/// into the transport.
pub(super) fn sealed(mut packet: Vec<u8>, at: usize) -> Vec<u8> {
    let (start, addresses, protocol) =
        if packet[0] >> 4 == 4 { (20, 12..20, packet[9]) } else { (40, 8..40, packet[6]) };
    let len = (packet.len() - start) as u16;
    let mut summed = Vec::new();
    if protocol != 1 {
        summed.extend(&packet[addresses]);
        summed.extend([0, protocol]);
        summed.extend(len.to_be_bytes());
    }
    summed.extend(&packet[start..]);
    let sum = checksum(&summed).to_be_bytes();
    packet[start + at..start + at + 2].copy_from_slice(&sum);
    packet
}
