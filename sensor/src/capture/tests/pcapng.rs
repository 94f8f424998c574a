//! The pcapng format: sections, interfaces, clocks, every packet block, and every kind of damage.

use crate::capture::format::ByteOrder::{Big, Little};
use crate::capture::samples::{Bytes, read, read_in_blocks};
use crate::capture::{Aftermath, Damage, ProblemKind};

const SECOND: u64 = 1_000_000;

/// Options of an interface: code and value.
type Options<'a> = &'a [(u16, &'a [u8])];

/// A section with one Ethernet interface and three packets.
fn three() -> Bytes {
    let file = Bytes::new(Little).section().interface(1, 0, &[]);
    file.enhanced(0, SECOND, b"a").enhanced(0, 2 * SECOND, b"bb").enhanced(0, 3 * SECOND, b"ccc")
}

fn damaged(damage: Damage) -> ProblemKind {
    ProblemKind::Damaged { damage, aftermath: Aftermath::RecordSkipped }
}

#[test]
fn both_byte_orders_are_read() {
    for order in [Little, Big] {
        let file = Bytes::new(order).section().interface(113, 0, &[]).enhanced(0, 1 << 33, b"abc");
        let outcome = read(&file.bytes);
        assert_eq!(outcome.times(), [(1 << 33) * 1_000]);
        assert_eq!(
            (outcome.packets[0].link, outcome.packets[0].bytes.as_slice()),
            (113, &b"abc"[..])
        );
        assert!(outcome.problems.is_empty());
    }
}

#[test]
fn sections_have_their_own_order_and_interfaces() {
    let mut file = Bytes::new(Little).section().interface(1, 0, &[]).interface(101, 0, &[]);
    file = file.enhanced(1, 5, b"x").enhanced(0, 6, b"y");
    let second = Bytes::new(Big).section().interface(276, 0, &[]).enhanced(0, 7, b"z");
    let outcome = read(&file.raw(&second.bytes).bytes);
    let links: Vec<u16> = outcome.packets.iter().map(|packet| packet.link).collect();
    assert_eq!(links, [101, 1, 276]);
    assert_eq!(outcome.times(), [5_000, 6_000, 7_000]);
}

#[test]
fn clocks_have_any_resolution_and_offset() {
    let offset = (-100_i64).to_le_bytes();
    let cases: &[(Options<'_>, u64, i64)] = &[
        (&[], 1, 1_000),
        (&[(9, &[0])], 3, 3_000_000_000),
        (&[(9, &[3])], 1_500, 1_500_000_000),
        (&[(9, &[6])], 1, 1_000),
        (&[(9, &[9])], 7, 7),
        (&[(9, &[12])], 7_999, 7),
        (&[(9, &[127])], u64::MAX, 0),
        (&[(9, &[0x80])], 2, 2_000_000_000),
        (&[(9, &[0x80 | 10])], 1_536, 1_500_000_000),
        (&[(9, &[0xff])], u64::MAX, 0),
        (&[(14, &offset)], 1_000_000, -99_000_000_000),
        (&[(9, &[9]), (14, &offset)], 1, -99_999_999_999),
        (&[(2, b"eth0"), (9, &[9])], 8, 8),
        (&[(9, &[])], 1, 1_000),
        (&[(14, &[1, 2])], 1, 1_000),
        (&[(9, &[0])], u64::MAX, i64::MAX),
    ];
    for (options, ticks, nanos) in cases {
        let file = Bytes::new(Little).section().interface(1, 0, options).enhanced(0, *ticks, b"x");
        assert_eq!(read(&file.bytes).times(), [*nanos], "{options:?}");
    }
}

#[test]
fn an_option_that_overruns_its_block_ends_the_options() {
    let body = Bytes::new(Little).u16(1).u16(0).u32(0).u16(9).u16(200).raw(&[9, 0, 0, 0]);
    let file = Bytes::new(Little).section().block(1, body).enhanced(0, 1, b"x");
    assert_eq!(read(&file.bytes).times(), [1_000]);
}

#[test]
fn a_simple_packet_has_the_time_of_the_one_before_and_the_snap_length() {
    let file = Bytes::new(Little).section().interface(1, 4, &[]).enhanced(0, 9, b"x");
    let file = file.block(3, Bytes::new(Little).u32(6).raw(b"abcd"));
    let outcome = read(&file.block(3, Bytes::new(Little).u32(2).raw(b"ef")).bytes);
    assert_eq!(outcome.times(), [9_000; 3]);
    assert_eq!(
        (outcome.packets[1].bytes.as_slice(), outcome.packets[1].wire_bytes),
        (&b"abcd"[..], 6)
    );
    assert_eq!(
        (outcome.packets[2].bytes.as_slice(), outcome.packets[2].wire_bytes),
        (&b"ef"[..], 2)
    );
}

#[test]
fn the_obsolete_packet_block_is_read() {
    let body = Bytes::new(Little).u16(1).u16(77).u32(0).u32(3).u32(2).u32(60).raw(b"ab");
    let file = Bytes::new(Little).section().interface(1, 0, &[]).interface(101, 0, &[]);
    let outcome = read(&file.block(2, body).bytes);
    assert_eq!((outcome.packets[0].link, outcome.packets[0].wire_bytes), (101, 60));
    assert_eq!(outcome.times(), [3_000]);
}

#[test]
fn other_blocks_are_passed_over() {
    let mut file = Bytes::new(Little).section().interface(1, 0, &[]);
    for kind in [4, 10, 0xbad, 0x4000_0bad, 0x8000_0001, 99] {
        file = file.block(kind, Bytes::new(Little).raw(b"whatever it is"));
    }
    let outcome = read(&file.block(11, Bytes::new(Little)).enhanced(0, 1, b"x").bytes);
    assert_eq!(outcome.packets.len(), 1);
    assert!(outcome.problems.is_empty());
}

#[test]
fn losses_are_the_latest_of_each_interface_and_add_up() {
    let file = three().interface(1, 0, &[]).statistics(0, 3, 1).statistics(0, 5, 2);
    let file = file.statistics(1, 10, 20);
    let second = Bytes::new(Big).section().interface(1, 0, &[]).statistics(0, 100, 200);
    let outcome = read(&file.raw(&second.bytes).bytes);
    assert_eq!((outcome.tally.interface_drops, outcome.tally.kernel_drops), (115, 222));
}

#[test]
fn more_bytes_captured_than_on_the_wire_is_accepted() {
    let body = Bytes::new(Little).u32(0).u64(0).u32(3).u32(1).raw(b"abc");
    let outcome = read(&Bytes::new(Little).section().interface(1, 0, &[]).block(6, body).bytes);
    assert_eq!((outcome.packets[0].bytes.len(), outcome.packets[0].wire_bytes), (3, 3));
}

#[test]
fn every_prefix_gives_its_whole_packets_and_says_where_it_is_cut() {
    let file = three().bytes;
    let blocks = [28, 48, 84, 120, 156];
    assert_eq!(file.len(), 156);
    for end in 4..=file.len() {
        for block_bytes in [1, 31, 4_096] {
            let outcome = read_in_blocks(&file[..end], block_bytes);
            let whole = blocks[2..].iter().filter(|stop| **stop <= end).count();
            assert_eq!(outcome.packets.len(), whole, "{end}");
            if blocks.contains(&end) {
                assert!(outcome.problems.is_empty());
                continue;
            }
            let start = blocks.iter().rev().find(|stop| **stop < end).copied().unwrap_or(0);
            assert_eq!(outcome.problems.len(), 1, "{end}");
            assert_eq!(outcome.problems[0].offset.unwrap().bytes, start as u64, "{end}");
            assert!(matches!(outcome.problems[0].what, ProblemKind::CutShort { .. }));
        }
    }
}

#[test]
fn every_single_byte_may_be_wrong() {
    let file = three().bytes;
    for at in 4..file.len() {
        for flip in [1, 0x80, 0xff] {
            let mut wrong = file.clone();
            wrong[at] ^= flip;
            let outcome = read_in_blocks(&wrong, 16);
            assert!(outcome.packets.len() <= 3);
            // A packet whose block has another type is a block that is passed over.
            let type_of_a_packet =
                [48, 84, 120].iter().any(|start| (*start..start + 4).contains(&at));
            let told = type_of_a_packet || !outcome.problems.is_empty();
            assert!(outcome.packets.len() == 3 || told, "{at} {flip}");
        }
    }
}

#[test]
fn a_contradiction_within_a_block_costs_that_block_only() {
    let long = Bytes::new(Little).u32(0).u64(0).u32(5).u32(5).raw(b"abcd");
    let stranger = Bytes::new(Little).u32(3).u64(0).u32(1).u32(1).raw(b"a");
    let simple = Bytes::new(Little).u32(5).raw(b"abcd");
    let short = Bytes::new(Little).u32(0).u64(0).u32(0);
    for (kind, body, damage) in [
        (6, long, Damage::PacketLength(5)),
        (6, stranger, Damage::UnknownInterface(3)),
        (3, simple, Damage::PacketLength(5)),
        (6, short.clone(), Damage::BlockTooShort),
        (2, short, Damage::BlockTooShort),
        (1, Bytes::new(Little).u16(1).u16(0), Damage::BlockTooShort),
        (5, Bytes::new(Little).u32(8).u64(0), Damage::UnknownInterface(8)),
    ] {
        let outcome = read(&three().block(kind, body).enhanced(0, 9, b"z").bytes);
        assert_eq!(outcome.packets.len(), 4);
        assert_eq!(outcome.problems[0].what, damaged(damage));
        assert_eq!(outcome.problems[0].offset.unwrap().bytes, 156);
        assert_eq!(outcome.tally.damaged_places, 1);
    }
}

#[test]
fn a_packet_before_any_interface_is_damage() {
    let file = Bytes::new(Little).section().enhanced(0, 1, b"x");
    let file = file.block(3, Bytes::new(Little).u32(1).raw(b"y"));
    let outcome = read(&file.bytes);
    assert_eq!(outcome.problems.len(), 2);
    assert_eq!(outcome.problems[1].what, damaged(Damage::UnknownInterface(0)));
}

#[test]
fn blocks_behind_a_wrong_length_are_found_again() {
    for (length, damage) in [
        (0, Damage::BlockLength(0)),
        (8, Damage::BlockLength(8)),
        (37, Damage::BlockLength(37)),
        ((16 << 20) + 4, Damage::BlockLength((16 << 20) + 4)),
        (u32::MAX, Damage::BlockLength(u32::MAX)),
        (32, Damage::BlockTrailer { start: 32, end: 0x61 }),
    ] {
        for block_bytes in [1, 50, 1 << 20] {
            let mut file = three().bytes;
            file[52..56].copy_from_slice(&length.to_le_bytes());
            let outcome = read_in_blocks(&file, block_bytes);
            assert_eq!(outcome.times(), [2_000_000_000, 3_000_000_000], "{length}");
            let aftermath = Aftermath::Resumed(36);
            assert_eq!(outcome.problems[0].what, ProblemKind::Damaged { damage, aftermath });
            assert_eq!(outcome.problems[0].offset.unwrap().bytes, 48);
        }
    }
}

#[test]
fn a_search_finds_the_next_section_of_the_other_order() {
    let second = Bytes::new(Big).section().interface(101, 0, &[]).enhanced(0, 1, b"z");
    let file = three().raw(b"garbage!").raw(&[0xee; 3_001]).raw(&second.bytes);
    let outcome = read_in_blocks(&file.bytes, 512);
    assert_eq!(outcome.packets.len(), 4);
    assert_eq!(outcome.packets[3].link, 101);
}

#[test]
fn garbage_to_the_end_leaves_the_file() {
    let outcome = read(&three().raw(&[0xee; 999]).bytes);
    assert_eq!(outcome.packets.len(), 3);
    assert!(outcome.problem().contains("no sound record was found in the next 999 bytes"));
}

#[test]
fn a_block_longer_than_a_window_is_read_whole() {
    let packet: Vec<u8> = (0..70_000_u32).map(|n| (n % 253) as u8).collect();
    let outcome = read_in_blocks(&three().enhanced(0, 4, &packet).bytes, 64);
    assert_eq!(outcome.packets[3].bytes, packet);
}

#[test]
fn an_unknown_version_ends_the_file() {
    let body = Bytes::new(Little).u32(0x1a2b_3c4d).u16(2).u16(0).u64(0);
    let outcome = read(&three().block(0x0a0d_0d0a, body).enhanced(0, 1, b"x").bytes);
    assert_eq!(outcome.packets.len(), 3);
    assert!(outcome.problem().contains("version 2 of the format is unknown"));
}

#[test]
fn interfaces_are_bounded() {
    let one = Bytes::new(Little).interface(1, 0, &[]).bytes;
    for (count, problems) in [(65_535, 0), (65_536, 0), (65_537, 1)] {
        let file = Bytes::new(Little).section().raw(&one.repeat(count)).enhanced(0, 1, b"x");
        let outcome = read_in_blocks(&file.bytes, 1 << 20);
        assert_eq!((outcome.packets.len(), outcome.problems.len()), (1, problems), "{count}");
    }
}
