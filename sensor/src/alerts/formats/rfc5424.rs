//! The header of a syslog message (RFC 5424).
//!
//! In: an alert, its number, the facility. Out:
//! `<PRI>1 TIMESTAMP HOSTNAME serval - DETECTOR [meta …][origin …][serval@32473 …] `, whose
//! time is packet time, and behind it the body. There is no byte order mark: receivers that look
//! for `{`, `CEF:` or `LEEF:` at the body's start would miss it. `sequenceId` is the standard's
//! number, which starts again at 1 after 2^31 - 1; `seq` never does.

use std::fmt::Write as _;

use crate::alerts::alert::{Alert, Level};
use crate::alerts::config::Facility;

/// The largest `sequenceId` (RFC 5424, section 7.3.1).
const SEQUENCE_ID_MAX: u64 = 2_147_483_647;

/// Bytes of a HOSTNAME and a MSGID.
const HOSTNAME_MAX: usize = 255;
const MSGID_MAX: usize = 32;

/// What a header needs beside the alert.
#[derive(Clone, Copy, Debug)]
pub(in crate::alerts) struct Header {
    /// The facility.
    pub(in crate::alerts) facility: Facility,
}

/// The whole message: header and body. `left_out` says how many columns the body lacks.
pub(in crate::alerts) fn message(
    header: Header,
    sequence: u64,
    alert: &Alert,
    body: &[u8],
    left_out: usize,
) -> Vec<u8> {
    let priority = (header.facility as u8) * 8 + severity(alert.severity);
    let sequence_id = (sequence.saturating_sub(1)) % SEQUENCE_ID_MAX + 1;
    let mut text = format!(
        "<{priority}>1 {} {} serval - {} [meta sequenceId=\"{sequence_id}\"]\
         [origin software=\"Serval\" swVersion=\"{}\"]\
         [serval@32473 seq=\"{sequence}\" id=\"{}\" severity=\"{}\"",
        timestamp(&alert.ts),
        printable(&alert.sensor, HOSTNAME_MAX),
        printable(&alert.detector, MSGID_MAX),
        env!("CARGO_PKG_VERSION"),
        parameter(&alert.alert_id),
        alert.severity.name(),
    );
    if left_out > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, " leftOut=\"{left_out}\"");
    }
    text.push_str("] ");
    let mut message = text.into_bytes();
    message.extend(body);
    message
}

/// Syslog's severity.
const fn severity(level: Level) -> u8 {
    match level {
        Level::P0 => 2,
        Level::P1 => 3,
        Level::P2 => 4,
        Level::P3 => 5,
    }
}

/// The time as it is, or the sign for none.
fn timestamp(ts: &str) -> &str {
    if ts.parse::<jiff::Timestamp>().is_ok() { ts } else { "-" }
}

/// A header field: printable ASCII without spaces, at most so long, never empty.
fn printable(text: &str, max: usize) -> String {
    let field: String =
        text.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(max).collect();
    if field.is_empty() { "-".to_owned() } else { field }
}

/// A parameter's value: `"`, `\` and `]` are escaped.
fn parameter(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | ']') {
            value.push('\\');
        }
        value.push(c);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_hold_what_the_standard_allows() {
        for (text, expected) in [
            ("edge-1", "edge-1"),
            ("", "-"),
            ("a b\tc", "a_b_c"),
            ("狮子", "__"),
            ("<34>1 x", "<34>1_x"),
        ] {
            assert_eq!(printable(text, 255), expected);
        }
        assert_eq!(printable(&"x".repeat(300), 255).len(), 255);
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(parameter(r#"a"]\b"#), r#"a\"\]\\b"#);
    }

    #[test]
    fn a_time_that_cannot_be_written_is_left_out() {
        let ts = "2026-01-02T03:04:05.678901Z";
        assert_eq!(timestamp(ts), ts);
        assert_eq!(timestamp("253402300800000000"), "-");
    }

    #[test]
    fn the_standards_number_starts_again_at_1() {
        let alert = Alert { detector: "beacon".to_owned(), ..Alert::default() };
        let header = Header { facility: Facility::Local4 };
        let text =
            |sequence| String::from_utf8(message(header, sequence, &alert, b"{}", 0)).unwrap();
        assert!(text(1).contains("[meta sequenceId=\"1\"]"));
        assert!(text(SEQUENCE_ID_MAX).contains("sequenceId=\"2147483647\""));
        assert!(text(SEQUENCE_ID_MAX + 1).contains("sequenceId=\"1\""));
        assert!(text(7).starts_with("<165>1 - - serval - beacon [meta"));
        assert!(text(7).ends_with("severity=\"P3\"] {}"));
    }
}
