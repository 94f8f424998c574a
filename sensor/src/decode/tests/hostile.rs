//! Bytes that nobody meant: every prefix, every changed byte; nothing panics, everything is
//! counted.

use super::frames::{ethernet, ipv4, ipv4_fragment, ipv6, ipv6_part, small, small6, tcp, udp};
use super::{Decoded, Decoder, RawPacket, finish, raw};
use crate::decode::link::link_type::ETHERNET;
use crate::decode::network::Place::{Last, MoreFollow};
use crate::decode::{SkipCounts, SkipReason};

/// Frames that between them pass through all that reads headers.
fn samples() -> Vec<Vec<u8>> {
    let frame = ethernet(0x0800, &small());
    let over = |port, header: &[u8], inside: &[u8]| {
        ethernet(0x0800, &ipv4(17, &udp(9, port, &[header, inside].concat())))
    };
    let gre = |header: &[u8]| ethernet(0x0800, &ipv4(47, &[header, &frame[..]].concat()));
    let nexts = [43, 60, 51, 135, 44, 17];
    let extensions = nexts.iter().flat_map(|next| [*next, 0, 0, 0, 0, 0, 0, 0]);
    let chain: Vec<u8> = extensions.chain(udp(1, 2, b"x")).collect();
    vec![
        ethernet(0x0800, &ipv4(6, &tcp(2, b"data"))),
        ethernet(0x0800, &ipv4_fragment(17, 1, 0, MoreFollow, &udp(1, 2, b"12345678"))),
        ethernet(0x86dd, &ipv6(44, &ipv6_part(17, 1, 8, Last, b"tail"))),
        ethernet(0x86dd, &ipv6(0, &chain)),
        ethernet(0x88a8, &[&[0, 5, 0x81, 0, 0, 6, 8, 0], &small()[..]].concat()),
        ethernet(0x8847, &[&[0, 0, 0x11, 64, 0, 0, 0, 0], &frame[..]].concat()),
        ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 34, 0, 0x21], &small()[..]].concat()),
        ethernet(0x894f, &[&[0, 2, 1, 3, 0, 0, 1, 255], &frame[..]].concat()),
        ethernet(40, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &small()[..]].concat()),
        over(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &frame),
        over(6081, &[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 0], &frame),
        over(2152, &[0x34, 255, 0, 40, 0, 0, 1, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &small()),
        over(3544, &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1, 2, 3, 4, 5, 6], &small6()),
        over(5072, &[0x02, 0, 0x11, 41, 0, 0, 0, 0, 1], &small6()),
        gre(&[0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]),
        gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x08, 7, 0, 0, 0, 0]),
        gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0x08, 7, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

/// Counts what becomes of packets, to be compared with how many there were.
#[derive(Default)]
struct Account {
    decoder: Decoder,
    decoded: u64,
    skipped: SkipCounts,
}

impl Account {
    fn feed(&mut self, raw: &RawPacket, block: &[u8]) {
        match self.decoder.decode(raw, block) {
            Decoded::Packet(packet) => {
                self.decoded += u64::from(packet.captured_packets);
                let held = packet.payload_bytes(block).len();
                assert!(held <= packet.payload_wire_bytes as usize);
            }
            Decoded::Held => {}
            Decoded::Skipped(reason) => self.skipped.add(reason, 1_u32),
        }
    }

    fn total(mut self) -> u64 {
        self.skipped.add_all(&finish(self.decoder));
        self.decoded + self.skipped.total()
    }
}

#[test]
fn every_prefix_is_counted_once() {
    let mut account = Account::default();
    let mut fed = 0;
    for sample in samples() {
        for len in 0..=sample.len() {
            account.feed(&raw(ETHERNET, &sample, len), &sample);
            account.feed(&raw(ETHERNET, &sample[..len], len), &sample[..len]);
            fed += 2;
        }
    }
    assert_eq!(account.total(), fed);
}

#[test]
fn every_changed_byte_is_counted_once() {
    let mut account = Account::default();
    let mut fed = 0;
    for sample in samples() {
        for at in 0..sample.len() {
            for change in [0x01, 0x04, 0x10, 0x40, 0x80, 0xff] {
                let mut changed = sample.clone();
                changed[at] ^= change;
                account.feed(&raw(ETHERNET, &changed, changed.len()), &changed);
                fed += 1;
            }
        }
    }
    assert_eq!(account.total(), fed);
}

#[test]
fn every_link_type_survives_every_sample() {
    let mut account = Account::default();
    let mut fed = 0;
    for link in 0..300 {
        for sample in samples() {
            account.feed(&raw(link, &sample, sample.len()), &sample);
            fed += 1;
        }
    }
    assert_eq!(account.total(), fed);
}

#[test]
fn reasons_have_names_of_their_own() {
    let mut names: Vec<_> = SkipReason::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SkipReason::ALL.len());
    let mut counts = SkipCounts::default();
    for (packets, reason) in (1_u64..).zip(SkipReason::ALL) {
        counts.add(reason, packets);
    }
    for (packets, (reason, count)) in (1..).zip(counts.occurred()) {
        assert_eq!((count, counts.count(reason)), (packets, packets));
    }
    assert_eq!(counts.total(), (1..=SkipReason::ALL.len() as u64).sum::<u64>());
}
