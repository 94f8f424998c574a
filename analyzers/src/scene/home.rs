//! Home networks: which addresses are ours, and how a flow runs between home and the world.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::flow_id::FlowId;

/// The networks that the sensor guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeNetworks(Vec<IpNet>);

impl Default for HomeNetworks {
    /// Private addresses: RFC 1918, and unique local addresses of IPv6 (RFC 4193).
    fn default() -> Self {
        let v4 = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
        let mut networks: Vec<IpNet> = v4
            .into_iter()
            .map(|(address, bits)| IpNet::new_assert(IpAddr::from(address), bits))
            .collect();
        let unique_local: [u16; 8] = [0xfc00, 0, 0, 0, 0, 0, 0, 0];
        networks.push(IpNet::new_assert(IpAddr::from(unique_local), 7));
        Self(networks)
    }
}

impl HomeNetworks {
    /// These networks and no others.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// They.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.0.iter().copied()
    }

    /// Whether an address is ours.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// How a flow runs.
    #[must_use]
    pub fn heading(&self, flow: &FlowId) -> Heading {
        match (self.contains(flow.src.ip), self.contains(flow.dst.ip)) {
            (true, true) => Heading::Internal,
            (true, false) => Heading::Outbound,
            (false, true) => Heading::Inbound,
            (false, false) => Heading::External,
        }
    }

    /// The end of a flow that is ours to look at: the originator where both are or none is.
    #[must_use]
    pub fn host_of(&self, flow: &FlowId) -> IpAddr {
        match self.heading(flow) {
            Heading::Inbound => flow.dst.ip,
            Heading::Outbound | Heading::Internal | Heading::External => flow.src.ip,
        }
    }
}

/// How a flow runs between home and the world, originator first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heading {
    /// From home to the world.
    Outbound,
    /// From the world to home.
    Inbound,
    /// From home to home.
    Internal,
    /// Neither end is home.
    External,
}

impl Heading {
    /// The word that `flow.direction` says.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_id::{Endpoint, Transport, Uid};

    #[test]
    fn a_flow_heads_from_its_originator_to_its_responder() {
        let home = HomeNetworks::default();
        for (src, dst, expected) in [
            ("10.1.2.3", "192.0.2.1", Heading::Outbound),
            ("192.0.2.1", "172.31.255.255", Heading::Inbound),
            ("192.168.0.1", "fd00::1", Heading::Internal),
            ("172.32.0.0", "2001:db8::1", Heading::External),
        ] {
            let end = |text: &str| Endpoint { ip: text.parse().unwrap(), port: 1 };
            let flow = FlowId {
                uid: Uid::default(),
                src: end(src),
                dst: end(dst),
                transport: Transport::TCP,
            };
            assert_eq!(home.heading(&flow), expected, "{src} to {dst}");
        }
    }
}
