//! The figures of a running sensor for Prometheus (OpenMetrics text).
//!
//! In: a [`Status`]. Out: the exposition.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::status::Status;
use crate::watch::standing::Standing;

/// The content type of the exposition.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One look at the sensor.
#[derive(Debug)]
struct Look(Status);

/// The exposition of one look.
pub(super) fn exposition(status: Status) -> String {
    let mut registry = Registry::with_prefix("serval");
    registry.register_collector(Box::new(Look(status)));
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = text::encode(&mut out, &registry);
    out
}

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Self(status) = self;
        for (name, help, value) in counters(status) {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        for (name, help, value) in gauges(status) {
            gauge(value).encode(encoder.encode_descriptor(
                name,
                help,
                None,
                MetricType::Gauge,
            )?)?;
        }
        for Family { kind, name, help, label, values } in families(status) {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (of, value) in values {
                let labels = [(label, of)];
                let encoder = family.encode_family(&labels)?;
                match kind {
                    MetricType::Counter => ConstCounter::new(value).encode(encoder)?,
                    _ => gauge(value).encode(encoder)?,
                }
            }
        }
        Ok(())
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}

fn counters(status: &Status) -> [(&'static str, &'static str, u64); 11] {
    let json_lost = status.watch.json.map_or(0, |json| json.lost);
    let (totals, alerts) = (&status.totals, &status.watch.alerts);
    [
        ("packets_received", "Packets given by the interfaces", totals.received),
        ("packets_decoded", "Packets that belong to a flow", totals.decoded),
        ("captured_bytes", "Captured bytes", totals.bytes),
        ("kernel_drops", "Packets that the kernel lost before the sensor", totals.kernel_drops),
        ("interface_drops", "Packets that the interface lost", totals.interface_drops),
        ("bad_checksums", "Packets with a bad checksum", totals.bad_checksums),
        ("flows_evicted", "Flows ended because the table was full", totals.flows_evicted),
        ("alerts_raised", "Alerts", alerts.raised),
        ("alerts_unlikely", "Alerts that were too unlikely to be told", alerts.unlikely),
        ("alerts_silenced", "Alerts that the allow-list silenced", alerts.silenced),
        ("json_rows_lost", "Rows that the stream of JSON had no room for", json_lost),
    ]
}

fn gauges(status: &Status) -> Vec<(&'static str, &'static str, u64)> {
    let mut gauges = vec![
        ("flows_open", "Flows in the table", status.totals.flows_open),
        ("memory_bytes", "Memory of the process alone", status.memory_bytes),
        ("uptime_seconds", "Time since the start", status.uptime_seconds),
    ];
    if let Some(archive) = &status.watch.archive {
        let (waiting, writable) = (archive.waiting_bytes, u64::from(archive.is_writable));
        gauges.push(("archive_waiting_bytes", "Memory of rows that are in no file yet", waiting));
        gauges.push(("archive_writable", "Whether files of the archive can be written", writable));
    }
    if let Some(json) = &status.watch.json {
        gauges.push((
            "json_waiting_bytes",
            "Rows as JSON that wait for a reader",
            json.waiting_bytes,
        ));
    }
    gauges
}

/// Figures of several things of a kind: name, help, label, and the value of each.
struct Family<'a> {
    kind: MetricType,
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: Vec<(&'a str, u64)>,
}

impl<'a> Family<'a> {
    fn new(
        kind: MetricType,
        [name, help, label]: [&'static str; 3],
        values: impl Iterator<Item = (&'a String, u64)>,
    ) -> Self {
        let values = values.map(|(of, value)| (of.as_str(), value)).collect();
        Self { kind, name, help, label, values }
    }
}

fn families(status: &Status) -> [Family<'_>; 10] {
    use MetricType::{Counter, Gauge};

    let Standing { rows, memory, feeds, sinks, .. } = &status.watch;
    let skipped = status.skipped.iter().map(|(reason, packets)| (reason, *packets));
    let heard = status.interfaces.iter().map(|(name, heard)| (name, u64::from(*heard)));
    let rows = rows.iter().map(|(table, rows)| (table, *rows));
    let entries = memory.iter().filter_map(|(name, fill)| Some((name, fill.entries?)));
    let evicted = memory.iter().map(|(name, fill)| (name, fill.evicted));
    let indicators = feeds.iter().map(|(name, feed)| (name, feed.indicators));
    let ages = feeds.iter().filter_map(|(name, feed)| Some((name, feed.age_seconds?)));
    let delivered = sinks.iter().map(|(name, sink)| (name, sink.delivered));
    let refused = sinks.iter().map(|(name, sink)| (name, sink.refused));
    let shed = sinks.iter().map(|(name, sink)| (name, sink.shed));
    [
        Family::new(Counter, ["packets_skipped", "Packets of no flow", "reason"], skipped),
        Family::new(Gauge, ["interface_heard", "Whether packets can be heard", "interface"], heard),
        Family::new(Counter, ["rows", "Rows", "table"], rows),
        Family::new(Gauge, ["memory_entries", "Entries in memory", "of"], entries),
        Family::new(
            Counter,
            ["memory_evicted", "Entries that made room for others", "of"],
            evicted,
        ),
        Family::new(Gauge, ["feed_indicators", "Indicators", "feed"], indicators),
        Family::new(Gauge, ["feed_age_seconds", "Age of the feed", "feed"], ages),
        Family::new(Counter, ["alerts_delivered", "Alerts that the sink got", "sink"], delivered),
        Family::new(Counter, ["alerts_refused", "Alerts that the sink refused", "sink"], refused),
        Family::new(Counter, ["alerts_shed", "Alerts shed before it got them", "sink"], shed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::stream::StreamStanding;
    use crate::watch::standing::{ArchiveStanding, FeedStanding, Fill, SinkStanding};

    #[test]
    fn figures_have_names_help_types_and_labels() {
        let mut status = Status::default();
        status.totals.received = 12;
        status.skipped.insert("arp".to_owned(), 3);
        status.interfaces.insert("eth0".to_owned(), true);
        status.watch.rows.insert("dns".to_owned(), 7);
        let fill = Fill { entries: Some(8), evicted: 9 };
        status.watch.memory.insert("names".to_owned(), fill);
        let feed = FeedStanding { indicators: 10, age_seconds: Some(60) };
        status.watch.feeds.insert("c2 \"list\"".to_owned(), feed);
        let sink = SinkStanding { delivered: 4, ..SinkStanding::default() };
        status.watch.sinks.insert("soc".to_owned(), sink);
        status.watch.archive = Some(ArchiveStanding { waiting_bytes: 5, is_writable: false });
        status.watch.json = Some(StreamStanding { waiting_bytes: 6, lost: 2 });
        let text = exposition(status);
        for line in [
            "# TYPE serval_packets_received counter",
            "serval_packets_received_total 12",
            "serval_packets_skipped_total{reason=\"arp\"} 3",
            "serval_interface_heard{interface=\"eth0\"} 1",
            "serval_rows_total{table=\"dns\"} 7",
            "serval_memory_entries{of=\"names\"} 8",
            "serval_memory_evicted_total{of=\"names\"} 9",
            "serval_feed_indicators{feed=\"c2 \\\"list\\\"\"} 10",
            "serval_feed_age_seconds{feed=\"c2 \\\"list\\\"\"} 60",
            "serval_alerts_delivered_total{sink=\"soc\"} 4",
            "serval_archive_waiting_bytes 5",
            "serval_archive_writable 0",
            "serval_json_waiting_bytes 6",
            "serval_json_rows_lost_total 2",
            "# HELP serval_alerts_shed Alerts shed before it got them",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
