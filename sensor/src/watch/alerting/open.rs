//! One alert while it is open: what is known by now, and what was told of it.

use std::net::IpAddr;

use analyzers::record::Header;
use analyzers::{AlertRecord, Finding, Text, Timestamp};
use serde_json::{Value, json};

use super::super::judge::Telling;
use super::{Grade, Notice};

/// Peers that an alert's evidence lists.
const PEERS_LISTED: usize = 50;

/// A rise of confidence that is worth another message.
const CONFIDENCE_STEP: f64 = 0.1;

/// What one alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) detector: &'static str,
    pub(super) host: IpAddr,
    pub(super) text: Text,
}

impl Key {
    pub(super) fn of(finding: &Finding) -> Self {
        Self { detector: finding.detector, host: finding.host, text: finding.key.clone() }
    }
}

/// What was last told.
#[derive(Clone, Copy, Debug)]
struct Told {
    grade: Grade,
    count: u64,
}

/// An open alert.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: Text,
    pub(super) incident: Option<Text>,
    /// When its window ends.
    pub(super) closes: Timestamp,
    pub(super) telling: Telling,
    finding: Option<Finding>,
    grade: Grade,
    told: Option<Told>,
}

impl Open {
    pub(super) fn new(closes: Timestamp) -> Self {
        Self {
            id: Text::Word(""),
            incident: None,
            closes,
            telling: Telling::Aloud,
            finding: None,
            grade: Grade::default(),
            told: None,
        }
    }

    /// Takes what the detector says by now; the first id stays.
    pub(super) fn update(
        &mut self,
        id: Text,
        mut finding: Finding,
        grade: Grade,
        telling: Telling,
    ) {
        self.telling = telling;
        match &self.finding {
            None => self.id = id,
            Some(known) => finding.first = finding.first.min(known.first),
        }
        self.finding = Some(finding);
        self.grade = grade;
    }

    pub(super) fn confidence(&self) -> f64 {
        self.grade.confidence
    }

    pub(super) const fn was_told(&self) -> bool {
        self.told.is_some()
    }

    /// There is something to say.
    pub(super) const fn is_known(&self) -> bool {
        self.finding.is_some()
    }

    /// New, and too bad to wait.
    pub(super) fn is_urgent(&self) -> bool {
        self.told.is_none() && self.grade.severity.is_major()
    }

    /// Told before, and worse by now.
    pub(super) fn has_grown(&self) -> bool {
        let (Some(told), Some(finding)) = (self.told, &self.finding) else { return false };
        self.grade.severity > told.grade.severity
            || self.grade.confidence - told.grade.confidence >= CONFIDENCE_STEP
            || finding.count >= told.count.saturating_mul(2).max(2)
    }

    pub(super) fn mark_told(&mut self) {
        let count = self.finding.as_ref().map_or(0, |finding| finding.count);
        self.told = Some(Told { grade: self.grade, count });
    }

    /// The alert as it is by now.
    pub(super) fn notice(&self, sensor: &Text) -> Notice {
        let finding = self.finding.as_ref();
        let flow = finding.and_then(|finding| finding.flows.first());
        let first = finding.map_or(Timestamp::MIN, |finding| finding.first);
        let header = Header {
            ts: first,
            uid: flow.map(|flow| flow.uid),
            src_ip: flow.map(|flow| flow.src.ip),
            src_port: flow.map(|flow| flow.src.port),
            dst_ip: flow.map(|flow| flow.dst.ip),
            dst_port: flow.map(|flow| flow.dst.port),
            proto: flow.map(|flow| flow.transport),
            sensor: sensor.clone(),
        };
        Notice { header, record: self.record(first) }
    }

    fn record(&self, first: Timestamp) -> AlertRecord {
        let finding = self.finding.as_ref();
        let text = |of: fn(&Finding) -> &Text| finding.map_or(Text::Word(""), |f| of(f).clone());
        let indicator = finding.and_then(|finding| finding.indicator.as_ref());
        let said = indicator.and_then(|indicator| indicator.technique);
        let own = finding.map(|finding| finding.techniques.iter().copied()).into_iter().flatten();
        let mut techniques: Vec<String> =
            said.into_iter().chain(own).map(|technique| technique.to_string()).collect();
        techniques.dedup();
        AlertRecord {
            alert_id: self.id.clone(),
            detector: finding.map_or("", |finding| finding.detector),
            title: text(|finding| &finding.title),
            description: text(|finding| &finding.description),
            severity: self.grade.severity.level(),
            severity_number: self.grade.severity.number(),
            confidence: (self.grade.confidence * 1_000.0).round() / 1_000.0,
            technique: techniques.into_iter().map(Text::from).collect(),
            stage: finding.map_or("", |finding| finding.stage.name()),
            host: finding.map(|finding| Text::from(finding.host.to_string())),
            indicator: indicator.map(|indicator| indicator.value.clone()),
            indicator_type: indicator.map(|indicator| indicator.kind),
            family: indicator.and_then(|indicator| indicator.family.clone()),
            intel_source: indicator.map(|indicator| indicator.source.clone()),
            first_ts: first,
            last_ts: finding.map_or(first, |finding| finding.last.max(first)),
            count: finding.map_or(0, |f| i64::try_from(f.count).unwrap_or(i64::MAX)),
            evidence: Text::from(finding.map(evidence).unwrap_or_default().to_string()),
            hunt: finding.filter(|f| !f.hunt.is_empty()).map(|f| Text::from(f.hunt.clone())),
            incident: self.incident.clone(),
        }
    }
}

/// What every alert carries beside the detector's own figures.
fn evidence(finding: &Finding) -> Value {
    let mut evidence: serde_json::Map<String, Value> =
        finding.evidence.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    if !finding.key.as_bytes().is_empty() {
        evidence.insert("key".to_owned(), json!(finding.key.escaped()));
    }
    let uids: Vec<String> = finding.flows.uids().map(|uid| uid.to_string()).collect();
    evidence.insert("uids".to_owned(), json!(uids));
    let peers: Vec<&IpAddr> = finding.peers.iter().take(PEERS_LISTED).collect();
    if !peers.is_empty() {
        evidence.insert("peers".to_owned(), json!(peers));
    }
    if finding.peers.len() > PEERS_LISTED {
        evidence.insert("peers_total".to_owned(), json!(finding.peers.len()));
    }
    Value::Object(evidence)
}
