//! `serval baseline`: shows, resets, exports, imports and learns what is usual.
//!
//! In: a verb, and the file of baselines. Out: text on standard output, or another file.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use analyzers::logins::Memory;
use serde_json::Value;

use super::{Baselines, learn};
use crate::cli::{BaselineArgs, BaselineCommand};
use crate::config::Config;

type AskError = Box<dyn std::error::Error + Send + Sync>;

/// Answers.
///
/// # Errors
/// A file cannot be read, written or understood.
pub fn run(args: &BaselineArgs) -> Result<ExitCode, AskError> {
    let config = Config::load(args.config.as_deref())?;
    let path = args.state.clone().unwrap_or_else(|| config.baseline());
    match &args.command {
        BaselineCommand::Show { who } => print(&show(&Baselines::load(&path)?, who.as_deref())?)?,
        BaselineCommand::Export => print(&Baselines::load(&path)?.text())?,
        BaselineCommand::Reset { who, detector } => {
            let (baselines, forgotten) =
                reset(Baselines::load(&path)?, who.as_deref(), detector.as_deref())?;
            baselines.save(&path)?;
            say(&format!("{forgotten} habit(s) forgotten in {}", path.display()));
        }
        BaselineCommand::Import { file } => {
            let (baselines, count) = import(Baselines::load(&path)?, &read(file)?)?;
            baselines.save(&path)?;
            say(&format!("{count} habit(s) joined into {}", path.display()));
        }
        BaselineCommand::Learn { archive } => {
            let learned = learn::learn(archive, &config)?;
            learned.baselines.save(&path)?;
            say(&format!(
                "{} login(s) of {} row(s) learned into {}",
                learned.logins,
                learned.rows,
                path.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Baselines that must be there.
fn read(path: &Path) -> Result<Baselines, AskError> {
    if !path.is_file() {
        return Err(format!("there is no file {}", path.display()).into());
    }
    Ok(Baselines::load(path)?)
}

/// The habits of every detector, one to a line, with the hours of each.
fn show(baselines: &Baselines, who: Option<&str>) -> Result<String, AskError> {
    let mut text = String::new();
    for (detector, value) in &baselines.0 {
        let memory = memory(detector, value)?;
        for kept in memory.habits.iter().filter(|kept| who.is_none_or(|who| kept.who == who)) {
            let habit = &kept.habit;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{detector}  {}  {}: {} logins from {} to {}",
                kept.service,
                analyzers::text::escape(kept.who.as_bytes()),
                habit.logins(),
                day(habit.first()),
                day(habit.last())
            );
            let _ = writeln!(text, "    workdays   {}", hours(habit.workdays()));
            let _ = writeln!(text, "    rest days  {}", hours(habit.rest_days()));
            let targets: Vec<String> = habit.targets().map(|target| target.to_string()).collect();
            let _ = writeln!(text, "    targets    {}", targets.join(" "));
        }
    }
    if text.is_empty() {
        text.push_str("nothing is learned yet\n");
    }
    Ok(text)
}

/// The hours at which there are logins, with the faded count of each.
fn hours(counts: &[f32; 24]) -> String {
    let hours = counts.iter().enumerate().filter(|(_, count)| **count >= 0.05);
    let shown: Vec<String> = hours.map(|(hour, count)| format!("{hour:02}h:{count:.1}")).collect();
    if shown.is_empty() { "-".to_owned() } else { shown.join(" ") }
}

/// The day of a second.
fn day(secs: i64) -> String {
    jiff::Timestamp::from_second(secs)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Forgets the habits of one, or of all; how many.
fn reset(
    mut baselines: Baselines,
    who: Option<&str>,
    detector: Option<&str>,
) -> Result<(Baselines, usize), AskError> {
    let mut forgotten = 0;
    for (name, value) in &mut baselines.0 {
        if detector.is_some_and(|detector| detector != name) {
            continue;
        }
        let mut memory = memory(name, value)?;
        let before = memory.habits.len();
        memory.habits.retain(|kept| who.is_some_and(|who| kept.who != who));
        forgotten += before - memory.habits.len();
        *value = serde_json::to_value(memory)?;
    }
    Ok((baselines, forgotten))
}

/// Joins the habits of other baselines with these; how many.
fn import(mut baselines: Baselines, other: &Baselines) -> Result<(Baselines, usize), AskError> {
    let mut joined = 0;
    for (detector, value) in &other.0 {
        let theirs = memory(detector, value)?;
        joined += theirs.habits.len();
        let merged = match baselines.0.get(detector) {
            Some(ours) => {
                let mut ours = memory(detector, ours)?;
                ours.join(theirs);
                ours
            }
            None => theirs,
        };
        baselines.0.insert(detector.clone(), serde_json::to_value(merged)?);
    }
    Ok((baselines, joined))
}

fn memory(detector: &str, value: &Value) -> Result<Memory, AskError> {
    Memory::read(value).map_err(|error| format!("{detector}: {error}").into())
}

fn print(text: &str) -> Result<(), AskError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Baselines with a habit for each name.
    fn baselines(names: &[&str]) -> Baselines {
        let habit = |who: &&str| {
            serde_json::json!({"service": "rdp", "who": who, "habit": {
                "first": 0, "last": 86_400, "logins": 3, "workday": vec![0.0; 24],
                "restday": vec![0.5; 24], "hours": 2.0, "hour": 24,
                "targets": [["10.0.0.9", 86_400]]}})
        };
        let habits: Vec<Value> = names.iter().map(habit).collect();
        let memory = serde_json::json!({"version": 1, "habits": habits});
        Baselines([("rdp_off_hours".to_owned(), memory)].into())
    }

    #[test]
    fn habits_are_shown_forgotten_and_joined() {
        let both = baselines(&["wang", "zhang"]);
        let shown = show(&both, Some("wang")).unwrap();
        assert!(
            shown.starts_with("rdp_off_hours  rdp  wang: 3 logins from 1970-01-01 to 1970-01-02\n")
        );
        assert!(shown.contains("rest days  00h:0.5 01h:0.5") && shown.contains("10.0.0.9"));
        let (left, forgotten) = reset(both.clone(), Some("wang"), None).unwrap();
        assert_eq!((left, forgotten), (baselines(&["zhang"]), 1));
        assert_eq!(reset(both.clone(), None, None).unwrap().1, 2);
        assert_eq!(reset(both.clone(), None, Some("login_baseline")).unwrap().1, 0);
        let (joined, count) = import(baselines(&["zhang"]), &both).unwrap();
        assert_eq!(count, 2);
        assert!(show(&joined, Some("zhang")).unwrap().contains("6 logins"));
        assert!(show(&joined, Some("wang")).unwrap().contains("3 logins"));
        let broken = Baselines([("x".to_owned(), Value::Null)].into());
        assert!(show(&broken, None).unwrap_err().to_string().contains("of version 1"));
    }
}
