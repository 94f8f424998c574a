//! The export as a bundle (OASIS STIX 2.1): for each indicator its pattern, the malware that it
//! indicates, the sightings here, and a note with hashes of the evidence, which stays at home.
//! Identifiers depend on what they stand for alone, so that the next export updates this one.

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use signatures::{Key, Kind, Scope};

use super::uuid::id;
use super::{Confirmed, instant};
use crate::cli::Tlp;

/// A JSON text of the bundle.
pub(super) fn bundle(confirmed: &[Confirmed], sensor: &str, tlp: Tlp) -> String {
    let identity = id("identity", &[sensor]);
    let mut objects = Vec::new();
    let mut newest = "1970-01-01T00:00:00Z".to_owned();
    let mut oldest = None;
    for one in confirmed {
        let Some(pattern) = pattern(&one.key) else { continue };
        let (first, last) = (instant(one.first), instant(one.last));
        newest = newest.max(last.clone());
        oldest = Some(oldest.map_or(first.clone(), |oldest: String| oldest.min(first.clone())));
        let common = Common { identity: &identity, marking: marking(tlp), first, last };
        let indicator = common.indicator(one, &pattern);
        let indicator_id = indicator["id"].as_str().unwrap_or_default().to_owned();
        objects.push(indicator);
        if let Some(family) = &one.family {
            let malware = id("malware", &[family, &identity]);
            if !objects.iter().any(|object| object["id"] == malware) {
                objects.push(common.malware(&malware, family));
            }
            objects.push(common.relationship(&indicator_id, &malware));
        }
        objects.push(common.sighting(&indicator_id, one));
        objects.push(common.note(&indicator_id, one));
    }
    let created = oldest.unwrap_or_else(|| newest.clone());
    objects.insert(
        0,
        json!({
            "type": "identity", "spec_version": "2.1", "id": identity, "created": created,
            "modified": created, "name": sensor, "identity_class": "system",
        }),
    );
    let content = serde_json::to_string(&objects).unwrap_or_default();
    let digest = data_encoding::HEXLOWER.encode(&Sha1::digest(content.as_bytes()));
    let bundle = json!({ "type": "bundle", "id": id("bundle", &[&digest]), "objects": objects });
    let mut text = serde_json::to_string_pretty(&bundle).unwrap_or_default();
    text.push('\n');
    text
}

/// What the objects of one indicator share.
struct Common<'a> {
    identity: &'a str,
    marking: &'static str,
    first: String,
    last: String,
}

impl Common<'_> {
    fn object(&self, kind: &str, id: &str, rest: Value) -> Value {
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id, "created": self.first,
            "modified": self.last, "created_by_ref": self.identity,
            "object_marking_refs": [self.marking],
        });
        if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
            object.extend(rest);
        }
        object
    }

    fn indicator(&self, one: &Confirmed, pattern: &str) -> Value {
        let mut rest = json!({
            "name": one.key.to_string(), "pattern": pattern, "pattern_type": "stix",
            "valid_from": self.first, "confidence": one.percent(),
            "indicator_types": ["malicious-activity"],
        });
        if let Some(until) = one.until() {
            rest["valid_until"] = instant(until).into();
        }
        if !one.sources.is_empty() {
            rest["labels"] = json!(one.sources);
        }
        if let Some(stage) = one.stage {
            let phase = stage.name().replace('_', "-");
            rest["kill_chain_phases"] =
                json!([{ "kill_chain_name": "mitre-attack", "phase_name": phase }]);
        }
        if let Some(technique) = one.technique {
            rest["external_references"] =
                json!([{ "source_name": "mitre-attack", "external_id": technique.to_string() }]);
        }
        self.object("indicator", &id("indicator", &[pattern, self.identity]), rest)
    }

    fn malware(&self, id: &str, family: &str) -> Value {
        self.object("malware", id, json!({ "name": family, "is_family": true }))
    }

    fn relationship(&self, indicator: &str, malware: &str) -> Value {
        let id = id("relationship", &[indicator, malware]);
        let rest = json!({
            "relationship_type": "indicates", "source_ref": indicator, "target_ref": malware,
        });
        self.object("relationship", &id, rest)
    }

    fn sighting(&self, indicator: &str, one: &Confirmed) -> Value {
        // STIX counts up to here.
        let count = one.count.clamp(1, 999_999_999);
        let rest = json!({
            "sighting_of_ref": indicator, "first_seen": self.first, "last_seen": self.last,
            "count": count, "where_sighted_refs": [self.identity],
        });
        self.object("sighting", &id("sighting", &[indicator, self.identity]), rest)
    }

    fn note(&self, indicator: &str, one: &Confirmed) -> Value {
        let evidence: Vec<String> = one
            .alerts
            .iter()
            .map(|(alert, hash)| format!("alert {alert}: SHA-256 {hash}"))
            .collect();
        let hosts = one.hosts.len();
        let content =
            format!("Seen on {hosts} hosts. The evidence stays here:\n{}", evidence.join("\n"));
        let rest = json!({ "content": content, "object_refs": [indicator] });
        self.object("note", &id("note", &[indicator, self.identity]), rest)
    }
}

/// The pattern that looks for a value; none for what STIX has no property for.
pub(super) fn pattern(key: &Key) -> Option<String> {
    let text = key.to_string();
    let value = quoted(&text);
    let address = |address: &str| {
        let kind = if address.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
        format!("{kind}:value = {}", quoted(address))
    };
    let test = match key.kind() {
        // A _ would stand for any character.
        Kind::Domain if key.scope() == Scope::Beneath && !text.contains('_') => {
            let name = text.trim_start_matches('.');
            format!(
                "domain-name:value = {} OR domain-name:value LIKE {}",
                quoted(name),
                quoted(&format!("%.{name}"))
            )
        }
        Kind::Domain => format!("domain-name:value = {}", quoted(text.trim_start_matches('.'))),
        Kind::Address | Kind::Network => address(&text),
        Kind::Endpoint => {
            let (host, port) = text.rsplit_once(':')?;
            let host = host.trim_matches(['[', ']']);
            let of = quoted(host);
            format!("network-traffic:dst_ref.value = {of} AND network-traffic:dst_port = {port}")
        }
        // A folder has no end that an equality could name.
        Kind::Url if key.scope() == Scope::Beneath => return None,
        Kind::Url => format!("url:value = {}", quoted(&format!("http://{text}"))),
        Kind::CertificateSha1 => format!("x509-certificate:hashes.'SHA-1' = {value}"),
        Kind::CertificateSha256 => format!("x509-certificate:hashes.'SHA-256' = {value}"),
        Kind::FileMd5 => format!("file:hashes.MD5 = {value}"),
        Kind::FileSha1 => format!("file:hashes.'SHA-1' = {value}"),
        Kind::FileSha256 => format!("file:hashes.'SHA-256' = {value}"),
        Kind::FileName => format!("file:name = {value}"),
        Kind::UserAgent => format!(
            "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = {value}"
        ),
        Kind::Ja3 | Kind::Ja4 => return None,
    };
    Some(format!("[{test}]"))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The marking that STIX 2.1 §7.2.1.4 defines.
const fn marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Tlp::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Tlp::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        Tlp::Red => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    }
}
