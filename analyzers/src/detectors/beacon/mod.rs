//! Beacons: hosts that call home in time.

mod score;

pub use score::{Score, score};
