//! An answer of several parts: titles and tables for people, or JSON lines that name their part.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::Schema;

use super::{Format, Sink, Target, file, json, table, terminal_width};
use crate::error::HuntError;

/// Where the parts go.
pub struct Parts {
    form: Format,
    out: Shared,
    width: Option<usize>,
    draft: Option<file::Draft>,
    opened: usize,
}

impl Parts {
    /// Parts for a target.
    ///
    /// # Errors
    /// The form holds one table only, or the file cannot be made.
    pub fn new(target: &Target) -> Result<Self, HuntError> {
        let form = target.form();
        if matches!(form, Format::Csv | Format::Parquet) {
            return Err(HuntError::Usage(
                "this answer has several tables; write it as --format table or json".to_owned(),
            ));
        }
        let draft = target.path.as_deref().map(file::Draft::create).transpose()?;
        let (out, width): (Box<dyn Write + Send>, _) = match &draft {
            Some(draft) => (Box::new(draft.writer()?), None),
            None => {
                let width = if io::stdout().is_terminal() { terminal_width() } else { None };
                (Box::new(io::BufWriter::new(io::stdout())), width)
            }
        };
        Ok(Self { form, out: Shared(Arc::new(Mutex::new(out))), width, draft, opened: 0 })
    }

    /// A sink for the next part.
    ///
    /// # Errors
    /// Its title cannot be written.
    pub fn open(&mut self, title: &str, schema: &Schema) -> Result<Box<dyn Sink>, HuntError> {
        let mut out = Box::new(self.out.clone());
        self.opened += 1;
        if self.form == Format::Json {
            return Ok(Box::new(json::JsonSink::new(out, schema, Some(title))));
        }
        let space = if self.opened == 1 { "" } else { "\n" };
        writeln!(out, "{space}{title}").map_err(HuntError::io("cannot write the answer"))?;
        Ok(Box::new(table::TableSink::new(out, schema, self.width)))
    }

    /// Ends the answer; answers how many parts it has.
    ///
    /// # Errors
    /// What is left cannot be written.
    pub fn finish(mut self) -> Result<usize, HuntError> {
        self.out.flush().map_err(HuntError::io("cannot write the answer"))?;
        if let Some(draft) = self.draft {
            draft.publish()?;
        }
        Ok(self.opened)
    }
}

/// One writer for all parts, of which only one is open at a time.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}
