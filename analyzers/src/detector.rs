//! The detector contract: what a detector is told, what it knows of the network, what it says.
//!
//! In: the events of all flows in one order, each with its packet time, and the [`Scene`]. Out:
//! [`Finding`]s. A detector never sees packets, reads no clock and keeps bounded state; the second
//! stage of the sensor turns findings into alerts, one for each (detector, host, key).
//!
//! - **Invariant:** events come in an order that does not depend on the number of workers, and so
//!   nothing that a detector says does.
//! - **Invariant:** time moves only by [`Watcher::minute`] and by events.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use crate::flow_id::{FlowId, Uid};
use crate::flow_record::FlowRecord;
use crate::grade::{Severity, Stage, Technique};
use crate::limits::FINDING_UIDS;
use crate::record::{Record, Table};
use crate::scene::{Heading, Scene};
use crate::text::Text;
use crate::time::Timestamp;
use crate::weird::Weird;

/// A detector, as the list knows it.
#[derive(Debug)]
pub struct Detector {
    /// Its name, which alerts carry and allow-lists use.
    pub name: &'static str,
    /// The text of its file: the header is what `serval explain` prints.
    pub source: &'static str,
    /// What it is told of; nothing else reaches it.
    pub interests: &'static [Interest],
}

impl Detector {
    /// Its documentation, in Markdown: the `//!` header of its file.
    #[must_use]
    pub fn documentation(&self) -> String {
        let header = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        let mut text = String::new();
        for line in header {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }
}

/// A kind of event.
#[derive(Clone, Copy, Debug)]
pub enum Interest {
    /// [`What::Opened`].
    Opened,
    /// [`What::Active`].
    Active,
    /// [`What::Row`].
    Row,
    /// [`What::Weird`].
    Weird,
    /// [`What::Record`] of this table.
    Record(&'static Table),
}

/// One thing that happened in one flow.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When it became true, in packet time; never less than that of the event before.
    pub time: Timestamp,
    /// Packet time of what it tells of: the flow's first packet, a request's first packet.
    pub ts: Timestamp,
    /// The flow.
    pub flow: &'a FlowId,
    /// How the flow runs between home and the world.
    pub heading: Heading,
    /// The best known name of the responder by now: server name or host of this flow, else the
    /// name that the originator last resolved to this address.
    pub dst_name: Option<&'a Text>,
    /// What happened.
    pub what: What<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A flow's first packet.
    Opened(Opening),
    /// The originator of a flow older than [`crate::limits::ACTIVITY_AGE`] sent payload after a
    /// silence of at least [`crate::limits::ACTIVITY_IDLE`]: a beat inside a long connection.
    Active {
        /// Payload bytes of the packet.
        bytes: u32,
    },
    /// An analyzer's row; [`What::record`] gives it as its type.
    Record(&'a dyn Record),
    /// The first occurrence of odd traffic in this flow.
    Weird(Weird),
    /// A part of a flow (`end_reason` is `interim`), or its end.
    Row(&'a FlowRecord),
}

impl<'a> What<'a> {
    /// The row of an analyzer, if it is of that type.
    #[must_use]
    pub fn record<T: Record>(&self) -> Option<&'a T> {
        match self {
            Self::Record(record) => {
                let record: &'a dyn Any = *record;
                record.downcast_ref()
            }
            _ => None,
        }
    }
}

/// What a flow's first packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A SYN: the originator is certain.
    Syn,
    /// A SYN-ACK: the SYN was not seen, the originator is its receiver.
    SynAck,
    /// A TCP segment inside a connection: the originator is a guess.
    Midstream,
    /// A datagram.
    Datagram,
}

/// The state of a detector.
pub trait Watcher: Send {
    /// Learns of an event.
    fn event(&mut self, event: &Event<'_>, scene: &Scene, findings: &mut Findings);

    /// Packet time has reached the full minute `now`; called before the first event at or after
    /// it, once where several minutes passed without events.
    fn minute(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        let _ = (now, scene, findings);
    }

    /// The input is over at `now`: what waited for a timer is judged as if the timer had fired.
    fn finish(&mut self, now: Timestamp, scene: &Scene, findings: &mut Findings) {
        self.minute(now, scene, findings);
    }

    /// Entries that were forgotten because a table was full.
    fn evicted(&self) -> u64 {
        0
    }

    /// What is worth keeping over a restart.
    fn memory(&self) -> Option<Value> {
        None
    }

    /// Takes back what [`Watcher::memory`] gave.
    ///
    /// # Errors
    /// The memory is not of this detector or version; the text says what is wrong with it.
    fn remember(&mut self, memory: &Value) -> Result<(), String> {
        let _ = memory;
        Ok(())
    }
}

/// What a detector found out about a host. Said again with other figures, it updates the alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The detector's name.
    pub detector: &'static str,
    /// The host to go and look at.
    pub host: IpAddr,
    /// What tells this finding from others of the same detector about the same host, such as the
    /// destination; empty where there is one for a host.
    pub key: Text,
    /// One line: what happened.
    pub title: Text,
    /// A paragraph: the figures in words, the threshold, what to check next.
    pub description: Text,
    /// How bad it would be.
    pub severity: Severity,
    /// How likely it is, 0 to 1.
    pub confidence: f64,
    /// What it is in ATT&CK's terms.
    pub techniques: Cow<'static, [Technique]>,
    /// Where in an attack it belongs.
    pub stage: Stage,
    /// Packet time of the first thing it sums up.
    pub first: Timestamp,
    /// Packet time of the last.
    pub last: Timestamp,
    /// How many things it sums up.
    pub count: u64,
    /// The other hosts that it is about: targets, victims, destinations.
    pub peers: Vec<IpAddr>,
    /// The flows behind it.
    pub flows: FlowsBehind,
    /// The indicator that matched, where that is what it is about.
    pub indicator: Option<IndicatorSeen>,
    /// Figures, thresholds, baselines.
    pub evidence: BTreeMap<&'static str, Value>,
    /// SQL over the archive that shows the rows behind it.
    pub hunt: String,
}

/// An indicator that was seen in traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorSeen {
    /// Its value.
    pub value: Text,
    /// Its kind.
    pub kind: &'static str,
    /// Family or actor.
    pub family: Option<Text>,
    /// The feed.
    pub source: Text,
    /// What it is in ATT&CK's terms, where the feed says so.
    pub technique: Option<Technique>,
}

/// The first flows behind a finding, and the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowsBehind {
    first: Option<FlowId>,
    uids: Vec<Uid>,
    last: Option<Uid>,
}

impl FlowsBehind {
    /// None.
    pub const EMPTY: Self = Self { first: None, uids: Vec::new(), last: None };

    /// Those of one flow.
    #[must_use]
    pub fn one(flow: &FlowId) -> Self {
        let mut flows = Self::default();
        flows.add(flow);
        flows
    }

    /// Adds a flow; beyond [`FINDING_UIDS`] only the last is remembered.
    pub fn add(&mut self, flow: &FlowId) {
        self.first.get_or_insert(*flow);
        if self.uids.contains(&flow.uid) {
            return;
        }
        if self.uids.len() < FINDING_UIDS {
            self.uids.push(flow.uid);
        } else {
            self.last = Some(flow.uid);
        }
    }

    /// The first flow.
    #[must_use]
    pub const fn first(&self) -> Option<&FlowId> {
        self.first.as_ref()
    }

    /// Their uids, in order.
    pub fn uids(&self) -> impl Iterator<Item = Uid> + '_ {
        self.uids.iter().copied().chain(self.last)
    }
}

/// Collects what detectors say, in order.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Says it.
    pub fn say(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Says it, if there is something.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.0.extend(findings);
    }

    /// Takes what was said since the last call.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Finding> {
        self.0.drain(..)
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
