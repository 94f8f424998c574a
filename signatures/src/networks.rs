//! Networks by address. In: networks. Out: all of them that hold an address, the widest last.
//!
//! Two networks are apart or one lies inside the other. So they stand sorted by first address, the
//! wider first, each with the number of the smallest one around it: the last that begins at or
//! below an address is the only start of a search, and whatever else holds the address lies around
//! it.

use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    width: u8,
    first: u128,
    prefix: u8,
    number: u32,
    around: Option<u32>,
}

impl Network {
    fn holds(&self, width: u8, address: u128) -> bool {
        let hosts = u32::from(self.width.saturating_sub(self.prefix));
        let differ = (self.first ^ address).checked_shr(hosts).unwrap_or(0);
        self.width == width && differ == 0
    }
}

/// Networks, ready for look-ups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Networks(Vec<Network>);

impl Networks {
    /// From networks and their numbers.
    pub(crate) fn new(networks: impl Iterator<Item = (IpAddr, u8, u32)>) -> Self {
        let mut sorted: Vec<Network> = networks
            .map(|(address, prefix, number)| {
                let (width, first) = bits(address);
                Network { width, first, prefix, number, around: None }
            })
            .collect();
        sorted.sort_unstable();
        // Those that could hold the next one: each lies inside the one before it.
        let mut open: Vec<u32> = Vec::new();
        for index in 0..sorted.len() {
            let Some(&Network { width, first, .. }) = sorted.get(index) else { break };
            let holds =
                |&at: &u32| sorted.get(at as usize).is_some_and(|outer| outer.holds(width, first));
            while open.last().is_some_and(|last| !holds(last)) {
                open.pop();
            }
            if let Some(network) = sorted.get_mut(index) {
                network.around = open.last().copied();
            }
            open.extend(u32::try_from(index));
        }
        Self(sorted)
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Network>()
    }

    /// The numbers of all networks that hold an address, the smallest first.
    pub(crate) fn holding(&self, address: IpAddr) -> impl Iterator<Item = u32> + '_ {
        let (width, address) = bits(address);
        let after =
            self.0.partition_point(|network| (network.width, network.first) <= (width, address));
        let mut next = after.checked_sub(1);
        std::iter::from_fn(move || {
            loop {
                let network = self.0.get(next?)?;
                next = network.around.map(|around| around as usize);
                if network.holds(width, address) {
                    return Some(network.number);
                }
            }
        })
    }
}

fn bits(address: IpAddr) -> (u8, u128) {
    match address.to_canonical() {
        IpAddr::V4(four) => (32, u128::from(four.to_bits())),
        IpAddr::V6(six) => (128, six.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [(&str, u8); 8] = [
        ("10.0.0.0", 8),
        ("10.1.0.0", 16),
        ("10.1.2.0", 24),
        ("10.1.2.128", 25),
        ("10.2.0.0", 16),
        ("192.0.2.0", 24),
        ("2001:db8::", 32),
        ("2001:db8:1::", 48),
    ];

    #[test]
    fn an_address_finds_every_network_around_it() {
        let networks = Networks::new(
            LIST.iter().zip(0_u32..).map(|(&(ip, prefix), n)| (ip.parse().unwrap(), prefix, n)),
        );
        for (address, expected) in [
            ("10.1.2.129", &[3, 2, 1, 0][..]),
            ("10.1.2.3", &[2, 1, 0]),
            ("10.1.3.0", &[1, 0]),
            ("10.2.255.255", &[4, 0]),
            ("10.255.255.255", &[0]),
            ("11.0.0.0", &[]),
            ("9.255.255.255", &[]),
            ("192.0.2.255", &[5]),
            ("192.0.3.0", &[]),
            ("255.255.255.255", &[]),
            ("::ffff:192.0.2.1", &[5]),
            ("2001:db8:1::7", &[7, 6]),
            ("2001:db8:2::7", &[6]),
            ("::a01:203", &[]),
        ] {
            let found: Vec<u32> = networks.holding(address.parse().unwrap()).collect();
            assert_eq!(found, expected, "{address}");
        }
    }
}
