//! Control of one host by another over SMB: the acts that the detectors of it share.
//!
//! In: rows of SMB and flows. Out: for a pair of hosts, which acts of the last ten minutes belong
//! together, put into a finding by what a detector makes of them.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use crate::detector::{Event, Finding, FlowsBehind, What};
use crate::grade::{Severity, Stage, Technique};
use crate::hunt;
use crate::limits::{LATERAL_NAMES, SMB_PAIRS_WATCHED};
use crate::protocols::smb::SmbRecord;
use crate::recent::Recent;
use crate::scene::{Heading, Scene, assets};
use crate::text::Text;
use crate::time::Timestamp;

/// How long acts belong together.
const TOGETHER: Duration = Duration::from_secs(600);

/// Operations that start a program on the called host.
const STARTING: [&str; 12] = [
    "CreateServiceW",
    "CreateServiceA",
    "CreateServiceWOW64W",
    "CreateServiceWOW64A",
    "StartServiceW",
    "StartServiceA",
    "JobAdd",
    "SchRpcRegisterTask",
    "SchRpcRun",
    "ExecMethod",
    "ExecMethodAsync",
    "ChangeServiceConfigW",
];

/// Beginnings of names of pipes that belong to tools for remote control.
const TOOL_PIPES: [&str; 5] = ["psexesvc", "remcom", "csexec", "paexec", "winexesvc"];

/// Endings of names of programs.
const PROGRAMS: [&str; 9] =
    [".exe", ".dll", ".sys", ".bat", ".cmd", ".ps1", ".vbs", ".scr", ".msi"];

/// First port of those that RPC is given by Windows.
const DYNAMIC_PORT: u16 = 49_152;

/// Something that one host did to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Wrote a file to an administrative share.
    Written,
    /// The file is a program.
    ProgramWritten,
    /// Read a program from an administrative share.
    ProgramRead,
    /// Read a file on an administrative share and deleted it.
    OutputFetched,
    /// Made a call that starts a program.
    Call,
    /// Opened a pipe of a tool for remote control.
    ToolPipe,
    /// Called over TCP, where calls are not read.
    RpcOverTcp,
    /// Replicated the directory.
    Replicated,
    /// Replicated the directory although domain controllers are known and it is none.
    ReplicatedByStranger,
}

/// The acts of a pair of hosts.
#[derive(Debug)]
pub struct Acts {
    /// When each was last done, by its number.
    done: [Option<Timestamp>; 9],
    now: Timestamp,
    first: Timestamp,
    count: u64,
    files: Vec<String>,
    calls: Vec<String>,
    read: Vec<String>,
    user: Option<String>,
    flows: FlowsBehind,
    told: Option<(f64, u64)>,
}

/// What a detector makes of acts.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The detector.
    pub detector: &'static str,
    /// Between the two hosts in the title.
    pub title: &'static str,
    /// Behind the first host in the description.
    pub what: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How likely.
    pub confidence: f64,
    /// Techniques.
    pub techniques: &'static [Technique],
}

/// The state of a detector of control.
#[derive(Debug)]
pub struct Control(Recent<(IpAddr, IpAddr), Acts>);

impl Default for Control {
    fn default() -> Self {
        Self(Recent::new(SMB_PAIRS_WATCHED))
    }
}

impl Acts {
    fn new(ts: Timestamp) -> Self {
        Self {
            done: [None; 9],
            now: ts,
            first: ts,
            count: 0,
            files: Vec::new(),
            calls: Vec::new(),
            read: Vec::new(),
            user: None,
            flows: FlowsBehind::default(),
            told: None,
        }
    }

    /// Whether it was done in the last ten minutes.
    #[must_use]
    pub fn has(&self, act: Act) -> bool {
        let done = self.done.get(act as usize).copied().flatten();
        done.is_some_and(|done| self.now.since(done) <= TOGETHER)
    }

    fn mark(&mut self, act: Act) {
        if let Some(done) = self.done.get_mut(act as usize) {
            *done = Some(self.now);
        }
        self.count = self.count.saturating_add(1);
    }

    /// Takes a row of SMB; whether it is an act.
    fn smb(&mut self, record: &SmbRecord, is_stranger: Option<bool>) -> bool {
        let before = self.count;
        let is_refused = record.status.as_ref().is_some_and(|status| {
            status.as_bytes() != b"STATUS_SUCCESS" && status.as_bytes() != b"STATUS_PENDING"
        });
        if is_refused {
            return false;
        }
        if let Some(operation) = record.operation {
            self.operation(record, operation, is_stranger);
        }
        let Some(path) = record.path.as_ref().map(|path| path.escaped().into_owned()) else {
            return self.count != before;
        };
        let plain = path.to_lowercase();
        if TOOL_PIPES.iter().any(|tool| plain.starts_with(tool)) && !plain.ends_with(".exe") {
            self.mark(Act::ToolPipe);
            remember(&mut self.calls, format!("pipe {path}"));
        }
        if let Some(tree) = record.tree.as_ref().filter(|tree| is_administrative(tree)) {
            self.file(record, &format!("{}\\{path}", tree.escaped()));
        }
        self.count != before
    }

    fn operation(&mut self, record: &SmbRecord, operation: &str, is_stranger: Option<bool>) {
        let is_replication = operation == "DsGetNCChanges";
        if STARTING.contains(&operation) {
            self.mark(Act::Call);
        } else if is_replication && is_stranger == Some(true) {
            self.mark(Act::ReplicatedByStranger);
        } else if is_replication && is_stranger.is_none() {
            self.mark(Act::Replicated);
        } else {
            return;
        }
        let interface = record.pipe_service.as_ref().map(|service| service.escaped().into_owned());
        let interface = interface.unwrap_or_default();
        remember(&mut self.calls, format!("{interface} {operation}").trim().to_owned());
    }

    /// A file on an administrative share.
    fn file(&mut self, record: &SmbRecord, name: &str) {
        let is_program = PROGRAMS.iter().any(|ending| name.to_lowercase().ends_with(ending));
        let moved = record.bytes.unwrap_or(0) > 0;
        match record.action {
            Some("write") if moved => {
                self.mark(if is_program { Act::ProgramWritten } else { Act::Written });
                if is_program {
                    self.mark(Act::Written);
                }
                remember(&mut self.files, name.to_owned());
            }
            Some("read") if moved => {
                remember(&mut self.read, name.to_owned());
                if is_program {
                    self.mark(Act::ProgramRead);
                    remember(&mut self.files, name.to_owned());
                }
            }
            Some("delete") if self.read.iter().any(|read| read == name) => {
                self.mark(Act::OutputFetched);
                remember(&mut self.files, name.to_owned());
            }
            _ => {}
        }
    }

    fn finding(&self, (source, target): (IpAddr, IpAddr), heading: Heading, told: Told) -> Finding {
        let user = self.user.as_ref().map_or_else(String::new, |user| format!(" as {user}"));
        let host = if heading == Heading::Inbound { target } else { source };
        let other = if host == source { target } else { source };
        let what = [self.files.first(), self.calls.first()];
        let what: Vec<&str> = what.into_iter().flatten().map(String::as_str).collect();
        Finding {
            detector: told.detector,
            host,
            key: Text::from(other.to_string()),
            title: Text::from(format!("{source} {} {target}: {}", told.title, what.join(", "))),
            description: Text::from(format!(
                "{source}{user} {} within {} min. Files: {}. Calls: {}. Ask who administers \
                 {target}; look at its new services and tasks, and at the file.",
                told.what,
                TOGETHER.as_secs() / 60,
                list(&self.files),
                list(&self.calls)
            )),
            severity: told.severity,
            confidence: told.confidence,
            techniques: told.techniques.into(),
            stage: Stage::LateralMovement,
            first: self.first,
            last: self.now,
            count: self.count,
            peers: vec![other],
            flows: self.flows.clone(),
            indicator: None,
            evidence: [
                ("target", json!(target)),
                ("user", json!(self.user)),
                ("files", json!(self.files)),
                ("calls", json!(self.calls)),
                ("rpc_over_tcp", json!(self.has(Act::RpcOverTcp))),
                ("together_seconds", json!(TOGETHER.as_secs())),
            ]
            .into(),
            hunt: format!(
                "SELECT * FROM smb WHERE {} AND (action IN ('write', 'read', 'delete') OR \
                 operation IS NOT NULL) ORDER BY ts",
                hunt::uids(&self.flows)
            ),
        }
    }
}

impl Control {
    /// Takes an event; what `judge` makes of the acts, if that is more than it was.
    pub fn note(
        &mut self,
        event: &Event<'_>,
        scene: &Scene,
        judge: impl Fn(&Acts) -> Option<Told>,
    ) -> Option<Finding> {
        let pair = (event.flow.src.ip, event.flow.dst.ip);
        let acts = match event.what {
            What::Row(record) => {
                let is_rpc = record.part == 1
                    && record.service == Some("dcerpc")
                    && event.flow.dst.port >= DYNAMIC_PORT;
                // Calls alone say nothing: they matter for pairs that were seen with files.
                let acts = is_rpc.then(|| self.0.get_mut(&pair)).flatten()?;
                acts.now = acts.now.max(event.ts);
                acts.mark(Act::RpcOverTcp);
                acts
            }
            _ => {
                let record = event.what.record::<SmbRecord>()?;
                if record.operation.is_none() && record.path.is_none() {
                    return None;
                }
                let controllers = &scene.assets.domain_controllers;
                let is_stranger =
                    (!controllers.is_empty()).then(|| !assets::any_contains(controllers, pair.0));
                let acts = self.0.entry(pair, || Acts::new(event.ts));
                if event.ts.since(acts.now) > TOGETHER {
                    *acts = Acts::new(event.ts);
                }
                acts.now = acts.now.max(event.ts);
                if acts.user.is_none() {
                    acts.user = crate::logins::login::name(record.user.as_ref());
                }
                if !acts.smb(record, is_stranger) {
                    return None;
                }
                acts
            }
        };
        acts.flows.add(event.flow);
        let told = judge(acts)?;
        let is_more = acts.told.is_none_or(|(confidence, count)| {
            told.confidence > confidence || acts.count >= count.saturating_mul(2)
        });
        if !is_more {
            return None;
        }
        acts.told = Some((told.confidence, acts.count));
        Some(acts.finding(pair, event.heading, told))
    }

    /// Pairs that made room for others.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}

/// Whether a share is one of a disk or of Windows itself: `C$`, `ADMIN$`.
fn is_administrative(tree: &Text) -> bool {
    let tree = tree.as_bytes();
    let share = tree.rsplit(|byte| *byte == b'\\').next().unwrap_or_default();
    share.eq_ignore_ascii_case(b"ADMIN$")
        || matches!(share, [letter, b'$'] if letter.is_ascii_alphabetic())
}

/// Keeps a name, if there is room and it is new.
fn remember(names: &mut Vec<String>, name: String) {
    if names.len() < LATERAL_NAMES && !names.contains(&name) {
        names.push(name);
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none seen".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
pub(crate) mod samples;
