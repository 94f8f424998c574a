//! `serval-lab`: writes labelled captures and judges alerts by the labels.
//!
//! In: what was typed. Out: files beside each other (`x.pcap`, `x.labels.jsonl`, …), or a table on
//! standard output; what happened on standard error.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lab::evaluate::flows::Pairs;
use lab::evaluate::table::table;
use lab::evaluate::{self, Report, alerts, beacons};
use lab::label::{self, Label};
use lab::pcap::{PcapWriter, Place};
use lab::scene::Conditions;
use lab::surroundings::{self, Files};
use lab::{Play, Wish};

/// Captures with labels, and what was found of them.
#[derive(Debug, Parser)]
#[command(name = "serval-lab", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the scenarios that there are.
    List,
    /// Write a scenario as a capture, with its labels beside it.
    Write(WriteArgs),
    /// Compare alerts with labels. For several runs, name the files of each in turn.
    Evaluate(EvaluateArgs),
}

/// `serval-lab evaluate`
#[derive(Debug, clap::Args)]
struct EvaluateArgs {
    /// Labels, as `write` left them.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    labels: Vec<PathBuf>,
    /// Alerts as they were told, which the configuration beside the capture sends to
    /// `x.alerts.jsonl`. Rows do as well; of those the time of detection is the last of the alert.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    alerts: Vec<PathBuf>,
    /// The archive of the run, or its rows as lines of JSON: scores are compared on its flows.
    #[arg(long, num_args = 1.., value_name = "PATH")]
    archive: Vec<PathBuf>,
    /// Alerts of the same run with `[detect.beacon]` thresholds of zero: their scores are compared.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    scores: Vec<PathBuf>,
    /// Hosts of the world. Default: those in the archive.
    #[arg(long)]
    hosts: Option<u32>,
    /// Print what was missed and what is false, too.
    #[arg(long)]
    remarks: bool,
}

/// `serval-lab write`
#[derive(Debug, clap::Args)]
struct WriteArgs {
    /// Which scenario; `serval-lab list` prints them.
    scenario: String,
    /// The number that everything follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long, in hours. Default: as long as the scenario needs.
    #[arg(long)]
    hours: Option<u32>,
    /// How many hosts. Default: as many as the scenario needs.
    #[arg(long)]
    hosts: Option<usize>,
    /// The site's time zone, as `Asia/Shanghai`. Default: the scenario's.
    #[arg(long)]
    zone: Option<String>,
    /// The day at whose midnight it begins, as `2026-03-02`. Default: the scenario's.
    #[arg(long)]
    start: Option<jiff::civil::Date>,
    /// Share of packets that the capture does not hold, as `0.01`.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Share of packets that come late.
    #[arg(long, default_value_t = 0.0)]
    late: f64,
    /// Share of connections that began before the capture.
    #[arg(long, default_value_t = 0.0)]
    midstream: f64,
    /// Where to: `x.pcap`, `x.pcap.zst`, or `-` for standard output, without labels.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::List => list(),
        Command::Write(args) => write(&args),
        Command::Evaluate(args) => compare(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serval-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<(), Box<dyn std::error::Error>>;

fn list() -> Done {
    let mut out = io::stdout().lock();
    for (name, shows) in lab::scenario::all() {
        writeln!(out, "{name:26} {shows}")?;
    }
    Ok(())
}

fn write(args: &WriteArgs) -> Done {
    let wish = Wish {
        seed: args.seed,
        hours: args.hours,
        hosts: args.hosts,
        zone: args.zone.clone(),
        start: args.start,
        conditions: Conditions { loss: args.loss, late: args.late, midstream: args.midstream },
    };
    let play = Play::new(&args.scenario, &wish)?;
    let (site, indicators) = (play.site().clone(), play.indicators().to_vec());
    let mut writer = PcapWriter::new(Place::open(&args.output)?)?;
    let mut frames = 0u64;
    let labels = play.play(|frame| {
        frames += 1;
        writer.frame(frame)
    })?;
    writer.into_inner().finish()?;
    eprintln!("{frames} packets, {} labels", labels.len());
    if args.output == Path::new("-") {
        return Ok(());
    }
    let output = std::path::absolute(&args.output)?;
    let file = |ending| beside(&output, ending);
    std::fs::write(file("labels.jsonl"), lines(&labels)?)?;
    std::fs::write(file("calendar.json"), site.calendar_json())?;
    std::fs::write(file("allow.toml"), surroundings::allow_list())?;
    let feed = (!indicators.is_empty()).then(|| file("indicators.txt"));
    if let Some(feed) = &feed {
        std::fs::write(feed, indicators.join("\n") + "\n")?;
    }
    let files = Files {
        allow: &file("allow.toml"),
        calendar: &file("calendar.json"),
        alerts: &file("alerts.jsonl"),
        indicators: feed.as_deref(),
    };
    std::fs::write(file("toml"), surroundings::configuration(&site, files))?;
    Ok(())
}

fn lines(labels: &[Label]) -> Result<String, serde_json::Error> {
    labels.iter().map(|label| serde_json::to_string(label).map(|line| line + "\n")).collect()
}

fn compare(args: &EvaluateArgs) -> Done {
    let runs = args.labels.len();
    for (name, files) in
        [("alerts", &args.alerts), ("archive", &args.archive), ("scores", &args.scores)]
    {
        if !files.is_empty() && files.len() != runs {
            return Err(format!("{runs} runs have labels and {} have {name}", files.len()).into());
        }
    }
    let mut reports = Vec::with_capacity(runs);
    for (at, labels) in args.labels.iter().enumerate() {
        let name = labels.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".labels.jsonl").unwrap_or(&name).to_owned();
        reports.push((name, run(args, at)?));
    }
    let mut out = io::stdout().lock();
    out.write_all(table(&reports).as_bytes())?;
    for (name, report) in reports.iter().filter(|_| args.remarks) {
        for remark in &report.remarks {
            writeln!(out, "{name}: {remark}")?;
        }
    }
    Ok(())
}

/// Judges one run.
fn run(args: &EvaluateArgs, at: usize) -> Result<Report, Box<dyn std::error::Error>> {
    let labels = label::read(&args.labels[at])?;
    let alerts = alerts::read(&args.alerts[at])?;
    let pairs = args.archive.get(at).map(|path| Pairs::read(path)).transpose()?;
    let scores = args.scores.get(at).map(|path| alerts::read(path)).transpose()?;
    let hosts = args.hosts.map(f64::from).or_else(|| pairs.as_ref().map(Pairs::host_count));
    let days = label::days(&labels);
    let mut report = evaluate::judge(&labels, &alerts, hosts.unwrap_or_default() * days);
    if let Some(pairs) = pairs {
        let scores = scores.map(|alerts| beacons::scores(&alerts));
        beacons::compare(&mut report, &labels, &pairs, scores.as_ref());
    }
    Ok(report)
}

/// A file of the capture's name with another ending.
fn beside(capture: &Path, ending: &str) -> PathBuf {
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".zst").unwrap_or(&name);
    let stem = stem.strip_suffix(".pcap").unwrap_or(stem);
    capture.with_file_name(format!("{stem}.{ending}"))
}
