//! Why packets do not reach the flow table, and how many for each reason.

/// Why a packet does not reach the flow table. Every packet is a [`Packet`](super::Packet), part of
/// one, or one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// The capture's link type is not one that Serval reads.
    UnknownLinkType,
    /// The link header is cut short or contradicts itself.
    LinkMalformed,
    /// ARP or RARP.
    Arp,
    /// Another protocol than IP, such as LLDP or spanning tree.
    NotIp,
    /// The IP header is cut short by the capture.
    IpCut,
    /// The IP header contradicts itself.
    IpMalformed,
    /// The transport header is cut short by the capture, before its ports are told.
    TransportCut,
    /// The transport header contradicts itself.
    TransportMalformed,
    /// More layers or tunnels than the bound allows.
    TooManyLayers,
    /// A fragment that became part of a datagram, which is counted as one packet.
    FragmentJoined,
    /// A fragment whose datagram never became whole.
    FragmentIncomplete,
    /// A fragment that contradicts its datagram.
    FragmentMalformed,
    /// A fragment that the bounds of the pool had no room for, or were in the way of another.
    FragmentPoolFull,
    /// The filter that the user gave does not match.
    Filtered,
    /// Payload of a flow that carries much, while packets came too fast.
    OverloadElephant,
    /// Payload behind a flow's first bytes, while packets came much too fast.
    OverloadPayload,
}

impl SkipReason {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 16] = [
        Self::UnknownLinkType,
        Self::LinkMalformed,
        Self::Arp,
        Self::NotIp,
        Self::IpCut,
        Self::IpMalformed,
        Self::TransportCut,
        Self::TransportMalformed,
        Self::TooManyLayers,
        Self::FragmentJoined,
        Self::FragmentIncomplete,
        Self::FragmentMalformed,
        Self::FragmentPoolFull,
        Self::Filtered,
        Self::OverloadElephant,
        Self::OverloadPayload,
    ];

    /// Those of packets that there was no time for.
    pub const OVERLOAD: [Self; 2] = [Self::OverloadElephant, Self::OverloadPayload];

    /// The stable name that the table `stats` carries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownLinkType => "unknown_link_type",
            Self::LinkMalformed => "link_malformed",
            Self::Arp => "arp",
            Self::NotIp => "not_ip",
            Self::IpCut => "ip_cut",
            Self::IpMalformed => "ip_malformed",
            Self::TransportCut => "transport_cut",
            Self::TransportMalformed => "transport_malformed",
            Self::TooManyLayers => "too_many_layers",
            Self::FragmentJoined => "fragment_joined",
            Self::FragmentIncomplete => "fragment_incomplete",
            Self::FragmentMalformed => "fragment_malformed",
            Self::FragmentPoolFull => "fragment_pool_full",
            Self::Filtered => "filtered",
            Self::OverloadElephant => "overload_elephant",
            Self::OverloadPayload => "overload_payload",
        }
    }
}

/// Skipped packets of the capture, counted by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkipCounts([u64; SkipReason::ALL.len()]);

impl SkipCounts {
    /// Counts `packets` more.
    pub fn add(&mut self, reason: SkipReason, packets: impl Into<u64>) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count = count.saturating_add(packets.into());
        }
    }

    /// Counts all that `other` counted, too.
    pub fn add_all(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// How many packets were skipped for `reason`.
    #[must_use]
    pub fn count(&self, reason: SkipReason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// How many packets were skipped.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The reasons that occurred and their counts, in the order of their declaration.
    pub fn occurred(&self) -> impl Iterator<Item = (SkipReason, u64)> + '_ {
        SkipReason::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}
