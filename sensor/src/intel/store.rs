//! The matcher of the moment. In: what `[intel]` names. Out: a [`Matcher`] that others hold while
//! the next one is built beside it, and a report of every load.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use signatures::allow::{AllowError, DefaultPack};
use signatures::{AllowList, IndicatorSet, Matcher, Part, Tally};

use super::settings::{FeedSource, IntelConfig};

/// Feeds and allow-lists, loaded.
pub struct IntelStore {
    current: ArcSwap<Matcher>,
}

/// Why there is no matcher at all.
#[derive(Debug, thiserror::Error)]
pub enum IntelError {
    /// An allow-list is broken: without it, alerts would be raised that somebody took care not to
    /// get.
    #[error("{0}")]
    Allow(#[from] AllowError),
}

/// What a load gave.
#[derive(Clone, Debug, Default)]
pub struct IntelReport {
    /// Each feed, in the order of the configuration.
    pub feeds: Vec<FeedReport>,
}

/// What one feed gave.
#[derive(Clone, Debug)]
pub struct FeedReport {
    /// Its name.
    pub name: String,
    /// Its file, directory or URL.
    pub place: String,
    /// What was taken and what was refused.
    pub tally: Tally,
}

impl IntelStore {
    /// Reads all that the configuration names.
    ///
    /// # Errors
    /// An allow-list is broken. What is wrong with a feed stands in the report.
    pub fn load(config: &IntelConfig) -> Result<(Self, IntelReport), IntelError> {
        let pack = if config.default_allow { DefaultPack::Used } else { DefaultPack::Unused };
        let allow = AllowList::load(pack, &config.allow)?;
        let mut parts = Vec::new();
        let mut report = IntelReport::default();
        for feed in &config.feeds {
            let path = match &feed.source {
                FeedSource::Path(path) => path.clone(),
                FeedSource::Url(_) => config.state.join(PathBuf::from(&feed.name)),
            };
            let (part, tally) = Part::load(&feed.at(path));
            parts.push(Arc::new(part));
            report.feeds.push(FeedReport { name: feed.name.clone(), place: feed.place(), tally });
        }
        let matcher = Matcher { indicators: IndicatorSet::new(parts), allow: Arc::new(allow) };
        Ok((Self { current: ArcSwap::from_pointee(matcher) }, report))
    }

    /// The matcher of the moment. Who holds it keeps it whole; the next call may give another one.
    #[must_use]
    pub fn current(&self) -> Arc<Matcher> {
        self.current.load_full()
    }
}

impl fmt::Debug for IntelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntelStore").finish_non_exhaustive()
    }
}
