//! Lines on their way to a reader that may be slow, hang or be gone, for a run that cannot wait.
//!
//! In: rows. Out: the same lines as those of [`json`](super::json), written in a thread of its own.
//! Rows wait in memory as far as there is room; what comes after that is let go, counted and told.
//! A line is written whole or not at all, whatever the writer answers meanwhile.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use serde::{Deserialize, Serialize};

use super::StampedRow;
use super::json::JsonLines;

/// Bytes of lines that may wait, besides those that are on their way: seconds of the busiest link,
/// minutes of an office's.
const WAITING_BYTES: usize = 8 << 20;

/// So many bytes are handed over at once.
const PIECE_BYTES: usize = 64 << 10;

/// Real time after which a writer that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Real time that the end of a run waits for what waits, and again for what is on its way: a sensor
/// ends within ten seconds, whoever hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a stream of rows is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStanding {
    /// Bytes of lines that wait for their reader.
    pub waiting_bytes: u64,
    /// Rows that were let go since the start.
    pub lost: u64,
}

/// Rows on their way.
pub(super) struct Beside {
    /// Lines that wait, at most so many bytes and one line.
    waiting: JsonLines<Vec<u8>>,
    waiting_max: usize,
    /// Rows that were let go, and those of them that were told.
    lost: u64,
    told: u64,
    hand: Hand,
}

/// What takes lines over.
enum Hand {
    /// A thread that is not there yet: a sensor gives up its rights first.
    Idle(Box<dyn Write + Send>),
    /// One that writes.
    Writing(Writing),
    /// None any more: nobody reads.
    Gone,
}

struct Writing {
    /// The thread ends when nobody can send any more.
    pieces: Sender<Vec<u8>>,
    /// Nothing is ever sent here: the thread has ended when nobody can.
    end: Receiver<()>,
}

impl Beside {
    /// Lines for `out`, which should not buffer.
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            waiting: JsonLines::new(Vec::new()),
            waiting_max: WAITING_BYTES,
            lost: 0,
            told: 0,
            hand: Hand::Idle(out),
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// The system has no thread for them.
    pub(super) fn write(&mut self, row: &StampedRow) -> io::Result<()> {
        if let Hand::Gone = self.hand {
            return Ok(());
        }
        if self.waiting.get_ref().len() >= self.waiting_max {
            self.pass_on()?;
        }
        if self.waiting.get_ref().len() >= self.waiting_max {
            if self.lost == self.told {
                tracing::error!("rows as JSON wait for a reader or a disk; more are let go");
            }
            self.lost += 1;
            return Ok(());
        }
        self.waiting.write(row)?;
        if self.waiting.get_ref().len() >= PIECE_BYTES { self.pass_on() } else { Ok(()) }
    }

    /// Hands over what waits, if the thread is ready for it.
    ///
    /// # Errors
    /// The system has no thread.
    pub(super) fn pass_on(&mut self) -> io::Result<()> {
        if self.waiting.get_ref().is_empty() {
            return Ok(());
        }
        if let Hand::Idle(_) = self.hand
            && let Hand::Idle(out) = std::mem::replace(&mut self.hand, Hand::Gone)
        {
            self.hand = Hand::Writing(start(out)?);
        }
        let Hand::Writing(writing) = &self.hand else { return Ok(()) };
        let piece = std::mem::take(self.waiting.get_mut());
        match writing.pieces.try_send(piece) {
            Ok(()) => self.tell_lost(),
            Err(TrySendError::Full(piece)) => *self.waiting.get_mut() = piece,
            Err(TrySendError::Disconnected(_)) => self.hand = Hand::Gone,
        }
        Ok(())
    }

    fn tell_lost(&mut self) {
        let rows = self.lost - self.told;
        if rows > 0 {
            tracing::warn!(rows, "rows as JSON go on; so many are missing");
        }
        self.told = self.lost;
    }

    /// Waits for what is on its way, as long as there is hope.
    ///
    /// # Errors
    /// The system has no thread.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.pass_on()?;
        let last = std::mem::take(self.waiting.get_mut());
        let Hand::Writing(Writing { pieces, end }) = std::mem::replace(&mut self.hand, Hand::Gone)
        else {
            return Ok(());
        };
        let is_handed_over = last.is_empty() || pieces.send_timeout(last, PATIENCE).is_ok();
        drop(pieces);
        if is_handed_over && end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected) {
            self.tell_lost();
        } else {
            tracing::error!("the last rows as JSON were not taken and are missing");
        }
        Ok(())
    }

    /// How it is doing.
    pub(super) fn standing(&self) -> StreamStanding {
        StreamStanding { waiting_bytes: self.waiting.get_ref().len() as u64, lost: self.lost }
    }
}

fn start(mut out: Box<dyn Write + Send>) -> io::Result<Writing> {
    let (pieces, to_write) = bounded::<Vec<u8>>(1);
    let (running, end) = bounded(0);
    let run = move || {
        let _running: Sender<()> = running;
        for piece in to_write {
            if write_all(&mut out, &piece) == Reader::Gone {
                break;
            }
        }
    };
    let started = thread::Builder::new().name("json".to_owned()).spawn(run);
    started.map_err(|error| {
        let advice = "go without `--json`, or raise the limit of tasks";
        io::Error::new(error.kind(), format!("no thread can be started: {error}; {advice}"))
    })?;
    Ok(Writing { pieces, end })
}

/// Whether somebody reads.
#[derive(PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// Writes `bytes`, however long that takes: after an error it goes on where it was.
fn write_all(out: &mut dyn Write, mut bytes: &[u8]) -> Reader {
    let mut has_failed = false;
    while !bytes.is_empty() {
        let error = match out.write(bytes) {
            Ok(0) => ErrorKind::WriteZero.into(),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Reader::Gone,
            Err(error) => error,
        };
        if !has_failed {
            tracing::error!("cannot write rows as JSON: {error}; capture goes on");
        }
        has_failed = true;
        thread::sleep(RETRY);
    }
    if has_failed {
        tracing::info!("rows are written as JSON again");
    }
    Reader::There
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::rows::samples::every_kind_null;

    /// A disk that answers when it is let to, a few bytes at a time.
    #[derive(Clone, Default)]
    struct Disk {
        bytes: Arc<Mutex<Vec<u8>>>,
        hangs: Arc<Mutex<()>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _answers = self.hangs.lock().unwrap();
            let taken = &bytes[..bytes.len().min(7)];
            self.bytes.lock().unwrap().extend_from_slice(taken);
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_disk_that_hangs_and_rows_that_are_let_go_are_counted() {
        let disk = Disk::default();
        let mut beside = Beside::new(Box::new(disk.clone()));
        let hanging = disk.hangs.lock().unwrap();
        beside.write(&every_kind_null()).unwrap();
        let line = beside.waiting.get_ref().len();
        beside.waiting_max = 3 * line;
        // One is on its way, the next is handed over, three wait, four are let go.
        beside.pass_on().unwrap();
        while let Hand::Writing(writing) = &beside.hand
            && !writing.pieces.is_empty()
        {
            thread::yield_now();
        }
        beside.write(&every_kind_null()).unwrap();
        beside.pass_on().unwrap();
        for _ in 0..7 {
            beside.write(&every_kind_null()).unwrap();
        }
        let waiting_bytes = 3 * line as u64;
        assert_eq!(beside.standing(), StreamStanding { waiting_bytes, lost: 4 });
        drop(hanging);
        beside.finish().unwrap();
        let bytes = disk.bytes.lock().unwrap();
        assert_eq!(bytes.len(), 5 * line);
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        assert!(lines.iter().all(|other| *other == lines[0] && other.len() == line));
    }

    #[test]
    fn a_line_goes_on_where_an_error_cut_it() {
        /// Takes some bytes, fails, and takes the rest.
        struct Full(Vec<u8>, Vec<io::Result<usize>>);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let count = self.1.pop().unwrap_or(Ok(bytes.len()))?;
                self.0.extend_from_slice(&bytes[..count]);
                Ok(count)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let answers = vec![Ok(1), Err(ErrorKind::Interrupted.into()), Ok(3)];
        let mut out = Full(Vec::new(), answers);
        assert!(write_all(&mut out, b"{\"a\":1}\n") == Reader::There);
        assert_eq!(out.0, b"{\"a\":1}\n");
    }

    #[test]
    fn who_closes_the_pipe_has_seen_enough() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut beside = Beside::new(Box::new(Closed));
        while !matches!(beside.hand, Hand::Gone) {
            beside.write(&every_kind_null()).unwrap();
            beside.pass_on().unwrap();
        }
        beside.write(&every_kind_null()).unwrap();
        assert_eq!(beside.standing().lost, 0);
        beside.finish().unwrap();
    }
}
