//! JSON lines: one object a row, columns in their order, nulls left out as in `serval replay`.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::{Cell, Cells, Sink};
use crate::error::HuntError;

/// Writes JSON lines.
pub(super) struct JsonSink {
    out: Box<dyn Write + Send>,
    /// What every object begins with, as JSON.
    first: String,
    /// Names of the columns, as JSON strings.
    names: Vec<String>,
}

impl JsonSink {
    /// `part` names what the rows are part of, where an answer has several: their `section`, a word
    /// that is no column.
    pub(super) fn new(out: Box<dyn Write + Send>, schema: &Schema, part: Option<&str>) -> Self {
        let names = schema.fields().iter().map(|field| string(field.name())).collect();
        let first = part.map(|part| format!("\"section\":{}", string(part))).unwrap_or_default();
        Self { out, first, names }
    }
}

impl Sink for JsonSink {
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError> {
        let mut lines = String::new();
        for row in Cells::new(batch)?.rows() {
            let row = row?;
            let known = self.names.iter().zip(&row).filter(|(_, cell)| **cell != Cell::Null);
            lines.push('{');
            lines.push_str(&self.first);
            for (at, (name, cell)) in known.enumerate() {
                if at > 0 || !self.first.is_empty() {
                    lines.push(',');
                }
                lines.push_str(name);
                lines.push(':');
                push(&mut lines, cell);
            }
            lines.push_str("}\n");
        }
        self.out.write_all(lines.as_bytes()).map_err(HuntError::io("cannot write the answer"))
    }

    fn finish(mut self: Box<Self>) -> Result<(), HuntError> {
        self.out.flush().map_err(HuntError::io("cannot write the answer"))
    }
}

fn push(out: &mut String, cell: &Cell) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Bool(true) => out.push_str("true"),
        Cell::Bool(false) => out.push_str("false"),
        // JSON has no word for what is no number.
        Cell::Number(text) if text.ends_with(['N', 'f']) => out.push_str("null"),
        Cell::Number(text) => out.push_str(text),
        Cell::Text(text) => out.push_str(&string(text)),
        Cell::List(cells) => {
            out.push('[');
            for (at, cell) in cells.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push(out, cell);
            }
            out.push(']');
        }
    }
}

/// A value as JSON.
pub(super) fn value(cell: &Cell) -> String {
    let mut out = String::new();
    push(&mut out, cell);
    out
}

/// A JSON string in which also what harms a terminal is escaped.
pub(crate) fn string(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if analyzers::text::is_hostile(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_json_and_harm_no_terminal() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("\u{1b}[2J\u{9b}\u{202e}\u{7f}", "\"\\u001b[2J\\u009b\\u202e\\u007f\""),
            ("狮 naïve", "\"狮 naïve\""),
        ] {
            assert_eq!(string(text), expected);
            assert_eq!(serde_json::from_str::<String>(expected).expect("JSON"), text);
        }
    }
}
