//! Alerts that were raised. In: JSON lines, as the stream of rows and the alert sink write them, or
//! the `alert` table of an archive. Out: what an export needs of each row, or the place of what
//! cannot be read.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use analyzers::Timestamp;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType, UInt8Type};
use arrow_array::{Array as _, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use signatures::{Key, Kind};

use super::super::ask::AskError;

/// Bytes of a line; evidence is bounded by the detectors far below this.
const LINE_BYTES: u64 = 4 * 1024 * 1024;

/// Folders below the table's: `date=…/hour=…`.
const DEPTH: usize = 3;

/// What an export needs of an alert.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct AlertRow {
    table: Option<String>,
    pub(super) alert_id: String,
    pub(super) detector: String,
    indicator: Option<String>,
    indicator_type: Option<String>,
    pub(super) family: Option<String>,
    pub(super) intel_source: Option<String>,
    pub(super) confidence: f64,
    pub(super) severity_number: u8,
    pub(super) stage: String,
    pub(super) technique: Vec<String>,
    pub(super) host: Option<String>,
    first_ts: String,
    last_ts: String,
    pub(super) count: u64,
    evidence: serde_json::Value,
    pub(super) incident: Option<String>,
    #[serde(skip)]
    pub(super) first: Timestamp,
    #[serde(skip)]
    pub(super) last: Timestamp,
}

impl AlertRow {
    /// The indicator, if it is one that can be matched on.
    pub(super) fn key(&self) -> Option<Key> {
        let kind = Kind::parse(self.indicator_type.as_deref()?)?;
        Key::parse(kind, self.indicator.as_deref()?).ok()
    }

    /// SHA-256 of the evidence: who holds the alert can show that this is what it said.
    pub(super) fn evidence_hash(&self) -> String {
        let text = match &self.evidence {
            serde_json::Value::String(text) => text.clone(),
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
pub(super) fn read_lines(
    path: &Path,
    rows: &mut Vec<AlertRow>,
    tell: &mut impl FnMut(String),
) -> Result<(), AskError> {
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
pub(super) fn read_archive(
    archive: &Path,
    rows: &mut Vec<AlertRow>,
    tell: &mut impl FnMut(String),
) -> Result<(), AskError> {
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

fn read_file(path: &Path, rows: &mut Vec<AlertRow>) -> Result<(), AskError> {
    const COLUMNS: [&str; 15] = [
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
    ];
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let columns = COLUMNS.into_iter().chain(["incident"]);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
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
            alert_id: required("alert_id"),
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
            evidence: serde_json::Value::String(required("evidence")),
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
