//! Traffic made by hand, for tests of detectors that need days of it: what hosts do, in any order;
//! played in the order of time, with its minutes.

use crate::detector::{Event, Finding, Findings, Opening, Watcher, What};
use crate::detectors::samples::row;
use crate::flow_id::{Endpoint, FlowId, Transport, Uid};
use crate::flow_record::FlowRecord;
use crate::protocols::dns::DnsRecord;
use crate::protocols::http::HttpRecord;
use crate::protocols::tls::TlsRecord;
use crate::record::Record;
use crate::scene::Scene;
use crate::text::Text;
use crate::time::Timestamp;

/// A Monday, 00:00 UTC.
const MONDAY: f64 = 1_735_516_800.0;

/// Numbers that look random and are the same on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// From 0 to 1.
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let bits = u32::try_from(self.0 >> 32).unwrap();
        (f64::from(bits) + 0.5) / 4_294_967_296.0
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }

    /// Time to the next of events that know nothing of each other.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.roll().ln()
    }
}

enum Told {
    Opened(Opening),
    Active(u32),
    Row(Box<FlowRecord>),
    Record(Box<dyn Record>),
}

/// Traffic that is to be played. Times are seconds since a Monday, 00:00 UTC.
pub(crate) struct Rehearsal {
    pub(crate) scene: Scene,
    told: Vec<(Timestamp, Timestamp, FlowId, Told)>,
    flows: u128,
}

pub(crate) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(((MONDAY + seconds) * 1e9) as i64)
}

impl Rehearsal {
    pub(crate) fn new() -> Self {
        Self { scene: Scene::default(), told: Vec::new(), flows: 0 }
    }

    fn tell(&mut self, time: f64, ts: f64, flow: &FlowId, told: Told) {
        self.told.push((at(time), at(ts), *flow, told));
    }

    /// A flow that opens.
    pub(crate) fn open(
        &mut self,
        seconds: f64,
        host: &str,
        server: &str,
        port: u16,
        transport: Transport,
    ) -> FlowId {
        self.flows += 1;
        let end = |text: &str, port| Endpoint { ip: text.parse().unwrap(), port };
        let uid = Uid(self.flows << 64 | self.flows);
        // ICMP has its type where others have the originator's port.
        let src_port = if transport == Transport::ICMP { port } else { 50_000 };
        let flow = FlowId { uid, src: end(host, src_port), dst: end(server, port), transport };
        let opening = if transport == Transport::TCP { Opening::Syn } else { Opening::Datagram };
        self.tell(seconds, seconds, &flow, Told::Opened(opening));
        flow
    }

    /// Its end, `length` seconds after its start.
    pub(crate) fn end(
        &mut self,
        start: f64,
        length: f64,
        flow: &FlowId,
        state: &'static str,
        (src_bytes, dst_bytes): (i64, i64),
    ) {
        let end_ts = at(start + length);
        let record = FlowRecord { src_bytes, dst_bytes, end_ts, end_reason: "fin", ..row(state) };
        self.tell(start + length, start, flow, Told::Row(Box::new(record)));
    }

    /// A row that is made by hand.
    pub(crate) fn row(&mut self, time: f64, start: f64, flow: &FlowId, row: FlowRecord) {
        self.tell(time, start, flow, Told::Row(Box::new(row)));
    }

    /// Payload after a silence.
    pub(crate) fn active(&mut self, seconds: f64, flow: &FlowId, bytes: u32) {
        self.tell(seconds, seconds, flow, Told::Active(bytes));
    }

    /// An analyzer's row, of a request that began a moment ago.
    pub(crate) fn record(&mut self, seconds: f64, flow: &FlowId, record: impl Record) {
        self.tell(seconds + 0.1, seconds, flow, Told::Record(Box::new(record)));
    }

    /// A short connection by TLS to a server of that name.
    pub(crate) fn call(&mut self, seconds: f64, host: &str, server: &str, sni: &str) {
        let flow = self.open(seconds, host, server, 443, Transport::TCP);
        self.record(seconds + 0.05, &flow, tls(Some(sni), "t13d1516h2_8daaf6152771_02713d6af862"));
        self.end(seconds, 1.0, &flow, "SF", (900, 4_000));
    }

    /// Other hosts, so that shares mean something.
    pub(crate) fn populate(&mut self, hosts: u8, server: &str) {
        for host in 1..=hosts {
            let flow =
                self.open(f64::from(host), &format!("10.0.7.{host}"), server, 80, Transport::TCP);
            self.end(f64::from(host), 1.0, &flow, "SF", (300, 1_000));
        }
    }

    /// Plays it to a detector.
    pub(crate) fn play(mut self, mut watcher: Box<dyn Watcher>) -> Vec<Finding> {
        const MINUTE: i64 = 60_000_000_000;
        self.told.sort_by_key(|(time, _, flow, _)| (*time, flow.uid));
        let mut findings = Findings::default();
        let mut minute = None;
        let mut now = Timestamp::MIN;
        for (time, ts, flow, told) in &self.told {
            now = *time;
            let full = Timestamp::from_nanos(now.nanos().div_euclid(MINUTE) * MINUTE);
            if minute.replace(full).is_some_and(|minute| minute < full) {
                watcher.minute(full, &self.scene, &mut findings);
            }
            let what = match told {
                Told::Opened(opening) => What::Opened(*opening),
                Told::Active(bytes) => What::Active { bytes: *bytes },
                Told::Row(row) => What::Row(row),
                Told::Record(record) => What::Record(record.as_ref()),
            };
            let heading = self.scene.home.heading(flow);
            let event = Event { time: now, ts: *ts, flow, heading, dst_name: None, what };
            self.scene.note(&event);
            watcher.event(&event, &self.scene, &mut findings);
        }
        watcher.finish(now, &self.scene, &mut findings);
        findings.drain().collect()
    }
}

pub(crate) fn tls(sni: Option<&str>, ja4: &str) -> TlsRecord {
    TlsRecord {
        transport: "tcp",
        version: Some("TLSv1.3".into()),
        quic_version: None,
        sni: sni.map(|name| Text::from(name.to_owned())),
        ech: None,
        alpn: None,
        alpn_selected: None,
        cipher: None,
        ja3: None,
        ja3s: None,
        ja4: Some(ja4.to_owned()),
        established: true,
        resumed: None,
        subject: None,
        issuer: None,
        san: None,
        serial: None,
        not_before: None,
        not_after: None,
        cert_sha256: None,
        cert_sha1: None,
        cert_count: None,
        self_signed: None,
    }
}

pub(crate) fn http(depth: i32, host: &str, uri: &str) -> HttpRecord {
    HttpRecord {
        depth: Some(depth),
        method: Some("GET".into()),
        host: Some(Text::from(host.to_owned())),
        uri: Some(Text::from(uri.to_owned())),
        version: None,
        user_agent: None,
        referrer: None,
        origin: None,
        x_forwarded_for: None,
        username: None,
        status: Some(200),
        reason: None,
        request_content_type: None,
        content_type: None,
        server: None,
        request_body_bytes: None,
        response_body_bytes: None,
        response_sha256: None,
        response_mime: None,
    }
}

/// An answer: addresses, all with one time to live; none is a name that does not exist.
pub(crate) fn dns(query: &str, qtype: &'static str, answers: &[&str], ttl: i64) -> DnsRecord {
    let exists = !answers.is_empty();
    DnsRecord {
        transport: "udp",
        id: 1,
        opcode: 0,
        query: Some(Text::from(query.to_owned())),
        qtype: Some(qtype.into()),
        qclass: Some("IN".into()),
        rcode: Some(if exists { "NOERROR" } else { "NXDOMAIN" }.into()),
        aa: None,
        tc: None,
        rd: None,
        ra: None,
        answers: Some(answers.iter().map(|text| Text::from((*text).to_owned())).collect()),
        answer_types: Some(answers.iter().map(|_| qtype.into()).collect()),
        answer_ttls: Some(answers.iter().map(|_| ttl).collect()),
        rtt_us: Some(1_000),
        query_bytes: Some(30 + i64::try_from(query.len()).unwrap()),
        response_bytes: Some(100),
    }
}
