//! Replays inside the test: captures or packets in, rows as JSON lines and counts out.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sensor::capture::{
    Batch, CaptureError, CaptureFiles, Fill, LinkType, Problem, RawPacket, Source, Tally,
};
use sensor::config::Config;
use sensor::flow::uid::UidMaker;
use sensor::pipeline::{self, RunCounts, RunSettings, Stage};
use sensor::rows::OnFailure;
use sensor::rows::stream::RowStream;
use sensor::watch::knowledge::Knowledge;
use sensor::watch::{Sinks, Watch};
use serde_json::{Map, Value};

use analyzers::Timestamp;

/// What a replay gave.
pub(crate) struct Replay {
    /// Its rows as they were written, in order.
    pub(crate) lines: Vec<String>,
    /// What it counted.
    pub(crate) counts: RunCounts,
}

/// One row: column to value.
pub(crate) type Row = Map<String, Value>;

impl Replay {
    /// The rows, parsed.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.lines.iter().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }

    /// The rows of one table.
    pub(crate) fn table(&self, name: &str) -> Vec<Row> {
        self.rows().into_iter().filter(|row| row["table"] == name).collect()
    }
}

/// A row as a line of JSON without some of its columns.
pub(crate) fn without(row: &Row, columns: &[&str]) -> String {
    let mut row = row.clone();
    row.retain(|column, _| !columns.contains(&column.as_str()));
    Value::Object(row).to_string()
}

/// Replays capture files.
pub(crate) fn files(paths: &[PathBuf], config: &Config, workers: usize) -> Replay {
    let mut source = CaptureFiles::open(paths).unwrap_or_else(|error| panic!("{error}"));
    let replay = run(&mut source, config, workers);
    assert_eq!(source.problems(), [], "{paths:?} can be read");
    replay
}

/// Replays one recorded capture with one worker and no configuration.
pub(crate) fn capture(path: &str) -> Replay {
    files(&[crate::captures::file(path)], &Config::default(), 1)
}

/// Replays any source.
pub(crate) fn run(source: &mut dyn Source, config: &Config, workers: usize) -> Replay {
    let out = SharedBytes::default();
    let json = RowStream::new(Box::new(out.clone()), OnFailure::Answer);
    let (knowledge, _) =
        Knowledge::load(config, Timestamp::MIN).unwrap_or_else(|error| panic!("{error}"));
    let sinks = Sinks { json: Some(json), ..Sinks::default() };
    let mut watch = Watch::new(workers, config, knowledge, sinks);
    let counts = run_stage(source, &mut watch, config, workers);
    let streamed = watch.into_parts().1.json.map(RowStream::finish);
    assert!(matches!(streamed, Some(Ok(()))), "memory takes every row");
    let bytes = std::mem::take(&mut *out.0.lock().expect("no writer panicked"));
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    Replay { lines: text.lines().map(str::to_owned).collect(), counts }
}

/// Runs a source into a second stage of the test's own.
pub(crate) fn run_stage(
    source: &mut dyn Source,
    stage: &mut dyn Stage,
    config: &Config,
    workers: usize,
) -> RunCounts {
    let uids = UidMaker::new(&config.sensor.name);
    let settings =
        RunSettings { flow: config.flow_settings(), uids, workers, board: Arc::default() };
    pipeline::run(source, stage, &settings).unwrap_or_else(|error| panic!("{error}"))
}

/// Bytes that a sink writes and the test reads afterwards.
#[derive(Clone, Default)]
struct SharedBytes(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no reader panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A frame with its capture time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// When it was captured.
    pub(crate) time: Timestamp,
    /// Type of its outermost header.
    pub(crate) link: LinkType,
    /// What the capture holds of it.
    pub(crate) bytes: Vec<u8>,
    /// What was on the wire.
    pub(crate) wire_bytes: u32,
}

/// All frames of a recorded capture.
pub(crate) fn frames(path: &str) -> Vec<Frame> {
    frames_of(crate::captures::file(path))
}

/// All frames of a file.
pub(crate) fn frames_of(path: PathBuf) -> Vec<Frame> {
    let mut source = CaptureFiles::open(&[path]).expect("a capture");
    let mut batch = Batch::default();
    let mut frames = Vec::new();
    while source.fill(&mut batch).expect("a capture that can be read") == Fill::Packets {
        frames.extend(batch.packets.iter().map(|packet| Frame {
            time: packet.time,
            link: packet.link,
            bytes: packet.bytes(&batch.block).to_vec(),
            wire_bytes: packet.wire_bytes,
        }));
    }
    frames
}

/// Frames in memory as a source.
pub(crate) struct Frames {
    frames: std::vec::IntoIter<Frame>,
    packets: u64,
}

/// Frames of one batch: several, so that the seams between batches are crossed.
const BATCH_FRAMES: usize = 1_000;

impl Frames {
    /// Those frames, in that order.
    pub(crate) fn new(frames: Vec<Frame>) -> Self {
        Self { packets: frames.len() as u64, frames: frames.into_iter() }
    }

    /// Replays them with one worker and no configuration.
    pub(crate) fn replay(frames: Vec<Frame>) -> Replay {
        run(&mut Self::new(frames), &Config::default(), 1)
    }
}

impl Source for Frames {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        let mut block = Vec::new();
        batch.packets.clear();
        for frame in self.frames.by_ref().take(BATCH_FRAMES) {
            batch.packets.push(RawPacket {
                time: frame.time,
                offset: u32::try_from(block.len()).expect("a batch of less than 4 GiB"),
                captured_bytes: u32::try_from(frame.bytes.len()).expect("a frame of less"),
                wire_bytes: frame.wire_bytes,
                link: frame.link,
            });
            block.extend_from_slice(&frame.bytes);
        }
        batch.block = Arc::new(block);
        Ok(if batch.packets.is_empty() { Fill::End } else { Fill::Packets })
    }

    fn tally(&self) -> Tally {
        Tally { packets: self.packets, ..Tally::default() }
    }

    fn problems(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}
