//! The export as a feed of our own: a table that `signatures` reads, quoted by RFC 4180.

use std::fmt::Write as _;

use super::{Confirmed, instant};
use signatures::Kind;

const HEADER: &str = "type,value,family,confidence,severity,stage,technique,valid_from,valid_until,\
                      tags,reference\n";

/// The table.
pub(super) fn table(confirmed: &[Confirmed], sensor: &str) -> String {
    let mut out = HEADER.to_owned();
    for one in confirmed {
        let value = one.key.to_string();
        let fields = [
            one.key.kind().name().to_owned(),
            // Without a scheme, a URL of a host alone would be taken for something else.
            if one.key.kind() == Kind::Url { format!("http://{value}") } else { value },
            one.family.clone().unwrap_or_default(),
            one.percent().to_string(),
            one.severity.clamp(1, 10).to_string(),
            one.stage.map(|stage| stage.name().to_owned()).unwrap_or_default(),
            one.technique.map(|technique| technique.to_string()).unwrap_or_default(),
            instant(one.first),
            one.until().map(instant).unwrap_or_default(),
            one.sources.iter().cloned().collect::<Vec<_>>().join(";"),
            format!("{} sightings on {} hosts by {sensor}", one.count, one.hosts.len()),
        ];
        let quoted = fields.map(|field| quoted(&field));
        let _ = writeln!(out, "{}", quoted.join(","));
    }
    out
}

/// One line whatever stands in it: a row is a line.
fn quoted(field: &str) -> String {
    let plain = field.replace(['\r', '\n'], " ");
    if plain.contains([',', '"', ';']) || plain.starts_with([' ', '#']) {
        format!("\"{}\"", plain.replace('"', "\"\""))
    } else {
        plain
    }
}
