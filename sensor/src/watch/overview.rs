//! What a run saw, in figures that a person reads: flows by service, rows by table, top talkers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use analyzers::{FlowId, FlowRecord};
use foldhash::HashMap;

/// Hosts whose bytes are added up. A scan with forged sources would otherwise make the overview
/// grow without end; hosts met later than that are left out of the ranking and counted.
const HOSTS_MAX: usize = 100_000;

/// Figures of a run.
#[derive(Debug, Default)]
pub struct Overview {
    flows: u64,
    services: HashMap<&'static str, u64>,
    rows: BTreeMap<&'static str, u64>,
    hosts: HashMap<IpAddr, Talker>,
    unranked_hosts: u64,
    payload_bytes: u64,
    missed_bytes: u64,
}

/// What one host sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Talker {
    /// Bytes of IP packets that it sent.
    pub sent: u64,
    /// Bytes of IP packets that it received.
    pub received: u64,
    /// Flows that it took part in.
    pub flows: u64,
}

impl Overview {
    /// Takes a flow row.
    pub fn note_flow(&mut self, flow: &FlowId, record: &FlowRecord) {
        let first_row = u64::from(record.part == 1);
        self.flows += first_row;
        if record.end_reason != "interim" {
            *self.services.entry(record.service.unwrap_or("unknown")).or_default() += 1;
        }
        self.payload_bytes += unsigned(record.src_bytes) + unsigned(record.dst_bytes);
        self.missed_bytes += unsigned(record.missed_bytes);
        let (src, dst) = (unsigned(record.src_ip_bytes), unsigned(record.dst_ip_bytes));
        self.note_host(flow.src.ip, src, dst, first_row);
        self.note_host(flow.dst.ip, dst, src, first_row);
    }

    /// Takes any row.
    pub fn note_row(&mut self, table: &'static str) {
        *self.rows.entry(table).or_default() += 1;
    }

    /// Flows that ended.
    #[must_use]
    pub const fn flows(&self) -> u64 {
        self.flows
    }

    /// Services with their flows, most frequent first.
    #[must_use]
    pub fn services(&self) -> Vec<(&'static str, u64)> {
        let mut services: Vec<_> =
            self.services.iter().map(|(name, flows)| (*name, *flows)).collect();
        services.sort_by_key(|&(name, flows)| (std::cmp::Reverse(flows), name));
        services
    }

    /// Rows by table.
    #[must_use]
    pub const fn rows(&self) -> &BTreeMap<&'static str, u64> {
        &self.rows
    }

    /// The hosts that sent and received most, and how many hosts there are.
    #[must_use]
    pub fn talkers(&self, most: usize) -> (Vec<(IpAddr, Talker)>, u64) {
        let mut talkers: Vec<_> = self.hosts.iter().map(|(ip, talker)| (*ip, *talker)).collect();
        talkers.sort_by_key(|(ip, talker)| (std::cmp::Reverse(talker.sent + talker.received), *ip));
        talkers.truncate(most);
        (talkers, self.hosts.len() as u64 + self.unranked_hosts)
    }

    /// Share of TCP payload that is not in the capture, in percent.
    #[must_use]
    pub fn gap_percent(&self) -> f64 {
        if self.payload_bytes == 0 {
            return 0.0;
        }
        100.0 * self.missed_bytes as f64 / self.payload_bytes as f64
    }

    fn note_host(&mut self, ip: IpAddr, sent: u64, received: u64, flows: u64) {
        if self.hosts.len() >= HOSTS_MAX && !self.hosts.contains_key(&ip) {
            self.unranked_hosts += 1;
            return;
        }
        let talker = self.hosts.entry(ip).or_default();
        talker.sent += sent;
        talker.received += received;
        talker.flows += flows;
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
