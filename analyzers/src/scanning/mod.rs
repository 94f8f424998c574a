//! What tells looking around from use: the parts that the scan detectors share.
//!
//! In: rows of flows. Out: for each source and class of ports, whether what it did is a scan, by
//! which tests, with the figures.
//!
//! A scan shows in first contacts: a source that turns to a destination with which it had nothing
//! to do in the last day or two. What it meets there ([`contact`]) tells a scanner, whose guesses
//! mostly fail, from a client, whose servers mostly answer. Several tests look at the same contacts
//! ([`probing`]): a sequential one that decides after as few contacts as can be, and counts over
//! windows from ten minutes to three days for what it cannot see.

pub mod contact;
pub mod grounds;
pub mod probing;
pub mod report;

use serde::{Deserialize, Deserializer};

use crate::limits::SCAN_RECENT;

pub use contact::{Contacts, Outcome};
pub use probing::{Probing, Rule, Rules, Test, UseCounts};

/// A threshold of contacts, 1 to [`SCAN_RECENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Least(pub usize);

impl<'de> Deserialize<'de> for Least {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let least = usize::deserialize(deserializer)?;
        if (1..=SCAN_RECENT).contains(&least) {
            return Ok(Self(least));
        }
        Err(serde::de::Error::custom(format!(
            "{least} is no threshold of contacts; write 1 to {SCAN_RECENT}"
        )))
    }
}

/// All thresholds of a scan detector at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// One and a half times the threshold.
    Low,
    /// As it is.
    #[default]
    Medium,
    /// Two fifths of it, but three at least: two failures happen to everybody.
    High,
}

impl Sensitivity {
    /// A threshold.
    #[must_use]
    pub fn scale(self, least: Least) -> usize {
        let Least(least) = least;
        match self {
            Self::Low => least.saturating_mul(3).div_ceil(2).min(SCAN_RECENT),
            Self::Medium => least,
            Self::High => least.saturating_mul(2).div_ceil(5).max(3.min(least)),
        }
    }
}
