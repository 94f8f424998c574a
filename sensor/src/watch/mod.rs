//! The second stage: everything that sees all workers' events in one order.
//!
//! In: events, merged behind a watermark. Out: rows to the archive and to the JSON stream, and the
//! overview that the summary prints. What happens here is the same for any number of workers.

pub mod merge;
pub mod overview;
pub mod schedule;

use std::io::{self, Write};

use analyzers::record::Header;
use analyzers::{Record, Text, Timestamp};

use crate::archive::Archive;
use crate::event::{Event, EventKind};
use crate::pipeline::{Stage, StageError};
use crate::rows::StampedRow;
use crate::rows::json::JsonLines;
use merge::Merge;
use overview::Overview;

/// Where rows go.
#[derive(Default)]
pub struct Sinks {
    /// The archive, if one is written.
    pub archive: Option<Archive>,
    /// A stream of JSON lines, if one is wanted.
    pub json: Option<JsonLines<Box<dyn Write + Send>>>,
}

/// The second stage.
pub struct Watch {
    merge: Merge,
    sensor: Text,
    sinks: Sinks,
    overview: Overview,
}

impl Watch {
    /// For that many workers of the sensor of that name.
    #[must_use]
    pub fn new(workers: usize, sensor: &str, sinks: Sinks) -> Self {
        Self {
            merge: Merge::new(workers),
            sensor: Text::from(sensor.to_owned()),
            sinks,
            overview: Overview::default(),
        }
    }

    /// What the events said, for people.
    #[must_use]
    pub const fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Writes a row that belongs to no flow.
    ///
    /// # Errors
    /// A sink cannot take it.
    pub fn write(&mut self, ts: Timestamp, record: Box<dyn Record>) -> Result<(), StageError> {
        let header = Header {
            ts,
            uid: None,
            src_ip: None,
            src_port: None,
            dst_ip: None,
            dst_port: None,
            proto: None,
            sensor: self.sensor.clone(),
        };
        self.put(StampedRow { header, record })
    }

    /// The overview, and the sinks to be closed.
    #[must_use]
    pub fn into_parts(self) -> (Overview, Sinks) {
        (self.overview, self.sinks)
    }

    fn take(&mut self, event: Event) -> Result<(), StageError> {
        let (ts, record): (Timestamp, Box<dyn Record>) = match event.kind {
            EventKind::Opened { .. } | EventKind::Active { .. } | EventKind::Odd { .. } => {
                return Ok(());
            }
            EventKind::Record { ts, record } => (ts, record),
            EventKind::Weird { ts, record } => (ts, Box::new(record)),
            EventKind::FlowRow { ts, record } => {
                self.overview.note_flow(&event.flow, &record);
                (ts, record)
            }
        };
        let header = Header {
            ts,
            uid: Some(event.flow.uid),
            src_ip: Some(event.flow.src.ip),
            src_port: Some(event.flow.src.port),
            dst_ip: Some(event.flow.dst.ip),
            dst_port: Some(event.flow.dst.port),
            proto: Some(event.flow.transport),
            sensor: self.sensor.clone(),
        };
        self.put(StampedRow { header, record })
    }

    fn put(&mut self, row: StampedRow) -> Result<(), StageError> {
        self.overview.note_row(row.record.table().name);
        if let Some(out) = &mut self.sinks.json
            && let Err(error) = out.write(&row)
        {
            if error.kind() != io::ErrorKind::BrokenPipe {
                return Err(format!("cannot write the JSON stream: {error}").into());
            }
            // The reader has seen enough; the archive and the summary go on.
            self.sinks.json = None;
        }
        if let Some(archive) = &mut self.sinks.archive {
            archive.write(&row)?;
        }
        Ok(())
    }
}

impl Stage for Watch {
    fn events(
        &mut self,
        worker: usize,
        events: Vec<Event>,
        watermark: Timestamp,
    ) -> Result<(), StageError> {
        let before = self.merge.low_watermark();
        self.merge.push(worker, events, watermark);
        let low = self.merge.low_watermark();
        if low == before {
            return Ok(());
        }
        for event in self.merge.complete() {
            self.take(event)?;
        }
        if low < Timestamp::MAX
            && let Some(archive) = &mut self.sinks.archive
        {
            archive.advance(low)?;
        }
        Ok(())
    }
}
