//! How many events a second all detectors take on one core, and what each of them costs.
//!
//!     cargo run --release -p analyzers --example detectors_rate [HOSTS] [FLOWS]
//!
//! In: an hour of made-up traffic: HOSTS (1,000,000) hosts that open FLOWS (10,000,000) flows, each
//! to one of 200,000 servers, so that nearly every flow is of a pair of its own. A flow is three
//! events, where it speaks TLS four. Out: a table for people.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use analyzers::detectors::{self, Knobs};
use analyzers::protocols::tls::TlsRecord;
use analyzers::{
    Endpoint, Event, Findings, FlowId, FlowRecord, Interest, Opening, Scene, Text, Timestamp,
    Transport, Uid, What,
};

const HOUR: i64 = 3_600_000_000_000;
const START: i64 = 1_735_516_800_000_000_000;
const SERVERS: u64 = 200_000;

/// Flows that are open at the same time: one ends when so many others have opened.
const OPEN: u64 = 20_000;

/// Numbers that look random and are the same on every run.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 31).wrapping_mul(0x94d0_49bb_1331_11eb) ^ mixed >> 29
}

struct Traffic {
    hosts: u64,
    flows: u64,
    row: FlowRecord,
    hello: TlsRecord,
}

impl Traffic {
    fn flow(&self, number: u64) -> FlowId {
        let host = u32::try_from(mixed(number) % self.hosts).unwrap_or(0);
        let server = u32::try_from(mixed(!number) % SERVERS).unwrap_or(0);
        FlowId {
            uid: Uid(u128::from(mixed(number)) << 64 | u128::from(number)),
            src: Endpoint { ip: IpAddr::V4((0x0a00_0000 + host).into()), port: 50_000 },
            dst: Endpoint { ip: IpAddr::V4((0x2c00_0000 + server).into()), port: 443 },
            transport: Transport::TCP,
        }
    }

    fn time(&self, number: u64) -> Timestamp {
        let share = u128::from(number) * u128::from(HOUR.unsigned_abs()) / u128::from(self.flows);
        Timestamp::from_nanos(START + i64::try_from(share).unwrap_or(HOUR))
    }

    /// Tells all of it, in the order of time.
    fn tell(&mut self, mut tell: impl FnMut(Timestamp, Timestamp, &FlowId, What<'_>)) {
        for number in 0..self.flows + OPEN {
            let now = self.time(number);
            if number < self.flows {
                let flow = self.flow(number);
                tell(now, now, &flow, What::Opened(Opening::Syn));
                if number % 3 != 0 {
                    let server = flow.dst.ip;
                    self.hello.sni = Some(Text::from(format!("s{server}.example.com")));
                    tell(now, now, &flow, What::Record(&self.hello));
                }
            }
            if let Some(old) = number.checked_sub(OPEN) {
                self.row.end_ts = now;
                tell(now, self.time(old), &self.flow(old), What::Row(&self.row));
            }
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let hosts = arguments.next().unwrap_or(1_000_000);
    let flows = arguments.next().unwrap_or(10_000_000);
    let mut traffic = Traffic { hosts, flows, row: row(), hello: hello() };
    let mut events = 0_u64;
    let start = Instant::now();
    traffic.tell(|_, _, _, _| events += 1);
    let floor = start.elapsed();
    eprintln!("{hosts} hosts, {flows} flows, {events} events; making them: {floor:.1?}");

    let names: Vec<&str> = detectors::ALL.iter().map(|detector| detector.name).collect();
    let mut sum = Duration::ZERO;
    for name in std::iter::once("scene").chain(names) {
        let (took, evicted, found) = one(&mut traffic, name);
        let took = took.saturating_sub(floor);
        sum += took;
        let each = took.as_secs_f64() * 1e9 / events as f64;
        eprintln!("{name:20} {each:7.1} ns an event, {evicted} evicted, {found} findings");
    }
    let rate = events as f64 / sum.as_secs_f64();
    eprintln!("together {rate:.0} events/s on one core");
}

/// Tells all of it to the scene or to one detector.
fn one(traffic: &mut Traffic, name: &str) -> (Duration, u64, usize) {
    let knobs = Knobs::default();
    let mut watchers = detectors::watchers(&knobs);
    watchers.retain(|(detector, _)| detector.name == name);
    let mut watcher = watchers.pop();
    let mut scene = Scene::default();
    let mut findings = Findings::default();
    let mut found = 0;
    let mut minute = 0;
    let start = Instant::now();
    traffic.tell(|time, ts, flow, what| {
        let heading = analyzers::Heading::Outbound;
        let event = Event { time, ts, flow, heading, dst_name: None, what };
        let Some((detector, watcher)) = &mut watcher else {
            scene.note(&event);
            return;
        };
        let wants = detector.interests.iter().any(|interest| match (interest, &event.what) {
            (Interest::Opened, What::Opened(_)) | (Interest::Row, What::Row(_)) => true,
            (Interest::Record(table), What::Record(record)) => record.table().name == table.name,
            _ => false,
        });
        if !wants {
            return;
        }
        let full = time.nanos() / 60_000_000_000;
        if full > minute {
            minute = full;
            watcher.minute(Timestamp::from_nanos(full * 60_000_000_000), &scene, &mut findings);
        }
        watcher.event(&event, &scene, &mut findings);
        found += findings.drain().count();
    });
    let took = start.elapsed();
    let evicted = watcher.map_or(scene.contacts.evicted(), |(_, watcher)| watcher.evicted());
    (took, evicted, found)
}

fn row() -> FlowRecord {
    FlowRecord {
        part: 1,
        end_ts: Timestamp::default(),
        community_id: String::new(),
        service: Some("tls"),
        state: "SF",
        history: Some("ShADadFf".into()),
        src_packets: 10,
        dst_packets: 12,
        src_ip_bytes: 2_000,
        dst_ip_bytes: 9_000,
        src_bytes: 1_500,
        dst_bytes: 8_500,
        missed_bytes: 0,
        vlan: None,
        inner_vlan: None,
        tunnel: None,
        src_mac: None,
        dst_mac: None,
        tcp_flags_src: None,
        tcp_flags_dst: None,
        src_country: None,
        dst_country: None,
        src_asn: None,
        dst_asn: None,
        dst_as_org: None,
        dst_name: None,
        direction: Some("outbound"),
        end_reason: "fin",
        bad_checksums: 0,
    }
}

fn hello() -> TlsRecord {
    TlsRecord {
        transport: "tcp",
        version: Some("TLSv1.3".into()),
        quic_version: None,
        sni: None,
        ech: None,
        alpn: None,
        alpn_selected: None,
        cipher: None,
        ja3: None,
        ja3s: None,
        ja4: Some("t13d1516h2_8daaf6152771_02713d6af862".to_owned()),
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
