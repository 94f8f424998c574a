//! From the link layer to the innermost transport header.
//!
//! In: one packet's bytes. Out: a [`Packet`]: addresses, ports, lengths from the wire, where its
//! payload is; or the reason why it was skipped. Lengths are taken from the headers, never guessed.

use std::net::IpAddr;
use std::sync::Arc;

use analyzers::{Timestamp, Transport};

/// What the decoder makes of a packet.
#[derive(Debug)]
pub enum Decoded {
    /// A packet that belongs to a flow.
    Packet(Packet),
    /// A fragment that waits for the rest of its datagram; it is counted when that is complete, or
    /// as skipped when it never is.
    Held,
    /// Nothing for the flow table.
    Skipped(SkipReason),
}

/// One innermost packet (or one datagram made of several fragments).
#[derive(Clone, Debug)]
pub struct Packet {
    /// Packet time; of the last fragment, where there are several.
    pub time: Timestamp,
    /// Sender of the innermost IP packet.
    pub src_ip: IpAddr,
    /// Receiver of the innermost IP packet.
    pub dst_ip: IpAddr,
    /// Sender's port; ICMP: the type.
    pub src_port: u16,
    /// Receiver's port; ICMP: the code.
    pub dst_port: u16,
    /// IP protocol after extension headers.
    pub transport: Transport,
    /// First 802.1Q tag's VLAN, of the outermost frame.
    pub vlan: Option<u16>,
    /// Second tag's VLAN.
    pub inner_vlan: Option<u16>,
    /// Encapsulations that were removed, outermost first, such as `gre` or `vxlan:42`.
    pub tunnel: Option<Arc<str>>,
    /// IP packets that this stands for: one, or the number of fragments.
    pub ip_packets: u32,
    /// Bytes of those IP packets by their length fields.
    pub ip_bytes: u64,
    /// TCP's fields, where the transport is TCP.
    pub tcp: Option<TcpFields>,
    /// What the headers' checksums say.
    pub checksum: Checksum,
    /// The transport's payload.
    pub payload: Payload,
    /// Payload bytes by the headers' lengths; more than `payload` holds where the capture cut it.
    pub payload_wire_bytes: u32,
}

/// Fields of a TCP header that the flow and stream rooms read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFields {
    /// Sequence number of the first payload byte (of the SYN, where there is one).
    pub seq: u32,
    /// Acknowledgement number; meaningful with the ACK flag.
    pub ack: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
    pub flags: u8,
    /// Window, unscaled.
    pub window: u16,
    /// Urgent pointer; meaningful with the URG flag.
    pub urgent: u16,
}

/// What is known of a packet's IP and transport checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// They match, or there is none.
    Good,
    /// One does not match; on a host that captures itself this is usually its network card's work.
    Bad,
    /// The capture cut the packet, so that nobody can tell.
    Unknown,
}

/// Where a payload's bytes are.
#[derive(Clone, Debug)]
pub enum Payload {
    /// In the batch's block.
    Block {
        /// Offset of the first byte in the block.
        offset: u32,
        /// Number of bytes that the capture holds.
        len: u32,
    },
    /// Put together from fragments.
    Reassembled(Arc<[u8]>),
}

/// Why a packet does not reach the flow table. Every packet is a [`Packet`], part of one, or one of
/// these.
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
    /// The transport header is cut short by the capture.
    TransportCut,
    /// The transport header contradicts itself.
    TransportMalformed,
    /// More layers or tunnels than the bound allows.
    TooManyLayers,
    /// A fragment whose datagram never became whole.
    FragmentIncomplete,
    /// A fragment that contradicts its datagram.
    FragmentMalformed,
    /// The fragment pool was full.
    FragmentPoolFull,
    /// The filter that the user gave does not match.
    Filtered,
}
