//! Bytes as a capture file, packed or not, read in blocks of two sizes.
//!
//! In: a file's bytes. Holds: no panic; every packet lies in its block and is counted; captured
//! bytes are never more than those on the wire.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sensor::capture::{Batch, CaptureFiles, Fill, Source as _};

/// Batches read of one file: a small packed one can hold gigabytes of packets.
const BATCHES_MAX: usize = 256;

static PATH: LazyLock<[PathBuf; 1]> =
    LazyLock::new(|| [std::env::temp_dir().join(format!("fuzz-{}.pcap", std::process::id()))]);

fuzz_target!(|bytes: &[u8]| {
    fs::write(&PATH[0], bytes).expect("the temporary folder takes a file");
    let block_bytes = if bytes.len() % 2 == 0 { 4_096 } else { 64 };
    let Ok(mut files) = CaptureFiles::open_with_blocks_of(&*PATH, block_bytes) else { return };
    let mut batch = Batch::default();
    let mut packets = 0;
    for _ in 0..BATCHES_MAX {
        if files.fill(&mut batch).is_ok_and(|fill| fill == Fill::End) {
            break;
        }
        packets += batch.packets.len() as u64;
        for packet in &batch.packets {
            assert!(packet.captured_bytes <= packet.wire_bytes);
            assert_eq!(packet.bytes(&batch.block).len(), packet.captured_bytes as usize);
        }
    }
    assert_eq!(files.tally().packets, packets);
    drop(files.problems());
});
