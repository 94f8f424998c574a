//! What became of all alerts, for the end of a run.
//!
//! In: the sinks' progress. Out: some lines for people, and whether anything is missing.

use std::fmt;

use super::alert::Level;
use super::courier::Progress;

/// What became of all alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySummary {
    /// Alerts that were raised in this run.
    pub raised: u64,
    /// Alerts that were shed, by severity, P0 first.
    pub shed: [u64; Level::COUNT],
    /// Where the outbox is.
    pub place: Place,
    /// What each sink got.
    pub sinks: Vec<SinkSummary>,
}

/// Where an outbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On disk: what is owed is delivered by the next run.
    Disk,
    /// In memory: what is owed at the end is lost.
    Memory,
}

/// What a sink got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSummary {
    /// Its name.
    pub name: String,
    /// What became of its alerts.
    pub progress: Progress,
    /// Alerts that it has not surely got.
    pub owed: u64,
}

impl DeliverySummary {
    /// Whether every sink got every alert.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_complete = |sink: &SinkSummary| sink.owed == 0 && sink.progress.refused == 0;
        self.shed.iter().all(|&shed| shed == 0) && self.sinks.iter().all(is_complete)
    }
}

impl fmt::Display for DeliverySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "alerts raised: {}", self.raised)?;
        for sink in &self.sinks {
            let progress = &sink.progress;
            write!(f, "  {}: {} delivered", sink.name, progress.delivered)?;
            let owed = match self.place {
                Place::Disk => "still owed (the next run delivers them)",
                Place::Memory => "not delivered (and lost: there is no state directory)",
            };
            for (count, what) in [
                (progress.resent, "sent again after a failure"),
                (progress.shortened, "shortened to fit a datagram"),
                (progress.refused, "refused"),
                (progress.shed, "shed before"),
                (sink.owed, owed),
            ] {
                if count > 0 {
                    write!(f, ", {count} {what}")?;
                }
            }
            let trouble = progress.trouble.as_ref().filter(|_| sink.owed > 0);
            if let Some(why) = trouble.or(progress.last_refusal.as_ref()) {
                write!(f, ": {why}")?;
            }
            writeln!(f)?;
        }
        let shed = Level::ALL.iter().zip(self.shed).filter(|(_, count)| *count > 0);
        let shed: Vec<_> = shed.map(|(level, count)| format!("{count} {}", level.name())).collect();
        if !shed.is_empty() {
            writeln!(
                f,
                "  shed because the outbox was full: {}; a larger `[alerts] outbox` holds more",
                shed.join(", ")
            )?;
        }
        Ok(())
    }
}
