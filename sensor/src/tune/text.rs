//! The answers for people.
//!
//! In: groups and proposals, or a trial. Out: text. What alerts say is an attacker's text and is
//! escaped.

use std::fmt::Write as _;

use super::cost::{Cost, Loss};
use super::groups::Groups;
use super::past::Past;
use super::setting::Reason;
use super::trial::Trial;
use super::{Proposals, View};

/// Members of a group that are shown.
const SHOWN: usize = 5;

/// Grave alerts and incidents that are named with a proposal.
const NAMED: usize = 3;

/// Bars of the hours, from none to the most.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Groups and proposals.
pub(super) fn proposals(view: &View<'_>, groups: &Groups, proposals: &Proposals<'_>) -> String {
    let all = view.told.len();
    let mut out = format!("{all} alerts are told, {} are silent already\n", view.silent);
    write_groups(&mut out, groups);
    let mut pasted = String::new();
    let mut number = 0;
    if !proposals.entries.is_empty() {
        out.push_str("\nEntries of an allow-list, by what each would silence\n");
    }
    for entry in &proposals.entries {
        number += 1;
        write_proposal(&mut out, number, &entry.words, &entry.cost, all);
        let _ = write!(pasted, "\n# {number}\n{}", entry.text);
    }
    if !proposals.knobs.is_empty() {
        out.push_str("\nThresholds, by what each would silence\n");
    }
    let mut settings = String::new();
    for knob in &proposals.knobs {
        number += 1;
        let words = format!("{} (now {})", knob.assignments.join(", "), knob.now);
        write_proposal(&mut out, number, &words, &knob.cost, all);
        if knob.unclear > 0 {
            let _ =
                writeln!(out, "      {} more may be silent: evidence does not say", knob.unclear);
        }
        let _ = write!(settings, "\n# {number}\n{}", knob.text);
    }
    if number == 0 {
        out.push_str(
            "\nNothing to propose: no two alerts have an entry or a threshold in common.\n",
        );
        return out;
    }
    for (what, text) in [("a file of `intel.allow`", pasted), ("the configuration", settings)] {
        if !text.is_empty() {
            let _ = write!(out, "\n# ---- for {what}; take what you want ----\n{text}");
        }
    }
    out
}

fn write_groups(out: &mut String, groups: &Groups) {
    for (name, counts) in &groups.by {
        let shown: Vec<String> = counts
            .iter()
            .take(SHOWN)
            .map(|(value, count)| format!("{} {count}", escaped(value)))
            .collect();
        let more = counts.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        let _ = writeln!(out, "  by {name:<9} {}{more}", shown.join(", "));
    }
    let most = groups.hours.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &usize| BARS[(count * (BARS.len() - 1)).div_ceil(most)];
    let bars: String = groups.hours.iter().map(bar).collect();
    let _ = writeln!(out, "  by hour      0h|{bars}|24h");
}

fn write_proposal(out: &mut String, number: usize, words: &str, cost: &Cost<'_>, all: usize) {
    let count = cost.silenced.len();
    let percent = count * 100 / all.max(1);
    let _ = writeln!(out, "{number:>3}  silences {count} of {all} ({percent} %): {words}");
    write_cost(out, cost);
}

/// The worst that would be silent, and loud words about what is grave.
fn write_cost(out: &mut String, cost: &Cost<'_>) {
    if let Some(severest) = cost.severest {
        let _ = writeln!(
            out,
            "      severest {}; highest confidence {:.2}",
            line(severest),
            cost.surest
        );
    }
    if !cost.major.is_empty() {
        let _ = writeln!(out, "      !! WARNING: {} of them are P0 or P1:", cost.major.len());
        for past in cost.major.iter().take(NAMED) {
            let _ = writeln!(out, "         {}", line(past));
        }
    }
    for loss in cost.incidents.iter().take(NAMED) {
        let _ = writeln!(out, "      !! WARNING: {}", loss_words(loss));
    }
    if let Some(more) = cost.incidents.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(out, "      !! WARNING: {more} more incidents lose parts");
    }
    if !cost.muted.is_empty() {
        let _ = writeln!(out, "      ! that is all that {} said here", cost.muted.join(", "));
    }
}

fn loss_words(loss: &Loss<'_>) -> String {
    let title = loss.title.map(escaped).unwrap_or_else(|| loss.id.to_owned());
    let end = if loss.is_total() { "it would not be told at all" } else { "it would be weaker" };
    format!("takes {} of {} parts of an incident, {end}: {title}", loss.lost, loss.parts)
}

/// An alert in a line.
fn line(past: &Past) -> String {
    let row = past.latest();
    format!("{} {:.2} [{}] {}", row.severity, row.confidence, row.detector, escaped(&row.title))
}

/// What a candidate does, at most so many alerts of each sort one by one.
pub(super) fn trial(trial: &Trial<'_>, most: u32) -> String {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (silenced, stay) = (trial.silenced.len(), trial.stay.len());
    let all = silenced + stay + trial.unclear.len();
    let mut out =
        format!("{} would silence {silenced} of {all} alerts; {stay} stay", escaped(&trial.name));
    if !trial.unclear.is_empty() {
        let _ = write!(out, "; of {} evidence does not say", trial.unclear.len());
    }
    out.push('\n');
    write_cost(&mut out, &trial.cost);
    let because = |(past, reason): &(&Past, Reason)| {
        format!("{}  ({})", line(past), escaped(&reason.words()))
    };
    write_list(&mut out, "Silent", trial.silenced.iter().map(because), most);
    write_list(&mut out, "Silent or not", trial.unclear.iter().map(because), most);
    write_list(&mut out, "Told as now", trial.stay.iter().map(|past| line(past)), most);
    out
}

fn write_list(
    out: &mut String,
    title: &str,
    lines: impl ExactSizeIterator<Item = String>,
    most: usize,
) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(out, "\n{title}: {count}");
    for line in lines.take(most) {
        let _ = writeln!(out, "  {line}");
    }
    if let Some(more) = count.checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(out, "  {more} more; --top shows more of them, --json all");
    }
}

/// What came from traffic, or from a file, fit for a terminal.
fn escaped(text: &str) -> String {
    analyzers::text::escape(text.as_bytes()).into_owned()
}
