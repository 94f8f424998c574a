//! Tests of the decoder: frames made by [`frames`], and one line of text for what became of each.

mod checksums;
mod fragments;
mod frames;
mod headers;
mod hostile;
mod links;
mod tunnels;

use super::link::link_type::ETHERNET;
use super::{Decoded, Decoder, LinkType, Packet, RawPacket, SkipCounts, Timestamp};

/// A frame as a capture of link type `link` has it, `captured` bytes of it.
fn raw(link: u16, frame: &[u8], captured: usize) -> RawPacket {
    RawPacket {
        time: Timestamp::from_nanos(7),
        offset: 0,
        captured_bytes: captured.min(frame.len()) as u32,
        wire_bytes: frame.len() as u32,
        link: LinkType(link),
    }
}

/// Decodes one frame with a decoder of its own.
fn decode(link: u16, frame: &[u8]) -> Decoded {
    Decoder::new().decode(&raw(link, frame, frame.len()), frame)
}

/// Decodes the first `captured` bytes of an Ethernet frame.
fn decode_cut(frame: &[u8], captured: usize) -> Decoded {
    Decoder::new().decode(&raw(ETHERNET, frame, captured), frame)
}

/// The packet that an Ethernet frame must be.
fn packet(frame: &[u8]) -> Packet {
    match decode(ETHERNET, frame) {
        Decoded::Packet(packet) => packet,
        other => panic!("{other:?}"),
    }
}

/// What became of a frame: `udp 10.0.0.1 1111 > 10.0.0.2 53, 4 of 4` and what else there is to say.
fn told(decoded: &Decoded, block: &[u8]) -> String {
    let p = match decoded {
        Decoded::Packet(p) => p,
        Decoded::Held => return "held".into(),
        Decoded::Skipped(reason) => return reason.name().into(),
    };
    let mut text =
        format!("{} {} {} > {} {}", p.transport, p.src_ip, p.src_port, p.dst_ip, p.dst_port);
    text += &format!(", {} of {}", p.payload_bytes(block).len(), p.payload_wire_bytes);
    if let Some(vlan) = p.vlan {
        text += &format!(", vlan {vlan}");
    }
    if let Some(vlan) = p.inner_vlan {
        text += &format!("/{vlan}");
    }
    if let Some(tunnel) = &p.tunnel {
        text += &format!(", {tunnel}");
    }
    text
}

/// Checks a table of frames of one link type.
fn check(link: u16, table: &[(&str, Vec<u8>, &str)]) {
    for (name, frame, expected) in table {
        assert_eq!(told(&decode(link, frame), frame), *expected, "{name}");
    }
}

/// Everything that a decoder has skipped by itself.
fn finish(mut decoder: Decoder) -> SkipCounts {
    let mut skipped = SkipCounts::default();
    decoder.finish(&mut skipped);
    skipped
}
