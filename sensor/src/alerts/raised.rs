//! Alerts that were raised. In: JSON lines, as the stream of rows and the alert sink write them, or
//! the `alert` table of an archive. Out: each row as it was told, or the place of what cannot be
//! read. An alert that was told again with more behind it is several rows of one id.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use analyzers::Timestamp;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type};
use arrow_array::{Array as _, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use signatures::{Key, Kind};

/// Why alerts cannot be read.
pub(crate) type RaisedError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes of a line; evidence is bounded by the detectors far below this.
const LINE_BYTES: u64 = 4 * 1024 * 1024;

/// Folders below the table's: `date=…/hour=…`.
const DEPTH: usize = 3;

/// An alert as it was told at one time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct AlertRow {
    table: Option<String>,
    /// The flow behind it that was the first.
    pub(crate) src_ip: Option<IpAddr>,
    pub(crate) dst_ip: Option<IpAddr>,
    pub(crate) dst_port: Option<u16>,
    pub(crate) proto: Option<String>,
    pub(crate) alert_id: String,
    pub(crate) detector: String,
    pub(crate) title: String,
    pub(crate) indicator: Option<String>,
    indicator_type: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) intel_source: Option<String>,
    pub(crate) confidence: f64,
    pub(crate) severity: String,
    pub(crate) severity_number: u8,
    pub(crate) stage: String,
    pub(crate) technique: Vec<String>,
    pub(crate) host: Option<String>,
    first_ts: String,
    last_ts: String,
    pub(crate) count: u64,
    evidence: Value,
    pub(crate) incident: Option<String>,
    #[serde(skip)]
    pub(crate) first: Timestamp,
    #[serde(skip)]
    pub(crate) last: Timestamp,
}

impl AlertRow {
    /// The indicator, if it is one that can be matched on.
    pub(crate) fn key(&self) -> Option<Key> {
        let kind = Kind::parse(self.indicator_type.as_deref()?)?;
        Key::parse(kind, self.indicator.as_deref()?).ok()
    }

    /// The figures; none where they are no JSON object.
    pub(crate) fn figures(&self) -> Map<String, Value> {
        match &self.evidence {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            Value::Object(figures) => figures.clone(),
            _ => Map::new(),
        }
    }

    /// SHA-256 of the evidence: who holds the alert can show that this is what it said.
    pub(crate) fn evidence_hash(&self) -> String {
        let text = match &self.evidence {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
    }

    /// The row once its instants are read.
    fn dated(mut self) -> Option<Self> {
        let instant = |text: &str| {
            let second = text.parse::<jiff::Timestamp>().ok()?.as_second();
            Some(Timestamp::from_secs_nanos(second, 0))
        };
        self.first = instant(&self.first_ts)?;
        self.last = instant(&self.last_ts)?;
        Some(self)
    }
}

/// Reads a file of JSON lines. Rows of other tables are passed over.
pub(crate) fn read_lines(
    path: &Path,
    rows: &mut Vec<AlertRow>,
    tell: &mut impl FnMut(String),
) -> Result<(), RaisedError> {
    let cannot = |error| format!("{}: cannot be read: {error}", path.display());
    let mut content = BufReader::new(File::open(path).map_err(cannot)?);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read =
            content.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).map_err(cannot)?;
        if read == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<AlertRow>(&line) {
            Ok(row) if row.table.as_deref().is_some_and(|table| table != "alert") => {}
            Ok(row) => match row.dated().filter(|row| !row.alert_id.is_empty()) {
                Some(row) => rows.push(row),
                None => tell(format!(
                    "{}:{number}: no alert as Serval writes it: alert_id, first_ts or last_ts is \
                     missing",
                    path.display()
                )),
            },
            Err(error) => tell(format!("{}:{number}: {error}", path.display())),
        }
    }
    Ok(())
}

/// Reads the table of alerts of an archive.
pub(crate) fn read_archive(
    archive: &Path,
    rows: &mut Vec<AlertRow>,
    tell: &mut impl FnMut(String),
) -> Result<(), RaisedError> {
    let table = archive.join("alert");
    let mut files = Vec::new();
    collect(&table, DEPTH, &mut files)
        .map_err(|error| format!("{}: cannot be read: {error}", table.display()))?;
    files.sort_unstable();
    for path in files {
        if let Err(error) = read_file(&path, rows) {
            tell(format!("{}: {error}", path.display()));
        }
    }
    Ok(())
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|ending| ending == "parquet") {
            files.push(path);
        }
    }
    Ok(())
}

fn read_file(path: &Path, rows: &mut Vec<AlertRow>) -> Result<(), RaisedError> {
    const COLUMNS: [&str; 22] = [
        "src_ip",
        "dst_ip",
        "dst_port",
        "proto",
        "title",
        "severity",
        "alert_id",
        "detector",
        "indicator",
        "indicator_type",
        "family",
        "intel_source",
        "confidence",
        "severity_number",
        "stage",
        "technique",
        "host",
        "first_ts",
        "last_ts",
        "count",
        "evidence",
        "incident",
    ];
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            rows.push(Cells { batch: &batch, row }.alert());
        }
    }
    Ok(())
}

/// A row of a batch. A column that an older archive lacks is empty.
struct Cells<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Cells<'_> {
    fn alert(&self) -> AlertRow {
        let required = |name| self.text(name).unwrap_or_default();
        AlertRow {
            table: None,
            src_ip: self.text("src_ip").and_then(|text| text.parse().ok()),
            dst_ip: self.text("dst_ip").and_then(|text| text.parse().ok()),
            dst_port: self.port(),
            proto: self.text("proto"),
            alert_id: required("alert_id"),
            title: required("title"),
            severity: required("severity"),
            detector: required("detector"),
            indicator: self.text("indicator"),
            indicator_type: self.text("indicator_type"),
            family: self.text("family"),
            intel_source: self.text("intel_source"),
            confidence: self.confidence().unwrap_or_default(),
            severity_number: self.severity().unwrap_or_default(),
            stage: required("stage"),
            technique: self.techniques().unwrap_or_default(),
            host: self.text("host"),
            first_ts: String::new(),
            last_ts: String::new(),
            count: self.count().unwrap_or_default(),
            evidence: Value::String(required("evidence")),
            incident: self.text("incident"),
            first: self.instant("first_ts").unwrap_or_default(),
            last: self.instant("last_ts").unwrap_or_default(),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        let column = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(self.row).then(|| column.value(self.row).to_owned())
    }

    fn confidence(&self) -> Option<f64> {
        let column = self.batch.column_by_name("confidence")?.as_primitive_opt::<Float64Type>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn severity(&self) -> Option<u8> {
        let column =
            self.batch.column_by_name("severity_number")?.as_primitive_opt::<UInt8Type>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn port(&self) -> Option<u16> {
        let column = self.batch.column_by_name("dst_port")?.as_primitive_opt::<UInt16Type>()?;
        column.is_valid(self.row).then(|| column.value(self.row))
    }

    fn count(&self) -> Option<u64> {
        let column = self.batch.column_by_name("count")?.as_primitive_opt::<Int64Type>()?;
        column
            .is_valid(self.row)
            .then(|| column.value(self.row))
            .and_then(|n| u64::try_from(n).ok())
    }

    fn instant(&self, name: &str) -> Option<Timestamp> {
        let column =
            self.batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let micros = column.is_valid(self.row).then(|| column.value(self.row))?;
        Some(Timestamp::from_secs_nanos(micros.div_euclid(1_000_000), 0))
    }

    fn techniques(&self) -> Option<Vec<String>> {
        let column = self.batch.column_by_name("technique")?.as_list_opt::<i32>()?;
        if column.is_null(self.row) {
            return None;
        }
        let values = column.value(self.row);
        let values = values.as_string_opt::<i32>()?;
        Some(values.iter().flatten().map(str::to_owned).collect())
    }
}
