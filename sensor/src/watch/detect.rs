//! Runs the detectors: each is told what it asked for, in order, and of every full minute.
//!
//! In: events in the one order, enriched. Out: findings, in the order of events and detectors.

use analyzers::detectors::{self, Knobs};
use analyzers::{Detector, Event, Findings, Interest, Scene, Table, Timestamp, Watcher, What};

use crate::config::WatchConfig;

/// A minute in nanoseconds.
const MINUTE: i64 = 60_000_000_000;

/// The detectors that are on.
pub struct Detection {
    watchers: Vec<(&'static Detector, Box<dyn Watcher>)>,
    opened: Vec<usize>,
    active: Vec<usize>,
    weird: Vec<usize>,
    row: Vec<usize>,
    /// By table, those that want its rows.
    records: Vec<(&'static Table, Vec<usize>)>,
    /// The last full minute that was told.
    minute: Option<Timestamp>,
}

impl Detection {
    /// All detectors but those that are off.
    #[must_use]
    pub fn new(knobs: &Knobs, settings: &WatchConfig) -> Self {
        let mut watchers = detectors::watchers(knobs);
        watchers.retain(|(detector, _)| settings.runs(detector.name));
        let mut detection = Self {
            watchers: Vec::new(),
            opened: Vec::new(),
            active: Vec::new(),
            weird: Vec::new(),
            row: Vec::new(),
            records: Vec::new(),
            minute: None,
        };
        for (index, (detector, _)) in watchers.iter().enumerate() {
            for interest in detector.interests {
                detection.subscribe(index, interest);
            }
        }
        detection.watchers = watchers;
        detection
    }

    fn subscribe(&mut self, index: usize, interest: &Interest) {
        let list = match interest {
            Interest::Opened => &mut self.opened,
            Interest::Active => &mut self.active,
            Interest::Weird => &mut self.weird,
            Interest::Row => &mut self.row,
            Interest::Record(table) => {
                let known = self.records.iter().position(|(known, _)| known.name == table.name);
                let place = known.unwrap_or_else(|| {
                    self.records.push((table, Vec::new()));
                    self.records.len() - 1
                });
                &mut self.records[place].1
            }
        };
        list.push(index);
    }

    /// Tells of an event.
    pub fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let wanted = match event.what {
            What::Opened(_) => &self.opened,
            What::Active { .. } => &self.active,
            What::Weird(_) => &self.weird,
            What::Row(_) => &self.row,
            What::Record(record) => {
                let name = record.table().name;
                match self.records.iter().find(|(table, _)| table.name == name) {
                    Some((_, wanted)) => wanted,
                    None => return,
                }
            }
        };
        for &index in wanted {
            self.watchers[index].1.event(event, scene, findings);
        }
    }

    /// Packet time moves on to `now`: tells of the last full minute, if it is a new one.
    pub fn advance(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        let minute = Timestamp::from_nanos(now.nanos().div_euclid(MINUTE).saturating_mul(MINUTE));
        if self.minute.is_some_and(|told| told >= minute) {
            return;
        }
        // Before the first event there is nothing to judge.
        if self.minute.replace(minute).is_some() {
            for (_, watcher) in &mut self.watchers {
                watcher.minute(minute, scene, findings);
            }
        }
    }

    /// The input is over.
    pub fn finish(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        for (_, watcher) in &mut self.watchers {
            watcher.finish(now, scene, findings);
        }
    }

    /// Entries that each detector forgot because a table was full; only those that did.
    pub fn evicted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.watchers
            .iter()
            .map(|(detector, watcher)| (detector.name, watcher.evicted()))
            .filter(|(_, evicted)| *evicted > 0)
    }

    /// What detectors want to keep over a restart, by name.
    pub fn memories(&self) -> impl Iterator<Item = (&'static str, serde_json::Value)> + '_ {
        self.watchers
            .iter()
            .filter_map(|(detector, watcher)| Some((detector.name, watcher.memory()?)))
    }

    /// Gives a detector back what it kept; one that is off has no use for it.
    ///
    /// # Errors
    /// The memory is not of this detector or version; the text says what is wrong with it.
    pub fn remember(&mut self, name: &str, memory: &serde_json::Value) -> Result<(), String> {
        match self.watchers.iter_mut().find(|(detector, _)| detector.name == name) {
            Some((_, watcher)) => watcher.remember(memory),
            None => Ok(()),
        }
    }
}
