//! What a run saw, in figures that a person reads: flows by service, rows by table, top talkers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use analyzers::{AlertRecord, FlowId, FlowRecord, Text};
use foldhash::HashMap;

/// Hosts whose bytes are added up. A scan with forged sources would otherwise make the overview
/// grow without end; hosts met later than that are left out of the ranking and counted.
const HOSTS_MAX: usize = 100_000;

/// Alerts whose titles are remembered. A person reads a screen of them; the rows have all.
const ALERTS_MAX: usize = 1_000;

/// An alert, for a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its level: `P0` to `P3`.
    pub severity: &'static str,
    /// Its severity from 1 to 10.
    pub number: u8,
    /// How likely it is.
    pub confidence: f64,
    /// Who found it.
    pub detector: &'static str,
    /// What happened; bytes of the wire in it are not escaped yet.
    pub title: Text,
}

/// Figures of a run.
#[derive(Debug, Default)]
pub struct Overview {
    flows: u64,
    services: HashMap<&'static str, u64>,
    rows: BTreeMap<&'static str, u64>,
    hosts: HashMap<IpAddr, Talker>,
    alerts: BTreeMap<Vec<u8>, Told>,
    unlisted_alerts: u64,
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

    /// Takes an alert as it was told; one that was told before is replaced.
    pub fn note_alert(&mut self, alert: &AlertRecord) {
        let id = alert.alert_id.as_bytes().to_vec();
        if self.alerts.len() >= ALERTS_MAX && !self.alerts.contains_key(&id) {
            self.unlisted_alerts += 1;
            return;
        }
        let told = Told {
            severity: alert.severity,
            number: alert.severity_number,
            confidence: alert.confidence,
            detector: alert.detector,
            title: alert.title.clone(),
        };
        self.alerts.insert(id, told);
    }

    /// The worst and likeliest alerts, and how many there are.
    #[must_use]
    pub fn alerts(&self, most: usize) -> (Vec<&Told>, u64) {
        let mut alerts: Vec<_> = self.alerts.iter().collect();
        alerts.sort_by(|(a_id, a), (b_id, b)| {
            let worse = (b.number, b.confidence).partial_cmp(&(a.number, a.confidence));
            worse.unwrap_or(std::cmp::Ordering::Equal).then(a_id.cmp(b_id))
        });
        let listed = alerts.into_iter().map(|(_, told)| told).take(most).collect();
        (listed, self.alerts.len() as u64 + self.unlisted_alerts)
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
