//! Tests of the archive: rows in, files that a Parquet reader opens out.

mod evidence;
mod upkeep;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzers::record::Header;
use analyzers::{Record, Row, Table, Text, Timestamp, Uid, Value};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use tempfile::TempDir;

use super::{Archive, ArchiveError, Options, Summary, TableSummary, Writing};
use crate::rows::OnFailure;
use crate::rows::StampedRow;
use crate::rows::samples::{
    EveryKind, HOUR_NANOS, INSTANT, count, every_kind_full, every_kind_null,
};

fn options() -> Options {
    Options { sensor: "edge-1".to_owned(), ..Options::default() }
}

fn archive_of(directory: &Path, rows: &[StampedRow]) -> Summary {
    let mut archive = Archive::open(directory, options()).unwrap();
    for row in rows {
        archive.write(row).unwrap();
    }
    archive.finish().unwrap()
}

/// All files below `directory` but the manifests, relative to it, sorted.
fn files(directory: &Path) -> Vec<String> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(super::manifest::FOLDER) {
                continue;
            }
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(directory, &mut found);
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<_> = builder.with_batch_size(1 << 20).build().unwrap().collect();
    let [Ok(batch)] = &batches[..] else { panic!("{} batches", batches.len()) };
    batch.clone()
}

fn metadata(path: &Path) -> ParquetMetaData {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap().metadata().clone()
}

/// The numbers of the rows in the small table's file, in its order.
fn numbers(path: &Path) -> Vec<i64> {
    let batch = read(path);
    batch.column_by_name("number").unwrap().as_primitive::<Int64Type>().values().to_vec()
}

fn at(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(INSTANT.nanos() + nanos)
}

const FOLDER: &str = "count/date=2026-01-02/hour=03";

#[test]
fn every_kind_of_value_comes_back_and_nulls_stay_nulls() {
    let directory = TempDir::new().unwrap();
    let rows = [
        every_kind_full(),
        StampedRow {
            header: Header { ts: at(1_000), ..every_kind_null().header },
            ..every_kind_null()
        },
    ];
    archive_of(directory.path(), &rows);
    let names = files(directory.path());
    assert_eq!(names, ["every_kind/date=2026-01-02/hour=03/edge-1-20260102T030405Z-0001.parquet"]);
    let batch = read(&directory.path().join(&names[0]));
    let column = |name: &str| batch.column_by_name(name).unwrap();
    for (name, expected) in [
        ("uid", "C7000000000000000"),
        ("src_ip", "10.0.0.1"),
        ("dst_ip", "2001:db8::1"),
        ("proto", "tcp"),
        ("text", "naïve – 狮 \\xff\\x0a\"\\"),
        ("word", "word"),
        ("ip", "::ffff:0:0:1"),
        ("mac", "00:11:22:33:44:55"),
    ] {
        assert_eq!(column(name).as_string::<i32>().value(0), expected, "{name}");
    }
    assert_eq!(column("sensor").as_string::<i32>().value(1), "edge-1");
    assert_eq!(column("src_port").as_primitive::<UInt16Type>().value(0), u16::MAX);
    assert!(column("yes").as_boolean().value(0));
    assert_eq!(column("u8").as_primitive::<UInt8Type>().value(0), u8::MAX);
    assert_eq!(column("u16").as_primitive::<UInt16Type>().value(0), u16::MAX);
    assert_eq!(column("i32").as_primitive::<Int32Type>().value(0), i32::MIN);
    assert_eq!(column("i64").as_primitive::<Int64Type>().value(0), i64::MIN);
    assert!((column("f64").as_primitive::<Float64Type>().value(0) - 0.25).abs() < f64::EPSILON);
    let instants = |name| column(name).as_primitive::<TimestampMicrosecondType>().value(0);
    assert_eq!((instants("ts"), instants("time")), (INSTANT.micros(), -1));
    let texts = column("texts").as_list::<i32>().value(0);
    assert_eq!(
        texts.as_string::<i32>().iter().collect::<Vec<_>>(),
        [Some("a"), Some(""), Some("\\x1b[2J")]
    );
    let numbers = column("numbers").as_list::<i32>().value(0);
    assert_eq!(numbers.as_primitive::<Int64Type>().values(), &[0, -1, i64::MAX]);
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let never_null = field.name() == "ts" || field.name() == "sensor";
        assert_eq!(array.is_null(1), !never_null, "{}", field.name());
        assert_eq!(field.is_nullable(), field.name() != "ts", "{}", field.name());
    }
}

#[test]
fn readers_see_the_types_of_the_contract() {
    let directory = TempDir::new().unwrap();
    archive_of(directory.path(), &[every_kind_full()]);
    let batch = read(&directory.path().join(&files(directory.path())[0]));
    let expected = super::layout::schema(&EveryKind::TABLE);
    assert_eq!(batch.schema().fields(), expected.fields());
    assert!(matches!(
        batch.schema().field(0).data_type(),
        DataType::Timestamp(_, Some(zone)) if &**zone == "UTC"
    ));
}

#[test]
fn hours_of_packet_time_in_utc_are_partitions() {
    let directory = TempDir::new().unwrap();
    let hour = |index: i64| Timestamp::from_nanos(index * HOUR_NANOS);
    let before = |instant: Timestamp| Timestamp::from_nanos(instant.nanos() - 1);
    let summary = archive_of(
        directory.path(),
        &[
            count(hour(1), None, 0),
            count(before(hour(1)), None, 1),
            count(before(hour(0)), None, 2),
            count(before(hour(24)), None, 3),
            count(hour(24), None, 4),
        ],
    );
    let names = files(directory.path());
    assert_eq!(
        names,
        [
            "count/date=1969-12-31/hour=23/edge-1-19691231T235959Z-0001.parquet",
            "count/date=1970-01-01/hour=00/edge-1-19700101T005959Z-0001.parquet",
            "count/date=1970-01-01/hour=01/edge-1-19700101T010000Z-0001.parquet",
            "count/date=1970-01-01/hour=23/edge-1-19700101T235959Z-0001.parquet",
            "count/date=1970-01-02/hour=00/edge-1-19700102T000000Z-0001.parquet",
        ]
    );
    let bytes = names.iter().map(|name| directory.path().join(name).metadata().unwrap().len());
    let expected = TableSummary { rows: 5, files: 5, bytes: bytes.sum() };
    assert_eq!(summary.tables.into_iter().collect::<Vec<_>>(), [("count", expected)]);
}

#[test]
fn a_file_is_sorted_by_ts_then_uid_as_text_then_arrival() {
    let directory = TempDir::new().unwrap();
    // Digits are written lowest first, so 62 is "C01…" and comes before 1, which is "C1…".
    archive_of(
        directory.path(),
        &[
            count(at(5_000), Some(1), 6),
            count(at(0), Some(1), 3),
            count(at(5_000), Some(1), 7),
            // The archive knows microseconds, in which these are one instant.
            count(at(400), Some(62), 2),
            count(at(5_000), Some(62), 5),
            count(at(0), None, 0),
            count(at(700), Some(1), 4),
            count(at(0), None, 1),
        ],
    );
    let path = directory.path().join(&files(directory.path())[0]);
    assert_eq!(numbers(&path), [0, 1, 2, 3, 4, 5, 6, 7]);
    let batch = read(&path);
    let keys: Vec<_> = batch
        .column(0)
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .iter()
        .zip(batch.column(1).as_string::<i32>())
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let metadata = metadata(&path);
    let order = metadata.row_group(0).sorting_columns().unwrap();
    assert_eq!(order.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_file_says_what_it_holds() {
    let directory = TempDir::new().unwrap();
    archive_of(directory.path(), &[every_kind_full()]);
    let metadata = metadata(&directory.path().join(&files(directory.path())[0]));
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let value = |key: &str| {
        pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref()).unwrap()
    };
    assert_eq!(value("serval.table"), "every_kind");
    assert_eq!(value("serval.schema_version"), crate::rows::SCHEMA_VERSION.to_string());
    assert_eq!(value("serval.sensor"), "edge-1");
    for column in metadata.row_group(0).columns() {
        let name = column.column_path().string();
        let looked_up = ["uid", "src_ip", "dst_ip", "text", "ip", "texts.list.element"];
        let looked_up = looked_up.contains(&name.as_str());
        assert_eq!(column.bloom_filter_offset().is_some(), looked_up, "{name}");
        assert!(column.statistics().is_some(), "{name}");
    }
}

#[test]
fn a_bloom_filter_tells_what_lists_hold() {
    let directory = TempDir::new().unwrap();
    archive_of(directory.path(), &[every_kind_full()]);
    let file = File::open(directory.path().join(&files(directory.path())[0])).unwrap();
    let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let options = ReadOptionsBuilder::new().with_reader_properties(properties).build();
    let reader = SerializedFileReader::new_with_options(file, options).unwrap();
    let group = reader.get_row_group(0).unwrap();
    let columns = group.metadata().columns().iter();
    let at = columns.map(|column| column.column_path().string());
    let at = at.into_iter().position(|path| path == "texts.list.element").unwrap();
    let filter = group.get_column_bloom_filter(at).unwrap();
    for (text, expected) in [("a", true), ("", true), ("b", false), ("texts", false)] {
        assert_eq!(filter.check(text), expected, "{text:?}");
    }
}

#[test]
fn a_partition_is_written_when_its_rows_reach_the_bound() {
    let directory = TempDir::new().unwrap();
    let options = Options { partition_rows: 3, ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    for number in 0..2 {
        archive.write(&count(at(number), None, number)).unwrap();
    }
    assert_eq!(files(directory.path()).len(), 0);
    archive.write(&count(at(2), None, 2)).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
    archive.write(&count(at(3), None, 3)).unwrap();
    let summary = archive.finish().unwrap();
    assert_eq!((summary.tables["count"].rows, summary.tables["count"].files), (4, 2));
}

#[test]
fn one_partition_too_many_writes_the_least_recently_used_one() {
    let directory = TempDir::new().unwrap();
    let options = Options { partitions: 2, ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    let row = |hour: i64| count(at(hour * HOUR_NANOS), None, hour);
    for hour in [0, 1, 0] {
        archive.write(&row(hour)).unwrap();
    }
    assert_eq!(files(directory.path()).len(), 0);
    archive.write(&row(2)).unwrap();
    assert_eq!(
        files(directory.path()),
        ["count/date=2026-01-02/hour=04/edge-1-20260102T040405Z-0001.parquet"]
    );
    assert_eq!(archive.finish().unwrap().tables["count"].rows, 4);
}

#[test]
fn too_many_bytes_write_the_largest_partition() {
    let directory = TempDir::new().unwrap();
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    archive.write(&count(at(0), None, 0)).unwrap();
    let row_bytes = archive.gathered_bytes;
    archive.options.buffer_bytes = 3 * row_bytes;
    archive.write(&count(at(HOUR_NANOS), None, 1)).unwrap();
    archive.write(&count(at(HOUR_NANOS), None, 2)).unwrap();
    assert_eq!((files(directory.path()).len(), archive.gathered_bytes), (0, 3 * row_bytes));
    archive.write(&count(at(0), None, 3)).unwrap();
    assert_eq!((files(directory.path()).len(), archive.gathered_bytes), (1, 2 * row_bytes));
    assert_eq!(archive.finish().unwrap().tables["count"].rows, 4);
}

#[test]
fn rows_are_written_when_packet_time_says_that_they_waited_long_enough() {
    let directory = TempDir::new().unwrap();
    let options = Options { wait: Duration::from_secs(10), ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    archive.advance(at(0)).unwrap();
    // A flow's row is of its first packet, long before the row came.
    archive.write(&count(at(-HOUR_NANOS), None, 0)).unwrap();
    archive.advance(at(9_999_999_999)).unwrap();
    assert_eq!(files(directory.path()).len(), 0);
    archive.advance(at(10_000_000_000)).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn a_clock_that_goes_back_does_not_make_rows_wait_for_ever() {
    let directory = TempDir::new().unwrap();
    let options = Options { wait: Duration::from_secs(10), ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    archive.advance(at(1_000 * HOUR_NANOS)).unwrap();
    archive.write(&count(at(0), None, 0)).unwrap();
    archive.advance(at(0)).unwrap();
    archive.advance(at(10_000_000_000)).unwrap();
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn row_groups_are_bounded() {
    let directory = TempDir::new().unwrap();
    let rows = super::layout::ROW_GROUP_ROWS + 1;
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    let row = count(at(0), None, 7);
    for _ in 0..rows {
        archive.write(&row).unwrap();
    }
    archive.finish().unwrap();
    let metadata = metadata(&directory.path().join(&files(directory.path())[0]));
    let groups: Vec<_> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [131_072, 1]);
}

#[test]
fn a_crash_leaves_only_whole_files() {
    let directory = TempDir::new().unwrap();
    let options = Options { partition_rows: 2, ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    for number in 0..3 {
        archive.write(&count(at(number), None, number)).unwrap();
    }
    drop(archive);
    let names = files(directory.path());
    assert_eq!(names, [format!("{FOLDER}/edge-1-20260102T030405Z-0001.parquet")]);
    assert_eq!(numbers(&directory.path().join(&names[0])), [0, 1]);
}

#[test]
fn leftovers_of_this_sensor_are_removed_and_nobody_elses() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("count");
    fs::create_dir_all(&folder).unwrap();
    let names = [
        (".edge-1-20260102T030405Z-0001.parquet.inprogress", false),
        (".edge-20260102T030405Z-0001.parquet.inprogress", true),
        (".edge-1-b-20260102T030405Z-0001.parquet.inprogress", true),
        (".edge-1-20260102T030405Z-0009.parquet.inprogress", true),
        ("edge-1-20260102T030405Z-0001.parquet", true),
        ("notes.inprogress", true),
    ];
    for (name, _) in names {
        fs::write(folder.join(name), "PAR1").unwrap();
    }
    // Another process still writes this one.
    let held = File::open(folder.join(names[3].0)).unwrap();
    held.lock().unwrap();
    Archive::open(directory.path(), options()).unwrap();
    for (name, stays) in names {
        assert_eq!(folder.join(name).exists(), stays, "{name}");
    }
}

#[test]
fn a_name_that_is_taken_is_never_written_again() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join(FOLDER);
    for number in 0..3 {
        archive_of(directory.path(), &[count(at(0), None, number)]);
    }
    // A file that another process of the same name is writing takes its number as well.
    let name = ".edge-1-20260102T030405Z-0004.parquet.inprogress";
    let growing = directory.path().join("count").join(name);
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    fs::write(&growing, "").unwrap();
    archive.write(&count(at(0), None, 4)).unwrap();
    archive.finish().unwrap();
    let found: Vec<_> = [1, 2, 3, 5]
        .map(|sequence| folder.join(format!("edge-1-20260102T030405Z-{sequence:04}.parquet")))
        .iter()
        .flat_map(|path| numbers(path))
        .collect();
    assert_eq!(found, [0, 1, 2, 4]);
    assert!(growing.exists());
}

#[test]
fn a_file_that_cannot_be_written_keeps_its_rows() {
    let directory = TempDir::new().unwrap();
    let options = Options { partition_rows: 2, ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    fs::write(directory.path().join("count"), "in the way").unwrap();
    archive.write(&count(at(0), None, 0)).unwrap();
    let error = archive.write(&count(at(1), None, 1)).unwrap_err();
    assert!(matches!(error, ArchiveError::Io { .. }), "{error}");
    archive.write(&count(at(2), None, 2)).unwrap_err();
    fs::remove_file(directory.path().join("count")).unwrap();
    let summary = archive.finish().unwrap();
    assert_eq!((summary.tables["count"].rows, summary.tables["count"].files), (3, 2));
}

#[test]
fn a_directory_that_cannot_be_made_is_told_with_path_reason_and_remedy() {
    let directory = TempDir::new().unwrap();
    let in_the_way = directory.path().join("archive");
    fs::write(&in_the_way, "").unwrap();
    let error = Archive::open(&in_the_way, options()).unwrap_err().to_string();
    for part in [in_the_way.to_str().unwrap(), "cannot make", "exists", "a file is in the way"] {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
    let error = Archive::open(&in_the_way.join("below"), options()).unwrap_err().to_string();
    assert!(error.contains("a file is in the way"), "{error}");
}

/// Puts a number where its table declares text, or too few or too many values.
#[derive(Debug)]
struct Liar(usize);

impl Record for Liar {
    fn table(&self) -> &'static Table {
        &EveryKind::TABLE
    }

    fn cells(&self, row: &mut dyn Row) {
        for _ in 0..self.0 {
            row.put(Value::I64(1));
        }
    }
}

#[test]
fn a_record_that_differs_from_its_table_is_an_error_and_harms_no_other() {
    let directory = TempDir::new().unwrap();
    let mut archive = Archive::open(directory.path(), options()).unwrap();
    archive.write(&every_kind_full()).unwrap();
    for (values, column) in [(0, "text"), (1, "text"), (99, "text")] {
        let row = StampedRow { header: every_kind_full().header, record: Box::new(Liar(values)) };
        let error = archive.write(&row).unwrap_err().to_string();
        assert!(error.contains(column), "{error}");
    }
    archive.write(&every_kind_full()).unwrap();
    archive.finish().unwrap();
    let batch = read(&directory.path().join(&files(directory.path())[0]));
    assert_eq!(batch.column_by_name("word").unwrap().null_count(), 3);
    assert_eq!(batch.num_rows(), 5);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let [first, second] = [(); 2].map(|()| {
        let directory = TempDir::new().unwrap();
        let rows: Vec<_> = (0..5_000)
            .map(|number: i64| count(at(number % 17), Some(number.unsigned_abs().into()), number))
            .collect();
        archive_of(directory.path(), &rows);
        let names = files(directory.path());
        let bytes = fs::read(directory.path().join(&names[0])).unwrap();
        (names, bytes)
    });
    assert!(first == second);
}

#[test]
fn files_do_not_depend_on_which_thread_writes_them() {
    let [here, beside] = [Writing::Here, Writing::Beside].map(|writing| {
        let directory = TempDir::new().unwrap();
        let options = Options { writing, writers: 2, buffer_bytes: 20_000, ..options() };
        let mut archive = Archive::open(directory.path(), options).unwrap();
        for number in 0..5_000 {
            archive.write(&count(at(number % 3 * HOUR_NANOS), None, number)).unwrap();
        }
        let summary = archive.finish().unwrap();
        let names = files(directory.path());
        let numbers: Vec<_> =
            names.iter().map(|name| numbers(&directory.path().join(name))).collect();
        (summary, names, numbers)
    });
    assert!(here.1.len() > 3, "{:?}", here.1);
    assert_eq!(here, beside);
}

#[test]
fn hostile_text_becomes_safe_text() {
    let directory = TempDir::new().unwrap();
    let mut row = every_kind_null();
    row.header.sensor = Text::wire(b"\x1b]0;pwned\x07\0");
    row.header.uid = Some(Uid(u128::MAX));
    archive_of(directory.path(), &[row]);
    let batch = read(&directory.path().join(&files(directory.path())[0]));
    let sensor = batch.column_by_name("sensor").unwrap().as_string::<i32>();
    assert_eq!(sensor.value(0), "\\x1b]0;pwned\\x07\\x00");
}

#[test]
fn an_archive_that_endures_goes_on_and_counts_what_it_had_to_let_go() {
    let directory = TempDir::new().unwrap();
    let (on_failure, retry) = (OnFailure::Endure, Duration::ZERO);
    let options = Options { on_failure, retry, buffer_bytes: 4_096, ..options() };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    let in_the_way = directory.path().join("count");
    fs::write(&in_the_way, "a file where a folder should be").unwrap();
    for number in 0..1_000 {
        archive.write(&count(at(number), None, number)).unwrap();
    }
    assert!(archive.is_in_trouble());
    assert_eq!(archive.take_gap(), None, "it is not over");
    fs::remove_file(&in_the_way).unwrap();
    archive.advance(at(HOUR_NANOS)).unwrap();
    assert!(!archive.is_in_trouble());
    let gap = archive.take_gap().unwrap();
    assert_eq!(archive.take_gap(), None, "it is told once");
    assert_eq!(gap.span.map(|(from, _)| from), Some(at(0)));
    assert!(gap.cause.contains("count"), "{}", gap.cause);
    let written = archive.finish().unwrap().tables["count"].rows;
    assert!(gap.rows > 0 && written > 0, "{} lost, {written} written", gap.rows);
    assert_eq!(gap.rows + written, 1_000);
}

#[test]
fn a_disk_that_does_not_answer_holds_up_nobody_and_what_it_cost_is_counted() {
    let directory = TempDir::new().unwrap();
    archive_of(directory.path(), &[count(at(0), None, 0)]);
    let manifest = directory.path().join(super::manifest::FOLDER).join("edge-1.jsonl");
    let manifest = File::open(manifest).unwrap();
    let options = Options {
        writing: Writing::Beside,
        on_failure: OnFailure::Endure,
        retry: Duration::ZERO,
        buffer_bytes: 4_096,
        ..options()
    };
    let mut archive = Archive::open(directory.path(), options).unwrap();
    // Whoever writes files waits for this lock.
    manifest.lock().unwrap();
    for number in 0..1_000 {
        archive.write(&count(at(number), None, number)).unwrap();
    }
    assert!(archive.is_in_trouble());
    manifest.unlock().unwrap();
    while archive.is_in_trouble() {
        archive.advance(at(HOUR_NANOS)).unwrap();
    }
    let gap = archive.take_gap().unwrap();
    let written = archive.finish().unwrap().tables["count"].rows;
    assert!(gap.rows > 0 && written > 0, "{} lost, {written} written", gap.rows);
    assert_eq!(gap.rows + written, 1_000);
}
