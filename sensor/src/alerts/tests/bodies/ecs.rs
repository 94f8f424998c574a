//! The ECS shape against the schema's own list of fields, where that is at hand.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{HOSTILE, JsonFormat, object};

/// A field of the schema.
struct Field {
    kind: String,
    is_array: bool,
}

/// The fields, from a CSV whose columns are version, indexed, set, name, type, level,
/// normalisation, example, description; quoted where a comma or a line end is inside.
fn fields() -> Option<BTreeMap<String, Field>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/ecs/fields.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut fields = BTreeMap::new();
    for row in rows(&text).into_iter().skip(1) {
        let field = Field { kind: row[4].clone(), is_array: row[6].contains("array") };
        fields.insert(row[3].clone(), field);
    }
    assert!(fields.len() > 1_000);
    Some(fields)
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    for c in text.chars() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            c => row.last_mut().unwrap().push(c),
        }
    }
    rows.retain(|row| row.len() >= 9);
    rows
}

#[test]
fn every_name_is_the_schemas_and_every_value_has_its_type() {
    let Some(fields) = fields() else { return };
    for at in 0..HOSTILE.len() as u64 {
        let event = object(JsonFormat::Ecs, at);
        let mut checked = 0;
        for (name, value) in event.as_object().unwrap() {
            if name != "serval" {
                checked += check(&fields, name, value);
            }
        }
        assert!(checked > 30, "{checked}");
    }
}

/// Checks a member and what is in it: how many values there were.
fn check(fields: &BTreeMap<String, Field>, name: &str, value: &Value) -> usize {
    let field = fields.get(name);
    if let Value::Object(members) = value {
        let members = members.iter();
        return members.map(|(key, value)| check(fields, &format!("{name}.{key}"), value)).sum();
    }
    let field = field.unwrap_or_else(|| panic!("{name} is no field of the schema"));
    assert_eq!(value.is_array(), field.is_array, "{name}: {value}");
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let mut checked = 0;
    for value in values {
        checked += match field.kind.as_str() {
            "nested" => check(fields, name, &value),
            kind => usize::from(has_type(kind, &value)),
        };
        assert!(field.kind == "nested" || has_type(&field.kind, &value), "{name}: {value}");
    }
    checked
}

fn has_type(kind: &str, value: &Value) -> bool {
    match kind {
        "date" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
        "long" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "keyword" | "match_only_text" | "wildcard" => value.is_string(),
        other => panic!("a type that is not checked: {other}"),
    }
}
