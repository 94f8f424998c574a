//! The OCSF shape against the schema's own definitions, where they are at hand: names, what is
//! required, types, enumerations, ranges, constraints.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{HOSTILE, JsonFormat, object};

struct Schema {
    folder: PathBuf,
    dictionary: Value,
}

impl Schema {
    fn load() -> Option<Self> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ocsf"));
        if !folder.exists() {
            eprintln!("skipped: {} is not there", folder.display());
            return None;
        }
        let mut schema = Self { folder, dictionary: Value::Null };
        schema.dictionary = schema.read("dictionary.json").unwrap();
        Some(schema)
    }

    fn read(&self, path: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.folder.join(path)).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// A class's or object's attributes with what it extends and includes, the nearer winning.
    /// What belongs to a profile that is not in use is left out.
    fn attributes(&self, path: &str, profiles: &[&str]) -> Map<String, Value> {
        let definition = self.read(path).unwrap_or_else(|| panic!("{path} is not there"));
        let mut all = match definition["extends"].as_str() {
            None => Map::new(),
            Some(parent) => self.attributes(&self.find(path, parent), profiles),
        };
        let own = definition["attributes"].as_object().cloned().unwrap_or_default();
        for include in own.get("$include").and_then(Value::as_array).into_iter().flatten() {
            let path = include.as_str().unwrap();
            let name = path.trim_start_matches("profiles/").trim_end_matches(".json");
            if profiles.contains(&name) {
                let included = self.read(path).unwrap();
                merge(&mut all, included["attributes"].as_object().unwrap());
            }
        }
        merge(&mut all, &own);
        all.retain(|name, attribute| {
            let profile = attribute["profile"].as_str();
            name != "$include" && profile.is_none_or(|profile| profiles.contains(&profile))
        });
        all
    }

    fn find(&self, child: &str, name: &str) -> String {
        let folders = ["events", "events/findings", "objects"];
        let candidates = folders.iter().map(|folder| format!("{folder}/{name}.json"));
        let mut found = candidates.chain([format!("objects/_{name}.json")]);
        found
            .find(|path| path != child && self.folder.join(path).exists())
            .unwrap_or_else(|| panic!("{child} extends {name}, which is not there"))
    }

    /// Checks an object: how many values there were.
    fn check(&self, path: &str, at: &str, value: &Value, profiles: &[&str]) -> usize {
        let attributes = self.attributes(path, profiles);
        let members = value.as_object().unwrap_or_else(|| panic!("{at} is no object: {value}"));
        for (name, attribute) in &attributes {
            let is_there = members.contains_key(name) || attribute["requirement"] != "required";
            assert!(is_there, "{at}.{name} is required");
        }
        self.constraints(path, at, members);
        let mut checked = 0;
        for (name, value) in members {
            let attribute = attributes.get(name);
            let attribute = attribute.unwrap_or_else(|| panic!("{at}.{name} is not in {path}"));
            checked += self.attribute(name, attribute, &format!("{at}.{name}"), value, profiles);
        }
        checked
    }

    fn constraints(&self, path: &str, at: &str, members: &Map<String, Value>) {
        let definition = self.read(path).unwrap();
        if let Some(any) = definition["constraints"]["at_least_one"].as_array() {
            let has_one = any.iter().any(|name| members.contains_key(name.as_str().unwrap()));
            assert!(has_one, "{at} has none of {any:?}");
        }
    }

    fn attribute(
        &self,
        name: &str,
        attribute: &Value,
        at: &str,
        value: &Value,
        profiles: &[&str],
    ) -> usize {
        let entry = &self.dictionary["attributes"][name];
        let kind = attribute["type"].as_str().or(entry["type"].as_str());
        let kind = kind.unwrap_or_else(|| panic!("{at} has no type"));
        let is_array = attribute["is_array"].as_bool().or(entry["is_array"].as_bool());
        assert_eq!(value.is_array(), is_array.unwrap_or(false), "{at}: {value}");
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let mut checked = 0;
        for value in values {
            checked += 1;
            if at.ends_with("observables.type_id") {
                assert!(self.is_observable(&value), "{at}: {value} is unlisted");
            }
            let is_object = self.dictionary["types"]["attributes"][kind].is_null();
            if is_object && kind != "object" {
                checked += self.check(&format!("objects/{kind}.json"), at, &value, profiles);
            } else if !is_object {
                assert!(self.has_type(kind, &value), "{at} is no {kind}: {value}");
            }
            let known = [&entry["enum"], &attribute["enum"]].map(Value::as_object);
            let mut known = known.into_iter().flatten().peekable();
            // Those of classes and categories are made from the classes' own numbers.
            let is_made = ["category_uid", "class_uid", "type_uid"].contains(&name)
                || at.ends_with("observables.type_id");
            if known.peek().is_some() && !is_made {
                let word = value.to_string().replace('"', "");
                assert!(known.any(|known| known.contains_key(&word)), "{at}: {value} is unlisted");
            }
        }
        checked
    }

    /// Whether a type of the dictionary has that number as an observable.
    fn is_observable(&self, number: &Value) -> bool {
        let types = self.dictionary["types"]["attributes"].as_object().unwrap();
        types.values().any(|definition| &definition["observable"] == number)
    }

    fn has_type(&self, kind: &str, value: &Value) -> bool {
        let definition = &self.dictionary["types"]["attributes"][kind];
        let base = definition["type"].as_str().unwrap_or(kind);
        let range = definition["range"].as_array();
        let is_within = range.is_none_or(|range| {
            let number = value.as_i64().unwrap();
            range[0].as_i64().unwrap() <= number && number <= range[1].as_i64().unwrap()
        });
        let max = definition["max_len"].as_u64();
        let fits = max.is_none_or(|max| value.as_str().is_some_and(|t| t.len() as u64 <= max));
        let is_address = kind != "ip_t"
            || value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok());
        let is_base = match base {
            "string_t" => value.is_string(),
            "integer_t" | "long_t" => value.is_i64() || value.is_u64(),
            "float_t" => value.is_number(),
            "boolean_t" => value.is_boolean(),
            "json_t" => true,
            other => panic!("a type that is not checked: {other}"),
        };
        is_base && is_within && fits && is_address
    }
}

/// Lays attributes over others, member by member.
fn merge(all: &mut Map<String, Value>, own: &Map<String, Value>) {
    for (name, attribute) in own {
        match (all.get_mut(name).and_then(Value::as_object_mut), attribute.as_object()) {
            (Some(known), Some(new)) => known.extend(new.clone()),
            _ => drop(all.insert(name.clone(), attribute.clone())),
        }
    }
}

#[test]
fn every_event_is_valid_for_its_class() {
    let Some(schema) = Schema::load() else { return };
    for at in 0..HOSTILE.len() as u64 {
        let event = object(JsonFormat::Ocsf, at);
        let profiles: Vec<&str> = event["metadata"]["profiles"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        assert_eq!(profiles, ["osint"]);
        let checked =
            schema.check("events/findings/detection_finding.json", "event", &event, &profiles);
        assert!(checked > 80, "{checked}");
        let category = schema.read("categories.json").unwrap();
        let category = &category["attributes"]["findings"]["uid"];
        let class = schema.read("events/findings/detection_finding.json").unwrap();
        let class = category.as_u64().unwrap() * 1_000 + class["uid"].as_u64().unwrap();
        assert_eq!((&event["category_uid"], &event["class_uid"]), (category, &class.into()));
        assert_eq!(event["type_uid"], class * 100 + 1);
        assert_eq!(event["time"], 1_767_323_045_000_u64 + at * 1_000);
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let Some(schema) = Schema::load() else { return };
    let sound = object(JsonFormat::Ocsf, 0);
    let spoil: [fn(&mut Value); 7] = [
        |event| event["severity_id"] = 77.into(),
        |event| event["time"] = "now".into(),
        |event| event["unknown"] = 1.into(),
        |event| drop(event.as_object_mut().unwrap().remove("finding_info")),
        |event| event["evidences"][0]["src_endpoint"]["port"] = 70_000.into(),
        |event| event["evidences"][0]["src_endpoint"]["ip"] = "nowhere".into(),
        |event| event["finding_info"]["attacks"][0] = serde_json::json!({ "version": "19" }),
    ];
    for spoil in spoil {
        let mut event = sound.clone();
        spoil(&mut event);
        let path = "events/findings/detection_finding.json";
        let check = || schema.check(path, "event", &event, &["osint"]);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
        assert!(found.is_err(), "{event}");
    }
}
