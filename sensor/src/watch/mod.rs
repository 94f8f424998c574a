//! The second stage: everything that sees all workers' events in one order.
//!
//! In: events, merged behind a watermark. Out: rows to the archive and to the JSON stream, alerts,
//! and the overview that the summary prints. What happens here is the same for any number of
//! workers. An event passes, in this order: enrichment, indicators, detectors, incidents, alerts,
//! rows.

pub mod alerting;
pub mod detect;
pub mod incident;
pub mod intel;
pub mod judge;
pub mod knowledge;
pub mod merge;
pub mod observe;
pub mod overview;
pub mod schedule;
pub mod standing;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use analyzers::record::Header;
use analyzers::{Findings, FlowId, Heading, Record, Scene, Text, Timestamp, What};

use crate::alerts::{self, Delivery};
use crate::archive::{Archive, Gap};
use crate::baseline::{Baselines, Kept};
use crate::config::Config;
use crate::enrich::Enrich;
use crate::event::{Event, EventKind};
use crate::pipeline::{Stage, StageError};
use crate::rows::StampedRow;
use crate::rows::stream::RowStream;
use crate::state;
use alerting::{Alerting, Notice, Outcome};
use detect::Detection;
use incident::{Incident, Incidents};
use intel::IntelWatch;
use judge::Telling;
use knowledge::Knowledge;
use merge::Merge;
use overview::Overview;
use standing::Latest;

/// Where rows go.
#[derive(Default)]
pub struct Sinks {
    /// The archive, if one is written.
    pub archive: Option<Archive>,
    /// A stream of JSON lines, if one is wanted.
    pub json: Option<RowStream>,
    /// Where alerts are told, if anywhere.
    pub alerts: Option<Delivery>,
}

/// When an alert becomes a row of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertRows {
    /// Once, as it ended: nobody reads the archive of a replay before its end.
    AtEnd,
    /// At every notice, and as it ended: a hunter's SQL should know what the SOC knows.
    AsTold,
}

/// The second stage.
pub struct Watch {
    merge: Merge,
    sensor: Text,
    sinks: Sinks,
    overview: Overview,
    scene: Scene,
    enrich: Enrich,
    intel: Option<IntelWatch>,
    detection: Detection,
    incidents: Incidents,
    alerting: Alerting,
    alert_rows: AlertRows,
    latest: Latest,
    findings: Findings,
    /// Packet time of the latest event.
    now: Timestamp,
    /// Where what was learned is kept.
    kept: Option<Kept>,
}

impl Watch {
    /// For that many workers.
    #[must_use]
    pub fn new(workers: usize, config: &Config, knowledge: Knowledge, sinks: Sinks) -> Self {
        Self {
            merge: Merge::new(workers),
            sensor: Text::from(config.sensor.name.clone()),
            sinks,
            overview: Overview::default(),
            scene: knowledge.scene,
            enrich: Enrich::new(knowledge.geo),
            intel: knowledge.intel.map(IntelWatch::new),
            detection: Detection::new(&config.detect, &config.watch),
            incidents: Incidents::default(),
            alerting: Alerting::new(&config.watch, &config.sensor.name),
            alert_rows: AlertRows::AtEnd,
            latest: Latest::default(),
            findings: Findings::default(),
            now: Timestamp::MIN,
            kept: None,
        }
    }

    /// Gives detectors back what they learned.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn remember(&mut self, path: &Path) -> Result<(), StageError> {
        for (name, memory) in Baselines::load(path)?.0 {
            self.detection
                .remember(&name, &memory)
                .map_err(|error| format!("{}: {name}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// Gives detectors back what they learned and a file kept, and keeps it there from now on. A
    /// file that holds something else is set aside.
    #[must_use]
    pub fn keeping(mut self, path: PathBuf) -> Self {
        if let Err(error) = self.remember(&path) {
            state::set_aside(&path, &error.to_string());
        }
        self.kept = Some(Kept::at(path));
        self
    }

    /// What detectors learned so far.
    fn learned(&self) -> Baselines {
        let memories = self.detection.memories();
        Baselines(memories.map(|(name, memory)| (name.to_owned(), memory)).collect())
    }

    /// Writes what detectors learned, once an hour of packet time.
    fn keep_hourly(&mut self, now: Timestamp) {
        if self.kept.as_mut().is_some_and(|kept| kept.is_due(now))
            && let Some(mut kept) = self.kept.take()
        {
            kept.write(self.learned());
            self.kept = Some(kept);
        }
    }

    /// Writes it a last time.
    fn keep_last(&mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.finish();
            kept.write(self.learned());
            kept.finish();
        }
    }

    /// Makes alerts rows as they are told, not only as they ended.
    #[must_use]
    pub const fn with_alert_rows(mut self, rows: AlertRows) -> Self {
        self.alert_rows = rows;
        self
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

    /// One event on its way through the rooms.
    fn take(&mut self, event: Event) -> Result<(), StageError> {
        self.advance(event.time)?;
        let Event { time, flow, mut kind, .. } = event;
        let heading = self.scene.home.heading(&flow);
        if let EventKind::FlowRow { record, .. } = &mut kind {
            self.enrich.fill(&flow, heading, record);
        }
        if let Some((ts, what)) = told(&kind) {
            self.watch(time, ts, &flow, heading, what);
        }
        self.settle(time)?;
        self.write_event(&flow, kind)
    }

    /// Tells those who watch.
    fn watch(
        &mut self,
        time: Timestamp,
        ts: Timestamp,
        flow: &FlowId,
        heading: Heading,
        what: What<'_>,
    ) {
        self.enrich.names.learn(flow, &what);
        let name = self.enrich.names.of(flow);
        let event = analyzers::Event { time, ts, flow, heading, dst_name: name.as_deref(), what };
        self.scene.note(&event);
        if let Some(intel) = &mut self.intel {
            intel.event(&event, &self.scene, &mut self.enrich, &mut self.findings);
        }
        self.detection.event(&event, &self.scene, &mut self.findings);
    }

    /// Packet time moves on: minutes are told, alerts that waited are.
    fn advance(&mut self, now: Timestamp) -> Result<(), StageError> {
        self.detection.advance(now, &self.scene, &mut self.findings);
        self.keep_hourly(now);
        self.now = self.now.max(now);
        self.settle(now)?;
        let mut outcome = Outcome::default();
        self.alerting.advance(now, &mut outcome);
        self.deliver(outcome)
    }

    /// What was found becomes incidents and alerts.
    fn settle(&mut self, now: Timestamp) -> Result<(), StageError> {
        if self.findings.is_empty() {
            return Ok(());
        }
        let mut outcome = Outcome::default();
        for mut finding in self.findings.drain() {
            let telling = match &self.intel {
                Some(intel) => judge::judge(intel.matcher(), &mut finding, now),
                None => Telling::Aloud,
            };
            let joined = match telling {
                Telling::Aloud => self.incidents.take(&finding),
                Telling::Silent => None,
            };
            let (alerting, scene) = (&mut self.alerting, &self.scene);
            let incident = joined.map(|Incident { finding, members }| {
                let host = finding.host;
                let id = alerting.take(finding, Telling::Aloud, None, now, scene, &mut outcome);
                for (detector, key) in members {
                    alerting.attach(detector, host, key, &id);
                }
                id
            });
            alerting.take(finding, telling, incident, now, scene, &mut outcome);
        }
        self.deliver(outcome)
    }

    /// Alerts go where they are to go.
    fn deliver(&mut self, outcome: Outcome) -> Result<(), StageError> {
        for notice in outcome.notices {
            self.overview.note_alert(&notice.record);
            self.latest.note(&notice);
            self.tell_sinks(&notice)?;
            if self.alert_rows == AlertRows::AsTold {
                self.put_alert(notice)?;
            }
        }
        for row in outcome.rows {
            self.put_alert(row)?;
        }
        Ok(())
    }

    /// Hands an alert to the sinks. That others were shed meanwhile is an alert of its own.
    fn tell_sinks(&mut self, notice: &Notice) -> Result<(), StageError> {
        let Some(delivery) = &mut self.sinks.alerts else { return Ok(()) };
        let sent = delivery.send(&notice.header, &notice.record);
        let Some(shed) = sent.shed else { return Ok(()) };
        let record = alerts::shed_alert(shed, notice.header.ts);
        delivery.send(&notice.header, &record);
        self.put_alert(Notice { header: notice.header.clone(), record })
    }

    fn put_alert(&mut self, notice: Notice) -> Result<(), StageError> {
        self.put(StampedRow { header: notice.header, record: Box::new(notice.record) })
    }

    /// Writes the row that an event is, if it is one.
    fn write_event(&mut self, flow: &FlowId, kind: EventKind) -> Result<(), StageError> {
        let (ts, record): (Timestamp, Box<dyn Record>) = match kind {
            EventKind::Opened { .. } | EventKind::Active { .. } | EventKind::Odd { .. } => {
                return Ok(());
            }
            EventKind::Record { ts, record } => (ts, record),
            EventKind::Weird { ts, record } => (ts, Box::new(record)),
            EventKind::FlowRow { ts, record } => {
                self.overview.note_flow(flow, &record);
                if record.end_reason != "interim" {
                    self.enrich.names.forget(flow);
                }
                (ts, record)
            }
        };
        let header = Header {
            ts,
            uid: Some(flow.uid),
            src_ip: Some(flow.src.ip),
            src_port: Some(flow.src.port),
            dst_ip: Some(flow.dst.ip),
            dst_port: Some(flow.dst.port),
            proto: Some(flow.transport),
            sensor: self.sensor.clone(),
        };
        self.put(StampedRow { header, record })
    }

    fn put(&mut self, row: StampedRow) -> Result<(), StageError> {
        self.overview.note_row(row.record.table().name);
        if let Some(out) = &mut self.sinks.json {
            out.write(&row).map_err(not_streamed)?;
        }
        if let Some(archive) = &mut self.sinks.archive {
            archive.write(&row)?;
        }
        Ok(())
    }

    /// The rows that the archive has lost, once it is written again.
    pub fn take_archive_gap(&mut self) -> Option<Gap> {
        self.sinks.archive.as_mut().and_then(Archive::take_gap)
    }

    /// The input is over.
    fn finish(&mut self) -> Result<(), StageError> {
        if let Some(intel) = &mut self.intel {
            intel.tell_counts(&self.scene, &mut self.enrich, &mut self.findings);
        }
        self.detection.finish(self.now, &self.scene, &mut self.findings);
        self.keep_last();
        self.settle(self.now)?;
        let mut outcome = Outcome::default();
        self.alerting.finish(&mut outcome);
        self.deliver(outcome)
    }
}

fn not_streamed(error: io::Error) -> StageError {
    format!("cannot write the JSON stream: {error}").into()
}

/// What those who watch are told of, and packet time of it. The row of a weird is not: they heard
/// of it as it occurred.
fn told(kind: &EventKind) -> Option<(Timestamp, What<'_>)> {
    Some(match kind {
        EventKind::Opened { ts, opening } => (*ts, What::Opened(*opening)),
        EventKind::Active { ts, bytes } => (*ts, What::Active { bytes: *bytes }),
        EventKind::Odd { ts, weird } => (*ts, What::Weird(*weird)),
        EventKind::Record { ts, record } => (*ts, What::Record(record.as_ref())),
        EventKind::FlowRow { ts, record } => (*ts, What::Row(record)),
        EventKind::Weird { .. } => return None,
    })
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
        if let Some(intel) = &mut self.intel {
            intel.refresh();
        }
        for event in self.merge.complete() {
            self.take(event)?;
        }
        if low == Timestamp::MAX {
            return self.finish();
        }
        self.advance(low)?;
        if let Some(out) = &mut self.sinks.json {
            out.pass_on().map_err(not_streamed)?;
        }
        if let Some(archive) = &mut self.sinks.archive {
            archive.advance(low)?;
        }
        Ok(())
    }
}
