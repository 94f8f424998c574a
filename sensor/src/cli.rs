//! What was typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A network sensor: packets in, flows, metadata and findings out.
#[derive(Debug, Parser)]
#[command(name = "serval", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read captures and write what they hold.
    #[command(after_help = REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Print the tables and columns that are written.
    Schema(SchemaArgs),
}

const REPLAY_HELP: &str = "\
Exit status:
  0  everything was read
  1  nothing could be done, or the output could not be written
  2  some input was damaged, cut short or unreadable; the rest was read, and each place is told";

/// `serval replay`
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// Captures (pcap or pcapng, plain or packed with gzip, zstd or lz4), directories of them, or
    /// `-` for standard input. Files are read in the order of their first packets.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory to write Parquet files to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// File to write every row to as a line of JSON; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads that follow flows; the result is the same for any number. Default: one for each
    /// core.
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Only packets that this BPF expression matches, as in `tcp port 445`.
    #[arg(long, value_name = "BPF")]
    pub filter: Option<String>,
}

/// `serval schema`
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Which form.
    #[arg(long, value_enum, default_value_t = SchemaForm::Text)]
    pub format: SchemaForm,
}

/// A form of the schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaForm {
    /// For people.
    Text,
    /// JSON Schema, draft 2020-12.
    Json,
}
