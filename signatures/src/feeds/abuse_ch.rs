//! The lists of abuse.ch: URLhaus, ThreatFox, Feodo Tracker, SSLBL (certificates, JA3). Which one
//! it is, and in which order its columns come, its header says: a comment in all but Feodo's,
//! where it is the first row. Columns come and go over the years, so they are found by name.
//!
//! The time at which abuse.ch saw something first is no time before which it was harmless: it does
//! not bound validity.

use std::io::BufRead;

use super::csv::{Header, Row, tags};
use super::{Place, Reading, lines, quoted};
use crate::{Confidence, Context, Key, Kind, Severity, Stage, Technique, Validity, ValueError};

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    UrlHaus,
    ThreatFox,
    Feodo,
    Certificates,
    Ja3,
}

impl List {
    fn of(header: &Header) -> Option<Self> {
        let has = |names: &[&str]| names.iter().all(|name| header.has(name));
        if has(&["url", "url_status", "threat"]) {
            Some(Self::UrlHaus)
        } else if has(&["ioc_value", "ioc_type", "threat_type"]) {
            Some(Self::ThreatFox)
        } else if has(&["dst_ip", "dst_port", "malware"]) {
            Some(Self::Feodo)
        } else if has(&["listingdate", "sha1", "listingreason"]) {
            Some(Self::Certificates)
        } else if has(&["ja3_md5", "listingreason"]) {
            Some(Self::Ja3)
        } else {
            None
        }
    }
}

/// Whether a line is the header of one of the lists.
pub(super) fn is_header(line: &str) -> bool {
    line.contains(',') && Header::parse(line).as_ref().and_then(List::of).is_some()
}

pub(super) fn read(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    let mut list: Option<(List, Header)> = None;
    lines::for_each(reading, content, |reading, (number, line)| {
        if line.trim().is_empty() {
            return;
        }
        if list.is_none()
            && let Some(header) = Header::parse(line)
        {
            list = List::of(&header).map(|list| (list, header));
            if list.is_some() {
                return;
            }
        }
        match &list {
            _ if line.starts_with('#') => {}
            None => {
                reading.refuse_line(number, "no header of an abuse.ch list before the first row")
            }
            Some((list, header)) => match header.row(line) {
                Ok(row) => take(reading, *list, &row, number),
                Err(reason) => reading.refuse_line(number, reason),
            },
        }
    });
}

fn take(reading: &mut Reading<'_>, list: List, row: &Row<'_>, number: u32) {
    let mut context = reading.context();
    let key = match list {
        List::UrlHaus => url_haus(row, &mut context),
        List::ThreatFox => threat_fox(row, &mut context),
        List::Feodo => feodo(row, &mut context),
        List::Certificates => certificate(row, &mut context),
        List::Ja3 => ja3(row, &mut context),
    };
    match key {
        Ok(key) => reading.take(Ok(key), context, Validity::default(), Place::Line(number)),
        Err(reason) => reading.refuse_line(number, reason),
    }
}

type Parsed = Result<Key, String>;

fn parse(kind: Kind, value: Option<&str>) -> Parsed {
    let value = value.ok_or_else(|| ValueError::Empty.to_string())?;
    Key::parse(kind, value).map_err(|error| format!("{}: {error}", quoted(value)))
}

fn url_haus(row: &Row<'_>, context: &mut Context) -> Parsed {
    context.stage = Some(Stage::CommandAndControl);
    context.technique = Some(Technique::new(1105, 0));
    context.severity = Some(Severity::HIGH);
    context.tags = tags(row.of("tags").filter(|tags| *tags != "None").unwrap_or_default());
    context.tags.extend(row.of("threat").map(str::to_owned));
    context.reference = row.of("urlhaus_link").map(str::to_owned);
    parse(Kind::Url, row.of("url"))
}

fn threat_fox(row: &Row<'_>, context: &mut Context) -> Parsed {
    let said = |name| row.of(name).filter(|value| !["None", "null"].contains(value));
    (context.stage, context.technique) = match said("threat_type") {
        Some("botnet_cc" | "cc_skimming") => {
            (Some(Stage::CommandAndControl), Some(Technique::new(1071, 0)))
        }
        Some("payload_delivery") => (Some(Stage::InitialAccess), Some(Technique::new(1105, 0))),
        _ => (None, None),
    };
    context.family = said("malware_printable").or(said("fk_malware")).map(str::to_owned);
    context.confidence = said("confidence_level").and_then(Confidence::parse);
    context.reference = said("reference").map(str::to_owned);
    context.tags = tags(said("tags").unwrap_or_default());
    let word = said("ioc_type").ok_or("ioc_type is empty")?;
    let kind =
        Kind::parse(word).ok_or_else(|| format!("ioc_type {} is not matched on", quoted(word)))?;
    parse(kind, said("ioc_value"))
}

fn feodo(row: &Row<'_>, context: &mut Context) -> Parsed {
    context.stage = Some(Stage::CommandAndControl);
    context.technique = Some(Technique::new(1071, 0));
    context.severity = Some(Severity::HIGH);
    context.family = row.of("malware").map(str::to_owned);
    context.tags.extend(row.of("c2_status").map(str::to_owned));
    let address = row.of("dst_ip").ok_or("dst_ip is empty")?;
    let port = row.of("dst_port").ok_or("dst_port is empty")?;
    let endpoint = match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    };
    parse(Kind::Endpoint, Some(&endpoint))
}

fn certificate(row: &Row<'_>, context: &mut Context) -> Parsed {
    context.stage = Some(Stage::CommandAndControl);
    context.technique = Some(Technique::new(1573, 0));
    context.severity = Some(Severity::HIGH);
    context.family = row.of("listingreason").map(family);
    parse(Kind::CertificateSha1, row.of("sha1"))
}

/// The list is frozen since 2021 and its fingerprints are shared with harmless programs.
fn ja3(row: &Row<'_>, context: &mut Context) -> Parsed {
    context.stage = Some(Stage::CommandAndControl);
    context.technique = Some(Technique::new(1573, 0));
    context.severity = Some(Severity::LOW);
    context.confidence = Confidence::from_percent(25);
    context.family = row.of("listingreason").map(family);
    parse(Kind::Ja3, row.of("ja3_md5"))
}

/// `Dridex C&C` is Dridex.
fn family(reason: &str) -> String {
    let reason = reason.trim();
    reason.strip_suffix(" C&C").unwrap_or(reason).to_owned()
}
