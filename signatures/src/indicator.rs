//! An indicator: a value that somebody holds to be bad, and what they say about it.

use std::sync::Arc;

use analyzers::Timestamp;

use crate::{Confidence, Key, Severity, Stage, Technique};

/// What a feed says about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The feed, by name.
    pub source: Arc<str>,
    /// Malware family or tool.
    pub family: Option<String>,
    /// Who uses it.
    pub actor: Option<String>,
    /// How sure the source is.
    pub confidence: Option<Confidence>,
    /// How bad a match is.
    pub severity: Option<Severity>,
    /// Where in an attack it belongs.
    pub stage: Option<Stage>,
    /// What it is, in ATT&CK's terms.
    pub technique: Option<Technique>,
    /// The source's own words, in its order.
    pub tags: Vec<String>,
    /// Where to read more.
    pub reference: Option<String>,
    /// What to do.
    pub advice: Option<String>,
}

impl Context {
    /// A source that says nothing more.
    #[must_use]
    pub fn of(source: &Arc<str>) -> Self {
        Self {
            source: Arc::clone(source),
            family: None,
            actor: None,
            confidence: None,
            severity: None,
            stage: None,
            technique: None,
            tags: Vec::new(),
            reference: None,
            advice: None,
        }
    }
}

/// When an indicator holds, in whole seconds since the Unix epoch; open where nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// From this second on.
    pub from: Option<u32>,
    /// Up to, not including, this second.
    pub until: Option<u32>,
}

impl Validity {
    /// Whether it holds at an instant of packet time.
    #[must_use]
    pub fn holds_at(self, at: Timestamp) -> bool {
        let second = at.micros().div_euclid(1_000_000);
        self.from.is_none_or(|from| second >= i64::from(from))
            && self.until.is_none_or(|until| second < i64::from(until))
    }
}

/// Where in its feed an indicator stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Line, counted from 1; absent in JSON.
    pub line: Option<u32>,
}

/// A value that somebody holds to be bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// The value in its canonical form.
    pub key: Key,
    /// What is said about it.
    pub context: Context,
    /// When it holds.
    pub validity: Validity,
    /// Where it stood.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_begins_with_its_first_second_and_ends_before_its_last() {
        let validity = Validity { from: Some(100), until: Some(200) };
        for (second, expected) in [(99, false), (100, true), (199, true), (200, false)] {
            let at = Timestamp::from_secs_nanos(second, 999_999_999);
            assert_eq!(validity.holds_at(at), expected, "{second}");
        }
        assert!(Validity::default().holds_at(Timestamp::MIN));
        assert!(Validity::default().holds_at(Timestamp::MAX));
    }
}
