//! What a row shows that could be known to be bad, by what its columns stand for.
//!
//! In: a row of any table. Out: observables, each with the column in which it stood. No protocol is
//! known here: a column's [`Meaning`] is all that counts.

use analyzers::record::Meaning;
use analyzers::{Column, Record, Row, Text, Value};
use signatures::Observable;

use crate::enrich::names::{address_in, without_port};

/// Shows every observable of a row.
pub fn observables(record: &dyn Record, see: &mut dyn FnMut(Observable<'_>, &'static Column)) {
    let columns = record.table().columns;
    if columns.iter().any(|column| column.meaning != Meaning::Plain) {
        record.cells(&mut Walk { columns: columns.iter(), host: Vec::new(), see });
    }
}

/// Walks a row's cells beside its columns.
struct Walk<'a> {
    columns: std::slice::Iter<'static, Column>,
    /// The host of a request, which completes its target to a URL.
    host: Vec<u8>,
    see: &'a mut dyn FnMut(Observable<'_>, &'static Column),
}

impl Row for Walk<'_> {
    fn put(&mut self, value: Value<'_>) {
        let Some(column) = self.columns.next() else { return };
        if column.meaning == Meaning::Plain {
            return;
        }
        match value {
            Value::Text(text) => self.text(text.as_bytes(), column),
            Value::Str(text) => self.text(text.as_bytes(), column),
            Value::TextList(texts) => {
                texts.iter().map(Text::as_bytes).for_each(|text| self.text(text, column));
            }
            _ => {}
        }
    }
}

impl Walk<'_> {
    fn text(&mut self, text: &[u8], column: &'static Column) {
        let observable = match column.meaning {
            Meaning::Domain => return self.host(text, column),
            Meaning::Url => return self.url(text, column),
            Meaning::CertificateSha1 => Observable::CertificateSha1(text),
            Meaning::CertificateSha256 => Observable::CertificateSha256(text),
            Meaning::FileSha256 => Observable::FileSha256(text),
            Meaning::Ja3 => Observable::Ja3(text),
            Meaning::Ja4 => Observable::Ja4(text),
            Meaning::FileName => Observable::FileName(text),
            Meaning::UserAgent => Observable::UserAgent(text),
            Meaning::Plain
            | Meaning::Identifier
            | Meaning::Address
            | Meaning::ServerFingerprint => return,
        };
        (self.see)(observable, column);
    }

    fn host(&mut self, text: &[u8], column: &'static Column) {
        let name = without_port(text);
        self.host = text.to_vec();
        match address_in(name) {
            Some(address) => (self.see)(Observable::Address(address), column),
            None => (self.see)(Observable::Domain(name), column),
        }
    }

    /// A whole URL as it stands, a target of a request behind its host.
    fn url(&mut self, text: &[u8], column: &'static Column) {
        if text.starts_with(b"/") {
            if !self.host.is_empty() {
                let url = [b"http://", &self.host[..], text].concat();
                (self.see)(Observable::Url(&url), column);
            }
        } else {
            (self.see)(Observable::Url(text), column);
        }
    }
}

#[cfg(test)]
mod tests {
    use analyzers::record;

    use super::*;

    record! {
        /// A row with a value of every sort.
        struct Sample: "sample" {
            /// A host.
            host: Option<Text> as Domain,
            /// A target.
            uri: Option<Text> as Url,
            /// A page.
            referrer: Option<Text> as Url,
            /// Answers.
            answers: Option<Vec<Text>> as Domain,
            /// A number.
            number: u16,
            /// A fingerprint.
            ja4: Option<String> as Ja4,
            /// Words.
            words: Option<Text>,
        }
    }

    #[test]
    fn columns_say_what_their_values_are() {
        let text = |text: &str| Some(Text::from(text.to_owned()));
        let sample = Sample {
            host: text("evil.example:8080"),
            uri: text("/gate.php"),
            referrer: text("https://other.example/"),
            answers: Some(vec![Text::Word("192.0.2.1"), Text::Word("cname.example")]),
            number: 7,
            ja4: Some("t13d".to_owned()),
            words: text("nothing.example"),
        };
        let mut seen = Vec::new();
        observables(&sample, &mut |observable, column| {
            seen.push(format!("{} {observable:?}", column.name));
        });
        let bytes = |text: &str| format!("{:?}", text.as_bytes());
        assert_eq!(
            seen,
            [
                format!("host Domain({})", bytes("evil.example")),
                format!("uri Url({})", bytes("http://evil.example:8080/gate.php")),
                format!("referrer Url({})", bytes("https://other.example/")),
                "answers Address(192.0.2.1)".to_owned(),
                format!("answers Domain({})", bytes("cname.example")),
                format!("ja4 Ja4({})", bytes("t13d")),
            ]
        );
    }
}
