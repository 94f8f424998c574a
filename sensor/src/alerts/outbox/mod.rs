//! The outbox: what was raised and is not yet with every sink.
//!
//! In: alerts, numbered as they come, without a gap. Out: the same to each sink in that order, from
//! where it stands, also after a restart or a crash. Three parties meet here:
//!
//! - whoever raises alerts puts them into a queue in memory and goes on; neither a disk nor a sink
//!   is waited for;
//! - one writer takes what the queue holds, appends it to the [`store`], and syncs; what is raised
//!   meanwhile is the next sync's. So an alert is on the disk after at most two syncs, some
//!   milliseconds, and only then do sinks see it: what a sink got is never raised under the same
//!   number again;
//! - each sink reads from where it stands and tells how far it surely got.
//!
//! Both the queue and the store are bounded in bytes. At the bound the oldest of the least severe
//! are shed, counted by severity. A number that is missing is an alert that was shed.

mod cursors;
mod segment;
mod store;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::alert::Level;
use super::error::DeliveryError;
use super::summary::Place;
use cursors::{Cursors, Sync};
use segment::BODY_MAX;
use store::{Store, Stub};

/// Bytes that may wait for the disk. A disk that stalls for longer than this lasts makes the sensor
/// shed; what raises alerts gains nothing from it.
const QUEUE_BYTES_MAX: usize = 4 << 20;

/// How long the writer waits for more before it syncs, so that a burst is one sync.
const GATHERING: Duration = Duration::from_millis(2);

/// A disk that refuses is told of once for so many alerts.
const TELL_AGAIN_AFTER: u64 = 10_000;

/// A number of alerts for each level, by [`Level::index`].
pub(super) type ByLevel = [u64; Level::COUNT];

/// An alert on its way to a sink.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    /// Its number.
    pub(super) sequence: u64,
    /// Its severity.
    pub(super) level: Level,
    /// Its JSON.
    pub(super) body: Arc<[u8]>,
}

/// What a sink finds.
#[derive(Debug)]
pub(super) enum Next {
    /// Alerts, in order; the numbers that are missing were shed.
    Alerts {
        /// The alerts.
        alerts: Vec<Owed>,
        /// The number behind them.
        until: u64,
    },
    /// None in that time.
    Nothing,
    /// There will never be more.
    End {
        /// The number that was never given out; what is missing before it was shed.
        until: u64,
    },
    /// The time is up: leave everything as it is.
    Stop,
}

/// Which sink, by its place in the configuration.
pub(super) type Lane = usize;

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Owed>,
    bytes: usize,
    next: u64,
    shed: ByLevel,
    is_closed: bool,
}

#[derive(Debug)]
struct Shelf {
    store: Store,
    /// Alerts before this number are on the disk, or never will be.
    durable: u64,
    names: Vec<String>,
    cursors: Vec<u64>,
    shed: ByLevel,
    phase: Phase,
    failures: u64,
    /// Held for as long as this process writes to the folder.
    lock: Option<File>,
}

/// Where in its life the outbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Alerts may come.
    Open,
    /// None will come; what is there is delivered.
    Closing,
    /// Nothing more is delivered.
    Stopped,
}

/// The outbox, shared by whoever raises alerts, the writer and the sinks.
#[derive(Debug)]
pub(super) struct Outbox {
    folder: Option<PathBuf>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    shelf: Mutex<Shelf>,
    changed: Condvar,
    /// How many alerts were shed, in all.
    shed: AtomicU64,
}

impl Outbox {
    /// Opens the outbox in `folder`, or in memory, for sinks of these names. A sink that is new
    /// starts where the slowest of the earlier ones stands, so that a sink which only got another
    /// name misses nothing.
    ///
    /// # Errors
    /// The folder cannot be made, read or written, or another process uses it.
    pub(super) fn open(
        folder: Option<&Path>,
        bound: u64,
        names: &[String],
    ) -> Result<Self, DeliveryError> {
        let mut store = Store::new(folder, bound);
        let mut known = None;
        let mut lock = None;
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(DeliveryError::io("make the folder", folder))?;
            lock = Some(take_lock(folder)?);
            let found = store.recover().map_err(DeliveryError::io("read the outbox in", folder))?;
            for path in &found.torn {
                tracing::warn!("{}: what was being written at a crash is dropped", path.display());
            }
            known = Cursors::load(folder).map_err(DeliveryError::io("read", folder))?;
        }
        let known = known.unwrap_or_default();
        let next = store.next_sequence().max(known.next);
        let first = store.first_sequence().unwrap_or(next);
        let slowest = known.sinks.values().copied().min().unwrap_or(first).max(first).min(next);
        let cursor = |name: &String| known.sinks.get(name).map_or(slowest, |at| *at).min(next);
        let cursors: Vec<u64> = names.iter().map(cursor).collect();
        for name in known.sinks.keys().filter(|name| !names.contains(name)) {
            tracing::warn!("{name} is a sink no longer; what it was owed goes to new sinks only");
        }
        let shelf = Shelf {
            store,
            durable: next,
            names: names.to_vec(),
            cursors,
            shed: ByLevel::default(),
            phase: Phase::Open,
            failures: 0,
            lock,
        };
        let outbox = Self {
            folder: folder.map(Path::to_owned),
            queue: Mutex::new(Queue { next, ..Queue::default() }),
            arrived: Condvar::new(),
            shelf: Mutex::new(shelf),
            changed: Condvar::new(),
            shed: AtomicU64::new(0),
        };
        let mut shelf = outbox.shelf();
        outbox.settle(&mut shelf, Sync::Now).map_err(outbox.cannot("write the cursors in"))?;
        drop(shelf);
        Ok(outbox)
    }

    fn cannot(&self, action: &'static str) -> impl FnOnce(io::Error) -> DeliveryError {
        DeliveryError::io(action, self.folder.as_deref().unwrap_or(Path::new("")))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an alert: its number. Waits for nothing but the queue's lock.
    pub(super) fn push(&self, level: Level, body: Arc<[u8]>) -> u64 {
        let mut queue = self.queue();
        let sequence = queue.next;
        queue.next += 1;
        if body.len() > BODY_MAX {
            queue.shed[level.index()] += 1;
            self.shed.fetch_add(1, Ordering::Relaxed);
        } else {
            queue.bytes += body.len();
            queue.waiting.push_back(Owed { sequence, level, body });
            while queue.bytes > QUEUE_BYTES_MAX {
                queue.shed_one();
                self.shed.fetch_add(1, Ordering::Relaxed);
            }
        }
        drop(queue);
        self.arrived.notify_one();
        sequence
    }

    /// Alerts shed so far; asks nobody who may be busy.
    pub(super) fn shed_total(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Alerts shed so far, by severity.
    pub(super) fn shed_by_level(&self) -> ByLevel {
        let mut shed = self.queue().shed;
        for (sum, more) in shed.iter_mut().zip(self.shelf().shed) {
            *sum += more;
        }
        shed
    }

    /// The writer's whole life: from the queue to the store, until the queue is closed.
    pub(super) fn write(&self) {
        loop {
            let (taken, end, is_last) = self.take();
            let files = {
                let mut shelf = self.shelf();
                for alert in taken {
                    let shed = shelf.put(alert);
                    self.shed.fetch_add(shed, Ordering::Relaxed);
                }
                shelf.store.open_files()
            };
            for file in files {
                if let Err(error) = file.sync_data() {
                    tracing::warn!("cannot sync the outbox: {error}; check the disk");
                }
            }
            let mut shelf = self.shelf();
            shelf.durable = end;
            if is_last && shelf.phase == Phase::Open {
                shelf.phase = Phase::Closing;
            }
            drop(shelf);
            self.changed.notify_all();
            if is_last {
                return;
            }
        }
    }

    /// Waits for alerts; those that came, the number behind them, and whether no more will come.
    fn take(&self) -> (VecDeque<Owed>, u64, bool) {
        let is_idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.is_closed;
        let queue = self.arrived.wait_while(self.queue(), is_idle);
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        let is_open = |queue: &mut Queue| !queue.is_closed;
        let gathered = self.arrived.wait_timeout_while(queue, GATHERING, is_open);
        let (mut queue, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        queue.bytes = 0;
        (std::mem::take(&mut queue.waiting), queue.next, queue.is_closed)
    }

    /// Where a sink stands.
    pub(super) fn cursor(&self, lane: Lane) -> u64 {
        self.shelf().cursors.get(lane).copied().unwrap_or(u64::MAX)
    }

    /// At most `count` alerts from `from` on, waited for at most so long.
    pub(super) fn next(&self, from: u64, count: usize, patience: Duration) -> Next {
        let is_idle = |shelf: &mut Shelf| shelf.phase == Phase::Open && from >= shelf.durable;
        let waited = self.changed.wait_timeout_while(self.shelf(), patience, is_idle);
        let (shelf, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if shelf.phase == Phase::Stopped {
            return Next::Stop;
        }
        let stubs = shelf.store.batch(from, shelf.durable, count);
        let (phase, end) = (shelf.phase, shelf.durable);
        drop(shelf);
        let Some(last) = stubs.last() else {
            return if phase == Phase::Open { Next::Nothing } else { Next::End { until: end } };
        };
        let until = last.sequence + 1;
        Next::Alerts { alerts: stubs.into_iter().filter_map(read).collect(), until }
    }

    /// Waits until it is stopped, at most so long.
    pub(super) fn pause(&self, patience: Duration) {
        let is_on = |shelf: &mut Shelf| shelf.phase != Phase::Stopped;
        drop(self.changed.wait_timeout_while(self.shelf(), patience, is_on));
    }

    /// A sink has surely got everything before `cursor`.
    pub(super) fn acknowledge(&self, lane: Lane, cursor: u64) {
        let mut shelf = self.shelf();
        if shelf.phase == Phase::Stopped {
            return;
        }
        if let Some(at) = shelf.cursors.get_mut(lane) {
            *at = cursor;
        }
        if let Err(error) = self.settle(&mut shelf, Sync::Later) {
            tracing::warn!("cannot write how far the sinks are: {error}; check the disk");
        }
    }

    /// Drops what nobody waits for, and writes how far all are.
    fn settle(&self, shelf: &mut Shelf, sync: Sync) -> io::Result<()> {
        let next = shelf.durable;
        let floor = shelf.cursors.iter().copied().min().unwrap_or(next);
        shelf.store.discard(floor);
        let Some(folder) = &self.folder else { return Ok(()) };
        let sinks = shelf.names.iter().cloned().zip(shelf.cursors.iter().copied()).collect();
        Cursors { next, sinks }.save(folder, sync)
    }

    /// No more alerts will come.
    pub(super) fn close(&self) {
        self.queue().is_closed = true;
        self.arrived.notify_all();
    }

    /// Nothing more is to be delivered; how far all are is on the disk, which is left to others. A
    /// sink that is told so late has no say any more.
    pub(super) fn stop(&self) {
        let mut shelf = self.shelf();
        shelf.phase = Phase::Stopped;
        if let Err(error) = self.settle(&mut shelf, Sync::Now) {
            tracing::warn!("cannot write how far the sinks are: {error}; check the disk");
        }
        shelf.lock = None;
        drop(shelf);
        self.changed.notify_all();
    }

    /// Where it is.
    pub(super) const fn place(&self) -> Place {
        if self.folder.is_some() { Place::Disk } else { Place::Memory }
    }

    /// How many alerts from `from` on are there, of at least this severity.
    pub(super) fn owed(&self, from: u64, least: Level) -> u64 {
        let shelf = self.shelf();
        let stubs = shelf.store.batch(from, u64::MAX, usize::MAX);
        stubs.iter().filter(|stub| stub.level <= least).count() as u64
    }
}

impl Queue {
    /// Sheds the oldest of the least severe.
    fn shed_one(&mut self) {
        let least = self.waiting.iter().map(|owed| owed.level).max();
        let at = self.waiting.iter().position(|owed| Some(owed.level) == least);
        if let Some(owed) = at.and_then(|at| self.waiting.remove(at)) {
            self.bytes -= owed.body.len();
            self.shed[owed.level.index()] += 1;
        }
    }
}

impl Shelf {
    /// Stores an alert: how many were shed for it.
    fn put(&mut self, alert: Owed) -> u64 {
        let stored = self.store.append(alert.sequence, alert.level, alert.body);
        for (sum, more) in self.shed.iter_mut().zip(stored.shed) {
            *sum += more;
        }
        if let Some(error) = stored.failure {
            if self.failures.is_multiple_of(TELL_AGAIN_AFTER) {
                tracing::warn!(
                    "the outbox cannot be written: {error}; alerts wait in memory and are \
                     delivered, but a restart would lose them: check the disk"
                );
            }
            self.failures += 1;
        }
        stored.shed.iter().sum()
    }
}

fn read(stub: Stub) -> Option<Owed> {
    match stub.body.read(stub.sequence) {
        Ok(body) => Some(Owed { sequence: stub.sequence, level: stub.level, body }),
        Err(error) => {
            tracing::warn!("alert {} cannot be read from the outbox: {error}", stub.sequence);
            None
        }
    }
}

fn take_lock(folder: &Path) -> Result<File, DeliveryError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(DeliveryError::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(DeliveryError::InUse { path }),
        Err(fs::TryLockError::Error(error)) => Err(DeliveryError::io("lock", &path)(error)),
    }
}
