//! The thread of one sink: takes alerts from the outbox in order, hands them over, and moves the
//! sink's cursor when they have surely arrived.
//!
//! In: the outbox. Out: what the sink got, refused, or could not be given. A sink that fails is
//! tried again after a pause that doubles up to [`PAUSE_MAX`]; whatever it has not surely got is
//! then sent again, so an alert may arrive twice, under the same number.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::alert::{Alert, Level};
use super::outbox::{Lane, Next, Outbox, Owed};
use super::sinks::{Confirmation, Letter, Sink, Taken};
use crate::clock::Stopwatch;

/// The first pause after a failure.
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// The longest pause: a sink that is back gets its alerts within half a minute.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Unconfirmed alerts after which the receiver is asked to confirm; so many may arrive twice.
const UNCONFIRMED_MAX: u64 = 2_048;

/// How long an alert may stay unconfirmed before the receiver is asked.
const UNCONFIRMED_FOR: Duration = Duration::from_secs(10);

/// A receiver that has read everything may be killed before it has stored it. What was confirmed
/// counts as delivered only when the receiver has lived on for so long.
const SETTLING: Duration = Duration::from_secs(1);

/// What became of a sink's alerts so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Alerts that it surely got.
    pub delivered: u64,
    /// Alerts that it will never take.
    pub refused: u64,
    /// Why it did not take the last of them.
    pub last_refusal: Option<String>,
    /// Alerts that were shed before it could get them.
    pub shed: u64,
    /// Alerts that were sent again after a failure.
    pub resent: u64,
    /// Alerts of which optional columns were left out, for lack of room in a datagram.
    pub shortened: u64,
    /// What went wrong last, until it goes well again.
    pub trouble: Option<String>,
    /// The number of the first alert that it has not surely got.
    pub cursor: u64,
}

/// The progress, shared with whoever asks.
pub(super) type SharedProgress = Arc<Mutex<Progress>>;

/// What became of alerts that are handed over and may yet have to be sent again.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    taken: u64,
    refused: u64,
    shortened: u64,
}

impl Tally {
    const fn is_empty(&self) -> bool {
        self.taken == 0 && self.refused == 0
    }
}

/// Alerts that the receiver has read.
struct Confirmed {
    /// The number behind them.
    until: u64,
    tally: Tally,
    since: Stopwatch,
}

/// The thread's own state.
pub(super) struct Courier {
    outbox: Arc<Outbox>,
    lane: Lane,
    name: String,
    least: Level,
    sink: Box<dyn Sink>,
    progress: SharedProgress,
    /// The number that is read next.
    next: u64,
    /// What was handed over since the last confirmation, and since when.
    unconfirmed: Tally,
    since: Option<Stopwatch>,
    /// Confirmed, and waiting to settle.
    settling: VecDeque<Confirmed>,
    /// Numbers below this have been handed over once.
    sent_until: u64,
    /// Shed numbers below this are counted.
    counted_until: u64,
    pause: Duration,
}

impl Courier {
    /// For one sink, which stands where the outbox says.
    pub(super) fn new(
        outbox: Arc<Outbox>,
        lane: Lane,
        name: String,
        least: Level,
        sink: Box<dyn Sink>,
    ) -> Self {
        let next = outbox.cursor(lane);
        let progress = Progress { cursor: next, ..Progress::default() };
        Self {
            outbox,
            lane,
            name,
            least,
            sink,
            progress: Arc::new(Mutex::new(progress)),
            next,
            unconfirmed: Tally::default(),
            since: None,
            settling: VecDeque::new(),
            sent_until: next,
            counted_until: next,
            pause: PAUSE_MIN,
        }
    }

    /// What became of the alerts, to be looked at from elsewhere.
    pub(super) fn progress(&self) -> SharedProgress {
        Arc::clone(&self.progress)
    }

    /// Delivers until everything is delivered or the outbox stops.
    pub(super) fn run(mut self) {
        loop {
            let done = match self.outbox.next(self.next, self.sink.batch(), self.patience()) {
                Next::Alerts { alerts, until } => self.hand_over(&alerts, until),
                Next::Nothing => Ok(()),
                Next::End { until } => {
                    self.count_shed(until);
                    match self.confirm() {
                        Ok(()) => return self.settle(Duration::ZERO),
                        Err(problem) => Err(problem),
                    }
                }
                Next::Stop => return,
            };
            let done = match done {
                Ok(()) if self.is_confirmation_due() => self.confirm(),
                done => done,
            };
            match done {
                Ok(()) => self.settle(SETTLING),
                Err(problem) => self.fail(&problem),
            }
        }
    }

    fn note(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long to wait for alerts before something else is to be done.
    fn patience(&self) -> Duration {
        if self.settling.is_empty() && self.unconfirmed.is_empty() {
            PAUSE_MAX
        } else {
            SETTLING / 2
        }
    }

    /// Writes a batch. The first alert that fails ends it.
    fn hand_over(&mut self, alerts: &[Owed], until: u64) -> Result<(), String> {
        for owed in alerts {
            self.count_shed(owed.sequence);
            if owed.level <= self.least {
                self.write(owed)?;
            }
            self.next = owed.sequence + 1;
            self.sent_until = self.sent_until.max(self.next);
        }
        self.count_shed(until);
        self.next = until;
        self.sink.flush()?;
        self.recovered();
        if self.sink.confirmation() == Confirmation::AtOnce { self.confirm() } else { Ok(()) }
    }

    fn write(&mut self, owed: &Owed) -> Result<(), String> {
        let alert = match Alert::parse(&owed.body) {
            Ok(alert) => alert,
            Err(error) => {
                tracing::warn!("alert {} of the outbox cannot be read: {error}", owed.sequence);
                self.unconfirmed.refused += 1;
                return Ok(());
            }
        };
        let letter = Letter { sequence: owed.sequence, alert: &alert, json: &owed.body };
        let taken = self.sink.write(&letter)?;
        self.since.get_or_insert_with(Stopwatch::start);
        self.note().resent += u64::from(owed.sequence < self.sent_until);
        let tally = &mut self.unconfirmed;
        match taken {
            Taken::Whole => tally.taken += 1,
            Taken::Shortened => {
                tally.taken += 1;
                tally.shortened += 1;
            }
            Taken::Refused(why) => {
                tally.refused += 1;
                tracing::warn!("{} refuses alert {}: {why}", self.name, owed.sequence);
                self.note().last_refusal = Some(why);
            }
        }
        Ok(())
    }

    /// Numbers between the last alert and this one were shed.
    fn count_shed(&mut self, sequence: u64) {
        let from = self.next.max(self.counted_until);
        self.note().shed += sequence.saturating_sub(from);
        self.counted_until = self.counted_until.max(sequence);
    }

    fn recovered(&mut self) {
        self.pause = PAUSE_MIN;
        let trouble = self.note().trouble.take();
        if trouble.is_some() {
            tracing::info!("{} takes alerts again", self.name);
        }
    }

    fn is_confirmation_due(&self) -> bool {
        self.unconfirmed.taken >= UNCONFIRMED_MAX
            || self.since.is_some_and(|since| since.elapsed() >= UNCONFIRMED_FOR)
    }

    fn confirm(&mut self) -> Result<(), String> {
        if !self.unconfirmed.is_empty() {
            self.sink.confirm()?;
        }
        let tally = std::mem::take(&mut self.unconfirmed);
        self.since = None;
        let since = Stopwatch::start();
        self.settling.push_back(Confirmed { until: self.next, tally, since });
        if self.sink.confirmation() == Confirmation::AtOnce {
            self.settle(Duration::ZERO);
        }
        Ok(())
    }

    /// What was confirmed so long ago is delivered.
    fn settle(&mut self, age: Duration) {
        let mut cursor = None;
        let is_old = |confirmed: &mut Confirmed| confirmed.since.elapsed() >= age;
        while let Some(confirmed) = self.settling.pop_front_if(is_old) {
            cursor = Some(confirmed.until);
            let mut progress = self.note();
            progress.delivered += confirmed.tally.taken;
            progress.refused += confirmed.tally.refused;
            progress.shortened += confirmed.tally.shortened;
            progress.cursor = progress.cursor.max(confirmed.until);
        }
        if let Some(cursor) = cursor {
            self.outbox.acknowledge(self.lane, cursor);
        }
    }

    /// Goes back to what the sink has surely got, and waits.
    fn fail(&mut self, problem: &str) {
        let is_new = self.note().trouble.replace(problem.to_owned()).is_none();
        if is_new {
            tracing::warn!("{} takes no alerts: {problem}; they wait in the outbox", self.name);
        }
        self.sink.reset();
        self.settling.clear();
        self.unconfirmed = Tally::default();
        self.since = None;
        self.next = self.outbox.cursor(self.lane);
        self.outbox.pause(self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}
