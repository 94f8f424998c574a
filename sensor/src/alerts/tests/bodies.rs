//! What readers of each format make of hostile text: it comes back whole, and nothing else comes.

mod ecs;
mod ocsf;
mod readers;

use analyzers::text::escape;

use super::*;
use crate::alerts::config::{Facility, SyslogBody};
use crate::alerts::formats::{self, Format};
use crate::alerts::sinks::Letter;
use readers::{Cef, Leef, Syslog};
use samples::HOSTILE;

/// What the outbox holds of a sample, and its columns.
fn stored(at: u64) -> (Vec<u8>, Alert) {
    let (header, record) = (header(at), sample(at));
    let json = serde_json::to_vec(&RowRef { header: &header, record: &record }).unwrap();
    let alert = Alert::parse(&json).unwrap();
    (json, alert)
}

fn rendered(format: Format, at: u64) -> String {
    let (json, alert) = stored(at);
    let letter = Letter { sequence: at + 1, alert: &alert, json: &json };
    String::from_utf8(format.render(&letter)).unwrap()
}

fn object(format: JsonFormat, at: u64) -> serde_json::Value {
    json(&rendered(Format::Json(format), at))
}

const ALL: [Format; 5] = [
    Format::Json(JsonFormat::Serval),
    Format::Json(JsonFormat::Ecs),
    Format::Json(JsonFormat::Ocsf),
    Format::Cef,
    Format::Leef,
];

/// Every hostile text, with its place in the samples and what is to be read back.
fn hostile() -> impl Iterator<Item = (u64, String)> {
    (0..).zip(HOSTILE.iter().map(|text| escape(text.as_bytes()).into_owned()))
}

#[test]
fn every_column_of_the_table_is_read() {
    let (json, alert) = stored(3);
    let mut columns: serde_json::Map<_, _> = serde_json::from_slice(&json).unwrap();
    assert_eq!(columns.remove("table"), Some("alert".into()));
    let read = serde_json::to_value(&alert).unwrap();
    assert_eq!(read, serde_json::Value::Object(columns));
}

#[test]
fn no_message_holds_a_character_that_could_harm_a_reader() {
    for format in ALL {
        for (at, _) in hostile() {
            let text = rendered(format, at);
            let text = if format == Format::Leef { text.replace('\t', "") } else { text };
            assert_eq!(text, escape(text.as_bytes()), "{format:?}");
        }
    }
}

#[test]
fn json_is_read_back_whole() {
    for (at, text) in hostile() {
        let title = format!("10.0.0.1 looked up {text}");
        let serval = object(JsonFormat::Serval, at);
        assert_eq!(
            (&serval["title"], &serval["indicator"]),
            (&json_text(&title), &json_text(&text))
        );
        let ecs = object(JsonFormat::Ecs, at);
        assert_eq!(ecs["message"], title);
        assert_eq!(ecs["threat"]["enrichments"][0]["indicator"]["name"], text);
        let ocsf = object(JsonFormat::Ocsf, at);
        assert_eq!(ocsf["finding_info"]["title"], title);
        assert_eq!(ocsf["osint"][0]["value"], text);
    }
}

fn json_text(text: &str) -> serde_json::Value {
    text.into()
}

#[test]
fn cef_is_read_back_whole() {
    for (at, text) in hostile() {
        let message = rendered(Format::Cef, at);
        let cef = Cef::parse(&message);
        assert_eq!(cef.header[..3], ["0", "Serval", "Serval"]);
        assert_eq!(cef.header[4..], ["intel", &format!("10.0.0.1 looked up {text}"), "8"]);
        for (key, expected) in [
            ("cs2", text.as_str()),
            ("cs2Label", "indicator"),
            ("cs4", &text),
            ("cs1", "T1071.004,T1568"),
            ("msg", &format!("It asked for {text} and connected to what it got.")),
            ("evidence", "{\"uids\":[\"Cabc\",\"Cdef\"],\"names\":3}"),
            ("src", "10.0.0.1"),
            ("c6a3", "2001:db8::1"),
            ("spt", "40000"),
            ("cn1", &(at + 1).to_string()),
        ] {
            assert_eq!(cef.value(key), Some(expected), "{key} of {message}");
        }
        assert_eq!(cef.keys(), 33, "{message}");
    }
}

#[test]
fn cef_keeps_line_ends_of_our_own_text() {
    let alert = Alert { description: Some("a\r\nb\nc\\=".to_owned()), ..Alert::default() };
    let letter = Letter { sequence: 1, alert: &alert, json: b"{}" };
    let message = String::from_utf8(Format::Cef.render(&letter)).unwrap();
    assert!(message.contains("msg=a\\r\\nb\\nc\\\\\\="), "{message}");
    assert_eq!(Cef::parse(&message).value("msg"), Some("a\r\nb\nc\\="));
}

#[test]
fn leef_is_read_back_whole() {
    for (at, text) in hostile() {
        let message = rendered(Format::Leef, at);
        let leef = Leef::parse(&message);
        assert_eq!(leef.header[..3], ["2.0", "Serval", "Serval"]);
        assert_eq!(leef.header[4], "intel");
        for (key, expected) in [
            ("title", format!("10.0.0.1 looked up {text}")),
            ("indicator", text.clone()),
            ("family", text.clone()),
            ("description", format!("It asked for {text} and connected to what it got.")),
            ("hunt", "SELECT * FROM dns WHERE src_ip = '10.0.0.1'".to_owned()),
            ("devTimeFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSZ".to_owned()),
            ("dst", "2001:db8::1".to_owned()),
            ("seq", (at + 1).to_string()),
        ] {
            assert_eq!(leef.value(key), Some(expected.as_str()), "{key} of {message}");
        }
        assert!(leef.value("devTime").unwrap().ends_with(".000+0000"), "{message}");
        assert_eq!(leef.keys(), 26, "{message}");
    }
}

#[test]
fn syslog_is_read_back_whole_whatever_the_body() {
    for (at, _) in hostile() {
        for body in [SyslogBody::Json, SyslogBody::Cef, SyslogBody::Leef] {
            let body = rendered(Format::of_body(body, JsonFormat::Serval), at);
            let (_, alert) = stored(at);
            let header = formats::Header { facility: Facility::Local4 };
            let message = formats::message(header, at + 1, &alert, body.as_bytes(), 0);
            let syslog = Syslog::parse(str::from_utf8(&message).unwrap());
            assert_eq!(syslog.priority / 8, 20);
            assert_eq!(syslog.priority % 8, [2, 3, 4, 5][usize::try_from(at).unwrap() % 4]);
            let time = format!("2026-01-02T03:04:{:02}.000000Z", 5 + at);
            assert_eq!(syslog.fields, [time.as_str(), "edge-1", "serval", "-", "intel"]);
            assert_eq!(syslog.parameter("meta", "sequenceId"), Some((at + 1).to_string()));
            assert_eq!(syslog.parameter("serval@32473", "seq"), Some((at + 1).to_string()));
            assert_eq!(syslog.parameter("serval@32473", "id"), Some(format!("{at:016x}")));
            assert_eq!(syslog.message, body);
        }
    }
}

#[test]
fn structured_data_survives_an_id_that_tries_to_end_it() {
    let id = "\"] \\ [x y=\"z\"";
    let alert = Alert { alert_id: id.to_owned(), ..Alert::default() };
    let header = formats::Header { facility: Facility::Kern };
    let message = formats::message(header, 1, &alert, b"body", 3);
    let syslog = Syslog::parse(str::from_utf8(&message).unwrap());
    assert_eq!(syslog.parameter("serval@32473", "id"), Some(id.to_owned()));
    assert_eq!(syslog.parameter("serval@32473", "leftOut"), Some("3".to_owned()));
    assert_eq!(syslog.message, "body");
}

#[test]
fn a_message_fits_by_leaving_columns_out_and_never_cuts_a_character() {
    let long = "狮".repeat(5_000);
    let text = Some(long.clone());
    let alert = Alert {
        title: long,
        description: text.clone(),
        hunt: text.clone(),
        evidence: text.clone(),
        indicator: text,
        ts: "2026-01-02T03:04:05.000000Z".to_owned(),
        ..Alert::default()
    };
    let json = serde_json::to_vec(&alert).unwrap();
    let letter = Letter { sequence: 1, alert: &alert, json: &json };
    for format in ALL {
        for bytes in [1_500, 1_501, 1_502, 2_048] {
            let (message, left_out) = format.render_within(&letter, bytes);
            assert!(message.len() <= bytes, "{format:?}: {}", message.len());
            assert!(message.len() > bytes - 12, "{format:?}: the room is used");
            assert_eq!(left_out, 9, "{format:?}");
            let text = String::from_utf8(message).expect("whole characters");
            assert!(text.contains("狮狮狮"), "{text}");
        }
        let (_, left_out) = format.render_within(&letter, 1 << 20);
        assert_eq!(left_out, 0, "nothing is left out where there is room");
    }
    let (message, _) = Format::Json(JsonFormat::Serval).render_within(&letter, 2_000);
    let value = self::json(str::from_utf8(&message).unwrap());
    assert_eq!(value["left_out"].as_array().unwrap().last().unwrap(), "title");
}
