//! On which tests a scan's alert stands, by its evidence.
//!
//! In: evidence as [`report`](super::report) writes it, and the knobs of the detector. Out: a
//! ground for each test that fired. Evidence counts contacts over all time, the tests over their
//! windows: what evidence knows is that no window held more.

use super::probing::{DARK_HITS, Test};
use super::{Least, Sensitivity};
use crate::threshold::{Evidence, Ground, Threshold};

/// Which contacts a test counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Those that failed.
    Failed,
    /// Those that came to nothing, failed ones among them.
    All,
}

/// The grounds, where `knob` tells for a test its knob, what that is set to and what it counts;
/// none for a test that no knob decides.
pub fn grounds(
    evidence: &Evidence<'_>,
    sensitivity: Sensitivity,
    knob: impl Fn(Test) -> Option<(&'static str, Least, Counts)>,
) -> Vec<Ground> {
    // Who touches decoys is held to lower thresholds.
    if evidence.number("dark_hits").is_none_or(|hits| hits >= f64::from(DARK_HITS)) {
        return vec![Ground::FIXED];
    }
    let ground = |name: &str| {
        let test = Test::ALL.into_iter().find(|test| test.name() == name)?;
        let (knob, least, counts) = knob(test)?;
        let figure = match counts {
            Counts::Failed => "failed",
            Counts::All => "dsts",
        };
        let threshold = Threshold::count(knob, sensitivity.scale(least));
        Ground::at_most(threshold, evidence.number(figure))
    };
    evidence.texts("tests_fired").map(|name| ground(name).unwrap_or(Ground::FIXED)).collect()
}
