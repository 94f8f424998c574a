//! The progress bar of a replay: bytes, packets a second, Gbit/s, time left. Drawn on a terminal
//! only, on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::capture::{Batch, Progress};
use crate::clock::Stopwatch;

/// How often the bar is drawn, a second.
const DRAWS_PER_SECOND: u8 = 5;

/// A bar, or nothing where standard error is no terminal.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    progress: Progress,
    packets: u64,
    bytes: u64,
    since: Stopwatch,
}

impl Meter {
    /// A bar that follows `progress`.
    #[must_use]
    pub fn new(progress: Progress) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        let bar = ProgressBar::with_draw_target(progress.bytes_total(), target);
        let template = match progress.bytes_total() {
            Some(_) => "{bytes}/{total_bytes} {wide_bar} {msg}  {eta} left",
            None => "{bytes} read  {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, progress, packets: 0, bytes: 0, since: Stopwatch::start() }
    }

    /// Takes note of a batch.
    pub fn note(&mut self, batch: &Batch) {
        self.packets += batch.packets.len() as u64;
        self.bytes += batch.packets.iter().map(|p| u64::from(p.captured_bytes)).sum::<u64>();
        if self.bar.is_hidden() {
            return;
        }
        let seconds = self.since.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_position(self.progress.bytes_read());
        self.bar.set_message(format!(
            "{:.2} M packets/s  {:.2} Gbit/s",
            self.packets as f64 / seconds / 1e6,
            self.bytes as f64 * 8.0 / seconds / 1e9,
        ));
    }

    /// Clears the bar while something else is printed.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
