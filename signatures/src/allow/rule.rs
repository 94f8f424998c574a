//! One entry of an allow-list, and what it is asked about. In: a [`Subject`]. Out: whether the
//! entry applies to it.

use std::path::PathBuf;

use analyzers::Timestamp;

use super::end::{End, Party};
use super::when::When;
use crate::observable::Observable;
use crate::{Confidence, Validity};

/// Confidence from which a match of intelligence is not allowed away by who was seen or when, only
/// by what was seen.
const SURE: u8 = 90;

/// Detectors whose findings are that sure by themselves.
const SURE_DETECTORS: [&str; 2] = ["smb_exploit", "canary"];

/// What becomes of a finding that an entry applies to. In the order of weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It is archived, not sent, and says which entry silenced it.
    Suppress,
    /// It is half as sure.
    Lower,
    /// It is sent as it is and says which entry knows it.
    Tag,
}

impl Mode {
    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "suppress" => Self::Suppress,
            "lower" => Self::Lower,
            "tag" => Self::Tag,
            _ => return None,
        })
    }
}

/// An entry of an allow-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What alerts and counters call it.
    pub id: String,
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub line: u32,
    /// Why it is there.
    pub reason: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// For which detectors; empty: for all.
    pub detectors: Vec<String>,
    /// What becomes of what it applies to.
    pub mode: Mode,
    /// How long.
    pub validity: Validity,
    /// Whether it applies to findings, too, that are sure by themselves.
    pub overrides: bool,
    /// A tag with which a feed says that it means the value all the same.
    pub unless_tag: Option<String>,
    /// Whether it names values; then it applies only to what shows one of them.
    pub(super) by_value: bool,
    pub(super) reach: Reach,
    pub(super) conditions: Conditions,
}

/// What a rule may silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Indicators of feeds alone. That a private address is no indicator does not mean that its
    /// host does no harm, and an update server's name may be borrowed.
    Indicators,
    /// Whatever is found.
    Findings,
}

/// Who, how and when: all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) src: Vec<End>,
    pub(super) dst: Vec<End>,
    pub(super) ports: Vec<u16>,
    pub(super) protocols: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) user_agents: Vec<String>,
    pub(super) when: Option<When>,
}

/// A finding that is judged, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// Who found it.
    pub detector: &'a str,
    /// How sure it is, in per cent.
    pub confidence: Option<Confidence>,
    /// Who began.
    pub src: Party<'a>,
    /// With whom.
    pub dst: Party<'a>,
    /// The responder's port.
    pub port: Option<u16>,
    /// `tcp`, `udp`, or a service's name.
    pub protocol: Option<&'a str>,
    /// The account.
    pub user: Option<&'a [u8]>,
    /// The HTTP client.
    pub user_agent: Option<&'a [u8]>,
    /// The client's fingerprint.
    pub ja4: Option<&'a [u8]>,
    /// What an indicator named.
    pub observable: Option<Observable<'a>>,
}

impl Subject<'_> {
    /// Whether only what was seen may silence it, not who or when.
    fn is_sure(&self) -> bool {
        let is_sure = |confidence: Confidence| confidence.percent() >= SURE;
        SURE_DETECTORS.contains(&self.detector)
            || (self.detector == crate::matcher::DETECTOR && self.confidence.is_some_and(is_sure))
    }
}

/// How a rule came to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It names the very thing that an indicator named.
    Indicator,
    /// It names an end of the finding, or no value at all.
    Behaviour,
}

impl Rule {
    /// Whether it is meant for a detector at an instant.
    pub(super) fn is_for(&self, detector: &str, at: Timestamp) -> bool {
        (self.detectors.is_empty() || self.detectors.iter().any(|name| name == detector))
            && self.validity.holds_at(at)
    }

    pub(super) fn applies(&self, subject: &Subject<'_>, found: Found, at: Timestamp) -> bool {
        let reaches = match found {
            Found::Indicator => true,
            Found::Behaviour => {
                self.reach == Reach::Findings && (self.overrides || !subject.is_sure())
            }
        };
        reaches && self.is_for(subject.detector, at) && self.conditions.hold(subject, at)
    }

    /// Whether it silences by what was seen alone.
    pub(super) fn silences(&self, detector: &str, at: Timestamp) -> bool {
        self.mode == Mode::Suppress
            && self.is_for(detector, at)
            && self.conditions == Conditions::default()
    }
}

impl Conditions {
    fn hold(&self, subject: &Subject<'_>, at: Timestamp) -> bool {
        let is_one = |ends: &[End], party| ends.is_empty() || ends.iter().any(|end| end.is(party));
        let is_word = |words: &[String], said: Option<&[u8]>| {
            let equal = |word: &String, said: &[u8]| word.as_bytes().eq_ignore_ascii_case(said);
            words.is_empty() || said.is_some_and(|said| words.iter().any(|word| equal(word, said)))
        };
        is_one(&self.src, &subject.src)
            && is_one(&self.dst, &subject.dst)
            && (self.ports.is_empty()
                || subject.port.is_some_and(|port| self.ports.contains(&port)))
            && is_word(&self.protocols, subject.protocol.map(str::as_bytes))
            && is_word(&self.users, subject.user)
            && is_word(&self.user_agents, subject.user_agent)
            && self.when.as_ref().is_none_or(|when| when.holds_at(at))
    }
}
