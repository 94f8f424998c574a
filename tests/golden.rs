//! Golden cases: captures, and the rows that were read with care and agreed on.
//!
//! A case is a folder under `golden/` with `case.toml` (what it shows, the captures, perhaps a
//! configuration) and `records.jsonl` (every row but `stats`, in order, each capture replayed on
//! its own). `UPDATE_GOLDEN=1` writes the rows anew; the difference is then what a reviewer reads.

use std::path::{Path, PathBuf};

use sensor::config::Config;
use serde::Deserialize;

use crate::captures;
use crate::replays;

/// Lines of a difference that a failure shows of each side.
const SHOWN_LINES: usize = 6;

/// `case.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What the case is there for, in a sentence.
    pub(crate) shows: String,
    /// Paths under `pcaps/`.
    pub(crate) captures: Vec<String>,
    /// The configuration, as in its own file; everything has a default.
    #[serde(default)]
    pub(crate) config: Config,
}

/// All cases with their folders, by name.
pub(crate) fn cases() -> Vec<(PathBuf, Case)> {
    let golden = captures::project().join("tests/golden");
    let files = captures::files_below(&golden);
    let cases = files.iter().filter(|file| file.ends_with("case.toml"));
    cases
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("a case that can be read");
            let case = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            (file.parent().expect("a folder").to_owned(), case)
        })
        .collect()
}

/// The rows of a case as they are today, capture by capture.
fn rows(case: &Case) -> Vec<String> {
    let replay = |path: &String| replays::files(&[captures::file(path)], &case.config, 1).lines;
    case.captures.iter().flat_map(replay).collect()
}

#[test]
fn every_case_gives_the_rows_that_were_agreed_on() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    for (folder, case) in cases() {
        let file = folder.join("records.jsonl");
        let rows = rows(&case);
        if update {
            let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
            std::fs::write(&file, text).expect("a golden file that can be written");
            continue;
        }
        let agreed = std::fs::read_to_string(&file).unwrap_or_default();
        let agreed: Vec<&str> = agreed.lines().collect();
        if agreed != rows {
            failures.push(difference(&file, &agreed, &rows));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n\nWhere the new rows are right, write them with UPDATE_GOLDEN=1 and read the diff.",
        failures.join("\n\n")
    );
}

#[test]
fn every_case_says_what_it_shows_and_gives_rows() {
    let cases = cases();
    assert!(!cases.is_empty());
    for (folder, case) in cases {
        assert!(case.shows.ends_with('.'), "{}: `shows` is a sentence", folder.display());
        assert!(!rows(&case).is_empty(), "{}: no rows", folder.display());
    }
}

/// The first lines that differ, agreed on and new.
fn difference(file: &Path, agreed: &[&str], rows: &[String]) -> String {
    let same = agreed.iter().zip(rows).take_while(|(old, new)| *old == new).count();
    let behind = agreed.iter().rev().zip(rows.iter().rev());
    let most = agreed.len().min(rows.len()) - same;
    let same_behind = behind.take(most).take_while(|(old, new)| *old == new).count();
    let mut text = format!(
        "{}: from line {} on ({} rows were agreed on, {} came):",
        file.display(),
        same + 1,
        agreed.len(),
        rows.len()
    );
    for line in agreed[same..agreed.len() - same_behind].iter().take(SHOWN_LINES) {
        text += &format!("\n- {line}");
    }
    for line in rows[same..rows.len() - same_behind].iter().take(SHOWN_LINES) {
        text += &format!("\n+ {line}");
    }
    text
}

#[test]
fn a_difference_shows_only_the_lines_that_differ() {
    let rows: Vec<_> = ["a", "x", "y", "c"].map(str::to_owned).into();
    let text = difference(Path::new("f"), &["a", "b", "c"], &rows);
    assert_eq!(text, "f: from line 2 on (3 rows were agreed on, 4 came):\n- b\n+ x\n+ y");
}
