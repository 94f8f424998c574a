//! What is known to be bad or good. In: feeds of indicators, allow-lists. Out: answers to one
//! question, [`Matcher::matches`]: is this observable known, and by whom.
//!
//! [`feeds`] read files of many formats into [`Indicator`]s; [`IndicatorSet`] packs millions of
//! them for look-ups; [`AllowList`] has the last word. Nothing here knows a protocol: analyzers
//! say what they saw as an [`Observable`], and time is the packet's.

#![forbid(unsafe_code)]

pub mod allow;
pub mod feeds;
pub mod grade;
mod index;
pub mod indicator;
mod interner;
pub mod limits;
pub mod matcher;
mod networks;
pub mod observable;
mod profile;
pub mod value;

pub use allow::AllowList;
pub use grade::{Confidence, Severity, Stage, Technique};
pub use indicator::{Context, Indicator, Origin, Validity};
pub use matcher::{Hit, IndicatorSet, Matcher, Matches, SetBuilder};
pub use observable::Observable;
pub use value::{Key, Kind, Scope, ValueError};
