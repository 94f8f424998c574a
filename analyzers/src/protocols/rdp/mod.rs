//! RDP over TCP (MS-RDPBCGR) and its UDP transport (MS-RDPEUDP): who asked for a desktop, as whom,
//! with which client, under which security, and whether a desktop came of it.
//!
//! In: streams that begin with a TPKT frame of X.224 (T.123 §8, X.224 §13) as MS-RDPBCGR §2.2.1
//! fills it, or datagrams that begin with an RDPEUDP handshake. Out: one [`RdpRecord`] for each
//! flow, at its end, because only then is it known how much was said after the handshake.
//!
//! Where TLS or CredSSP was negotiated, the stream goes over to `tls` where that begins. Where the
//! server speaks standard RDP security, client and server describe themselves in the clear (T.125
//! connect messages around T.124 user data); what follows those is not read.
//!
//! Whether a desktop was reached is judged by volume and time, see [`logon`].
//!
//! Memory of a flow: the row, whose texts the formats themselves bound (a cookie of at most
//! [`RDP_COOKIE_BYTES`](crate::limits::RDP_COOKIE_BYTES), names of 32 UTF-16 units,
//! [`RDP_CHANNELS`](crate::limits::RDP_CHANNELS) channels of eight bytes), thus under 4 KiB, and
//! one unfinished message of [`RDP_MESSAGE_BYTES`](crate::limits::RDP_MESSAGE_BYTES) for each
//! direction.

mod connection;
mod eudp;
mod gcc;
mod logon;
mod mcs;
mod negotiation;
mod probe;
mod record;
#[cfg(test)]
mod tests;
mod tpkt;

pub use record::RdpRecord;

use crate::flow_id::Transport;
use crate::limits::RDP_MESSAGE_BYTES;
use crate::protocol::{Analyzer, FlowContext, Probe, Protocol, Verdict};

/// RDP, as the list of protocols knows it.
pub const PROTOCOL: Protocol = Protocol {
    name: "rdp",
    doc: "Remote Desktop Protocol: negotiation, client and server description, UDP handshake",
    specifications: &["MS-RDPBCGR", "MS-RDPEUDP", "T.123 §8", "X.224 §13", "T.125 §7", "T.124 §8"],
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[3389],
    buffer_bytes_max: RDP_MESSAGE_BYTES,
    probe: recognise,
    analyzer: Some(follow),
    tables: &[&RdpRecord::TABLE],
};

fn recognise(probe: &Probe<'_>) -> Verdict {
    if probe.flow.transport == Transport::TCP {
        probe::stream(probe.bytes)
    } else {
        probe::datagram(probe.bytes)
    }
}

fn follow(flow: &FlowContext) -> Box<dyn Analyzer> {
    if flow.transport == Transport::TCP {
        Box::new(connection::Connection::new(flow.start))
    } else {
        Box::new(eudp::Eudp::default())
    }
}
