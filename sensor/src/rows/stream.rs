//! The stream of rows that a user asked for beside the archive: a file, or standard output.
//!
//! In: rows. Out: lines of [`json`](super::json). A reader that closes its end has seen enough, and
//! the run goes on without it. Whether any other failure ends the run is the run's to say: a replay
//! can be had again and waits for a reader that is slow; packets on a wire cannot, and nobody who
//! looks at them ever waits.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::beside::Beside;
pub use super::beside::StreamStanding;
use super::json::JsonLines;
use super::{OnFailure, StampedRow};

/// Rows on their way to a reader.
pub struct RowStream(Way);

enum Way {
    /// Written in the caller's thread, until the reader is gone.
    Here(Option<JsonLines<Box<dyn Write + Send>>>),
    /// Written in a thread of its own.
    Beside(Beside),
}

impl RowStream {
    /// A stream on a writer that need not buffer.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, on_failure: OnFailure) -> Self {
        Self(match on_failure {
            OnFailure::Answer => Way::Here(Some(JsonLines::new(Box::new(BufWriter::new(out))))),
            OnFailure::Endure => Way::Beside(Beside::new(out)),
        })
    }

    /// A stream on a file; `-` is standard output. What can be had again is written anew, anything
    /// else behind what is there.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn open(path: &Path, on_failure: OnFailure) -> io::Result<Self> {
        let out = if path == Path::new("-") {
            // Not the library's handle, which would hold back a part of a line.
            File::from(io::stdout().as_fd().try_clone_to_owned()?)
        } else {
            match on_failure {
                OnFailure::Answer => File::create(path)?,
                OnFailure::Endure => behind(path)?,
            }
        };
        Ok(Self::new(Box::new(out), on_failure))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// It cannot be written, and this stream does not endure that.
    pub fn write(&mut self, row: &StampedRow) -> io::Result<()> {
        match &mut self.0 {
            Way::Here(lines) => attempt(lines, |lines| lines.write(row)),
            Way::Beside(beside) => beside.write(row),
        }
    }

    /// Passes on what is held back, so that a reader sees what happened up to now.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn pass_on(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Way::Here(lines) => attempt(lines, JsonLines::flush),
            Way::Beside(beside) => beside.pass_on(),
        }
    }

    /// Passes on the last rows, and waits for that as long as there is hope.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Way::Here(mut lines) => attempt(&mut lines, JsonLines::flush),
            Way::Beside(beside) => beside.finish(),
        }
    }

    /// How it is doing.
    #[must_use]
    pub fn standing(&self) -> StreamStanding {
        match &self.0 {
            Way::Here(_) => StreamStanding::default(),
            Way::Beside(beside) => beside.standing(),
        }
    }
}

/// The file, to be written behind what it holds; half a line, which a killed sensor left, is ended.
fn behind(path: &Path) -> io::Result<File> {
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        // A pipe or a device has no end to look at.
        return File::options().write(true).open(path);
    }
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Does something with the lines, if somebody still reads them.
fn attempt<W: Write>(
    lines: &mut Option<JsonLines<W>>,
    act: impl FnOnce(&mut JsonLines<W>) -> io::Result<()>,
) -> io::Result<()> {
    match lines.as_mut().map_or(Ok(()), act) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            *lines = None;
            Ok(())
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::samples::every_kind_null;

    /// A writer that always fails in the same way.
    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_ends_a_run_that_can_be_had_again_and_no_other() {
        for (on_failure, ends) in [(OnFailure::Answer, true), (OnFailure::Endure, false)] {
            let mut stream = RowStream::new(Box::new(Fails(ErrorKind::StorageFull)), on_failure);
            stream.write(&every_kind_null()).unwrap();
            assert_eq!(stream.pass_on().is_err(), ends);
        }
    }

    #[test]
    fn a_restart_loses_no_rows_and_a_replay_again_repeats_none() {
        let folder = tempfile::tempdir().unwrap();
        for (on_failure, before, lines) in [
            (OnFailure::Answer, "{}\n", 1),
            (OnFailure::Endure, "", 1),
            (OnFailure::Endure, "{}\n", 2),
            (OnFailure::Endure, "{}\n{\"half", 3),
        ] {
            let path = folder.path().join("rows");
            std::fs::write(&path, before).unwrap();
            let mut stream = RowStream::open(&path, on_failure).unwrap();
            stream.write(&every_kind_null()).unwrap();
            stream.finish().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), lines, "{text}");
            assert!(text.ends_with("}\n"));
        }
    }

    #[test]
    fn who_closes_the_pipe_has_seen_enough() {
        let closed = Box::new(Fails(ErrorKind::BrokenPipe));
        let mut stream = RowStream::new(closed, OnFailure::Answer);
        for _ in 0..2 {
            stream.write(&every_kind_null()).unwrap();
            stream.pass_on().unwrap();
        }
        assert!(matches!(stream.0, Way::Here(None)));
        stream.finish().unwrap();
    }
}
