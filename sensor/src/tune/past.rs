//! Alerts of the past, each with all that was told of it.
//!
//! In: rows of alerts. Out: one [`Past`] for each id, in the order of time.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::alerts::raised::AlertRow;
use crate::watch::incident;

/// One alert.
#[derive(Debug)]
pub(super) struct Past {
    /// What was told of it, in order; never empty.
    pub(super) tellings: Vec<Telling>,
}

/// What was told of an alert at one time.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) row: AlertRow,
    /// Its evidence.
    pub(super) figures: Map<String, Value>,
}

impl Telling {
    fn of(row: AlertRow) -> Self {
        let figures = row.figures();
        Self { row, figures }
    }

    /// A text of its evidence.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.figures.get(name).and_then(Value::as_str)
    }
}

impl Past {
    /// As it was told last.
    pub(super) fn latest(&self) -> &AlertRow {
        &self.last().row
    }

    pub(super) fn last(&self) -> &Telling {
        // There is one at least, by `pasts`.
        &self.tellings[self.tellings.len() - 1]
    }

    pub(super) fn detector(&self) -> &str {
        &self.latest().detector
    }

    /// Whether it sums up others.
    pub(super) fn is_incident(&self) -> bool {
        self.detector() == incident::DETECTOR
    }

    /// The incident that it belongs to.
    pub(super) fn incident(&self) -> Option<&str> {
        self.tellings.iter().rev().find_map(|telling| telling.row.incident.as_deref())
    }

    /// Its highest severity, 1 to 10.
    pub(super) fn severity(&self) -> u8 {
        self.tellings.iter().map(|telling| telling.row.severity_number).max().unwrap_or(0)
    }

    /// Its highest confidence.
    pub(super) fn confidence(&self) -> f64 {
        self.tellings.iter().map(|telling| telling.row.confidence).fold(0.0, f64::max)
    }

    /// P0 or P1.
    pub(super) fn is_major(&self) -> bool {
        analyzers::Severity::from_number(self.severity()).is_some_and(|worst| worst.is_major())
    }
}

/// Puts together what was told of the same alert.
pub(super) fn pasts(rows: Vec<AlertRow>) -> Vec<Past> {
    let mut by_id: BTreeMap<String, Vec<Telling>> = BTreeMap::new();
    for row in rows {
        by_id.entry(row.alert_id.clone()).or_default().push(Telling::of(row));
    }
    let mut pasts: Vec<Past> = by_id
        .into_values()
        .map(|mut tellings| {
            tellings.sort_by_key(|telling| (telling.row.last, telling.row.count));
            Past { tellings }
        })
        .collect();
    pasts.sort_by_key(|past| past.tellings.iter().map(|telling| telling.row.first).min());
    pasts
}
