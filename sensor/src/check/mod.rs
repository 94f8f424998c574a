//! `serval check`: whether a sensor could start with a configuration, before it has to.
//!
//! In: a configuration file, and what it names: feeds, databases, certificates. Out: each problem
//! with file, line and remedy; what was found good. Nothing is changed, nothing is sent, nothing is
//! fetched. A section of the configuration adds one function to [`CHECKS`].

mod print;
mod sample;
mod sections;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::cli::CheckArgs;
use crate::config::Config;
use source::Source;

/// Problems of one section that are printed one by one; more are counted.
const PROBLEMS_PRINTED: usize = 100;

/// What looks at one section.
pub struct Check {
    /// The section.
    pub section: &'static str,
    /// Looks, and notes what it finds.
    pub run: fn(&Checked<'_>, &mut Findings),
}

/// All of them, in the order in which they are told.
pub const CHECKS: &[Check] = &[
    Check { section: "sensor", run: sections::sensor },
    Check { section: "schedule", run: sections::schedule },
    Check { section: "watch", run: sections::watch },
    Check { section: "archive", run: sections::archive },
    Check { section: "intel", run: sections::intel },
    Check { section: "geoip", run: sections::geoip },
    Check { section: "alerts", run: sections::alerts },
];

/// What is looked at.
pub struct Checked<'a> {
    /// What the sensor would use.
    pub config: &'a Config,
    /// Where it is written.
    pub source: &'a Source,
}

/// Why a check could not be done.
pub type CheckError = Box<dyn std::error::Error + Send + Sync>;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// File, and line where there is one.
    pub place: String,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    problems: Vec<Problem>,
    good: Vec<String>,
}

impl Findings {
    /// Something is wrong; the sentence says what to do.
    pub fn wrong(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { place: place.into(), what: what.into() });
    }

    /// Something is as it should be.
    pub fn good(&mut self, what: impl Into<String>) {
        self.good.push(what.into());
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration cannot be read or is not valid, or the answer cannot be written.
pub fn check(args: &CheckArgs) -> Result<ExitCode, CheckError> {
    if args.sample {
        print_out(&sample::sample())?;
        return Ok(ExitCode::SUCCESS);
    }
    #[cfg(target_os = "linux")]
    if args.privileges {
        return crate::live::trial::privileges(args);
    }
    let config = Config::load(args.config.as_deref())?;
    let source = Source::read(args.config.as_deref())?;
    let checked = Checked { config: &config, source: &source };
    let mut wrong = 0;
    let mut report = String::new();
    for check in CHECKS {
        let mut findings = Findings::default();
        (check.run)(&checked, &mut findings);
        for good in &findings.good {
            report.push_str(&format!("{}: {good}\n", check.section));
        }
        tell(check.section, &findings.problems);
        wrong += findings.problems.len();
    }
    if args.print {
        print_out(&print::effective(&config, &source)?)?;
    } else {
        print_out(&report)?;
    }
    let name = args.config.as_deref().unwrap_or(Path::new("the default configuration")).display();
    if wrong == 0 {
        say(&format!("serval: {name}: nothing is wrong\n"));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("serval: {name}: {wrong} problems\n"));
    Ok(ExitCode::FAILURE)
}

fn tell(section: &str, problems: &[Problem]) {
    for problem in problems.iter().take(PROBLEMS_PRINTED) {
        say(&format!("serval: {problem}\n"));
    }
    if let Some(more) = problems.len().checked_sub(PROBLEMS_PRINTED).filter(|&more| more > 0) {
        say(&format!("serval: {section}: {more} more problems are not shown\n"));
    }
}

fn print_out(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
