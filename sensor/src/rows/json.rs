//! Rows as JSON: one object a line (RFC 8259 text, UTF-8), as `serval schema --json` describes it.
//!
//! In: stamped rows. Out: lines such as `{"table":"dns","ts":"2026-01-02T03:04:05.678901Z",…}` on
//! any writer. Values that were not seen are left out; lists are arrays. A line is handed to the
//! writer as a whole, and its errors come back as they are: a closed pipe is the caller's to judge.

use std::io::{self, Write};

use analyzers::text::escape;
use analyzers::{Column, Row, Text, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{MacText, RowRef, StampedRow, StatedText, UtcText, columns};

/// Writes rows as lines of JSON.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    /// Lines for `out`, which should buffer.
    pub const fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }

    /// The writer.
    pub const fn get_ref(&self) -> &W {
        &self.out
    }

    /// The writer, to be changed between lines.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Writes one row.
    ///
    /// # Errors
    /// What the writer answers, its kind kept.
    pub fn write(&mut self, row: &StampedRow) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, row)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Passes on what the writer holds back.
    ///
    /// # Errors
    /// What the writer answers.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Serialize for StampedRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl Serialize for RowRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = self.record.table();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("table", table.name)?;
        let mut members = Members { columns: columns(table), object, outcome: Ok(()) };
        self.cells(&mut members);
        members.outcome?;
        members.object.end()
    }
}

/// The members of one object, as the row's values come in.
struct Members<C, M: SerializeMap> {
    columns: C,
    object: M,
    outcome: Result<(), M::Error>,
}

impl<'a, C: Iterator<Item = &'a Column>, M: SerializeMap> Row for Members<C, M> {
    fn put(&mut self, value: Value<'_>) {
        let Some(column) = self.columns.next() else { return };
        if self.outcome.is_ok() && can_be_written(&value) {
            self.outcome = self.object.serialize_entry(column.name, &Json(value));
        }
    }
}

/// JSON has no word for an infinity, and null would say that nothing was seen.
const fn can_be_written(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::F64(number) => number.is_finite(),
        _ => true,
    }
}

/// A value in its JSON form.
struct Json<T>(T);

impl Serialize for Json<Value<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Text(text) => Json(text).serialize(serializer),
            Value::Str(text) => serializer.serialize_str(&escape(text.as_bytes())),
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::U8(value) => serializer.serialize_u8(value),
            Value::U16(value) => serializer.serialize_u16(value),
            Value::I32(value) => serializer.serialize_i32(value),
            Value::I64(value) => serializer.serialize_i64(value),
            Value::F64(value) => serializer.serialize_f64(value),
            Value::Time(instant) => serializer.collect_str(&UtcText(instant)),
            Value::StatedTime(instant) => serializer.collect_str(&StatedText(instant)),
            Value::Ip(address) => serializer.collect_str(&address),
            Value::Mac(address) => serializer.collect_str(&MacText(address)),
            Value::Uid(uid) => serializer.collect_str(&uid),
            Value::TextList(list) => serializer.collect_seq(list.iter().map(Json)),
            Value::I64List(list) => serializer.collect_seq(list),
        }
    }
}

impl Serialize for Json<&Text> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.escaped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::samples::{every_kind_full, every_kind_null, infinite};

    fn line(row: &StampedRow) -> String {
        let mut lines = JsonLines::new(Vec::new());
        lines.write(row).unwrap();
        String::from_utf8(lines.out).unwrap()
    }

    #[test]
    fn a_line_holds_every_kind_of_value_and_parses_back() {
        let line = line(&every_kind_full());
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "table": "every_kind", "ts": "2026-01-02T03:04:05.678901Z", "uid": "C7000000000000000",
            "src_ip": "10.0.0.1", "src_port": 65535, "dst_ip": "2001:db8::1", "dst_port": 0,
            "proto": "tcp", "sensor": "edge-1",
            "text": "naïve – 狮 \\xff\\x0a\"\\", "word": "word", "yes": true, "u8": 255,
            "u16": 65535, "i32": i32::MIN, "i64": i64::MIN, "f64": 0.25,
            "time": "1969-12-31T23:59:59.999999Z", "ip": "::ffff:0:0:1", "mac": "00:11:22:33:44:55",
            "texts": ["a", "", "\\x1b[2J"], "numbers": [0, -1, i64::MAX],
        });
        assert_eq!(value, expected);
        assert!(line.starts_with(r#"{"table":"every_kind","ts":"2026-"#), "order of the columns");
    }

    #[test]
    fn values_that_were_not_seen_are_left_out() {
        let value: serde_json::Value = serde_json::from_str(&line(&every_kind_null())).unwrap();
        let ts = "1970-01-01T00:00:00.000000Z";
        assert_eq!(value, serde_json::json!({"table": "every_kind", "ts": ts, "sensor": "edge-1"}));
    }

    #[test]
    fn an_infinite_number_is_left_out() {
        assert!(!line(&infinite()).contains("f64"));
    }
}
