//! Plain lists: one value a line. `#` and `;` begin comments. `hosts` lines (`0.0.0.0 name`) and
//! blocker rules (`||name^`, which mean sub-domains too) are understood.

use std::io::BufRead;

use super::{Place, Reading, lines, quoted};
use crate::{Key, Validity, ValueError};

/// Addresses to which `hosts` files send names that nobody shall reach.
const NOWHERE: [&str; 4] = ["0.0.0.0", "127.0.0.1", "::1", "::"];

pub(super) fn read(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    lines::for_each(reading, content, |reading, (number, line)| {
        let value = without_comment(line);
        if value.is_empty() {
            return;
        }
        let key = match key(reading, value) {
            Ok(key) => Ok(key),
            Err(error) => {
                return reading.refuse_line(number, format!("{}: {error}", quoted(value)));
            }
        };
        let context = reading.context();
        reading.take(key, context, Validity::default(), Place::Line(number));
    });
}

fn key(reading: &Reading<'_>, value: &str) -> Result<Key, ValueError> {
    if let Some(name) = value.strip_prefix("||").and_then(|rest| rest.strip_suffix('^')) {
        return Key::parse(crate::Kind::Domain, name).and_then(Key::with_subdomains);
    }
    match value.split_once(char::is_whitespace) {
        Some((address, name)) if NOWHERE.contains(&address) => {
            Key::parse(crate::Kind::Domain, name)
        }
        _ => reading.key(value),
    }
}

/// A `#` inside a URL is its fragment; a comment behind a value stands apart from it.
pub(super) fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return "";
    }
    let comment = line
        .match_indices(['#', ';'])
        .find(|&(at, _)| line[..at].ends_with(char::is_whitespace))
        .map_or(line.len(), |(at, _)| at);
    line[..comment].trim_end()
}
