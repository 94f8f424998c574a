//! Compaction and retention: fewer files with the same rows, and the oldest hours gone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use analyzers::{Table, Timestamp};
use tempfile::TempDir;

use super::{archive_of, at, count, files, metadata, numbers, options};
use crate::archive::compact::Place;
use crate::archive::file::SensorName;
use crate::archive::manifest::{self, FileEntry, Manifest};
use crate::archive::merge::Merge;
use crate::archive::partition::Hour;
use crate::archive::tree;
use crate::archive::write::Encoded;
use crate::archive::{
    Archive, Compacted, Fault, Limits, Options, PrunedHour, Pruning, compact, prune, verify,
};
use crate::rows::samples::HOUR_NANOS;

const DAYS_LATER: i64 = 1_000 * HOUR_NANOS;

fn faults(archive: &Path) -> Vec<Fault> {
    verify(archive, &[], 1).unwrap().faults
}

/// Rows of one hour in several files, told apart by their numbers.
fn pieces(archive: &Path, pieces: i64) {
    for piece in 0..pieces {
        let rows = [0, 1, 2].map(|row| {
            let number = row * pieces + piece;
            count(at(number * 1_000), None, number)
        });
        archive_of(archive, &rows);
    }
}

fn compacted(archive: &Path, now: Timestamp) -> Compacted {
    compact(archive, &[table()], now).unwrap()
}

fn table() -> &'static Table {
    count(at(0), None, 0).record.table()
}

fn all_numbers(archive: &Path) -> Vec<i64> {
    files(archive).iter().flat_map(|name| numbers(&archive.join(name))).collect()
}

#[test]
fn small_files_become_one_with_the_same_rows_in_order() {
    let directory = TempDir::new().unwrap();
    pieces(directory.path(), 4);
    let done = compacted(directory.path(), at(DAYS_LATER));
    assert_eq!((done.merged, done.written, done.rows, done.left), (4, 1, 12, vec![]));
    let names = files(directory.path());
    assert_eq!(names, ["count/date=2026-01-02/hour=03/edge-1-20260102T030405Z-0005.parquet"]);
    assert_eq!(all_numbers(directory.path()), (0..12).collect::<Vec<_>>());
    let group = metadata(&directory.path().join(&names[0]));
    let group = group.row_group(0);
    assert!(group.sorting_columns().is_some());
    assert!(group.column(1).bloom_filter_offset().is_some(), "uids are looked up");
    assert_eq!(faults(directory.path()), []);
    let again = compacted(directory.path(), at(DAYS_LATER));
    assert_eq!((again.merged, files(directory.path())), (0, names));
    // What comes late lies beside it, and is merged in turn.
    archive_of(directory.path(), &[count(at(500), None, 99)]);
    compacted(directory.path(), at(DAYS_LATER));
    assert_eq!(all_numbers(directory.path())[..3], [99, 0, 1], "of one instant by file name");
    assert_eq!(faults(directory.path()), []);
}

#[test]
fn open_hours_other_sensors_and_changed_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    pieces(directory.path(), 2);
    let before = files(directory.path());
    assert_eq!(compacted(directory.path(), at(HOUR_NANOS)).merged, 0, "it may be written");
    let other = Options { sensor: "edge-2".to_owned(), ..options() };
    let mut archive = Archive::open(directory.path(), other).unwrap();
    archive.write(&count(at(0), None, 7)).unwrap();
    archive.finish().unwrap();
    let changed = directory.path().join(&before[0]);
    let mut bytes = fs::read(&changed).unwrap();
    bytes[60] ^= 1;
    fs::write(&changed, bytes).unwrap();
    let done = compacted(directory.path(), at(DAYS_LATER));
    assert_eq!((done.merged, done.left), (0, vec![(before[0].clone(), "it was changed")]));
    assert_eq!(files(directory.path()).len(), 3);
}

/// All files of the small table's first hour as one, encoded, and what it replaces.
fn prepared(archive: &Path) -> (Encoded, FileEntry, Vec<FileEntry>) {
    let ledgers = manifest::ledgers(archive, &[]).unwrap();
    let place = Place {
        archive,
        table: table(),
        hour: Hour::at(at(0)),
        sensor: SensorName::new("edge-1"),
        ledger: ledgers.get("edge-1"),
    };
    let leaves = tree::files(archive, super::FOLDER).unwrap();
    let group = leaves.iter().map(|leaf| place.candidate(leaf).unwrap().unwrap()).collect();
    place.prepare(group).unwrap()
}

/// How far a merge comes before the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Plan,
    Swap,
    LateFile,
    Entry,
}

#[test]
fn a_merge_that_a_crash_interrupts_is_finished_or_undone() {
    for reached in [Reached::Plan, Reached::Swap, Reached::LateFile, Reached::Entry] {
        let directory = TempDir::new().unwrap();
        let archive = directory.path();
        pieces(archive, 3);
        let (encoded, file, replaces) = prepared(archive);
        let merge = Merge::plan(archive, file, replaces).unwrap();
        let mut expected: Vec<i64> = (0..9).collect();
        match reached {
            Reached::Plan => drop(encoded),
            _ => merge.swap(encoded).unwrap(),
        }
        if reached == Reached::LateFile {
            // Somebody had the old folder in hand.
            let late = archive.join("count/.edge-1-20260102T030405Z-0004.merging/late.parquet");
            let names = files(archive);
            let source =
                archive.join(names.iter().find(|name| name.ends_with(".parquet")).unwrap());
            fs::copy(&source, late).unwrap();
            expected.extend(numbers(&source));
        }
        if reached == Reached::Entry {
            merge.enter(&mut Manifest::of(archive, &SensorName::new("edge-1"))).unwrap();
        }
        let opened = Archive::open(archive, options()).unwrap();
        assert_eq!(opened.recovered().merges, 1, "{reached:?}");
        let mut found = all_numbers(archive);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{reached:?}");
        let hidden: Vec<_> = fs::read_dir(archive.join("count")).unwrap().collect();
        assert_eq!(hidden.len(), 1, "{reached:?}: nothing but the day's folder is left");
        if reached != Reached::LateFile {
            assert_eq!(faults(archive), [], "{reached:?}");
        }
    }
}

/// An archive with a file for each of six hours of two sensors.
fn six_hours() -> TempDir {
    let directory = TempDir::new().unwrap();
    for sensor in ["edge-1", "edge-2"] {
        let options = Options { sensor: sensor.to_owned(), ..options() };
        let mut archive = Archive::open(directory.path(), options).unwrap();
        for hour in 0..6 {
            archive.write(&count(at(hour * HOUR_NANOS), None, hour)).unwrap();
        }
        archive.finish().unwrap();
    }
    directory
}

fn pruned(archive: &Path, limits: Limits, now: Timestamp, pruning: Pruning) -> Vec<PrunedHour> {
    let mut hours = Vec::new();
    prune(archive, &limits, now, pruning, &mut |hour| hours.push(hour)).unwrap();
    hours
}

#[test]
fn the_oldest_hours_go_and_open_ones_stay() {
    let file = six_hours();
    let size: u64 = files(file.path())
        .iter()
        .map(|name| fs::metadata(file.path().join(name)).unwrap().len())
        .sum();
    let hours = |hours: u64| Some(Duration::from_secs(3_600 * hours));
    for (what, limits, now, expected) in [
        ("no limit", Limits::default(), DAYS_LATER, 0),
        ("age", Limits { age: hours(997), ..Limits::default() }, DAYS_LATER, 3),
        ("all too old", Limits { age: hours(1), ..Limits::default() }, DAYS_LATER, 6),
        ("young enough", Limits { age: hours(2_000), ..Limits::default() }, DAYS_LATER, 0),
        ("room for all", Limits { bytes: Some(size), ..Limits::default() }, DAYS_LATER, 0),
        ("a byte too many", Limits { bytes: Some(size - 1), ..Limits::default() }, DAYS_LATER, 1),
        ("half", Limits { bytes: Some(size / 2 + 99), ..Limits::default() }, DAYS_LATER, 3),
        ("enough free", Limits { free: Some(1), ..Limits::default() }, DAYS_LATER, 0),
        ("never enough", Limits { free: Some(u64::MAX), ..Limits::default() }, DAYS_LATER, 6),
        ("open", Limits { bytes: Some(0), ..Limits::default() }, 5 * HOUR_NANOS, 3),
    ] {
        let directory = six_hours();
        let rehearsed = pruned(directory.path(), limits, at(now), Pruning::Rehearsed);
        assert_eq!(files(directory.path()).len(), 12, "{what}: a rehearsal removes nothing");
        let done = pruned(directory.path(), limits, at(now), Pruning::Done);
        assert_eq!((done.len(), &done), (expected, &rehearsed), "{what}");
        assert_eq!(files(directory.path()).len(), 12 - 2 * expected, "{what}");
        assert!(done.iter().map(|hour| hour.start).is_sorted(), "{what}");
        assert_eq!(faults(directory.path()), [], "{what}: retired is not missing");
    }
}

#[test]
fn what_retention_has_not_removed_yet_is_told_and_goes_the_next_time() {
    let directory = six_hours();
    let names = files(directory.path());
    let oldest = directory.path().join(&names[0]);
    let bytes = fs::read(&oldest).unwrap();
    let limits = Limits { age: Some(Duration::from_secs(1)), ..Limits::default() };
    pruned(directory.path(), limits, at(DAYS_LATER), Pruning::Done);
    assert!(!oldest.parent().unwrap().exists(), "empty folders go, too");
    fs::create_dir_all(oldest.parent().unwrap()).unwrap();
    fs::write(&oldest, bytes).unwrap();
    let found = faults(directory.path());
    assert!(matches!(&found[..], [Fault::Left { file, .. }] if *file == names[0]), "{found:?}");
    pruned(directory.path(), limits, at(DAYS_LATER), Pruning::Done);
    assert_eq!(faults(directory.path()), []);
}

#[test]
fn nothing_outside_the_archive_and_nothing_foreign_is_touched() {
    let outside = six_hours();
    let before = files(outside.path());
    let directory = six_hours();
    let day = "count/date=2026-01-02";
    for (link, target) in [
        ("linked", outside.path().join("count")),
        ("count/date=2026-01-01", outside.path().join(day)),
        (&format!("{day}/hour=02"), outside.path().join(format!("{day}/hour=03"))),
    ] {
        symlink(target, directory.path().join(link)).unwrap();
    }
    let foreign = [format!("{day}/hour=03/notes.txt"), format!("{day}/hour=04/mine.parquet")];
    for name in &foreign {
        fs::write(directory.path().join(name), "mine").unwrap();
    }
    let limits = Limits { bytes: Some(0), ..Limits::default() };
    pruned(directory.path(), limits, at(DAYS_LATER), Pruning::Done);
    assert_eq!(files(outside.path()), before);
    for name in &foreign {
        assert_eq!(fs::read_to_string(directory.path().join(name)).unwrap(), "mine");
    }
}
