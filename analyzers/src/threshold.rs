//! Thresholds: what a knob asks of a figure before something is told.
//!
//! In: knobs, and figures: those that a detector has at hand, or those that the evidence of an
//! alert kept. Out: whether the threshold is met. Detectors ask here while they watch, and who
//! wants to know what another setting would have told asks here about alerts of the past: there is
//! one comparison.

use serde_json::{Map, Value};

/// A knob and what it is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The knob's name below `[detect.<detector>]`.
    pub knob: &'static str,
    /// What it is set to, in the unit of the figure.
    pub bound: f64,
    /// On which side of it a figure must lie.
    pub side: Side,
    /// How many units of the figure one of the knob is, as 3600 where hours bound seconds.
    pub unit: f64,
}

/// On which side of its bound a figure must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// There or above.
    AtLeast,
    /// There or below.
    AtMost,
}

impl Threshold {
    /// Of a figure that must be as large as the knob at least.
    #[must_use]
    pub const fn least(knob: &'static str, bound: f64) -> Self {
        Self { knob, bound, side: Side::AtLeast, unit: 1.0 }
    }

    /// Of a count that must be as large as the knob at least.
    #[must_use]
    pub const fn count(knob: &'static str, bound: usize) -> Self {
        Self::least(knob, bound as f64)
    }

    /// Of a figure that must not be larger than the knob.
    #[must_use]
    pub const fn most(knob: &'static str, bound: f64) -> Self {
        Self { knob, bound, side: Side::AtMost, unit: 1.0 }
    }

    /// The same where the figure has a smaller unit: `unit` of them are one of the knob.
    #[must_use]
    pub const fn in_units_of(self, unit: f64) -> Self {
        Self { bound: self.bound * unit, unit, ..self }
    }

    /// Whether a figure meets it.
    #[must_use]
    pub const fn is_met(&self, figure: f64) -> bool {
        match self.side {
            Side::AtLeast => figure >= self.bound,
            Side::AtMost => figure <= self.bound,
        }
    }

    /// Whether a count meets it.
    #[must_use]
    pub const fn is_met_by(&self, count: usize) -> bool {
        self.is_met(count as f64)
    }
}

/// How well evidence knows the figure that a detector compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// It is that figure.
    Exactly,
    /// The one compared was not larger: evidence sums over all time, the detector over a window.
    AtMost,
}

/// A figure of an alert and the threshold that it is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The threshold.
    pub threshold: Threshold,
    /// The figure.
    pub figure: f64,
    /// How well it is known.
    pub knows: Knows,
}

/// What one ground says under the thresholds that it is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The alert is told for it.
    Holds,
    /// It is met by what evidence knows; the figure that was compared may have been smaller.
    MayHold,
    /// It is not met.
    Fails,
}

/// One of the reasons for which an alert was told. Any of them is enough; for one, all of its
/// figures must meet their thresholds. One without figures always holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ground(pub Vec<Held>);

impl Ground {
    /// One that no knob decides.
    pub const FIXED: Self = Self(Vec::new());

    /// One that a figure decides; none where evidence does not have it.
    #[must_use]
    pub fn exact(threshold: Threshold, figure: Option<f64>) -> Option<Self> {
        let held = Held { threshold, figure: figure?, knows: Knows::Exactly };
        Some(Self(vec![held]))
    }

    /// One that a figure decides, of which evidence knows that it was not larger.
    #[must_use]
    pub fn at_most(threshold: Threshold, figure: Option<f64>) -> Option<Self> {
        let held = Held { threshold, figure: figure?, knows: Knows::AtMost };
        Some(Self(vec![held]))
    }

    /// The same with another figure that must meet its threshold, too.
    #[must_use]
    pub fn and(mut self, threshold: Threshold, figure: Option<f64>) -> Option<Self> {
        self.0.push(Held { threshold, figure: figure?, knows: Knows::Exactly });
        Some(self)
    }

    /// What it says.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.0.iter().any(|held| !held.threshold.is_met(held.figure)) {
            Standing::Fails
        } else if self.0.iter().any(|held| held.knows == Knows::AtMost) {
            Standing::MayHold
        } else {
            Standing::Holds
        }
    }
}

/// The figures of an alert.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a>(pub &'a Map<String, Value>);

impl<'a> Evidence<'a> {
    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// How many entries a list has.
    #[must_use]
    pub fn entries(&self, name: &str) -> Option<f64> {
        Some(self.0.get(name)?.as_array()?.len() as f64)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether it has something of that name that is not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

/// What the knobs of a detector say about its alerts, by their evidence.
pub trait Grounds {
    /// The grounds on which an alert stands; none where no knob decides, or the evidence, as of an
    /// older version, does not say.
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let _ = evidence;
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_meets_its_threshold_from_one_side() {
        for (threshold, figure, expected) in [
            (Threshold::least("a", 0.85), 0.85, true),
            (Threshold::least("a", 0.85), 0.849, false),
            (Threshold::count("a", 10), 9.0, false),
            (Threshold::most("a", 3.0), 3.0, true),
            (Threshold::most("a", 3.0), 4.0, false),
            (Threshold::count("hours", 8).in_units_of(3_600.0), 28_799.0, false),
            (Threshold::count("hours", 8).in_units_of(3_600.0), 28_800.0, true),
            (Threshold::least("a", 0.85), f64::NAN, false),
        ] {
            assert_eq!(threshold.is_met(figure), expected, "{threshold:?} {figure}");
        }
    }

    #[test]
    fn a_ground_needs_all_of_its_figures() {
        let (low, high) = (Threshold::least("low", 1.0), Threshold::least("high", 9.0));
        let exact = |figure| Ground::exact(low, Some(figure)).unwrap();
        for (ground, expected) in [
            (Ground::FIXED, Standing::Holds),
            (exact(1.0), Standing::Holds),
            (exact(0.5), Standing::Fails),
            (exact(1.0).and(high, Some(8.0)).unwrap(), Standing::Fails),
            (exact(1.0).and(high, Some(9.0)).unwrap(), Standing::Holds),
            (Ground::at_most(low, Some(1.0)).unwrap(), Standing::MayHold),
            (Ground::at_most(low, Some(0.9)).unwrap(), Standing::Fails),
        ] {
            assert_eq!(ground.standing(), expected, "{ground:?}");
        }
        assert_eq!(Ground::exact(low, None), None);
        assert_eq!(exact(1.0).and(high, None), None);
    }
}
