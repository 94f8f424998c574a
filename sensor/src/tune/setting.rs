//! What a configuration would have made of an alert: told, or silent and why.
//!
//! In: a configuration with its allow-lists, alerts. Out: a [`Fate`] for each. The allow-list, the
//! thresholds and the least confidence are asked as the running sensor asks them.

use std::path::PathBuf;

use analyzers::detectors;
use analyzers::threshold::{Evidence, Standing};
use jiff::tz::TimeZone;
use signatures::allow::{AllowError, DefaultPack, Mode};
use signatures::{AllowList, Key, Kind, Observable};

use super::past::{Past, Telling};
use crate::config::Config;
use crate::watch::judge::{Asked, LOWERED};

/// A configuration, and what its allow-lists hold.
pub(super) struct Setting {
    pub(super) config: Config,
    pub(super) allow: AllowList,
}

/// What becomes of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is told.
    Told,
    /// Its evidence does not say: it counts over a longer time than the threshold does.
    Unclear(Reason),
    /// It is not.
    Silent(Reason),
}

/// Why an alert is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its detector is off.
    Off,
    /// An entry of an allow-list silences it, by its id.
    Entry(String),
    /// It is not likely enough; with the entry that lowered it, if one did.
    Unlikely(Option<String>),
    /// Figures do not meet their thresholds, by the knobs.
    Threshold(Vec<&'static str>),
}

impl Setting {
    /// With allow-lists that are in no file, each with the name by which it is told.
    ///
    /// # Errors
    /// An allow-list is broken.
    pub(super) fn new(config: Config, texts: &[(PathBuf, String)]) -> Result<Self, AllowError> {
        let pack = if config.intel.default_allow { DefaultPack::Used } else { DefaultPack::Unused };
        let allow = AllowList::load_with(pack, &config.intel.allow, texts, &zone(&config))?;
        Ok(Self { config, allow })
    }

    /// What it makes of an alert. Thresholds that are as `before` stand as they stood.
    pub(super) fn fate(&self, past: &Past, before: Option<&Self>) -> Fate {
        worst(past, |telling| self.fate_of(telling, past.is_incident(), before))
    }

    fn fate_of(&self, telling: &Telling, is_incident: bool, before: Option<&Self>) -> Fate {
        let watch = &self.config.watch;
        if !watch.runs(&telling.row.detector) {
            return Fate::Silent(Reason::Off);
        }
        let word = if is_incident { Word::Nothing } else { word(&self.allow, telling) };
        let (confidence, by) = match word {
            Word::Nothing => (unlowered(telling), None),
            Word::Lowered(id) => (unlowered(telling) * LOWERED, Some(id)),
            Word::Silenced(id) => return Fate::Silent(Reason::Entry(id)),
        };
        if !watch.tells(confidence) {
            return Fate::Silent(Reason::Unlikely(by));
        }
        fate_by_knobs(&self.config.detect, telling, before.map(|before| &before.config.detect))
    }
}

/// Where the sensor is; the configuration was checked for it.
pub(super) fn zone(config: &Config) -> TimeZone {
    TimeZone::get(&config.sensor.timezone).unwrap_or(TimeZone::UTC)
}

/// An alert is told if it is told at any time.
pub(super) fn worst(past: &Past, fate: impl Fn(&Telling) -> Fate) -> Fate {
    let mut worst = None;
    for telling in &past.tellings {
        match (fate(telling), &worst) {
            (Fate::Told, _) => return Fate::Told,
            (Fate::Silent(_), Some(Fate::Unclear(_))) => {}
            (fate, _) => worst = Some(fate),
        }
    }
    worst.unwrap_or(Fate::Told)
}

/// What an allow-list says about an alert.
pub(super) enum Word {
    Nothing,
    Lowered(String),
    Silenced(String),
}

/// Asks an allow-list about an alert, as the sensor asks about a finding.
pub(super) fn word(allow: &AllowList, telling: &Telling) -> Word {
    let row = &telling.row;
    let id_of = |id| allow.rule(id).map(|rule| rule.id.clone()).unwrap_or_default();
    if let Some(key) = row.key().filter(|_| row.detector == signatures::matcher::DETECTOR) {
        let text = key.to_string();
        let seen = Observable::of(&key, &text).or_else(|| first_of(&key));
        let by = seen.and_then(|seen| allow.silences(&seen, &row.detector, row.last));
        if let Some(id) = by.filter(|id| !yields(allow, *id, telling)) {
            return Word::Silenced(id_of(id));
        }
    }
    let asked = Asked {
        detector: &row.detector,
        confidence: unlowered(telling),
        src: row.src_ip,
        dst: row.dst_ip,
        port: row.dst_port,
        protocol: row.proto.as_deref(),
        key: telling.text("key").unwrap_or_default().as_bytes(),
        user: telling.text("user"),
        user_agent: telling.text("user_agent"),
        ja4: telling.text("ja4"),
    };
    match asked.verdict(allow, row.last) {
        Some(verdict) if verdict.mode == Mode::Suppress => Word::Silenced(id_of(verdict.id)),
        Some(verdict) if verdict.mode == Mode::Lower => Word::Lowered(id_of(verdict.id)),
        _ => Word::Nothing,
    }
}

/// A network stands for its first address.
fn first_of(key: &Key) -> Option<Observable<'static>> {
    (key.kind() == Kind::Network).then(|| key.address().map(Observable::Address)).flatten()
}

/// Whether an entry yields to what the feed says of the indicator.
fn yields(allow: &AllowList, id: signatures::allow::AllowId, telling: &Telling) -> bool {
    let tag = allow.rule(id).and_then(|rule| rule.unless_tag.as_deref());
    let mut tags = Evidence(&telling.figures).texts("tags");
    tag.is_some_and(|tag| tags.any(|other| other == tag))
}

/// Its confidence before an entry of that time lowered it.
fn unlowered(telling: &Telling) -> f64 {
    let confidence = telling.row.confidence;
    if telling.text("lowered_by").is_some() { confidence / LOWERED } else { confidence }
}

/// What knobs make of an alert.
pub(super) fn fate_by_knobs(
    knobs: &detectors::Knobs,
    telling: &Telling,
    before: Option<&detectors::Knobs>,
) -> Fate {
    let evidence = Evidence(&telling.figures);
    let grounds = detectors::grounds(&telling.row.detector, knobs, &evidence);
    let known = before.map(|before| detectors::grounds(&telling.row.detector, before, &evidence));
    let mut in_doubt = Vec::new();
    let mut failed = Vec::new();
    for (at, ground) in grounds.iter().enumerate() {
        let is_as_before = known.as_ref().is_some_and(|known| known.get(at) == Some(ground));
        let knobs = ground.0.iter().map(|held| held.threshold.knob);
        match ground.standing() {
            Standing::Fails => failed.extend(
                ground.0.iter().filter(|h| !h.threshold.is_met(h.figure)).map(|h| h.threshold.knob),
            ),
            Standing::MayHold if !is_as_before && known.is_some() => in_doubt.extend(knobs),
            Standing::MayHold | Standing::Holds => return Fate::Told,
        }
    }
    for knobs in [&mut in_doubt, &mut failed] {
        knobs.sort_unstable();
        knobs.dedup();
    }
    if !in_doubt.is_empty() {
        Fate::Unclear(Reason::Threshold(in_doubt))
    } else if !failed.is_empty() {
        Fate::Silent(Reason::Threshold(failed))
    } else {
        Fate::Told
    }
}
