//! The shapes in which SIEMs want alerts: one declaration each.
//!
//! In: an alert and its number. Out: bytes of one message, without a newline in it.

mod cef;
mod ecs;
mod leef;
mod ocsf;
mod rfc5424;
mod serval;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::alert::Alert;
use super::config::SyslogBody;
use super::sinks::Letter;
pub(super) use rfc5424::{Header, message};

/// A shape of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonFormat {
    /// The columns of the alert table, as `serval schema --format json` describes them.
    #[default]
    Serval,
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework: Detection Finding.
    Ocsf,
}

/// A shape of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON.
    Json(JsonFormat),
    /// Common Event Format.
    Cef,
    /// Log Event Extended Format.
    Leef,
}

impl Format {
    /// Of a syslog message's body.
    pub(super) const fn of_body(body: SyslogBody, json: JsonFormat) -> Self {
        match body {
            SyslogBody::Json => Self::Json(json),
            SyslogBody::Cef => Self::Cef,
            SyslogBody::Leef => Self::Leef,
        }
    }

    /// The message, without a newline.
    pub(super) fn render(self, letter: &Letter<'_>) -> Vec<u8> {
        match self {
            // What the outbox holds may have columns that this version does not know.
            Self::Json(JsonFormat::Serval) => serval::whole(letter),
            _ => self.render_columns(letter.sequence, letter.alert, &[]),
        }
    }

    /// The message in at most `bytes`, where that is possible, and how many columns were left out.
    pub(super) fn render_within(self, letter: &Letter<'_>, bytes: usize) -> (Vec<u8>, usize) {
        let whole = self.render(letter);
        if whole.len() <= bytes {
            return (whole, 0);
        }
        letter
            .alert
            .fit(bytes, |alert, left_out| self.render_columns(letter.sequence, alert, left_out))
    }

    fn render_columns(self, sequence: u64, alert: &Alert, left_out: &[&'static str]) -> Vec<u8> {
        match self {
            Self::Json(JsonFormat::Serval) => serval::shortened(sequence, alert, left_out),
            Self::Json(JsonFormat::Ecs) => text(&ecs::object(sequence, alert, left_out)),
            Self::Json(JsonFormat::Ocsf) => text(&ocsf::object(sequence, alert, left_out)),
            Self::Cef => cef::message(sequence, alert),
            Self::Leef => leef::message(sequence, alert),
        }
    }
}

fn text(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

/// The value without what is null or empty.
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, member)| (name, pruned(member)));
            members.filter(|(_, member)| !is_empty(member)).collect()
        }
        Value::Array(items) => {
            items.into_iter().map(pruned).filter(|item| !is_empty(item)).collect()
        }
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}
