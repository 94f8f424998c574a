//! Compressed captures: each format, several members, two layers, and every kind of damage.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};

use crate::capture::format::ByteOrder::Little;
use crate::capture::samples::{Seen, pcap_header, read, read_in_blocks, write};
use crate::capture::{CaptureError, CaptureFiles, Codec, Content, ProblemKind, Stream};

const CODECS: [Codec; 3] = [Codec::Gzip, Codec::Zstd, Codec::Lz4];

/// Packets that do not compress well, so that a stream has many blocks.
fn capture() -> Vec<u8> {
    let mut state = 1_u32;
    let mut file = pcap_header(Little, 0xa1b2_c3d4, 1);
    for n in 0..400 {
        let packet: Vec<u8> = (0..1_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        file = file.record(n, 0, &packet);
    }
    file.bytes
}

fn pack(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Zstd => zstd::encode_all(bytes, 1).unwrap(),
        Codec::Lz4 => {
            let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_checksums(true);
            let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Asserts that `packets` are the first ones of `whole`, and returns how many.
fn prefix(packets: &[Seen], whole: &[Seen]) -> usize {
    assert_eq!(packets, &whole[..packets.len()]);
    packets.len()
}

#[test]
fn each_format_is_unpacked_whatever_the_size_of_blocks() {
    let file = capture();
    let plain = read(&file).packets;
    for codec in CODECS {
        for block_bytes in [500, 1 << 20] {
            let outcome = read_in_blocks(&pack(codec, &file), block_bytes);
            assert_eq!(outcome.packets, plain, "{codec}");
            assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        }
    }
}

#[test]
fn a_stream_of_several_members_is_one_capture() {
    let file = capture();
    let plain = read(&file).packets;
    for codec in CODECS {
        let (first, second) = file.split_at(100_001);
        let packed = [pack(codec, first), pack(codec, b""), pack(codec, second)].concat();
        let outcome = read(&packed);
        assert_eq!(outcome.packets, plain, "{codec}");
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
    }
}

#[test]
fn two_layers_are_undone_and_three_are_not() {
    let file = capture();
    let twice = pack(Codec::Zstd, &pack(Codec::Gzip, &file));
    assert_eq!(read(&twice).packets.len(), 400);
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a", &pack(Codec::Lz4, &twice));
    let Err(CaptureError::NothingToRead { problems }) = CaptureFiles::open(&[path]) else {
        panic!("three layers were undone");
    };
    let content = Content::PackedTooOften;
    assert_eq!(problems[0].what, ProblemKind::NotACapture { content });
}

#[test]
fn a_stream_cut_anywhere_gives_what_came_before_and_says_so() {
    let file = capture();
    let plain = read(&file).packets;
    for codec in CODECS {
        let packed = pack(codec, &file);
        let mut most = 0;
        for twentieth in 6..20 {
            let outcome = read(&packed[..packed.len() * twentieth / 20]);
            let count = prefix(&outcome.packets, &plain);
            assert!(count >= most, "{codec}");
            most = count;
            assert_eq!(outcome.problems.len(), 1);
            let what = &outcome.problems[0].what;
            assert!(
                matches!(what, ProblemKind::BadCompression { codec: bad, .. } if *bad == codec),
                "{what:?}"
            );
            assert_eq!(outcome.problems[0].offset.unwrap().stream, Stream::Decompressed);
            assert_eq!(outcome.tally.damaged_places, 1);
        }
        assert!(most > 200, "{codec}: {most}");
    }
}

#[test]
fn a_stream_cut_by_a_byte_is_noticed() {
    for codec in CODECS {
        let packed = pack(codec, &capture());
        let outcome = read(&packed[..packed.len() - 1]);
        assert_eq!(outcome.problems.len(), 1, "{codec}");
        assert!(outcome.packets.len() >= 384, "{codec}: {}", outcome.packets.len());
    }
}

#[test]
fn a_wrong_byte_in_the_middle_gives_what_came_before() {
    let file = capture();
    for codec in CODECS {
        let mut packed = pack(codec, &file);
        let middle = packed.len() / 2;
        packed[middle..middle + 64].fill(0xff);
        let outcome = read(&packed);
        assert!(outcome.packets.len() > 100, "{codec}: {}", outcome.packets.len());
        assert!(!outcome.problems.is_empty(), "{codec}");
    }
}

#[test]
fn bytes_behind_the_stream_are_told() {
    for codec in CODECS {
        let packed = [pack(codec, &capture()), b"something else altogether".to_vec()].concat();
        let outcome = read(&packed);
        assert_eq!(outcome.packets.len(), 400, "{codec}");
        assert!(outcome.problem().contains("stream is broken"), "{codec}");
    }
}

#[test]
fn a_capture_cut_before_it_was_compressed_is_cut_short_there() {
    let file = capture();
    let outcome = read(&pack(Codec::Gzip, &file[..file.len() - 10]));
    assert_eq!(outcome.packets.len(), 399);
    let text = outcome.problem();
    assert!(text.contains("at byte 405408 of the decompressed stream: cut short"), "{text}");
}
