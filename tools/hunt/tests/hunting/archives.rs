//! Archives for tests: one of all recorded captures, one that is empty, and small ones by hand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use hunt::archive::Archive;
use hunt::engine::{Answer, Bounds, Engine};
use hunt::error::HuntError;
use hunt::window::Window;
use tempfile::TempDir;

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("a project")
}

/// An archive of all recorded captures, made once.
pub(crate) fn demo() -> &'static str {
    static DEMO: OnceLock<TempDir> = OnceLock::new();
    let demo = DEMO.get_or_init(|| replayed(&project().join("pcaps")));
    demo.path().to_str().expect("UTF-8")
}

/// An archive of what a replay of captures gives.
pub(crate) fn replayed(captures: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(serval())
        .args(["replay", "--archive"])
        .args([folder.path(), captures])
        .output()
        .expect("serval starts");
    // Some captures are damaged on purpose, which the status tells.
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{stderr}");
    folder
}

fn serval() -> &'static Path {
    static SERVAL: OnceLock<PathBuf> = OnceLock::new();
    SERVAL.get_or_init(|| built("sensor", "serval"))
}

/// The laboratory's program.
pub(crate) fn laboratory() -> &'static Path {
    static LABORATORY: OnceLock<PathBuf> = OnceLock::new();
    LABORATORY.get_or_init(|| built("lab", "serval-lab"))
}

/// A program of another room. It is built, not linked: the hunt knows nothing of the others but the
/// files that they write.
fn built(package: &str, program: &str) -> PathBuf {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.args(["build", "--quiet", "--package", package, "--bin", program]);
    let built = build.current_dir(project()).status().expect("cargo runs");
    assert!(built.success(), "{program} can be built");
    let test = std::env::current_exe().expect("a test knows its own file");
    let target = test.ancestors().nth(3).expect("target/PROFILE/deps/test");
    target.join("debug").join(program)
}

/// An engine over an archive and all of its time.
pub(crate) async fn engine(path: &str) -> Engine {
    engine_in(path, Window::ALL).await
}

/// An engine over an archive and a window of time.
pub(crate) async fn engine_in(path: &str, window: Window) -> Engine {
    let archive = Archive::open(path).expect("an archive");
    let bounds = Bounds { threads: 2, ..Bounds::default() };
    Engine::open(&archive, window, &bounds).await.expect("an engine")
}

/// All rows of an answer.
pub(crate) async fn batches(engine: &Engine, sql: &str) -> Result<Vec<RecordBatch>, HuntError> {
    let answer: Answer = engine.query(sql).await?;
    hunt::ask::collect(engine, answer).await
}

/// The rows of a query's answer as JSON.
pub(crate) async fn rows(engine: &Engine, sql: &str) -> Vec<serde_json::Value> {
    let answer = engine.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows_of(engine, answer).await
}

/// The rows of an answer as JSON.
pub(crate) async fn rows_of(engine: &Engine, answer: Answer) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answer.json");
    let target = hunt::output::Target { path: Some(path.clone()), format: None };
    let telling = hunt::ask::Telling::OnTerminal;
    hunt::ask::write(engine, answer, &target, telling).await.expect("an answer");
    let text = std::fs::read_to_string(path).expect("an answer");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Writes a file of a table with `ts` and some columns of text; the rest of the contract's columns
/// are not in it, as in a file that an older sensor wrote.
pub(crate) fn write_file(archive: &Path, place: &str, micros: &[i64], columns: &[(&str, &[&str])]) {
    let ts = TimestampMicrosecondArray::from(micros.to_vec()).with_timezone("UTC");
    let mut arrays: Vec<(&str, ArrayRef)> = vec![("ts", Arc::new(ts))];
    for (name, values) in columns {
        arrays.push((name, Arc::new(StringArray::from(values.to_vec()))));
    }
    let batch = RecordBatch::try_from_iter(arrays).expect("columns of one length");
    let path = archive.join(place);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let file = std::fs::File::create(path).expect("a file");
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a file");
}
