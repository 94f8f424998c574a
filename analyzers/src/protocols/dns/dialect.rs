//! The four protocols that share the DNS message format. They are told apart by port, since nothing
//! in a message does: DNS (RFC 1035), multicast DNS (RFC 6762), LLMNR (RFC 4795), NetBIOS name
//! service (RFC 1002 §4.2).

use crate::flow_id::Transport;
use crate::protocol::FlowContext;

/// Port of DNS.
pub(super) const DNS_PORT: u16 = 53;
/// Port of multicast DNS.
pub(super) const MDNS_PORT: u16 = 5353;
/// Port of LLMNR.
pub(super) const LLMNR_PORT: u16 = 5355;
/// Port of the NetBIOS name service.
pub(super) const NBNS_PORT: u16 = 137;

/// Which of the protocols a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// DNS over UDP, on any port that is none of the others'.
    Udp,
    /// DNS over TCP.
    Tcp,
    /// Multicast DNS.
    Mdns,
    /// Link-local multicast name resolution.
    Llmnr,
    /// NetBIOS name service.
    Nbns,
}

impl Dialect {
    /// That of a flow.
    pub(super) fn of(flow: &FlowContext) -> Self {
        let datagrams = flow.transport != Transport::TCP;
        if flow.has_port(LLMNR_PORT) {
            Self::Llmnr
        } else if datagrams && flow.has_port(MDNS_PORT) {
            Self::Mdns
        } else if datagrams && flow.has_port(NBNS_PORT) {
            Self::Nbns
        } else if datagrams {
            Self::Udp
        } else {
            Self::Tcp
        }
    }

    /// What the column `transport` says.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Nbns => "nbns",
        }
    }

    /// The class that a class field means; multicast DNS keeps a flag in its first bit.
    pub(super) const fn class(self, field: u16) -> u16 {
        match self {
            Self::Mdns => field & 0x7fff,
            _ => field,
        }
    }
}
