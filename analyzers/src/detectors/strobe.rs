//! A host opens connections to one server without a pause.
//!
//! # What it detects
//! One connection a second and more, over a day, from one host of ours to one server in the world.
//!
//! # Why it matters
//! That is too fast to be a beacon with a rhythm: an implant that tries again at once whenever it
//! fails, a tunnel that takes a connection for each packet, a flood, a program that has lost its
//! mind.
//!
//! # How
//! First packets of flows are counted by host and server over a sliding day, by the hour. An alert
//! is raised at 86,400, and again whenever the count has doubled.
//!
//! # False positives
//! Proxies, mail relays and monitoring: allow them by host. Questions to name servers are left out,
//! and so are hosts in `assets.resolvers`.
//!
//! # Knobs
//! `connections` (86400): connections within a day.
//!
//! # References
//! ATT&CK T1571 Non-Standard Port, T1095 Non-Application Layer Protocol. Active Countermeasures,
//! RITA, which calls such pairs strobes.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{
    Detector, Event, Finding, Findings, FlowsBehind, Interest, Opening, Watcher, What,
};
use crate::flow_id::FlowId;
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::STROBE_PAIRS;
use crate::recent::Recent;
use crate::scene::{Heading, Scene, Subject, assets};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector =
    Detector { name: "strobe", source: include_str!("strobe.rs"), interests: &[Interest::Opened] };

const TECHNIQUES: &[Technique] = &[Technique::new(1571, 0), Technique::new(1095, 0)];

/// The port of name servers.
const DNS_PORT: u16 = 53;

/// `[detect.strobe]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Connections within a day.
    pub connections: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { connections: 86_400 }
    }
}

impl Knobs {
    const fn least_connections(&self) -> Threshold {
        Threshold::least("connections", self.connections as f64)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let connections = evidence.number("connections");
        Ground::exact(self.least_connections(), connections).into_iter().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(Strobes { knobs: knobs.clone(), pairs: Recent::new(STROBE_PAIRS) })
}

/// The connections of one pair. Nearly all pairs come up once, so that what only the others need is
/// made when they need it.
#[derive(Default)]
struct Pair {
    /// In this hour, and in it and the 23 before.
    now: u32,
    sum: u32,
    hour: i64,
    told: u32,
    /// In each of the hours before, by the hour modulo 24.
    past: Option<Box<[u32; 24]>>,
    /// The first flow of the day, and the latest ones: a sample.
    flows: Option<Box<(Timestamp, FlowsBehind)>>,
}

struct Strobes {
    knobs: Knobs,
    pairs: Recent<(IpAddr, IpAddr), Pair>,
}

impl Watcher for Strobes {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let What::Opened(opening) = event.what else { return };
        if event.heading != Heading::Outbound
            || opening == Opening::Midstream
            || event.flow.dst.port == DNS_PORT
        {
            return;
        }
        let pair = self.pairs.entry((event.flow.src.ip, event.flow.dst.ip), Pair::default);
        pair.note(event);
        let is_news = self.knobs.least_connections().is_met(f64::from(pair.sum))
            && pair.sum >= pair.told.saturating_mul(2);
        if is_news && !assets::any_contains(&scene.assets.resolvers, event.flow.src.ip) {
            pair.told = pair.sum;
            findings.say(pair.finding(event, scene, &self.knobs));
        }
    }

    fn evicted(&self) -> u64 {
        self.pairs.evicted()
    }
}

impl Pair {
    fn note(&mut self, event: &Event<'_>) {
        const HOUR: i64 = 3_600_000_000_000;
        // Flows of a pair that hardly ever comes up cost nobody memory.
        const REMEMBERED_FROM: u32 = 1_000;
        let hour = event.time.nanos().div_euclid(HOUR);
        if hour > self.hour {
            if self.sum > 0 {
                self.turn(hour);
            }
            self.hour = hour;
        }
        self.now = self.now.saturating_add(1);
        self.sum = self.sum.saturating_add(1);
        if self.sum >= REMEMBERED_FROM {
            let flows =
                self.flows.get_or_insert_with(|| Box::new((event.ts, FlowsBehind::default())));
            flows.1.add(event.flow);
        }
    }

    /// A later hour begins: this one is past, and those a day before the later one are forgotten.
    fn turn(&mut self, later: i64) {
        let past = self.past.get_or_insert_default();
        let place = |hour: i64| usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
        if let Some(count) = past.get_mut(place(self.hour)) {
            *count = std::mem::take(&mut self.now);
        }
        for back in 0..later.saturating_sub(self.hour).min(24) {
            let count = past.get_mut(place(later.saturating_sub(back)));
            self.sum = self.sum.saturating_sub(count.map_or(0, std::mem::take));
        }
        if self.sum == 0 {
            (self.told, self.flows) = (0, None);
        }
    }

    fn finding(&self, event: &Event<'_>, scene: &Scene, knobs: &Knobs) -> Finding {
        let FlowId { src, dst, .. } = *event.flow;
        let prevalence = scene.contacts.prevalence(&Subject::Address(dst.ip));
        let is_rare = prevalence.is_rare() == Some(true);
        let (first, flows) = self.flows.as_deref().cloned().unwrap_or_default();
        let name = event.dst_name.map_or_else(|| dst.ip.to_string(), |name| name.escaped().into());
        Finding {
            detector: DETECTOR.name,
            host: src.ip,
            key: Text::from(dst.ip.to_string()),
            title: Text::from(format!("{} connects to {name} without a pause", src.ip)),
            description: Text::from(format!(
                "{} opened {} connections to {name} ({}) within a day (alerts from {}); {} host(s) \
                 of ours know the server. Check which program does so, and whether it ever \
                 succeeds.",
                src.ip, self.sum, dst.ip, knobs.connections, prevalence.hosts
            )),
            severity: if is_rare { Severity::MEDIUM } else { Severity::LOW },
            confidence: if is_rare { 0.7 } else { 0.5 },
            techniques: TECHNIQUES.into(),
            stage: Stage::CommandAndControl,
            first,
            last: event.ts,
            count: u64::from(self.sum),
            peers: vec![dst.ip],
            flows,
            indicator: None,
            evidence: [
                ("connections", json!(self.sum)),
                ("prevalence", json!(prevalence.hosts)),
                ("thresholds", json!({ "connections": knobs.connections })),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM flow WHERE src_ip = '{}' AND dst_ip = '{}' AND part = 1 AND {}",
                src.ip,
                dst.ip,
                hunt::between(first, event.ts)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::rehearsal::Rehearsal;
    use crate::flow_id::Transport;

    fn play(seconds: f64, connections: u32, port: u16) -> Vec<u64> {
        let mut traffic = Rehearsal::new();
        for number in 0..connections {
            let second = seconds * f64::from(number) / f64::from(connections);
            traffic.open(second, "10.0.0.5", "192.0.2.66", port, Transport::TCP);
        }
        let findings = traffic.play(watcher(&Knobs { connections: 3_000 }));
        findings.iter().map(|finding| finding.count).collect()
    }

    #[test]
    fn a_pair_is_told_at_the_bound_and_at_twice_of_it() {
        assert_eq!(play(3_600.0, 7_000, 8_080), [3_000, 6_000]);
    }

    #[test]
    fn fewer_in_a_day_and_questions_for_names_stay_silent() {
        assert_eq!(play(3_600.0, 2_999, 8_080), [0; 0]);
        assert_eq!(play(10.0 * 86_400.0, 20_000, 8_080), [0; 0]);
        assert_eq!(play(3_600.0, 7_000, 53), [0; 0]);
    }
}
