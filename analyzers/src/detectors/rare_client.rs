//! A host uses a client that hardly anyone here uses.
//!
//! # What it detects
//! A TLS fingerprint (JA4) or User-Agent that came up this week, that at most three hosts of ours
//! use, and this host for at most two destinations; and tools of scripts that a workstation uses
//! towards a destination which few know.
//!
//! # Why it matters
//! Malware brings its own client, and it brings it to one place. By itself that is a hint; beside a
//! beacon or a new destination it is more.
//!
//! # How
//! A client that is new to the network is watched for a day from its first use on. If then at most
//! 3 hosts use it, and the host that did so first used it for at most 2 destinations, it is told:
//! an update of a browser has spread by then. Script tools (python-requests, curl, Wget,
//! PowerShell, Go's client, no User-Agent at all) are told at once where the host is seen with a
//! browser, too, and at most 3 hosts know the destination. Nothing is said before the sensor has
//! watched for seven days, or with fewer than 50 active hosts.
//!
//! # False positives
//! Devices with a firmware of their own, pilots of an update, developers.
//!
//! # Knobs
//! `hosts` (3): hosts that may use a rare client.
//!
//! # References
//! ATT&CK T1071.001 Web Protocols. FoxIO, JA4+ Network Fingerprinting. Active Countermeasures,
//! RITA.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher};
use crate::domain;
use crate::flow_id::FlowId;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{RARE_CLIENTS, RARE_WORKSTATIONS};
use crate::protocols::http::HttpRecord;
use crate::protocols::tls::TlsRecord;
use crate::recent::Recent;
use crate::scene::prevalence::digest;
use crate::scene::{Heading, Scene, Subject};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "rare_client",
    source: include_str!("rare_client.rs"),
    interests: &[Interest::Record(&TlsRecord::TABLE), Interest::Record(&HttpRecord::TABLE)],
};

const TECHNIQUES: &[Technique] = &[Technique::new(1071, 1)];

/// How likely a rare client is a bad one.
const CONFIDENCE: f64 = 0.3;

/// Active hosts below which every client is rare.
const ACTIVE_MIN: u64 = 50;

/// A client that came up within it is new.
const NEW: Duration = Duration::from_secs(7 * 86_400);

/// How long a new client has to spread.
const TRIAL: Duration = Duration::from_secs(86_400);

/// Destinations of a client that is there for one purpose.
const DESTINATIONS: usize = 2;

/// How the User-Agents of tools of scripts begin.
const TOOLS: &[&[u8]] = &[
    b"python-requests",
    b"python-urllib",
    b"curl/",
    b"wget/",
    b"go-http-client",
    b"mozilla/5.0 (windows nt; windows nt 10.0; en-us) windowspowershell",
    b"winhttp",
    b"ruby",
    b"java/",
];

/// `[detect.rare_client]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Hosts that may use a rare client.
    pub hosts: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { hosts: 3 }
    }
}

impl Knobs {
    const fn most_hosts(&self) -> Threshold {
        Threshold::most("hosts", self.hosts as f64)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        Ground::exact(self.most_hosts(), evidence.number("hosts")).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(RareClients {
        knobs: knobs.clone(),
        trials: Recent::new(RARE_CLIENTS),
        queue: VecDeque::new(),
        workstations: Recent::new(RARE_WORKSTATIONS),
        tools: Recent::new(RARE_CLIENTS),
    })
}

/// What identifies a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ja4,
    UserAgent,
}

/// A client that is new to the network, at the host that used it first.
struct Trial {
    kind: Kind,
    client: Text,
    host: IpAddr,
    flow: FlowId,
    first: Timestamp,
    last: Timestamp,
    count: u64,
    destinations: Vec<(u64, Text)>,
}

struct RareClients {
    knobs: Knobs,
    trials: Recent<u64, Trial>,
    /// Clients in the order of their first use.
    queue: VecDeque<(Timestamp, u64)>,
    /// Hosts that were seen with a browser.
    workstations: Recent<IpAddr, ()>,
    /// Hosts, tools and destinations that were told.
    tools: Recent<(IpAddr, u64), ()>,
}

impl Watcher for RareClients {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        if event.heading != Heading::Outbound {
            return;
        }
        if let Some(tls) = event.what.record::<TlsRecord>() {
            let (Some(ja4), Some(sni)) = (&tls.ja4, &tls.sni) else { return };
            self.note(Kind::Ja4, ja4.as_bytes(), sni.as_bytes(), event, scene);
        } else if let Some(http) = event.what.record::<HttpRecord>() {
            let host = http.host.as_ref().and_then(|host| domain::of_host(host.as_bytes()));
            let destination = host.unwrap_or_else(|| event.flow.dst.ip.to_string().into_bytes());
            let agent = http.user_agent.as_ref().map_or(&b""[..], Text::as_bytes);
            self.note(Kind::UserAgent, agent, &destination, event, scene);
            if let Some(finding) = self.tool(agent, &destination, event, scene) {
                findings.say(finding);
            }
        }
    }

    fn minute(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        while let Some((first, key)) = self.queue.front().copied()
            && now.since(first) >= TRIAL
        {
            self.queue.pop_front();
            // It stays in the table, so that a client has one trial.
            let Some(trial) = self.trials.peek(&key) else { continue };
            let prevalence = scene.contacts.prevalence_of(key);
            if self.knobs.most_hosts().is_met(prevalence.hosts as f64)
                && prevalence.active >= ACTIVE_MIN
                && trial.destinations.len() <= DESTINATIONS
            {
                findings.say(trial.finding(prevalence.hosts, prevalence.active, &self.knobs));
            }
        }
    }

    /// A trial that is not over is not judged: a client needs its day to spread.
    fn finish(&mut self, _: Timestamp, _: &Scene, _: &mut Findings) {}

    fn evicted(&self) -> u64 {
        self.trials.evicted().saturating_add(self.workstations.evicted())
    }
}

impl RareClients {
    /// A client was used. Nearly all are well known, and that is all that is asked.
    fn note(
        &mut self,
        kind: Kind,
        client: &[u8],
        destination: &[u8],
        event: &Event<'_>,
        scene: &Scene,
    ) {
        let key = Subject::Client(client).digest();
        let prevalence = scene.contacts.prevalence_of(key);
        if client.is_empty()
            || !self.knobs.most_hosts().is_met(prevalence.hosts as f64)
            || prevalence.active < ACTIVE_MIN
            || prevalence.is_newer_than(NEW, event.time) != Some(true)
        {
            return;
        }
        let host = event.flow.src.ip;
        let name = domain::registrable(destination).unwrap_or(destination);
        if let Some(trial) = self.trials.get_mut(&key) {
            if trial.host == host {
                trial.note(name, event.ts);
            }
        } else if prevalence.hosts <= 1 && self.queue.len() < RARE_CLIENTS {
            let mut trial = Trial {
                kind,
                client: Text::wire(client),
                host,
                flow: *event.flow,
                first: event.ts,
                last: event.ts,
                count: 0,
                destinations: Vec::new(),
            };
            trial.note(name, event.ts);
            self.trials.insert(key, trial);
            self.queue.push_back((event.time, key));
        }
    }

    /// A script's tool at a workstation.
    fn tool(
        &mut self,
        agent: &[u8],
        destination: &[u8],
        event: &Event<'_>,
        scene: &Scene,
    ) -> Option<Finding> {
        let host = event.flow.src.ip;
        let lower = agent.get(..agent.len().min(128)).unwrap_or_default().to_ascii_lowercase();
        let is_tool = agent.is_empty() || TOOLS.iter().any(|tool| lower.starts_with(tool));
        if !is_tool {
            if lower.starts_with(b"mozilla/5.0 (") {
                self.workstations.entry(host, || ());
            }
            return None;
        }
        self.workstations.peek(&host)?;
        let prevalence = scene.contacts.prevalence(&Subject::domain_of(destination));
        let is_young = prevalence.watched(event.time) < NEW;
        let is_rare = self.knobs.most_hosts().is_met(prevalence.hosts as f64);
        if !is_rare || prevalence.active < ACTIVE_MIN || is_young {
            return None;
        }
        let key = (host, digest(&(agent, destination)));
        if self.tools.get_mut(&key).is_some() {
            return None;
        }
        self.tools.insert(key, ());
        let trial = Trial {
            kind: Kind::UserAgent,
            client: if agent.is_empty() { "no User-Agent".into() } else { Text::wire(agent) },
            host,
            flow: *event.flow,
            first: event.ts,
            last: event.ts,
            count: 1,
            destinations: vec![(0, Text::wire(destination))],
        };
        Some(trial.finding(prevalence.hosts, prevalence.active, &self.knobs))
    }
}

impl Trial {
    fn note(&mut self, destination: &[u8], ts: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(ts);
        let key = digest(destination);
        let is_known = self.destinations.iter().any(|(known, _)| *known == key);
        // One more than may be is enough to know.
        if !is_known && self.destinations.len() <= DESTINATIONS {
            self.destinations.push((key, Text::wire(destination)));
        }
    }

    fn finding(&self, hosts: u64, active: u64, knobs: &Knobs) -> Finding {
        let host = self.host;
        let client = self.client.escaped().into_owned();
        let destinations: Vec<String> =
            self.destinations.iter().map(|(_, name)| name.escaped().into_owned()).collect();
        let (table, column) = match self.kind {
            Kind::Ja4 => ("tls", "ja4"),
            Kind::UserAgent => ("http", "user_agent"),
        };
        let condition = if self.client.as_bytes() == b"no User-Agent" {
            format!("{column} IS NULL")
        } else {
            format!("{column} = {}", hunt::text(&client))
        };
        Finding {
            detector: DETECTOR.name,
            host,
            key: self.client.clone(),
            title: Text::from(format!("{host} uses a client that hardly anyone uses: {client}")),
            description: Text::from(format!(
                "{host} used {client} {} time(s), towards {}; {hosts} of {active} active hosts use \
                 it or go there (told up to {}). By itself that is a hint: see what else is said \
                 about {host}, and which program this is.",
                self.count,
                destinations.join(" and "),
                knobs.hosts
            )),
            severity: Severity::LOW,
            confidence: CONFIDENCE,
            techniques: TECHNIQUES.into(),
            stage: Stage::CommandAndControl,
            first: self.first,
            last: self.last,
            count: self.count,
            peers: vec![self.flow.dst.ip],
            flows: FlowsBehind::one(&self.flow),
            indicator: None,
            evidence: [
                (column, json!(client)),
                ("hosts", json!(hosts)),
                ("active", json!(active)),
                ("dsts", json!(destinations)),
                ("thresholds", json!({ "hosts": knobs.hosts, "dsts": DESTINATIONS })),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM {table} WHERE src_ip = '{host}' AND {condition} AND {}",
                hunt::between(self.first, self.last)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::{Rehearsal, http, tls};
    use crate::flow_id::Transport;

    const DAYS: f64 = 86_400.0;
    const HOST: &str = "10.0.0.5";
    const OWN: &str = "t10d090000_0123456789ab_0123456789ab";
    const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0";

    fn play(traffic: Rehearsal) -> Vec<Finding> {
        traffic.play(watcher(&Knobs::default()))
    }

    fn hello(traffic: &mut Rehearsal, second: f64, host: &str, sni: &str, ja4: &str) {
        let flow = traffic.open(second, host, "192.0.2.66", 443, Transport::TCP);
        traffic.record(second, &flow, tls(Some(sni), ja4));
    }

    fn ask(traffic: &mut Rehearsal, second: f64, agent: &str, site: &str) {
        let flow = traffic.open(second, HOST, "192.0.2.66", 80, Transport::TCP);
        let user_agent = Some(Text::from(agent.to_owned()));
        traffic.record(second, &flow, HttpRecord { user_agent, ..http(1, site, "/") });
    }

    /// Sixty hosts that browse every day.
    fn office(days: i32) -> Rehearsal {
        let mut traffic = Rehearsal::new();
        for day in 0..days {
            for host in 1..=60 {
                let second = DAYS * f64::from(day) + f64::from(host);
                let sni = format!("s{host}.example.com");
                hello(&mut traffic, second, &format!("10.0.1.{host}"), &sni, "t13d1516h2_a_b");
            }
        }
        traffic
    }

    #[test]
    fn a_new_client_of_one_host_and_one_place_is_told_after_a_day() {
        let mut traffic = office(12);
        for hour in 0..30 {
            hello(&mut traffic, 8.0 * DAYS + 3_600.0 * f64::from(hour), HOST, "a.example.net", OWN);
        }
        let findings = play(traffic);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].key.escaped(), OWN);
        assert_eq!(findings[0].evidence["dsts"], json!(["example.net"]));
    }

    #[test]
    fn clients_that_spread_serve_many_places_or_come_early_stay_silent() {
        let mut early = office(12);
        hello(&mut early, 2.0 * DAYS, HOST, "a.example.net", OWN);
        let mut spread = office(12);
        for host in 1..=6 {
            let second = 8.0 * DAYS + f64::from(host);
            hello(&mut spread, second, &format!("10.0.1.{host}"), "a.example.net", OWN);
        }
        let mut general = office(12);
        for place in ["a.example.net", "b.example.org", "c.example.com"] {
            hello(&mut general, 8.0 * DAYS, HOST, place, OWN);
        }
        let mut small = Rehearsal::new();
        for day in 0..12 {
            hello(&mut small, DAYS * f64::from(day), "10.0.1.1", "a.example.com", "t13d_a_b");
        }
        hello(&mut small, 8.0 * DAYS, HOST, "a.example.net", OWN);
        for (name, traffic) in
            [("early", early), ("spread", spread), ("general", general), ("small", small)]
        {
            assert_eq!(play(traffic), [], "{name}");
        }
    }

    #[test]
    fn a_script_at_a_workstation_is_told_once_and_at_a_server_not() {
        let mut workstation = office(12);
        ask(&mut workstation, 8.0 * DAYS, BROWSER, "www.example.com");
        ask(&mut workstation, 8.0 * DAYS + 60.0, "curl/8.5.0", "a.example.net");
        ask(&mut workstation, 8.0 * DAYS + 90.0, "curl/8.5.0", "a.example.net");
        let titles: Vec<String> =
            play(workstation).iter().map(|f| f.title.escaped().into_owned()).collect();
        assert!(
            titles.contains(&"10.0.0.5 uses a client that hardly anyone uses: curl/8.5.0".into()),
            "{titles:?}"
        );
        let mut server = office(12);
        ask(&mut server, 1.0 * DAYS, "curl/8.5.0", "a.example.net");
        ask(&mut server, 8.0 * DAYS, "curl/8.5.0", "a.example.net");
        assert_eq!(play(server), []);
    }
}
