//! The pcap format: every kind of header, and every kind of damage.

use crate::capture::format::ByteOrder::{Big, Little};
use crate::capture::samples::{Bytes, pcap_header, pcap_header_of, read, read_in_blocks};
use crate::capture::{Aftermath, Damage, ProblemKind};

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;
const SECOND: i64 = 1_000_000_000;

/// Three packets of one, two and three bytes.
fn three(header: Bytes) -> Bytes {
    header.record(10, 1, b"a").record(11, 2, b"bb").record(12, 3, b"ccc")
}

/// A file whose second of five records says that it holds `captured` bytes.
fn second_says(captured: u32, link: u32) -> Bytes {
    let file = pcap_header(Little, MICROS, link).record(10, 0, &[1; 50]);
    let file = file.u32(11).u32(0).u32(captured).u32(60).raw(&[2; 60]);
    file.record(12, 0, &[3; 70]).record(13, 0, &[4; 80]).record(14, 0, &[5; 90])
}

#[test]
fn both_byte_orders_and_both_resolutions_are_read() {
    for (order, magic, tick) in
        [(Little, MICROS, 1_000), (Big, MICROS, 1_000), (Little, NANOS, 1), (Big, NANOS, 1)]
    {
        let outcome = read(&three(pcap_header(order, magic, 1)).bytes);
        let times = [10 * SECOND + tick, 11 * SECOND + 2 * tick, 12 * SECOND + 3 * tick];
        assert_eq!(outcome.times(), times);
        assert_eq!(outcome.packets[2].bytes, b"ccc");
        assert_eq!(outcome.packets[2].wire_bytes, 3);
        assert!(outcome.problems.is_empty());
        assert_eq!((outcome.tally.files, outcome.tally.damaged_places), (1, 0));
    }
}

#[test]
fn the_modified_variant_has_longer_record_headers() {
    for order in [Little, Big] {
        let mut file = pcap_header(order, MODIFIED, 1);
        for packet in [&b"one"[..], b"three"] {
            let length = u32::try_from(packet.len()).unwrap();
            file = file.u32(7).u32(8).u32(length).u32(length).u64(0xffff_ffff).raw(packet);
        }
        let outcome = read(&file.bytes);
        assert_eq!(outcome.times(), [7 * SECOND + 8_000; 2]);
        assert_eq!(outcome.packets[1].bytes, b"three");
    }
}

#[test]
fn lengths_are_swapped_in_old_versions() {
    for (version, first, second, captured) in [
        ((2, 4), 2, 9, 2),
        ((2, 2), 9, 2, 2),
        ((2, 3), 9, 2, 2),
        ((2, 3), 2, 9, 2),
        ((2, 543), 9, 2, 2),
    ] {
        let file = pcap_header_of(Little, MICROS, version, 65_535, 1);
        let outcome = read(&file.u32(1).u32(0).u32(first).u32(second).raw(b"xy").bytes);
        assert_eq!(outcome.packets[0].bytes.len(), captured, "{version:?}");
        assert_eq!(outcome.packets[0].wire_bytes, 9, "{version:?}");
    }
}

#[test]
fn the_link_type_is_free_of_the_bits_above_it() {
    let outcome = read(&three(pcap_header(Big, MICROS, 0x4400_0069)).bytes);
    assert_eq!(outcome.packets[0].link, 105);
    assert_eq!(read(&three(pcap_header(Little, MICROS, 60_000)).bytes).packets[0].link, 60_000);
}

#[test]
fn a_file_without_packets_is_no_problem() {
    let outcome = read(&pcap_header(Little, MICROS, 1).bytes);
    assert!(outcome.packets.is_empty() && outcome.problems.is_empty());
}

#[test]
fn more_bytes_captured_than_on_the_wire_is_accepted() {
    let file = pcap_header(Little, MICROS, 1).u32(1).u32(0).u32(4).u32(2).raw(b"abcd");
    let outcome = read(&file.bytes);
    assert_eq!(
        (outcome.packets[0].bytes.as_slice(), outcome.packets[0].wire_bytes),
        (&b"abcd"[..], 4)
    );
    assert!(outcome.problems.is_empty());
}

#[test]
fn a_cut_packet_keeps_its_length_on_the_wire() {
    let file = pcap_header(Little, MICROS, 1).u32(1).u32(0).u32(2).u32(1_500).raw(b"ab");
    assert_eq!(read(&file.bytes).packets[0].wire_bytes, 1_500);
}

#[test]
fn times_that_go_back_are_passed_through() {
    let file =
        pcap_header(Little, NANOS, 1).record(5, 0, b"a").record(3, 7, b"b").record(4, 0, b"c");
    assert_eq!(read(&file.bytes).times(), [5 * SECOND, 3 * SECOND + 7, 4 * SECOND]);
}

#[test]
fn every_prefix_gives_its_whole_packets_and_says_where_it_is_cut() {
    let file = three(pcap_header(Little, MICROS, 1)).bytes;
    for end in 24..=file.len() {
        for block_bytes in [1, 7, 64, 4_096] {
            let outcome = read_in_blocks(&file[..end], block_bytes);
            let starts = [24, 41, 59, 78];
            let whole = starts.iter().filter(|start| **start <= end).count() - 1;
            assert_eq!(outcome.packets.len(), whole, "{end}");
            if starts.contains(&end) {
                assert!(outcome.problems.is_empty());
                continue;
            }
            let offset = outcome.problems[0].offset.unwrap().bytes;
            assert_eq!((outcome.problems.len(), offset), (1, starts[whole] as u64), "{end}");
            assert!(matches!(outcome.problems[0].what, ProblemKind::CutShort { .. }));
            assert_eq!(outcome.tally.damaged_places, 1);
        }
    }
}

#[test]
fn a_file_cut_within_its_header_is_cut_short() {
    let file = pcap_header(Little, MICROS, 1).bytes;
    for end in 4..24 {
        let what = &read(&file[..end]).problems[0].what;
        assert_eq!(*what, ProblemKind::CutShort { needs: 24, has: end as u64 });
    }
}

#[test]
fn packets_are_the_same_whatever_the_size_of_blocks() {
    let mut file = pcap_header(Little, MICROS, 1);
    for n in 0..200_u8 {
        file = file.record(n.into(), 1, &vec![n; usize::from(n) * 3]);
    }
    let whole = read_in_blocks(&file.bytes, 1 << 20).packets;
    assert_eq!(whole.len(), 200);
    for block_bytes in [1, 16, 17, 100, 1_000, 5_003] {
        assert_eq!(read_in_blocks(&file.bytes, block_bytes).packets, whole);
    }
}

#[test]
fn packets_behind_an_impossible_length_are_found_again() {
    for block_bytes in [1, 100, 1 << 20] {
        let outcome = read_in_blocks(&second_says(262_145, 1).bytes, block_bytes);
        let first_bytes: Vec<u8> = outcome.packets.iter().map(|packet| packet.bytes[0]).collect();
        assert_eq!(first_bytes, [1, 3, 4, 5]);
        let what = ProblemKind::Damaged {
            damage: Damage::RecordLength(262_145),
            aftermath: Aftermath::Resumed(76),
        };
        assert_eq!(outcome.problems[0].what, what);
        assert_eq!(outcome.problems[0].offset.unwrap().bytes, 90);
        assert_eq!(outcome.tally.damaged_places, 1);
    }
}

#[test]
fn the_longest_packet_is_the_snap_length_where_that_is_larger_than_usual() {
    for (snap_length, captured, problems) in [
        (262_144, 262_144, 0),
        (262_144, 262_145, 1),
        (65_535, 262_144, 0),
        (0, 262_144, 0),
        (u32::MAX, 262_145, 1),
        (300_000, 300_000, 0),
        (300_000, 300_001, 1),
    ] {
        let file = pcap_header_of(Little, MICROS, (2, 4), snap_length, 1);
        let outcome = read(&file.record(1, 0, &vec![7; captured]).bytes);
        assert_eq!(outcome.problems.len(), problems, "{snap_length} {captured}");
        assert_eq!(outcome.packets.len(), 1 - problems);
    }
}

#[test]
fn a_record_longer_than_a_block_is_read_whole() {
    let packet: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let file = pcap_header(Little, MICROS, 1).record(1, 0, b"x").record(2, 0, &packet);
    let outcome = read_in_blocks(&file.record(3, 0, b"y").bytes, 64);
    assert_eq!(outcome.packets[1].bytes, packet);
    assert_eq!(outcome.packets[2].bytes, b"y");
}

#[test]
fn garbage_to_the_end_leaves_the_file() {
    let file = pcap_header(Little, MICROS, 1).record(1, 0, b"x").raw(&[0xff; 5_000]);
    let outcome = read_in_blocks(&file.bytes, 256);
    assert_eq!(outcome.packets.len(), 1);
    let aftermath = Aftermath::Abandoned(5_000);
    let damage = Damage::RecordLength(u32::MAX);
    assert_eq!(outcome.problems[0].what, ProblemKind::Damaged { damage, aftermath });
}

#[test]
fn a_search_gives_up_after_its_bound() {
    let mut file = pcap_header(Little, MICROS, 1).record(1, 0, b"x").raw(&vec![0xff; 17 << 20]);
    file = file.record(1, 1, b"a").record(1, 2, b"b").record(1, 3, b"c");
    let outcome = read_in_blocks(&file.bytes, 1 << 20);
    assert_eq!(outcome.packets.len(), 1);
    assert!(outcome.problem().contains("no sound record was found in the next 16777217 bytes"));
}

#[test]
fn zeros_are_damage_and_not_packets() {
    let file = three(pcap_header(Little, MICROS, 1)).raw(&[0; 1_000]);
    let outcome = read(&file.bytes);
    assert_eq!(outcome.packets.len(), 3);
    assert!(outcome.problem().contains("at byte 78: damaged: the record's header is all zeros"));
}

#[test]
fn an_empty_packet_is_a_packet() {
    let file = pcap_header(Little, MICROS, 1).u32(9).u32(0).u32(0).u32(60).record(9, 1, b"x");
    assert_eq!(read(&file.bytes).packets.len(), 2);
}

#[test]
fn records_far_from_the_others_in_time_are_not_believed_behind_damage() {
    let file = second_says(u32::MAX, 1).bytes;
    let mut moved = file.clone();
    moved[166..170].copy_from_slice(&(11_u32 + 8 * 86_400).to_le_bytes());
    assert_eq!(read(&file).packets.len(), 4);
    assert_eq!(read(&moved).packets.len(), 3, "the record that is far away is passed over");
}

#[test]
fn files_written_one_behind_the_other_are_read() {
    let mut file = three(pcap_header(Little, MICROS, 1)).bytes;
    file.extend(three(pcap_header(Big, NANOS, 101)).bytes);
    for block_bytes in [1, 90, 4_096] {
        let outcome = read_in_blocks(&file, block_bytes);
        assert!(outcome.problems.is_empty());
        let links: Vec<u16> = outcome.packets.iter().map(|packet| packet.link).collect();
        assert_eq!(links, [1, 1, 1, 101, 101, 101]);
        assert_eq!(outcome.packets[3].nanos, 10 * SECOND + 1);
    }
}

#[test]
fn many_damaged_places_are_counted_and_a_few_are_told() {
    let mut file = pcap_header(Little, MICROS, 1);
    for n in 0..20 {
        for m in 0..4 {
            file = file.record(n, m, &[7; 40]);
        }
        file = file.u32(n).u32(0).u32(u32::MAX).u32(0);
    }
    let outcome = read(&file.record(20, 0, b"x").record(20, 0, b"x").bytes);
    assert_eq!(outcome.tally.damaged_places, 20);
    assert_eq!(outcome.packets.len(), 82);
    assert_eq!(outcome.problems.len(), 9);
    assert_eq!(outcome.problems[8].what, ProblemKind::MoreDamage { places: 12 });
}
