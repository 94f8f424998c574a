//! Sightings to alerts: one for each host and indicator, marked as found in hindsight.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use analyzers::record::Header;
use analyzers::{AlertRecord, Text, Timestamp};
use arrow_array::RecordBatch;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use signatures::matcher::DETECTOR;
use signatures::{Hit, Indicator, Matcher, Severity};

use super::scan::readings;
use super::sources::Source;
use crate::archive::columns_of;
use crate::error::HuntError;

/// Flows that an alert's evidence names.
const UIDS: usize = 20;

/// Bytes of an alert's id.
const ID_BYTES: usize = 8;

/// Confidence where a feed says none.
const CONFIDENCE: u8 = 60;

/// The sensor that alerts found in hindsight are of.
const SENSOR: &str = "retro";

/// A value of the archive that the matcher knows, before its validity was asked.
pub(super) struct Sighting<'a> {
    pub(super) source: &'a Source,
    pub(super) ts: Timestamp,
    pub(super) uid: Option<&'a str>,
    pub(super) src_ip: Option<IpAddr>,
    pub(super) src_port: Option<u16>,
    pub(super) dst_ip: Option<IpAddr>,
    pub(super) dst_port: Option<u16>,
    pub(super) seen: &'a str,
}

/// What one alert sums up.
struct Sum {
    first: Timestamp,
    last: Timestamp,
    count: i64,
    /// The first flow's ends.
    ends: Header,
    uids: Vec<String>,
    seen: String,
    places: BTreeMap<&'static str, &'static str>,
}

/// Alerts while sightings come in.
pub(super) struct Alerts {
    matcher: Arc<Matcher>,
    sums: BTreeMap<(Option<IpAddr>, Hit), Sum>,
    silenced: u64,
}

/// An alert with its header.
#[derive(Debug)]
pub(super) struct AlertRow(Header, AlertRecord);

impl AlertRow {
    /// Its id: the same host and indicator always have the same.
    pub(super) fn id(&self) -> &str {
        std::str::from_utf8(self.1.alert_id.as_bytes()).unwrap_or_default()
    }
}

impl Alerts {
    pub(super) fn new(matcher: Arc<Matcher>) -> Self {
        Self { matcher, sums: BTreeMap::new(), silenced: 0 }
    }

    pub(super) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Sightings that the allow-list silenced.
    pub(super) const fn silenced(&self) -> u64 {
        self.silenced
    }

    /// Asks the matcher as the sensor does: with the packet time, the allow-list last.
    pub(super) fn sighting(&mut self, sighting: &Sighting<'_>) {
        let matcher = Arc::clone(&self.matcher);
        for reading in readings(sighting.source.seen, sighting.seen, sighting.dst_port) {
            let matches = matcher.matches(&reading, sighting.ts);
            if !matches.is_alert() {
                self.silenced += u64::from(matches.silenced_by.is_some());
                continue;
            }
            for hit in matches.hits {
                self.add(sighting, hit);
            }
        }
    }

    fn add(&mut self, sighting: &Sighting<'_>, hit: Hit) {
        let host = host(sighting);
        let sum = self.sums.entry((host, hit)).or_insert_with(|| Sum {
            first: sighting.ts,
            last: sighting.ts,
            count: 0,
            ends: ends(sighting),
            uids: Vec::new(),
            seen: sighting.seen.to_owned(),
            places: BTreeMap::new(),
        });
        sum.count += 1;
        sum.last = sum.last.max(sighting.ts);
        if sighting.ts < sum.first {
            sum.first = sighting.ts;
            sum.ends = ends(sighting);
        }
        sum.places.insert(sighting.source.table, sighting.source.column);
        if let Some(uid) = sighting.uid.filter(|_| sum.uids.len() < UIDS)
            && !sum.uids.iter().any(|known| known == uid)
        {
            sum.uids.push(uid.to_owned());
        }
    }

    /// The alerts, in the order of their time.
    pub(super) fn into_rows(self, now: jiff::Timestamp) -> Vec<AlertRow> {
        let set = &self.matcher.indicators;
        let mut rows: Vec<AlertRow> = self
            .sums
            .into_iter()
            .filter_map(|((host, hit), sum)| {
                set.indicator(hit).map(|indicator| row(host, &indicator, sum, now))
            })
            .collect();
        rows.sort_by(|a, b| (a.0.ts, a.id()).cmp(&(b.0.ts, b.id())));
        rows
    }
}

/// The host to go and look at: the end inside, the originator where both or none is.
fn host(sighting: &Sighting<'_>) -> Option<IpAddr> {
    let is_inside = |ip: &IpAddr| crate::functions::is_private_address(*ip);
    match (sighting.src_ip, sighting.dst_ip) {
        (Some(src), Some(dst)) if !is_inside(&src) && is_inside(&dst) => Some(dst),
        (src, dst) => src.or(dst),
    }
}

fn ends(sighting: &Sighting<'_>) -> Header {
    Header {
        ts: sighting.ts,
        uid: None,
        src_ip: sighting.src_ip,
        src_port: sighting.src_port,
        dst_ip: sighting.dst_ip,
        dst_port: sighting.dst_port,
        proto: None,
        sensor: Text::Word(SENSOR),
    }
}

fn row(host: Option<IpAddr>, indicator: &Indicator, sum: Sum, now: jiff::Timestamp) -> AlertRow {
    let context = &indicator.context;
    let value = indicator.key.to_string();
    let kind = indicator.key.kind().name();
    let severity = context.severity.unwrap_or(Severity::MEDIUM);
    let family = context.family.clone().or_else(|| context.actor.clone());
    let who = host.map_or_else(|| "a host".to_owned(), |host| host.to_string());
    let named = family.as_deref().map(|family| format!(" ({family})")).unwrap_or_default();
    let times = if sum.count == 1 { "once".to_owned() } else { format!("{} times", sum.count) };
    let (table, column) =
        sum.places.first_key_value().map_or(("flow", "dst_ip"), |(t, c)| (*t, *c));
    let evidence = json!({
        "retrospective": true,
        "detected_at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "seen": sum.seen,
        "places": sum.places.iter().map(|(t, c)| format!("{t}.{c}")).collect::<Vec<_>>(),
        "uids": sum.uids,
        "feed": &*context.source,
        "line": indicator.origin.line,
        "reference": context.reference,
        "advice": context.advice,
    });
    let quoted = sum.seen.replace('\'', "''");
    let of_host = host.map(|host| format!(" AND (src_ip = '{host}' OR dst_ip = '{host}')"));
    let text = |text: String| Text::from(text);
    let record = AlertRecord {
        alert_id: text(id(host, indicator)),
        detector: DETECTOR,
        title: text(format!("{who} met {kind} {value}{named}, found in hindsight")),
        description: text(format!(
            "{} lists {kind} {value}{named}. {who} met it {times}, as {table}.{column}; this was \
             found by matching new indicators with old traffic.",
            context.source
        )),
        severity: level(severity),
        severity_number: severity.number(),
        confidence: f64::from(context.confidence.map_or(CONFIDENCE, |share| share.percent()))
            / 100.0,
        technique: context.technique.iter().map(|name| text(name.to_string())).collect(),
        stage: context.stage.map_or("command_and_control", |stage| stage.name()),
        host: host.map(|host| text(host.to_string())),
        indicator: Some(text(value)),
        indicator_type: Some(kind),
        family: family.map(text),
        intel_source: Some(text(context.source.to_string())),
        first_ts: sum.first,
        last_ts: sum.last,
        count: sum.count,
        evidence: text(evidence.to_string()),
        hunt: Some(text(match column {
            "uri" => format!("SELECT * FROM {table} WHERE uid = '{}'", first(&sum.uids)),
            "answers" | "san" => format!(
                "SELECT * FROM {table} WHERE array_has({column}, '{quoted}'){}",
                of_host.unwrap_or_default()
            ),
            _ => format!(
                "SELECT * FROM {table} WHERE {column} = '{quoted}'{}",
                of_host.unwrap_or_default()
            ),
        })),
        incident: None,
    };
    AlertRow(Header { ts: sum.first, ..sum.ends }, record)
}

fn first(uids: &[String]) -> &str {
    uids.first().map_or("", String::as_str)
}

/// The level of GB/T 20986-2023 that a severity from 1 to 10 stands for.
fn level(severity: Severity) -> &'static str {
    match severity.number() {
        10 => "P0",
        8 | 9 => "P1",
        5..=7 => "P2",
        _ => "P3",
    }
}

fn id(host: Option<IpAddr>, indicator: &Indicator) -> String {
    let mut hash = Sha256::new();
    let host = host.map(|host| host.to_string()).unwrap_or_default();
    let kind = indicator.key.kind().name();
    for part in [SENSOR, &host, kind, &indicator.key.to_string(), &indicator.context.source] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Alerts as columns.
pub(super) fn batch(rows: &[AlertRow]) -> Result<RecordBatch, HuntError> {
    let rows: Vec<_> =
        rows.iter().map(|AlertRow(header, row)| (header.clone(), row.clone())).collect();
    columns_of(&rows)
}
