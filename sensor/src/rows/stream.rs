//! The stream of rows that a user asked for beside the archive: a file, or standard output.
//!
//! In: rows. Out: lines of [`json`](super::json). A reader that closes its end has seen enough, and
//! the run goes on without it. Whether any other failure ends the run is the run's to say: a replay
//! can be had again, packets on a wire cannot.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::json::JsonLines;
use super::{OnFailure, StampedRow};
use crate::clock::Stopwatch;

/// Real time after which a stream that endures is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Rows on their way to a reader.
pub struct RowStream {
    /// Until the reader is gone.
    lines: Option<JsonLines<Box<dyn Write + Send>>>,
    on_failure: OnFailure,
    retry: Duration,
    /// Since the stream cannot be written.
    trouble: Option<Trouble>,
}

struct Trouble {
    tried: Stopwatch,
    /// Rows that were let go.
    rows: u64,
}

impl RowStream {
    /// A stream on any writer.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, on_failure: OnFailure) -> Self {
        Self { lines: Some(JsonLines::new(out)), on_failure, retry: RETRY, trouble: None }
    }

    /// A stream on a new file; `-` is standard output.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path, on_failure: OnFailure) -> io::Result<Self> {
        let out: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(BufWriter::new(io::stdout()))
        } else {
            Box::new(BufWriter::new(File::create(path)?))
        };
        Ok(Self::new(out, on_failure))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// It cannot be written, and this stream does not endure that.
    pub fn write(&mut self, row: &StampedRow) -> io::Result<()> {
        if let Some(trouble) = &mut self.trouble {
            if trouble.tried.elapsed() < self.retry {
                trouble.rows += 1;
                return Ok(());
            }
            let rows = trouble.rows;
            self.flush()?;
            if self.trouble.is_some() {
                return Ok(());
            }
            tracing::warn!(rows, "rows are written as JSON again; so many are missing");
        }
        let written = self.lines.as_mut().map_or(Ok(()), |lines| lines.write(row));
        self.judge(written)
    }

    /// Passes on what is held back.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn flush(&mut self) -> io::Result<()> {
        let flushed = self.lines.as_mut().map_or(Ok(()), JsonLines::flush);
        self.judge(flushed)
    }

    fn judge(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        match outcome {
            Ok(()) => self.trouble = None,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.lines = None,
            Err(error) if self.on_failure == OnFailure::Answer => return Err(error),
            Err(error) => {
                if self.trouble.is_none() {
                    tracing::error!("cannot write rows as JSON: {error}; capture goes on");
                }
                let rows = self.trouble.take().map_or(0, |trouble| trouble.rows) + 1;
                self.trouble = Some(Trouble { tried: Stopwatch::start(), rows });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::rows::samples::every_kind_null;

    /// A disk that is full while it holds so many bytes.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if disk.0.len() >= disk.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            let disk = self.0.lock().unwrap();
            if disk.0.len() >= disk.1 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    #[test]
    fn a_full_disk_ends_a_run_that_can_be_had_again_and_no_other() {
        for (on_failure, ends) in [(OnFailure::Answer, true), (OnFailure::Endure, false)] {
            let disk = Disk::default();
            let mut stream = RowStream::new(Box::new(disk.clone()), on_failure);
            assert_eq!(stream.write(&every_kind_null()).is_err(), ends);
            assert!(disk.0.lock().unwrap().0.is_empty());
        }
    }

    #[test]
    fn rows_go_on_once_the_disk_has_room_again() {
        let disk = Disk::default();
        let mut stream = RowStream::new(Box::new(disk.clone()), OnFailure::Endure);
        stream.retry = Duration::ZERO;
        for _ in 0..3 {
            stream.write(&every_kind_null()).unwrap();
        }
        assert_eq!(stream.trouble.as_ref().map(|trouble| trouble.rows), Some(3));
        disk.0.lock().unwrap().1 = usize::MAX;
        stream.write(&every_kind_null()).unwrap();
        assert!(stream.trouble.is_none());
        assert_eq!(disk.0.lock().unwrap().0.iter().filter(|byte| **byte == b'\n').count(), 1);
    }

    #[test]
    fn who_closes_the_pipe_has_seen_enough() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut stream = RowStream::new(Box::new(Closed), OnFailure::Answer);
        stream.write(&every_kind_null()).unwrap();
        assert!(stream.lines.is_none());
        stream.write(&every_kind_null()).unwrap();
    }
}
