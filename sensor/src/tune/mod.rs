//! `serval tune`: what one line of configuration would silence, before anyone writes it.
//!
//! In: alerts of the past, from an archive or from files of JSON lines, and the configuration. Out:
//! how the alerts group; the entries of an allow-list and the thresholds that would silence most of
//! them, ready to paste, each with the worst that it would silence. Or, for a configuration that
//! somebody thinks of: which alerts it silences, and which stay. Nothing is written.
//!
//! The allow-list, the thresholds and the least confidence are those of the running sensor: alerts
//! are asked about as findings are.

mod candidate;
mod cost;
mod entry;
mod groups;
mod json;
mod knob;
mod past;
mod setting;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod when;

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::alerts::raised;
use crate::cli::TuneArgs;
use candidate::{Assignment, Tried};
use past::Past;
use setting::{Fate, Setting};

/// Exit status when some rows could not be read.
const SOME_UNREAD: u8 = 2;

/// Rows that cannot be read and are told one by one; more are counted.
const UNREAD_TOLD: usize = 20;

/// Why nothing can be said.
pub type TuneError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command.
///
/// # Errors
/// Alerts cannot be read at all, the configuration or a candidate is not valid, or the answer
/// cannot be written.
pub fn run(args: &TuneArgs) -> Result<ExitCode, TuneError> {
    let written = candidate::written(args.config.as_deref())?;
    let setting = Setting::new(candidate::config(&written, &[])?, &[])?;
    let (pasts, unread) = read(args)?;
    let view = View::of(&pasts, &setting);
    let answer = if args.is_trial() {
        let (candidate, name) = tried(args, &written)?;
        let trial = trial::Trial::of(&view, &setting, &candidate, name);
        if args.json { json::trial(&trial)? } else { text::trial(&trial, args.top) }
    } else {
        let zone = setting::zone(&setting.config);
        let most = usize::try_from(args.top).unwrap_or(usize::MAX);
        let proposals = Proposals {
            entries: entry::entries(&view.told, &zone, most),
            knobs: knob::knobs(&view.told, &setting, &written, most),
        };
        let groups = groups::Groups::of(&view.told, &zone);
        if args.json {
            json::proposals(&view, &groups, &proposals)?
        } else {
            text::proposals(&view, &groups, &proposals)
        }
    };
    print(&answer)?;
    Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_UNREAD) })
}

/// What would silence much.
struct Proposals<'a> {
    entries: Vec<entry::Entry<'a>>,
    knobs: Vec<knob::Knob<'a>>,
}

/// The alerts as the configuration has them now.
struct View<'a> {
    /// Those that are told, in the order of time.
    told: Vec<&'a Past>,
    /// How many are silent already.
    silent: usize,
}

impl<'a> View<'a> {
    fn of(pasts: &'a [Past], setting: &Setting) -> Self {
        let is_told = |past: &&Past| {
            let was_silenced = past.last().text("suppressed_by").is_some();
            !was_silenced && !matches!(setting.fate(past, None), Fate::Silent(_))
        };
        let told: Vec<&Past> = pasts.iter().filter(is_told).collect();
        Self { silent: pasts.len() - told.len(), told }
    }
}

/// Reads the alerts; how many places could not be read.
fn read(args: &TuneArgs) -> Result<(Vec<Past>, usize), TuneError> {
    let mut unread = 0;
    let mut tell = |place: String| {
        unread += 1;
        if unread <= UNREAD_TOLD {
            say(&format!("serval: {place}\n"));
        }
    };
    let mut rows = Vec::new();
    for path in &args.alerts {
        raised::read_lines(path, &mut rows, &mut tell)?;
    }
    if let Some(archive) = &args.archive {
        raised::read_archive(archive, &mut rows, &mut tell)?;
    }
    if unread > UNREAD_TOLD {
        say(&format!("serval: {} more places are not shown\n", unread - UNREAD_TOLD));
    }
    Ok((past::pasts(rows), unread))
}

/// The candidate that was typed, and what it is called.
fn tried(args: &TuneArgs, written: &toml::Table) -> Result<(Setting, String), TuneError> {
    let mut written = written.clone();
    let mut texts = Vec::new();
    let mut names = Vec::new();
    for file in &args.candidate {
        match candidate::tried(file)? {
            Tried::Config(table) => written = table,
            Tried::Allow(name, text) => texts.push((name, text)),
        }
        names.push(file.display().to_string());
    }
    for (typed, number) in args.allow.iter().zip(1..) {
        texts.push(candidate::entry(typed, number)?);
        names.push(format!("--allow {typed}"));
    }
    let assignments: Result<Vec<Assignment>, _> =
        args.set.iter().map(|text| Assignment::parse(text)).collect();
    names.extend(args.set.iter().map(|text| format!("--set {text}")));
    let config = candidate::config(&written, &assignments?)?;
    Ok((Setting::new(config, &texts)?, names.join(", ")))
}

fn print(text: &str) -> Result<(), TuneError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
