//! A sample of foreign captures, where they lie beside the project (or where `SERVAL_CORPUS` says):
//! nothing panics and every packet is accounted for.

use std::path::PathBuf;

use sensor::capture::CaptureFiles;
use sensor::config::Config;

use crate::captures;
use crate::replays;

/// Every how many captures one is replayed.
const STRIDE: usize = 10;

/// Captures larger than this are left to the benchmarks.
const FILE_BYTES_MAX: u64 = 4 << 20;

#[test]
fn every_tenth_foreign_capture_is_survived_and_accounted_for() {
    let beside = || captures::project().join("../shared/corpus");
    let folder = std::env::var_os("SERVAL_CORPUS").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: there is no corpus at {}", folder.display());
        return;
    }
    let mut read = 0;
    for file in sample(&folder) {
        // Some are no captures at all, on purpose.
        let Ok(mut source) = CaptureFiles::open(std::slice::from_ref(&file)) else { continue };
        let replay = replays::run(&mut source, &Config::default(), 1);
        let packets = &replay.counts.packets;
        assert_eq!(
            packets.received,
            packets.decoded + packets.skipped.total(),
            "{}",
            file.display()
        );
        read += 1;
    }
    assert!(read > 0, "{} holds captures", folder.display());
    eprintln!("{read} captures of the corpus");
}

fn sample(folder: &std::path::Path) -> Vec<PathBuf> {
    let files = ["pcaps", "evil"].iter().flat_map(|part| captures::files_below(&folder.join(part)));
    let small = |file: &PathBuf| file.metadata().is_ok_and(|data| data.len() <= FILE_BYTES_MAX);
    files.filter(small).step_by(STRIDE).collect()
}
