//! Guessing of passwords: the parts that the detectors of it share.
//!
//! In: attempts and successes of logons. Out: whether somebody guesses, by which rules, and whether
//! he got in.
//!
//! Guessers are slow where they know that they are counted, and come from many addresses; so each
//! attempt counts for the pair of hosts, for the source over all hosts, and for the host over all
//! sources.

mod report;
pub mod tally;

pub use tally::{Attempt, Guesses, Limits, Span};
