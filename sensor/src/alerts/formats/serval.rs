//! Serval's own JSON: the columns of the alert table, as `serval schema --format json` describes
//! them, behind `seq`, the alert's number in this sensor's outbox.

use serde::Serialize;

use crate::alerts::alert::Alert;
use crate::alerts::sinks::Letter;

/// All columns, as the outbox holds them.
pub(super) fn whole(letter: &Letter<'_>) -> Vec<u8> {
    let mut line = format!("{{\"seq\":{},", letter.sequence).into_bytes();
    line.extend(letter.json.strip_prefix(b"{").unwrap_or(letter.json));
    line
}

/// An alert of which some columns were left out, and which.
#[derive(Serialize)]
struct Shortened<'a> {
    seq: u64,
    table: &'static str,
    #[serde(flatten)]
    alert: &'a Alert,
    left_out: &'a [&'static str],
}

/// The columns that are left.
pub(super) fn shortened(sequence: u64, alert: &Alert, left_out: &[&'static str]) -> Vec<u8> {
    let shortened = Shortened { seq: sequence, table: "alert", alert, left_out };
    // Strings, numbers and lists of them: nothing that could fail.
    serde_json::to_vec(&shortened).unwrap_or_default()
}
