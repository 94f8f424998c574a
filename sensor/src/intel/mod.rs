//! Intelligence: feeds and allow-lists as the configuration names them, and questions about them.
//! In: `[intel]`, files, servers. Out: the [`Matcher`](signatures::Matcher) of the moment, for the
//! second stage ([`IntelStore`]); answers for a person ([`ask`]); what the sensor itself found
//! ([`export`]).

pub mod ask;
pub mod export;
mod fetch;
mod keeper;
mod report;
pub mod settings;
mod store;

#[cfg(test)]
mod tests;

pub use keeper::Keeper;
pub use report::{FeedReport, IntelError, IntelReport, Outcome};
pub use settings::{FeedConfig, FeedSource, IntelConfig};
pub use store::{FeedState, IntelStore};
