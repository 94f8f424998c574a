//! The sensor's alert about itself: others are being lost.
//!
//! In: how many were shed. Out: an alert to be raised like any other. It is `P1`, so that it is not
//! what is shed next.

use analyzers::{AlertRecord, Text, Timestamp};
use serde_json::json;

/// An alert that says that so many alerts were shed until `at`, which is packet time.
#[must_use]
pub fn shed_alert(shed: u64, at: Timestamp) -> AlertRecord {
    let title = format!("{shed} alerts were lost because the outbox is full");
    let description = "A sink has not taken alerts for so long, or so many came, that the outbox \
                       reached its bound. The oldest of the least severe alerts were dropped; the \
                       archive has them all. Look at the sink, or raise `[alerts] outbox`.";
    AlertRecord {
        alert_id: Text::from(format!("alerts-shed-{shed}")),
        detector: "delivery",
        title: Text::from(title),
        description: Text::from(description),
        severity: "P1",
        severity_number: 8,
        confidence: 1.0,
        technique: Vec::new(),
        stage: "none",
        host: None,
        indicator: None,
        indicator_type: None,
        family: None,
        intel_source: None,
        first_ts: at,
        last_ts: at,
        count: i64::try_from(shed).unwrap_or(i64::MAX),
        evidence: Text::from(json!({ "shed": shed }).to_string()),
        hunt: Some(Text::from("SELECT * FROM alert ORDER BY ts DESC LIMIT 100")),
        incident: None,
    }
}
