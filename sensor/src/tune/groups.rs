//! How alerts group: by detector, host, peer, network and hour of the day.
//!
//! In: alerts that are told. Out: counts, the largest first; hours in their order.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::entry::network_of;
use super::past::Past;
use super::when::local;

/// Names and counts.
pub(super) type Counts = Vec<(String, usize)>;

/// The groups.
pub(super) struct Groups {
    /// By detector, host, peer or indicator, and network of the host.
    pub(super) by: [(&'static str, Counts); 4],
    /// By hour of the day, local.
    pub(super) hours: [usize; 24],
}

impl Groups {
    /// Of these alerts.
    pub(super) fn of(told: &[&Past], zone: &TimeZone) -> Self {
        let mut hours = [0; 24];
        for past in told {
            let hour =
                local(past.latest().last, zone).and_then(|at| usize::try_from(at.hour()).ok());
            if let Some(count) = hour.and_then(|hour| hours.get_mut(hour)) {
                *count += 1;
            }
        }
        let host = |past: &Past| past.latest().host.clone();
        let by = [
            ("detector", counts(told, |past| Some(past.detector().to_owned()))),
            ("host", counts(told, host)),
            ("peer", counts(told, peer)),
            ("network", counts(told, |past| Some(network_of(host(past)?.parse().ok()?)))),
        ];
        Self { by, hours }
    }
}

/// What an alert is about beside its host: the indicator, a name, the other end.
fn peer(past: &Past) -> Option<String> {
    let row = past.latest();
    let host: Option<IpAddr> = row.host.as_deref().and_then(|host| host.parse().ok());
    let other = [row.dst_ip, row.src_ip].into_iter().flatten().find(|end| Some(*end) != host);
    let name = past.last().text("key").filter(|key| key.contains('.') && !key.contains(' '));
    let named = row.indicator.clone().or_else(|| name.map(str::to_owned));
    named.or_else(|| other.map(|other| other.to_string()))
}

fn counts(told: &[&Past], name: impl Fn(&Past) -> Option<String>) -> Counts {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    told.iter()
        .filter_map(|past| name(past))
        .for_each(|name| *counts.entry(name).or_default() += 1);
    let mut counts: Counts = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
