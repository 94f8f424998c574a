//! What was typed.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::capture::interface::mirror::Mirror;
use crate::config::{Age, Size};

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
    /// Listen to network interfaces until told to stop.
    #[command(after_help = WATCH_HELP)]
    Watch(WatchArgs),
    /// Ask a running sensor how it is.
    Status(StatusArgs),
    /// Ask what feeds of indicators hold, and what they would match.
    Intel(IntelArgs),
    /// Say whether a configuration can be used, and what is wrong with it.
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Verify, compact and prune an archive.
    Archive(ArchiveArgs),
    /// Ask the archive: SQL, canned hunts, reports. `serval hunt --help` says more.
    #[command(disable_help_flag = true)]
    Hunt {
        /// What the hunt is to do.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        args: Vec<OsString>,
    },
    /// Show, reset, export, import or learn what is usual for users and hosts.
    Baseline(BaselineArgs),
    /// Say what a detector detects, why, how, and with which knobs; without a name, list them.
    Explain(ExplainArgs),
    /// Show what entries of an allow-list and thresholds would silence, before you change them.
    #[command(after_help = TUNE_HELP)]
    Tune(TuneArgs),
    /// Print the tables and columns that are written.
    Schema(SchemaArgs),
}

const REPLAY_HELP: &str = "\
Exit status:
  0  everything was read
  1  nothing could be done, or the output could not be written; no packet of the flows to carve
  2  some input was damaged, cut short or unreadable, an alert sink did not take every alert,
     or some of the flows to carve are not there; the rest was done, and each place is told";

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
    /// Cut the packets of these flows out of the captures, instead of writing rows: uids or
    /// Community IDs as rows and alerts have them, several with commas or by repeating the option.
    /// Uids need the configuration of the sensor that gave them.
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        requires = "output",
        conflicts_with_all = ["archive", "json"]
    )]
    pub carve: Vec<String>,
    /// Capture to write those packets to (pcap, nanoseconds); `-` for standard output.
    #[arg(short, long, value_name = "FILE", requires = "carve")]
    pub output: Option<PathBuf>,
}

const WATCH_HELP: &str = "\
SIGTERM or Ctrl-C closes all flows, writes what waits and ends the sensor within ten seconds.

Exit status:
  0  it was told to stop, and everything was written
  1  it could not start, or the output could not be written";

/// `serval watch`
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// Interfaces to listen to; several are put in one order of time, as the two directions of a
    /// tap.
    #[arg(short, long = "interface", value_name = "IFACE", value_delimiter = ',')]
    pub interfaces: Vec<String>,
    /// UDP ports that mirrors of clouds and access points send packets to, as `vxlan:4789`,
    /// `geneve:6081` or `tzsp:37008`, or with an address as `vxlan:192.0.2.1:4789`.
    #[arg(long, value_name = "MIRROR", value_delimiter = ',')]
    pub listen: Vec<Mirror>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory to write Parquet files to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// File to append every row to as a line of JSON; `-` for standard output. Who reads too slowly
    /// misses rows; nobody waits for them.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads that follow flows, beside the one that reads packets and the one that writes.
    /// Default: one for each core but one.
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Only packets that this BPF expression matches, as in `not port 9200`; the system leaves out
    /// the others, which are not counted.
    #[arg(long, value_name = "BPF")]
    pub filter: Option<String>,
}

/// `serval status`
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Configuration file (TOML), for the address.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port at which the sensor answers.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Which form.
    #[arg(long, value_enum, default_value_t = StatusFormat::Text)]
    pub format: StatusFormat,
}

/// A form of the status.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    Text,
    /// A JSON object.
    Json,
}

const CHECK_HELP: &str = "\
Exit status:
  0  a sensor can start with it
  1  something is wrong; each problem is told with file, line and remedy";

/// `serval check`
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Configuration file (TOML). Default: no file, so every setting has its default.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print every setting with the value that is used, as TOML.
    #[arg(long)]
    pub print: bool,
    /// Print a commented sample: every setting with its default.
    #[arg(long, conflicts_with_all = ["config", "print"])]
    pub sample: bool,
    /// Give up this process's rights as a sensor of that configuration does, try what must not be
    /// possible any more, and say what failed.
    #[cfg(target_os = "linux")]
    #[arg(long, conflicts_with_all = ["print", "sample"])]
    pub privileges: bool,
}

/// `serval archive`
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ArchiveCommand,
}

const VERIFY_HELP: &str = "\
Each file is held against the SHA-256 that the manifest in DIR/_manifest has of it, and each entry
of the manifest against the one before. Whoever can write to the archive could write all of that
anew: note the heads that are printed in another place, and give them as --head later.

Exit status:
  0  every file is what the manifest says, and the manifest is whole
  1  the archive cannot be verified
  2  something was changed, is missing, or has no entry; each is named on standard output";

const COMPACT_HELP: &str = "\
An hour that ended two hours ago or longer is compacted; the sensor may go on writing. Files that
are not what the manifest says are left alone and named.

Exit status:
  0  done
  1  the archive cannot be read or written, or another process compacts it
  2  done, but for files that were left alone";

/// What to do with an archive.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Say whether each file is what was written, and name each that is changed, missing or
    /// unlisted.
    #[command(after_help = VERIFY_HELP)]
    Verify {
        /// The archive.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// A head that was noted earlier: the manifests must still pass through it.
        #[arg(long = "head", value_name = "HASH")]
        heads: Vec<String>,
    },
    /// Enter files that have no entry in the manifest, as they are now.
    Adopt {
        /// The archive.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Merge the small files of hours that are over into few large ones.
    #[command(after_help = COMPACT_HELP)]
    Compact {
        /// The archive.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Remove the oldest hours, of all tables, until the archive is within its limits.
    Prune(PruneArgs),
}

/// `serval archive prune`
#[derive(Debug, clap::Args)]
pub struct PruneArgs {
    /// The archive; by default that of the configuration.
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Configuration file (TOML), for the archive and its limits.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Remove hours that ended longer ago than that, as in `90d`.
    #[arg(long, value_name = "AGE")]
    pub age: Option<Age>,
    /// Remove the oldest hours while the archive has more bytes, as in `500GiB`.
    #[arg(long, value_name = "SIZE")]
    pub bytes: Option<Size>,
    /// Remove the oldest hours while the file system has fewer bytes free, as in `20GiB`.
    #[arg(long, value_name = "SIZE")]
    pub free: Option<Size>,
    /// Only say what would be removed.
    #[arg(long)]
    pub dry_run: bool,
}

/// `serval baseline`
#[derive(Debug, clap::Args)]
pub struct BaselineArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BaselineCommand,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The file of baselines; by default that of the configuration, in its state directory. Stop a
    /// sensor that uses it before you change it.
    #[arg(long, value_name = "FILE", global = true)]
    pub state: Option<PathBuf>,
}

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Print habits: who, which service, at which hours, to what.
    Show {
        /// Only of this user or host.
        #[arg(value_name = "WHO")]
        who: Option<String>,
    },
    /// Forget habits.
    Reset {
        /// Only of this user or host; by default of all.
        #[arg(long, value_name = "WHO")]
        who: Option<String>,
        /// Only of this detector.
        #[arg(long, value_name = "DETECTOR")]
        detector: Option<String>,
    },
    /// Print the file, to be edited or taken to another sensor.
    Export,
    /// Join habits of another file with those that are there.
    Import {
        /// What `export` printed.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Learn from the rows of an archive, by the configuration's schedule; replaces what was there.
    Learn {
        /// The archive's directory.
        #[arg(long, value_name = "DIR")]
        archive: PathBuf,
    },
}

/// `serval explain`
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// A detector, as alerts name it.
    #[arg(value_name = "DETECTOR")]
    pub detector: Option<String>,
}

const TUNE_HELP: &str = "\
Without a candidate, entries and thresholds are proposed, each with the worst that it would silence.
With --try, --allow or --set, the alerts that these would silence are listed, and those that stay. A
threshold that is lowered would raise alerts that nobody has seen yet: replay captures for those.

Exit status:
  0  every alert was read, and the answer is on standard output
  1  nothing could be read, or the configuration or the candidate is not valid
  2  some rows could not be read; each place is told on standard error";

/// `serval tune`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("from").required(true).multiple(true))]
pub struct TuneArgs {
    /// Files of alerts as lines of JSON.
    #[arg(long, value_name = "FILE", group = "from")]
    pub alerts: Vec<PathBuf>,
    /// An archive, whose table of alerts is read.
    #[arg(long, value_name = "DIR", group = "from")]
    pub archive: Option<PathBuf>,
    /// Configuration file (TOML): what is set now, with its allow-lists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Try a file: an allow-list beside those that are used, or another configuration.
    #[arg(long = "try", value_name = "FILE")]
    pub candidate: Vec<PathBuf>,
    /// Try an entry of an allow-list, as `detectors = ["beacon"], src = ["10.0.0.20"]`.
    #[arg(long, value_name = "ENTRY")]
    pub allow: Vec<String>,
    /// Try a setting of a detector or of `[watch]`, as `beacon.alert=0.9`.
    #[arg(long, value_name = "KNOB=VALUE")]
    pub set: Vec<String>,
    /// Proposals of each sort, or alerts of each sort, that are shown.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: u32,
    /// Answer with a JSON object.
    #[arg(long)]
    pub json: bool,
}

impl TuneArgs {
    /// Whether there is something to be tried.
    #[must_use]
    pub const fn is_trial(&self) -> bool {
        !(self.candidate.is_empty() && self.allow.is_empty() && self.set.is_empty())
    }
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

/// `serval intel`
#[derive(Debug, clap::Args)]
pub struct IntelArgs {
    /// What to ask.
    #[command(subcommand)]
    pub command: IntelCommand,
}

/// Questions about indicators.
#[derive(Debug, Subcommand)]
pub enum IntelCommand {
    /// Read feeds and say what each holds, what was refused and why.
    #[command(after_help = INTEL_HELP)]
    Check(IntelCheckArgs),
    /// Say whether a value would match, by what, or what silences it.
    #[command(after_help = INTEL_HELP)]
    Test(IntelTestArgs),
    /// Write the indicators that this sensor's own alerts confirm.
    Export(IntelExportArgs),
}

const INTEL_HELP: &str = "\
Formats, told by content unless named: plain, csv, zeek, suricata_dataset, suricata_iprep, abuse_ch,
misp, stix.

Exit status:
  0  every feed was read whole, and the answer is on standard output
  1  the question makes no sense, or an allow-list is broken
  2  something in a feed was refused; each place is told on standard error";

/// `serval intel check`
#[derive(Debug, clap::Args)]
pub struct IntelCheckArgs {
    /// Feeds: files, or directories of files.
    #[arg(required_unless_present = "config", value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// How they are read.
    #[command(flatten)]
    pub reading: IntelReadingArgs,
}

/// `serval intel test`
#[derive(Debug, clap::Args)]
pub struct IntelTestArgs {
    /// A name, address, address:port, URL, hash, fingerprint, file name or user agent.
    #[arg(value_name = "VALUE")]
    pub value: String,
    /// Feeds: files, or directories of files.
    #[arg(long = "feed", required_unless_present = "config", value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// At which time, as `2026-03-01T12:00:00Z`. Default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<jiff::Timestamp>,
    /// How feeds are read.
    #[command(flatten)]
    pub reading: IntelReadingArgs,
}

/// `serval intel export`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("from").required(true).multiple(true))]
pub struct IntelExportArgs {
    /// Files of alerts as lines of JSON.
    #[arg(long, value_name = "FILE", group = "from")]
    pub alerts: Vec<PathBuf>,
    /// An archive, whose table of alerts is read.
    #[arg(long, value_name = "DIR", group = "from")]
    pub archive: Option<PathBuf>,
    /// Configuration file (TOML): the sensor's name, home networks and allow-lists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which form.
    #[arg(long, value_enum, default_value_t = ExportForm::Stix)]
    pub format: ExportForm,
    /// How sure an alert, or the incident that it belongs to, must be, in per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 95)]
    pub min_confidence: u8,
    /// With whom the bundle may be shared (Traffic Light Protocol).
    #[arg(long, value_enum, default_value_t = Tlp::Amber)]
    pub tlp: Tlp,
    /// File to write; standard output without it.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A form of exported indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// A STIX 2.1 bundle.
    Stix,
    /// A table that Serval reads back.
    Csv,
}

/// A colour of the Traffic Light Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tlp {
    /// Everybody.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients.
    Amber,
    /// The recipients alone.
    Red,
}

/// How feeds are read.
#[derive(Debug, clap::Args)]
pub struct IntelReadingArgs {
    /// Configuration file (TOML), whose feeds and allow-lists are used, too. Feeds from servers are
    /// read from their last good copies.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The format of all feeds.
    #[arg(long, default_value = "auto", value_name = "FORMAT")]
    pub format: String,
    /// What values are where feeds do not say: `domain`, `address`, `user_agent`, …
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Names in these feeds mean their sub-domains, too.
    #[arg(long)]
    pub subdomains: bool,
    /// The name of a column of CSV feeds, as in `value=ioc`.
    #[arg(long = "column", value_name = "COLUMN=NAME")]
    pub columns: Vec<String>,
    /// Allow-lists (TOML).
    #[arg(long, value_name = "FILE")]
    pub allow: Vec<PathBuf>,
    /// Leave out the allow-list that comes with the program.
    #[arg(long)]
    pub no_default_allow: bool,
}
