//! A host asks Windows hosts about users, groups, sessions and shares.
//!
//! # What it detects
//! Bursts of calls over RPC that look around: who exists, who is in which group, who is logged on
//! where, what is shared.
//!
//! # Why it matters
//! It is how an intruder finds the administrators and the host on which one of them works.
//! BloodHound, PsLoggedOn and `net user /domain` ask so.
//!
//! # How
//! Calls that read SAM, LSA, shares, sessions and the registry of users are counted for each source
//! by operation and host. Five different operations within 5 min are told, as is one question
//! about sessions or shares that goes to five hosts within an hour. Look-ups of names, which every
//! client makes, do not count. Confidence is 0.4, 0.05 more for each further operation or host, 0.6
//! at most.
//!
//! # False positives
//! Consoles of administrators, inventory: allow them by address, or name them in `assets.scanners`.
//! Domain controllers (`assets.domain_controllers`) ask each other and are left out.
//!
//! # Knobs
//! `operations_5m` (5), `hosts_1h` (5); up to 128.
//!
//! # References
//! ATT&CK T1087 Account Discovery, T1069 Permission Groups Discovery, T1135 Network Share
//! Discovery, T1033 System Owner/User Discovery. MS-SAMR, MS-LSAD, MS-SRVS, MS-WKST, MS-RRP.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::detector::{Detector, Event, Finding, Findings, FlowsBehind, Interest, Watcher};
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{RPC_ASKERS, RPC_QUESTIONS};
use crate::newest::secs;
use crate::protocols::smb::SmbRecord;
use crate::recent::Recent;
use crate::scanning::Least;
use crate::scene::{Scene, assets};
use crate::text::Text;
use crate::threshold::{Evidence, Ground, Grounds, Threshold};
use crate::time::Timestamp;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "rpc_discovery",
    source: include_str!("rpc_discovery.rs"),
    interests: &[Interest::Record(&SmbRecord::TABLE)],
};

const TECHNIQUES: &[Technique] = &[
    Technique::new(1087, 0),
    Technique::new(1069, 0),
    Technique::new(1135, 0),
    Technique::new(1033, 0),
];

/// Operations that look around.
const ASKING: [&str; 20] = [
    "SamrEnumerateDomainsInSamServer",
    "SamrEnumerateGroupsInDomain",
    "SamrEnumerateUsersInDomain",
    "SamrEnumerateAliasesInDomain",
    "SamrGetAliasMembership",
    "SamrGetMembersInGroup",
    "SamrGetMembersInAlias",
    "SamrQueryInformationUser",
    "SamrGetGroupsForUser",
    "SamrQueryDisplayInformation",
    "SamrQueryDisplayInformation3",
    "LsarEnumerateAccounts",
    "LsarEnumerateTrustedDomains",
    "LsarEnumerateTrustedDomainsEx",
    "LsarEnumerateAccountsWithUserRight",
    "NetrSessionEnum",
    "NetrShareEnum",
    "NetrWkstaUserEnum",
    "OpenUsers",
    "DsrEnumerateDomainTrusts",
];

/// Those of them that are asked of many hosts.
const SPREAD: [&str; 4] = ["NetrSessionEnum", "NetrShareEnum", "NetrWkstaUserEnum", "OpenUsers"];

/// `[detect.rpc_discovery]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Different operations in five minutes.
    pub operations_5m: Least,
    /// Hosts that are asked in an hour.
    pub hosts_1h: Least,
}

impl Default for Knobs {
    fn default() -> Self {
        Self { operations_5m: Least(5), hosts_1h: Least(5) }
    }
}

impl Knobs {
    const fn least_operations(&self) -> Threshold {
        Threshold::count("operations_5m", self.operations_5m.0)
    }

    const fn least_hosts(&self) -> Threshold {
        Threshold::count("hosts_1h", self.hosts_1h.0)
    }
}

impl Grounds for Knobs {
    fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let operations = evidence.number("operations_in_5m");
        let hosts = evidence.number("hosts_in_1h");
        let grounds = [
            Ground::exact(self.least_operations(), operations),
            Ground::exact(self.least_hosts(), hosts),
        ];
        grounds.into_iter().flatten().collect()
    }
}

/// Makes its state.
#[must_use]
pub fn watcher(knobs: &Knobs) -> Box<dyn Watcher> {
    Box::new(RpcDiscovery { knobs: knobs.clone(), askers: Recent::new(RPC_ASKERS) })
}

/// A question: operation, host, and the second at which it was last asked.
type Question = (&'static str, IpAddr, u32);

/// What one source asked.
struct Asker {
    first: Timestamp,
    last: Timestamp,
    count: u64,
    /// The newest different ones.
    questions: Vec<Question>,
    flows: FlowsBehind,
    /// Operations and hosts when it was told.
    told: (usize, usize),
}

struct RpcDiscovery {
    knobs: Knobs,
    askers: Recent<IpAddr, Asker>,
}

impl Watcher for RpcDiscovery {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        let Some(operation) = event.what.record::<SmbRecord>().and_then(|row| row.operation) else {
            return;
        };
        let source = event.flow.src.ip;
        let is_ours = [&scene.assets.scanners, &scene.assets.domain_controllers]
            .into_iter()
            .any(|networks| assets::any_contains(networks, source));
        if !ASKING.contains(&operation) || is_ours {
            return;
        }
        let asker = self.askers.entry(source, || Asker::new(event.ts));
        asker.note(event, operation);
        let (operations, hosts) = (asker.operations(300), asker.hosts(3_600));
        let (told_operations, told_hosts) = asker.told;
        let knobs = &self.knobs;
        let is_burst =
            knobs.least_operations().is_met_by(operations) && operations > told_operations;
        let is_wide = knobs.least_hosts().is_met_by(hosts) && hosts >= told_hosts.saturating_mul(2);
        if is_burst || is_wide {
            asker.told = (operations.max(told_operations), hosts.max(told_hosts));
            findings.say(asker.finding(source, operations, hosts, &self.knobs));
        }
    }

    fn evicted(&self) -> u64 {
        self.askers.evicted()
    }
}

impl Asker {
    fn new(ts: Timestamp) -> Self {
        Self {
            first: ts,
            last: ts,
            count: 0,
            questions: Vec::new(),
            flows: FlowsBehind::default(),
            told: (0, 0),
        }
    }

    fn note(&mut self, event: &Event<'_>, operation: &'static str) {
        // Behind a day of silence it is another story.
        if event.ts.since(self.last).as_secs() > 86_400 {
            *self = Self::new(event.ts);
        }
        self.first = self.first.min(event.ts);
        self.last = self.last.max(event.ts);
        self.count = self.count.saturating_add(1);
        self.flows.add(event.flow);
        let (host, now) = (event.flow.dst.ip, secs(event.ts));
        self.questions.retain(|(what, whom, _)| (*what, *whom) != (operation, host));
        if self.questions.len() >= RPC_QUESTIONS {
            self.questions.remove(0);
        }
        self.questions.push((operation, host, now));
    }

    fn within(&self, seconds: u32) -> impl Iterator<Item = &Question> {
        let newest = self.questions.iter().map(|(_, _, at)| *at).max().unwrap_or(0);
        self.questions.iter().filter(move |(_, _, at)| newest.saturating_sub(*at) <= seconds)
    }

    /// Different operations in that many seconds.
    fn operations(&self, seconds: u32) -> usize {
        let mut operations: Vec<&str> = self.within(seconds).map(|(what, _, _)| *what).collect();
        operations.sort_unstable();
        operations.dedup();
        operations.len()
    }

    /// Different hosts that were asked about sessions or shares.
    fn hosts(&self, seconds: u32) -> usize {
        let asked = self.within(seconds).filter(|(what, _, _)| SPREAD.contains(what));
        let mut hosts: Vec<IpAddr> = asked.map(|(_, host, _)| *host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len()
    }

    fn finding(&self, source: IpAddr, operations: usize, hosts: usize, knobs: &Knobs) -> Finding {
        let mut names: Vec<&str> = self.questions.iter().map(|(what, _, _)| *what).collect();
        names.sort_unstable();
        names.dedup();
        let mut peers: Vec<IpAddr> = self.questions.iter().map(|(_, host, _)| *host).collect();
        peers.sort_unstable();
        peers.dedup();
        let (Least(operations_min), Least(hosts_min)) = (knobs.operations_5m, knobs.hosts_1h);
        let further = operations
            .saturating_sub(operations_min)
            .saturating_add(hosts.saturating_sub(hosts_min));
        let further = f64::from(u32::try_from(further).unwrap_or(u32::MAX));
        Finding {
            detector: DETECTOR.name,
            host: source,
            key: Text::from(""),
            title: Text::from(format!(
                "{source} asks {} host(s) about users, sessions or shares: {} calls",
                peers.len(),
                self.count
            )),
            description: Text::from(format!(
                "{source} made {operations} different calls that look around within 5 min \
                 ({operations_min} are told), and asked {hosts} hosts about sessions or shares \
                 within an hour ({hosts_min} are told): {}. Ask who works on {source}; look for \
                 logons from it to the hosts that it asked.",
                names.join(", ")
            )),
            severity: Severity::LOW,
            confidence: (0.4 + 0.05 * further).min(0.6),
            techniques: TECHNIQUES.into(),
            stage: Stage::Discovery,
            first: self.first,
            last: self.last,
            count: self.count,
            peers,
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("operations", json!(names)),
                ("operations_in_5m", json!(operations)),
                ("hosts_in_1h", json!(hosts)),
                ("threshold_operations", json!(operations_min)),
                ("threshold_hosts", json!(hosts_min)),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM smb WHERE src_ip = '{source}' AND operation IS NOT NULL AND {} \
                 ORDER BY ts",
                hunt::between(self.first, self.last)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::{Bench, flow};

    /// Calls: second, last number of the host, operation.
    fn watch(calls: &[(i64, u8, &'static str)]) -> Vec<Finding> {
        let mut bench = Bench::new(watcher(&Knobs::default()));
        let mut said = Vec::new();
        for (secs, host, operation) in calls {
            let record = SmbRecord { operation: Some(operation), ..SmbRecord::empty() };
            let flow = flow("10.0.0.5", &format!("10.0.1.{host}"), 445);
            said.extend(bench.record(*secs, &flow, &record));
        }
        said
    }

    #[test]
    fn many_questions_at_once_and_one_question_to_many_hosts_are_told() {
        let different: Vec<_> = (0..).zip(ASKING).map(|(at, what)| (at, 1, what)).collect();
        assert_eq!(watch(&different[..4]), []);
        assert_eq!(watch(&different[..5]).len(), 1);
        let slow = different.iter().map(|(at, host, what)| (at * 100, *host, *what));
        let slow: Vec<_> = slow.collect();
        assert_eq!(watch(&slow), []);
        let sessions = (1..=10).map(|host| (i64::from(host), host, "NetrSessionEnum"));
        let sessions: Vec<_> = sessions.collect();
        assert_eq!(watch(&sessions[..4]), []);
        assert_eq!(watch(&sessions).len(), 2);
        assert_eq!(watch(&[(0, 1, "NetrShareEnum"); 50]), []);
        assert_eq!(watch(&[(0, 1, "LsarLookupSids2"); 50]), []);
    }
}
