//! Who keeps feeds, allow-lists and databases fresh while the sensor runs. In: the wall clock, and
//! word that somebody wants a reload. Out: exchanged matchers and databases, and lines for a
//! person.
//!
//! One thread of its own: reading a feed of millions takes seconds, and a server may take minutes;
//! no packet waits for either. A replay has no keeper: it reads everything once, at its start.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender};

use super::store::IntelStore;
use crate::clock;
use crate::enrich::geo::GeoStore;

/// Reloads that may be asked for while one is being done; more mean the same as these.
const ASKED: usize = 1;

/// A thread that keeps things fresh until this is dropped.
#[derive(Debug)]
pub struct Keeper {
    asked: Sender<()>,
}

impl Keeper {
    /// Looks every `poll` whether something changed or is due, and says so to `tell`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        intel: Arc<IntelStore>,
        geo: Arc<GeoStore>,
        poll: Duration,
        tell: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (asked, asks) = crossbeam_channel::bounded(ASKED);
        thread::Builder::new().name("intel".to_owned()).spawn(move || {
            loop {
                let report = match asks.recv_timeout(poll) {
                    Ok(()) => intel.reload(clock::now()),
                    Err(RecvTimeoutError::Timeout) => intel.refresh(clock::now()),
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                if !report.is_empty() {
                    tell(&report.to_string());
                }
                let databases = geo.reload_changed();
                for path in &databases.exchanged {
                    tell(&format!("{}: read anew\n", path.display()));
                }
                for error in &databases.refused {
                    tell(&format!("{error}; what it held before stays in use\n"));
                }
            }
        })?;
        Ok(Self { asked })
    }

    /// Asks for a reload of everything, changed or not; returns at once.
    pub fn reload(&self) {
        // Full: one is on its way that has not begun yet.
        let _ = self.asked.try_send(());
    }
}
