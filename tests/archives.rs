//! The archive as its operator has it: verified, compacted, pruned, and killed in the middle.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use tempfile::TempDir;

use crate::captures;
use crate::cli::serval;

/// Runs of which each is killed a little later than the one before.
const KILLS: u32 = 8;

fn run(args: &[&str], archive: &Path) -> Output {
    Command::new(serval()).args(args).arg(archive).output().expect("serval starts")
}

/// Asserts how a command ended, and what it said on either stream.
fn ends(args: &[&str], archive: &Path, code: i32, words: &[&str]) {
    let output = run(args, archive);
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let said = said.concat();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in what {args:?} said:\n{said}");
    }
}

/// A replay that writes to `archive`, with so little memory that it writes many files.
fn replay(archive: &Path, captures: &str) -> Command {
    let config = archive.with_extension("toml");
    std::fs::write(&config, "[memory]\nbudget = \"2MiB\"\n").expect("a file");
    let mut command = Command::new(serval());
    command.arg("replay").arg("--archive").arg(archive).arg("--config").arg(config);
    command.arg(captures::file(captures)).stderr(Stdio::null());
    command
}

fn filled() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("archive");
    for captures in ["dns", "tls", "dns"] {
        assert!(replay(&archive, captures).status().expect("serval starts").success());
    }
    (folder, archive)
}

/// Rows of all files.
fn rows(archive: &Path) -> i64 {
    let files = captures::files_below(archive).into_iter();
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    let is_hidden = |path: &Path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let files = files.filter(|path| !is_hidden(path));
    files
        .map(|path| {
            let reader =
                SerializedFileReader::new(File::open(path).expect("a file")).expect("Parquet");
            reader.metadata().file_metadata().num_rows()
        })
        .sum()
}

/// Starts a command and kills it that many milliseconds later, if it still runs.
fn kill(mut command: Command, after: u32) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("serval");
    sleep(Duration::from_millis(after.into()));
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn an_operator_verifies_compacts_and_prunes() {
    let (_folder, archive) = filled();
    let before = rows(&archive);
    ends(
        &["archive", "verify"],
        &archive,
        0,
        &["each is what the manifest says", "head of serval"],
    );
    ends(&["archive", "compact"], &archive, 0, &["files (", "rows"]);
    assert_eq!(rows(&archive), before);
    ends(&["archive", "compact"], &archive, 0, &["0 files"]);
    ends(&["archive", "verify"], &archive, 0, &[]);
    ends(&["archive", "prune", "--bytes", "0", "--dry-run"], &archive, 0, &["would be removed"]);
    ends(&["archive", "prune"], &archive, 1, &["no limit is set"]);
    assert_eq!(rows(&archive), before);
    ends(&["archive", "prune", "--age", "1h"], &archive, 0, &["were removed"]);
    assert_eq!(rows(&archive), 0);
    ends(&["archive", "verify"], &archive, 0, &["0 files"]);
}

#[test]
fn a_flipped_byte_is_named_wherever_it_is() {
    let (_folder, archive) = filled();
    let files = captures::files_below(&archive);
    let data = files.iter().find(|path| path.to_string_lossy().contains("/tls/")).expect("rows");
    let manifest = archive.join("_manifest/serval.jsonl");
    for (path, word) in [(data, "changed"), (&manifest, "_manifest/serval.jsonl: line ")] {
        let whole = std::fs::read(path).expect("a file");
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(path, bytes).expect("a file that can be written");
        let name = path.strip_prefix(&archive).expect("below").to_string_lossy().into_owned();
        ends(&["archive", "verify"], &archive, 2, &[word, &name]);
        std::fs::write(path, whole).expect("a file that can be written");
    }
    ends(&["archive", "verify"], &archive, 0, &[]);
    let head = "ab".repeat(32);
    ends(&["archive", "verify", "--head", &head], &archive, 2, &["no manifest passes"]);
    ends(&["archive", "verify", "--head", "ab"], &archive, 1, &["is no head"]);
}

#[test]
fn a_replay_that_is_killed_leaves_what_verifies_after_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("archive");
    for round in 1..=KILLS {
        kill(replay(&archive, ""), round * 60);
        if archive.join("_manifest").exists() {
            // What was whole and entered has no name yet; nothing has a name and no entry.
            let output = run(&["archive", "verify"], &archive);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let is_other = |line: &str| !line.starts_with("missing");
            assert!(!said.lines().any(is_other), "round {round}: {said}");
        }
        assert!(replay(&archive, "flow/ping.pcap").status().expect("serval starts").success());
        ends(&["archive", "verify"], &archive, 0, &["each is what the manifest says"]);
    }
    assert!(rows(&archive) > 0);
}

#[test]
fn a_compaction_that_is_killed_loses_no_row_and_doubles_none() {
    for round in 1..=KILLS {
        let (_folder, archive) = filled();
        let before = rows(&archive);
        let mut compact = Command::new(serval());
        compact.args(["archive", "compact"]).arg(&archive);
        kill(compact, round * 12);
        assert_eq!(rows(&archive), before, "round {round}: as a reader sees it at once");
        ends(&["archive", "compact"], &archive, 0, &[]);
        assert_eq!(rows(&archive), before, "round {round}");
        ends(&["archive", "verify"], &archive, 0, &[]);
    }
}
