//! How many events a second all detectors take on one core, and what each of them costs.
//!
//!     cargo run --release -p analyzers --example detectors_rate [HOSTS] [FLOWS]
//!
//! In: an hour of made-up traffic: HOSTS (1,000,000) hosts that open FLOWS (10,000,000) flows, each
//! to one of 200,000 servers, so that nearly every flow is of a pair of its own. A flow is three
//! events, where it speaks TLS four. Out: a table for people. The rate is of one pass in which the
//! scene and all detectors learn of the events as in the sensor; the time of making them is taken
//! off. A pass for each detector alone then tells who needs how much; these see an empty scene.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use analyzers::detectors::{self, Knobs};
use analyzers::protocols::tls::TlsRecord;
use analyzers::{
    Detector, Endpoint, Event, Findings, FlowId, FlowRecord, Interest, Opening, Scene, Text,
    Timestamp, Transport, Uid, What,
};

// As in the sensor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

    let (took, evicted, found) = pass(&mut traffic, Audience::Everybody);
    let rate = events as f64 / took.saturating_sub(floor).as_secs_f64();
    eprintln!("together {rate:.0} events/s on one core, {evicted} evicted, {found} findings");
    let alone = detectors::ALL.iter().map(|detector| Audience::Alone(detector.name));
    for audience in std::iter::once(Audience::Scene).chain(alone) {
        let name = if let Audience::Alone(name) = audience { name } else { "scene" };
        let (took, evicted, found) = pass(&mut traffic, audience);
        let each = took.saturating_sub(floor).as_secs_f64() * 1e9 / events as f64;
        eprintln!("{name:20} {each:7.1} ns an event, {evicted} evicted, {found} findings");
    }
}

/// Who learns of the traffic.
#[derive(Clone, Copy)]
enum Audience {
    Everybody,
    Scene,
    Alone(&'static str),
}

/// The detectors that want each kind of event of this traffic.
#[derive(Default)]
struct Wanted {
    opened: Vec<usize>,
    row: Vec<usize>,
    tls: Vec<usize>,
}

impl Wanted {
    fn subscribe(&mut self, index: usize, detector: &Detector) {
        for interest in detector.interests {
            match interest {
                Interest::Opened => self.opened.push(index),
                Interest::Row => self.row.push(index),
                Interest::Record(table) if table.name == TlsRecord::TABLE.name => {
                    self.tls.push(index);
                }
                _ => {}
            }
        }
    }
}

/// Tells all of it; the time that it took, entries that made room for others, and findings.
fn pass(traffic: &mut Traffic, audience: Audience) -> (Duration, u64, usize) {
    let mut watchers = detectors::watchers(&Knobs::default());
    watchers.retain(|(detector, _)| match audience {
        Audience::Everybody => true,
        Audience::Scene => false,
        Audience::Alone(name) => detector.name == name,
    });
    let mut wanted = Wanted::default();
    for (index, (detector, _)) in watchers.iter().enumerate() {
        wanted.subscribe(index, detector);
    }
    let has_scene = !matches!(audience, Audience::Alone(_));
    let mut scene = Scene::default();
    let mut findings = Findings::default();
    let (mut found, mut minute) = (0, 0);
    let start = Instant::now();
    traffic.tell(|time, ts, flow, what| {
        let heading = analyzers::Heading::Outbound;
        let event = Event { time, ts, flow, heading, dst_name: None, what };
        if has_scene {
            scene.note(&event);
        }
        let full = time.nanos() / 60_000_000_000;
        if full > minute {
            minute = full;
            let now = Timestamp::from_nanos(full * 60_000_000_000);
            watchers.iter_mut().for_each(|(_, watcher)| watcher.minute(now, &scene, &mut findings));
        }
        let wanted = match event.what {
            What::Opened(_) => &wanted.opened,
            What::Row(_) => &wanted.row,
            _ => &wanted.tls,
        };
        for &index in wanted {
            watchers[index].1.event(&event, &scene, &mut findings);
        }
        found += findings.drain().count();
    });
    let took = start.elapsed();
    let evicted = watchers.iter().map(|(_, watcher)| watcher.evicted()).sum::<u64>();
    (took, evicted + scene.contacts.evicted(), found)
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
