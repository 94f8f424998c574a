//! What beats are counted by: a host of ours, and the destination that it beats towards.
//!
//! In: names, addresses, clients. Out: [`Key`]s, small enough for a million, and [`Destination`]s,
//! which people read and hunts select.

use std::net::IpAddr;

use crate::domain;
use crate::flow_id::{FlowId, Transport};
use crate::hunt;
use crate::scene::Subject;
use crate::scene::prevalence::digest;
use crate::text::{Text, escape};
use crate::time::Timestamp;

/// The port of NTP.
const NTP_PORT: u16 = 123;

/// A host and the digest of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub host: IpAddr,
    pub destination: u64,
}

/// Where beats go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Destination {
    /// A server by the name that clients ask it for.
    Name(Text),
    /// A server that has no name.
    Address(IpAddr, u16, Transport),
    /// A domain that names are asked of.
    Questions(Text),
    /// Whatever one client reaches in one network, by whatever names.
    Network(Text, IpAddr),
}

/// The same without a copy of the name, for look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target<'a> {
    Name(&'a [u8]),
    Address(IpAddr, u16, Transport),
    Questions(&'a [u8]),
    Network(&'a [u8], IpAddr),
}

impl Target<'_> {
    /// Where a flow goes, by address.
    pub(super) const fn of_flow(flow: &FlowId) -> Self {
        Self::Address(flow.dst.ip, flow.dst.port, flow.transport)
    }

    pub(super) fn key(&self, host: IpAddr) -> Key {
        Key { host, destination: digest(self) }
    }

    pub(super) fn destination(&self) -> Destination {
        match *self {
            Self::Name(name) => Destination::Name(Text::wire(name)),
            Self::Address(ip, port, transport) => Destination::Address(ip, port, transport),
            Self::Questions(domain) => Destination::Questions(Text::wire(domain)),
            Self::Network(client, network) => Destination::Network(Text::wire(client), network),
        }
    }

    /// What its prevalence is asked by.
    pub(super) fn subject(&self) -> Subject<'_> {
        match *self {
            Self::Name(name) | Self::Questions(name) => Subject::domain_of(name),
            Self::Address(ip, ..) => Subject::Address(ip),
            Self::Network(client, _) => Subject::Client(client),
        }
    }
}

impl Destination {
    /// As it is looked up.
    pub(super) fn target(&self) -> Target<'_> {
        match self {
            Self::Name(name) => Target::Name(name.as_bytes()),
            Self::Address(ip, port, transport) => Target::Address(*ip, *port, *transport),
            Self::Questions(domain) => Target::Questions(domain.as_bytes()),
            Self::Network(client, network) => Target::Network(client.as_bytes(), *network),
        }
    }

    /// For people.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Name(name) => name.escaped().into_owned(),
            Self::Address(ip, port, transport) => format!("{ip} {transport}/{port}"),
            Self::Questions(domain) => format!("{} (DNS)", domain.escaped()),
            Self::Network(client, network) => {
                format!("{} ({})", network_text(*network), client.escaped())
            }
        }
    }

    /// What it is known to be, where that is harmless.
    pub(super) fn class(&self) -> Option<&'static str> {
        match self {
            Self::Name(name) | Self::Questions(name) => class_of(name.as_bytes()),
            Self::Address(_, NTP_PORT, Transport::UDP) => Some("time service"),
            Self::Address(..) | Self::Network(..) => None,
        }
    }

    /// SQL for the rows behind the beats of a host.
    pub(super) fn hunt(&self, host: IpAddr, first: Timestamp, last: Timestamp) -> String {
        let when = hunt::between(first, last);
        let (table, condition) = match self {
            Self::Name(name) => {
                let name = quoted(name.as_bytes());
                ("flow", format!("dst_name = {name}"))
            }
            Self::Address(ip, port, transport) => {
                ("flow", format!("dst_ip = '{ip}' AND dst_port = {port} AND proto = '{transport}'"))
            }
            Self::Questions(domain) => {
                let domain = escape(domain.as_bytes());
                let (is, ends) = (hunt::text(&domain), hunt::text(&format!(".{domain}")));
                ("dns", format!("(query = {is} OR ends_with(query, {ends}))"))
            }
            Self::Network(client, network) => {
                let (client, net) = (quoted(client.as_bytes()), prefix_text(*network));
                let uids = format!(
                    "SELECT uid FROM tls WHERE ja4 = {client} UNION ALL SELECT uid FROM http WHERE \
                     user_agent = {client}"
                );
                ("flow", format!("starts_with(dst_ip, '{net}') AND uid IN ({uids})"))
            }
        };
        format!("SELECT * FROM {table} WHERE src_ip = '{host}' AND {condition} AND {when}")
    }
}

fn quoted(bytes: &[u8]) -> String {
    hunt::text(&escape(bytes))
}

/// The network that servers of one owner share: a /24, in IPv6 a /48.
pub(in crate::detectors) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !(u128::MAX >> 48)).into()),
    }
}

fn network_text(network: IpAddr) -> String {
    format!("{network}/{}", if network.is_ipv4() { 24 } else { 48 })
}

/// How addresses of a network begin, in their canonical text.
pub(in crate::detectors) fn prefix_text(network: IpAddr) -> String {
    let text = network.to_string();
    match network {
        IpAddr::V4(_) => text.strip_suffix('0').unwrap_or(&text).to_owned(),
        IpAddr::V6(_) => text.strip_suffix(':').unwrap_or(&text).to_owned(),
    }
}

/// Domains of services that machines ask in time, with what they are.
const CLASSES: &[(&[u8], &str)] = &[
    (b"windowsupdate.com", "update service"),
    (b"update.microsoft.com", "update service"),
    (b"delivery.mp.microsoft.com", "update service"),
    (b"swscan.apple.com", "update service"),
    (b"swcdn.apple.com", "update service"),
    (b"archive.ubuntu.com", "update service"),
    (b"security.ubuntu.com", "update service"),
    (b"deb.debian.org", "update service"),
    (b"update.googleapis.com", "update service"),
    (b"msftconnecttest.com", "connectivity check"),
    (b"msftncsi.com", "connectivity check"),
    (b"connectivitycheck.gstatic.com", "connectivity check"),
    (b"connectivity-check.ubuntu.com", "connectivity check"),
    (b"detectportal.firefox.com", "connectivity check"),
    (b"captive.apple.com", "connectivity check"),
    (b"pool.ntp.org", "time service"),
    (b"time.windows.com", "time service"),
    (b"time.apple.com", "time service"),
    (b"push.apple.com", "push service"),
    (b"mtalk.google.com", "push service"),
    (b"wns.windows.com", "push service"),
    (b"push.services.mozilla.com", "push service"),
    (b"safebrowsing.googleapis.com", "reputation service"),
    (b"ocsp.digicert.com", "certificate status"),
    (b"lencr.org", "certificate status"),
    (b"ocsp.pki.goog", "certificate status"),
    (b"ocsp.apple.com", "certificate status"),
    (b"ocsp.sectigo.com", "certificate status"),
    (b"ocsp.globalsign.com", "certificate status"),
];

/// What a name is known to be, where that is harmless.
pub(in crate::detectors) fn class_of(name: &[u8]) -> Option<&'static str> {
    let class = CLASSES.iter().find(|(known, _)| domain::is_within(name, known));
    class.map(|(_, class)| *class)
}
