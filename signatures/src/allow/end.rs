//! One side of what a detector found. In: `10.0.0.20`, `10.2.0.0/24`, `host.example`, `.example`,
//! `AS64500`. Out: whether an address, its name or its network's number is meant.

use std::net::IpAddr;

use crate::value::{Key, Kind, Name, Scope, address_bytes, network_of_any_size};

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Network(IpAddr, u8),
    Name(Key),
    System(i64),
}

/// An end of a finding, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Party<'a> {
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its best known name.
    pub name: Option<&'a [u8]>,
    /// The number of its autonomous system.
    pub asn: Option<i64>,
}

impl End {
    pub(super) fn parse(written: &str) -> Option<Self> {
        let number = written.strip_prefix("AS").or_else(|| written.strip_prefix("as"));
        if let Some(number) = number.and_then(|number| number.parse::<u32>().ok()) {
            return Some(Self::System(number.into()));
        }
        if let Ok(address) = written.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Some(Self::Network(address, if address.is_ipv4() { 32 } else { 128 }));
        }
        if let Some((address, _)) = written.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let key = network_of_any_size(written).ok()?;
            let prefix = match key.kind() {
                Kind::Network => *key.bytes().last()?,
                _ => u8::try_from(key.bytes().len() * 8).ok()?,
            };
            return Some(Self::Network(address.to_canonical(), prefix));
        }
        Key::allowed_name(written).ok().map(Self::Name)
    }

    pub(super) fn is(&self, party: &Party<'_>) -> bool {
        match self {
            Self::Network(network, prefix) => {
                party.address.is_some_and(|address| shares_prefix(*network, address, *prefix))
            }
            Self::System(number) => party.asn == Some(*number),
            Self::Name(key) => party.name.is_some_and(|name| is_named(key, name)),
        }
    }
}

fn shares_prefix(network: IpAddr, address: IpAddr, prefix: u8) -> bool {
    let (network, address) = (address_bytes(network), address_bytes(address));
    network.len() == address.len()
        && network.iter().zip(&address).zip((0_u8..).step_by(8)).all(|((one, other), start)| {
            let kept = prefix.saturating_sub(start).min(8);
            let differ = u16::from(one ^ other);
            differ >> (8 - kept) == 0
        })
}

fn is_named(key: &Key, name: &[u8]) -> bool {
    let Ok(name) = Name::canonical(name) else { return false };
    let (name, listed) = (name.bytes(), key.bytes());
    let beneath = || {
        name.strip_suffix(listed)
            .is_some_and(|rest| key.scope() == Scope::Beneath && rest.ends_with(b"."))
    };
    name == listed || beneath()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_meant_by_address_network_name_or_system() {
        for (written, address, name, asn, expected) in [
            ("10.0.0.20", "10.0.0.20", "", 0, true),
            ("10.0.0.20", "10.0.0.21", "", 0, false),
            ("10.2.0.0/24", "10.2.0.255", "", 0, true),
            ("10.2.0.0/24", "10.2.1.0", "", 0, false),
            ("10.2.0.0/23", "10.2.1.0", "", 0, true),
            ("0.0.0.0/0", "203.0.113.7", "", 0, true),
            ("0.0.0.0/0", "2001:db8::1", "", 0, false),
            ("10.2.0.1/32", "10.2.0.1", "", 0, true),
            ("::ffff:10.2.0.0/120", "10.2.0.9", "", 0, true),
            ("2001:db8::/32", "2001:db8:9::1", "", 0, true),
            ("host.example", "10.0.0.1", "HOST.example.", 0, true),
            ("host.example", "10.0.0.1", "a.host.example", 0, false),
            (".host.example", "10.0.0.1", "a.host.example", 0, true),
            (".host.example", "10.0.0.1", "ahost.example", 0, false),
            (".corp", "10.0.0.1", "printer.corp", 0, true),
            ("AS64500", "10.0.0.1", "", 64_500, true),
            ("as64500", "10.0.0.1", "", 64_501, false),
        ] {
            let party = Party {
                address: Some(address.parse().unwrap()),
                name: (!name.is_empty()).then_some(name.as_bytes()),
                asn: Some(asn),
            };
            let end = End::parse(written).unwrap();
            assert_eq!(end.is(&party), expected, "{written} {address} {name} {asn}");
            assert!(!end.is(&Party::default()), "{written}");
        }
        for written in ["", "10.0.0.0/33", "a b", "10.0.0.0/x", "a..b"] {
            assert_eq!(End::parse(written), None, "{written}");
        }
    }
}
