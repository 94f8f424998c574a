//! What the records look like, for people and for programs: `serval schema`.
//!
//! In: the tables' declarations. Out: a text that names every table, column and weird with its
//! sentence, and JSON Schemas (draft 2020-12) for the lines that [`crate::rows::json`] writes.

use std::fmt::{self, Write as _};

use analyzers::record::Header;
use analyzers::weird::WeirdRecord;
use analyzers::{Column, ColumnKind, Table, Weird};
use serde::ser::{Serialize, Serializer};

use crate::rows::{SCHEMA_VERSION, columns};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The tables as text.
#[must_use]
pub fn text(tables: &[&Table]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, tables);
    out
}

fn write_text(out: &mut String, tables: &[&Table]) -> fmt::Result {
    writeln!(out, "Serval's tables, schema version {SCHEMA_VERSION}.")?;
    writeln!(out, "\nevery table\n  {}\n", Header::TABLE.doc.trim())?;
    write_columns(out, Header::TABLE.columns)?;
    for table in tables {
        writeln!(out, "\n{}\n  {}\n", table.name, table.doc.trim())?;
        write_columns(out, table.columns)?;
    }
    writeln!(out, "\nnames of weirds")?;
    for weird in Weird::ALL {
        writeln!(out, "  {:<28} {}", weird.name(), weird.doc().trim())?;
    }
    Ok(())
}

fn write_columns(out: &mut String, columns: &[Column]) -> fmt::Result {
    for column in columns {
        let kind = kind_name(column.kind);
        writeln!(out, "  {:<22} {kind:<13} {}", column.name, column.doc.trim())?;
    }
    Ok(())
}

/// A kind's name in the words of Arrow.
const fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "utf8",
        ColumnKind::Bool => "boolean",
        ColumnKind::U8 => "uint8",
        ColumnKind::U16 => "uint16",
        ColumnKind::I32 => "int32",
        ColumnKind::I64 => "int64",
        ColumnKind::F64 => "float64",
        ColumnKind::Time => "timestamp[us]",
        ColumnKind::TextList => "list<utf8>",
        ColumnKind::I64List => "list<int64>",
    }
}

/// The JSON Schema of one table's lines.
///
/// # Errors
/// None that we know of: the schema is made of strings and numbers.
pub fn json_of_table(table: &Table) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&TableSchema::new(table, Some(DIALECT)))
}

/// One JSON Schema for the lines of all tables: each line is of exactly one of them.
///
/// # Errors
/// None that we know of: the schema is made of strings and numbers.
pub fn json(tables: &[&Table]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&AllSchemas {
        dialect: DIALECT,
        title: format!("Serval's rows, schema version {SCHEMA_VERSION}"),
        one_of: tables
            .iter()
            .map(|table| Reference { path: format!("#/$defs/{}", table.name) })
            .collect(),
        tables: InOrder(
            tables.iter().map(|table| (table.name, TableSchema::new(table, None))).collect(),
        ),
    })
}

#[derive(serde::Serialize)]
struct AllSchemas<'a> {
    #[serde(rename = "$schema")]
    dialect: &'static str,
    title: String,
    #[serde(rename = "oneOf")]
    one_of: Vec<Reference>,
    #[serde(rename = "$defs")]
    tables: InOrder<'a, TableSchema<'a>>,
}

#[derive(serde::Serialize)]
struct Reference {
    #[serde(rename = "$ref")]
    path: String,
}

#[derive(serde::Serialize)]
struct TableSchema<'a> {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    title: &'a str,
    description: &'a str,
    r#type: &'static str,
    /// Everything else is left out where it was not seen.
    required: [&'static str; 2],
    properties: InOrder<'a, Property<'a>>,
}

impl<'a> TableSchema<'a> {
    fn new(table: &'a Table, dialect: Option<&'static str>) -> Self {
        let name = Property {
            r#const: Some(table.name),
            ..Property::new("The table that the row belongs to.", ColumnKind::Text)
        };
        let mut properties = vec![("table", name)];
        for column in columns(table) {
            let mut property = Property::new(column.doc.trim(), column.kind);
            if table.name == WeirdRecord::TABLE.name && column.name == "name" {
                property.r#enum = Some(Weird::ALL.iter().map(|weird| weird.name()).collect());
            }
            properties.push((column.name, property));
        }
        Self {
            dialect,
            title: table.name,
            description: table.doc.trim(),
            r#type: "object",
            required: ["table", "ts"],
            properties: InOrder(properties),
        }
    }
}

/// What one value may be.
#[derive(serde::Serialize)]
struct Property<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#const: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#enum: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Property<'a>>>,
}

impl<'a> Property<'a> {
    fn new(description: &'a str, kind: ColumnKind) -> Self {
        let bare = |r#type| Self {
            description,
            r#type,
            r#const: None,
            r#enum: None,
            format: None,
            minimum: None,
            maximum: None,
            items: None,
        };
        let integer = |minimum, maximum| Self {
            minimum: Some(minimum),
            maximum: Some(maximum),
            ..bare("integer")
        };
        let list = |kind| Self { items: Some(Box::new(Property::new("", kind))), ..bare("array") };
        match kind {
            ColumnKind::Text => bare("string"),
            ColumnKind::Bool => bare("boolean"),
            ColumnKind::U8 => integer(0, u8::MAX.into()),
            ColumnKind::U16 => integer(0, u16::MAX.into()),
            ColumnKind::I32 => integer(i32::MIN.into(), i32::MAX.into()),
            ColumnKind::I64 => integer(i64::MIN, i64::MAX),
            ColumnKind::F64 => bare("number"),
            ColumnKind::Time => Self { format: Some("date-time"), ..bare("string") },
            ColumnKind::TextList => list(ColumnKind::Text),
            ColumnKind::I64List => list(ColumnKind::I64),
        }
    }
}

/// Members of an object in the order of the declaration.
struct InOrder<'a, T>(Vec<(&'a str, T)>);

impl<T: Serialize> Serialize for InOrder<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, member)| (name, member)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::samples::{Count, EveryKind};
    use serde_json::{Value, json};

    const TABLES: [&Table; 3] = [&EveryKind::TABLE, &Count::TABLE, &WeirdRecord::TABLE];

    #[test]
    fn the_text_names_every_table_column_and_weird_with_its_sentence() {
        let text = text(&TABLES);
        let own = TABLES.iter().flat_map(|table| table.columns);
        for column in Header::TABLE.columns.iter().chain(own) {
            let line = text.lines().find(|line| {
                line.trim_start().starts_with(&format!("{} ", column.name))
                    && line.contains(kind_name(column.kind))
            });
            assert!(line.is_some_and(|line| line.ends_with(column.doc.trim())), "{}", column.name);
        }
        for table in TABLES {
            assert!(text.contains(&format!("\n{}\n  {}\n", table.name, table.doc.trim())));
        }
        for weird in Weird::ALL {
            assert!(text.contains(&format!("  {} ", weird.name())), "{}", weird.name());
        }
    }

    #[test]
    fn the_json_schema_has_every_column_in_order() {
        for table in TABLES {
            let schema = json_of_table(table).unwrap();
            let parsed: Value = serde_json::from_str(&schema).unwrap();
            assert_eq!(parsed["$schema"], DIALECT);
            assert_eq!(parsed["properties"]["table"]["const"], table.name);
            let mut at = 0;
            for column in columns(table) {
                let property = &parsed["properties"][column.name];
                assert_eq!(property["description"], column.doc.trim(), "{}", column.name);
                let position = schema.find(&format!("\n    \"{}\": {{", column.name)).unwrap();
                assert!(position > at, "{} is out of order", column.name);
                at = position;
            }
        }
    }

    #[test]
    fn kinds_become_json_types() {
        let schema: Value =
            serde_json::from_str(&json_of_table(&EveryKind::TABLE).unwrap()).unwrap();
        let without_description = |column: &str| {
            let mut property = schema["properties"][column].clone();
            property.as_object_mut().unwrap().remove("description");
            property
        };
        for (column, expected) in [
            ("ts", json!({"type": "string", "format": "date-time"})),
            ("text", json!({"type": "string"})),
            ("yes", json!({"type": "boolean"})),
            ("u8", json!({"type": "integer", "minimum": 0, "maximum": 255})),
            ("u16", json!({"type": "integer", "minimum": 0, "maximum": 65535})),
            ("i32", json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})),
            ("i64", json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX})),
            ("f64", json!({"type": "number"})),
            ("mac", json!({"type": "string"})),
            ("texts", json!({"type": "array", "items": {"type": "string"}})),
        ] {
            assert_eq!(without_description(column), expected, "{column}");
        }
    }

    #[test]
    fn names_of_weirds_are_a_closed_list() {
        let schema: Value = serde_json::from_str(&json(&TABLES).unwrap()).unwrap();
        let names = schema["$defs"]["weird"]["properties"]["name"]["enum"].as_array().unwrap();
        assert_eq!(names.len(), Weird::ALL.len());
        assert_eq!(schema["oneOf"].as_array().unwrap().len(), TABLES.len());
    }
}
