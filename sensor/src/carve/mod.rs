//! `serval replay --carve`: captures in; the packets of named flows out, as a capture.
//!
//! In: uids and Community IDs, as rows and alerts carry them; captures. Out: a pcap with the
//! packets of those flows as they were captured, in both directions, IP fragments and the headers
//! of tunnels included. Flows are followed as every replay follows them, so that a uid that a
//! replay wrote finds its flow again in the same captures.
//!
//! **Invariant:** a capture under its final name is whole; what was there before is not touched.

mod pcap;
mod waiting;
mod wanted;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use analyzers::{FlowId, Timestamp, Uid};

use crate::capture::{CaptureFiles, Filter, Filtered, Source};
use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::flow::uid::UidMaker;
use crate::pipeline::{self, RunSettings, StageError, Traced, Tracer};
use crate::progress::Meter;
use crate::replay::{Reading, ReplayError, SOME_INPUT_DAMAGED, say};
use pcap::{Evidence, Written};
use waiting::Waiting;
use wanted::Wanted;

/// Flows that are told one by one; more are counted.
const FLOWS_PRINTED: usize = 50;

/// Cuts the packets of the flows that `args` names out of its captures.
///
/// # Errors
/// A name is none, nothing could be read, or the capture could not be written; the text says what
/// to do.
pub fn carve(args: &ReplayArgs, output: &Path) -> Result<ExitCode, ReplayError> {
    let config = Config::load(args.config.as_deref())?;
    let mut carver = Carver {
        wanted: Wanted::parse(&args.carve)?,
        waiting: Waiting::default(),
        evidence: Evidence::open(output)?,
    };
    let files = CaptureFiles::open(&args.paths)?;
    let meter = Meter::new(files.progress());
    let mut source: Box<dyn Source> = match &args.filter {
        Some(expression) => Box::new(Filtered::new(files, Filter::new(expression)?)),
        None => Box::new(files),
    };
    let settings = RunSettings {
        flow: config.flow_settings(),
        uids: UidMaker::new(&config.sensor.name),
        workers: 1,
        board: Arc::default(),
    };
    let mut reading = Reading::new(source.as_mut(), meter);
    let ran = pipeline::trace(&mut reading, &mut carver, &settings);
    let problems = reading.end();
    ran?;
    let (wanted, written, lost) = carver.finish()?;
    say(&account(&wanted, &written, lost));
    Ok(match (wanted.missing().next(), problems + written.misplaced) {
        _ if written.packets == 0 => ExitCode::FAILURE,
        (None, 0) => ExitCode::SUCCESS,
        _ => ExitCode::from(SOME_INPUT_DAMAGED),
    })
}

/// Picks the frames of wanted flows.
struct Carver {
    wanted: Wanted,
    waiting: Waiting,
    evidence: Evidence,
}

impl Carver {
    /// Writes what is left; answers what was wanted, what was written, and how many fragments could
    /// not be kept for their flow.
    fn finish(mut self) -> Result<(Wanted, Written, u64), StageError> {
        self.waiting.end(&mut self.evidence)?;
        let lost = self.waiting.lost();
        Ok((self.wanted, self.evidence.finish()?, lost))
    }
}

impl Tracer for Carver {
    fn opened(&mut self, flow: &FlowId) {
        self.wanted.opened(flow);
    }

    fn packet(&mut self, frame: Traced<'_>, flow: Uid, with: &[u64]) -> Result<(), StageError> {
        match self.wanted.flow(flow) {
            Some(found) => {
                let others = self.waiting.release(with);
                found.note(frame.raw.time, others + 1);
                self.waiting.pass(frame, &mut self.evidence)
            }
            None => {
                self.waiting.forget(with);
                Ok(())
            }
        }
    }

    fn held(&mut self, frame: Traced<'_>) {
        self.waiting.hold(frame);
    }

    fn advance(&mut self, clock: Timestamp) -> Result<(), StageError> {
        self.waiting.advance(clock, &mut self.evidence)
    }
}

/// What was done, for people.
fn account(wanted: &Wanted, written: &Written, lost: u64) -> String {
    let mut text = String::new();
    let flows = wanted.found();
    // Writing to a String cannot fail.
    for flow in flows.iter().take(FLOWS_PRINTED) {
        let _ = writeln!(text, "{flow}");
    }
    if let Some(more) = flows.len().checked_sub(FLOWS_PRINTED).filter(|&more| more > 0) {
        let _ = writeln!(text, "and {more} more flows");
    }
    for file in &written.files {
        let (packets, link, path) = (file.packets, file.link.0, file.path.display());
        let _ = writeln!(text, "serval: {packets} packets of link type {link} are in {path}");
    }
    let _ =
        writeln!(text, "serval: {} packets of {} flows were cut out", written.packets, flows.len());
    if written.misplaced > 0 {
        let _ = writeln!(
            text,
            "serval: {} more have another link type, for which a stream has no room; write to a \
             file instead of `-`",
            written.misplaced
        );
    }
    if written.timeless > 0 {
        let _ = writeln!(
            text,
            "serval: {} of them have a time that pcap cannot say, outside 1970 to 2106; there it \
             is 0",
            written.timeless
        );
    }
    if lost > 0 {
        let _ = writeln!(
            text,
            "serval: {lost} fragments could not be kept until their datagram was whole, and may \
             be missing"
        );
    }
    let mut missing = wanted.missing().peekable();
    if missing.peek().is_some() {
        let names: Vec<&str> = missing.collect();
        let _ = writeln!(
            text,
            "serval: not found: {}. A uid is made of its flow's first packet and the sensor's \
             name: give the sensor's configuration (--config) and captures from the flow's \
             beginning on; a Community ID needs neither",
            names.join(", ")
        );
    }
    text
}
