//! `ip_in(ip, networks)` and `is_private(ip)`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, BooleanArray};
use arrow_schema::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `ip_in(ip, '10.0.0.0/8, 192.168.0.0/16')`: whether an address lies in one of some networks.
pub(super) fn ip_in() -> ScalarUDF {
    create_udf(
        "ip_in",
        vec![DataType::Utf8View, DataType::Utf8View],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(|args| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let (ips, networks) = (arrays[0].as_string_view(), arrays[1].as_string_view());
            let mut last: Option<(&str, Vec<Network>)> = None;
            let mut found = Vec::with_capacity(ips.len());
            for (ip, text) in ips.iter().zip(networks) {
                let (Some(ip), Some(text)) = (ip, text) else {
                    found.push(None);
                    continue;
                };
                // Nearly always the networks are the same for all rows.
                if last.as_ref().is_none_or(|(known, _)| *known != text) {
                    last = Some((text, parse_networks(text)?));
                }
                let networks = last.as_ref().map_or(&[][..], |(_, networks)| networks);
                found.push(ip.parse().ok().map(|ip| networks.iter().any(|n| n.holds(ip))));
            }
            Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(found))))
        }),
    )
}

/// `is_private(ip)`: whether an address cannot be reached from the internet.
pub(super) fn is_private() -> ScalarUDF {
    create_udf(
        "is_private",
        vec![DataType::Utf8View],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(|args| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let ips = arrays[0].as_string_view();
            let is_private = |ip: &str| ip.parse().ok().map(is_private_address);
            let found: BooleanArray = ips.iter().map(|ip| ip.and_then(is_private)).collect();
            Ok(ColumnarValue::Array(Arc::new(found)))
        }),
    )
}

/// Private use (RFC 1918), shared (RFC 6598), loopback, link-local, unique local (RFC 4193) and
/// unspecified addresses; an IPv4 address that is written as IPv6 counts as what it is.
pub(crate) fn is_private_address(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let is_shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || is_shared
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let first: IpAddr = address.trim().parse().ok()?;
        let longest = if first.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { first, prefix })
    }

    fn holds(self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                let rest = Ipv4Addr::BITS - self.prefix;
                (first.to_bits() ^ ip.to_bits()).checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                let rest = Ipv6Addr::BITS - self.prefix;
                (first.to_bits() ^ ip.to_bits()).checked_shr(rest).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

fn parse_networks(text: &str) -> Result<Vec<Network>> {
    let mut networks = Vec::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        match Network::parse(part) {
            Some(network) => networks.push(network),
            None => {
                return exec_err!(
                    "{part:?} is not a network; write ip_in(src_ip, '10.0.0.0/8, fd00::/8')"
                );
            }
        }
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_should() {
        for (networks, ip, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("192.168.0.0/16, fd00::/8", "fd12::1", true),
            ("192.168.0.0/16 10.0.0.0/8", "10.0.0.1", true),
            ("", "10.0.0.1", false),
        ] {
            let networks = parse_networks(networks).expect(networks);
            let ip = ip.parse().expect(ip);
            assert_eq!(networks.iter().any(|n| n.holds(ip)), expected, "{networks:?} {ip}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/-1"] {
            assert!(parse_networks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn private_addresses_cannot_be_reached_from_outside() {
        for (ip, expected) in [
            ("10.0.0.1", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("8.8.8.8", false),
            ("::ffff:10.0.0.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:4860:4860::8888", false),
        ] {
            assert_eq!(is_private_address(ip.parse().expect(ip)), expected, "{ip}");
        }
    }
}
