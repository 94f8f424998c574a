//! The allow-list's word about findings of behaviour: silenced, lowered or tagged.
//!
//! In: a finding, the matcher of the moment. Out: the finding, changed by the verdict, and whether
//! it is told. Nothing is lost: a silenced alert is archived and names the entry that silenced it.

use analyzers::{Confidence, Finding, Timestamp};
use serde_json::{Value, json};
use signatures::Matcher;
use signatures::allow::{Mode, Party, Subject};

/// Whether an alert is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    /// To every sink.
    #[default]
    Aloud,
    /// To the archive only.
    Silent,
}

/// What a lowered finding keeps of its confidence.
const LOWERED: f64 = 0.5;

/// Asks the allow-list about a finding.
pub fn judge(matcher: &Matcher, finding: &mut Finding, at: Timestamp) -> Telling {
    let text = |name: &str| finding.evidence.get(name).and_then(Value::as_str);
    let flow = finding.flows.first();
    let protocol = flow.map(|flow| flow.transport.to_string());
    let name = finding.key.as_bytes();
    let subject = Subject {
        detector: finding.detector,
        confidence: percent(finding.confidence),
        src: Party { address: flow.map(|flow| flow.src.ip), ..Party::default() },
        dst: Party {
            address: flow.map(|flow| flow.dst.ip),
            name: (!name.is_empty()).then_some(name),
            ..Party::default()
        },
        port: flow.map(|flow| flow.dst.port),
        protocol: protocol.as_deref(),
        user: text("user").map(str::as_bytes),
        user_agent: text("user_agent").map(str::as_bytes),
        ja4: text("ja4").map(str::as_bytes),
        observable: None,
    };
    let Some(verdict) = matcher.allow.judge(&subject, at) else { return Telling::Aloud };
    let id = matcher.allow.rule(verdict.id).map(|rule| rule.id.clone());
    match verdict.mode {
        Mode::Suppress => {
            finding.evidence.insert("suppressed_by", json!(id));
            return Telling::Silent;
        }
        Mode::Lower => {
            finding.confidence *= LOWERED;
            finding.evidence.insert("lowered_by", json!(id));
        }
        Mode::Tag => {
            finding.evidence.insert("tagged_by", json!(id));
        }
    }
    Telling::Aloud
}

fn percent(confidence: f64) -> Option<Confidence> {
    (0..=100_u8)
        .rev()
        .find(|&percent| f64::from(percent) <= confidence * 100.0)
        .and_then(Confidence::from_percent)
}
