//! How an answer leaves: a table for people, JSON lines, CSV or Parquet for programs.
//!
//! Texts of an archive are attackers' texts, whoever wrote the archive: control characters and
//! direction marks are escaped in each form, and a cell of CSV cannot start a formula.

mod cells;
mod csv;
mod file;
mod json;
mod parquet;
mod parts;
mod table;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use clap::ValueEnum;

pub use cells::{Cell, Cells};
pub(crate) use file::Draft;
pub use parts::Parts;

use crate::error::HuntError;

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people; records below each other where the terminal is too narrow.
    Table,
    /// One JSON object a line.
    Json,
    /// Comma-separated values (RFC 4180) with a header.
    Csv,
    /// A Parquet file.
    Parquet,
}

/// Takes an answer.
pub trait Sink {
    /// Takes rows.
    ///
    /// # Errors
    /// They cannot be written.
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError>;

    /// Ends the answer; without it, a file does not come to be.
    ///
    /// # Errors
    /// What is left cannot be written.
    fn finish(self: Box<Self>) -> Result<(), HuntError>;
}

/// Where and how an answer is written.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The form; by the file's ending or by who reads where none is named.
    pub format: Option<Format>,
    /// The file; standard output where none is named.
    pub path: Option<PathBuf>,
}

impl Target {
    /// The form that fits.
    #[must_use]
    pub fn form(&self) -> Format {
        let ending =
            self.path.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        self.format.unwrap_or(match ending {
            Some("csv") => Format::Csv,
            Some("parquet") => Format::Parquet,
            Some("txt") => Format::Table,
            Some(_) => Format::Json,
            None if self.path.is_some() => Format::Json,
            None if io::stdout().is_terminal() => Format::Table,
            None => Format::Json,
        })
    }

    /// A sink for an answer with those columns.
    ///
    /// # Errors
    /// The file cannot be made, or a Parquet file should go to a terminal.
    pub fn open(&self, schema: &Schema) -> Result<Box<dyn Sink>, HuntError> {
        let form = self.form();
        let Some(path) = &self.path else {
            if form == Format::Parquet && io::stdout().is_terminal() {
                return Err(HuntError::Usage(
                    "a Parquet file on a terminal is of no use; name a file: -o FILE".to_owned(),
                ));
            }
            let width = if io::stdout().is_terminal() { terminal_width() } else { None };
            return sink(form, Box::new(io::BufWriter::new(io::stdout())), schema, width);
        };
        let file = Draft::create(path)?;
        let inner = sink(form, Box::new(file.writer()?), schema, None)?;
        Ok(Box::new(file::FileSink { inner, draft: file }))
    }
}

fn sink(
    form: Format,
    out: Box<dyn Write + Send>,
    schema: &Schema,
    width: Option<usize>,
) -> Result<Box<dyn Sink>, HuntError> {
    Ok(match form {
        Format::Table => Box::new(table::TableSink::new(out, schema, width)),
        Format::Json => Box::new(json::JsonSink::new(out, schema, None)),
        Format::Csv => Box::new(csv::CsvSink::new(out, schema)?),
        Format::Parquet => Box::new(parquet::ParquetSink::new(out, schema)?),
    })
}

/// Columns of the terminal.
fn terminal_width() -> Option<usize> {
    let (_, width) = console::Term::stdout().size_checked()?;
    Some(usize::from(width)).filter(|width| *width > 0)
}

/// Text that harms neither a terminal nor its reader.
#[must_use]
pub fn safe(text: &str) -> std::borrow::Cow<'_, str> {
    analyzers::text::escape(text.as_bytes())
}
