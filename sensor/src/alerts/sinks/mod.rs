//! Where alerts go: one file a kind of sink.
//!
//! In: alerts with their numbers, one by one, in order. Out: bytes in a file, on standard output,
//! in a syslog receiver, in a webhook. A sink runs in a thread of its own and may block, but every
//! wait of it has an end.

mod file;
mod stdout;
mod stream;
mod syslog;
mod tls;
mod webhook;

use super::alert::Alert;
use super::config::SinkKind;

/// An alert with its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter<'a> {
    /// Its number.
    pub(super) sequence: u64,
    /// Its columns.
    pub(super) alert: &'a Alert,
    /// All of it, as JSON.
    pub(super) json: &'a [u8],
}

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It went out whole.
    Whole,
    /// It went out without some columns.
    Shortened,
    /// It will never be taken, and why.
    Refused(String),
}

/// When it is known that alerts have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// When they are flushed.
    AtOnce,
    /// When the receiver is asked, which costs something.
    Asked,
}

/// A receiver of alerts. An error is a sentence for the operator; the caller waits, resets the
/// sink and starts again at what has surely arrived.
pub(super) trait Sink: Send {
    /// Takes an alert; it may be held back until [`flush`](Self::flush).
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String>;

    /// Sends what is held back.
    fn flush(&mut self) -> Result<(), String>;

    /// How many alerts it wants to take before they are flushed.
    fn batch(&self) -> usize {
        256
    }

    /// When alerts have arrived.
    fn confirmation(&self) -> Confirmation {
        Confirmation::AtOnce
    }

    /// Makes sure that everything has arrived.
    fn confirm(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Forgets a connection and what is held back.
    fn reset(&mut self);
}

/// Makes the sink of a configuration.
///
/// # Errors
/// It can never work as it is configured; the text says why and what to do.
pub(super) fn make(kind: &SinkKind) -> Result<Box<dyn Sink>, String> {
    Ok(match kind {
        SinkKind::Jsonl(jsonl) => Box::new(file::JsonLinesFile::new(jsonl)),
        SinkKind::Stdout(stdout) => Box::new(stdout::StandardOutput::new(stdout)),
        SinkKind::Syslog(syslog) => syslog::make(syslog)?,
        SinkKind::Webhook(webhook) => Box::new(webhook::Webhook::new(webhook)?),
    })
}
