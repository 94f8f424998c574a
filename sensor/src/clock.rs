//! The wall clock: for how long a run took, for questions that a person asks, for how long an
//! interface has been quiet, and for how old an archive is. Nothing that decides about traffic
//! reads it: everything else lives in packet time.

use std::time::{Duration, Instant};

use analyzers::Timestamp;

/// The present, for a person who asks what would match now, for what the sensor says of itself, and
/// for the age of what it keeps.
#[must_use]
pub fn now() -> Timestamp {
    let now = jiff::Timestamp::now();
    Timestamp::from_secs_nanos(now.as_second(), now.subsec_nanosecond().into())
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
