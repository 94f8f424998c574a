//! What an operator sees on standard error: the log, and on a terminal a line below it that shows
//! how the sensor is.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::config::{LogConfig, LogFormat};
use super::status::Status;
use crate::replay::ReplayError;

/// The line, or nothing where standard error is no terminal or its lines are for machines.
#[derive(Clone)]
pub(super) struct View(ProgressBar);

impl View {
    /// Not shown yet.
    pub(super) fn new(config: &LogConfig) -> Self {
        let target = match config.format {
            LogFormat::Text => ProgressDrawTarget::stderr(),
            LogFormat::Json => ProgressDrawTarget::hidden(),
        };
        let line = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        Self(line)
    }

    /// Starts the log, above the line.
    ///
    /// # Errors
    /// The level makes no sense.
    pub(super) fn start_log(&self, config: &LogConfig) -> Result<(), ReplayError> {
        let filter = EnvFilter::try_new(&config.level)
            .map_err(|error| format!("`level` below `[log]` makes no sense: {error}"))?;
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
        let log = log.with_writer(self.clone()).with_ansi(io::stderr().is_terminal());
        match config.format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
        Ok(())
    }

    /// Shows how the sensor is.
    pub(super) fn show(&self, status: &Status) {
        let (totals, rates) = (&status.totals, &status.rates);
        let lost: Vec<_> = status
            .interfaces
            .iter()
            .filter(|(_, heard)| !**heard)
            .map(|(name, _)| &**name)
            .collect();
        let lost =
            if lost.is_empty() { String::new() } else { format!("  LOST {}", lost.join(",")) };
        self.0.set_message(format!(
            "{:.0} packets/s  {:.1} Mbit/s  {} flows  {} alerts  {} dropped ({:.2} %)  {:.0} MiB  \
             up {:?}{lost}",
            rates.packets,
            rates.bits / 1e6,
            totals.flows_open,
            status.watch.alerts.raised,
            totals.kernel_drops + totals.interface_drops,
            rates.loss_percent,
            status.memory_bytes as f64 / f64::from(1 << 20),
            Duration::from_secs(status.uptime_seconds),
        ));
        self.0.tick();
    }

    /// Removes the line.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl<'a> MakeWriter<'a> for View {
    type Writer = Above;

    fn make_writer(&'a self) -> Above {
        Above(self.0.clone())
    }
}

/// Writes to standard error while the line is away.
pub(super) struct Above(ProgressBar);

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
