//! A flow's key: the same for both directions, so that a hash table finds a flow by either.
//!
//! In: a decoded packet. Out: the key, which end of it sent the packet, and the shard that owns the
//! flow. ICMP requests and replies meet in one flow: the ports of their key are the type and its
//! counterpart, as RFC 792 and RFC 4443 pair them.

use std::net::IpAddr;

use analyzers::{Direction, Transport};

use crate::decode::Packet;

/// Shards of the flow table. A flow belongs to one by its key alone, whatever the number of
/// workers, so that the table's bounds cut the same flows with one worker as with sixty-four.
pub const SHARDS: usize = 64;

/// Stands for "no VLAN" in a key; no tag can carry it, a VLAN has twelve bits.
const NO_VLAN: u16 = u16::MAX;

/// What tells one flow from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey {
    low_ip: u128,
    high_ip: u128,
    low_port: u16,
    high_port: u16,
    vlan: u16,
    transport: u8,
    /// 4 or 6: the same number means another address in the other family.
    family: u8,
}

/// Which 802.1Q tag takes part in a flow's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VlanInKey {
    /// The first tag: overlapping address plans stay apart.
    #[default]
    First,
    /// None: for taps that tag one direction only.
    None,
}

/// Which end of the key sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The end with the lower address (or port).
    Low,
    /// The other.
    High,
}

impl Sender {
    /// The packet's direction in a flow whose originator is `originator`.
    #[must_use]
    pub fn direction(self, originator: Self) -> Direction {
        if self == originator { Direction::SrcToDst } else { Direction::DstToSrc }
    }

    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

impl FlowKey {
    /// The key of a packet, and which end of it sent the packet.
    #[must_use]
    pub fn of(packet: &Packet, vlan_in_key: VlanInKey) -> (Self, Sender) {
        let (src_port, dst_port) = key_ports(packet);
        let src = (number(packet.src_ip), src_port);
        let dst = (number(packet.dst_ip), dst_port);
        let (low, high, sender) = if src <= dst || is_one_way(packet) {
            (src, dst, Sender::Low)
        } else {
            (dst, src, Sender::High)
        };
        let key = Self {
            low_ip: low.0,
            high_ip: high.0,
            low_port: low.1,
            high_port: high.1,
            vlan: match vlan_in_key {
                VlanInKey::First => packet.vlan.unwrap_or(NO_VLAN),
                VlanInKey::None => NO_VLAN,
            },
            transport: packet.transport.0,
            family: if packet.src_ip.is_ipv4() { 4 } else { 6 },
        };
        (key, sender)
    }

    /// The shard that owns the flow. Not keyed: an attacker who aims at one shard wins the eviction
    /// of unanswered flows in it, and nothing else.
    #[must_use]
    pub fn shard(&self) -> usize {
        let addresses = self.low_ip ^ self.high_ip.rotate_left(17);
        let [a, b, c, d] = words(addresses);
        let ports = u64::from(self.low_port) << 16 | u64::from(self.high_port);
        let folded = (a << 32 | b) ^ (c << 32 | d) ^ ports.rotate_left(32);
        let mixed = (folded ^ u64::from(self.transport)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The highest bits of a product are its best mixed ones.
        usize::from(mixed.to_be_bytes()[0]) % SHARDS
    }
}

/// The four 32-bit words of a number, most significant first.
fn words(number: u128) -> [u64; 4] {
    let bytes = number.to_be_bytes();
    [0, 4, 8, 12].map(|at| {
        u64::from(u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
    })
}

/// The addresses' numbers; the family stands beside them in the key.
fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The ports of a packet's key, sender's first.
fn key_ports(packet: &Packet) -> (u16, u16) {
    match icmp_counterpart(packet.transport, packet.src_port) {
        Some(counterpart) => (packet.src_port, counterpart),
        None => (packet.src_port, packet.dst_port),
    }
}

/// Whether nothing answers the packet: an error of one host and an error of the other are two flows,
/// as they are two Community IDs.
fn is_one_way(packet: &Packet) -> bool {
    matches!(packet.transport, Transport::ICMP | Transport::ICMP6)
        && icmp_counterpart(packet.transport, packet.src_port).is_none()
}

/// The type that answers an ICMP type, or that it answers; `None` for one-way messages.
#[must_use]
pub fn icmp_counterpart(transport: Transport, kind: u16) -> Option<u16> {
    let pairs: &[(u16, u16)] = match transport {
        // Echo, timestamp, information, address mask; router solicitation and advertisement.
        Transport::ICMP => &[(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)],
        // Echo, router, neighbour, multicast listener, node information, home agent discovery.
        Transport::ICMP6 => {
            &[(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)]
        }
        _ => return None,
    };
    pairs.iter().find_map(|&(ask, answer)| match kind {
        kind if kind == ask => Some(answer),
        kind if kind == answer => Some(ask),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::tests::packet;

    #[test]
    fn both_directions_share_key_and_shard() {
        let there = packet("10.0.0.1", 4000, "10.0.0.2", 53, Transport::UDP);
        let back = packet("10.0.0.2", 53, "10.0.0.1", 4000, Transport::UDP);
        let (a, sender_a) = FlowKey::of(&there, VlanInKey::First);
        let (b, sender_b) = FlowKey::of(&back, VlanInKey::First);
        assert_eq!(a, b);
        assert_eq!(a.shard(), b.shard());
        assert_eq!(sender_a.other(), sender_b);
    }

    #[test]
    fn echo_request_and_reply_meet_but_two_errors_do_not() {
        let icmp = |kind, code, from, to| packet(from, kind, to, code, Transport::ICMP);
        let key = |p: &Packet| FlowKey::of(p, VlanInKey::First).0;
        assert_eq!(
            key(&icmp(8, 0, "10.0.0.1", "10.0.0.2")),
            key(&icmp(0, 0, "10.0.0.2", "10.0.0.1"))
        );
        assert_ne!(
            key(&icmp(3, 1, "10.0.0.1", "10.0.0.2")),
            key(&icmp(3, 3, "10.0.0.1", "10.0.0.2"))
        );
        assert_ne!(
            key(&icmp(3, 3, "10.0.0.1", "10.0.0.2")),
            key(&icmp(3, 3, "10.0.0.2", "10.0.0.1"))
        );
    }

    #[test]
    fn families_with_equal_numbers_stay_apart() {
        let v4 = packet("0.0.0.1", 1, "0.0.0.2", 2, Transport::UDP);
        let v6 = packet("::1", 1, "::2", 2, Transport::UDP);
        assert_ne!(FlowKey::of(&v4, VlanInKey::First).0, FlowKey::of(&v6, VlanInKey::First).0);
    }

    #[test]
    fn vlans_part_flows_unless_told_otherwise() {
        let untagged = packet("10.0.0.1", 1, "10.0.0.2", 2, Transport::UDP);
        let tagged = Packet { vlan: Some(7), ..untagged.clone() };
        for (vlan_in_key, same) in [(VlanInKey::First, false), (VlanInKey::None, true)] {
            let equal =
                FlowKey::of(&untagged, vlan_in_key).0 == FlowKey::of(&tagged, vlan_in_key).0;
            assert_eq!(equal, same);
        }
    }
}
