//! A candidate held against the alerts that are told now.
//!
//! In: the view of now, a candidate. Out: which alerts it silences and why, of which evidence does
//! not say, which stay, and what silence would cost.

use super::View;
use super::cost::Cost;
use super::past::Past;
use super::setting::{Fate, Reason, Setting};

/// What a candidate does.
pub(super) struct Trial<'a> {
    /// What it is called.
    pub(super) name: String,
    /// What would be silent, with the reasons, in the order of time.
    pub(super) silenced: Vec<(&'a Past, Reason)>,
    /// What may be silent: evidence counts over a longer time than the threshold does.
    pub(super) unclear: Vec<(&'a Past, Reason)>,
    /// What is told all the same.
    pub(super) stay: Vec<&'a Past>,
    /// What silence would cost.
    pub(super) cost: Cost<'a>,
}

impl<'a> Trial<'a> {
    /// Of a candidate, against what is configured now.
    pub(super) fn of(
        view: &View<'a>,
        setting: &Setting,
        candidate: &Setting,
        name: String,
    ) -> Self {
        let (mut silenced, mut unclear, mut stay) = (Vec::new(), Vec::new(), Vec::new());
        for &past in &view.told {
            match candidate.fate(past, Some(setting)) {
                Fate::Silent(reason) => silenced.push((past, reason)),
                Fate::Unclear(reason) => unclear.push((past, reason)),
                Fate::Told => stay.push(past),
            }
        }
        let cost = Cost::of(silenced.iter().map(|(past, _)| *past).collect(), &view.told);
        Self { name, silenced, unclear, stay, cost }
    }
}

impl Reason {
    /// In a few words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Off => "its detector is off".to_owned(),
            Self::Entry(id) => format!("allowed by {id:?}"),
            Self::Unlikely(None) => "below watch.min_confidence".to_owned(),
            Self::Unlikely(Some(id)) => format!("lowered by {id:?}, below watch.min_confidence"),
            Self::Threshold(knobs) => format!("below {}", knobs.join(", ")),
        }
    }
}
