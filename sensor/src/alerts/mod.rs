//! Alerts on their way out of the sensor.
//!
//! In: alert rows, the moment they are raised. Out: each of them, in order and at least once, in
//! every sink that the configuration names; or counted as shed, where a bound was reached.
//!
//! [`Delivery`] numbers alerts and puts them into the [`outbox`], which is on disk where the sensor
//! has a state directory. One [`courier`] a sink takes them from there, has a [format](formats)
//! make a message of each, and hands it to the [sink](sinks). Nothing here runs in a thread that
//! handles packets, except [`Delivery::send`], which appends to a queue in memory.

mod alert;
pub mod config;
mod courier;
mod error;
mod formats;
mod outbox;
pub(crate) mod raised;
mod shed;
mod sinks;
mod summary;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use analyzers::alert::AlertRecord;
use analyzers::record::Header;

use alert::Alert;
pub use alert::Level;
use config::{AlertsConfig, SinkKind};
pub use courier::Progress;
use courier::{Courier, SharedProgress};
pub use error::DeliveryError;
pub use formats::JsonFormat;
use outbox::Outbox;
pub use shed::shed_alert;
use sinks::Sink;
pub use summary::{DeliverySummary, Place, SinkSummary};

use crate::clock::Stopwatch;
use crate::rows::RowRef;

/// The folder of the outbox in the sensor's state directory.
const FOLDER: &str = "outbox";

/// How often the end is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Delivers alerts.
#[derive(Debug)]
pub struct Delivery {
    outbox: Arc<Outbox>,
    writer: Option<JoinHandle<()>>,
    sinks: Vec<Running>,
    raised: u64,
    told: u64,
}

/// A sink at work.
#[derive(Debug)]
struct Running {
    name: String,
    least: Level,
    progress: SharedProgress,
    thread: JoinHandle<()>,
}

/// What became of an alert that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number; numbers have no gap, and go on after a restart.
    pub sequence: u64,
    /// Now and then, when alerts are being shed: how many so far. It is worth an alert of its own,
    /// which [`shed_alert`] makes.
    pub shed: Option<u64>,
}

impl Delivery {
    /// Starts delivery: the outbox in `state`, or in memory where there is none, and a thread for
    /// each sink. What an earlier run left in the outbox is delivered first.
    ///
    /// # Errors
    /// The outbox cannot be opened, another process uses it, or a sink can never work as it is
    /// configured. A sink that is only down is no error.
    pub fn open(config: &AlertsConfig, state: Option<&Path>) -> Result<Self, DeliveryError> {
        let names: Vec<String> = config.sinks.iter().map(SinkKind::name).collect();
        let folder = state.map(|state| state.join(FOLDER));
        let mut sinks = Vec::new();
        for (sink, name) in made(config).zip(&names) {
            let problem = |problem| DeliveryError::Sink { sink: name.clone(), problem };
            sinks.push(sink.map_err(problem)?);
        }
        let outbox = Arc::new(Outbox::open(folder.as_deref(), config.outbox.0, &names)?);
        let writer = spawn("alerts", {
            let outbox = Arc::clone(&outbox);
            move || outbox.write()
        })?;
        let mut running = Vec::new();
        for (lane, ((kind, name), sink)) in config.sinks.iter().zip(names).zip(sinks).enumerate() {
            let least = kind.min_severity();
            let courier = Courier::new(Arc::clone(&outbox), lane, name.clone(), least, sink);
            let progress = courier.progress();
            let thread = spawn("alert sink", move || courier.run())?;
            running.push(Running { name, least, progress, thread });
        }
        Ok(Self { outbox, writer: Some(writer), sinks: running, raised: 0, told: 0 })
    }

    /// Takes an alert. It waits for no sink and no disk.
    pub fn send(&mut self, header: &Header, alert: &AlertRecord) -> Sent {
        let row = RowRef { header, record: alert };
        // Strings, numbers and lists of them: nothing that could fail.
        let json = serde_json::to_vec(&row).unwrap_or_default();
        let level = Alert::parse(&json).map(|alert| alert.severity).unwrap_or_default();
        let sequence = self.outbox.push(level, json.into());
        self.raised += 1;
        let shed = self.outbox.shed_total();
        // Told at the first, and then whenever there are twice as many.
        let is_news = shed > 0 && shed >= self.told * 2;
        if is_news {
            self.told = shed;
        }
        Sent { sequence, shed: is_news.then_some(shed) }
    }

    /// How the sinks are doing.
    #[must_use]
    pub fn progress(&self) -> Vec<(String, Progress)> {
        self.sinks.iter().map(|sink| (sink.name.clone(), sink.progress())).collect()
    }

    /// Delivers what is there, at most for so long, and ends. What is still owed stays in the
    /// outbox where that is on disk, and is lost where it is in memory.
    #[must_use]
    pub fn close(mut self, patience: Duration) -> DeliverySummary {
        let stopwatch = Stopwatch::start();
        self.outbox.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        let is_running = |sink: &Running| !sink.thread.is_finished();
        while self.sinks.iter().any(is_running) && stopwatch.elapsed() < patience {
            thread::sleep(LOOK_AGAIN);
        }
        self.outbox.stop();
        let sinks = self.sinks.iter().map(|sink| {
            let progress = sink.progress();
            let owed = self.outbox.owed(progress.cursor, sink.least);
            SinkSummary { name: sink.name.clone(), progress, owed }
        });
        DeliverySummary {
            raised: self.raised,
            shed: self.outbox.shed_by_level(),
            place: self.outbox.place(),
            sinks: sinks.collect(),
        }
    }
}

impl Running {
    fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DeliveryError> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(run);
    started.map_err(|error: io::Error| DeliveryError::Thread(error))
}

/// Every sink, or why it can never work. Names must differ: each has a place in the outbox.
fn made(config: &AlertsConfig) -> impl Iterator<Item = Result<Box<dyn Sink>, String>> {
    config.sinks.iter().enumerate().map(|(at, kind)| {
        let name = kind.name();
        if config.sinks.iter().take(at).any(|earlier| earlier.name() == name) {
            return Err(format!("there are two of {name}; give one another `name`"));
        }
        sinks::make(kind)
    })
}

/// What keeps sinks from ever working, with their places in the configuration. Nothing is sent.
#[must_use]
pub fn problems(config: &AlertsConfig) -> Vec<(usize, String)> {
    let made = made(config).enumerate();
    made.filter_map(|(at, sink)| Some((at, sink.err()?))).collect()
}
