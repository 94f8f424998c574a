//! One half of running a program on another host, without the other.
//!
//! # What it detects
//! A call that starts programs on another host (a service, a task, WMI), a directory that is
//! replicated by a host that is no domain controller (DCSync), or a program that is moved over an
//! administrative share.
//!
//! # Why it matters
//! Each is what an administrator does now and then, and what an intruder does next. Both halves
//! together are `admin_share_exec`.
//!
//! # How
//! The same acts as in `admin_share_exec`, each alone: a call is P3 with 0.5, replication
//! (`DsGetNCChanges`) by a host outside `assets.domain_controllers` is P1 with 0.8 where these are
//! named and P3 with 0.4 where they are not, a program on an administrative share is P3 with 0.4.
//! One finding for a pair of hosts.
//!
//! # False positives
//! Administration of all kinds: allow consoles and software distribution by address.
//!
//! # Knobs
//! None.
//!
//! # References
//! ATT&CK T1569.002 Service Execution, T1053 Scheduled Task, T1047 Windows Management
//! Instrumentation, T1003.006 DCSync, T1570 Lateral Tool Transfer.

use serde::Deserialize;

use crate::detector::{Detector, Event, Findings, Interest, Watcher};
use crate::grade::{Severity, Technique};
use crate::lateral::{Act, Acts, Control, Told};
use crate::protocols::smb::SmbRecord;
use crate::scene::Scene;
use crate::threshold::Grounds;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "remote_exec",
    source: include_str!("remote_exec.rs"),
    interests: &[Interest::Record(&SmbRecord::TABLE)],
};

const CALL: &[Technique] =
    &[Technique::new(1569, 2), Technique::new(1053, 0), Technique::new(1047, 0)];
const REPLICATION: &[Technique] = &[Technique::new(1003, 6)];
const TRANSFER: &[Technique] = &[Technique::new(1570, 0), Technique::new(1021, 2)];

/// `[detect.remote_exec]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {}

impl Grounds for Knobs {}

/// Makes its state.
#[must_use]
pub fn watcher(_: &Knobs) -> Box<dyn Watcher> {
    Box::new(RemoteExec(Control::default()))
}

struct RemoteExec(Control);

impl Watcher for RemoteExec {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        findings.extend(self.0.note(event, scene, judge));
    }

    fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}

/// What the last minutes amount to.
fn judge(acts: &Acts) -> Option<Told> {
    let told = |title, what, severity, confidence, techniques| Told {
        detector: DETECTOR.name,
        title,
        what,
        severity,
        confidence,
        techniques,
    };
    if acts.has(Act::ReplicatedByStranger) {
        return Some(told(
            "replicates the directory of",
            "asks for the passwords of the domain, which only domain controllers do",
            Severity::HIGH,
            0.8,
            REPLICATION,
        ));
    }
    if acts.has(Act::Replicated) {
        return Some(told(
            "replicates the directory of",
            "asks for the passwords of the domain; name domain controllers in \
             assets.domain_controllers to tell theirs from others",
            Severity::LOW,
            0.4,
            REPLICATION,
        ));
    }
    if acts.has(Act::Call) {
        let what = "makes it start programs by a call";
        return Some(told("starts programs on", what, Severity::LOW, 0.5, CALL));
    }
    let is_moved = acts.has(Act::ProgramWritten) || acts.has(Act::ProgramRead);
    is_moved.then(|| {
        let what = "moves a program over an administrative share";
        told("moved a program over a share of", what, Severity::LOW, 0.4, TRANSFER)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lateral::samples::{call, pipe, play, read, written};

    #[test]
    fn each_half_is_worth_a_look() {
        for (step, expected) in [
            (call("atsvc", "JobAdd"), Some(Severity::LOW)),
            (call("drsuapi", "DsGetNCChanges"), Some(Severity::LOW)),
            (read("c$", "temp\\mimikatz.exe"), Some(Severity::LOW)),
            (written("ADMIN$", "x.exe"), Some(Severity::LOW)),
            (written("C$", "report.docx"), None),
            (call("svcctl", "QueryServiceStatus"), None),
            (call("samr", "SamrEnumerateUsersInDomain"), None),
            (pipe("lsarpc"), None),
        ] {
            let said = play(watcher(&Knobs::default()), &[(0, step.clone())]);
            assert_eq!(said.last().map(|finding| finding.severity), expected, "{step:?}");
        }
    }
}
