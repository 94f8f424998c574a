//! Tables with a header that names their columns: RFC 4180 with quotes and doubled quotes, but one
//! row a line, so that a quote that is never closed costs one row. The separator is a comma, a
//! semicolon or a tab, whichever the header has most of.

use std::borrow::Cow;
use std::io::BufRead;

use super::{Place, Reading, lines, quoted, time};
use crate::{Confidence, Context, Key, Kind, Severity, Stage, Technique, Validity};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The value; the one column that must be there.
    Value,
    /// Its kind.
    Type,
    /// Malware family.
    Family,
    /// Actor.
    Actor,
    /// Confidence.
    Confidence,
    /// Severity.
    Severity,
    /// Stage of an attack.
    Stage,
    /// ATT&CK technique.
    Technique,
    /// Since when it holds.
    ValidFrom,
    /// Until when it holds.
    ValidUntil,
    /// `exact` or `subdomains`.
    Scope,
    /// Words, parted by `;`, `|` or `,`.
    Tags,
    /// Where to read more.
    Reference,
    /// What to do.
    Advice,
}

impl Column {
    /// All columns with the names by which they are found, the usual one first.
    pub const NAMES: [(Self, &'static [&'static str]); 14] = [
        (Self::Value, &["value", "indicator", "ioc", "ioc_value", "observable"]),
        (Self::Type, &["type", "kind", "indicator_type", "ioc_type"]),
        (Self::Family, &["family", "malware", "malware_family"]),
        (Self::Actor, &["actor", "threat_actor"]),
        (Self::Confidence, &["confidence", "confidence_level"]),
        (Self::Severity, &["severity"]),
        (Self::Stage, &["stage", "kill_chain", "kill_chain_phase", "tactic"]),
        (Self::Technique, &["technique", "attack", "mitre_attack"]),
        (Self::ValidFrom, &["valid_from"]),
        (Self::ValidUntil, &["valid_until", "expires", "expiration"]),
        (Self::Scope, &["scope"]),
        (Self::Tags, &["tags", "labels"]),
        (Self::Reference, &["reference", "ref", "link", "url"]),
        (Self::Advice, &["advice", "action", "remedy"]),
    ];

    /// The column of that usual name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let found = Self::NAMES.into_iter().find(|(_, names)| names.first() == Some(&name));
        found.map(|(column, _)| column)
    }
}

/// A header: which column is where.
pub(super) struct Header {
    names: Vec<String>,
    separator: char,
}

impl Header {
    /// From a header's line, with or without a `#` before it.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim_start_matches(['#', ' ']);
        let count = |separator: &char| line.matches(*separator).count();
        let separator = [',', ';', '\t'].into_iter().rev().max_by_key(count)?;
        let names = split(line, separator).ok()?;
        let names = names.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        Some(Self { names, separator })
    }

    /// Whether it has a column of that name, in lower case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// A row, which must have the header's width.
    pub(super) fn row<'a>(&'a self, line: &'a str) -> Result<Row<'a>, String> {
        let values = split(line, self.separator)?;
        if values.len() != self.names.len() {
            let (has, wants) = (values.len(), self.names.len());
            return Err(format!("{has} columns where the header names {wants}"));
        }
        Ok(Row { header: self, values })
    }
}

/// A row of a table.
pub(super) struct Row<'a> {
    header: &'a Header,
    values: Vec<Cow<'a, str>>,
}

impl Row<'_> {
    /// The value under a name in lower case; none where it is empty.
    pub(super) fn of(&self, name: &str) -> Option<&str> {
        let value = self.values.get(self.header.position(name)?)?.trim();
        (!value.is_empty()).then_some(value)
    }
}

/// The parts of a line.
fn split(line: &str, separator: char) -> Result<Vec<Cow<'_, str>>, String> {
    let mut values = Vec::new();
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches(' ');
        let after = match trimmed.strip_prefix('"') {
            Some(inner) => {
                let (value, after) = unquote(inner)?;
                values.push(value);
                after.trim_start_matches(' ')
            }
            None => {
                let end = rest.find(separator).unwrap_or(rest.len());
                let (value, after) = rest.split_at(end);
                values.push(value.trim().into());
                after
            }
        };
        match after.strip_prefix(separator) {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(values),
            None => return Err("text behind a closing quote".to_owned()),
        }
    }
}

/// The text up to the closing quote, and what comes behind it.
fn unquote(inner: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut doubled = false;
    let mut at = 0;
    while let Some(found) = inner[at..].find('"') {
        at += found + 1;
        if !inner[at..].starts_with('"') {
            let value = &inner[..at - 1];
            let value = if doubled { value.replace("\"\"", "\"").into() } else { value.into() };
            return Ok((value, &inner[at..]));
        }
        doubled = true;
        at += 1;
    }
    Err("a quote is not closed on its line".to_owned())
}

pub(super) fn read(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    let mut header: Option<Map> = None;
    lines::for_each(reading, content, |reading, (number, line)| {
        if line.trim().is_empty() {
            return;
        }
        match &header {
            Some(_) if line.starts_with('#') => {}
            Some(map) => match row(reading, map, line) {
                Ok((key, context, validity)) => {
                    reading.take(Ok(key), context, validity, Place::Line(number));
                }
                Err(reason) => reading.refuse_line(number, reason),
            },
            None => match Map::parse(line, &reading.feed.columns) {
                Some(map) => header = Some(map),
                None if line.starts_with('#') => {}
                None => {
                    let reason = "no header with a column value before the first row";
                    reading.refuse_line(number, reason);
                }
            },
        }
    });
}

/// A header and where in it each known column is.
pub(super) struct Map {
    header: Header,
    names: Vec<(Column, String)>,
}

impl Map {
    /// None where the line has no column of values.
    pub(super) fn parse(line: &str, renamed: &[(Column, String)]) -> Option<Self> {
        let header = Header::parse(line)?;
        let mut names = Vec::new();
        for (column, usual) in Column::NAMES {
            let given = renamed.iter().filter(|(renamed, _)| *renamed == column);
            let mut candidates = given
                .map(|(_, name)| name.to_ascii_lowercase())
                .chain(usual.iter().map(|&name| name.to_owned()));
            if let Some(name) = candidates.find(|name| header.has(name)) {
                names.push((column, name));
            }
        }
        let map = Self { header, names };
        map.name(Column::Value).is_some().then_some(map)
    }

    fn name(&self, column: Column) -> Option<&str> {
        self.names.iter().find(|(other, _)| *other == column).map(|(_, name)| name.as_str())
    }
}

fn row(reading: &Reading<'_>, map: &Map, line: &str) -> Result<(Key, Context, Validity), String> {
    let row = map.header.row(line)?;
    let of = |column| row.of(map.name(column)?);
    let value = of(Column::Value).ok_or("the value is empty")?;
    let key = match of(Column::Type) {
        Some(word) => {
            let kind = Kind::parse(word).ok_or_else(|| format!("unknown type {}", quoted(word)))?;
            Key::parse(kind, value)
        }
        None => reading.key(value),
    };
    let mut key = key.map_err(|error| format!("{}: {error}", quoted(value)))?;
    match of(Column::Scope) {
        Some("subdomains") => key = key.with_subdomains().map_err(|error| error.to_string())?,
        None | Some("exact") => {}
        Some(other) => {
            return Err(format!("scope {} is neither exact nor subdomains", quoted(other)));
        }
    }
    let owned = |column| of(column).map(str::to_owned);
    let context = Context {
        family: owned(Column::Family),
        actor: owned(Column::Actor),
        confidence: graded(of(Column::Confidence), "confidence", Confidence::parse)?,
        severity: graded(of(Column::Severity), "severity", Severity::parse)?,
        stage: graded(of(Column::Stage), "stage", Stage::parse)?,
        technique: graded(of(Column::Technique), "technique", Technique::parse)?,
        tags: tags(of(Column::Tags).unwrap_or_default()),
        reference: owned(Column::Reference),
        advice: owned(Column::Advice),
        ..reading.context()
    };
    let validity = Validity {
        from: graded(of(Column::ValidFrom), "valid_from", time::seconds_from)?.flatten(),
        until: graded(of(Column::ValidUntil), "valid_until", time::seconds_until)?.flatten(),
    };
    Ok((key, context, validity))
}

/// A value that may be absent but, when it is there, must mean something.
fn graded<T>(
    text: Option<&str>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let unknown = |text| format!("{name} {} is not understood", quoted(text));
    text.map(|text| parse(text).ok_or_else(|| unknown(text))).transpose()
}

/// Words between `;`, `|` or `,`.
pub(super) fn tags(text: &str) -> Vec<String> {
    let words = text.split([';', '|', ',']).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
