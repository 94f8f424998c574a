//! Compaction: the small files of hours that are over become few large ones.
//!
//! In: the archive. Out: the same rows in fewer files, sorted and encoded as the archive's writer
//! does it. Before its rows are merged each file is held against the manifest, so that no change of
//! a file hides behind a merge.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use analyzers::{Table, Timestamp};
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array as _, RecordBatch};
use arrow_select::concat::concat_batches;
use data_encoding::HEXLOWER;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::error::ArchiveError;
use super::file::{InProgress, SensorName};
use super::layout;
use super::manifest::{self, FileEntry, Ledger, Manifest, Standing, hash_file, name_of};
use super::merge::{self, Merge, Turn};
use super::partition::{Hour, PartitionKey, Sealed};
use super::retention::OPEN;
use super::tree::{self, Leaf};
use super::write::{Encoded, write_file};

/// Rows of a merged file: those of the largest file that the sensor writes. All of them are in
/// memory at a time, twice over while they are put together.
const MERGED_ROWS: u64 = 4 * layout::ROW_GROUP_ROWS as u64;

/// Bytes of its columns before they are compressed.
const MERGED_BYTES: u64 = 256 * 1024 * 1024;

/// Rows that are read at a time.
const READ_ROWS: usize = 64 * 1024;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Files that were merged.
    pub merged: u64,
    /// Their bytes.
    pub merged_bytes: u64,
    /// Files that they became.
    pub written: u64,
    /// The bytes of those.
    pub written_bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// Merges that a crash had interrupted and that were finished or undone.
    pub recovered: u64,
    /// Files that were left alone though they are small, and why.
    pub left: Vec<(String, &'static str)>,
}

/// Merges the small files of each hour of `tables` that ended long enough before `now`.
///
/// # Errors
/// The archive cannot be read or written, or another process merges; what was merged before stays
/// merged.
pub fn compact(
    archive: &Path,
    tables: &[&'static Table],
    now: Timestamp,
) -> Result<Compacted, ArchiveError> {
    let mut compacted = Compacted::default();
    let ledgers = manifest::ledgers(archive, &[])?;
    if ledgers.is_empty() {
        return Err(ArchiveError::NoManifest { path: archive.to_owned() });
    }
    for sensor in ledgers.keys() {
        compacted.recovered += merge::recover(archive, &SensorName::known(sensor))?;
    }
    let Some(_turn) = Turn::take(archive)? else {
        return Err(ArchiveError::Busy { path: archive.to_owned() });
    };
    let ledgers = manifest::ledgers(archive, &[])?;
    for day in tree::days(archive)? {
        let name = day.folder.split('/').next().unwrap_or_default();
        let Some(table) = tables.iter().find(|table| table.name == name) else { continue };
        for (hour, folder) in tree::hours(archive, &day)? {
            if now.since(hour.end()) < OPEN {
                continue;
            }
            let mut by_sensor: BTreeMap<SensorName, Vec<Leaf>> = BTreeMap::new();
            for leaf in tree::files(archive, &folder)? {
                if let Some(sensor) = SensorName::of_file(tree::last(&leaf.name)) {
                    by_sensor.entry(sensor).or_default().push(leaf);
                }
            }
            for (sensor, leaves) in by_sensor.into_iter().filter(|(_, leaves)| leaves.len() > 1) {
                let ledger = ledgers.get(sensor.as_str());
                let place = Place { archive, table, hour, sensor, ledger };
                place.compact(&leaves, &mut compacted)?;
            }
        }
    }
    Ok(compacted)
}

/// One sensor's files of one hour of one table.
pub(super) struct Place<'a> {
    pub(super) archive: &'a Path,
    pub(super) table: &'static Table,
    pub(super) hour: Hour,
    pub(super) sensor: SensorName,
    /// What the sensor's manifest says.
    pub(super) ledger: Option<&'a Ledger>,
}

/// A file that may be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    entry: FileEntry,
    rows: u64,
    /// Bytes of its columns before they are compressed.
    bytes: u64,
}

impl Place<'_> {
    fn compact(&self, leaves: &[Leaf], compacted: &mut Compacted) -> Result<(), ArchiveError> {
        let mut candidates = Vec::new();
        for leaf in leaves {
            match self.candidate(leaf)? {
                Ok(candidate) => candidates.push(candidate),
                Err(why) => compacted.left.push((leaf.name.clone(), why)),
            }
        }
        for group in groups(candidates) {
            self.merge(group, compacted)?;
        }
        Ok(())
    }

    /// The file, if it is what the manifest says and has the columns of today.
    pub(super) fn candidate(
        &self,
        leaf: &Leaf,
    ) -> Result<Result<Candidate, &'static str>, ArchiveError> {
        let path = self.archive.join(&leaf.name);
        let failed = || ArchiveError::io("read", &path);
        let mut file = File::open(&path).map_err(failed())?;
        let (hash, bytes) = hash_file(&mut file).map_err(failed())?;
        match self.ledger.and_then(|ledger| ledger.files.get(&leaf.name)) {
            Some(Standing::Listed(listed, _)) if *listed == hash => {}
            Some(Standing::Listed(..)) => return Ok(Err("it was changed")),
            Some(Standing::Gone(why)) => return Ok(Err(why)),
            None => return Ok(Err("it has no entry in the manifest")),
        }
        let Ok(reader) = ParquetRecordBatchReaderBuilder::try_new(file) else {
            return Ok(Err("it is no Parquet file"));
        };
        if reader.schema().fields() != layout::schema(self.table).fields() {
            return Ok(Err("it has other columns than its table has today"));
        }
        let groups = reader.metadata().row_groups().iter();
        let [rows, columns] = groups.fold([0, 0], |[rows, columns], group| {
            [
                rows + group.num_rows().unsigned_abs(),
                columns + group.total_byte_size().unsigned_abs(),
            ]
        });
        let sha256 = HEXLOWER.encode(&hash);
        let entry = FileEntry { file: leaf.name.clone(), bytes, rows: Some(rows), sha256 };
        Ok(Ok(Candidate { entry, rows, bytes: columns }))
    }

    fn merge(&self, group: Vec<Candidate>, done: &mut Compacted) -> Result<(), ArchiveError> {
        let (encoded, file, replaces) = self.prepare(group)?;
        done.merged += replaces.len() as u64;
        done.merged_bytes += replaces.iter().map(|entry| entry.bytes).sum::<u64>();
        done.written += 1;
        done.written_bytes += file.bytes;
        done.rows += file.rows.unwrap_or(0);
        let merge = Merge::plan(self.archive, file, replaces)?;
        merge.swap(encoded)?;
        merge.finish(&mut Manifest::of(self.archive, &self.sensor))
    }

    /// A file with the rows of all, durable under its hidden name; its entry, and theirs.
    pub(super) fn prepare(
        &self,
        group: Vec<Candidate>,
    ) -> Result<(Encoded, FileEntry, Vec<FileEntry>), ArchiveError> {
        let key = PartitionKey::new(self.hour, self.table);
        let (nursery, folder) = (key.table_directory(self.archive), key.directory(self.archive));
        let sealed = self.sealed(key, &group)?;
        let target = InProgress::create(&nursery, &folder, &self.sensor, sealed.first)?;
        let encoded = write_file(&sealed, target, &self.sensor)?;
        let file = FileEntry {
            file: name_of(self.archive, encoded.target.published()),
            bytes: encoded.bytes,
            rows: Some(sealed.order.len() as u64),
            sha256: HEXLOWER.encode(&encoded.hash),
        };
        let replaces = group.into_iter().map(|candidate| candidate.entry).collect();
        Ok((encoded, file, replaces))
    }

    /// The rows of all files, and their order.
    fn sealed(&self, key: PartitionKey, group: &[Candidate]) -> Result<Sealed, ArchiveError> {
        let mut batches = Vec::new();
        for candidate in group {
            let path = self.archive.join(&candidate.entry.file);
            let failed = || ArchiveError::encode(&path);
            let file = File::open(&path).map_err(ArchiveError::io("read", &path))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(|reader| reader.with_batch_size(READ_ROWS).build())
                .map_err(failed())?;
            for batch in reader {
                batches.push(batch.map_err(ParquetError::from).map_err(failed())?);
            }
        }
        let batch = concat_batches(&layout::schema(self.table), &batches)
            .map_err(ParquetError::from)
            .map_err(ArchiveError::encode(self.archive))?;
        drop(batches);
        let order = order(&batch);
        let ts = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        let instant = |at: Option<&u32>| {
            let micros = at.map_or(0, |&at| ts.value(at as usize));
            Timestamp::from_secs_nanos(
                micros.div_euclid(1_000_000),
                micros.rem_euclid(1_000_000) * 1_000,
            )
        };
        let (first, last) = (instant(order.first()), instant(order.last()));
        Ok(Sealed { key, table: self.table, batch, order, first, last, bytes: 0 })
    }
}

/// The order of a file: by ts, then uid, then the order of the files that rows come from.
fn order(batch: &RecordBatch) -> Vec<u32> {
    let ts = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    let uids = batch.column(1).as_string::<i32>();
    let key = |&row: &u32| {
        let row = row as usize;
        (ts.value(row), uids.is_valid(row).then(|| uids.value(row)))
    };
    let mut order: Vec<u32> = (0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX)).collect();
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    order
}

/// Files that are to become one, in the order of their names, which is that of their first rows.
/// What is half as large as a merged file stays as it is, so that a late straggler does not have it
/// written again.
fn groups(candidates: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    let is_small = |c: &Candidate| c.rows < MERGED_ROWS / 2 && c.bytes < MERGED_BYTES / 2;
    for candidate in candidates.into_iter().filter(is_small) {
        let fits = rows + candidate.rows <= MERGED_ROWS && bytes + candidate.bytes <= MERGED_BYTES;
        if !fits || groups.is_empty() {
            groups.push(Vec::new());
            (rows, bytes) = (0, 0);
        }
        rows += candidate.rows;
        bytes += candidate.bytes;
        if let Some(group) = groups.last_mut() {
            group.push(candidate);
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_are_put_together_until_they_are_large() {
        const HALF: u64 = MERGED_ROWS / 2;
        for (rows, expected) in [
            (&[][..], &[][..]),
            (&[1], &[]),
            (&[1, 2], &[2]),
            (&[HALF, 1], &[]),
            (&[HALF - 1, HALF - 1, 2], &[3]),
            (&[HALF - 1, HALF - 1, 3, 1], &[2, 2]),
            (&[HALF - 1, HALF - 1, 3], &[2]),
            (&[1, MERGED_ROWS, 1], &[2]),
        ] {
            let candidate = |&rows: &u64| Candidate {
                entry: FileEntry {
                    file: String::new(),
                    bytes: 0,
                    rows: None,
                    sha256: String::new(),
                },
                rows,
                bytes: 0,
            };
            let groups = groups(rows.iter().map(candidate).collect());
            let found: Vec<usize> = groups.iter().map(Vec::len).collect();
            assert_eq!(found, expected, "{rows:?}");
        }
    }
}
