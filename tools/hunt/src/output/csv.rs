//! Comma-separated values after RFC 4180, with a header.
//!
//! A spreadsheet takes a cell that starts with `=`, `+`, `-`, `@`, a tab or a carriage return for a
//! formula; such a text gets a `'` in front. Numbers do not: they are Serval's.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::{Cell, Cells, Sink, json, safe};
use crate::error::HuntError;

/// Writes comma-separated values.
pub(super) struct CsvSink {
    out: Box<dyn Write + Send>,
}

impl CsvSink {
    pub(super) fn new(mut out: Box<dyn Write + Send>, schema: &Schema) -> Result<Self, HuntError> {
        let names: Vec<String> = schema.fields().iter().map(|field| text(field.name())).collect();
        write!(out, "{}\r\n", names.join(",")).map_err(HuntError::io("cannot write the answer"))?;
        Ok(Self { out })
    }
}

impl Sink for CsvSink {
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError> {
        let mut lines = String::new();
        for row in Cells::new(batch)?.rows() {
            let row: Vec<String> = row?.iter().map(field).collect();
            lines.push_str(&row.join(","));
            lines.push_str("\r\n");
        }
        self.out.write_all(lines.as_bytes()).map_err(HuntError::io("cannot write the answer"))
    }

    fn finish(mut self: Box<Self>) -> Result<(), HuntError> {
        self.out.flush().map_err(HuntError::io("cannot write the answer"))
    }
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(number) => number.clone(),
        Cell::Text(value) => text(value),
        Cell::List(_) => text(&json::value(cell)),
    }
}

fn text(value: &str) -> String {
    let starts_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = safe(value);
    let quoted = value.contains(['"', ',', '\'']) || value.starts_with(' ') || value.ends_with(' ');
    let guard = if starts_formula { "'" } else { "" };
    if quoted {
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    } else {
        format!("{guard}{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_starts_a_formula() {
        for (value, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\x09=1"),
            ("\r=1", "'\\x0d=1"),
            ("a\nb", "a\\x0ab"),
            ("", ""),
        ] {
            assert_eq!(text(value), expected, "{value:?}");
        }
        assert_eq!(field(&Cell::Number("-1".to_owned())), "-1");
    }
}
