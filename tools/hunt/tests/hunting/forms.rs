//! Forms of an answer: hostile text is inert in each, and programs read back what was meant.

use hunt::ask::{Telling, write};
use hunt::engine::Engine;
use hunt::output::{Format, Target};

use crate::archives::{engine, write_file};

/// 2026-03-01T00:30:00Z.
const HALF_PAST: i64 = 1_772_325_000_000_000;

const HOSTILE: &str = "=cmd|'/c calc'!A0\u{1b}]0;pwned\u{7}\u{202e}\"<script>,x";

async fn answer(engine: &Engine, sql: &str, format: Format) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answer");
    let target = Target { format: Some(format), path: Some(path.clone()) };
    let answer = engine.query(sql).await.expect("a query");
    write(engine, answer, &target, Telling::OnTerminal).await.expect("an answer");
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "drafts are gone");
    std::fs::read(path).expect("an answer")
}

async fn hostile() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = "http/date=2026-03-01/hour=00/a.parquet";
    let columns: &[(&str, &[&str])] = &[("user_agent", &[HOSTILE]), ("host", &["h"])];
    write_file(folder.path(), place, &[HALF_PAST], columns);
    let engine = engine(folder.path().to_str().expect("UTF-8")).await;
    (folder, engine)
}

#[tokio::test]
async fn hostile_text_is_inert() {
    let (_folder, engine) = hostile().await;
    let sql = "SELECT user_agent, host, status FROM http";
    for format in [Format::Table, Format::Json, Format::Csv] {
        let text = String::from_utf8(answer(&engine, sql, format).await).expect("UTF-8");
        assert!(!text.chars().any(|c| c != '\n' && c != '\r' && c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    let json = answer(&engine, sql, Format::Json).await;
    let row: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(row, serde_json::json!({"user_agent": HOSTILE, "host": "h"}));
    let csv = String::from_utf8(answer(&engine, sql, Format::Csv).await).expect("UTF-8");
    let line = csv.lines().nth(1).expect("a row");
    assert!(line.starts_with("\"'=cmd"), "{line}");
}

#[tokio::test]
async fn parquet_is_read_back_with_plain_types() {
    let (_folder, engine) = hostile().await;
    let sql = "SELECT ts, user_agent, count(*) AS n FROM http GROUP BY ts, user_agent";
    let bytes = answer(&engine, sql, Format::Parquet).await;
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
        bytes::Bytes::from(bytes),
    )
    .expect("a Parquet file");
    let types: Vec<String> =
        reader.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, ["Timestamp(µs, \"UTC\")", "Utf8", "Int64"]);
    let rows: usize =
        reader.build().expect("rows").map(|batch| batch.expect("rows").num_rows()).sum();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn an_empty_answer_still_has_its_columns() {
    let (_folder, engine) = hostile().await;
    let sql = "SELECT ts, host FROM http WHERE host = 'other'";
    for (format, expected) in
        [(Format::Table, "ts  host\n──  ────\n"), (Format::Json, ""), (Format::Csv, "ts,host\r\n")]
    {
        let text = String::from_utf8(answer(&engine, sql, format).await).expect("UTF-8");
        assert_eq!(text, expected, "{format:?}");
    }
}

#[tokio::test]
async fn a_table_lines_up() {
    let (_folder, engine) = hostile().await;
    let sql = "SELECT host, 12345 AS number, NULL AS nothing, true AS truth FROM http";
    let text = String::from_utf8(answer(&engine, sql, Format::Table).await).expect("UTF-8");
    let expected = "host  number  nothing  truth\n────  ──────  ───────  ─────\n\
                    h      12345  ·        true\n";
    assert_eq!(text, expected);
}
