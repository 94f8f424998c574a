//! What the sensor tells about itself: every interval a row of the table `stats`, and a weird when
//! it loses packets.
//!
//! In: the second stage, the board on which all threads put their counts. Out: the second stage
//! with a row more now and then.

use std::sync::Arc;
use std::time::Duration;

use analyzers::weird::WeirdRecord;
use analyzers::{Text, Timestamp, Weird};

use super::StatsConfig;
use crate::archive::Gap;
use crate::capture::Tally;
use crate::clock::{self, Stopwatch};
use crate::event::Event;
use crate::memory::held_bytes;
use crate::pipeline::{RunCounts, Stage, StageError};
use crate::rows::UtcText;
use crate::stats::{Board, Counts, StatsRecord, loss_percent};
use crate::watch::Watch;

/// The second stage, and its reports.
pub(super) struct Reporter {
    watch: Watch,
    board: Arc<Board>,
    interval: Duration,
    since: Stopwatch,
    /// What the last row ended with.
    reported: Counts,
    /// Since the board was told how the second stage is doing.
    posted: Stopwatch,
    loss: LossAlarm,
}

/// Says when more packets are lost than may be.
struct LossAlarm {
    /// In percent.
    threshold: f64,
    checked: Counts,
    since: Stopwatch,
    told: Option<Stopwatch>,
}

/// How often losses are looked at.
const LOSS_CHECK: Duration = Duration::from_secs(5);

/// How often the board is told how the second stage is doing: as often as anybody looks.
const POST_EVERY: Duration = Duration::from_secs(1);

impl LossAlarm {
    /// The share that was lost since the last check, when it is time to check, too much, and not
    /// told within the last `interval`.
    fn check(&mut self, counts: &Counts, interval: Duration) -> Option<f64> {
        let percent = loss_percent(&self.checked, counts);
        self.checked.clone_from(counts);
        self.since = Stopwatch::start();
        let is_told = self.told.is_some_and(|since| since.elapsed() < interval);
        if percent <= self.threshold || is_told {
            return None;
        }
        self.told = Some(Stopwatch::start());
        Some(percent)
    }
}

impl Reporter {
    /// Reports as the configuration says.
    pub(super) fn new(watch: Watch, board: Arc<Board>, config: &StatsConfig) -> Self {
        let loss = LossAlarm {
            threshold: config.loss_alert,
            checked: Counts::default(),
            since: Stopwatch::start(),
            told: None,
        };
        let (since, reported) = (Stopwatch::start(), Counts::default());
        Self { watch, board, interval: config.interval.0, since, reported, posted: since, loss }
    }

    /// Writes the last row; the second stage, to be closed.
    ///
    /// # Errors
    /// A sink cannot take the row.
    pub(super) fn finish(mut self, counts: &RunCounts, tally: Tally) -> Result<Watch, StageError> {
        let counts = Counts { packets: counts.packets.clone(), tally, flows: counts.flows };
        self.report(&counts)?;
        let lost = counts.tally.kernel_drops + counts.tally.interface_drops;
        tracing::info!(received = counts.packets.received, lost, "stopped");
        Ok(self.watch)
    }

    fn tell_gap(&mut self, gap: &Gap) -> Result<(), StageError> {
        let span = gap.span.map(|(from, to)| format!(" of {} to {}", UtcText(from), UtcText(to)));
        let detail = format!("{} rows{}: {}", gap.rows, span.unwrap_or_default(), gap.cause);
        let (name, detail) = (Weird::ArchiveGap.name(), Some(Text::from(detail)));
        let count = i64::try_from(gap.rows).unwrap_or(i64::MAX);
        self.watch.write(clock::now(), Box::new(WeirdRecord { name, detail, count }))
    }

    fn tell_loss(&mut self) -> Result<(), StageError> {
        let counts = self.board.counts();
        let Some(percent) = self.loss.check(&counts, self.interval) else { return Ok(()) };
        tracing::warn!("{percent:.3} % of the packets of the last seconds were lost");
        let detail = format!("{percent:.3} % of the packets of the last seconds");
        let (name, detail) = (Weird::CaptureLoss.name(), Some(Text::from(detail)));
        self.watch.write(clock::now(), Box::new(WeirdRecord { name, detail, count: 1 }))
    }

    fn report(&mut self, counts: &Counts) -> Result<(), StageError> {
        let gap_percent = self.watch.overview().gap_percent();
        let memory_bytes = held_bytes().and_then(|bytes| i64::try_from(bytes).ok());
        let record = StatsRecord { memory_bytes, ..counts.row_since(&self.reported, gap_percent) };
        self.watch.write(clock::now(), Box::new(record))?;
        self.reported.clone_from(counts);
        self.since = Stopwatch::start();
        Ok(())
    }
}

impl Stage for Reporter {
    fn events(
        &mut self,
        worker: usize,
        events: Vec<Event>,
        watermark: Timestamp,
    ) -> Result<(), StageError> {
        self.watch.events(worker, events, watermark)?;
        if let Some(gap) = self.watch.take_archive_gap() {
            self.tell_gap(&gap)?;
        }
        if self.loss.since.elapsed() >= LOSS_CHECK.min(self.interval) {
            self.tell_loss()?;
        }
        if self.posted.elapsed() >= POST_EVERY {
            self.board.post_standing(self.watch.standing(clock::now()));
            self.posted = Stopwatch::start();
        }
        if self.since.elapsed() >= self.interval {
            let counts = self.board.counts();
            self.report(&counts)?;
        }
        Ok(())
    }
}
