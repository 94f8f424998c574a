//! What silence would cost: the worst that would not be told any more.
//!
//! In: the alerts that a change silences, and all that are told. Out: the severest, the surest, the
//! incidents that would lose parts, the detectors that would say nothing any more.

use std::collections::{BTreeMap, BTreeSet};

use super::past::Past;

/// Alerts that an incident needs.
const INCIDENT_PARTS: usize = 2;

/// What a change silences.
#[derive(Debug)]
pub(super) struct Cost<'a> {
    /// The alerts, in the order of time.
    pub(super) silenced: Vec<&'a Past>,
    /// The severest of them, the surest of equals.
    pub(super) severest: Option<&'a Past>,
    /// The highest confidence.
    pub(super) surest: f64,
    /// Those that are P0 or P1.
    pub(super) major: Vec<&'a Past>,
    /// Incidents that lose parts.
    pub(super) incidents: Vec<Loss<'a>>,
    /// Detectors of which nothing is left.
    pub(super) muted: Vec<&'a str>,
}

/// What an incident loses.
#[derive(Debug)]
pub(super) struct Loss<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// What it says, where it is among the alerts.
    pub(super) title: Option<&'a str>,
    /// Parts that would be silent.
    pub(super) lost: usize,
    /// Parts that are told.
    pub(super) parts: usize,
}

impl Loss<'_> {
    /// Whether too little is left for an incident.
    pub(super) fn is_total(&self) -> bool {
        self.parts - self.lost < INCIDENT_PARTS
    }
}

impl<'a> Cost<'a> {
    /// Of silencing these of all that are told.
    pub(super) fn of(silenced: Vec<&'a Past>, told: &[&'a Past]) -> Self {
        let severest = silenced.iter().copied().max_by(|a, b| {
            let by_severity = a.severity().cmp(&b.severity());
            by_severity.then_with(|| a.confidence().total_cmp(&b.confidence()))
        });
        let surest = silenced.iter().map(|past| past.confidence()).fold(0.0, f64::max);
        let major = silenced.iter().filter(|past| past.is_major()).copied().collect();
        let count = |pasts: &[&'a Past]| {
            let mut by_detector: BTreeMap<&'a str, usize> = BTreeMap::new();
            pasts.iter().for_each(|past| *by_detector.entry(past.detector()).or_default() += 1);
            by_detector
        };
        let all = count(told);
        let muted = count(&silenced).into_iter();
        let muted = muted.filter(|(name, count)| all.get(name) == Some(count));
        let muted = muted.map(|(name, _)| name).collect();
        let incidents = losses(&silenced, told);
        Self { silenced, severest, surest, major, incidents, muted }
    }

    /// Whether nothing grave is lost.
    pub(super) fn is_small(&self) -> bool {
        self.major.is_empty() && self.incidents.is_empty()
    }
}

fn losses<'a>(silenced: &[&'a Past], told: &[&'a Past]) -> Vec<Loss<'a>> {
    let hit: BTreeSet<&str> = silenced.iter().filter_map(|past| past.incident()).collect();
    let parts = |pasts: &[&Past], id| pasts.iter().filter(|p| p.incident() == Some(id)).count();
    let title = |id: &str| {
        let is_it = |past: &&&'a Past| past.is_incident() && past.latest().alert_id == id;
        told.iter().find(is_it).map(|past| past.latest().title.as_str())
    };
    let loss =
        |id| Loss { id, title: title(id), lost: parts(silenced, id), parts: parts(told, id) };
    hit.into_iter().map(loss).collect()
}
