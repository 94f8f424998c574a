//! `serval watch`: interfaces in; archive, JSON lines and rows about the sensor itself out, until
//! it is told to stop.
//!
//! The data path is that of a replay. What is added here lives beside it: signals, answers to
//! questions from the loopback address, the rows that tell every interval what was received and
//! lost, what is said to the operator.

mod beside;
mod config;
mod metrics;
#[cfg(target_os = "linux")]
mod needs;
mod report;
mod retention;
mod serve;
mod status;
#[cfg(target_os = "linux")]
pub mod trial;
mod view;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use crate::archive::{self, Archive, Writing};
use crate::capture::{
    Batch, CaptureError, Fill, InterfaceSettings, Interfaces, Pressure, Problem, ProblemKind,
    Source, Stop, Tally,
};
use crate::cli::WatchArgs;
use crate::config::Config;
use crate::flow::uid::UidMaker;
use crate::memory::held_bytes;
use crate::pipeline::{self, RunSettings};
#[cfg(target_os = "linux")]
use crate::privileges::{self, Confinement};
use crate::replay::{ReplayError, close, load_knowledge, open_alerts, open_json};
use crate::rows::OnFailure;
use crate::stats::{Board, Link};
use crate::watch::{AlertRows, Sinks, Watch};
pub use config::{CaptureConfig, LogConfig, MetricsConfig, PrivilegesConfig, StatsConfig};
use report::Reporter;
pub use status::{Status, status};

/// Runs the command.
///
/// # Errors
/// An interface cannot be heard, or the output cannot be written; the text says what to do.
pub fn watch(args: &WatchArgs) -> Result<ExitCode, ReplayError> {
    let mut config = Config::load(args.config.as_deref())?;
    if !args.interfaces.is_empty() {
        config.capture.interfaces.clone_from(&args.interfaces);
    }
    if !args.listen.is_empty() {
        config.capture.listen.clone_from(&args.listen);
    }
    if args.archive.is_some() {
        config.archive.path.clone_from(&args.archive);
    }
    if args.filter.is_some() {
        config.capture.filter.clone_from(&args.filter);
    }
    let view = view::View::new(&config.log);
    view.start_log(&config.log)?;
    let stop = Stop::default();
    let settings = interface_settings(&config);
    let interfaces = Interfaces::open(&config.capture.interfaces, &settings, stop.clone())?;
    let board = Arc::<Board>::default();
    let stopping = stop.clone();
    let beside = beside::prepare(&config, args.config.as_deref(), stop, Arc::clone(&board), view)?;
    let json = open_json(args.json.as_deref(), OnFailure::Endure)?;
    give_up_privileges(&config, args.config.as_deref())?;
    // From here on threads may start, and files are made by whom the sensor has become.
    let knowledge = load_knowledge(&config)?;
    beside.start()?;
    retention::start(&config, stopping)?;
    let alerts = open_alerts(&config, Some(&config.sensor.state))?;
    let sinks = Sinks { archive: open_archive(&config)?, json, alerts };
    let workers = args.workers.map_or_else(default_workers, Into::into);
    let settings = RunSettings {
        flow: config.flow_settings(),
        uids: UidMaker::new(&config.sensor.name),
        workers,
        board: Arc::clone(&board),
    };
    tracing::info!(interfaces = config.capture.interfaces.join(","), workers, "watching");
    let mut source = Telling { interfaces, board: Arc::clone(&board) };
    let baseline = config.baseline();
    let watch = Watch::new(workers, &config, knowledge, sinks)
        .with_alert_rows(AlertRows::AsTold)
        .keeping(baseline);
    let mut reporter = Reporter::new(watch, board, &config.stats);
    let ran = pipeline::run_threaded(&mut source, &mut reporter, &settings);
    let counts = ran?;
    let watch = reporter.finish(&counts, source.tally())?;
    close(watch.into_parts().1)?;
    Ok(ExitCode::SUCCESS)
}

/// From here on the sensor can do what its work needs, and nothing else.
#[cfg(target_os = "linux")]
fn give_up_privileges(config: &Config, file: Option<&Path>) -> Result<(), ReplayError> {
    // Read for as long as the sensor runs, from a file that is opened now.
    let _ = held_bytes();
    let given = privileges::give_up(&config.privileges, &needs::needs(config, file))?;
    if given.user.is_root() {
        tracing::warn!(
            "this is still root, though without capabilities: name a `user` below `[privileges]`"
        );
    }
    for (what, confinement) in [("paths", given.paths), ("system calls", given.calls)] {
        if confinement == Confinement::Missing {
            tracing::warn!("{what} are not confined: switched off, or the kernel cannot");
        }
    }
    Ok(())
}

/// Only Linux has what this needs.
#[cfg(not(target_os = "linux"))]
fn give_up_privileges(_: &Config, _: Option<&Path>) -> Result<(), ReplayError> {
    tracing::warn!("privileges are kept: giving them up is known for Linux only");
    Ok(())
}

/// One worker for each core but the one that reads.
fn default_workers() -> usize {
    available_parallelism().map_or(1, |cores| usize::from(cores).saturating_sub(1).max(1))
}

fn interface_settings(config: &Config) -> InterfaceSettings {
    let capture = &config.capture;
    InterfaceSettings {
        ring_bytes: capture.ring.map_or(config.memory.budget.0 / RING_SHARE, |size| size.0),
        filter: capture.filter.clone(),
        promiscuity: capture.promiscuous.into(),
        method: capture.method.into(),
        mirrors: capture.listen.clone(),
    }
}

/// Share of the memory budget that the ring of an interface takes unless it is said: a fraction of
/// a second of a full line, which is as long as the sensor may have to wait for a core.
const RING_SHARE: u64 = 8;

fn open_archive(config: &Config) -> Result<Option<Archive>, ReplayError> {
    let Some(directory) = &config.archive.path else { return Ok(None) };
    let options = archive::Options {
        sensor: config.sensor.name.clone(),
        // As much again may wait for the disk.
        buffer_bytes: usize::try_from(config.memory.budget.0 / 16).unwrap_or(usize::MAX),
        writing: Writing::Beside,
        on_failure: OnFailure::Endure,
        ..archive::Options::default()
    };
    let archive = Archive::open(directory, options)?;
    let recovered = archive.recovered();
    if !recovered.is_nothing() {
        tracing::warn!("the archive: {recovered}");
    }
    Ok(Some(archive))
}

/// A source that tells its problems as they come.
struct Telling {
    interfaces: Interfaces,
    board: Arc<Board>,
}

impl Source for Telling {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        let filled = self.interfaces.fill(batch);
        for problem in self.interfaces.problems() {
            tracing::warn!("{problem}");
            let link = match problem.what {
                ProblemKind::InterfaceLost { .. } => Link::Lost,
                ProblemKind::InterfaceBack => Link::Heard,
                _ => continue,
            };
            self.board.post_interface(&problem.path.to_string_lossy(), link);
        }
        filled
    }

    fn tally(&self) -> Tally {
        self.interfaces.tally()
    }

    fn pressure(&self) -> Pressure {
        self.interfaces.pressure()
    }

    fn problems(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}
