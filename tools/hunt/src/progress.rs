//! What a hunt is doing, on a terminal; and what it read, afterwards.
//!
//! In: the metrics of a running query. Out: a line on standard error that is redrawn while files
//! are scanned, and a summary that says how much of the archive was not read.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::archive::Reading;

/// How often the line is drawn anew.
pub(crate) const REDRAW: Duration = Duration::from_millis(200);

/// What the scans of a query have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Files that are done.
    pub(crate) files: usize,
    /// Bytes that were read of them.
    pub(crate) bytes: usize,
    /// Row groups that were read.
    pub(crate) groups: usize,
    /// Row groups that statistics or bloom filters ruled out.
    pub(crate) groups_skipped: usize,
}

impl Scanned {
    /// Adds up the metrics of a plan's scans.
    #[must_use]
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut scanned = Self::default();
        scanned.add(plan);
        scanned
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        for child in plan.children() {
            self.add(child);
        }
        let Some(metrics) = plan.metrics() else { return };
        for metric in metrics.iter() {
            match metric.value() {
                MetricValue::Count { name, count } => match name.as_ref() {
                    "bytes_scanned" => self.bytes += count.value(),
                    "files_processed" => self.files += count.value(),
                    _ => {}
                },
                MetricValue::PruningMetrics { name, pruning_metrics } => match name.as_ref() {
                    // Statistics come first; filters are asked about what they let pass.
                    "row_groups_pruned_statistics" => {
                        self.groups += pruning_metrics.matched();
                        self.groups_skipped += pruning_metrics.pruned();
                    }
                    "row_groups_pruned_bloom_filter" => {
                        self.groups = self.groups.saturating_sub(pruning_metrics.pruned());
                        self.groups_skipped += pruning_metrics.pruned();
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// One line: what was read, and what was not.
    #[must_use]
    pub(crate) fn summary(self, reading: Reading) -> String {
        let read = self.bytes as u64 + reading.bytes_asked;
        let bytes = HumanBytes(read);
        if reading.files == 0 {
            return format!("read {bytes}");
        }
        if self == Self::default() && reading.files_chosen > 0 {
            // A cluster keeps its count to itself.
            let (files, all) = (HumanCount(reading.files_chosen), HumanCount(reading.files));
            return format!("{files} of {all} files");
        }
        #[allow(clippy::cast_precision_loss)] // a share for people
        let share = 100.0 * read as f64 / reading.bytes.max(1) as f64;
        let skipped = self.groups_skipped as u64 + reading.groups_ruled_out;
        format!(
            "read {bytes} of {} ({share:.2} %); {} of {} files, {} of {} row groups",
            HumanBytes(reading.bytes),
            HumanCount(reading.files_chosen),
            HumanCount(reading.files),
            HumanCount(self.groups as u64),
            HumanCount(self.groups as u64 + skipped),
        )
    }
}

/// The line on the terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A line for a query; hidden where nobody watches.
    #[must_use]
    pub(crate) fn new(reading: Reading) -> Self {
        if !std::io::stderr().is_terminal() || reading.files_chosen == 0 {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(reading.files_chosen);
        let style = ProgressStyle::with_template(
            "{bar:24} {pos} of {len} files, {msg}, {elapsed}; Ctrl-C stops",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Draws it anew.
    pub(crate) fn update(&self, scanned: Scanned) {
        self.bar.set_position(scanned.files as u64);
        self.bar.set_message(HumanBytes(scanned.bytes as u64).to_string());
    }

    /// Takes it away until it is drawn again.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
