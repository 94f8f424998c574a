//! The answers for machines.
//!
//! In: groups and proposals, or a trial. Out: one JSON object.

use serde_json::{Map, Value, json};

use super::cost::Cost;
use super::groups::Groups;
use super::past::Past;
use super::trial::Trial;
use super::{Proposals, TuneError, View};

/// Groups and proposals.
pub(super) fn proposals(
    view: &View<'_>,
    groups: &Groups,
    proposals: &Proposals<'_>,
) -> Result<String, TuneError> {
    let mut by: Map<String, Value> = groups
        .by
        .iter()
        .map(|(name, counts)| {
            let counts =
                counts.iter().map(|(value, count)| json!({"value": value, "alerts": count}));
            ((*name).to_owned(), counts.collect())
        })
        .collect();
    by.insert("hour".to_owned(), json!(groups.hours));
    let entries = proposals
        .entries
        .iter()
        .map(|entry| json!({"what": entry.words, "toml": entry.text, "cost": cost(&entry.cost)}));
    let knobs = proposals.knobs.iter().map(|knob| {
        json!({
            "set": knob.assignments, "now": knob.now, "toml": knob.text,
            "unclear": knob.unclear, "cost": cost(&knob.cost),
        })
    });
    written(&json!({
        "told": view.told.len(),
        "silent": view.silent,
        "groups": by,
        "entries": entries.collect::<Value>(),
        "thresholds": knobs.collect::<Value>(),
    }))
}

/// What a candidate does.
pub(super) fn trial(trial: &Trial<'_>) -> Result<String, TuneError> {
    let with_reason = |pasts: &[(&Past, super::setting::Reason)]| -> Value {
        let with = |(past, reason): &(&Past, super::setting::Reason)| {
            let mut alert = alert(past);
            alert["reason"] = json!(reason.words());
            alert
        };
        pasts.iter().map(with).collect()
    };
    written(&json!({
        "candidate": trial.name,
        "silenced": with_reason(&trial.silenced),
        "unclear": with_reason(&trial.unclear),
        "stay": trial.stay.iter().map(|past| alert(past)).collect::<Value>(),
        "cost": cost(&trial.cost),
    }))
}

fn cost(cost: &Cost<'_>) -> Value {
    let ids = |pasts: &[&Past]| -> Value {
        pasts.iter().map(|past| Value::from(past.latest().alert_id.as_str())).collect()
    };
    let incidents = cost.incidents.iter().map(|loss| {
        json!({
            "incident": loss.id, "title": loss.title, "lost": loss.lost, "parts": loss.parts,
            "is_lost": loss.is_total(),
        })
    });
    json!({
        "silences": cost.silenced.len(),
        "alerts": ids(&cost.silenced),
        "severest": cost.severest.map(alert),
        "highest_confidence": cost.surest,
        "major": ids(&cost.major),
        "incidents": incidents.collect::<Value>(),
        "muted_detectors": cost.muted,
    })
}

fn alert(past: &Past) -> Value {
    let row = past.latest();
    json!({
        "alert_id": row.alert_id, "detector": row.detector, "severity": row.severity,
        "severity_number": past.severity(), "confidence": past.confidence(), "host": row.host,
        "title": row.title, "incident": past.incident(),
    })
}

fn written(value: &Value) -> Result<String, TuneError> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
