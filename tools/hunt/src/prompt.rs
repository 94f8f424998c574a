//! The interactive prompt: queries over one archive, with history and completion.
//!
//! In: lines until a `;`, or a command that starts with a dot. Out: answers. Ctrl-C stops the query
//! that runs, or clears the line; Ctrl-D ends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use reedline::{
    ColumnarMenu, Completer, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder as _,
    Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal,
    Span, Suggestion, ValidationResult, Validator, default_emacs_keybindings,
};

use crate::ask::{self, Telling, say};
use crate::engine::Engine;
use crate::error::HuntError;
use crate::output::{Format, Target};

/// Lines of history that are kept.
const HISTORY_LINES: usize = 5_000;

const MENU: &str = "completions";

const HELP: &str = "\
SELECT …;         a query; it may have several lines and ends with ;
.tables           tables and views
.columns TABLE    a table's columns
.format FORM      table, json or csv
.quit             ends, as Ctrl-D does
Tab completes, Ctrl-R searches the history, Ctrl-C stops a query.";

const KEYWORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "DISTINCT",
    "COUNT",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "LIKE",
    "BETWEEN",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "UNION ALL",
    "WITH",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DESC",
    "EXPLAIN",
    "SHOW TABLES",
    "INTERVAL",
    "TIMESTAMP",
    "CAST",
];

/// Asks until the user has enough.
///
/// # Errors
/// There is no terminal, or an answer cannot be written.
pub(crate) async fn run(
    engine: &Engine,
    archive: &str,
    format: Option<Format>,
) -> Result<(), HuntError> {
    let words = words(engine).await?;
    let mut editor = editor(words)?;
    let mut target = Target { format: Some(format.unwrap_or(Format::Table)), path: None };
    say(&format!("archive {archive}; .help shows what can be typed"));
    loop {
        let line = editor.read_line(&Mark).map_err(HuntError::io("cannot read the terminal"))?;
        let text = match line {
            Signal::Success(text) => text.trim().to_owned(),
            Signal::CtrlD => return Ok(()),
            _ => continue,
        };
        if text.is_empty() {
            continue;
        }
        if let Some(command) = text.strip_prefix('.') {
            match dot(engine, command, &mut target).await {
                Ok(Next::Ask) => {}
                Ok(Next::End) => return Ok(()),
                Err(error) => say(&error.to_string()),
            }
            continue;
        }
        let outcome = match engine.query(&text).await {
            Ok(answer) => ask::write(engine, answer, &target, Telling::Always).await.map(drop),
            Err(error) => Err(error),
        };
        match outcome {
            Err(error @ HuntError::ReaderGone) => return Err(error),
            Err(error) => say(&error.to_string()),
            Ok(()) => {}
        }
    }
}

/// What follows a command.
enum Next {
    Ask,
    End,
}

async fn dot(engine: &Engine, command: &str, target: &mut Target) -> Result<Next, HuntError> {
    match command.trim_end_matches(';').split_whitespace().collect::<Vec<_>>().as_slice() {
        ["quit" | "exit" | "q"] => return Ok(Next::End),
        ["help" | "h"] => say(HELP),
        ["tables"] => say(&engine.names().tables.join("\n")),
        ["columns", table] => {
            let answer = engine.query(&format!("DESCRIBE \"{}\"", table.replace('"', ""))).await?;
            ask::write(engine, answer, target, Telling::OnTerminal).await?;
        }
        ["format", "table"] => target.format = Some(Format::Table),
        ["format", "json"] => target.format = Some(Format::Json),
        ["format", "csv"] => target.format = Some(Format::Csv),
        _ => {
            let text = format!("there is no command .{}\n{HELP}", crate::output::safe(command));
            return Err(HuntError::Usage(text));
        }
    }
    Ok(Next::Ask)
}

/// All words that completion offers, with what they are.
async fn words(engine: &Engine) -> Result<BTreeMap<String, &'static str>, HuntError> {
    let mut words: BTreeMap<String, &'static str> = BTreeMap::new();
    for function in &engine.names().functions {
        words.insert(function.clone(), "function");
    }
    for keyword in KEYWORDS {
        words.insert((*keyword).to_owned(), "");
    }
    for table in &engine.names().tables {
        for field in engine.columns(table).await?.fields() {
            words.insert(field.name().clone(), "column");
        }
    }
    for table in &engine.names().tables {
        words.insert(table.clone(), "table");
    }
    for command in [".help", ".tables", ".columns", ".format", ".quit"] {
        words.insert(command.to_owned(), "");
    }
    Ok(words)
}

fn editor(words: BTreeMap<String, &'static str>) -> Result<Reedline, HuntError> {
    let mut keys = default_emacs_keybindings();
    let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
    let menu = Box::new(ColumnarMenu::default().with_name(MENU));
    let editor = Reedline::create()
        .with_completer(Box::new(Words(words)))
        .with_menu(ReedlineMenu::EngineCompleter(menu))
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_validator(Box::new(UntilSemicolon));
    let Some(path) = history_file() else { return Ok(editor) };
    // Without a history one can still ask.
    Ok(match FileBackedHistory::with_file(HISTORY_LINES, path) {
        Ok(history) => editor.with_history(Box::new(history)),
        Err(_) => editor,
    })
}

/// `$XDG_STATE_HOME/serval/hunt_history`.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local").join("state"))
    })?;
    Some(state.join("serval").join("hunt_history"))
}

/// Words that begin as the one before the cursor does.
struct Words(BTreeMap<String, &'static str>);

impl Completer for Words {
    fn complete(&mut self, line: &str, position: usize) -> Vec<Suggestion> {
        let before = line.get(..position).unwrap_or(line);
        let start = before
            .rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        // What stands behind a table's name and a dot is a column.
        let start = match before[start..].rfind('.') {
            Some(dot) if start + dot > 0 => start + dot + 1,
            _ => start,
        };
        let word = before[start..].to_lowercase();
        if word.is_empty() {
            return Vec::new();
        }
        let fitting = self.0.iter().filter(|(name, _)| name.to_lowercase().starts_with(&word));
        fitting
            .map(|(name, what)| Suggestion {
                value: name.clone(),
                description: Some((*what).to_owned()).filter(|what| !what.is_empty()),
                span: Span::new(start, position),
                append_whitespace: *what != "function",
                ..Suggestion::default()
            })
            .collect()
    }
}

/// A query ends with `;`, a command with its line.
struct UntilSemicolon;

impl Validator for UntilSemicolon {
    fn validate(&self, line: &str) -> ValidationResult {
        let line = line.trim();
        if line.is_empty() || line.starts_with('.') || line.ends_with(';') {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

/// What stands before a line.
struct Mark;

impl Prompt for Mark {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "hunt".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "   … ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(history: {}) ", crate::output::safe(&search.term)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let words = [
            ("src_ip", "column"),
            ("src_port", "column"),
            ("SELECT", ""),
            ("flow", "table"),
            (".quit", ""),
        ];
        let words = words.map(|(name, what)| (name.to_owned(), what)).into();
        let found = Words(words).complete(line, line.len());
        found.into_iter().map(|suggestion| suggestion.value).collect()
    }

    #[test]
    fn words_are_completed_where_the_cursor_is() {
        for (line, expected) in [
            ("sel", vec!["SELECT"]),
            ("SELECT src", vec!["src_ip", "src_port"]),
            ("SELECT count(src_i", vec!["src_ip"]),
            ("SELECT flow.src_p", vec!["src_port"]),
            ("SELECT 狮 fl", vec!["flow"]),
            (".q", vec![".quit"]),
            ("SELECT ", vec![]),
        ] {
            assert_eq!(complete(line), expected, "{line}");
        }
    }

    #[test]
    fn a_query_goes_on_until_its_semicolon() {
        for (line, is_complete) in [
            ("", true),
            (".tables", true),
            ("SELECT 1", false),
            ("SELECT 1;", true),
            ("SELECT\n1 ; ", true),
        ] {
            let outcome = UntilSemicolon.validate(line);
            assert_eq!(matches!(outcome, ValidationResult::Complete), is_complete, "{line}");
        }
    }
}
