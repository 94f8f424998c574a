//! STIX 2.1 bundles (OASIS STIX 2.1 §4.7 Indicator, §5.1 Relationship). In: `indicator` objects
//! with patterns of type `stix`. What relationships say an indicator indicates becomes its family,
//! actor or technique.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Place, Reading, json, quoted, stix_pattern, time};
use crate::{Confidence, Context, Stage, Technique, Validity};

#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    objects: Vec<Entry>,
}

/// An object that is not as it should be costs itself only.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Object(Box<Object>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: String,
    name: Option<String>,
    pattern: Option<String>,
    pattern_type: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    #[serde(default)]
    revoked: bool,
    confidence: Option<u8>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    indicator_types: Vec<String>,
    #[serde(default)]
    kill_chain_phases: Vec<Phase>,
    #[serde(default)]
    external_references: Vec<Reference>,
    relationship_type: Option<String>,
    source_ref: Option<String>,
    target_ref: Option<String>,
}

#[derive(Deserialize)]
struct Phase {
    #[serde(default)]
    phase_name: String,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    source_name: String,
    url: Option<String>,
    external_id: Option<String>,
}

/// Reads all indicators of a bundle.
pub(super) fn bundle(reading: &mut Reading<'_>, bytes: &[u8]) {
    let bundle: Bundle = match serde_json::from_slice(bytes) {
        Ok(bundle) => bundle,
        Err(error) => return json::refuse(reading, &error),
    };
    let targets = targets(&bundle);
    for (at, entry) in bundle.objects.iter().enumerate() {
        match entry {
            Entry::Object(object) if object.kind == "indicator" => {
                let targets = targets.get(object.id.as_str()).map_or(&[][..], Vec::as_slice);
                take(reading, object, targets, at);
            }
            Entry::Object(_) => {}
            Entry::Other(_) => {
                let place = Place::Path(format!("objects[{at}]"));
                reading
                    .refuse(place, "a property is not of the type that STIX gives it".to_owned());
            }
        }
    }
}

/// For each indicator, the objects that it is said to indicate.
fn targets(bundle: &Bundle) -> HashMap<&str, Vec<&Object>> {
    let objects = || {
        bundle.objects.iter().filter_map(|entry| match entry {
            Entry::Object(object) => Some(&**object),
            Entry::Other(_) => None,
        })
    };
    let by_id: HashMap<&str, &Object> =
        objects().map(|object| (object.id.as_str(), object)).collect();
    let mut targets: HashMap<&str, Vec<&Object>> = HashMap::new();
    for relation in objects().filter(|object| object.kind == "relationship" && !object.revoked) {
        if relation.relationship_type.as_deref() == Some("indicates")
            && let Some(source) = relation.source_ref.as_deref()
            && let Some(target) = relation.target_ref.as_deref().and_then(|id| by_id.get(id))
        {
            targets.entry(source).or_default().push(target);
        }
    }
    targets
}

fn take(reading: &mut Reading<'_>, object: &Object, targets: &[&Object], at: usize) {
    if object.revoked {
        return reading.intake.withheld();
    }
    let place = |field: &str| Place::Path(format!("objects[{at}].{field}"));
    if let Some(other) = object.pattern_type.as_deref().filter(|&kind| kind != "stix") {
        let reason = format!("patterns of type {} are not read", quoted(other));
        return reading.refuse(place("pattern_type"), reason);
    }
    let validity = match validity(object) {
        Ok(validity) => validity,
        Err((field, text)) => {
            return reading.refuse(place(field), format!("{} is no time", quoted(text)));
        }
    };
    let Some(pattern) = &object.pattern else {
        return reading.refuse(place("pattern"), "there is none".to_owned());
    };
    match stix_pattern::keys(pattern) {
        Ok(keys) => {
            let context = context(reading.context(), object, targets);
            for key in keys {
                reading.take(Ok(key), context.clone(), validity, place("pattern"));
            }
        }
        Err(reason) => reading.refuse(place("pattern"), reason),
    }
}

fn validity(object: &Object) -> Result<Validity, (&'static str, &str)> {
    let from = object
        .valid_from
        .as_deref()
        .map(|text| time::seconds_from(text).ok_or(("valid_from", text)));
    let until = object
        .valid_until
        .as_deref()
        .map(|text| time::seconds_until(text).ok_or(("valid_until", text)));
    Ok(Validity { from: from.transpose()?.flatten(), until: until.transpose()?.flatten() })
}

fn context(mut context: Context, object: &Object, targets: &[&Object]) -> Context {
    context.confidence = object.confidence.and_then(Confidence::from_percent);
    context.stage =
        object.kill_chain_phases.iter().find_map(|phase| Stage::parse(&phase.phase_name));
    context.tags = object.indicator_types.iter().chain(&object.labels).cloned().collect();
    context.reference = object.external_references.iter().find_map(|other| other.url.clone());
    for target in targets {
        match target.kind.as_str() {
            "malware" | "tool" => context.family = target.name.clone().or(context.family),
            "intrusion-set" | "threat-actor" | "campaign" => {
                context.actor = target.name.clone().or(context.actor);
            }
            "attack-pattern" => context.technique = technique(target).or(context.technique),
            _ => {}
        }
    }
    context.technique = context.technique.or_else(|| technique(object));
    context.family = context.family.or_else(|| object.name.clone());
    context
}

fn technique(object: &Object) -> Option<Technique> {
    let attack = object.external_references.iter();
    attack
        .filter(|reference| reference.source_name == "mitre-attack")
        .find_map(|reference| Technique::parse(reference.external_id.as_deref()?))
}
