//! Intelligence: feeds and allow-lists as the configuration names them, and questions about them.
//! In: `[intel]`, files, servers. Out: the [`Matcher`](signatures::Matcher) of the moment, for the
//! second stage ([`IntelStore`]); answers for a person ([`ask`]).

pub mod ask;
pub mod settings;
pub mod store;

pub use settings::{FeedConfig, FeedSource, IntelConfig};
pub use store::{FeedReport, IntelError, IntelReport, IntelStore};
