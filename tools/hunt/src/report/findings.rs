//! What a report tells: questions to the archive, and their answers as rows.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::ask::collect;
use crate::engine::Engine;
use crate::error::HuntError;
use crate::output::{Cell, Cells};

/// A row: its columns by name.
pub(super) type Row = Map<String, Value>;

/// Beacons whose intervals are drawn.
const BEACONS_DRAWN: usize = 6;

/// All that a report tells.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    /// What it is about.
    pub(super) title: String,
    /// Where from.
    pub(super) archive: String,
    /// When it was written.
    pub(super) written: String,
    /// Sums over the window.
    pub(super) totals: Row,
    /// The same of the window before, of the same length; empty where there is none.
    pub(super) totals_before: Row,
    /// Alerts by severity.
    pub(super) severities: Vec<Row>,
    /// The gravest alerts, those of one detector and host in one.
    pub(super) alerts: Vec<Row>,
    /// Hosts by the gravest of their alerts.
    pub(super) hosts: Vec<Row>,
    /// Alerts of those hosts in the order of time.
    pub(super) chain: Vec<Row>,
    /// Pairs that speak at a steady rhythm.
    pub(super) beacons: Vec<Beacon>,
    /// Hosts that try many others.
    pub(super) scans: Vec<Row>,
    /// Remote desktop sessions by weekday and hour.
    pub(super) rdp_hours: Vec<Row>,
    /// The same over the weeks before, a week's mean.
    pub(super) rdp_hours_usual: Vec<Row>,
    /// Remote desktop by pair.
    pub(super) rdp_pairs: Vec<Row>,
    /// Hosts that move most bytes.
    pub(super) talkers: Vec<Row>,
    /// Bytes by service over time.
    pub(super) services: Vec<Row>,
    /// How long each part of that time is.
    pub(super) bucket_seconds: i64,
    /// What the sensors received and lost.
    pub(super) health: Vec<Row>,
}

/// A pair that speaks at a steady rhythm.
#[derive(Debug, Serialize)]
pub(super) struct Beacon {
    /// Who, whom, how often.
    #[serde(flatten)]
    pub(super) pair: Row,
    /// Seconds between beats, in the order of time.
    pub(super) intervals: Vec<f64>,
}

/// Asks for everything.
pub(super) async fn find(
    now: &Engine,
    before: Option<&Engine>,
    usual: Option<&Engine>,
) -> Result<Findings, HuntError> {
    let first = |rows: Vec<Row>| rows.into_iter().next().unwrap_or_default();
    let bucket_seconds = bucket(now).await?;
    let services = SERVICES.replace("{bucket}", &bucket_seconds.to_string());
    Ok(Findings {
        totals: first(rows(now, TOTALS).await?),
        totals_before: match before {
            Some(before) => first(rows(before, TOTALS).await?),
            None => Row::new(),
        },
        severities: rows(now, SEVERITIES).await?,
        alerts: rows(now, ALERTS).await?,
        hosts: rows(now, HOSTS).await?,
        chain: rows(now, CHAIN).await?,
        beacons: beacons(now).await?,
        scans: rows(now, SCANS).await?,
        rdp_hours: rows(now, RDP_HOURS).await?,
        rdp_hours_usual: match usual {
            Some(usual) => rows(usual, RDP_HOURS).await?,
            None => Vec::new(),
        },
        rdp_pairs: rows(now, RDP_PAIRS).await?,
        talkers: rows(now, TALKERS).await?,
        services: rows(now, &services).await?,
        bucket_seconds,
        health: rows(now, HEALTH).await?,
        ..Findings::default()
    })
}

/// How finely time is cut, in seconds: into some dozens of parts.
async fn bucket(engine: &Engine) -> Result<i64, HuntError> {
    let span = rows(
        engine,
        "SELECT date_part('epoch', max(ts)) - date_part('epoch', min(ts)) AS seconds FROM flow",
    )
    .await?;
    let seconds = span.first().and_then(|row| row.get("seconds")).and_then(Value::as_f64);
    Ok(match seconds.unwrap_or_default() {
        seconds if seconds <= 7_200.0 => 120,
        seconds if seconds <= 172_800.0 => 3_600,
        seconds if seconds <= 1_209_600.0 => 21_600,
        _ => 86_400,
    })
}

async fn beacons(engine: &Engine) -> Result<Vec<Beacon>, HuntError> {
    let mut found = Vec::new();
    for pair in rows(engine, BEACONS).await? {
        let intervals = match pair.get("intervals") {
            Some(Value::Array(seconds)) if found.len() < BEACONS_DRAWN => {
                seconds.iter().filter_map(Value::as_f64).collect()
            }
            _ => Vec::new(),
        };
        let pair = pair.into_iter().filter(|(name, _)| name != "intervals").collect();
        found.push(Beacon { pair, intervals });
    }
    Ok(found)
}

/// The rows of an answer.
async fn rows(engine: &Engine, sql: &str) -> Result<Vec<Row>, HuntError> {
    let answer = engine.query(sql).await?;
    let names: Vec<String> =
        answer.schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in collect(engine, answer).await? {
        for cells in Cells::new(&batch)?.rows() {
            rows.push(names.iter().cloned().zip(cells?.into_iter().map(value)).collect());
        }
    }
    Ok(rows)
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(truth) => truth.into(),
        Cell::Number(text) => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .unwrap_or(Value::Null),
        Cell::Text(text) => crate::output::safe(&text).into_owned().into(),
        Cell::List(cells) => cells.into_iter().map(value).collect(),
    }
}

const TOTALS: &str = "
SELECT f.flows, f.bytes, f.hosts, f.outside_bytes, a.alerts, d.nxdomain
FROM (SELECT count(*) AS flows, coalesce(sum(src_bytes + dst_bytes), 0) AS bytes,
             count(DISTINCT CASE WHEN is_private(src_ip) THEN src_ip END) AS hosts,
             coalesce(sum(CASE WHEN NOT is_private(dst_ip) THEN src_bytes END), 0) AS outside_bytes
      FROM flow) AS f
CROSS JOIN (SELECT count(*) AS alerts FROM alert) AS a
CROSS JOIN (SELECT coalesce(sum(CASE WHEN rcode = 'NXDOMAIN' THEN 1 ELSE 0 END), 0) AS nxdomain
            FROM dns) AS d";

const SEVERITIES: &str = "
SELECT severity, count(*) AS alerts, count(DISTINCT host) AS hosts
FROM alert GROUP BY severity ORDER BY severity";

/// The gravest alert of each detector and host, and how many there are like it.
const ALERTS: &str = "
WITH ranked AS (
  SELECT *, count(*) OVER (PARTITION BY detector, host) AS alike,
         min(coalesce(first_ts, ts)) OVER (PARTITION BY detector, host) AS from_ts,
         max(coalesce(last_ts, ts)) OVER (PARTITION BY detector, host) AS until_ts,
         row_number() OVER (PARTITION BY detector, host
           ORDER BY severity_number DESC, confidence DESC, ts) AS place
  FROM alert
)
SELECT from_ts, until_ts, severity, detector, host, title, description, confidence, technique,
       stage, family, indicator, alike, hunt, alert_id
FROM ranked WHERE place = 1
ORDER BY severity_number DESC, confidence DESC, from_ts, host, detector LIMIT 40";

const HOSTS: &str = "
WITH reached AS (
  SELECT host, stage, min(severity) AS severity, max(severity_number) AS severity_number,
         count(*) AS alerts, min(coalesce(first_ts, ts)) AS first_ts,
         max(coalesce(last_ts, ts)) AS last_ts
  FROM alert WHERE host IS NOT NULL GROUP BY host, stage
)
SELECT host, min(severity) AS severity, max(severity_number) AS severity_number,
       sum(alerts) AS alerts, count(stage) AS stages,
       array_agg(stage ORDER BY first_ts) FILTER (WHERE stage IS NOT NULL) AS chain,
       min(first_ts) AS first_ts, max(last_ts) AS last_ts
FROM reached GROUP BY host
ORDER BY severity_number DESC, stages DESC, alerts DESC, host LIMIT 10";

const CHAIN: &str = "
WITH worst AS (
  SELECT host, max(severity_number) AS worst, count(DISTINCT stage) AS stages, count(*) AS alerts
  FROM alert WHERE host IS NOT NULL GROUP BY host
  ORDER BY worst DESC, stages DESC, alerts DESC, host LIMIT 10
)
SELECT alert.host, stage, detector, title, severity, coalesce(first_ts, ts) AS first_ts,
       coalesce(last_ts, ts) AS last_ts,
       date_part('epoch', coalesce(first_ts, ts)) AS first_seconds,
       date_part('epoch', coalesce(last_ts, ts)) AS last_seconds
FROM alert JOIN worst ON worst.host = alert.host
WHERE detector <> 'incident'
ORDER BY worst.worst DESC, worst.stages DESC, worst.alerts DESC, alert.host, first_ts LIMIT 200";

/// Pairs by the detector's own score.
const BEACONS: &str = "
WITH beats AS (
  SELECT src_ip, dst_ip, dst_port, coalesce(dst_name, dst_ip) AS destination, service, ts,
         src_bytes,
         date_part('epoch', ts) - date_part('epoch', lag(ts) OVER (
           PARTITION BY src_ip, dst_ip, dst_port ORDER BY ts)) AS gap
  FROM flow
  WHERE part = 1 AND NOT is_private(dst_ip) AND proto IN ('tcp', 'udp') AND dst_port <> 123
), pairs AS (
  SELECT src_ip, dst_ip, dst_port, max(destination) AS destination, max(service) AS service,
         count(*) AS beats, beacon_period(ts, src_bytes) AS seconds,
         beacon_score(ts, src_bytes) AS score, sum(src_bytes) AS src_bytes,
         min(ts) AS first_ts, max(ts) AS last_ts,
         array_agg(round(gap, 2) ORDER BY ts) FILTER (WHERE gap >= 1.0) AS intervals
  FROM beats GROUP BY src_ip, dst_ip, dst_port HAVING count(*) >= 12
)
SELECT src_ip, destination, dst_ip, dst_port, service, beats, round(seconds, 1) AS seconds,
       round(score, 2) AS score, src_bytes, first_ts, last_ts,
       array_slice(intervals, 1, 200) AS intervals
FROM pairs WHERE score >= 0.7
ORDER BY score DESC, beats DESC, src_ip, dst_ip, dst_port LIMIT 12";

const SCANS: &str = "
SELECT src_ip, dst_port, count(DISTINCT dst_ip) AS targets,
       count(DISTINCT CASE WHEN state IN ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH')
                           THEN dst_ip END) AS failed,
       count(*) AS flows, min(ts) AS first_ts, max(ts) AS last_ts
FROM flow WHERE proto = 'tcp' AND part = 1
GROUP BY src_ip, dst_port
HAVING count(DISTINCT dst_ip) >= 10
   AND count(DISTINCT CASE WHEN state IN ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH')
                           THEN dst_ip END) * 2 >= count(DISTINCT dst_ip)
ORDER BY targets DESC, src_ip, dst_port LIMIT 12";

const RDP_HOURS: &str = "
SELECT date_part('dow', ts) AS day, date_part('hour', ts) AS hour_of_day, count(*) AS sessions,
       count(DISTINCT date) AS days
FROM rdp GROUP BY date_part('dow', ts), date_part('hour', ts) ORDER BY day, hour_of_day";

const RDP_PAIRS: &str = "
SELECT src_ip, dst_ip, max(cookie) AS cookie, count(*) AS sessions,
       sum(CASE WHEN auth_likely THEN 1 ELSE 0 END) AS logons, min(ts) AS first_ts,
       max(ts) AS last_ts
FROM rdp GROUP BY src_ip, dst_ip ORDER BY sessions DESC, src_ip, dst_ip LIMIT 12";

const TALKERS: &str = "
WITH ends AS (
  SELECT src_ip AS host, src_bytes AS sent, dst_bytes AS received FROM flow
  UNION ALL
  SELECT dst_ip AS host, dst_bytes AS sent, src_bytes AS received FROM flow
)
SELECT host, sum(sent + received) AS bytes, sum(sent) AS sent, sum(received) AS received,
       count(*) AS flows
FROM ends WHERE is_private(host) GROUP BY host
ORDER BY bytes DESC, host LIMIT 12";

const SERVICES: &str = "
WITH usual AS (
  SELECT coalesce(service, 'unknown') AS service, sum(src_bytes + dst_bytes) AS bytes
  FROM flow GROUP BY coalesce(service, 'unknown') ORDER BY bytes DESC, service LIMIT 7
)
SELECT date_part('epoch', date_bin(INTERVAL '{bucket} SECONDS', ts)) AS at_seconds,
       CASE WHEN usual.service IS NULL THEN 'others' ELSE usual.service END AS service,
       sum(src_bytes + dst_bytes) AS bytes, count(*) AS flows
FROM flow LEFT JOIN usual ON usual.service = coalesce(flow.service, 'unknown')
GROUP BY date_bin(INTERVAL '{bucket} SECONDS', ts),
         CASE WHEN usual.service IS NULL THEN 'others' ELSE usual.service END
ORDER BY at_seconds, service";

const HEALTH: &str = "
SELECT sensor, sum(received) AS received, sum(decoded) AS decoded, sum(skipped) AS skipped,
       sum(coalesce(kernel_drops, 0) + coalesce(interface_drops, 0) + queue_drops) AS dropped,
       round(100.0 * sum(coalesce(kernel_drops, 0) + coalesce(interface_drops, 0) + queue_drops)
             / greatest(sum(received) + sum(coalesce(kernel_drops, 0)
               + coalesce(interface_drops, 0) + queue_drops), 1), 3) AS loss_percent,
       round(max(gap_percent), 3) AS gap_percent, sum(flows_evicted) AS flows_evicted,
       max(ts) AS last_ts
FROM stats WHERE worker IS NULL GROUP BY sensor ORDER BY sensor";
