//! ArcSight Common Event Format, version 0.
//!
//! In: an alert. Out: `CEF:0|Serval|Serval|VERSION|DETECTOR|TITLE|SEVERITY|KEY=VALUE …`. In the
//! header `\` and `|` are escaped, in values `\`, `=` and line ends; other control characters are
//! written as `\xHH` before that. An IPv6 address goes into `c6a2` and `c6a3`, as version 0 wants.

use std::net::IpAddr;

use crate::alerts::alert::{Alert, line};

/// The message.
pub(super) fn message(sequence: u64, alert: &Alert) -> Vec<u8> {
    let mut text = format!(
        "CEF:0|Serval|Serval|{}|{}|{}|{}|",
        env!("CARGO_PKG_VERSION"),
        header(&alert.detector),
        header(&alert.title),
        alert.severity_number.min(10),
    );
    let mut separator = "";
    for (key, value) in extension(sequence, alert) {
        text.push_str(separator);
        text.push_str(key);
        text.push('=');
        escape(&value, &['\\', '='], &mut text);
        separator = " ";
    }
    text.into_bytes()
}

/// The keys that have a value, in this order.
fn extension(sequence: u64, alert: &Alert) -> Vec<(&'static str, String)> {
    let millis = |ts: Option<&str>| ts.and_then(Alert::millis).map(|millis| millis.to_string());
    let mut pairs = Vec::new();
    let mut put = |key: &'static str, value: Option<String>| {
        pairs.extend(value.filter(|value| !value.is_empty()).map(|value| (key, value)));
    };
    put("rt", millis(Some(&alert.ts)));
    put("externalId", Some(alert.alert_id.clone()));
    put("cat", alert.stage.clone());
    put("dvchost", Some(alert.sensor.clone()));
    for (ip, v4, v6, label, name) in [
        (&alert.src_ip, "src", "c6a2", "c6a2Label", "Source IPv6 Address"),
        (&alert.dst_ip, "dst", "c6a3", "c6a3Label", "Destination IPv6 Address"),
    ] {
        match ip.as_ref().and_then(|ip| ip.parse().ok()) {
            Some(IpAddr::V4(ip)) => put(v4, Some(ip.to_string())),
            Some(IpAddr::V6(ip)) => {
                put(v6, Some(ip.to_string()));
                put(label, Some(name.to_owned()));
            }
            None => {}
        }
    }
    put("spt", alert.src_port.map(|port| port.to_string()));
    put("dpt", alert.dst_port.map(|port| port.to_string()));
    put("proto", alert.proto.as_ref().map(|proto| proto.to_ascii_uppercase()));
    put("start", millis(alert.first_ts.as_deref()));
    put("end", millis(alert.last_ts.as_deref()));
    put("cnt", alert.count.map(|count| count.to_string()));
    put("cn1", i64::try_from(sequence).ok().map(|sequence| sequence.to_string()));
    put("cn1Label", Some("seq".to_owned()));
    put("cfp1", Some(alert.confidence.to_string()));
    put("cfp1Label", Some("confidence".to_owned()));
    for (key, label, name, value) in [
        ("cs1", "cs1Label", "technique", Some(alert.technique.join(","))),
        ("cs2", "cs2Label", "indicator", alert.indicator.clone()),
        ("cs3", "cs3Label", "indicator_type", alert.indicator_type.clone()),
        ("cs4", "cs4Label", "family", alert.family.clone()),
        ("cs5", "cs5Label", "intel_source", alert.intel_source.clone()),
        ("cs6", "cs6Label", "hunt", alert.hunt.clone()),
        ("flexString1", "flexString1Label", "host", alert.host.clone()),
        ("flexString2", "flexString2Label", "incident", alert.incident.clone()),
    ] {
        if value.as_ref().is_some_and(|value| !value.is_empty()) {
            put(key, value);
            put(label, Some(name.to_owned()));
        }
    }
    put("severity", Some(alert.severity.name().to_owned()));
    put("uid", alert.uid.clone());
    put("msg", alert.description.clone());
    put("evidence", alert.evidence.clone());
    pairs
}

/// A field of the header, which has no line ends.
fn header(text: &str) -> String {
    let mut field = String::with_capacity(text.len());
    escape(&line(text), &['\\', '|'], &mut field);
    field
}

/// Text with a backslash before each of `special`; line ends as `\r` and `\n`.
fn escape(text: &str, special: &[char], out: &mut String) {
    for (at, part) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        let (part, end) = part.strip_suffix('\r').map_or((part, ""), |part| (part, "\\r"));
        for c in line(part).chars() {
            if special.contains(&c) {
                out.push('\\');
            }
            out.push(c);
        }
        out.push_str(end);
    }
}
