//! Open Cybersecurity Schema Framework 1.8: a Detection Finding (class 2004).
//!
//! In: an alert. Out: its JSON, with the class's names; what it has no name for is in `unmapped`.
//! A match of an indicator carries the profile `osint`. What was not seen is left out.

use serde_json::{Value, json};

use super::{is_address, pruned};
use crate::alerts::alert::{Alert, Level};

/// The version that `metadata.version` names.
const VERSION: &str = "1.8.0";

/// Detection Finding, created.
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;
const CREATE: u32 = 1;

/// The object.
pub(super) fn object(sequence: u64, alert: &Alert, left_out: &[&str]) -> Value {
    let first = alert.first_ts.as_deref().and_then(Alert::millis);
    let last = alert.last_ts.as_deref().and_then(Alert::millis);
    pruned(json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Detection Finding: Create",
        "time": Alert::millis(&alert.ts).unwrap_or_default(),
        "start_time": first,
        "end_time": last,
        "count": alert.count,
        "severity_id": severity(alert.severity),
        "severity": severity_name(alert.severity),
        "status_id": 1,
        "status": "New",
        "confidence_score": percent(alert.confidence),
        "is_alert": true,
        "message": alert.title,
        "metadata": {
            "version": VERSION,
            "product": {
                "name": "Serval",
                "vendor_name": "Serval",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "profiles": alert.indicator.iter().map(|_| "osint").collect::<Vec<_>>(),
            "log_name": "alert",
            "log_provider": alert.sensor,
            "event_code": alert.detector,
            "original_time": alert.ts,
            "sequence": sequence,
            "uid": format!("{}-{sequence}", alert.sensor),
            "is_truncated": (!left_out.is_empty()).then_some(true),
        },
        "finding_info": {
            "uid": alert.alert_id,
            "title": alert.title,
            "desc": alert.description,
            "types": [alert.detector],
            "analytic": analytic(&alert.detector),
            "attacks": alert.technique.iter().map(|id| attack(id)).collect::<Vec<_>>(),
            "kill_chain": alert.stage.iter().map(|stage| phase(stage)).collect::<Vec<_>>(),
            "first_seen_time": first,
            "last_seen_time": last,
            "product_uid": alert.sensor,
        },
        "evidences": [evidence(alert)],
        "observables": observables(alert),
        "osint": osint(alert),
        "unmapped": {
            "severity": alert.severity.name(),
            "severity_number": alert.severity_number,
            "stage": alert.stage,
            "host": alert.host,
            "family": alert.family,
            "hunt": alert.hunt,
            "incident": alert.incident,
            "left_out": left_out,
        },
    }))
}

const fn severity(level: Level) -> u8 {
    match level {
        Level::P0 => 5,
        Level::P1 => 4,
        Level::P2 => 3,
        Level::P3 => 2,
    }
}

const fn severity_name(level: Level) -> &'static str {
    match level {
        Level::P0 => "Critical",
        Level::P1 => "High",
        Level::P2 => "Medium",
        Level::P3 => "Low",
    }
}

/// A share of one as a whole number of hundredths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 100, and a cast of a float saturates"
)]
fn percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// The detector: a match of an indicator is a rule, everything else watches behaviour.
fn analytic(detector: &str) -> Value {
    let (kind, name) = if detector == "intel" { (1, "Rule") } else { (2, "Behavioral") };
    json!({ "uid": detector, "name": detector, "type_id": kind, "type": name })
}

/// A technique, with its sub-technique where the id names one.
fn attack(id: &str) -> Value {
    match id.split_once('.') {
        Some((technique, _)) => {
            json!({ "technique": { "uid": technique }, "sub_technique": { "uid": id } })
        }
        None => json!({ "technique": { "uid": id } }),
    }
}

/// A stage, as the kill chain has it.
fn phase(stage: &str) -> Value {
    let (id, name) = match stage {
        "reconnaissance" | "discovery" => (1, "Reconnaissance"),
        "delivery" => (3, "Delivery"),
        "initial_access" | "exploitation" | "execution" => (4, "Exploitation"),
        "installation" | "persistence" => (5, "Installation"),
        "command_and_control" => (6, "Command & Control"),
        "lateral_movement"
        | "exfiltration"
        | "impact"
        | "collection"
        | "credential_access"
        | "actions_on_objectives" => (7, "Actions on Objectives"),
        other => (99, other),
    };
    json!({ "phase_id": id, "phase": name })
}

/// The flow, and the figures.
fn evidence(alert: &Alert) -> Value {
    let figures = alert.evidence.as_deref().map(|text| {
        // Text that is no JSON is shown as the text that it is.
        serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::from(text))
    });
    let has_flow = alert.proto.is_some() || alert.uid.is_some();
    let connection = has_flow.then(|| {
        let number = alert.proto.as_deref().and_then(|proto| match proto {
            "icmp" => Some(1),
            "tcp" => Some(6),
            "udp" => Some(17),
            "icmp6" => Some(58),
            "sctp" => Some(132),
            number => number.parse::<u8>().ok(),
        });
        json!({
            "direction_id": 0,
            "protocol_name": alert.proto,
            "protocol_num": number,
            "uid": alert.uid,
        })
    });
    json!({
        "uid": alert.uid,
        "src_endpoint": endpoint(alert.src_ip.as_ref(), alert.src_port),
        "dst_endpoint": endpoint(alert.dst_ip.as_ref(), alert.dst_port),
        "connection_info": connection,
        "data": figures.unwrap_or_else(|| json!({ "alert": alert.alert_id })),
    })
}

fn endpoint(ip: Option<&String>, port: Option<u16>) -> Option<Value> {
    ip.map(|ip| json!({ "ip": ip, "port": port }))
}

/// What an analyst pivots on: addresses, and the indicator where the schema knows its kind.
fn observables(alert: &Alert) -> Vec<Value> {
    let observable = |name: &str, kind: u8, kind_name: &str, value: &str| {
        let kind_name = kind_name.to_owned();
        json!({ "name": name, "type_id": kind, "type": kind_name, "value": value })
    };
    let address = |name: &str, value: Option<&String>| {
        let value = value.filter(|value| is_address(value));
        value.map(|value| observable(name, 2, "IP Address", value))
    };
    let indicator = alert.indicator.as_ref().and_then(|value| {
        let (kind, kind_name) = match alert.indicator_type.as_deref()? {
            "domain" => (1, "Hostname"),
            "address" => (2, "IP Address"),
            "url" => (6, "URL String"),
            "file_name" => (7, "File Name"),
            "md5" | "sha1" | "sha256" => (8, "Hash"),
            _ => return None,
        };
        Some(observable("osint[].value", kind, kind_name, value))
    });
    [
        address("evidences[].src_endpoint.ip", alert.src_ip.as_ref()),
        address("evidences[].dst_endpoint.ip", alert.dst_ip.as_ref()),
        address("unmapped.host", alert.host.as_ref()),
        indicator,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The indicator that matched.
fn osint(alert: &Alert) -> Vec<Value> {
    let indicator = alert.indicator.as_ref().map(|value| {
        let (kind, name) = match alert.indicator_type.as_deref() {
            Some("address" | "network" | "address_port") => (1, "IP Address"),
            Some("domain") => (2, "Domain"),
            Some("md5" | "sha1" | "sha256") => (4, "Hash"),
            Some("url") => (5, "URL"),
            Some("user_agent") => (6, "User Agent"),
            Some("cert_sha1" | "cert_sha256") => (7, "Digital Certificate"),
            Some("file_name") => (11, "File"),
            other => (99, other.unwrap_or("other")),
        };
        json!({
            "value": value,
            "type_id": kind,
            "type": name,
            "name": alert.family,
            "vendor_name": alert.intel_source,
        })
    });
    indicator.into_iter().collect()
}
