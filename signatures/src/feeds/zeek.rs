//! Zeek's intelligence files (Zeek manual, Intelligence Framework): columns between tabs, named by
//! a `#fields` line in any order, `-` for nothing. Names match exactly, as they do in Zeek.

use std::io::BufRead;

use super::{Place, Reading, lines, quoted};
use crate::{Confidence, Key, Kind, Severity, Validity, ValueError};

pub(super) fn read(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    let mut fields: Option<Vec<String>> = None;
    lines::for_each(reading, content, |reading, (number, line)| {
        if let Some(names) = line.strip_prefix("#fields") {
            let names: Vec<String> = names
                .trim_start_matches('\t')
                .split('\t')
                .map(|name| name.trim().to_owned())
                .collect();
            if names.iter().any(|name| name == "indicator")
                && names.iter().any(|name| name == "indicator_type")
            {
                fields = Some(names);
            } else {
                reading.refuse_line(
                    number,
                    "#fields must name indicator and indicator_type, with tabs between names",
                );
            }
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            match &fields {
                Some(fields) => row(reading, fields, (number, line)),
                None => reading.refuse_line(number, "no #fields line before the first row"),
            }
        }
    });
}

fn row(reading: &mut Reading<'_>, fields: &[String], (number, line): lines::Line<'_>) {
    let values: Vec<&str> = line.split('\t').collect();
    if values.len() != fields.len() {
        let reason = format!(
            "{} columns where #fields names {}; columns are parted by one tab each",
            values.len(),
            fields.len()
        );
        return reading.refuse_line(number, reason);
    }
    let of = |name: &str| {
        let at = fields.iter().position(|field| field == name)?;
        values.get(at).copied().filter(|value| !["-", "(empty)", ""].contains(value))
    };
    if of("meta.whitelist") == Some("T") {
        return reading.intake.withheld();
    }
    let (Some(value), Some(word)) = (of("indicator"), of("indicator_type")) else {
        return reading.refuse_line(number, "indicator or indicator_type is empty");
    };
    let key = match key(word, value) {
        Some(key) => key,
        None => {
            let reason = format!("indicator_type {} is not matched on", quoted(word));
            return reading.refuse_line(number, reason);
        }
    };
    let mut context = reading.context();
    context.tags.extend(of("meta.source").map(str::to_owned));
    context.family = of("meta.desc").map(str::to_owned);
    context.reference = of("meta.url").map(str::to_owned);
    context.confidence = of("meta.confidence").and_then(Confidence::parse);
    context.severity = of("meta.severity").and_then(Severity::parse);
    reading.take(key, context, Validity::default(), Place::Line(number));
}

/// None for a type that no analyzer can see, or that is unknown.
fn key(word: &str, value: &str) -> Option<Result<Key, ValueError>> {
    let kind = match word.strip_prefix("Intel::")? {
        "ADDR" => Kind::Address,
        "SUBNET" => Kind::Network,
        "URL" => Kind::Url,
        "DOMAIN" => Kind::Domain,
        "CERT_HASH" => Kind::CertificateSha1,
        "FILE_NAME" => Kind::FileName,
        "SOFTWARE" => Kind::UserAgent,
        "JA3" => Kind::Ja3,
        "JA4" => Kind::Ja4,
        "FILE_HASH" => {
            let kind = match value.len() {
                40 => Kind::FileSha1,
                64 => Kind::FileSha256,
                _ => Kind::FileMd5,
            };
            return Some(Key::parse(kind, value));
        }
        _ => return None,
    };
    Some(Key::parse(kind, value))
}
