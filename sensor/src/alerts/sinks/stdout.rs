//! Alerts on standard output, one JSON object a line. A reader that has seen enough ends it: what
//! comes later is refused, and that is no failure.

use std::io::{self, Write as _};

use super::{Letter, Sink, Taken};
use crate::alerts::config::StdoutConfig;
use crate::alerts::formats::Format;

/// The sink.
pub(super) struct StandardOutput {
    format: Format,
    lines: Vec<u8>,
    reader: Reader,
}

/// Whether somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

impl StandardOutput {
    pub(super) const fn new(config: &StdoutConfig) -> Self {
        Self { format: Format::Json(config.format), lines: Vec::new(), reader: Reader::There }
    }
}

impl Sink for StandardOutput {
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String> {
        if self.reader == Reader::Gone {
            return Ok(Taken::Refused("standard output is closed".to_owned()));
        }
        self.lines.extend(self.format.render(letter));
        self.lines.push(b'\n');
        Ok(Taken::Whole)
    }

    fn flush(&mut self) -> Result<(), String> {
        let lines = std::mem::take(&mut self.lines);
        let mut out = io::stdout().lock();
        match out.write_all(&lines).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader = Reader::Gone;
                Ok(())
            }
            done => done.map_err(|error| format!("cannot write to standard output: {error}")),
        }
    }

    fn reset(&mut self) {
        self.lines.clear();
    }
}
