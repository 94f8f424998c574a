//! JSON feeds: a MISP event or a STIX bundle, told apart by their first keys. Read whole, up to a
//! bound.

use std::io::{BufRead, Read as _};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Format, Place, Reading, misp, stix};
use crate::limits;

/// What stands at the top of a file.
#[derive(Deserialize)]
struct Top {
    #[serde(rename = "Event")]
    event: Option<IgnoredAny>,
    response: Option<IgnoredAny>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(super) fn read(reading: &mut Reading<'_>, content: &mut dyn BufRead) {
    let mut bytes = Vec::new();
    if let Err(error) = content.take(limits::JSON_BYTES + 1).read_to_end(&mut bytes) {
        return reading.lose(Place::File, format!("cannot be read: {error}"));
    }
    if bytes.len() as u64 > limits::JSON_BYTES {
        let most = limits::JSON_BYTES;
        return reading.lose(Place::File, format!("JSON longer than {most} bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let top: Top = match serde_json::from_slice(bytes) {
        Ok(top) => top,
        Err(error) => return refuse(reading, &error),
    };
    let is_misp = top.event.is_some() || top.response.is_some();
    let is_stix = top.kind.as_deref() == Some("bundle");
    match reading.feed.format {
        None | Some(Format::Misp) if is_misp => misp::event(reading, bytes),
        None | Some(Format::Stix) if is_stix => stix::bundle(reading, bytes),
        Some(Format::Misp) => {
            reading.lose(Place::File, "JSON without a MISP Event".to_owned());
        }
        Some(Format::Stix) => {
            reading.lose(Place::File, "JSON that is no STIX bundle".to_owned());
        }
        _ => {
            let reason = "JSON, but neither a MISP event nor a STIX bundle";
            reading.lose(Place::File, reason.to_owned());
        }
    }
}

/// Refuses what is not the JSON that it should be; the parser knows the line.
pub(super) fn refuse(reading: &mut Reading<'_>, error: &serde_json::Error) {
    let line = u32::try_from(error.line()).ok().filter(|&line| line > 0);
    reading.lose(line.map_or(Place::File, Place::Line), format!("JSON: {error}"));
}
