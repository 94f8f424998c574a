//! Learns from the past: rows of an archive go through the same detectors that watch the present.
//!
//! In: the tables `rdp`, `smb` and `flow` of an archive, in the order of time. Out: baselines. Rows
//! that cannot be logins are left out at once, so that a year of flows fits into memory an hour at
//! a time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use analyzers::detectors::{login_baseline, rdp_off_hours};
use analyzers::logins::Login;
use analyzers::protocols::rdp::RdpRecord;
use analyzers::protocols::smb::SmbRecord;
use analyzers::{
    Endpoint, Event, Findings, FlowId, FlowRecord, Record, Scene, Text, Timestamp, Transport, Uid,
    What,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType, UInt16Type};
use arrow_array::{Array as _, RecordBatch};
use indicatif::ProgressBar;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Baselines;
use crate::config::Config;
use crate::watch::knowledge;

type LearnError = Box<dyn std::error::Error + Send + Sync>;

/// Columns that are read, of whatever table has them.
const COLUMNS: [&str; 17] = [
    "ts",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "transport",
    "cookie",
    "result",
    "auth_likely",
    "command",
    "status",
    "user",
    "part",
    "service",
    "src_bytes",
    "dst_bytes",
    "state",
];

/// What an archive taught.
pub(super) struct Learned {
    pub(super) baselines: Baselines,
    pub(super) rows: u64,
    pub(super) logins: u64,
}

/// A row that may be a login.
struct Past {
    ts: Timestamp,
    flow: FlowId,
    row: PastRow,
}

enum PastRow {
    Record(Box<dyn Record>),
    Flow(Box<FlowRecord>),
}

impl Past {
    fn event(&self, scene: &Scene) -> Event<'_> {
        let what = match &self.row {
            PastRow::Record(record) => What::Record(record.as_ref()),
            PastRow::Flow(record) => What::Row(record),
        };
        let heading = scene.home.heading(&self.flow);
        let (time, ts, flow) = (self.ts, self.ts, &self.flow);
        Event { time, ts, flow, heading, dst_name: None, what }
    }
}

/// Learns from an archive.
///
/// # Errors
/// It cannot be read, or the configuration is not valid.
pub(super) fn learn(archive: &Path, config: &Config) -> Result<Learned, LearnError> {
    let scene = knowledge::scene(config)?;
    let partitions = partitions(archive)?;
    if partitions.is_empty() {
        return Err(format!(
            "{} holds none of the tables rdp, smb and flow; name the directory that \
             `serval replay --archive` wrote",
            archive.display()
        )
        .into());
    }
    let mut desktops = rdp_off_hours::watcher(&config.detect.rdp_off_hours);
    let mut others = login_baseline::watcher(&config.detect.login_baseline);
    let (mut rows, mut logins) = (0, 0);
    let progress = ProgressBar::new(partitions.len() as u64);
    let mut findings = Findings::default();
    for files in partitions.values() {
        let mut past = Vec::new();
        for path in files {
            rows += read_file(path, &scene, &mut past)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        past.sort_by_key(|row| (row.ts, row.flow.src, row.flow.dst));
        for row in &past {
            let event = row.event(&scene);
            desktops.event(&event, &scene, &mut findings);
            others.event(&event, &scene, &mut findings);
            findings.drain();
        }
        logins += past.len() as u64;
        progress.inc(1);
    }
    progress.finish_and_clear();
    let memories = [
        (rdp_off_hours::DETECTOR.name, desktops.memory()),
        (login_baseline::DETECTOR.name, others.memory()),
    ];
    let baselines = memories
        .into_iter()
        .filter_map(|(name, memory)| Some((name.to_owned(), memory?)))
        .collect();
    Ok(Learned { baselines: Baselines(baselines), rows, logins })
}

/// The files of the three tables by partition, in the order of time.
fn partitions(archive: &Path) -> Result<BTreeMap<PathBuf, Vec<PathBuf>>, LearnError> {
    let mut partitions: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for table in ["rdp", "smb", "flow"] {
        let table = archive.join(table);
        if !table.is_dir() {
            continue;
        }
        for day in entries(&table)? {
            for hour in entries(&day)? {
                let partition = hour.strip_prefix(&table)?.to_owned();
                let files = entries(&hour)?
                    .into_iter()
                    .filter(|file| file.extension().is_some_and(|ending| ending == "parquet"));
                partitions.entry(partition).or_default().extend(files);
            }
        }
    }
    Ok(partitions)
}

/// What a directory holds, in order; nothing where it is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, LearnError> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort_unstable();
    Ok(paths)
}

/// Reads the rows of a file that are logins; how many rows it has.
fn read_file(path: &Path, scene: &Scene, past: &mut Vec<Past>) -> Result<u64, LearnError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let mut rows = 0;
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            let Some(row) = (Cells { batch: &batch, row }).past() else { continue };
            if Login::of(&row.event(scene), scene).is_some() {
                past.push(row);
            }
        }
    }
    Ok(rows)
}

/// A row of a batch; columns that its table does not have are empty.
struct Cells<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Cells<'_> {
    fn past(&self) -> Option<Past> {
        let end =
            |ip, port| Some(Endpoint { ip: self.text(ip)?.parse().ok()?, port: self.port(port)? });
        let flow = FlowId {
            uid: Uid::default(),
            src: end("src_ip", "src_port")?,
            dst: end("dst_ip", "dst_port")?,
            transport: Transport::TCP,
        };
        let row = if self.batch.column_by_name("auth_likely").is_some() {
            PastRow::Record(Box::new(self.rdp()))
        } else if self.batch.column_by_name("command").is_some() {
            PastRow::Record(Box::new(self.smb()))
        } else {
            PastRow::Flow(Box::new(self.flow()?))
        };
        Some(Past { ts: self.instant("ts")?, flow, row })
    }

    fn rdp(&self) -> RdpRecord {
        let is_tcp = self.text("transport") == Some("tcp");
        let mut record = RdpRecord::new(if is_tcp { "tcp" } else { "udp" });
        record.cookie = self.text("cookie").map(|text| Text::wire(text.as_bytes()));
        record.auth_likely = self.flag("auth_likely");
        if self.text("result") == Some("success") {
            record.result = "success";
        }
        record
    }

    fn smb(&self) -> SmbRecord {
        let mut record = SmbRecord::empty();
        record.command = (self.text("command") == Some("session_setup")).then_some("session_setup");
        record.status = self.text("status").map(|text| Text::wire(text.as_bytes()));
        record.user = self.text("user").map(|text| Text::wire(text.as_bytes()));
        record
    }

    fn flow(&self) -> Option<FlowRecord> {
        let mut record = FlowRecord::empty();
        record.part =
            self.batch.column_by_name("part")?.as_primitive_opt::<Int32Type>()?.value(self.row);
        record.service = self.text("service").and_then(service);
        record.src_bytes = self.number("src_bytes")?;
        record.dst_bytes = self.number("dst_bytes")?;
        Some(record)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let column = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let column = self.batch.column_by_name(name)?.as_boolean_opt()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn port(&self, name: &str) -> Option<u16> {
        let column = self.batch.column_by_name(name)?.as_primitive_opt::<UInt16Type>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn number(&self, name: &str) -> Option<i64> {
        let column = self.batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn instant(&self, name: &str) -> Option<Timestamp> {
        let column =
            self.batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let micros = column.is_valid(self.row).then(|| column.value(self.row))?;
        Some(Timestamp::from_nanos(micros.saturating_mul(1_000)))
    }
}

/// The name of a service as the program has it; one that it does not know is none.
fn service(name: &str) -> Option<&'static str> {
    let mut names = analyzers::protocols::ALL.iter().map(|protocol| protocol.name);
    names.find(|known| *known == name)
}
