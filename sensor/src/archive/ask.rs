//! `serval archive`: what an operator asks of an archive or has done to it.
//!
//! In: what was typed. Out: findings on standard output, an account on standard error, an exit
//! status that a script can go by.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;

use super::{Limits, PrunedHour, Pruning, adopt, compact, prune, verify};
use crate::cli::{ArchiveCommand, PruneArgs};
use crate::clock;
use crate::config::{Config, RetentionConfig};
use crate::tables;

/// Why an answer could not be given.
pub type AskError = Box<dyn std::error::Error + Send + Sync>;

/// Exit status when something is not as it should be.
const NOT_WELL: u8 = 2;

/// Runs the command.
///
/// # Errors
/// The archive cannot be read or changed; the text says what to do.
pub fn run(command: &ArchiveCommand) -> Result<ExitCode, AskError> {
    match command {
        ArchiveCommand::Verify { directory, heads } => verified(directory, heads),
        ArchiveCommand::Adopt { directory } => adopted(directory),
        ArchiveCommand::Compact { directory } => compacted(directory),
        ArchiveCommand::Prune(args) => pruned(args),
    }
}

fn verified(directory: &Path, heads: &[String]) -> Result<ExitCode, AskError> {
    let heads: Vec<[u8; 32]> = heads.iter().map(|head| hash(head)).collect::<Result<_, _>>()?;
    let threads = available_parallelism().map_or(1, Into::into);
    let verdict = verify(directory, &heads, threads)?;
    let mut text = String::new();
    for fault in &verdict.faults {
        text.push_str(&format!("{fault}\n"));
    }
    print(&text)?;
    for (sensor, (entries, head)) in &verdict.heads {
        say(&format!("serval: head of {sensor}, {entries} entries: {head}\n"));
    }
    let (files, size) = (verdict.files, bytes(verdict.bytes));
    if verdict.faults.is_empty() {
        say(&format!("serval: {files} files, {size}: each is what the manifest says\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let faults = verdict.faults.len();
    say(&format!("serval: {files} files, {size}: {faults} things are not as the manifest says\n"));
    Ok(ExitCode::from(NOT_WELL))
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        format!("{text:?} is no head; give the 64 digits that `serval archive verify` printed")
    })
}

fn adopted(directory: &Path) -> Result<ExitCode, AskError> {
    let mut names = String::new();
    let entered = adopt(directory, &mut |name| {
        names.push_str(&format!("{}\n", name.escape_debug()));
    })?;
    print(&names)?;
    say(&format!(
        "serval: {entered} files were entered as they are now; that they were not changed before, \
         nobody can say\n"
    ));
    Ok(ExitCode::SUCCESS)
}

fn compacted(directory: &Path) -> Result<ExitCode, AskError> {
    let done = compact(directory, &tables::all(), clock::now())?;
    for (name, why) in &done.left {
        say(&format!("serval: {} was left alone: {why}\n", name.escape_debug()));
    }
    if done.recovered > 0 {
        say(&format!(
            "serval: {} merges that were interrupted are finished or undone\n",
            done.recovered
        ));
    }
    say(&format!(
        "serval: {} files ({}) became {} ({}), with {} rows\n",
        done.merged,
        bytes(done.merged_bytes),
        done.written,
        bytes(done.written_bytes),
        done.rows
    ));
    let is_well = done.left.is_empty();
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(NOT_WELL) })
}

fn pruned(args: &PruneArgs) -> Result<ExitCode, AskError> {
    let config = Config::load(args.config.as_deref())?;
    let directory: PathBuf = args.directory.clone().or(config.archive.path).ok_or(
        "no archive is named; give its directory, or a configuration (--config) that names one",
    )?;
    let configured = config.archive.retention;
    let limits = Limits::from(RetentionConfig {
        age: args.age.or(configured.age),
        bytes: args.bytes.or(configured.bytes),
        free: args.free.or(configured.free),
    });
    if limits.is_none() {
        return Err("no limit is set; give --age, --bytes or --free, or set `retention` below \
                    `[archive]` in a configuration (--config)"
            .into());
    }
    let pruning = if args.dry_run { Pruning::Rehearsed } else { Pruning::Done };
    let (mut hours, mut files, mut size) = (0_u64, 0_u64, 0_u64);
    let mut lines = String::new();
    let outcome = prune(&directory, &limits, clock::now(), pruning, &mut |hour| {
        lines.push_str(&line(&hour));
        hours += 1;
        files += hour.files;
        size += hour.bytes;
    });
    print(&lines)?;
    outcome?;
    let verb = if args.dry_run { "would be removed" } else { "were removed" };
    say(&format!("serval: {files} files of {hours} hours, {}, {verb}\n", bytes(size)));
    Ok(ExitCode::SUCCESS)
}

fn line(hour: &PrunedHour) -> String {
    let start = jiff::Timestamp::from_microsecond(hour.start.micros()).unwrap_or_default();
    let start = start.strftime("%Y-%m-%d %H:00 UTC");
    format!("{start}  {:5}  {} files  {}\n", hour.why, hour.files, bytes(hour.bytes))
}

/// A size for people.
fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Findings go to standard output; a reader that has seen enough is no failure.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
