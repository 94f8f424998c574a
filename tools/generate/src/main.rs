//! Writes an archive of made-up flows with the sensor's own writer, to measure hunts with.
//!
//! In: how many flows, over how many days and hosts, a seed. Out: an archive, and on request the
//! same rows as JSON lines. Hosts, services and destinations have the long tails that networks
//! have: a few names take most of the traffic, most names are seen a handful of times.

mod dice;
mod flows;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use sensor::archive::{Archive, Options};
use sensor::rows::json::JsonLines;

use crate::flows::{Network, Scale};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Write a large archive of made-up flows.
#[derive(Debug, Parser)]
struct Args {
    /// Directory of the archive.
    directory: PathBuf,
    /// Flows.
    #[arg(long, default_value_t = 50_000_000)]
    rows: u64,
    /// Days that they are spread over.
    #[arg(long, default_value_t = 7)]
    days: u64,
    /// Hosts inside.
    #[arg(long, default_value_t = 5_000)]
    hosts: u64,
    /// Names outside.
    #[arg(long, default_value_t = 200_000)]
    names: u64,
    /// The same seed gives the same archive.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File for the same rows as JSON lines.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let scale = Scale { rows: args.rows, days: args.days, hosts: args.hosts, names: args.names };
    let options = Options {
        sensor: "generated".to_owned(),
        buffer_bytes: 1 << 30,
        wait: Duration::from_secs(2 * 3_600),
        ..Options::default()
    };
    let mut archive = Archive::open(&args.directory, options)?;
    let mut json = match &args.json {
        Some(path) => Some(JsonLines::new(BufWriter::with_capacity(1 << 20, File::create(path)?))),
        None => None,
    };
    for row in Network::new(scale, args.seed) {
        archive.advance(row.header.ts)?;
        if let Some(json) = &mut json {
            json.write(&row)?;
        }
        archive.write(&row)?;
    }
    if let Some(mut json) = json {
        json.flush()?;
    }
    let summary = archive.finish()?;
    let mut out = std::io::stdout();
    for (table, written) in summary.tables {
        let (rows, files, bytes) = (written.rows, written.files, written.bytes);
        writeln!(out, "{table}: {rows} rows, {files} files, {bytes} bytes")?;
    }
    Ok(())
}
