//! The header of a canned hunt: comments before the query.
//!
//! ```sql
//! -- title: What it finds
//! -- why: Why that matters.
//! -- attack: T1071.001, T1573
//! -- param hosts integer 2: at most so many hosts
//! -- read: How to read the answer;
//! --   a line that is indented goes on.
//! SELECT …
//! ```

use super::Parameter;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// What it finds, in one line.
    pub title: String,
    /// Why that matters.
    pub why: String,
    /// MITRE ATT&CK techniques.
    pub techniques: Vec<String>,
    /// What can be set.
    pub parameters: Vec<Parameter>,
    /// How to read the answer.
    pub reading: String,
}

impl Header {
    /// Reads the comments that a file begins with.
    ///
    /// # Errors
    /// A field is not known, or what must be there is not; the text says what to write.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut header = Self::default();
        for (field, value) in fields(text)? {
            match field.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["title"] => header.title = value,
                ["why"] => header.why = value,
                ["read"] => header.reading = value,
                ["attack"] => {
                    let names = value.split(',').map(str::trim).filter(|name| *name != "none");
                    header.techniques = names.map(str::to_owned).collect();
                }
                ["param", name, kind, default @ ..] => {
                    let parameter = Parameter::new(name, kind, &default.join(" "), &value)?;
                    header.parameters.push(parameter);
                }
                _ => return Err(format!("the header has an unknown field {field:?}")),
            }
        }
        for (name, value) in
            [("title", &header.title), ("why", &header.why), ("read", &header.reading)]
        {
            if value.is_empty() {
                return Err(format!("the header lacks a line `-- {name}: …`"));
            }
        }
        Ok(header)
    }
}

/// Fields and their values, lines joined.
fn fields(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix("--")) {
        if line.starts_with("   ") {
            let Some((_, value)) = fields.last_mut() else {
                return Err(format!("the line {line:?} goes on with nothing"));
            };
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (field, value) = line.split_once(": ").ok_or_else(|| {
                format!("the line {line:?} of the header is not `-- FIELD: TEXT`")
            })?;
            fields.push((field.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_and_lines_that_go_on() {
        let header = Header::parse(
            "-- title: T\n-- why: W\n--   more\n-- attack: T1, T2\n\
             -- param n integer 3: how many\n-- read: R\nSELECT $n -- x: y",
        )
        .expect("a header");
        assert_eq!((header.title.as_str(), header.why.as_str()), ("T", "W more"));
        assert_eq!(header.techniques, ["T1", "T2"]);
        assert_eq!(header.parameters.len(), 1);
        assert_eq!(header.reading, "R");
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("SELECT 1", "-- title:"),
            ("-- title: T\n-- read: R\nSELECT 1", "-- why:"),
            ("-- titel: T\nSELECT 1", "unknown field"),
            ("-- title\nSELECT 1", "FIELD: TEXT"),
            ("--   on\nSELECT 1", "goes on with nothing"),
            ("-- param n number x: d\nSELECT 1", "not a number"),
            ("-- param n thing x: d\nSELECT 1", "kind"),
        ] {
            let error = Header::parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }
}
