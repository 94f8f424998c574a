//! The same captures give the same rows, byte for byte and in the same order: for any number of
//! workers, on every run, and however the capture is cut into files.

use std::path::PathBuf;

use sensor::config::Config;

use crate::captures;
use crate::replays::{self, Frame};

/// All captures of a few rooms: every kind of flow, several protocols, tunnels and fragments.
fn mixed() -> Vec<PathBuf> {
    let folders = ["dns", "http", "tls", "quic", "smb", "flow", "decode"];
    captures::in_folders(&folders).iter().map(|path| captures::file(path)).collect()
}

#[test]
fn any_number_of_workers_gives_the_same_rows_in_the_same_order() {
    let one = replays::files(&mixed(), &Config::default(), 1);
    assert!(one.lines.len() > 1_000, "only {} rows", one.lines.len());
    for workers in [1, 2, 3, 8] {
        let other = replays::files(&mixed(), &Config::default(), workers);
        assert_same(&one.lines, &other.lines, &format!("{workers} workers"));
        assert_eq!(one.counts.packets, other.counts.packets, "{workers} workers");
    }
}

#[test]
fn short_timeouts_and_small_tables_change_nothing_about_that() {
    let config: Config = toml::from_str(
        "[flow]\ninterim = \"1s\"\ntcp_timeout = \"2s\"\nudp_timeout = \"1s\"\nmax = 256",
    )
    .expect("a configuration");
    let one = replays::files(&mixed(), &config, 1);
    for workers in [2, 5] {
        let other = replays::files(&mixed(), &config, workers);
        assert_same(&one.lines, &other.lines, &format!("{workers} workers"));
        assert_eq!(one.counts.flows, other.counts.flows, "{workers} workers");
    }
}

#[test]
fn a_capture_in_three_files_gives_the_rows_of_the_whole() {
    for path in ["flow/port-scan.pcap", "smb/large-file.pcap", "http/methods.pcap"] {
        let whole = replays::capture(path);
        let frames = replays::frames(path);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files: Vec<PathBuf> = frames
            .chunks(frames.len().div_ceil(3))
            .enumerate()
            .map(|(at, part)| {
                let file = folder.path().join(format!("part-{at}.pcap"));
                std::fs::write(&file, pcap(part)).expect("a file that can be written");
                file
            })
            .collect();
        assert_eq!(files.len(), 3);
        let parts = replays::files(&files, &Config::default(), 2);
        assert_same(&whole.lines, &parts.lines, path);
    }
}

/// Frames of one link type as a capture file: pcap with nanoseconds, little-endian.
pub(crate) fn pcap(frames: &[Frame]) -> Vec<u8> {
    let link = frames.first().map_or(1, |frame| frame.link.0);
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 0x0004_0000, u32::from(link)] {
        file.extend(word.to_le_bytes());
    }
    for frame in frames {
        let nanos = u64::try_from(frame.time.nanos()).expect("a time after 1970");
        let held = u32::try_from(frame.bytes.len()).expect("a frame of less than 4 GiB");
        for word in [nanos / 1_000_000_000, nanos % 1_000_000_000] {
            file.extend(u32::try_from(word).expect("a time before 2106").to_le_bytes());
        }
        file.extend(held.to_le_bytes());
        file.extend(frame.wire_bytes.to_le_bytes());
        file.extend(&frame.bytes);
    }
    file
}

pub(crate) fn assert_same(one: &[String], other: &[String], what: &str) {
    for (at, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "{what}: row {at}");
    }
    assert_eq!(one.len(), other.len(), "{what}: number of rows");
}
