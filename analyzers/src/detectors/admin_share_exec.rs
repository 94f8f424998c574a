//! A program is put onto another host over SMB and started there.
//!
//! # What it detects
//! PsExec and its like: a file written to an administrative share (`ADMIN$`, `C$`) and a service or
//! task created, started or called on the same host; the pipes of PsExec itself; and smbexec, which
//! reads and deletes the output of its commands on `C$` while it calls services.
//!
//! # Why it matters
//! This is how intruders and ransomware run on the next host once they have an administrator's
//! password.
//!
//! # How
//! For a pair of hosts the last ten minutes are kept: writes to administrative shares, files there
//! that are read and deleted, calls that start programs (svcctl `CreateService`, `StartService`;
//! atsvc `JobAdd`; ITaskSchedulerService `SchRpcRegisterTask`, `SchRpcRun`; IWbemServices
//! `ExecMethod`), pipes named after tools, and RPC over TCP, whose calls are not read. A write with
//! such a call, a write with a tool's pipe, or a file fetched and deleted with a call or with RPC
//! over TCP is the finding. Confidence 0.8; 0.95 where the file is a program and the call is seen;
//! 0.7 where RPC goes over TCP and its calls are hidden.
//!
//! # False positives
//! Software distribution (SCCM, PDQ) and backup servers: allow them by address. What SMB 3 encrypts
//! is not seen.
//!
//! # Knobs
//! None.
//!
//! # References
//! ATT&CK T1021.002 SMB/Windows Admin Shares, T1570 Lateral Tool Transfer, T1569.002 Service
//! Execution, T1053 Scheduled Task, T1047 Windows Management Instrumentation.

use serde::Deserialize;

use crate::detector::{Detector, Event, Findings, Interest, Watcher};
use crate::grade::{Severity, Technique};
use crate::lateral::{Act, Acts, Control, Told};
use crate::protocols::smb::SmbRecord;
use crate::scene::Scene;
use crate::threshold::Grounds;

/// This detector.
pub const DETECTOR: Detector = Detector {
    name: "admin_share_exec",
    source: include_str!("admin_share_exec.rs"),
    interests: &[Interest::Record(&SmbRecord::TABLE), Interest::Row],
};

const TECHNIQUES: &[Technique] =
    &[Technique::new(1021, 2), Technique::new(1570, 0), Technique::new(1569, 2)];

/// `[detect.admin_share_exec]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {}

impl Grounds for Knobs {}

/// Makes its state.
#[must_use]
pub fn watcher(_: &Knobs) -> Box<dyn Watcher> {
    Box::new(AdminShareExec(Control::default()))
}

struct AdminShareExec(Control);

impl Watcher for AdminShareExec {
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings) {
        findings.extend(self.0.note(event, scene, judge));
    }

    fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}

/// What the last minutes amount to.
fn judge(acts: &Acts) -> Option<Told> {
    let has = |act| acts.has(act);
    let has_call = has(Act::Call);
    let confidence = if has(Act::ProgramWritten) && has_call {
        0.95
    } else if (has(Act::Written) && (has_call || has(Act::ToolPipe)))
        || (has(Act::OutputFetched) && has_call)
    {
        0.8
    } else if has(Act::OutputFetched) && has(Act::RpcOverTcp) {
        0.7
    } else {
        return None;
    };
    Some(Told {
        detector: DETECTOR.name,
        title: "put a program onto",
        what: "runs commands on it: a file on an administrative share and a call that starts \
               programs belong together",
        severity: Severity::HIGH,
        confidence,
        techniques: TECHNIQUES,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Finding;
    use crate::lateral::samples::{call, fetched, over_tcp, pipe, play, written};

    fn watch(steps: &[crate::lateral::samples::Step]) -> Vec<Finding> {
        play(watcher(&Knobs::default()), steps)
    }

    #[test]
    fn a_file_and_a_call_belong_together() {
        let psexec = written("ADMIN$", "PSEXESVC.exe");
        for (steps, expected) in [
            (vec![(0, psexec.clone()), (5, call("svcctl", "CreateServiceWOW64W"))], Some(0.95)),
            (vec![(0, call("svcctl", "StartServiceW")), (5, psexec.clone())], Some(0.95)),
            (vec![(0, psexec.clone()), (5, pipe("PSEXESVC-PC-2412-stdin"))], Some(0.8)),
            (vec![(0, written("C$", "x.txt")), (5, call("atsvc", "JobAdd"))], Some(0.8)),
            (vec![(0, fetched("C$", "__output")), (9, over_tcp())], Some(0.7)),
            (vec![(0, psexec.clone()), (601, call("svcctl", "CreateServiceW"))], None),
            (vec![(0, psexec.clone())], None),
            (vec![(0, written("docs", "a.exe")), (5, call("svcctl", "CreateServiceW"))], None),
            (vec![(0, psexec), (5, call("svcctl", "QueryServiceStatus"))], None),
            (vec![(0, call("atsvc", "JobAdd"))], None),
        ] {
            let confidence = watch(&steps).last().map(|finding| finding.confidence);
            assert_eq!(confidence, expected, "{steps:?}");
        }
    }

    #[test]
    fn the_finding_names_file_and_call() {
        let said =
            watch(&[(0, written("ADMIN$", "PSEXESVC.exe")), (5, call("svcctl", "CreateServiceW"))]);
        assert_eq!(said[0].severity, Severity::HIGH);
        assert_eq!(said[0].evidence["files"][0], "\\\\dc1\\ADMIN$\\PSEXESVC.exe");
        assert_eq!(said[0].evidence["calls"][0], "svcctl CreateServiceW");
        assert!(said[0].hunt.starts_with("SELECT * FROM smb WHERE uid IN ("));
    }
}
