//! The figures of a running sensor for Prometheus (OpenMetrics text).
//!
//! In: a [`Status`] and the gauges of other rooms. Out: the exposition.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::status::Status;
use crate::stats::Gauge;

/// The content type of the exposition.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One look at the sensor.
#[derive(Debug)]
struct Look {
    status: Status,
    gauges: Vec<Gauge>,
}

/// The exposition of one look.
pub(super) fn exposition(status: Status, gauges: Vec<Gauge>) -> String {
    let mut registry = Registry::with_prefix("serval");
    registry.register_collector(Box::new(Look { status, gauges }));
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = text::encode(&mut out, &registry);
    out
}

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let totals = &self.status.totals;
        for (name, help, value) in [
            ("packets_received", "Packets given by the interfaces", totals.received),
            ("packets_decoded", "Packets that belong to a flow", totals.decoded),
            ("captured_bytes", "Captured bytes", totals.bytes),
            ("kernel_drops", "Packets that the kernel lost before the sensor", totals.kernel_drops),
            ("interface_drops", "Packets that the interface lost", totals.interface_drops),
            ("bad_checksums", "Packets with a bad checksum", totals.bad_checksums),
            ("flows_evicted", "Flows ended because the table was full", totals.flows_evicted),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let help = "Packets that reached no flow";
        let mut skipped =
            encoder.encode_descriptor("packets_skipped", help, None, MetricType::Counter)?;
        for (reason, count) in &self.status.skipped {
            let labels = [("reason", reason.as_str())];
            ConstCounter::new(*count).encode(skipped.encode_family(&labels)?)?;
        }
        let help = "Whether the interface is heard";
        let mut heard =
            encoder.encode_descriptor("interface_heard", help, None, MetricType::Gauge)?;
        for (name, is_heard) in &self.status.interfaces {
            let labels = [("interface", name.as_str())];
            ConstGauge::new(i64::from(*is_heard)).encode(heard.encode_family(&labels)?)?;
        }
        let own = [
            ("flows_open", "Flows in the table", totals.flows_open),
            ("memory_bytes", "Memory of the process alone", self.status.memory_bytes),
            ("uptime_seconds", "Time since the start", self.status.uptime_seconds),
        ];
        let others = self.gauges.iter().map(|gauge| (gauge.name, gauge.help, gauge.value));
        for (name, help, value) in own.into_iter().chain(others) {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_names_help_types_and_labels() {
        let mut status = Status::default();
        status.totals.received = 12;
        status.skipped.insert("arp".to_owned(), 3);
        status.interfaces.insert("eth0".to_owned(), true);
        let gauges = vec![Gauge { name: "outbox_entries", help: "Alerts that wait", value: 5 }];
        let text = exposition(status, gauges);
        for line in [
            "# TYPE serval_packets_received counter",
            "serval_packets_received_total 12",
            "serval_packets_skipped_total{reason=\"arp\"} 3",
            "serval_interface_heard{interface=\"eth0\"} 1",
            "# HELP serval_outbox_entries Alerts that wait",
            "serval_outbox_entries 5",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
