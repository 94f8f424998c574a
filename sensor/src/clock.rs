//! The wall clock, for how long a run took and for questions that a person asks. Nothing that
//! decides about traffic reads it: everything else lives in packet time.

use std::time::{Duration, Instant};

use analyzers::Timestamp;

/// The present, for a person who asks what would match now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_secs_nanos(jiff::Timestamp::now().as_second(), 0)
}

/// Measures real time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
