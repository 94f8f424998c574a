//! Labels: what a capture holds, so that alerts can be judged.
//!
//! In: what an actor says of itself. Out: one line of JSON a unit of account: a beacon is a pair of
//! host and destination, a scan or a guess a host, a tunnel a host and a zone, an incident a host.

use std::net::IpAddr;
use std::path::Path;

use analyzers::Timestamp;
use serde::{Deserialize, Serialize};

/// What should become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// An alert of one of the detectors must be raised.
    Must,
    /// One should be; what is asked of the sensor does not count it.
    Should,
    /// It may, and is neither counted as found nor as false: no sensor can tell.
    May,
    /// None of the detectors may be raised.
    MustNot,
}

/// One unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Which campaign or benign habit, with its replicate: `cs_60s_j20/3`.
    pub campaign: String,
    /// All replicates together: `cs_60s_j20`.
    pub family: String,
    /// What the unit is judged as.
    pub kind: Kind,
    /// Detectors that would be right, or, where nothing may be raised, wrong.
    pub detectors: Vec<String>,
    /// What should become of it.
    pub expect: Expectation,
    /// The host to go and look at, and others that a finding may be about as well.
    pub hosts: Vec<IpAddr>,
    /// Names and `address:port/proto` that the destination goes by; a zone for DNS. Empty where the
    /// host alone is the unit.
    #[serde(default)]
    pub destinations: Vec<String>,
    /// Place in the attack chain.
    pub stage: String,
    /// First time that it happened, microseconds since the epoch.
    pub first_us: i64,
    /// Last time.
    pub last_us: i64,
    /// How often.
    pub beats: u64,
    /// What a finding needs beside packets, or anything else that a reader should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Which metric a unit counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Regular contact with a destination.
    Beacon,
    /// Looking for hosts or ports.
    Scan,
    /// Guessing passwords.
    Guessing,
    /// Logging in at the wrong time, too often, or as should be.
    Login,
    /// Moving to other hosts.
    Lateral,
    /// Names: generated ones, tunnels.
    Dns,
    /// Data that leaves.
    Exfiltration,
    /// Several of them, of one host.
    Incident,
}

impl Label {
    /// A label of something that did not happen yet.
    #[must_use]
    pub fn new(family: &str, replicate: usize, kind: Kind, host: IpAddr) -> Self {
        Self {
            campaign: format!("{family}/{replicate}"),
            family: family.to_owned(),
            kind,
            detectors: Vec::new(),
            expect: Expectation::Must,
            hosts: vec![host],
            destinations: Vec::new(),
            stage: String::new(),
            first_us: i64::MAX,
            last_us: i64::MIN,
            beats: 0,
            note: String::new(),
        }
    }

    /// Raised by one of these.
    #[must_use]
    pub fn by(mut self, detectors: &[&str]) -> Self {
        self.detectors = detectors.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// With that expectation.
    #[must_use]
    pub fn expect(self, expect: Expectation) -> Self {
        Self { expect, ..self }
    }

    /// Going to that destination.
    #[must_use]
    pub fn to(mut self, destination: impl Into<String>) -> Self {
        self.destinations.push(destination.into());
        self
    }

    /// A finding may be about these as well.
    #[must_use]
    pub fn or_about(mut self, hosts: impl IntoIterator<Item = IpAddr>) -> Self {
        self.hosts.extend(hosts);
        self
    }

    /// At that place of the chain.
    #[must_use]
    pub fn stage(self, stage: &str) -> Self {
        Self { stage: stage.to_owned(), ..self }
    }

    /// With a word to the reader.
    #[must_use]
    pub fn note(self, note: &str) -> Self {
        Self { note: note.to_owned(), ..self }
    }

    /// It happened then.
    pub fn beat(&mut self, time: Timestamp) {
        self.first_us = self.first_us.min(time.micros());
        self.last_us = self.last_us.max(time.micros());
        self.beats += 1;
    }

    /// Whether it happened at all.
    #[must_use]
    pub const fn happened(&self) -> bool {
        self.beats > 0
    }
}

/// Reads labels, a line each.
///
/// # Errors
/// The file cannot be read, or a line is no label; the error names it.
pub fn read(path: &Path) -> Result<Vec<Label>, Box<dyn std::error::Error>> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let label = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| format!("{}, line {number}: {error}", path.display()).into())
    };
    (1..).zip(text.lines()).map(label).collect()
}

/// Days from the first to the last thing that is labelled.
#[must_use]
pub fn days(labels: &[Label]) -> f64 {
    let first = labels.iter().map(|label| label.first_us).min().unwrap_or_default();
    let last = labels.iter().map(|label| label.last_us).max().unwrap_or_default();
    let seconds = u32::try_from(last.saturating_sub(first) / 1_000_000).unwrap_or_default();
    f64::from(seconds) / 86_400.0
}
