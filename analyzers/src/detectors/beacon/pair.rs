//! What is remembered of a host and a destination, and of a host's hours.
//!
//! In: beats, with what they told beside their time. Out: facts for the story, and whether
//! something else says it better.

use std::time::Duration;

use super::Beat;
use super::destination::{Destination, Target};
use super::track::{Standing, Track};
use crate::detector::FlowsBehind;
use crate::text::Text;
use crate::time::Timestamp;

/// What beats told beside their time.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// JA4 or User-Agent.
    pub client: Option<Text>,
    /// The name that an address was resolved from.
    pub alias: Option<Text>,
    pub is_tls: bool,
    pub is_self_signed: bool,
}

/// A track with all that is remembered about it.
pub(super) struct Pair {
    pub destination: Destination,
    pub track: Track,
    pub facts: Facts,
    pub flows: Option<Box<FlowsBehind>>,
    /// Hours of the day, in UTC, in which it beat: a bit each.
    pub hours: u32,
    /// Questions: the latest name, by digest, how long its answer lives, and when the client last
    /// connected.
    pub asked: Option<u64>,
    pub answer_ttl: Option<Duration>,
    pub connected: Option<Timestamp>,
    /// Networks: the names that were used, by digest and beats.
    pub names: Vec<(u64, u32)>,
}

/// When a host is busy: contacts with new destinations, by hour of the day.
#[derive(Default)]
pub(super) struct Rhythm {
    pub first: Timestamp,
    pub hours: [u16; 24],
}

impl Pair {
    pub(super) fn new(destination: Destination) -> Self {
        Self {
            destination,
            track: Track::new(),
            facts: Facts::default(),
            flows: None,
            hours: 0,
            asked: None,
            answer_ttl: None,
            connected: None,
            names: Vec::new(),
        }
    }

    pub(super) fn learn(&mut self, beat: &Beat<'_>) {
        self.facts.is_tls |= beat.is_tls;
        self.facts.is_self_signed |= beat.is_self_signed;
        if self.facts.client.is_none() {
            self.facts.client = beat.client.map(Text::wire);
        }
        if self.facts.alias.is_none() && matches!(beat.target, Target::Address(..)) {
            self.facts.alias = beat.name.map(Text::wire);
        }
    }

    pub(super) fn note_name(&mut self, digest: u64) {
        /// Names beyond them are some other one.
        const NAMES: usize = 8;
        let known = self.names.iter().position(|(known, _)| *known == digest);
        if let Some((_, beats)) = known.and_then(|place| self.names.get_mut(place)) {
            *beats = beats.saturating_add(1);
        } else if self.names.len() < NAMES {
            self.names.push((digest, 1));
        }
    }

    /// Whether something else says all that this track could say.
    pub(super) fn is_explained(&self, standing: &Standing) -> bool {
        match &self.destination {
            Destination::Questions(_) => {
                let since = self.connected.map(|connected| standing.last.since(connected));
                let near = (3.0 * standing.score.period).max(600.0);
                since.is_some_and(|since| since.as_secs_f64() <= near)
            }
            Destination::Network(..) => {
                // One name for most beats has a track of its own.
                let most = self.names.iter().map(|(_, beats)| *beats).max().unwrap_or(0);
                f64::from(most) > 0.7 * f64::from(self.track.total())
            }
            Destination::Name(_) | Destination::Address(..) => false,
        }
    }
}

impl Rhythm {
    pub(super) fn note(&mut self, ts: Timestamp) {
        let place = usize::try_from(hour_of_day(ts)).unwrap_or(0);
        if let Some(hour) = self.hours.get_mut(place) {
            *hour = hour.saturating_add(1);
        }
    }

    /// The hours of the day in which the host hardly does anything, a bit each; `None` where it has
    /// not been watched for long enough, or has none.
    pub(super) fn quiet_hours(&self, now: Timestamp) -> Option<u32> {
        let sum: u32 = self.hours.iter().copied().map(u32::from).sum();
        if sum < 50 || now.since(self.first) < Duration::from_secs(2 * 86_400) {
            return None;
        }
        let quiet = (0_u32..)
            .zip(self.hours)
            .filter(|(_, contacts)| u32::from(*contacts).saturating_mul(50) <= sum);
        let quiet = quiet.fold(0_u32, |bits, (hour, _)| bits | 1 << hour);
        (quiet.count_ones() >= 6).then_some(quiet)
    }
}

/// The hour of the day in UTC, 0 to 23.
pub(super) fn hour_of_day(ts: Timestamp) -> u32 {
    const HOUR: i64 = 3_600_000_000_000;
    u32::try_from(ts.nanos().div_euclid(HOUR).rem_euclid(24)).unwrap_or(0)
}
