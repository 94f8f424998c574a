//! What was typed.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::clock;
use crate::cluster::Cluster;
use crate::engine::Bounds;
use crate::error::HuntError;
use crate::output::{Format, Target};
use crate::window::Window;

/// Hunt in an archive: SQL over what the sensor has written.
#[derive(Debug, Parser)]
#[command(name = "serval hunt", bin_name = "serval hunt", version, max_term_width = 100)]
#[command(after_help = HELP)]
pub struct Cli {
    /// A question by name.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where and when.
    #[command(flatten)]
    pub scope: Scope,
    /// How the answer is written.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Show the canned hunts, as `list` does.
    #[arg(long, exclusive = true)]
    pub list: bool,
    /// The query; `-` reads it from standard input. Without one, a prompt asks for queries.
    #[arg(value_name = "SQL")]
    pub sql: Option<String>,
}

/// Questions by name.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the canned hunts.
    List(HuntsArgs),
    /// Show a canned hunt: why, how to read it, its parameters and its query.
    Show {
        /// Its name.
        name: String,
        /// Where hunts are.
        #[command(flatten)]
        hunts: HuntsArgs,
    },
    /// Run a canned hunt.
    Run(RunArgs),
    /// Everything about one host.
    Host {
        /// Its address.
        #[arg(value_name = "IP")]
        address: String,
    },
    /// All rows of one flow, over all tables.
    Flow {
        /// Its uid or Community ID.
        #[arg(value_name = "UID")]
        name: String,
    },
    /// Try new indicators on old traffic.
    #[command(after_help = RETRO_HELP)]
    Retro(RetroArgs),
    /// One page about a span of time: findings, hosts at risk, rhythms, scans, health.
    Report {
        /// The form; default: by the ending of -o, else HTML.
        #[arg(long = "as", value_enum, value_name = "FORM")]
        form: Option<ReportForm>,
    },
    /// Copy what another place lacks of the archive, say a bucket of many sensors.
    Push {
        /// Where to: a directory, or s3://BUCKET/FOLDER where that is built in.
        #[arg(value_name = "TO")]
        to: String,
    },
    /// Lend this machine to a cluster.
    #[cfg(feature = "cluster")]
    #[command(after_help = CLUSTER_HELP)]
    Cluster {
        /// As what.
        #[command(subcommand)]
        role: ClusterRole,
    },
}

#[cfg(feature = "cluster")]
const CLUSTER_HELP: &str = "\
One scheduler, executors on as many machines as there are, and hunts that name the scheduler:
  serval hunt cluster scheduler --listen 10.0.0.1:50050
  serval hunt cluster executor --scheduler 10.0.0.1:50050 --listen 10.0.0.2:50051
  serval hunt --cluster df://10.0.0.1:50050 -a s3://soc/archive \"SELECT count(*) FROM flow\"

Nobody is asked who they are: give a cluster a network of its own.";

/// What a machine is in a cluster.
#[cfg(feature = "cluster")]
#[derive(Debug, Subcommand)]
pub enum ClusterRole {
    /// Take hunts, and give their parts to executors.
    Scheduler {
        /// Where hunts and executors find it.
        #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:50050")]
        listen: std::net::SocketAddr,
    },
    /// Scan and compute parts of hunts, within --memory.
    Executor(ExecutorArgs),
}

/// `serval hunt cluster executor`
#[cfg(feature = "cluster")]
#[derive(Debug, Args)]
pub struct ExecutorArgs {
    /// The scheduler.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:50050")]
    pub scheduler: std::net::SocketAddr,
    /// Where others fetch what it has computed.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:50051")]
    pub listen: std::net::SocketAddr,
    /// The name or address that others reach it by, where --listen is not the one.
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// Threads that scan and compute [default: one for each processor].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Folder for what it has computed, until it is fetched [default: the temporary folder].
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
}

const RETRO_HELP: &str = "\
A timer that tries what a feed has new, each hour, over three months:
  serval hunt retro -a /var/lib/serval/archive --feed feeds/ --since 90d --on-change --write";

/// `serval hunt retro`
#[derive(Debug, Args)]
pub struct RetroArgs {
    /// Feeds: files, or directories of files.
    #[arg(long = "feed", required = true, value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// The format of the feeds; `serval intel check --help` names them.
    #[arg(long, default_value = "auto", value_name = "FORMAT")]
    pub feed_format: String,
    /// Allow-lists (TOML).
    #[arg(long, value_name = "FILE")]
    pub allow: Vec<PathBuf>,
    /// Leave out the allow-list that comes with the program.
    #[arg(long)]
    pub no_default_allow: bool,
    /// Only indicators that an earlier run of this kind has not tried.
    #[arg(long)]
    pub on_change: bool,
    /// Where --on-change remembers [default: a file for each archive in ~/.local/state/serval].
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Add the alerts to the archive, as rows of the table alert.
    #[arg(long)]
    pub write: bool,
}

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// One page that is whole in itself.
    Html,
    /// For a ticket or a wiki.
    Markdown,
    /// For programs.
    Json,
}

impl ReportForm {
    /// The form that a file's ending names; a page where it names none.
    #[must_use]
    pub fn of(path: Option<&Path>) -> Self {
        match path.and_then(Path::extension).and_then(|ending| ending.to_str()) {
            Some("md") => Self::Markdown,
            Some("json") => Self::Json,
            _ => Self::Html,
        }
    }
}

/// Where canned hunts are.
#[derive(Clone, Debug, Args)]
pub struct HuntsArgs {
    /// A directory of your own hunts, beside those of the program [default:
    /// ~/.config/serval/hunts].
    #[arg(long, value_name = "DIR", env = "SERVAL_HUNTS")]
    pub hunts: Option<PathBuf>,
}

impl HuntsArgs {
    /// As where nothing is typed.
    #[must_use]
    pub fn usual() -> Self {
        Self { hunts: std::env::var_os("SERVAL_HUNTS").map(PathBuf::from) }
    }
}

/// `serval hunt run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The hunt's name; `serval hunt list` shows them.
    pub name: String,
    /// Sets a parameter, as in hosts=3; `serval hunt show NAME` shows them.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    pub params: Vec<String>,
    /// Where hunts are.
    #[command(flatten)]
    pub hunts: HuntsArgs,
}

const HELP: &str = "\
Examples:
  serval hunt \"SELECT src_ip, count(*) AS n FROM flow GROUP BY src_ip ORDER BY n DESC LIMIT 10\"
  serval hunt --since 7d \"SELECT DISTINCT sni FROM tls WHERE domain(sni) = 'example.com'\"
  serval hunt --format csv -o names.csv \"SELECT * FROM zeek_dns WHERE rcode_name = 'NXDOMAIN'\"
  serval hunt \"SHOW TABLES\"

Functions beside SQL's own:
  ip_in(ip, '10.0.0.0/8, fd00::/8')  is_private(ip)  domain(name)  entropy(text)
  beacon_score(ts, bytes)  beacon_period(ts, bytes)

Exit status:
  0  the answer is written, also when it has no rows
  1  the question makes no sense, or the archive cannot be read
  130  stopped by Ctrl-C; the answer is not whole";

/// Where to look, and when.
#[derive(Clone, Debug, Args)]
pub struct Scope {
    /// The archive: a directory, or s3://BUCKET/FOLDER where that is built in.
    #[arg(short, long, value_name = "DIR", default_value = "archive", env = "SERVAL_ARCHIVE")]
    #[arg(global = true)]
    pub archive: String,
    /// Only rows that begin since then: a span before now (90m, 12h, 7d) or an instant.
    #[arg(long, value_name = "SPAN", conflicts_with = "between", global = true)]
    pub since: Option<String>,
    /// Only rows that begin between two instants, in UTC; the second does not belong to it.
    #[arg(long, num_args = 2, value_names = ["FROM", "UNTIL"], global = true)]
    pub between: Option<Vec<String>>,
    /// Memory for sorting, joining and grouping; what needs more goes to disk.
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    #[arg(global = true)]
    pub memory: usize,
    /// Folder for what does not fit into memory; default: the system's temporary folder.
    #[arg(long, value_name = "DIR", global = true)]
    pub spill: Option<PathBuf>,
    /// Have a cluster compute, by its scheduler: df://HOST:PORT, where that is built in.
    #[arg(long, value_name = "URL", value_parser = Cluster::parse, global = true)]
    pub cluster: Option<Cluster>,
}

impl Scope {
    /// The window of time.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn window(&self) -> Result<Window, HuntError> {
        match (&self.since, self.between.as_deref()) {
            (Some(since), _) => Ok(Window::since(since, clock::now())?),
            (None, Some([from, until])) => Ok(Window::between(from, until)?),
            (None, _) => Ok(Window::ALL),
        }
    }

    /// What a query may take.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            memory_bytes: self.memory,
            spill: self.spill.clone(),
            cluster: self.cluster.clone(),
            ..Bounds::default()
        }
    }
}

/// How an answer is written.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// The form; default: by the ending of -o, else a table on a terminal and JSON lines elsewhere.
    #[arg(long, value_enum, value_name = "FORM", global = true)]
    pub format: Option<Format>,
    /// File to write to; it appears when the answer is whole.
    #[arg(short, long, value_name = "FILE", global = true)]
    pub output: Option<PathBuf>,
    /// Say on standard error what was read and what was skipped, also where it is no terminal.
    #[arg(long, global = true)]
    pub stats: bool,
}

impl OutputArgs {
    /// Where and how.
    #[must_use]
    pub fn target(&self) -> Target {
        Target { format: self.format, path: self.output.clone() }
    }
}

/// A number of bytes, as `512MiB` or `2GiB`.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" | "K" => 10,
        "MiB" | "M" => 20,
        "GiB" | "G" => 30,
        _ => return Err("write it as 512MiB or 2GiB".to_owned()),
    };
    let number: usize = number.parse().map_err(|_| "write it as 512MiB or 2GiB".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is more than there can be".to_owned())
}
