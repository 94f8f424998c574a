//! Mistakes in SQL, told with their place and with what was probably meant.
//!
//! In: a query and the engine's error. Out: a text of a few lines: what is wrong, the line of the
//! query with a mark below the place, a suggestion.

use std::collections::BTreeSet;

use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

/// Names that exist: what a misspelt one could have meant.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Tables and views.
    pub tables: Vec<String>,
    /// Functions.
    pub functions: Vec<String>,
}

/// A place in a query, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// Columns that are marked.
    length: usize,
}

/// What is wrong with a query.
#[must_use]
pub fn tell(sql: &str, error: &DataFusionError, names: &Names) -> String {
    let (message, suggestion) = explain(error, names);
    let mut text = message;
    if let Some(place) = place(sql, error).or_else(|| word_place(sql, &text))
        && let Some(line) = sql.lines().nth(place.line.saturating_sub(1))
    {
        let shown = line.replace('\t', " ");
        let before = " ".repeat(place.column.saturating_sub(1));
        let mark = "^".repeat(place.length.max(1));
        text.push_str(&format!("\n  line {}: {shown}", place.line));
        let margin = " ".repeat(format!("  line {}: ", place.line).len());
        text.push_str(&format!("\n{margin}{before}{mark}"));
    }
    if let Some(suggestion) = suggestion {
        text.push('\n');
        text.push_str(&suggestion);
    }
    text
}

/// An error of the engine as one sentence, without the engine's own wrappings.
#[must_use]
pub fn plain(error: &DataFusionError) -> String {
    let text = match root(error) {
        DataFusionError::ResourcesExhausted(text) => {
            format!("the query needs more memory than it may have: {text}; see --memory")
        }
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text) => text.clone(),
        other => other.strip_backtrace(),
    };
    analyzers::text::escape(first_paragraph(&text).as_bytes()).into_owned()
}

fn first_paragraph(text: &str) -> &str {
    text.split("\n\n").next().unwrap_or(text).trim_end()
}

/// The error beneath contexts and diagnostics.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        _ => error,
    }
}

/// What is wrong, and what may help.
fn explain(error: &DataFusionError, names: &Names) -> (String, Option<String>) {
    match root(error) {
        DataFusionError::SQL(error, _) => (parser_message(error), None),
        DataFusionError::SchemaError(error, _) => schema_message(error),
        DataFusionError::Plan(text) => plan_message(text, names),
        DataFusionError::NotImplemented(text) if text.contains("single SQL statement") => {
            plan_message(text, names)
        }
        _ => (plain(error), None),
    }
}

fn parser_message(error: &ParserError) -> String {
    let (ParserError::ParserError(text) | ParserError::TokenizerError(text)) = error else {
        return "the query is nested too deeply".to_owned();
    };
    let text = text.split(" at Line: ").next().unwrap_or(text);
    format!("this is not SQL: {}", lower_first(text))
}

fn schema_message(error: &SchemaError) -> (String, Option<String>) {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let known: BTreeSet<&str> = valid_fields.iter().map(|field| field.name()).collect();
            let suggestion = match closest(field.name(), known.iter().copied()) {
                Some(meant) => Some(format!("Did you mean {meant}?")),
                None if known.is_empty() => None,
                None => {
                    let known: Vec<_> = known.into_iter().collect();
                    Some(format!("There are: {}.", known.join(", ")))
                }
            };
            (format!("there is no column {}", field.flat_name()), suggestion)
        }
        SchemaError::AmbiguousReference { field } => (
            format!("the column {} is in more than one table", field.name()),
            Some("Say which, as in flow.uid.".to_owned()),
        ),
        other => (lower_first(&other.to_string()), None),
    }
}

fn plan_message(text: &str, names: &Names) -> (String, Option<String>) {
    if ["DDL not", "DML not", "Statement not"].iter().any(|start| text.starts_with(start)) {
        let advice = "To keep an answer, write it to a file: -o FILE.";
        return ("a hunt can only read the archive".to_owned(), Some(advice.to_owned()));
    }
    if text.contains("only supports a single SQL statement") {
        return ("there is more than one query; one query at a time".to_owned(), None);
    }
    if let Some(table) = between(text, "table '", "' not found") {
        let table = table.rsplit('.').next().unwrap_or(table);
        let suggestion = match closest(table, names.tables.iter().map(String::as_str)) {
            Some(meant) => format!("Did you mean {meant}?"),
            None => format!("There are: {}.", names.tables.join(", ")),
        };
        return (format!("there is no table {table}"), Some(suggestion));
    }
    if let Some(function) = between(text, "Invalid function '", "'") {
        let suggestion = closest(function, names.functions.iter().map(String::as_str))
            .map(|meant| format!("Did you mean {meant}?"));
        return (format!("there is no function {function}"), suggestion);
    }
    (lower_first(first_paragraph(text)), None)
}

/// Where the engine or the parser says that it is.
fn place(sql: &str, error: &DataFusionError) -> Option<Place> {
    if let DataFusionError::SQL(error, _) = root(error) {
        let text = error.to_string();
        let (line, column) = text.split_once(" at Line: ")?.1.split_once(", Column: ")?;
        let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
        return Some(Place {
            line: line.trim().parse().ok()?,
            column: digits.parse().ok()?,
            length: 1,
        });
    }
    let span = diagnostic(error)?.span?;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (line, column) = (number(span.start.line), number(span.start.column));
    if line == 0 || line > sql.lines().count() {
        return None;
    }
    let length = if span.end.line == span.start.line {
        number(span.end.column.saturating_sub(span.start.column))
    } else {
        1
    };
    Some(Place { line, column, length })
}

fn diagnostic(error: &DataFusionError) -> Option<&Diagnostic> {
    match error {
        DataFusionError::Diagnostic(diagnostic, _) => Some(diagnostic),
        DataFusionError::Context(_, inner) => diagnostic(inner),
        DataFusionError::Shared(inner) => diagnostic(inner),
        DataFusionError::Collection(errors) => errors.iter().find_map(diagnostic),
        _ => None,
    }
}

/// Where the last word of the message stands in the query, if it stands there once.
fn word_place(sql: &str, message: &str) -> Option<Place> {
    let word = message
        .rsplit(' ')
        .next()
        .filter(|word| message.starts_with("there is no ") && !word.is_empty())?;
    let mut places = sql.lines().enumerate().flat_map(|(line, text)| {
        text.match_indices(word).map(move |(at, _)| Place {
            line: line + 1,
            column: text[..at].chars().count() + 1,
            length: word.chars().count(),
        })
    });
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // A word that is all capitals stays.
        Some(first) if !text.chars().nth(1).is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// The name that is most like `word`, if any is like it at all.
#[must_use]
pub fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let bound = word.chars().count().div_ceil(3).max(1);
    let starts = |name: &str| name.starts_with(&word) || name.ends_with(&format!("_{word}"));
    names
        .map(|name| {
            let distance = distance(&word, &name.to_lowercase());
            (if starts(name) { distance.min(bound) } else { distance }, name)
        })
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, name)| name)
}

/// Letters to change, add, leave out or swap with their neighbour to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut least =
                (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_what_was_meant() {
        let names = ["src_ip", "dst_ip", "src_bytes", "dst_bytes", "service", "query"];
        for (word, meant) in [
            ("scr_ip", Some("src_ip")),
            ("SRC_IP", Some("src_ip")),
            ("dst_byte", Some("dst_bytes")),
            ("servce", Some("service")),
            ("bytes", Some("dst_bytes")),
            ("user_agent", None),
        ] {
            assert_eq!(closest(word, names.into_iter()), meant, "{word}");
        }
    }

    #[test]
    fn a_swap_is_one_mistake() {
        for (a, b, expected) in
            [("ab", "ba", 1), ("", "abc", 3), ("flow", "flwo", 1), ("a", "a", 0)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
