//! Alerts as lines of JSON: those of the stream of all rows, or of an alert sink.
//!
//! In: a file. Out: [`Alert`]s, one for each id: what is said again is an update, and the first
//! time that it was said counts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One alert.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Who raised it.
    pub detector: String,
    /// One line.
    pub title: String,
    /// `P0` to `P3`, at its highest.
    pub severity: String,
    /// 0 to 1, at its highest.
    pub confidence: f64,
    /// Stage of an attack.
    pub stage: String,
    /// The host to go and look at.
    pub host: IpAddr,
    /// Microseconds since the epoch: the first thing that it sums up.
    pub first_us: i64,
    /// The last thing that it sums up.
    pub last_us: i64,
    /// The last thing that it summed up when it was raised: the time of detection.
    pub raised_us: i64,
    /// Every text of its evidence, the words of its title, what its question to the archive
    /// selects, and the address and port of its first flow.
    pub texts: Vec<String>,
    evidence: Value,
}

/// Microseconds since the epoch, written as a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Micros(pub(super) i64);

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(time.as_microsecond()))
    }
}

/// As it is written.
#[derive(Deserialize)]
struct Line {
    table: Option<String>,
    alert_id: String,
    detector: String,
    #[serde(default)]
    title: String,
    severity: String,
    confidence: f64,
    #[serde(default)]
    stage: String,
    host: Option<IpAddr>,
    first_ts: Micros,
    last_ts: Micros,
    evidence: Option<Value>,
    dst_ip: Option<IpAddr>,
    dst_port: Option<u16>,
    proto: Option<String>,
    indicator: Option<String>,
    hunt: Option<String>,
}

/// Reads a file of alerts, which may have rows of other tables in it.
///
/// # Errors
/// It cannot be read, or a line is no alert; the error names it.
pub fn read(path: &Path) -> Result<Vec<Alert>, Box<dyn std::error::Error>> {
    let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut alerts: BTreeMap<String, Alert> = BTreeMap::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line?;
        if !line.contains("\"detector\"") {
            continue;
        }
        let line: Line = serde_json::from_str(&line)
            .map_err(|error| format!("{}, line {number}: {error}", path.display()))?;
        if line.table.as_deref().is_some_and(|table| table != "alert") {
            continue;
        }
        let Some(host) = line.host else { continue };
        let (id, alert) = (line.alert_id.clone(), alert(line, host));
        if alert.is_silenced() {
            continue;
        }
        match alerts.get_mut(&id) {
            Some(known) => known.update(alert),
            None => {
                alerts.insert(id, alert);
            }
        }
    }
    Ok(alerts.into_values().collect())
}

fn alert(line: Line, host: IpAddr) -> Alert {
    // Evidence is a JSON object, or its text where a column holds it.
    let evidence = match line.evidence {
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Some(value) => value,
        None => Value::Null,
    };
    let mut texts = Vec::new();
    collect(&evidence, &mut texts);
    texts.extend(line.indicator);
    // What it is about stands in the title and, quoted, in the question to the archive.
    let is_edge = |letter: char| ",.;:()".contains(letter);
    texts.extend(line.title.split_whitespace().map(|word| word.trim_matches(is_edge).to_owned()));
    texts.extend(
        line.hunt.iter().flat_map(|sql| sql.split('\'').skip(1).step_by(2)).map(str::to_owned),
    );
    if let (Some(ip), Some(port), Some(proto)) = (line.dst_ip, line.dst_port, line.proto) {
        texts.push(format!("{}/{proto}", std::net::SocketAddr::new(ip, port)));
    }
    let (first_us, last_us) = (line.first_ts.0, line.last_ts.0);
    Alert {
        detector: line.detector,
        title: line.title,
        severity: line.severity,
        confidence: line.confidence,
        stage: line.stage,
        host,
        first_us,
        last_us,
        raised_us: last_us,
        texts,
        evidence,
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

impl Alert {
    fn update(&mut self, later: Self) {
        self.first_us = self.first_us.min(later.first_us);
        self.last_us = self.last_us.max(later.last_us);
        self.raised_us = self.raised_us.min(later.raised_us);
        self.severity = std::mem::take(&mut self.severity).min(later.severity);
        self.confidence = self.confidence.max(later.confidence);
        self.texts.extend(later.texts);
        self.evidence = later.evidence;
    }

    /// Whether an entry of the allow-list kept it from being told.
    fn is_silenced(&self) -> bool {
        self.evidence.get("suppressed_by").is_some_and(|by| !by.is_null())
    }

    /// The length of a list in its evidence.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<f64> {
        let list = self.evidence.get(name)?.as_array()?;
        u32::try_from(list.len()).ok().map(f64::from)
    }

    /// A number in its evidence.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.evidence.get(name)?.as_f64()
    }

    /// Whether it names that destination: as it stands, or a name below that zone.
    #[must_use]
    pub fn names(&self, destination: &str) -> bool {
        self.texts.iter().any(|text| {
            text == destination
                || text.strip_suffix(destination).is_some_and(|rest| rest.ends_with('.'))
        })
    }
}
