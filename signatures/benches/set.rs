//! How large a large set is, how long it takes to load, what a look-up costs. In: generated feeds,
//! five million names and a million addresses, or as many as the first argument says in millions.
//! Out: figures on standard output; times are the processor's.
//!
//!     cargo bench -p signatures

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use analyzers::Timestamp;
use signatures::feeds::Feed;
use signatures::{IndicatorSet, Observable, Part};

const NOW: Timestamp = Timestamp::from_secs_nanos(1_780_000_000, 0);
const MILLION: u32 = 1_000_000;
const LOOK_UPS: u32 = 1_000_000;

fn main() {
    let millions = std::env::args().skip(1).find_map(|argument| argument.parse::<u32>().ok());
    let names = millions.unwrap_or(5) * MILLION;
    let addresses = names / 5;
    let directory = tempfile::tempdir().unwrap();
    let feeds = [
        write(directory.path(), "names.txt", (0..names).map(name)),
        write(directory.path(), "addresses.txt", (0..addresses).map(|n| address(n).to_string())),
    ];
    let before = resident();
    let start = processor_seconds();
    let parts = feeds.iter().map(|feed| Arc::new(Part::load(feed).0)).collect();
    let set = IndicatorSet::new(parts);
    let took = processor_seconds() - start;
    assert_eq!(set.len(), (names + addresses) as usize);
    println!("{names} names, {addresses} addresses");
    println!("load              {took:8.2} s");
    println!("memory, counted   {:8.1} MiB", mebibytes(set.memory_bytes() as u64 / 1024));
    println!("memory, resident  {:8.1} MiB", mebibytes(resident() - before));
    println!("memory, peak      {:8.1} MiB", mebibytes(status("VmHWM:") - before));
    look_ups(&set, names, addresses);
}

fn look_ups(set: &IndicatorSet, names: u32, addresses: u32) {
    // What traffic shows is prepared beforehand; its order is no order of the set.
    let sample: Vec<u32> = (0..LOOK_UPS).map(scattered).collect();
    let texts = |text: &dyn Fn(u32) -> String| sample.iter().map(|&n| text(n)).collect::<Vec<_>>();
    let misses = texts(&|n| format!("www.host{n}.example.com"));
    let hits = texts(&|n| name(n % names));
    let deep = texts(&|n| format!("a.b.c.d.e.f.host{n}.example.com"));
    for (label, list, expected) in
        [("name, miss", &misses, 0), ("name, deep miss", &deep, 0), ("name, hit", &hits, 1)]
    {
        measure(label, list, expected, |text| {
            set.look_up(&Observable::Domain(text.as_bytes()), NOW).len()
        });
    }
    let miss: Vec<IpAddr> =
        sample.iter().map(|&n| Ipv4Addr::from(0xb000_0000 + n % MILLION).into()).collect();
    let hit: Vec<IpAddr> = sample.iter().map(|&n| address(n % addresses)).collect();
    measure("address, miss", &miss, 0, |&ip| {
        set.look_up(&Observable::Endpoint(ip, 443), NOW).len()
    });
    measure("address, hit", &hit, 1, |&ip| set.look_up(&Observable::Endpoint(ip, 443), NOW).len());
}

fn measure<T>(label: &str, list: &[T], expected: usize, look_up: impl Fn(&T) -> usize) {
    // The first round warms up, the best of the others counts: the machine has other work.
    let mut best = f64::INFINITY;
    for round in 0..4 {
        let start = processor_seconds();
        let found: usize = list.iter().map(|value| black_box(look_up(black_box(value)))).sum();
        let nanoseconds = (processor_seconds() - start) * 1e9 / f64::from(LOOK_UPS);
        assert_eq!(found, expected * list.len(), "{label}");
        if round > 0 {
            best = best.min(nanoseconds);
        }
    }
    println!("{label:<18}{best:7.0} ns");
}

/// Names of the lengths that feeds have: 22 bytes in the mean.
fn name(number: u32) -> String {
    const WORDS: [&str; 8] =
        ["secure", "update", "login", "cdn", "mail", "static", "account", "cloud"];
    let word = |shift: u32| WORDS[(number >> shift) as usize % WORDS.len()];
    let scrambled = scattered(number);
    match number % 4 {
        0 => format!("{}-{scrambled:07x}.example", word(2)),
        1 => format!("{}.{}{scrambled:x}.example", word(2), word(5)),
        2 => format!("{scrambled:08x}{}.example.net", word(2)),
        _ => format!("{}{scrambled}.top", word(2)),
    }
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0b00_0000 + number.wrapping_mul(97)).into()
}

/// Another number for each number, far from its neighbour's.
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b1)
}

fn write(directory: &Path, name: &str, lines: impl Iterator<Item = String>) -> Feed {
    let path = directory.join(name);
    let mut file = BufWriter::new(File::create(&path).unwrap());
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
    Feed::at(&path)
}

/// Time of a processor that this thread has had: others may want the machine, too.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Kibibytes of memory in use.
fn resident() -> u64 {
    status("VmRSS:")
}

fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "a figure with one decimal")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
