//! Which thread writes an archive's files: the caller's, or one of its own.
//!
//! In: sealed partitions, a batch at a time. Out: what came of each batch. Beside the caller, a
//! disk that is slow or does not answer holds up nobody who gathers rows and tells alerts; how many
//! rows may wait meanwhile is the [archive](super)'s to say.

use std::io;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::error::ArchiveError;
use super::partition::Sealed;
use super::publisher::{Outcome, Publisher};
use crate::clock::Stopwatch;

/// Where files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// In the caller's thread, which waits.
    Here,
    /// In a thread of its own.
    Beside,
}

/// Writes one batch at a time.
#[derive(Debug)]
pub(super) enum Writer {
    /// Here; what came of the last batch waits to be taken.
    Here(Box<Publisher>, Option<Outcome>),
    /// Beside.
    Beside(Beside),
}

/// A thread that writes.
#[derive(Debug)]
pub(super) struct Beside {
    /// The thread ends when nobody can send any more.
    batches: Sender<Vec<Sealed>>,
    outcomes: Receiver<Outcome>,
    /// Since a batch is under way.
    busy: Option<Stopwatch>,
}

impl Writer {
    /// Starts the thread, where one is wanted.
    ///
    /// # Errors
    /// The system has none.
    pub(super) fn start(mut publisher: Publisher, writing: Writing) -> io::Result<Self> {
        if writing == Writing::Here {
            return Ok(Self::Here(Box::new(publisher), None));
        }
        let (batches, to_write) = bounded::<Vec<Sealed>>(1);
        let (written, outcomes) = bounded(1);
        let run = move || {
            for batch in to_write {
                if written.send(publisher.publish(batch)).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("archive".to_owned()).spawn(run)?;
        Ok(Self::Beside(Beside { batches, outcomes, busy: None }))
    }

    /// How long a batch has been under way, if one is.
    pub(super) fn busy(&self) -> Option<Duration> {
        match self {
            Self::Here(..) => None,
            Self::Beside(beside) => beside.busy.map(Stopwatch::elapsed),
        }
    }

    /// Begins a batch; the one before must have been taken.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn begin(&mut self, batch: Vec<Sealed>) -> Result<(), ArchiveError> {
        match self {
            Self::Here(publisher, outcome) => {
                *outcome = Some(publisher.publish(batch));
                Ok(())
            }
            Self::Beside(beside) => {
                beside.busy = Some(Stopwatch::start());
                beside.batches.send(batch).map_err(|_| ArchiveError::WriterEnded)
            }
        }
    }

    /// What came of the batch, if it is done.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn take(&mut self) -> Result<Option<Outcome>, ArchiveError> {
        match self {
            Self::Here(_, outcome) => Ok(outcome.take()),
            Self::Beside(beside) if beside.busy.is_none() => Ok(None),
            Self::Beside(beside) => match beside.outcomes.try_recv() {
                Ok(outcome) => Ok(Some(beside.done(outcome))),
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => Err(ArchiveError::WriterEnded),
            },
        }
    }

    /// What came of the batch, if there is one, once it is done.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn wait(&mut self) -> Result<Option<Outcome>, ArchiveError> {
        match self {
            Self::Here(_, outcome) => Ok(outcome.take()),
            Self::Beside(beside) if beside.busy.is_none() => Ok(None),
            Self::Beside(beside) => {
                let outcome = beside.outcomes.recv().map_err(|_| ArchiveError::WriterEnded)?;
                Ok(Some(beside.done(outcome)))
            }
        }
    }
}

impl Beside {
    fn done(&mut self, outcome: Outcome) -> Outcome {
        self.busy = None;
        outcome
    }
}
