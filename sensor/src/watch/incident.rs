//! Incidents: what several findings about one host say together, along the chain of an attack.
//!
//! In: every finding, as it is said. Out: findings of the detector `incident`, whose confidence is
//! above that of each part, and the members that belong to it. A host needs two stages, or two
//! detectors that agree on one and do not look at the same thing; or it took two others over, or
//! carries on after it was taken over itself. Victims that carry on know their parent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use analyzers::{Finding, FlowsBehind, Recent, Severity, Stage, Technique, Text, Timestamp, hunt};
use serde_json::{Value, json};

/// The detector's name.
pub const DETECTOR: &str = "incident";

/// Hosts whose findings are remembered, up to 4 KiB each.
const HOSTS_MAX: usize = 32_768;

/// Findings remembered of one host; those said longest ago go first.
const LINKS_MAX: usize = 64;

/// Hosts that an incident's evidence names as victims.
const VICTIMS_MAX: usize = 256;

/// Victims whose attacker is remembered.
const PARENTS_MAX: usize = 65_536;

/// Links of a chain may be that far apart.
const LINK_SPAN: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Added for each pair of neighbouring stages that came in the order of an attack.
const ORDER_BONUS: f64 = 0.02;

/// Nothing that a sensor sees is certain.
const CONFIDENCE_MAX: f64 = 0.99;

/// Less likely findings are no evidence.
const LINK_CONFIDENCE_MIN: f64 = 0.25;

/// A chain less likely than that is not told.
const INCIDENT_CONFIDENCE_MIN: f64 = 0.6;

/// Parts of a story that its title tells.
const TITLE_PARTS: usize = 5;

/// One thing that a host did.
#[derive(Clone, Debug)]
struct Link {
    detector: &'static str,
    key: Text,
    step: &'static str,
    stage: Stage,
    severity: Severity,
    confidence: f64,
    first: Timestamp,
    last: Timestamp,
    title: String,
    techniques: Vec<Technique>,
    peers: Vec<IpAddr>,
    flows: FlowsBehind,
}

/// What is remembered of a host.
#[derive(Default)]
struct Host {
    links: Vec<Link>,
}

/// An incident as it is by now.
#[derive(Debug)]
pub struct Incident {
    /// What it says.
    pub finding: Finding,
    /// The findings about the same host that it joins, by detector and key.
    pub members: Vec<(&'static str, Text)>,
}

/// Joins findings into incidents.
pub struct Incidents {
    hosts: Recent<IpAddr, Host>,
    parents: Recent<IpAddr, (IpAddr, Timestamp)>,
}

impl Default for Incidents {
    fn default() -> Self {
        Self { hosts: Recent::new(HOSTS_MAX), parents: Recent::new(PARENTS_MAX) }
    }
}

impl Incidents {
    /// Takes a finding; the incident that it makes or changes, if any.
    pub fn take(&mut self, finding: &Finding) -> Option<Incident> {
        if finding.confidence < LINK_CONFIDENCE_MIN {
            return None;
        }
        let new = links_of(finding);
        self.note_victims(finding, &new);
        let parent = self.parents.peek(&finding.host).copied();
        let host = self.hosts.entry(finding.host, Host::default);
        for link in new {
            host.add(link);
        }
        let incident = host.incident(finding.host, parent)?;
        let members = host.links.iter().map(|link| (link.detector, link.key.clone())).collect();
        Some(Incident { finding: incident, members })
    }

    /// Hosts that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.hosts.len()
    }

    /// Hosts that were forgotten because the table was full.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.hosts.evicted() + self.parents.evicted()
    }

    /// Hosts that somebody broke into, logged on to or attacked with success may carry on.
    fn note_victims(&mut self, finding: &Finding, links: &[Link]) {
        if finding.stage != Stage::LateralMovement || !finding.severity.is_major() {
            return;
        }
        for link in links {
            for &victim in &link.peers {
                if victim != finding.host && self.parents.peek(&victim).is_none() {
                    self.parents.insert(victim, (finding.host, finding.last));
                }
            }
        }
    }
}

impl Host {
    fn add(&mut self, link: Link) {
        let newest = link.last;
        self.links.retain(|known| newest.since(known.last) <= LINK_SPAN);
        let same = |known: &Link| {
            known.detector == link.detector && known.key == link.key && known.step == link.step
        };
        match self.links.iter_mut().find(|known| same(known)) {
            Some(known) => *known = link,
            None => {
                if self.links.len() >= LINKS_MAX {
                    self.links.remove(0);
                }
                self.links.push(link);
            }
        }
    }

    fn incident(&self, host: IpAddr, parent: Option<(IpAddr, Timestamp)>) -> Option<Finding> {
        let mut links: Vec<&Link> = self.links.iter().collect();
        links.sort_by(|a, b| (a.first, a.stage, a.detector).cmp(&(b.first, b.stage, b.detector)));
        let mut stages: Vec<Stage> = links.iter().map(|link| link.stage).collect();
        stages.sort_unstable_by_key(|stage| order(*stage));
        stages.dedup();
        let mut witnesses: Vec<&str> = links.iter().map(|link| witness(link.detector)).collect();
        witnesses.sort_unstable();
        witnesses.dedup();
        if witnesses.len() < 2 && parent.is_none() && taken_over(&links) < 2 {
            return None;
        }
        let confidence = confidence(&links, &stages, Origin::of(parent));
        if confidence < INCIDENT_CONFIDENCE_MIN {
            return None;
        }
        let severity = severity(&links, &stages);
        if severity < Severity::MEDIUM {
            return None;
        }
        let first = links.iter().map(|link| link.first).min()?;
        let last = links.iter().map(|link| link.last).max()?;
        let furthest = stages.iter().copied().max_by_key(|stage| order(*stage))?;
        let victims = victims(&links, host);
        let mut flows = FlowsBehind::default();
        links.iter().filter_map(|link| link.flows.first()).for_each(|flow| flows.add(flow));
        Some(Finding {
            detector: DETECTOR,
            host,
            key: Text::Word(""),
            title: Text::from(title(host, &links)),
            description: Text::from(description(host, &links, confidence, parent)),
            severity,
            confidence,
            techniques: techniques(&links).into(),
            stage: furthest,
            first,
            last,
            count: u64::try_from(links.len()).unwrap_or(u64::MAX),
            peers: victims,
            flows,
            indicator: None,
            evidence: evidence(&links, &stages, parent),
            hunt: members_of(host, first, last),
        })
    }
}

/// What is known of how an attacker came to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing.
    Unknown,
    /// From another host, that attacked it with success.
    Attacked,
}

impl Origin {
    fn of(parent: Option<(IpAddr, Timestamp)>) -> Self {
        parent.map_or(Self::Unknown, |_| Self::Attacked)
    }
}

/// What a finding adds to a chain: mostly one link; a listed name that was looked up and whose
/// address was then contacted are two.
fn links_of(finding: &Finding) -> Vec<Link> {
    let link = |step, first: Timestamp, confidence: f64, title: String| Link {
        detector: finding.detector,
        key: finding.key.clone(),
        step,
        stage: finding.stage,
        severity: finding.severity,
        confidence,
        first,
        last: finding.last.max(first),
        title,
        techniques: finding
            .indicator
            .iter()
            .filter_map(|i| i.technique)
            .chain(finding.techniques.iter().copied())
            .collect(),
        peers: finding.peers.clone(),
        flows: finding.flows.clone(),
    };
    let whole = strip_host(finding);
    let count = |name: &str| finding.evidence.get(name).and_then(Value::as_u64).unwrap_or(0);
    if finding.detector != super::intel::DETECTOR || count("questions") == 0 {
        let step = match (finding.detector, finding.stage) {
            (super::intel::DETECTOR, _) => "contact",
            (_, stage) => stage.name(),
        };
        return vec![link(step, finding.first, finding.confidence, whole)];
    }
    let mut links = vec![link("name_looked_up", finding.first, finding.confidence, whole)];
    if count("contacts") + count("contents") > 0 {
        links.push(link("address_contacted", finding.first, finding.confidence, String::new()));
    }
    links
}

/// The title without the host with which it begins.
fn strip_host(finding: &Finding) -> String {
    let title = finding.title.escaped();
    let host = format!("{} ", finding.host);
    title.strip_prefix(&host).unwrap_or(&title).to_owned()
}

/// What a detector looks at: those that judge the same traffic by the same trait do not confirm
/// each other.
fn witness(detector: &str) -> &str {
    match detector {
        "beacon" | "long_connection" | "strobe" => "pace",
        "net_scan" | "port_scan" | "smb_scan" => "failures",
        "login_baseline" | "rdp_off_hours" => "hours",
        "admin_share_exec" | "remote_exec" => "services",
        other => other,
    }
}

/// Hosts that were broken into, logged on to or attacked with success.
fn taken_over(links: &[&Link]) -> usize {
    let major = links.iter().filter(|link| link.severity.is_major());
    major.flat_map(|link| &link.peers).collect::<BTreeSet<_>>().len()
}

/// The best of each stage counts whole, the second half, the others a quarter: several alerts about
/// one thing are not independent. That the host was attacked before halves the doubt.
fn confidence(links: &[&Link], stages: &[Stage], origin: Origin) -> f64 {
    let mut doubt = match origin {
        Origin::Unknown => 1.0,
        Origin::Attacked => 0.5,
    };
    for stage in stages {
        let mut of_stage: Vec<f64> =
            links.iter().filter(|link| link.stage == *stage).map(|link| link.confidence).collect();
        of_stage.sort_by(|a, b| b.total_cmp(a));
        for (place, confidence) in of_stage.into_iter().enumerate() {
            let weight = [1.0, 0.5].get(place).copied().unwrap_or(0.25);
            doubt *= 1.0 - weight * confidence;
        }
    }
    let mut firsts: Vec<(usize, Timestamp)> = stages
        .iter()
        .filter_map(|stage| {
            let first = links.iter().filter(|l| l.stage == *stage).map(|l| l.first).min()?;
            Some((order(*stage), first))
        })
        .collect();
    firsts.sort_unstable();
    let ordered = firsts.windows(2).filter(|pair| pair[0].1 <= pair[1].1).count();
    let bonus = ORDER_BONUS * ordered as f64;
    (1.0 - doubt + bonus).min(CONFIDENCE_MAX)
}

/// The order in which stages come in an attack that takes orders from outside: a host that was
/// taken over calls home before it looks around.
fn order(stage: Stage) -> usize {
    match stage {
        Stage::Reconnaissance => 0,
        Stage::InitialAccess => 1,
        Stage::Execution => 2,
        Stage::Persistence => 3,
        Stage::CommandAndControl => 4,
        Stage::CredentialAccess => 5,
        Stage::Discovery => 6,
        Stage::LateralMovement => 7,
        Stage::Collection => 8,
        Stage::Exfiltration => 9,
        Stage::Impact => 10,
    }
}

/// Orders from outside together with moves inside are major; else the worst part.
fn severity(links: &[&Link], stages: &[Stage]) -> Severity {
    let worst = links.iter().map(|link| link.severity).max().unwrap_or(Severity::LOW);
    let inside = [
        Stage::CredentialAccess,
        Stage::Discovery,
        Stage::LateralMovement,
        Stage::Exfiltration,
        Stage::Impact,
    ];
    let controlled = stages.contains(&Stage::CommandAndControl);
    if controlled && stages.iter().any(|stage| inside.contains(stage)) {
        worst.max(Severity::HIGH)
    } else {
        worst
    }
}

fn techniques(links: &[&Link]) -> Vec<Technique> {
    let mut techniques: Vec<Technique> = Vec::new();
    for technique in links.iter().flat_map(|link| &link.techniques) {
        if !techniques.contains(technique) {
            techniques.push(*technique);
        }
    }
    techniques
}

fn victims(links: &[&Link], host: IpAddr) -> Vec<IpAddr> {
    let inside = |link: &&&Link| {
        matches!(link.stage, Stage::Discovery | Stage::LateralMovement | Stage::CredentialAccess)
    };
    let mut victims: Vec<IpAddr> =
        links.iter().filter(inside).flat_map(|link| link.peers.iter().copied()).collect();
    victims.sort_unstable();
    victims.dedup();
    victims.retain(|victim| *victim != host);
    victims.truncate(VICTIMS_MAX);
    victims
}

/// The story in one sentence: what is surest of each step, in order of time.
fn title(host: IpAddr, links: &[&Link]) -> String {
    let mut parts: Vec<&Link> = Vec::new();
    for link in links.iter().filter(|link| !link.title.is_empty()) {
        let same = |part: &&mut &Link| {
            (part.stage, witness(part.detector)) == (link.stage, witness(link.detector))
        };
        match parts.iter_mut().find(same) {
            Some(part) if part.confidence >= link.confidence => {}
            Some(part) => *part = link,
            None => parts.push(link),
        }
    }
    parts.sort_by_key(|part| part.first);
    let told = parts.len().min(TITLE_PARTS);
    let titles: Vec<&str> = parts.iter().take(told).map(|part| part.title.as_str()).collect();
    let more = links.iter().filter(|link| !link.title.is_empty()).count() - told;
    let mut text = format!("{host} {}", titles.join(", then "));
    if more > 0 {
        text.push_str(&format!(", and {more} more"));
    }
    text
}

fn description(
    host: IpAddr,
    links: &[&Link],
    confidence: f64,
    parent: Option<(IpAddr, Timestamp)>,
) -> String {
    let mut text = format!(
        "{} findings about {host} make one chain with a confidence of {confidence:.2}:",
        links.len()
    );
    for link in links.iter().filter(|link| !link.title.is_empty()) {
        text.push_str(&format!(
            " [{}, {}, {:.2}] {};",
            link.detector,
            link.stage.name(),
            link.confidence,
            link.title
        ));
    }
    if let Some((parent, _)) = parent {
        text.push_str(&format!(" {parent} had attacked this host before; start there."));
    }
    text.push_str(" Isolate the host, then look at its victims.");
    text
}

fn evidence(
    links: &[&Link],
    stages: &[Stage],
    parent: Option<(IpAddr, Timestamp)>,
) -> BTreeMap<&'static str, Value> {
    let chain: Vec<Value> = links
        .iter()
        .map(|link| {
            json!({
                "step": link.step,
                "stage": link.stage.name(),
                "detector": link.detector,
                "key": link.key.escaped(),
                "confidence": (link.confidence * 1_000.0).round() / 1_000.0,
                "first": crate::rows::UtcText(link.first).to_string(),
                "techniques": link.techniques.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
    let mut evidence: BTreeMap<&'static str, Value> =
        [("chain", json!(chain)), ("stages", json!(names))].into();
    if let Some((parent, since)) = parent {
        let since = crate::rows::UtcText(since).to_string();
        evidence.insert("parent", json!({ "host": parent, "since": since }));
    }
    evidence
}

fn members_of(host: IpAddr, first: Timestamp, last: Timestamp) -> String {
    format!(
        "SELECT ts, detector, severity, confidence, title FROM alert WHERE host = {} AND {} \
         ORDER BY ts",
        hunt::text(&host.to_string()),
        hunt::between(first, last)
    )
}
