//! `serval replay`: captures in; archive, JSON lines and a summary out.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::alerts::Delivery;
use crate::archive::{self, Archive, Writing};
use crate::capture::{
    Batch, CaptureError, CaptureFiles, Fill, Filter, Filtered, Problem, Source, Tally,
};
use crate::carve::carve;
use crate::cli::ReplayArgs;
use crate::clock::{self, Stopwatch};
use crate::config::Config;
use crate::decode::SkipReason;
use crate::flow::uid::UidMaker;
use crate::intel::Outcome;
use crate::pipeline::{self, RunCounts, RunSettings};
use crate::progress::Meter;
use crate::rows::OnFailure;
use crate::rows::stream::RowStream;
use crate::stats::Counts;
use crate::summary::Summary;
use crate::watch::knowledge::Knowledge;
use crate::watch::{Sinks, Watch};

/// Exit status when some input was damaged; clap and errors use 1.
pub(crate) const SOME_INPUT_DAMAGED: u8 = 2;

/// Problems that are printed one by one; more are counted.
const PROBLEMS_PRINTED: usize = 50;

/// How long the end of a run waits for sinks that are down or slow.
const SINK_PATIENCE: Duration = Duration::from_secs(10);

/// Why a replay could not do what it was told.
pub type ReplayError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command.
///
/// # Errors
/// Nothing could be read, or the output could not be written; the text says what to do.
pub fn replay(args: &ReplayArgs) -> Result<ExitCode, ReplayError> {
    if let Some(output) = &args.output {
        return carve(args, output);
    }
    let config = Config::load(args.config.as_deref())?;
    let stopwatch = Stopwatch::start();
    let files = CaptureFiles::open(&args.paths)?;
    let meter = Meter::new(files.progress());
    let mut source: Box<dyn Source> = match &args.filter {
        Some(expression) => Box::new(Filtered::new(files, Filter::new(expression)?)),
        None => Box::new(files),
    };
    let workers = args.workers.or(available_parallelism().ok()).map_or(1, Into::into);
    let knowledge = load_knowledge(&config)?;
    let sinks = Sinks {
        archive: open_archive(args, &config, workers)?,
        json: open_json(args.json.as_deref(), OnFailure::Answer)?,
        alerts: open_alerts(&config, None)?,
    };
    let mut watch = Watch::new(workers, &config, knowledge, sinks);
    if let Some(baseline) = &config.watch.baseline {
        watch.remember(baseline)?;
    }
    let settings = RunSettings {
        flow: config.flow_settings(),
        uids: UidMaker::new(&config.sensor.name),
        workers,
        board: Arc::default(),
    };
    let mut reading = Reading::new(source.as_mut(), meter);
    let ran = pipeline::run(&mut reading, &mut watch, &settings);
    let problems = reading.end();
    let tally = source.tally();
    let counts = ran?;
    let unread = counts.packets.skipped.count(SkipReason::UnknownLinkType);
    if unread > 0 {
        say(&format!(
            "serval: {unread} packets have a link type that Serval does not read; they were \
             skipped. `capinfos -E FILE` names it, and `editcap -T ether` can relabel a capture \
             whose type was written wrongly\n"
        ));
    }
    write_stats(&mut watch, &counts, tally)?;
    let (overview, sinks) = watch.into_parts();
    let (archived, told) = close(sinks)?;
    let summary = Summary {
        counts: &counts,
        tally: &tally,
        overview: &overview,
        archived: archived.as_ref(),
        took: stopwatch.elapsed(),
    };
    say(&summary.to_string());
    let all_read = problems == 0 && unread == 0;
    Ok(if all_read && told == AlertsTold::All {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_INPUT_DAMAGED)
    })
}

/// Reads feeds, allow-lists and databases; what feeds refuse is told and stops nothing.
///
/// # Errors
/// An allow-list, a database or the schedule is broken.
pub(crate) fn load_knowledge(config: &Config) -> Result<Knowledge, ReplayError> {
    let (knowledge, report) = Knowledge::load(config, clock::now())?;
    for feed in &report.feeds {
        if let Outcome::Missing(reason) | Outcome::Kept(reason) = &feed.outcome {
            say(&format!(
                "serval: the feed {} is not in use: {}: {reason}; once that is mended, a running \
                 sensor finds it by itself\n",
                feed.name, feed.place
            ));
        }
        if feed.tally.refused > 0 {
            let first = feed.tally.refusals.first();
            let first = first.map(|refusal| format!("; the first: {refusal}")).unwrap_or_default();
            say(&format!(
                "serval: {} entries of the feed {} were refused{first}. `serval intel check {}` \
                 tells each\n",
                feed.tally.refused, feed.name, feed.place
            ));
        }
    }
    Ok(knowledge)
}

fn open_archive(
    args: &ReplayArgs,
    config: &Config,
    workers: usize,
) -> Result<Option<Archive>, ReplayError> {
    let Some(directory) = args.archive.as_ref().or(config.archive.path.as_ref()) else {
        return Ok(None);
    };
    let options = archive::Options {
        sensor: config.sensor.name.clone(),
        buffer_bytes: usize::try_from(config.memory.budget.0 / 8).unwrap_or(usize::MAX),
        writing: if workers > 1 { Writing::Beside } else { Writing::Here },
        writers: workers,
        // Nobody reads the archive of a replay before its end, so rows wait for larger files.
        wait: Duration::from_secs(3_600),
        ..archive::Options::default()
    };
    let archive = Archive::open(directory, options)?;
    let recovered = archive.recovered();
    if !recovered.is_nothing() {
        say(&format!("serval: the archive: {recovered}\n"));
    }
    Ok(Some(archive))
}

/// A stream of JSON lines to a file, or for `-` to standard output.
///
/// # Errors
/// The file cannot be made.
pub(crate) fn open_json(
    path: Option<&Path>,
    on_failure: OnFailure,
) -> Result<Option<RowStream>, ReplayError> {
    let Some(path) = path else { return Ok(None) };
    let opened = RowStream::open(path, on_failure);
    Ok(Some(opened.map_err(|error| format!("cannot write {}: {error}", path.display()))?))
}

fn write_stats(watch: &mut Watch, counts: &RunCounts, tally: Tally) -> Result<(), ReplayError> {
    let Some(clock) = counts.clock else { return Ok(()) };
    let counts = Counts { packets: counts.packets.clone(), tally, flows: counts.flows };
    let gap_percent = watch.overview().gap_percent();
    let record = counts.row_since(&Counts::default(), gap_percent);
    watch.write(clock, Box::new(record))
}

/// Whether every alert sink got every alert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlertsTold {
    /// They did.
    All,
    /// They did not; it was said which.
    Some,
}

/// Starts the sinks of alerts; they wait in `state`, or in memory where there is none.
///
/// # Errors
/// A sink can never work as it is configured.
pub(crate) fn open_alerts(
    config: &Config,
    state: Option<&Path>,
) -> Result<Option<Delivery>, ReplayError> {
    if config.alerts.sinks.is_empty() {
        return Ok(None);
    }
    Ok(Some(Delivery::open(&config.alerts, state)?))
}

/// Writes what waits in the sinks.
///
/// # Errors
/// Rows could not be written.
pub(crate) fn close(sinks: Sinks) -> Result<(Option<archive::Summary>, AlertsTold), ReplayError> {
    let archived = close_rows(sinks.archive, sinks.json)?;
    let Some(delivery) = sinks.alerts else { return Ok((archived, AlertsTold::All)) };
    let delivered = delivery.close(SINK_PATIENCE);
    if delivered.is_complete() {
        return Ok((archived, AlertsTold::All));
    }
    say(&format!("serval: not every alert was delivered: {delivered}"));
    Ok((archived, AlertsTold::Some))
}

fn close_rows(
    archive: Option<Archive>,
    json: Option<RowStream>,
) -> Result<Option<archive::Summary>, ReplayError> {
    let streamed = json.map_or(Ok(()), RowStream::finish);
    let archived = archive.map(Archive::finish).transpose()?;
    streamed.map_err(|error| format!("cannot write the JSON stream: {error}"))?;
    Ok(archived)
}

/// A source that tells its problems as they come and moves the progress bar.
pub(crate) struct Reading<'a> {
    source: &'a mut dyn Source,
    meter: Meter,
    problems: usize,
}

impl<'a> Reading<'a> {
    /// A source that is about to be read.
    pub(crate) fn new(source: &'a mut dyn Source, meter: Meter) -> Self {
        Self { source, meter, problems: 0 }
    }

    fn tell_problems(&mut self) {
        for problem in self.source.problems() {
            self.problems += 1;
            if self.problems <= PROBLEMS_PRINTED {
                self.meter.suspend(|| say(&format!("serval: {problem}\n")));
            }
        }
    }

    /// Ends the bar; the number of problems.
    pub(crate) fn end(mut self) -> usize {
        self.tell_problems();
        self.meter.finish();
        if let Some(more) = self.problems.checked_sub(PROBLEMS_PRINTED).filter(|&more| more > 0) {
            say(&format!("serval: {more} more problems of input are not shown\n"));
        }
        self.problems
    }
}

impl Source for Reading<'_> {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        let filled = self.source.fill(batch);
        self.meter.note(batch);
        self.tell_problems();
        filled
    }

    fn tally(&self) -> Tally {
        self.source.tally()
    }

    fn problems(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
