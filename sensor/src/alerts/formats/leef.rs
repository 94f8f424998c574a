//! IBM Log Event Extended Format, version 2.0.
//!
//! In: an alert. Out: `LEEF:2.0|Serval|Serval|VERSION|DETECTOR|x09|KEY=VALUE<tab>…`. The format has
//! no escapes, so values must not hold what ends them: control characters, the tab and line ends
//! among them, are written as `\xHH`. In the header a `|` is written as `\x7c`. A value may hold
//! `=`: the first one of a pair ends the key.

use crate::alerts::alert::{Alert, line};

/// The message.
pub(super) fn message(sequence: u64, alert: &Alert) -> Vec<u8> {
    let mut text = format!(
        "LEEF:2.0|Serval|Serval|{}|{}|x09|",
        env!("CARGO_PKG_VERSION"),
        line(&alert.detector).replace('|', "\\x7c"),
    );
    let mut separator = "";
    for (key, value) in attributes(sequence, alert) {
        text.push_str(separator);
        text.push_str(key);
        text.push('=');
        text.push_str(&line(&value));
        separator = "\t";
    }
    text.into_bytes()
}

/// The keys that have a value, in this order.
fn attributes(sequence: u64, alert: &Alert) -> Vec<(&'static str, String)> {
    let time = dev_time(&alert.ts);
    let format = time.is_some().then(|| "yyyy-MM-dd'T'HH:mm:ss.SSSZ".to_owned());
    let pairs = [
        ("cat", alert.stage.clone()),
        ("devTime", time),
        ("devTimeFormat", format),
        ("sev", Some(alert.severity_number.clamp(1, 10).to_string())),
        ("proto", alert.proto.as_ref().map(|proto| proto.to_ascii_uppercase())),
        ("src", alert.src_ip.clone()),
        ("srcPort", alert.src_port.map(|port| port.to_string())),
        ("dst", alert.dst_ip.clone()),
        ("dstPort", alert.dst_port.map(|port| port.to_string())),
        ("identHostName", alert.host.clone()),
        ("sensor", Some(alert.sensor.clone())),
        ("seq", Some(sequence.to_string())),
        ("alertId", Some(alert.alert_id.clone())),
        ("title", Some(alert.title.clone())),
        ("severity", Some(alert.severity.name().to_owned())),
        ("confidence", Some(alert.confidence.to_string())),
        ("technique", Some(alert.technique.join(","))),
        ("indicator", alert.indicator.clone()),
        ("indicatorType", alert.indicator_type.clone()),
        ("family", alert.family.clone()),
        ("intelSource", alert.intel_source.clone()),
        ("uid", alert.uid.clone()),
        ("count", alert.count.map(|count| count.to_string())),
        ("firstTime", alert.first_ts.clone()),
        ("lastTime", alert.last_ts.clone()),
        ("incident", alert.incident.clone()),
        ("description", alert.description.clone()),
        ("hunt", alert.hunt.clone()),
        ("evidence", alert.evidence.clone()),
    ];
    let pairs = pairs.into_iter().filter_map(|(key, value)| Some((key, value?)));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// The time in milliseconds with the zone as QRadar reads it: `2026-01-02T03:04:05.678+0000`.
fn dev_time(ts: &str) -> Option<String> {
    let time = ts.parse::<jiff::Timestamp>().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string())
}
