//! The made-up network: who talks to whom, how much, and how it ends.

use std::net::{IpAddr, Ipv4Addr};

use analyzers::FlowRecord;
use analyzers::record::Header;
use analyzers::{Text, Timestamp, Transport, Uid};
use data_encoding::BASE64;
use sensor::rows::StampedRow;

use crate::dice::{Dice, mix};

/// The first instant: 2026-03-01 in UTC.
const START_SECONDS: i64 = 1_772_323_200;

const DAY_MICROS: u64 = 86_400_000_000;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// How large the network is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) rows: u64,
    pub(crate) days: u64,
    pub(crate) hosts: u64,
    pub(crate) names: u64,
}

/// A kind of traffic: its share in a hundred, and what its flows are like.
#[derive(Clone, Copy)]
struct Kind {
    share: u64,
    service: Option<&'static str>,
    transport: u8,
    port: u16,
    reach: Reach,
    sent: i64,
    received: i64,
    millis: i64,
}

/// Where flows go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Outside,
    Inside,
}

const KINDS: &[Kind] = &[
    kind(38, Some("dns"), UDP, 53, Reach::Inside, 60, 180, 20),
    kind(34, Some("tls"), TCP, 443, Reach::Outside, 2_500, 14_000, 9_000),
    kind(8, Some("quic"), UDP, 443, Reach::Outside, 5_000, 40_000, 20_000),
    kind(5, Some("http"), TCP, 80, Reach::Outside, 700, 5_000, 600),
    kind(5, Some("smb"), TCP, 445, Reach::Inside, 9_000, 30_000, 30_000),
    kind(2, Some("ntp"), UDP, 123, Reach::Outside, 48, 48, 30),
    kind(2, Some("krb"), TCP, 88, Reach::Inside, 1_500, 1_600, 10),
    kind(1, Some("rdp"), TCP, 3389, Reach::Inside, 90_000, 900_000, 600_000),
    kind(5, None, TCP, 0, Reach::Inside, 0, 0, 0),
];

#[allow(clippy::too_many_arguments)] // a row of the table above
const fn kind(
    share: u64,
    service: Option<&'static str>,
    transport: u8,
    port: u16,
    reach: Reach,
    sent: i64,
    received: i64,
    millis: i64,
) -> Kind {
    Kind { share, service, transport, port, reach, sent, received, millis }
}

/// Flows, in the order of time.
#[derive(Debug)]
pub(crate) struct Network {
    scale: Scale,
    dice: Dice,
    made: u64,
}

impl Network {
    pub(crate) const fn new(scale: Scale, seed: u64) -> Self {
        Self { scale, dice: Dice::new(seed), made: 0 }
    }

    /// When the next flow begins: evenly, but for the nights, in which a third is left out and
    /// moved to the next morning by the flows' own spread.
    fn time(&mut self) -> Timestamp {
        let span = self.scale.days * DAY_MICROS;
        let even = u128::from(self.made) * u128::from(span) / u128::from(self.scale.rows.max(1));
        let micros = u64::try_from(even).unwrap_or(0) + self.dice.below(1_000);
        let nanos = i64::try_from(micros).unwrap_or(0).saturating_mul(1_000);
        Timestamp::from_nanos(START_SECONDS * 1_000_000_000 + nanos)
    }

    fn kind(&mut self) -> Kind {
        let mut rest = self.dice.below(100);
        for kind in KINDS {
            if rest < kind.share {
                return *kind;
            }
            rest -= kind.share;
        }
        KINDS[0]
    }

    fn flow(&mut self) -> StampedRow {
        let ts = self.time();
        let kind = self.kind();
        let client = self.dice.ranked(self.scale.hosts);
        let (server, name) = match kind.reach {
            Reach::Outside => {
                let name = self.dice.ranked(self.scale.names);
                (outside(name, self.dice.below(4)), Some(name_text(name)))
            }
            Reach::Inside => (inside(self.dice.ranked(40)), None),
        };
        let header = Header {
            ts,
            uid: Some(Uid(u128::from(self.dice.bits()) << 64 | u128::from(self.dice.bits()))),
            src_ip: Some(inside(1_000 + client)),
            src_port: Some(port(32_768 + self.dice.below(28_000))),
            dst_ip: Some(server),
            dst_port: Some(if kind.port == 0 {
                port(1 + self.dice.below(10_000))
            } else {
                kind.port
            }),
            proto: Some(Transport(kind.transport)),
            sensor: Text::Word("generated"),
        };
        let record = self.record(kind, ts, client, name);
        StampedRow { header, record: Box::new(record) }
    }

    fn record(
        &mut self,
        kind: Kind,
        ts: Timestamp,
        client: u64,
        name: Option<String>,
    ) -> FlowRecord {
        let is_silent = kind.service.is_none();
        let sent = self.dice.around(kind.sent);
        let received = self.dice.around(kind.received);
        let packets = |bytes: i64| bytes / 1_200 + if is_silent { 0 } else { 1 };
        let is_tcp = kind.transport == TCP;
        let handshake = if is_tcp { 3 } else { 0 };
        let (src_packets, dst_packets) = (
            packets(sent) + handshake + i64::from(is_silent),
            packets(received) + handshake * i64::from(!is_silent),
        );
        let header_bytes = if is_tcp { 52 } else { 28 };
        let millis = u64::try_from(self.dice.around(kind.millis)).unwrap_or(0);
        let mut community = [0; 20];
        for part in community.chunks_mut(8) {
            part.copy_from_slice(&self.dice.bits().to_le_bytes()[..part.len()]);
        }
        FlowRecord {
            part: 1,
            end_ts: ts.after(std::time::Duration::from_millis(millis)),
            community_id: format!("1:{}", BASE64.encode(&community)),
            service: kind.service,
            state: if is_silent { "S0" } else { "SF" },
            history: Some(Text::Word(match (is_silent, is_tcp) {
                (true, _) => "S",
                (false, true) => "ShADadFf",
                (false, false) => "Dd",
            })),
            src_packets,
            dst_packets,
            src_ip_bytes: sent + src_packets * header_bytes,
            dst_ip_bytes: received + dst_packets * header_bytes,
            src_bytes: sent,
            dst_bytes: received,
            missed_bytes: 0,
            vlan: None,
            inner_vlan: None,
            tunnel: None,
            src_mac: Some(mac(client)),
            dst_mac: Some(mac(0)),
            tcp_flags_src: is_tcp.then_some(if is_silent { 0x02 } else { 0x1b }),
            tcp_flags_dst: is_tcp.then_some(if is_silent { 0 } else { 0x1b }),
            src_country: None,
            dst_country: name.as_ref().map(|_| Text::Word("US")),
            src_asn: None,
            dst_asn: name.as_ref().map(|name| 1_000 + i64::try_from(name.len()).unwrap_or(0)),
            dst_as_org: None,
            dst_name: name.map(Text::from),
            direction: Some(if kind.reach == Reach::Outside { "outbound" } else { "internal" }),
            end_reason: if is_tcp && !is_silent { "fin" } else { "timeout" },
            bad_checksums: 0,
        }
    }
}

impl Iterator for Network {
    type Item = StampedRow;

    fn next(&mut self) -> Option<StampedRow> {
        if self.made >= self.scale.rows {
            return None;
        }
        let row = self.flow();
        self.made += 1;
        Some(row)
    }
}

fn port(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The n-th address inside.
fn inside(number: u64) -> IpAddr {
    let low = u32::try_from(number).unwrap_or(0) & 0x00ff_ffff;
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | low))
}

/// One of the addresses of a name outside: what is left of chance when 10/8 is not drawn.
fn outside(name: u64, which: u64) -> IpAddr {
    let bits = mix(name.wrapping_mul(4).wrapping_add(which));
    let low = u32::try_from(bits & 0x00ff_ffff).unwrap_or(0);
    IpAddr::V4(Ipv4Addr::from_bits(0x3400_0000 | low))
}

fn name_text(name: u64) -> String {
    let bits = mix(name ^ 0x5eed);
    let host =
        ["www", "api", "cdn", "static", "img", "app"][usize::try_from(bits % 6).unwrap_or(0)];
    format!("{host}.site-{:x}.example", bits >> 24 & 0xffff_ffff)
}

fn mac(host: u64) -> [u8; 6] {
    let bytes = mix(host ^ 0xacad).to_le_bytes();
    [0x02, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]]
}
