//! What became of a load. In: each feed's outcome. Out: lines for a person, every refusal with file
//! and line.

use std::fmt;

use signatures::allow::AllowError;
use signatures::lists::ListError;
use signatures::{Kind, Tally};

/// Refusals of one feed that are told one by one; more are counted.
const REFUSALS_TOLD: usize = 20;

/// Why a list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntelError {
    /// An allow-list is broken.
    #[error(transparent)]
    Allow(#[from] AllowError),
    /// A list of another sort is broken.
    #[error(transparent)]
    List(#[from] ListError),
}

/// What a look at feeds and allow-lists gave.
#[derive(Clone, Debug, Default)]
pub struct IntelReport {
    /// Feeds that were read or tried, in the order of the configuration; not those that did not
    /// change.
    pub feeds: Vec<FeedReport>,
    /// What is wrong with allow-lists and other lists; those in use stay as they were.
    pub broken: Vec<IntelError>,
    /// Indicators in the set that is in use now.
    pub indicators: usize,
}

/// What one feed gave.
#[derive(Clone, Debug)]
pub struct FeedReport {
    /// Its name.
    pub name: String,
    /// Its file, directory or URL.
    pub place: String,
    /// Whether its indicators are in use now.
    pub outcome: Outcome,
    /// What was taken and what was refused.
    pub tally: Tally,
}

/// What became of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What it holds now is in use.
    Used,
    /// It cannot be used as it is, and why; what it held before is in use.
    Kept(String),
    /// It cannot be used as it is, and there is nothing from before.
    Missing(String),
}

impl IntelReport {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty() && self.broken.is_empty()
    }

    /// Whether something could not be used, or not all of it.
    #[must_use]
    pub fn has_refusals(&self) -> bool {
        let is_whole = |feed: &FeedReport| feed.outcome == Outcome::Used && feed.tally.refused == 0;
        !self.broken.is_empty() || !self.feeds.iter().all(is_whole)
    }
}

impl fmt::Display for IntelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.broken {
            writeln!(f, "{error}; what was in use stays as it was")?;
        }
        for feed in &self.feeds {
            write!(f, "{feed}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, place, outcome, tally } = self;
        for refusal in tally.refusals.iter().take(REFUSALS_TOLD) {
            writeln!(f, "{refusal}")?;
        }
        if let Some(more) = tally.refused.checked_sub(REFUSALS_TOLD).filter(|&more| more > 0) {
            writeln!(f, "{place}: {more} more refusals are not shown")?;
        }
        write!(f, "feed {name} ({place}): ")?;
        match outcome {
            Outcome::Used => {
                write!(f, "{} indicators", tally.total())?;
                for kind in Kind::ALL.into_iter().filter(|&kind| tally.taken(kind) > 0) {
                    write!(f, ", {} {}", tally.taken(kind), kind.name())?;
                }
                writeln!(f)
            }
            Outcome::Kept(reason) => writeln!(f, "{reason}; its indicators stay as they were"),
            Outcome::Missing(reason) => writeln!(f, "{reason}; it gives no indicators"),
        }
    }
}
