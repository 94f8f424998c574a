//! How bad a finding is here: what the detector says, raised for critical assets and for what
//! spreads, lowered where it is unlikely.
//!
//! In: a finding, the assets, who else showed the same in the last day. Out: severity and
//! confidence. The four levels are those of GB/T 20986-2023.

use std::net::IpAddr;
use std::time::Duration;

use analyzers::scene::assets;
use analyzers::{Finding, Recent, Scene, Severity, Text, Timestamp};
use smallvec::SmallVec;

/// Below this a finding is one level less severe.
const UNLIKELY: f64 = 0.4;

/// From this on a major finding may be a special one.
const NEARLY_CERTAIN: f64 = 0.9;

/// Hosts with the same indicator or behaviour in a day that make a major finding a special one.
const SPREAD_HOSTS: usize = 10;

/// How long the same behaviour of other hosts counts.
const SPREAD_SPAN: Duration = Duration::from_secs(24 * 3_600);

/// Indicators and behaviours whose hosts are remembered.
const SPREADS_MAX: usize = 16_384;

/// How bad and how likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grade {
    /// How bad.
    pub severity: Severity,
    /// How likely.
    pub confidence: f64,
}

impl Default for Grade {
    fn default() -> Self {
        Self { severity: Severity::LOW, confidence: 0.0 }
    }
}

/// The last hosts that showed an indicator or behaviour.
type Hosts = SmallVec<[(IpAddr, Timestamp); 2]>;

/// Who showed what in the last day.
pub(super) struct SpreadTable(Recent<(&'static str, Text), Hosts>);

impl Default for SpreadTable {
    fn default() -> Self {
        Self(Recent::new(SPREADS_MAX))
    }
}

impl SpreadTable {
    /// Notes that a host showed it; how many did in the last day, up to [`SPREAD_HOSTS`].
    fn note(&mut self, finding: &Finding, now: Timestamp) -> usize {
        let what = finding.indicator.as_ref().map(|indicator| indicator.value.clone());
        let key = (finding.detector, what.unwrap_or(Text::Word("")));
        let hosts = self.0.entry(key, Hosts::new);
        hosts.retain(|(host, at)| *host != finding.host && now.since(*at) <= SPREAD_SPAN);
        hosts.push((finding.host, now));
        if hosts.len() > SPREAD_HOSTS {
            hosts.remove(0);
        }
        hosts.len()
    }
}

/// What grading asks.
pub(super) struct Grading<'a> {
    pub(super) scene: &'a Scene,
    pub(super) spread: &'a mut SpreadTable,
}

impl Grading<'_> {
    pub(super) fn grade(self, finding: &Finding, now: Timestamp) -> Grade {
        let confidence = finding.confidence.clamp(0.0, 1.0);
        let spread = self.spread.note(finding, now) >= SPREAD_HOSTS;
        let critical = &self.scene.assets.critical;
        let concerns_critical = assets::any_contains(critical, finding.host)
            || finding.peers.iter().any(|&peer| assets::any_contains(critical, peer));
        let mut severity = finding.severity;
        if confidence < UNLIKELY {
            severity = severity.lowered();
        }
        if severity.is_major() && confidence >= NEARLY_CERTAIN && (concerns_critical || spread) {
            severity = Severity::SPECIAL;
        } else if concerns_critical {
            severity = severity.raised();
        }
        Grade { severity, confidence }
    }
}
