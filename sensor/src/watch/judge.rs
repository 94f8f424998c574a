//! The allow-list's word about findings of behaviour: silenced, lowered or tagged.
//!
//! In: a finding, the matcher of the moment. Out: the finding, changed by the verdict, and whether
//! it is told. Nothing is lost: a silenced alert is archived and names the entry that silenced it.
//! [`Asked`] is what the allow-list is asked about a finding, or about an alert of the past.

use std::net::IpAddr;

use analyzers::{Confidence, Finding, Timestamp};
use serde_json::{Value, json};
use signatures::Matcher;
use signatures::allow::{AllowList, Mode, Party, Subject, Verdict};

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
pub const LOWERED: f64 = 0.5;

/// What the allow-list is asked about: a finding of a detector, by the first flow behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Who found it.
    pub detector: &'a str,
    /// How likely it is, 0 to 1.
    pub confidence: f64,
    /// Who began the flow.
    pub src: Option<IpAddr>,
    /// With whom.
    pub dst: Option<IpAddr>,
    /// The responder's port.
    pub port: Option<u16>,
    /// `tcp`, `udp`, …
    pub protocol: Option<&'a str>,
    /// What tells the finding from others of the detector about the host; often a name.
    pub key: &'a [u8],
    /// The account.
    pub user: Option<&'a str>,
    /// The HTTP client.
    pub user_agent: Option<&'a str>,
    /// The client's fingerprint.
    pub ja4: Option<&'a str>,
}

impl Asked<'_> {
    /// What the allow-list says.
    #[must_use]
    pub fn verdict(&self, allow: &AllowList, at: Timestamp) -> Option<Verdict> {
        let subject = Subject {
            detector: self.detector,
            confidence: percent(self.confidence),
            src: Party { address: self.src, ..Party::default() },
            dst: Party {
                address: self.dst,
                name: (!self.key.is_empty()).then_some(self.key),
                ..Party::default()
            },
            port: self.port,
            protocol: self.protocol,
            user: self.user.map(str::as_bytes),
            user_agent: self.user_agent.map(str::as_bytes),
            ja4: self.ja4.map(str::as_bytes),
            observable: None,
        };
        allow.judge(&subject, at)
    }
}

/// Asks the allow-list about a finding.
pub fn judge(matcher: &Matcher, finding: &mut Finding, at: Timestamp) -> Telling {
    let text = |name: &str| finding.evidence.get(name).and_then(Value::as_str);
    let flow = finding.flows.first();
    let protocol = flow.map(|flow| flow.transport.to_string());
    let asked = Asked {
        detector: finding.detector,
        confidence: finding.confidence,
        src: flow.map(|flow| flow.src.ip),
        dst: flow.map(|flow| flow.dst.ip),
        port: flow.map(|flow| flow.dst.port),
        protocol: protocol.as_deref(),
        key: finding.key.as_bytes(),
        user: text("user"),
        user_agent: text("user_agent"),
        ja4: text("ja4"),
    };
    let Some(verdict) = asked.verdict(&matcher.allow, at) else { return Telling::Aloud };
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
