//! Flows of a run, as pairs: from an archive of Parquet files, or from lines of JSON.
//!
//! In: a directory or a file. Out: for each pair of a host of the site and a place outside its
//! connections. A pair goes by the name that was asked for, where there was one, else by address
//! and port, as records name it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType, UInt16Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use super::alerts::Micros;

/// Whatever went wrong, with the file.
pub type Failure = Box<dyn std::error::Error>;

/// What is needed of a flow's row.
#[derive(Debug)]
struct Row {
    start_us: i64,
    end_us: i64,
    src_ip: IpAddr,
    to: SocketAddr,
    proto: String,
    /// The name, where the flow itself said it.
    name: Option<String>,
    part: i32,
    bytes: i64,
}

/// Connections of one pair.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// When each began, microseconds since the epoch.
    pub starts_us: Vec<i64>,
    /// Bytes of IP packets that the host sent in each.
    pub bytes: Vec<i64>,
    /// Seconds that they lasted together.
    pub duration: f64,
    /// The address and port behind a name.
    pub address: String,
}

/// All pairs of a run.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// By host and destination.
    pub pairs: BTreeMap<(IpAddr, String), Connections>,
    /// Hosts of the site that sent anything.
    pub hosts: BTreeSet<IpAddr>,
    /// Microseconds since the epoch: the first and the last start of any flow.
    pub span_us: Option<(i64, i64)>,
}

const fn is_home(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xfe00 == 0xfc00,
    }
}

impl Pairs {
    /// Reads an archive (a directory) or lines of JSON (a file).
    ///
    /// # Errors
    /// Something cannot be read; the error names the file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let mut pairs = Self::default();
        if path.is_dir() {
            for file in parquet_files(&path.join("flow"))? {
                read_parquet(&file, &mut pairs)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
            }
        } else {
            read_json(path, &mut pairs).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(pairs)
    }

    /// How many hosts the site has, as a figure.
    #[must_use]
    pub fn host_count(&self) -> f64 {
        super::number(self.hosts.len())
    }

    /// How many of the site's hosts went to each place.
    #[must_use]
    pub fn visitors(&self) -> BTreeMap<&str, usize> {
        let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, to) in self.pairs.keys() {
            *hosts.entry(to).or_default() += 1;
        }
        hosts
    }

    fn add(&mut self, row: Row) {
        let (first, last) = self.span_us.unwrap_or((row.start_us, row.start_us));
        self.span_us = Some((first.min(row.start_us), last.max(row.start_us)));
        if !is_home(row.src_ip) {
            return;
        }
        self.hosts.insert(row.src_ip);
        if is_home(row.to.ip()) {
            return;
        }
        let address = format!("{}/{}", row.to, row.proto);
        let key = row.name.unwrap_or_else(|| address.clone());
        let pair = self.pairs.entry((row.src_ip, key)).or_default();
        pair.address = address;
        let lasted = u32::try_from((row.end_us - row.start_us).max(0) / 1_000).unwrap_or(u32::MAX);
        pair.duration += f64::from(lasted) / 1_000.0;
        if row.part == 1 {
            pair.starts_us.push(row.start_us);
            pair.bytes.push(row.bytes);
        }
    }
}

fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(parquet_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Columns that are read, of the flow table.
const COLUMNS: [&str; 10] = [
    "ts",
    "end_ts",
    "src_ip",
    "dst_ip",
    "dst_port",
    "proto",
    "service",
    "dst_name",
    "part",
    "src_ip_bytes",
];

fn read_parquet(path: &Path, pairs: &mut Pairs) -> Result<(), Failure> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        for at in 0..batch.num_rows() {
            if let Some(row) = row(&batch, at) {
                pairs.add(row);
            }
        }
    }
    Ok(())
}

fn row(batch: &RecordBatch, at: usize) -> Option<Row> {
    let column = |name: &str| batch.column_by_name(name).filter(|column| column.is_valid(at));
    let text = |name: &str| column(name).map(|column| column.as_string::<i32>().value(at));
    let time =
        |name: &str| Some(column(name)?.as_primitive::<TimestampMicrosecondType>().value(at));
    let port = column("dst_port")?.as_primitive::<UInt16Type>().value(at);
    Some(Row {
        start_us: time("ts")?,
        end_us: time("end_ts")?,
        src_ip: text("src_ip")?.parse().ok()?,
        to: SocketAddr::new(text("dst_ip")?.parse().ok()?, port),
        proto: text("proto")?.to_owned(),
        name: text("dst_name").filter(|_| says_names(text("service"))).map(str::to_owned),
        part: column("part")?.as_primitive::<Int32Type>().value(at),
        bytes: column("src_ip_bytes")?.as_primitive::<Int64Type>().value(at),
    })
}

/// Whether flows of a service say themselves whom they are for.
fn says_names(service: Option<&str>) -> bool {
    matches!(service, Some("tls" | "http" | "quic"))
}

/// A line of JSON, of any table.
#[derive(Deserialize)]
struct Line {
    ts: Micros,
    end_ts: Micros,
    src_ip: IpAddr,
    dst_ip: IpAddr,
    dst_port: u16,
    proto: String,
    service: Option<String>,
    dst_name: Option<String>,
    part: i32,
    src_ip_bytes: i64,
}

fn read_json(path: &Path, pairs: &mut Pairs) -> Result<(), Failure> {
    for (number, line) in (1..).zip(BufReader::new(File::open(path)?).lines()) {
        let line = line?;
        if !line.contains("\"table\":\"flow\"") {
            continue;
        }
        let line: Line =
            serde_json::from_str(&line).map_err(|error| format!("line {number}: {error}"))?;
        let named = says_names(line.service.as_deref());
        pairs.add(Row {
            start_us: line.ts.0,
            end_us: line.end_ts.0,
            src_ip: line.src_ip,
            to: SocketAddr::new(line.dst_ip, line.dst_port),
            proto: line.proto,
            name: line.dst_name.filter(|_| named),
            part: line.part,
            bytes: line.src_ip_bytes,
        });
    }
    Ok(())
}
