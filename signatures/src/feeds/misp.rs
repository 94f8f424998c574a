//! MISP: an event (`{"Event": …}`), what its search answers (`{"response": [{"Event": …}]}`), and
//! a feed directory: events beside a `manifest.json` that names them, with SHA-256 where the
//! publisher gives it (MISP core format and manifest format).
//!
//! Only attributes meant for detection count: `to_ids`, not deleted.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Place, Reading, json, quoted};
use crate::{
    Confidence, Context, Key, Kind, Severity, Stage, Technique, Validity, ValueError, limits,
};

/// The file that makes a directory a MISP feed.
pub(super) const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
struct Events {
    #[serde(rename = "Event")]
    event: Option<Event>,
    #[serde(default)]
    response: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Event")]
    event: Event,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(default, rename = "info")]
    info: Option<String>,
    #[serde(default, rename = "uuid")]
    uuid: Option<String>,
    #[serde(default, rename = "threat_level_id")]
    threat_level: Option<Word>,
    #[serde(default)]
    tag: Vec<Tag>,
    #[serde(default)]
    attribute: Vec<Attribute>,
    #[serde(default)]
    object: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default, rename = "Attribute")]
    attribute: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    to_ids: Flag,
    #[serde(default)]
    deleted: Flag,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default, rename = "Tag")]
    tag: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    name: String,
}

/// Publishers write `true`, `1` and `"1"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(i64),
    Text(String),
}

impl Default for Flag {
    fn default() -> Self {
        Self::Bool(false)
    }
}

impl Flag {
    fn is_set(&self) -> bool {
        match self {
            Self::Bool(flag) => *flag,
            Self::Number(number) => *number != 0,
            Self::Text(text) => text == "1" || text.eq_ignore_ascii_case("true"),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Listed {
    integrity: Option<String>,
}

/// Reads the events that a feed's manifest lists, in the order of their names.
pub(super) fn feed(reading: &mut Reading<'_>, directory: &Path) {
    reading.file = directory.join(MANIFEST);
    let manifest = match bounded(&reading.file) {
        Ok(bytes) => bytes,
        Err(reason) => return reading.lose(Place::File, reason),
    };
    let listed: std::collections::BTreeMap<String, Listed> = match serde_json::from_slice(&manifest)
    {
        Ok(listed) => listed,
        Err(error) => return json::refuse(reading, &error),
    };
    if listed.len() > limits::FEED_FILES {
        let most = limits::FEED_FILES;
        reading.lose(Place::File, format!("more than {most} events; the rest is not read"));
    }
    for (uuid, listed) in listed.into_iter().take(limits::FEED_FILES) {
        reading.file = directory.join(MANIFEST);
        let is_uuid =
            uuid.len() == 36 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !is_uuid {
            // It would become a path of the publisher's choice.
            reading.refuse(Place::Path(quoted(&uuid)), "not a UUID".to_owned());
            continue;
        }
        reading.file = directory.join(format!("{uuid}.json"));
        match bounded(&reading.file) {
            Err(reason) => reading.lose(Place::File, reason),
            Ok(bytes) if !is_intact(&bytes, listed.integrity.as_deref()) => {
                let reason = "its SHA-256 is not the one in the manifest";
                reading.lose(Place::File, reason.to_owned());
            }
            Ok(bytes) => event(reading, &bytes),
        }
    }
}

fn bounded(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        use std::io::Read as _;
        BufReader::new(file).take(limits::JSON_BYTES + 1).read_to_end(&mut bytes)
    });
    match read {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(length) if length as u64 > limits::JSON_BYTES => {
            Err(format!("JSON longer than {} bytes", limits::JSON_BYTES))
        }
        Ok(_) => Ok(bytes),
    }
}

fn is_intact(bytes: &[u8], integrity: Option<&str>) -> bool {
    let Some(hex) = integrity.and_then(|word| word.strip_prefix("sha256:")) else { return true };
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)) == hex.to_ascii_lowercase()
}

/// Reads a file of one event or several.
pub(super) fn event(reading: &mut Reading<'_>, bytes: &[u8]) {
    let events: Events = match serde_json::from_slice(bytes) {
        Ok(events) => events,
        Err(error) => return json::refuse(reading, &error),
    };
    if let Some(event) = events.event {
        take(reading, &event, "Event");
    }
    for (at, answer) in events.response.iter().enumerate() {
        take(reading, &answer.event, &format!("response[{at}].Event"));
    }
}

fn take(reading: &mut Reading<'_>, event: &Event, path: &str) {
    let mut context = reading.context();
    context.family = event.info.clone();
    context.reference = event.uuid.as_ref().map(|uuid| format!("misp event {uuid}"));
    context.severity = match &event.threat_level {
        Some(Word::Number(1)) => Some(Severity::HIGH),
        Some(Word::Number(2)) => Some(Severity::MEDIUM),
        Some(Word::Number(3)) => Some(Severity::LOW),
        Some(Word::Text(text)) if text == "1" => Some(Severity::HIGH),
        Some(Word::Text(text)) if text == "2" => Some(Severity::MEDIUM),
        Some(Word::Text(text)) if text == "3" => Some(Severity::LOW),
        _ => None,
    };
    tag(&mut context, &event.tag);
    for (at, attribute) in event.attribute.iter().enumerate() {
        take_attribute(reading, &context, attribute, format!("{path}.Attribute[{at}]"));
    }
    for (of, object) in event.object.iter().enumerate() {
        for (at, attribute) in object.attribute.iter().enumerate() {
            let path = format!("{path}.Object[{of}].Attribute[{at}]");
            take_attribute(reading, &context, attribute, path);
        }
    }
}

fn take_attribute(reading: &mut Reading<'_>, event: &Context, attribute: &Attribute, path: String) {
    if !attribute.to_ids.is_set() || attribute.deleted.is_set() {
        return reading.intake.withheld();
    }
    let mut context = event.clone();
    tag(&mut context, &attribute.tag);
    let comment = attribute.comment.as_deref().map(str::trim).filter(|text| !text.is_empty());
    context.tags.extend(comment.map(str::to_owned));
    let keys = keys(&attribute.kind, attribute.value.trim());
    if keys.is_empty() {
        let reason = format!("type {} is not matched on", quoted(&attribute.kind));
        return reading.refuse(Place::Path(path), reason);
    }
    for key in keys {
        reading.take(key, context.clone(), Validity::default(), Place::Path(path.clone()));
    }
}

/// The values of an attribute; some types carry two.
fn keys(kind: &str, value: &str) -> Vec<Result<Key, ValueError>> {
    let simple = |kind| vec![Key::parse(kind, value)];
    match kind {
        "domain" | "hostname" => simple(Kind::Domain),
        "ip-dst" | "ip-src" if value.contains('/') => simple(Kind::Network),
        "ip-dst" | "ip-src" => simple(Kind::Address),
        "ip-dst|port" | "ip-src|port" => vec![pair(value, |address, port| {
            let bracketed = address.contains(':') && !address.starts_with('[');
            let endpoint =
                if bracketed { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
            Key::parse(Kind::Endpoint, &endpoint)
        })],
        "hostname|port" => vec![pair(value, |name, _| Key::parse(Kind::Domain, name))],
        "domain|ip" => vec![
            pair(value, |name, _| Key::parse(Kind::Domain, name)),
            pair(value, |_, address| Key::parse(Kind::Address, address)),
        ],
        "url" => simple(Kind::Url),
        "md5" => simple(Kind::FileMd5),
        "sha1" => simple(Kind::FileSha1),
        "sha256" => simple(Kind::FileSha256),
        "filename" => simple(Kind::FileName),
        "filename|md5" => vec![pair(value, |_, hash| Key::parse(Kind::FileMd5, hash))],
        "filename|sha1" => vec![pair(value, |_, hash| Key::parse(Kind::FileSha1, hash))],
        "filename|sha256" => vec![pair(value, |_, hash| Key::parse(Kind::FileSha256, hash))],
        "x509-fingerprint-sha1" => simple(Kind::CertificateSha1),
        "x509-fingerprint-sha256" => simple(Kind::CertificateSha256),
        "ja3-fingerprint-md5" => simple(Kind::Ja3),
        "ja4-fingerprint" => simple(Kind::Ja4),
        "user-agent" => simple(Kind::UserAgent),
        _ => Vec::new(),
    }
}

fn pair(
    value: &str,
    key: impl Fn(&str, &str) -> Result<Key, ValueError>,
) -> Result<Key, ValueError> {
    let (first, second) = value.split_once('|').ok_or(ValueError::Empty)?;
    key(first, second)
}

/// What tags say in vocabularies that we share; all of them are kept as they are.
fn tag(context: &mut Context, tags: &[Tag]) {
    for Tag { name } in tags {
        let quoted = name.split('"').nth(1).unwrap_or_default();
        if name.starts_with("misp-galaxy:mitre-attack-pattern=") {
            let technique = quoted.rsplit(' ').next().and_then(Technique::parse);
            context.technique = technique.or(context.technique);
        } else if name.starts_with("kill-chain:") {
            let stage = name.split_once(':').and_then(|(_, stage)| Stage::parse(stage));
            context.stage = stage.or(context.stage);
        } else if name.starts_with("misp:confidence-level=") {
            let percent = match quoted {
                "completely-confident" => Some(100),
                "usually-confident" => Some(75),
                "fairly-confident" => Some(50),
                "rarely-confident" => Some(25),
                "unconfident" => Some(0),
                _ => None,
            };
            context.confidence = percent.and_then(Confidence::from_percent).or(context.confidence);
        }
        context.tags.push(name.clone());
    }
}
