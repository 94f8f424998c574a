//! What is known to be bad or good. In: feeds of indicators, allow-lists. Out: answers to one
//! question, [`Matcher::matches`]: is this observable known, and by whom.
//!
//! [`feeds`] read files of many formats into [`Indicator`]s; a [`Part`] packs those of one feed, an
//! [`IndicatorSet`] looks things up in many; [`AllowList`] has the last word. Nothing here knows a
//! protocol: analyzers say what they saw as an [`Observable`], and time is the packet's.

#![forbid(unsafe_code)]

pub mod allow;
pub mod feeds;
mod filter;
mod index;
pub mod indicator;
mod interner;
pub mod limits;
pub mod lists;
pub mod matcher;
mod networks;
pub mod observable;
pub mod part;
mod probe;
mod profile;
pub mod value;

pub use allow::AllowList;
pub use analyzers::grade::{Confidence, Severity, Stage, Technique};
pub use indicator::{Context, Indicator, Origin, Validity};
pub use lists::Lists;
pub use matcher::{Hit, IndicatorSet, Matcher, Matches};
pub use observable::Observable;
pub use part::{Part, Tally};
pub use value::{Key, Kind, Scope, ValueError};
