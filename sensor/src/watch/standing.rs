//! How the second stage is doing, for whoever asks a running sensor.
//!
//! In: what each of its rooms counts. Out: a [`Standing`], which `/status` gives as JSON,
//! `/metrics` as figures and `serval status` as text. Bytes of the wire are escaped in it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use analyzers::Timestamp;
use serde::{Deserialize, Serialize};

use super::alerting::Notice;
use super::{Watch, intel};
use crate::alerts::Progress;
use crate::archive::Archive;
use crate::intel::FeedState;
use crate::rows::UtcText;
use crate::rows::stream::{RowStream, StreamStanding};

/// Alerts that are shown: a few lines; all of them are with the sinks and in the archive.
const LATEST_MAX: usize = 5;

/// The second stage at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Rows since the start, by table.
    pub rows: BTreeMap<String, u64>,
    /// Tables in memory that traffic can grow.
    pub memory: BTreeMap<String, Fill>,
    /// What became of alerts.
    pub alerts: AlertCounts,
    /// The alerts that were told last, the latest first.
    pub latest: Vec<LatestAlert>,
    /// Feeds.
    pub feeds: BTreeMap<String, FeedStanding>,
    /// Where alerts go.
    pub sinks: BTreeMap<String, SinkStanding>,
    /// The archive, if one is written.
    pub archive: Option<ArchiveStanding>,
    /// The stream of rows as JSON, if one is wanted.
    pub json: Option<StreamStanding>,
}

/// How full a table in memory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Entries now; none where only its losses are counted.
    pub entries: Option<u64>,
    /// Entries that made room for others since the start.
    pub evicted: u64,
}

/// What became of alerts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCounts {
    /// Alerts that were raised.
    pub raised: u64,
    /// Those of them that were too unlikely to be told.
    pub unlikely: u64,
    /// Those of them that the allow-list silenced.
    pub silenced: u64,
}

/// An alert as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestAlert {
    /// Packet time.
    pub ts: String,
    /// `P0` to `P3`.
    pub severity: String,
    /// Who found it.
    pub detector: String,
    /// What happened.
    pub title: String,
}

/// A feed in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedStanding {
    /// Its indicators.
    pub indicators: u64,
    /// Seconds since its file was written, or its server last answered; none if neither ever was.
    pub age_seconds: Option<u64>,
}

/// A sink of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkStanding {
    /// Alerts that it surely got.
    pub delivered: u64,
    /// Alerts that it will never take.
    pub refused: u64,
    /// Alerts that were shed before it could get them.
    pub shed: u64,
    /// What is wrong at present.
    pub trouble: Option<String>,
}

/// The archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveStanding {
    /// Bytes of memory of rows that are not in files yet.
    pub waiting_bytes: u64,
    /// Whether files can be written.
    pub is_writable: bool,
}

/// The alerts that were told last.
#[derive(Debug, Default)]
pub(super) struct Latest(VecDeque<Notice>);

impl Latest {
    /// Takes an alert that was told.
    pub(super) fn note(&mut self, notice: &Notice) {
        self.0.truncate(LATEST_MAX - 1);
        self.0.push_front(notice.clone());
    }

    /// For people.
    pub(super) fn list(&self) -> Vec<LatestAlert> {
        let told = self.0.iter().map(|Notice { header, record }| LatestAlert {
            ts: UtcText(header.ts).to_string(),
            severity: record.severity.to_owned(),
            detector: record.detector.to_owned(),
            title: record.title.escaped().into_owned(),
        });
        told.collect()
    }
}

impl Watch {
    /// How it is doing; ages are by the wall clock.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        let counts = self.alerting.counts();
        let rows = self.overview.rows().iter();
        let sinks = self.sinks.alerts.iter().flat_map(|delivery| delivery.progress());
        let feeds = self.intel.iter().flat_map(|intel| intel.feeds().to_vec());
        Standing {
            rows: rows.map(|(table, rows)| ((*table).to_owned(), *rows)).collect(),
            memory: self.memory(),
            alerts: AlertCounts {
                raised: counts.alerts,
                unlikely: counts.unlikely,
                silenced: counts.silenced,
            },
            latest: self.latest.list(),
            feeds: feeds.map(|feed| (feed.name.clone(), FeedStanding::at(&feed, now))).collect(),
            sinks: sinks.map(|(name, progress)| (name, progress.into())).collect(),
            archive: self.sinks.archive.as_ref().map(ArchiveStanding::of),
            json: self.sinks.json.as_ref().map(RowStream::standing),
        }
    }

    /// Its tables; of detectors only those that had to forget something.
    fn memory(&self) -> BTreeMap<String, Fill> {
        let (names, contacts) = (&self.enrich.names, &self.scene.contacts);
        let closed_early = self.alerting.counts().closed_early;
        let held = [
            ("names", names.remembered(), names.evicted()),
            ("contacts", contacts.remembered(), contacts.evicted()),
            ("incident_hosts", self.incidents.remembered(), self.incidents.evicted()),
            ("open_alerts", self.alerting.open(), closed_early),
        ];
        let intel = self.intel.iter().map(|own| (intel::DETECTOR, own.remembered(), own.evicted()));
        let held = held.into_iter().chain(intel).map(|(name, entries, evicted)| {
            (name.to_owned(), Fill { entries: Some(entries as u64), evicted })
        });
        let detectors = self.detection.evicted();
        let detectors =
            detectors.map(|(name, evicted)| (name.to_owned(), Fill { entries: None, evicted }));
        held.chain(detectors).collect()
    }
}

impl FeedStanding {
    fn at(feed: &FeedState, now: Timestamp) -> Self {
        let age_seconds = feed.as_of.map(|as_of| now.since(as_of).as_secs());
        Self { indicators: feed.indicators as u64, age_seconds }
    }
}

impl ArchiveStanding {
    fn of(archive: &Archive) -> Self {
        let waiting_bytes = archive.waiting_bytes() as u64;
        Self { waiting_bytes, is_writable: !archive.is_in_trouble() }
    }
}

impl From<Progress> for SinkStanding {
    fn from(progress: Progress) -> Self {
        let Progress { delivered, refused, shed, trouble, .. } = progress;
        Self { delivered, refused, shed, trouble }
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AlertCounts { raised, unlikely, silenced } = self.alerts;
        writeln!(f, "  alerts     {raised} raised, {unlikely} unlikely, {silenced} silenced")?;
        for LatestAlert { ts, severity, detector, title } in &self.latest {
            writeln!(f, "             {ts} {severity} {detector}: {title}")?;
        }
        for (name, sink) in &self.sinks {
            let SinkStanding { delivered, refused, shed, trouble } = sink;
            write!(
                f,
                "  sink       {name}: {delivered} delivered, {refused} refused, {shed} shed"
            )?;
            match trouble {
                Some(trouble) => writeln!(f, "; TROUBLE: {trouble}")?,
                None => writeln!(f)?,
            }
        }
        for (name, FeedStanding { indicators, age_seconds }) in &self.feeds {
            write!(f, "  feed       {name}: {indicators} indicators, ")?;
            match age_seconds {
                Some(age) => writeln!(f, "{:?} old", Duration::from_secs(*age))?,
                None => writeln!(f, "TROUBLE: never read; the log says why")?,
            }
        }
        if let Some(ArchiveStanding { waiting_bytes, is_writable }) = &self.archive {
            let mebibytes = mebibytes(*waiting_bytes);
            let trouble = if *is_writable { "" } else { "; TROUBLE: it cannot be written" };
            writeln!(f, "  archive    {mebibytes:.1} MiB of rows wait{trouble}")?;
        }
        if let Some(StreamStanding { waiting_bytes, lost }) = &self.json {
            let mebibytes = mebibytes(*waiting_bytes);
            writeln!(f, "  json       {mebibytes:.1} MiB of rows wait, {lost} rows lost")?;
        }
        for (name, rows) in &self.rows {
            writeln!(f, "  rows       {rows} {name}")?;
        }
        for (name, Fill { entries, evicted }) in &self.memory {
            match entries {
                Some(entries) => writeln!(f, "  memory of  {name}: {entries}, {evicted} evicted")?,
                None => writeln!(f, "  memory of  {name}: {evicted} evicted")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_lines_and_survives_its_way_as_json() {
        let alert = LatestAlert {
            ts: "2026-01-02T03:04:05.000000Z".to_owned(),
            severity: "P1".to_owned(),
            detector: "beacon".to_owned(),
            title: "10.0.0.5 beats".to_owned(),
        };
        let trouble = Some("refused".to_owned());
        let standing = Standing {
            rows: [("dns".to_owned(), 7)].into(),
            memory: [
                ("contacts".to_owned(), Fill { entries: Some(9), evicted: 0 }),
                ("strobe".to_owned(), Fill { entries: None, evicted: 4 }),
            ]
            .into(),
            alerts: AlertCounts { raised: 3, unlikely: 1, silenced: 1 },
            latest: vec![alert],
            feeds: [
                ("c2".to_owned(), FeedStanding { indicators: 5, age_seconds: Some(60) }),
                ("gone".to_owned(), FeedStanding::default()),
            ]
            .into(),
            sinks: [("soc".to_owned(), SinkStanding { trouble, ..SinkStanding::default() })].into(),
            archive: Some(ArchiveStanding { waiting_bytes: 3 << 19, is_writable: false }),
            json: Some(StreamStanding { waiting_bytes: 1 << 19, lost: 6 }),
        };
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
        let text = standing.to_string();
        for line in [
            "  alerts     3 raised, 1 unlikely, 1 silenced",
            "             2026-01-02T03:04:05.000000Z P1 beacon: 10.0.0.5 beats",
            "  sink       soc: 0 delivered, 0 refused, 0 shed; TROUBLE: refused",
            "  feed       c2: 5 indicators, 60s old",
            "  feed       gone: 0 indicators, TROUBLE: never read; the log says why",
            "  archive    1.5 MiB of rows wait; TROUBLE: it cannot be written",
            "  json       0.5 MiB of rows wait, 6 rows lost",
            "  rows       7 dns",
            "  memory of  contacts: 9, 0 evicted",
            "  memory of  strobe: 4 evicted",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
