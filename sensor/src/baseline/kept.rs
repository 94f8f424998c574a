//! What detectors learned, kept while the sensor runs.
//!
//! In: packet time, and what they learned so far. Out: the file, once an hour and at the end. It is
//! written in a thread of its own, which lives as long as that takes: nobody waits for a disk.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use analyzers::Timestamp;

use super::Baselines;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(3_600);

/// A file that is kept up to date.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    /// Packet time at which it was last written, or the first that was told.
    last: Option<Timestamp>,
    /// Who writes it at present.
    writing: Option<JoinHandle<()>>,
}

impl Kept {
    /// In this file.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, last: None, writing: None }
    }

    /// Whether an hour has gone by since it was last due.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.last.is_some_and(|last| now.since(last) >= EVERY);
        if is_due || self.last.is_none() {
            self.last = Some(now);
        }
        is_due
    }

    /// Writes it, unless it is being written still.
    pub fn write(&mut self, learned: Baselines) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            tracing::warn!("what was learned is still being written, and is not kept this time");
            return;
        }
        let path = self.path.clone();
        let run = move || {
            if let Err(error) = learned.save(&path) {
                tracing::warn!("what was learned cannot be kept: {error}");
            }
        };
        match thread::Builder::new().name("baseline".to_owned()).spawn(run) {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => tracing::warn!("what was learned cannot be kept: {error}"),
        }
    }

    /// Waits until it is written.
    pub fn finish(&mut self) {
        if let Some(writing) = self.writing.take() {
            // Its thread has said what went wrong.
            let _ = writing.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_once_an_hour_of_packet_time() {
        let mut kept = Kept::at(PathBuf::new());
        let at = |seconds| Timestamp::from_secs_nanos(seconds, 0);
        let due = [5, 6, 3_604, 3_605, 3_606, 7_204, 7_205].map(|seconds| kept.is_due(at(seconds)));
        assert_eq!(due, [false, false, false, true, false, false, true]);
    }

    #[test]
    fn what_is_written_is_there_when_it_is_finished() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("state").join("baseline.json");
        let learned = Baselines([("login".to_owned(), 7.into())].into());
        let mut kept = Kept::at(path.clone());
        kept.write(learned.clone());
        kept.finish();
        assert_eq!(Baselines::load(&path).unwrap(), learned);
    }
}
