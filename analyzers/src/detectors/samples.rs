//! Events made by hand, for the detectors' tests.

use std::time::Duration;

use crate::detector::{Event, Finding, Findings, Opening, Watcher, What};
use crate::flow_id::{Endpoint, FlowId, Transport, Uid};
use crate::flow_record::FlowRecord;
use crate::record::Record;
use crate::scene::Scene;
use crate::time::Timestamp;

/// A TCP flow from an arbitrary port.
pub(crate) fn flow(src: &str, dst: &str, port: u16) -> FlowId {
    let end = |text: &str, port| Endpoint { ip: text.parse().unwrap(), port };
    FlowId {
        uid: Uid::default(),
        src: end(src, 50_000),
        dst: end(dst, port),
        transport: Transport::TCP,
    }
}

/// The row of a flow in that state, with a history that fits it.
pub(crate) fn row(state: &'static str) -> FlowRecord {
    let (history, dst_packets, dst_bytes) = match state {
        "S0" => ("S", 0, 0),
        "REJ" => ("Sr", 1, 0),
        "RSTO" => ("ShR", 1, 0),
        _ => ("ShADdFf", 30, 60_000),
    };
    FlowRecord {
        state,
        history: Some(history.into()),
        src_packets: 1,
        dst_packets,
        src_ip_bytes: 60,
        dst_ip_bytes: 60,
        dst_bytes,
        ..FlowRecord::empty()
    }
}

/// A detector under test, with the scene that it sees.
pub(crate) struct Bench {
    pub(crate) scene: Scene,
    pub(crate) watcher: Box<dyn Watcher>,
    clock: Timestamp,
    uid: u128,
}

impl Bench {
    pub(crate) fn new(watcher: Box<dyn Watcher>) -> Self {
        Self { scene: Scene::default(), watcher, clock: Timestamp::MIN, uid: 0 }
    }

    /// What is said about the row of a flow that began at `secs` and ended a while later.
    pub(crate) fn row(&mut self, secs: i64, flow: &FlowId, row: &FlowRecord) -> Vec<Finding> {
        self.tell(secs, flow, What::Row(row))
    }

    /// What is said about an analyzer's row.
    pub(crate) fn record(&mut self, secs: i64, flow: &FlowId, record: &dyn Record) -> Vec<Finding> {
        self.tell(secs, flow, What::Record(record))
    }

    /// What is said about a flow's first packet.
    pub(crate) fn opened(&mut self, secs: i64, flow: &FlowId) -> Vec<Finding> {
        self.tell(secs, flow, What::Opened(Opening::Syn))
    }

    /// What is said about an event; flows without a uid get one.
    pub(crate) fn tell(&mut self, secs: i64, flow: &FlowId, what: What<'_>) -> Vec<Finding> {
        let ts = Timestamp::from_secs_nanos(secs, 0);
        self.clock = self.clock.max(ts.after(Duration::from_secs(5)));
        self.uid += 1;
        let mut flow = *flow;
        if flow.uid == Uid::default() {
            flow.uid = Uid(self.uid << 64);
        }
        let heading = self.scene.home.heading(&flow);
        let event = Event { time: self.clock, ts, flow: &flow, heading, dst_name: None, what };
        let mut findings = Findings::default();
        self.watcher.event(&event, &self.scene, &mut findings);
        findings.drain().collect()
    }

    /// What is said at the end.
    pub(crate) fn finish(&mut self) -> Vec<Finding> {
        let mut findings = Findings::default();
        self.watcher.finish(self.clock, &self.scene, &mut findings);
        findings.drain().collect()
    }
}
