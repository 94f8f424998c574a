//! Readers of CEF, LEEF and RFC 5424 that were written from the specifications, not from the
//! writers. They fail on anything that a strict reader would stumble over.

/// A message of the Common Event Format.
pub(super) struct Cef {
    /// Version to severity.
    pub(super) header: Vec<String>,
    extension: Vec<(String, String)>,
}

impl Cef {
    pub(super) fn parse(text: &str) -> Self {
        let mut rest = text.strip_prefix("CEF:").expect("the format's name");
        let mut header = Vec::new();
        while header.len() < 7 {
            let end = unescaped(rest, '|').expect("seven fields");
            header.push(unescape(&rest[..end], "|\\"));
            rest = &rest[end + 1..];
        }
        let mut extension: Vec<(String, String)> = Vec::new();
        // A value ends before the last space in front of the next `=` that is not escaped.
        while !rest.is_empty() {
            let equals = unescaped(rest, '=').expect("a key and a value");
            let key = &rest[..equals];
            assert!(key.chars().all(|c| c.is_ascii_alphanumeric()), "the key {key:?}");
            rest = &rest[equals + 1..];
            let end =
                unescaped(rest, '=').map_or(rest.len(), |next| rest[..next].rfind(' ').unwrap());
            extension.push((key.to_owned(), unescape(&rest[..end], "=\\rn")));
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        Self { header, extension }
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        value(&self.extension, key)
    }

    pub(super) fn keys(&self) -> usize {
        self.extension.len()
    }
}

fn value<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let mut found = pairs.iter().filter(|(name, _)| name == key);
    let (_, value) = found.next()?;
    assert!(found.next().is_none(), "{key} is there twice");
    Some(value)
}

/// Where a character first stands without a backslash before it.
fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if !is_escaped && c == wanted {
            return Some(at);
        }
        is_escaped = !is_escaped && c == '\\';
    }
    None
}

/// Text without its backslashes; each must stand before one of `allowed`.
fn unescape(text: &str, allowed: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => {
                let escaped = chars.next().expect("something behind a backslash");
                assert!(allowed.contains(escaped), "\\{escaped} in {text}");
                match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                }
            }
            c => c,
        };
        out.push(c);
    }
    out
}

/// A message of the Log Event Extended Format.
pub(super) struct Leef {
    /// Version to delimiter.
    pub(super) header: Vec<String>,
    attributes: Vec<(String, String)>,
}

impl Leef {
    pub(super) fn parse(text: &str) -> Self {
        let rest = text.strip_prefix("LEEF:").expect("the format's name");
        let mut parts = rest.splitn(7, '|');
        let header: Vec<String> = parts.by_ref().take(6).map(str::to_owned).collect();
        assert_eq!(header[5], "x09", "the delimiter");
        let attributes = parts.next().expect("attributes");
        let pairs = attributes.split('\t').map(|pair| {
            let (key, value) = pair.split_once('=').expect("a key and a value");
            assert!(!key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()), "{key:?}");
            (key.to_owned(), value.to_owned())
        });
        Self { header, attributes: pairs.collect() }
    }

    pub(super) fn value(&self, key: &str) -> Option<&str> {
        value(&self.attributes, key)
    }

    pub(super) fn keys(&self) -> usize {
        self.attributes.len()
    }
}

/// A syslog message.
pub(super) struct Syslog {
    pub(super) priority: u8,
    /// TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID.
    pub(super) fields: Vec<String>,
    elements: Vec<(String, Vec<(String, String)>)>,
    pub(super) message: String,
}

impl Syslog {
    pub(super) fn parse(text: &str) -> Self {
        let rest = text.strip_prefix('<').expect("a priority");
        let (priority, rest) = rest.split_once('>').expect("a priority's end");
        let priority: u8 = priority.parse().expect("a number");
        assert!(priority <= 191);
        let mut rest = rest.strip_prefix("1 ").expect("version 1");
        let mut fields = Vec::new();
        for max in [32, 255, 48, 128, 32] {
            let (field, behind) = rest.split_once(' ').expect("five fields");
            assert!(!field.is_empty() && field.len() <= max, "{field:?}");
            assert!(field.bytes().all(|byte| byte.is_ascii_graphic()), "{field:?}");
            fields.push(field.to_owned());
            rest = behind;
        }
        let mut elements = Vec::new();
        while let Some(behind) = rest.strip_prefix('[') {
            let (element, behind) = element(behind);
            elements.push(element);
            rest = behind;
        }
        assert!(!elements.is_empty());
        let message = rest.strip_prefix(' ').expect("a space before the message").to_owned();
        Self { priority, fields, elements, message }
    }

    pub(super) fn parameter(&self, element: &str, name: &str) -> Option<String> {
        let (_, parameters) = self.elements.iter().find(|(id, _)| id == element)?;
        value(parameters, name).map(str::to_owned)
    }
}

type Element = (String, Vec<(String, String)>);

/// An element of structured data behind its bracket, and what follows it.
fn element(text: &str) -> (Element, &str) {
    let is_name = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_graphic() && !b"=]\"".contains(&b))
    };
    let end = text.find([' ', ']']).expect("the end of an id");
    let id = &text[..end];
    assert!(is_name(id), "{id:?}");
    let mut rest = &text[end..];
    let mut parameters = Vec::new();
    while let Some(behind) = rest.strip_prefix(' ') {
        let (name, behind) = behind.split_once("=\"").expect("a name and a value");
        assert!(is_name(name), "{name:?}");
        let end = unescaped(behind, '"').expect("a value's end");
        assert!(unescaped(&behind[..end], ']').is_none(), "a bracket in {behind}");
        parameters.push((name.to_owned(), unescape(&behind[..end], "\"\\]")));
        rest = &behind[end + 1..];
    }
    ((id.to_owned(), parameters), rest.strip_prefix(']').expect("an element's end"))
}
