//! Sealed partitions to files that are whole, under their hidden names.
//!
//! In: rows in their order, and an empty file for each partition. Out: the files, encoded, durable
//! and hashed, to be entered in the manifest and to be given their names.

use std::sync::Mutex;

use arrow_array::UInt32Array;
use arrow_select::take::take_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use super::error::ArchiveError;
use super::file::{InProgress, SensorName};
use super::layout;
use super::manifest::{Hash, Hashing};
use super::partition::Sealed;

/// Rows that are put in order and encoded at a time: few enough to stay in a core's cache.
const BATCH_ROWS: usize = 2_048;

/// A file that is whole and durable, and has no name yet.
#[derive(Debug)]
pub(super) struct Encoded {
    /// It.
    pub(super) target: InProgress,
    /// Its bytes.
    pub(super) bytes: u64,
    /// Their hash.
    pub(super) hash: Hash,
}

/// A partition, and what came of writing it.
type Done = (Sealed, Result<Encoded, ArchiveError>);

/// Writes each partition to its file, several at a time where there are several writers.
pub(super) fn encode(
    mut jobs: Vec<(Sealed, InProgress)>,
    sensor: &SensorName,
    writers: usize,
) -> Vec<Done> {
    let write = |(sealed, target): (Sealed, InProgress)| {
        let written = write_file(&sealed, target, sensor);
        (sealed, written)
    };
    if writers <= 1 || jobs.len() <= 1 {
        return jobs.into_iter().map(write).collect();
    }
    // The largest are taken first, so that the writers end together.
    jobs.sort_by_key(|(sealed, _)| sealed.bytes);
    let jobs = Mutex::new(jobs);
    let next = || jobs.lock().ok().and_then(|mut jobs| jobs.pop());
    std::thread::scope(|scope| {
        let work = || std::iter::from_fn(next).map(write).collect::<Vec<_>>();
        let hands: Vec<_> = (1..writers).map(|_| scope.spawn(work)).collect();
        let mut written = work();
        for hand in hands {
            // A writer that panicked has lost its rows; there is no row that makes one.
            written.extend(hand.join().unwrap_or_default());
        }
        written
    })
}

/// Writes rows as one file.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_file(
    sealed: &Sealed,
    target: InProgress,
    sensor: &SensorName,
) -> Result<Encoded, ArchiveError> {
    let failed = || ArchiveError::encode(target.path());
    let options = ArrowWriterOptions::new()
        .with_properties(layout::properties(sealed.table, sensor.as_str(), &sealed.batch))
        // The Parquet types say all that the Arrow types do.
        .with_skip_arrow_metadata(true);
    let schema = sealed.batch.schema();
    let mut out = Hashing::new(target.file());
    let mut writer =
        ArrowWriter::try_new_with_options(&mut out, schema, options).map_err(failed())?;
    for indices in sealed.order.chunks(BATCH_ROWS) {
        let indices = UInt32Array::from(indices.to_vec());
        let batch = take_record_batch(&sealed.batch, &indices).map_err(ParquetError::from);
        batch.and_then(|batch| writer.write(&batch)).map_err(failed())?;
    }
    writer.close().map_err(failed())?;
    let hash = out.finish();
    let bytes = target.sync()?;
    Ok(Encoded { target, bytes, hash })
}
