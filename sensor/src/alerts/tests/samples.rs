//! Alerts for tests, with hostile text where a wire could have put it.

use analyzers::alert::AlertRecord;
use analyzers::record::Header;
use analyzers::{Text, Timestamp};

/// Text that breaks what is escaped wrongly.
pub(super) const HOSTILE: [&str; 24] = [
    "plain",
    "a=b|c\\d",
    "\\",
    "\\=",
    "\"]\\",
    "line\r\nbreak\nand\rreturn",
    "tab\tand\u{b}more",
    "\u{1b}[2J\u{1b}]8;;http://x\u{7}",
    "\u{9b}31m\u{85}\u{90}",
    "\u{202e}txt.exe\u{2066}\u{2028}\u{2029}\u{feff}",
    "nul\0byte",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "<script>alert(1)</script>",
    "${jndi:ldap://x/a}",
    "'; DROP TABLE alert; --",
    "%s%n%x",
    "../../etc/passwd",
    "-rf /",
    "<34>1 2026-01-01T00:00:00Z evil su - ID47 - x",
    "17 <34>1 - - - - - -",
    "CEF:0|a|b|c|d|e|10|src=1.2.3.4",
    "LEEF:2.0|a|b|c|d|^|x=1",
    "naïve 狮子 🦁",
];

/// The columns before an alert's own.
pub(super) fn header(at: u64) -> Header {
    Header {
        ts: Timestamp::from_secs_nanos(1_767_323_045 + i64::try_from(at).unwrap(), 0),
        uid: None,
        src_ip: Some("10.0.0.1".parse().unwrap()),
        src_port: Some(40_000),
        dst_ip: Some("2001:db8::1".parse().unwrap()),
        dst_port: Some(443),
        proto: None,
        sensor: Text::from("edge-1"),
    }
}

/// An alert that differs with its number.
pub(super) fn sample(at: u64) -> AlertRecord {
    let hostile = HOSTILE[usize::try_from(at).unwrap() % HOSTILE.len()];
    let wire = |text: &str| Text::wire(text.as_bytes());
    AlertRecord {
        alert_id: Text::from(format!("{at:016x}")),
        detector: "intel",
        title: wire(&format!("10.0.0.1 looked up {hostile}")),
        description: wire(&format!("It asked for {hostile} and connected to what it got.")),
        severity: ["P0", "P1", "P2", "P3"][usize::try_from(at).unwrap() % 4],
        severity_number: 8,
        confidence: 0.75,
        technique: vec![Text::from("T1071.004"), Text::from("T1568")],
        stage: "command_and_control",
        host: Some(Text::from("10.0.0.1")),
        indicator: Some(wire(hostile)),
        indicator_type: Some("domain"),
        family: Some(wire(hostile)),
        intel_source: Some(Text::from("feed.csv")),
        first_ts: header(at).ts,
        last_ts: header(at + 60).ts,
        count: 7,
        evidence: Text::from("{\"uids\":[\"Cabc\",\"Cdef\"],\"names\":3}"),
        hunt: Some(Text::from("SELECT * FROM dns WHERE src_ip = '10.0.0.1'")),
        incident: None,
    }
}
