//! The rules of the house, as far as a program can check them on formatted source.

use std::path::{Path, PathBuf};

use crate::captures;

/// Lines of a source file.
const FILE_LINES_MAX: usize = 600;

/// Lines of a function, signature and closing brace included.
const FUNCTION_LINES_MAX: usize = 70;

/// Columns of a line.
const COLUMNS_MAX: usize = 100;

/// Words that are not said in some rooms, and what is said instead.
const BANNED: &[Ban] = &[
    Ban {
        rooms: &["analyzers/src"],
        except: &[],
        words: &[
            "sensor::",
            "std::fs",
            "std::net::Tcp",
            "std::net::Udp",
            "std::thread",
            "std::env",
        ],
        instead: "analyzers are bytes in, records out; what touches the world is in sensor/",
    },
    Ban {
        rooms: &["analyzers/src", "sensor/src", "signatures/src", "tools"],
        except: &["sensor/src/clock.rs"],
        words: &["Instant::now", "SystemTime"],
        instead: "time is packet time; only sensor/src/clock.rs reads the wall clock",
    },
    Ban {
        rooms: &["analyzers/src", "sensor/src/decode"],
        except: &[],
        words: &[".unwrap()", ".expect(", "panic!(", "unreachable!("],
        instead: "code that reads hostile bytes cannot panic: answer None, an error or a weird",
    },
    Ban {
        rooms: &[""],
        except: &["tests/tidy.rs", "sensor/src/capture/interface/ring.rs"],
        words: &["unsafe {", "unsafe fn", "unsafe impl"],
        instead: "unsafe code lives in one capture module, for memory shared with the kernel",
    },
    Ban {
        rooms: &[""],
        except: &["tests/tidy.rs"],
        words: &["TODO", "FIXME", "XXX:", "dbg!("],
        instead: "what is left to do is an issue, not a comment",
    },
];

/// Words that some rooms do without.
struct Ban {
    /// Where: paths begin so.
    rooms: &'static [&'static str],
    /// Files that may.
    except: &'static [&'static str],
    words: &'static [&'static str],
    /// What to do.
    instead: &'static str,
}

/// A source file: its path from the project's folder, its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines with their numbers, tests left out: they may panic and are at a file's end, or are
    /// files of their own.
    fn lines_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/samples.rs")
            || self.path.ends_with("/rehearsal.rs");
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.take_while(move |(_, line)| !is_test && *line != "#[cfg(test)]")
    }
}

fn sources() -> Vec<Source> {
    let project = captures::project();
    let rust = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    let files = captures::files_below(&project);
    let sources: Vec<Source> = files
        .into_iter()
        .filter(rust)
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("a source in UTF-8");
            let path = file.strip_prefix(&project).expect("below the project");
            Source { path: path.to_string_lossy().into_owned(), text }
        })
        .collect();
    assert!(sources.len() > 100, "only {} sources were found", sources.len());
    sources
}

/// Fails with everything that was found, one to a line.
fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_is() {
    let bare = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    none(&bare.map(|source| source.path).collect::<Vec<_>>(), "files that do not open with `//!`");
}

#[test]
fn files_and_lines_have_a_length_that_fits_a_screen() {
    let mut found = Vec::new();
    for Source { path, text } in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            found.push(format!("{path}: {lines} lines"));
        }
        for (at, line) in text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX && !line.contains("https://") {
                found.push(format!("{path}:{}: {} columns", at + 1, line.chars().count()));
            }
        }
    }
    none(&found, "too long");
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    for Source { path, text } in sources() {
        for (at, lines) in functions(&text) {
            if lines > FUNCTION_LINES_MAX {
                found.push(format!("{path}:{at}: {lines} lines"));
            }
        }
    }
    none(&found, "functions that are too long");
}

/// The first line and the number of lines of each function: on formatted source it ends where a
/// closing brace has its indentation. Rows of tables, which tests have, are not counted.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let mut words = code.split(' ').skip_while(|word| {
            matches!(*word, "pub" | "pub(crate)" | "pub(super)" | "const" | "async")
        });
        if words.next() != Some("fn") {
            continue;
        }
        let is_one_line = code.ends_with('}') || code.ends_with(';');
        let end = format!("{:indent$}}}", "");
        let rest = lines[at..].iter().position(|line| *line == end).filter(|_| !is_one_line);
        let body = &lines[at..=at + rest.unwrap_or(0)];
        let is_row = |line: &&&str| line.trim_start().starts_with('(');
        functions.push((at + 1, body.len() - body.iter().filter(is_row).count()));
    }
    functions
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let text = "fn a() {}\n\nimpl B {\n    pub const fn c(\n        d: u8,\n    ) {\n        \
                if d {\n        }\n    }\n}\n";
    assert_eq!(functions(text), [(1, 1), (4, 6)]);
}

#[test]
fn no_room_says_what_it_must_not() {
    let mut found = Vec::new();
    let sources = sources();
    for ban in BANNED {
        for source in &sources {
            let path = &source.path;
            let is_there = ban.rooms.iter().any(|room| path.starts_with(room));
            if !is_there || ban.except.contains(&path.as_str()) {
                continue;
            }
            for (at, line) in source.lines_outside_tests() {
                let code = line.trim_start();
                let is_doc = code.starts_with("///") || code.starts_with("//!");
                for word in ban.words.iter().filter(|word| !is_doc && line.contains(**word)) {
                    found.push(format!("{path}:{at}: `{word}`: {}", ban.instead));
                }
            }
        }
    }
    none(&found, "banned");
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let project = captures::project();
    let mut found = Vec::new();
    for file in captures::files_below(&project) {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a document in UTF-8");
        for target in links(&text) {
            let is_elsewhere = target.contains("://") || target.starts_with('#');
            let path = target.split('#').next().unwrap_or_default();
            let folder = file.parent().expect("a folder");
            if !is_elsewhere && !folder.join(path).exists() {
                found.push(format!("{}: {target}", shown(&file, &project)));
            }
        }
    }
    none(&found, "links that lead nowhere");
}

/// The targets of Markdown links: what stands in parentheses behind a bracket.
fn links(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    parts.filter_map(|part| part.split(')').next()).filter(|link| !link.contains(' ')).collect()
}

fn shown(file: &Path, project: &Path) -> String {
    file.strip_prefix(project).unwrap_or(file).display().to_string()
}
