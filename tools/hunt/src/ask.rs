//! One question: a query runs, its answer is written, what was read is told.

use std::io::{IsTerminal as _, Write as _};

use arrow_array::RecordBatch;
use futures::StreamExt as _;
use tokio::time::MissedTickBehavior;

use crate::engine::{Answer, Engine};
use crate::error::HuntError;
use crate::output::{Parts, Sink, Target};
use crate::progress::{Progress, REDRAW, Scanned};

/// Whether the summary of what was read is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// On a terminal only.
    OnTerminal,
    /// Always.
    Always,
}

/// Writes an answer to its end, or until Ctrl-C; answers how many rows it has.
///
/// # Errors
/// The query fails on its way, the answer cannot be written, or the user stops it.
pub async fn write(
    engine: &Engine,
    answer: Answer,
    target: &Target,
    telling: Telling,
) -> Result<usize, HuntError> {
    let mut sink = target.open(&answer.schema)?;
    let plan = std::sync::Arc::clone(&answer.plan);
    let rows = pump(engine, answer, |batch| sink.rows(&batch)).await?;
    sink.finish()?;
    if telling == Telling::Always || std::io::stderr().is_terminal() {
        let noun = if rows == 1 { "row" } else { "rows" };
        let read = Scanned::of(&plan).summary(engine.ledger().reading());
        say(&format!("{rows} {noun}; {read}"));
    }
    Ok(rows)
}

/// Writes an answer as one of several parts; an empty one leaves nothing.
///
/// # Errors
/// As [`write`].
pub async fn write_part(
    engine: &Engine,
    answer: Answer,
    parts: &mut Parts,
    title: &str,
) -> Result<usize, HuntError> {
    let schema = std::sync::Arc::clone(&answer.schema);
    let mut sink: Option<Box<dyn Sink>> = None;
    let rows = pump(engine, answer, |batch| {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let sink = match &mut sink {
            Some(sink) => sink,
            None => sink.insert(parts.open(title, &schema)?),
        };
        sink.rows(&batch)
    })
    .await?;
    if let Some(sink) = sink {
        sink.finish()?;
    }
    Ok(rows)
}

/// All rows of an answer that is small.
///
/// # Errors
/// The query fails on its way, or the user stops it.
pub async fn collect(engine: &Engine, answer: Answer) -> Result<Vec<RecordBatch>, HuntError> {
    let mut batches = Vec::new();
    pump(engine, answer, |batch| {
        batches.push(batch);
        Ok(())
    })
    .await?;
    Ok(batches)
}

/// Draws an answer through `take`, while progress is shown; answers how many rows there were.
///
/// # Errors
/// The query or `take` fails, or the user stops it.
pub async fn pump(
    engine: &Engine,
    answer: Answer,
    mut take: impl FnMut(RecordBatch) -> Result<(), HuntError>,
) -> Result<usize, HuntError> {
    let Answer { mut stream, plan, .. } = answer;
    let progress = Progress::new(engine.ledger().reading());
    let mut clock = tokio::time::interval(REDRAW);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    let mut rows = 0;
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupt => return Err(HuntError::Interrupted),
            _ = clock.tick() => progress.update(Scanned::of(&plan)),
            batch = stream.next() => match batch {
                None => return Ok(rows),
                Some(batch) => {
                    let batch = batch?;
                    progress.clear();
                    rows += batch.num_rows();
                    take(batch)?;
                }
            },
        }
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
