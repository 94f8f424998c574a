//! Hosts with a part to play, as the operator names them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// `[assets]`: hosts with a part to play, by address or network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assets {
    /// Hosts whose loss would hurt most; findings about them weigh more.
    pub critical: Vec<Network>,
    /// Decoy addresses that nobody has business with.
    pub canaries: Vec<Network>,
    /// Name servers that ask for others: the host behind a look-up is not known.
    pub resolvers: Vec<Network>,
    /// Scanners of our own.
    pub scanners: Vec<Network>,
    /// Domain controllers.
    pub domain_controllers: Vec<Network>,
}

/// An address or a network, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map(|network| Self(network.trunc()))
            .map_err(|_| {
                serde::de::Error::custom(format!(
                    "{text:?} is no address or network; write it as \"10.1.2.3\" or \"10.1.0.0/16\""
                ))
            })
    }
}

/// Whether one of the networks holds the address.
#[must_use]
pub fn any_contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.0.contains(&address))
}
