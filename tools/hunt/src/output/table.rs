//! A table for people.
//!
//! Columns are as wide as what is in them. Where that is wider than the terminal, records come
//! below each other, one value a line, for a line that wraps cannot be read. Long answers are laid
//! out in parts, so that the first rows are on the screen while the last are looked for.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use unicode_width::UnicodeWidthStr as _;

use super::{Cell, Cells, Sink, json, safe};
use crate::error::HuntError;

/// Rows that are laid out together.
const PART_ROWS: usize = 1_000;

/// Between two columns.
const GAP: &str = "  ";

/// Writes tables.
pub(super) struct TableSink {
    out: Box<dyn Write + Send>,
    columns: Vec<Column>,
    /// Columns of the terminal; none where a line may be as long as it likes.
    width: Option<usize>,
    part: Vec<Vec<String>>,
    /// Rows written before this part.
    before: usize,
}

/// A column's heading and side.
struct Column {
    name: String,
    align: Align,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl TableSink {
    pub(super) fn new(out: Box<dyn Write + Send>, schema: &Schema, width: Option<usize>) -> Self {
        let column = |field: &arrow_schema::Field| Column {
            name: safe(field.name()).into_owned(),
            align: if field.data_type().is_numeric() { Align::Right } else { Align::Left },
        };
        let columns = schema.fields().iter().map(|field| column(field)).collect();
        Self { out, columns, width, part: Vec::new(), before: 0 }
    }

    fn write_part(&mut self) -> Result<(), HuntError> {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cells = self.part.iter().filter_map(|row| row.get(at));
                cells.map(|cell| cell.width()).max().unwrap_or(0).max(column.name.width())
            })
            .collect();
        let whole: usize = widths.iter().map(|width| width + GAP.len()).sum();
        let fits = self.width.is_none_or(|width| whole <= width + GAP.len());
        let text = if fits { self.as_table(&widths) } else { self.as_records() };
        self.before += self.part.len();
        self.part.clear();
        self.out.write_all(text.as_bytes()).map_err(HuntError::io("cannot write the answer"))?;
        self.out.flush().map_err(HuntError::io("cannot write the answer"))
    }

    fn as_table(&self, widths: &[usize]) -> String {
        let mut text = String::new();
        let names = self.columns.iter().map(|column| column.name.as_str());
        self.push_line(&mut text, names, widths);
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        self.push_line(&mut text, rules.iter().map(String::as_str), widths);
        for row in &self.part {
            self.push_line(&mut text, row.iter().map(String::as_str), widths);
        }
        text
    }

    fn push_line<'a>(
        &self,
        text: &mut String,
        cells: impl Iterator<Item = &'a str>,
        widths: &[usize],
    ) {
        let mut line = String::new();
        for ((cell, width), column) in cells.zip(widths).zip(&self.columns) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match column.align {
                Align::Left => line.extend([cell, &space, GAP]),
                Align::Right => line.extend([&space, cell, GAP]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }

    /// What was not seen is left out.
    fn as_records(&self) -> String {
        let margin = self.columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
        let mut text = String::new();
        for (at, row) in self.part.iter().enumerate() {
            text.push_str(&format!("── row {}\n", self.before + at + 1));
            for (cell, column) in row.iter().zip(&self.columns).filter(|(cell, _)| *cell != NULL) {
                let space = " ".repeat(margin - column.name.width());
                text.push_str(&format!("{space}{}  {cell}\n", column.name));
            }
        }
        text
    }
}

/// Stands for a value that was not seen.
const NULL: &str = "·";

impl Sink for TableSink {
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError> {
        for row in Cells::new(batch)?.rows() {
            self.part.push(row?.iter().map(shown).collect());
            if self.part.len() == PART_ROWS {
                self.write_part()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), HuntError> {
        // An empty answer still shows its columns.
        if self.before == 0 || !self.part.is_empty() {
            self.write_part()?;
        }
        Ok(())
    }
}

/// A value as people read it.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => NULL.to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(number) => number.clone(),
        Cell::Text(text) => safe(text).into_owned(),
        Cell::List(cells) if cells.iter().all(|cell| !matches!(cell, Cell::List(_))) => {
            cells.iter().map(shown).collect::<Vec<_>>().join(" ")
        }
        Cell::List(_) => json::value(cell),
    }
}
