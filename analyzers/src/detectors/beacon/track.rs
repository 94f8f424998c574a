//! The beats of one host towards one destination.
//!
//! In: beats in about the order of their time. Out: a [`Standing`] whenever enough new beats came
//! to judge them again. A track keeps the last [`BEACON_RING`] beats and a summary of the cadences
//! before, so that a beacon that changes its sleep is still one beacon.

use std::collections::VecDeque;
use std::time::Duration;

use super::score::{Score, quantile, score};
use crate::limits::{BEACON_RING, BEACON_SEGMENTS};
use crate::time::Timestamp;

/// Intervals are kept in hundredths of a second: 497 days in 32 bits.
const TICK_NANOS: i64 = 10_000_000;

/// Connections closer than this are one beat, whatever the period.
const BURST_MIN: f64 = 1.0;

/// Connections closer than this share of the period are one beat.
const BURST_SHARE: f64 = 0.2;

/// Connections farther apart than this are two beats, however long the period.
const BURST_MAX: f64 = 30.0;

/// So many connections in one beat, each a while after the last, are no burst but a new cadence.
const BURST_LENGTH: u16 = 12;

/// Beats from which a period is known.
const PERIOD_BEATS: u32 = 8;

/// Intervals that must agree to make a new cadence.
const CADENCE: usize = 6;

/// How far intervals of one cadence may be apart: twice the shortest, and a little.
const CADENCE_SPREAD: f64 = 2.2;

/// A pause of at least so many seconds, and of more periods than can be missed beats, is an
/// absence: a host that is switched off at night breaks no rhythm.
const ABSENCE: f64 = 4.0 * 3_600.0;

/// An absence is that many periods at least.
const ABSENCE_PERIODS: f64 = 8.0;

/// Bytes of a beat that are not known yet.
const UNKNOWN: u32 = u32::MAX;

/// One beat.
#[derive(Clone, Copy, Debug)]
struct Beat {
    /// Hundredths of a second since the one before; 0 for the first.
    interval: u32,
    bytes: u32,
}

/// A cadence that ended.
#[derive(Clone, Copy, Debug)]
struct Segment {
    beats: u32,
    value: f64,
}

/// What a track came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// The score that counts: the lower of the last two, over all cadences.
    pub value: f64,
    /// The figures of the latest evaluation.
    pub score: Score,
    /// Beats of all cadences.
    pub beats: u64,
    /// Cadences, the present one included.
    pub cadences: usize,
    /// Nights and other absences among the last beats.
    pub absences: usize,
    /// Packet time of the first beat.
    pub first: Timestamp,
    /// Packet time of the last.
    pub last: Timestamp,
}

/// The beats of one host towards one destination.
#[derive(Debug)]
pub(super) struct Track {
    beats: VecDeque<Beat>,
    /// First beat of all, of this cadence, the latest beat, the latest connection.
    first: Timestamp,
    began: Timestamp,
    last: Timestamp,
    seen: Timestamp,
    /// Beats of this cadence.
    number: u32,
    /// Beats of all cadences.
    total: u32,
    /// Connections that joined the latest beat after a while.
    joined: u16,
    /// Median interval in seconds, 0 while unknown.
    period: f64,
    /// The latest evaluation of this cadence.
    previous: Option<f64>,
    /// The lower of the last two.
    agreed: f64,
    past: Vec<Segment>,
}

impl Track {
    pub(super) fn new() -> Self {
        Self {
            beats: VecDeque::new(),
            first: Timestamp::MIN,
            began: Timestamp::MIN,
            last: Timestamp::MIN,
            seen: Timestamp::MIN,
            number: 0,
            total: 0,
            joined: 0,
            period: 0.0,
            previous: None,
            agreed: 0.0,
            past: Vec::new(),
        }
    }

    /// Takes a connection. The number of the beat that it is, and what the track came to if it was
    /// time to judge.
    pub(super) fn beat(
        &mut self,
        ts: Timestamp,
        bytes: Option<u32>,
        span_min: Duration,
    ) -> (u32, Option<Standing>) {
        if self.total > 0 && self.is_forgotten(ts) {
            *self = Self::new();
        }
        if self.total == 0 {
            (self.first, self.began, self.seen) = (ts, ts, ts);
            self.push(ts, 0, bytes);
            return (self.total, None);
        }
        if self.joins(ts) {
            self.seen = self.seen.max(ts);
            self.add_bytes(self.total, bytes);
            return (self.total, None);
        }
        self.joined = 0;
        self.seen = ts;
        let ticks = ts.nanos().saturating_sub(self.last.nanos()) / TICK_NANOS;
        self.push(ts, u32::try_from(ticks).unwrap_or(u32::MAX).max(1), bytes);
        if self.number.is_multiple_of(4) && self.has_new_cadence() {
            self.start_anew(ts);
            return (self.total, None);
        }
        let standing = is_due(self.number).then(|| self.judge(span_min)).flatten();
        (self.total, standing)
    }

    /// A connection that is no beat: the next interval counts from here.
    pub(super) fn pass(&mut self, ts: Timestamp) {
        self.last = self.last.max(ts);
        self.seen = self.seen.max(ts);
    }

    /// Adds bytes to a beat, if it is still kept.
    pub(super) fn add_bytes(&mut self, number: u32, bytes: Option<u32>) {
        let back = usize::try_from(self.total.saturating_sub(number)).unwrap_or(usize::MAX);
        let place = self.beats.len().checked_sub(back.saturating_add(1));
        let beat = place.and_then(|place| self.beats.get_mut(place));
        if let (Some(beat), Some(bytes)) = (beat, bytes) {
            let known = if beat.bytes == UNKNOWN { 0 } else { beat.bytes };
            beat.bytes = known.saturating_add(bytes).min(UNKNOWN.saturating_sub(1));
        }
    }

    /// Packet time of the latest connection.
    pub(super) const fn seen(&self) -> Timestamp {
        self.seen
    }

    /// Beats of all cadences.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    fn push(&mut self, ts: Timestamp, interval: u32, bytes: Option<u32>) {
        if self.beats.len() >= BEACON_RING {
            self.beats.pop_front();
        }
        self.beats.push_back(Beat { interval, bytes: bytes.unwrap_or(UNKNOWN) });
        self.last = ts;
        self.number = self.number.saturating_add(1);
        self.total = self.total.saturating_add(1);
    }

    /// Whether a connection belongs to the latest beat. A stream of them that does not end is a
    /// cadence of its own, faster than the one before.
    fn joins(&mut self, ts: Timestamp) -> bool {
        let gap = seconds(ts.nanos().saturating_sub(self.seen.nanos()));
        let burst = (BURST_SHARE * self.period).clamp(BURST_MIN, BURST_MAX);
        if gap < BURST_MIN {
            return true;
        }
        if gap >= burst {
            return false;
        }
        self.joined = self.joined.saturating_add(1);
        if self.joined < BURST_LENGTH {
            return true;
        }
        self.start_anew(self.seen);
        false
    }

    /// Whether the last intervals agree with each other and not with those before.
    fn has_new_cadence(&self) -> bool {
        let intervals = self.intervals();
        let Some(place) = intervals.len().checked_sub(CADENCE).filter(|rest| *rest >= CADENCE)
        else {
            return false;
        };
        let (before, latest) = intervals.split_at(place);
        let (before, latest) = (sorted(before), sorted(latest));
        let (Some(low), Some(high)) = (latest.first(), latest.last()) else { return false };
        let change = quantile(&latest, 0.5) / quantile(&before, 0.5);
        *high < *low * CADENCE_SPREAD && !(0.5..=2.0).contains(&change)
    }

    /// Ends this cadence; the next one begins with the beat at `ts`.
    fn start_anew(&mut self, ts: Timestamp) {
        if self.agreed > 0.0 {
            if self.past.len() >= BEACON_SEGMENTS {
                self.past.remove(0);
            }
            self.past.push(Segment { beats: self.number, value: self.agreed });
        }
        self.beats.clear();
        self.beats.push_back(Beat { interval: 0, bytes: UNKNOWN });
        (self.began, self.last, self.seen) = (ts, ts, self.seen.max(ts));
        self.number = 1;
        self.joined = 0;
        self.period = 0.0;
        self.previous = None;
        self.agreed = 0.0;
    }

    /// Scores the beats; something to say only if two evaluations agree and the span is long.
    fn judge(&mut self, span_min: Duration) -> Option<Standing> {
        let all = self.intervals();
        let median = quantile(&sorted(&all), 0.5);
        let is_absence = |interval: f64| interval >= ABSENCE && interval > ABSENCE_PERIODS * median;
        let intervals: Vec<f64> =
            all.iter().copied().filter(|interval| !is_absence(*interval)).collect();
        let bytes = self.beats.iter().filter(|beat| beat.bytes != UNKNOWN);
        let sizes: Vec<u64> = bytes.map(|beat| u64::from(beat.bytes)).collect();
        let score = score(&intervals, &sizes);
        self.period = score.period;
        let previous = self.previous.replace(score.value)?;
        self.agreed = score.value.min(previous);
        let span = self.last.since(self.began);
        let needed = span_min.as_secs_f64().max(6.0 * score.period);
        (span.as_secs_f64() >= needed).then(|| Standing {
            value: self.over_all_cadences(),
            score,
            beats: u64::from(self.total),
            cadences: self.past.len().saturating_add(1),
            absences: all.len().saturating_sub(intervals.len()),
            first: self.first,
            last: self.last,
        })
    }

    /// The mean of all cadences, each by its beats.
    fn over_all_cadences(&self) -> f64 {
        let present = Segment { beats: self.number, value: self.agreed };
        let segments = self.past.iter().chain([&present]);
        let (sum, beats) = segments.fold((0.0, 0.0), |(sum, beats), segment| {
            let weight = f64::from(segment.beats);
            (weight.mul_add(segment.value, sum), beats + weight)
        });
        if beats > 0.0 { sum / beats } else { 0.0 }
    }

    /// Whether the track is too old to go on with.
    fn is_forgotten(&self, ts: Timestamp) -> bool {
        const DAY: f64 = 86_400.0;
        ts.since(self.seen).as_secs_f64() > (8.0 * self.period).clamp(4.0 * DAY, 14.0 * DAY)
    }

    fn intervals(&self) -> Vec<f64> {
        let beats = self.beats.iter().filter(|beat| beat.interval > 0);
        beats.map(|beat| f64::from(beat.interval) / 100.0).collect()
    }
}

/// Whether a track of so many beats is judged.
const fn is_due(number: u32) -> bool {
    matches!(number, PERIOD_BEATS | 12 | 16 | 24 | 48) || (number > 0 && number.is_multiple_of(32))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Nanoseconds as seconds; of captures, exact to the microsecond.
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
