//! Merges the workers' events into one order behind a watermark.
//!
//! In: events of each worker with its promise about later ones. Out: all events older than every
//! promise, sorted by time, uid and number in the flow: the same for any number of workers.

use analyzers::Timestamp;

use crate::event::Event;

/// Events that wait until nothing older can come.
#[derive(Debug)]
pub struct Merge {
    waiting: Vec<Event>,
    watermarks: Vec<Timestamp>,
}

impl Merge {
    /// For that many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self { waiting: Vec::new(), watermarks: vec![Timestamp::MIN; workers] }
    }

    /// Takes a worker's events and its promise.
    pub fn push(&mut self, worker: usize, events: Vec<Event>, watermark: Timestamp) {
        self.waiting.extend(events);
        if let Some(known) = self.watermarks.get_mut(worker) {
            *known = (*known).max(watermark);
        }
    }

    /// The instant up to which everything is known.
    #[must_use]
    pub fn low_watermark(&self) -> Timestamp {
        self.watermarks.iter().copied().min().unwrap_or(Timestamp::MIN)
    }

    /// The events that are complete by now, in order.
    pub fn complete(&mut self) -> Vec<Event> {
        let low = self.low_watermark();
        // Keys are a third of an event, and each event then moves once.
        self.waiting.sort_by_cached_key(Event::order);
        let complete = match low {
            Timestamp::MAX => self.waiting.len(),
            low => self.waiting.partition_point(|event| event.time < low),
        };
        let waiting = self.waiting.split_off(complete);
        std::mem::replace(&mut self.waiting, waiting)
    }
}
