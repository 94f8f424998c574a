//! Elastic Common Schema, 9.4.
//!
//! In: an alert. Out: its JSON, with the schema's names where it has one, and everything else
//! under `serval`. What was not seen is left out.

use serde_json::{Value, json};

use super::{is_address, pruned};
use crate::alerts::alert::Alert;

/// The version that `ecs.version` names.
const VERSION: &str = "9.4.0";

/// The object.
pub(super) fn object(sequence: u64, alert: &Alert, left_out: &[&str]) -> Value {
    let host_is_address = alert.host.as_deref().is_some_and(is_address);
    pruned(json!({
        "@timestamp": alert.ts,
        "ecs": { "version": VERSION },
        "message": alert.title,
        "event": {
            "kind": "alert",
            "category": ["intrusion_detection", "network"],
            "type": ["info"],
            "module": "serval",
            "dataset": "serval.alert",
            "provider": alert.detector,
            "id": alert.alert_id,
            "sequence": sequence,
            "severity": alert.severity_number,
            "risk_score": (alert.confidence * 100.0).round(),
            "reason": alert.description,
            "start": alert.first_ts,
            "end": alert.last_ts,
        },
        "source": { "ip": alert.src_ip, "port": alert.src_port },
        "destination": { "ip": alert.dst_ip, "port": alert.dst_port },
        "network": network(alert),
        "host": { "ip": alert.host.iter().filter(|_| host_is_address).collect::<Vec<_>>() },
        "observer": {
            "name": alert.sensor,
            "vendor": "Serval",
            "product": "Serval",
            "type": "ids",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "rule": { "name": alert.detector, "category": alert.stage },
        "threat": threat(alert),
        "related": related(alert),
        "serval": {
            "severity": alert.severity.name(),
            "confidence": alert.confidence,
            "host": alert.host,
            "uid": alert.uid,
            "family": alert.family,
            "indicator_type": alert.indicator_type,
            "count": alert.count,
            "evidence": alert.evidence,
            "hunt": alert.hunt,
            "incident": alert.incident,
            "left_out": left_out,
        },
    }))
}

/// The transport, by its name or its number.
fn network(alert: &Alert) -> Value {
    let proto = alert.proto.as_deref();
    match proto.map(str::parse::<u8>) {
        Some(Ok(number)) => json!({ "iana_number": number.to_string() }),
        _ => json!({ "transport": proto.map(|p| if p == "icmp6" { "ipv6-icmp" } else { p }) }),
    }
}

fn threat(alert: &Alert) -> Value {
    let has_technique = !alert.technique.is_empty();
    let enrichment = alert.indicator.as_ref().map(|indicator| {
        json!({
            "indicator": {
                "name": indicator,
                "type": indicator_type(alert),
                "provider": alert.intel_source,
                "confidence": confidence(alert.confidence),
            },
            "matched": { "atomic": indicator, "type": "indicator_match_rule" },
        })
    });
    json!({
        "framework": has_technique.then_some("MITRE ATT&CK"),
        "technique": { "id": alert.technique },
        "software": { "name": alert.family },
        "feed": { "name": alert.intel_source },
        "enrichments": enrichment.into_iter().collect::<Vec<_>>(),
    })
}

/// The schema's word for a kind of indicator.
fn indicator_type(alert: &Alert) -> Option<&'static str> {
    let is_v6 = alert.indicator.as_ref().is_some_and(|value| value.matches(':').count() > 1);
    Some(match alert.indicator_type.as_deref()? {
        "domain" => "domain-name",
        "address" | "network" | "address_port" if is_v6 => "ipv6-addr",
        "address" | "network" | "address_port" => "ipv4-addr",
        "url" => "url",
        "cert_sha1" | "cert_sha256" => "x509-certificate",
        "md5" | "sha1" | "sha256" | "file_name" => "file",
        "ja3" | "ja4" | "user_agent" => "software",
        _ => return None,
    })
}

/// The schema's scale of confidence.
fn confidence(share: f64) -> &'static str {
    match share {
        share if share >= 0.7 => "High",
        share if share >= 0.3 => "Medium",
        share if share > 0.0 => "Low",
        _ => "None",
    }
}

/// What an analyst pivots on.
fn related(alert: &Alert) -> Value {
    let indicator_of = |kinds: &[&str]| {
        let is_of = alert.indicator_type.as_deref().is_some_and(|kind| kinds.contains(&kind));
        alert.indicator.as_ref().filter(|_| is_of)
    };
    let addresses = [&alert.src_ip, &alert.dst_ip, &alert.host];
    let mut ips: Vec<&String> = addresses.into_iter().flatten().collect();
    ips.extend(indicator_of(&["address"]));
    ips.retain(|text| is_address(text));
    ips.sort();
    ips.dedup();
    json!({
        "ip": ips,
        "hosts": indicator_of(&["domain"]).into_iter().collect::<Vec<_>>(),
        "hash": indicator_of(&["md5", "sha1", "sha256", "ja3", "cert_sha1", "cert_sha256"])
            .into_iter()
            .collect::<Vec<_>>(),
    })
}
