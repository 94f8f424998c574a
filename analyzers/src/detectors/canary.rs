//! Somebody touched a decoy.
//!
//! # What it detects
//! A flow from one of our hosts to an address that is configured as a canary: a decoy with which
//! nobody has business.
//!
//! # Why it matters
//! Whoever looks around inside a network meets a decoy sooner or later, however slowly he goes. No
//! threshold has to be crossed and no baseline learned.
//!
//! # How
//! The first packet of a flow to a canary raises the alert at once; later ones are counted. TCP
//! counts only from its SYN on, so that answers to forged packets do not.
//!
//! # False positives
//! Inventory and vulnerability scanners of our own: name them in `assets.scanners`.
//!
//! # Knobs
//! None. Canaries are `assets.canaries`.
//!
//! # References
//! ATT&CK T1046 Network Service Discovery, T1018 Remote System Discovery.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{
    Detector, Event, Finding, Findings, FlowsBehind, Interest, Opening, Watcher, What,
};
use crate::grade::{Severity, Stage, Technique};
use crate::limits::CANARY_TOUCHERS;
use crate::recent::Recent;
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;
use crate::threshold::Grounds;
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector =
    Detector { name: "canary", source: include_str!("canary.rs"), interests: &[Interest::Opened] };

/// Looking around.
const TECHNIQUES: &[Technique] = &[Technique::new(1046, 0), Technique::new(1018, 0)];

/// Nobody has business with a decoy.
const CONFIDENCE: f64 = 0.9;

/// `[detect.canary]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {}

impl Grounds for Knobs {}

/// Makes its state.
#[must_use]
pub fn watcher(_: &Knobs) -> Box<dyn Watcher> {
    Box::new(Canary { touches: Recent::new(CANARY_TOUCHERS) })
}

/// What one host did to one canary.
struct Touches {
    first: Timestamp,
    count: u64,
    flows: FlowsBehind,
}

struct Canary {
    touches: Recent<(IpAddr, IpAddr), Touches>,
}

impl Watcher for Canary {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let What::Opened(Opening::Syn | Opening::Datagram) = event.what else { return };
        if !matches!(event.heading, Heading::Internal | Heading::Outbound) {
            return;
        }
        let (host, canary) = (event.flow.src.ip, event.flow.dst.ip);
        if !assets::any_contains(&scene.assets.canaries, canary)
            || assets::any_contains(&scene.assets.scanners, host)
        {
            return;
        }
        let touches = self.touches.entry((host, canary), || Touches {
            first: event.ts,
            count: 0,
            flows: FlowsBehind::default(),
        });
        touches.count = touches.count.saturating_add(1);
        touches.flows.add(event.flow);
        findings.say(finding(event, touches));
    }

    fn evicted(&self) -> u64 {
        self.touches.evicted()
    }
}

fn finding(event: &Event<'_>, touches: &Touches) -> Finding {
    let (host, canary, port) = (event.flow.src.ip, event.flow.dst.ip, event.flow.dst.port);
    let transport = event.flow.transport;
    Finding {
        detector: DETECTOR.name,
        host,
        key: Text::from(canary.to_string()),
        title: Text::from(format!("{host} contacted the decoy {canary}")),
        description: Text::from(format!(
            "{host} opened {} flow(s) to {canary}, a decoy that nobody has business with; the \
             latest goes to {transport} port {port}. Look at what runs on {host}.",
            touches.count
        )),
        severity: Severity::MEDIUM,
        confidence: CONFIDENCE,
        techniques: TECHNIQUES.into(),
        stage: Stage::Discovery,
        first: touches.first,
        last: event.ts,
        count: touches.count,
        peers: vec![canary],
        flows: touches.flows.clone(),
        indicator: None,
        evidence: [("canary", json!(canary)), ("port", json!(port))].into(),
        hunt: format!("SELECT * FROM flow WHERE src_ip = '{host}' AND dst_ip = '{canary}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_id::{Endpoint, FlowId, Transport, Uid};
    use crate::scene::assets::Network;

    fn touch(host: &str, target: &str, opening: Opening) -> Vec<Finding> {
        let mut scene = Scene::default();
        scene.assets.canaries = vec![Network("10.0.9.9/32".parse().unwrap())];
        scene.assets.scanners = vec![Network("10.0.0.250/32".parse().unwrap())];
        let end = |text: &str, port| Endpoint { ip: text.parse().unwrap(), port };
        let flow = FlowId {
            uid: Uid(7),
            src: end(host, 50_000),
            dst: end(target, 445),
            transport: Transport::TCP,
        };
        let time = Timestamp::from_secs_nanos(1_000, 0);
        let heading = scene.home.heading(&flow);
        let what = What::Opened(opening);
        let event = Event { time, ts: time, flow: &flow, heading, dst_name: None, what };
        let mut findings = Findings::default();
        let mut canary = watcher(&Knobs::default());
        canary.event(&event, &scene, &mut findings);
        canary.event(&event, &scene, &mut findings);
        findings.drain().collect()
    }

    #[test]
    fn a_contact_with_a_decoy_is_told_at_once_and_counted() {
        let findings = touch("10.0.0.5", "10.0.9.9", Opening::Syn);
        let counts: Vec<u64> = findings.iter().map(|finding| finding.count).collect();
        assert_eq!(counts, [1, 2]);
        assert_eq!(findings[0].host, "10.0.0.5".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn other_targets_answers_to_forged_packets_and_own_scanners_are_not_told() {
        for (host, target, opening) in [
            ("10.0.0.5", "10.0.9.8", Opening::Syn),
            ("10.0.0.5", "10.0.9.9", Opening::SynAck),
            ("10.0.0.5", "10.0.9.9", Opening::Midstream),
            ("10.0.0.250", "10.0.9.9", Opening::Syn),
            ("192.0.2.1", "10.0.9.9", Opening::Syn),
        ] {
            assert_eq!(touch(host, target, opening), [], "{host} to {target}");
        }
    }
}
