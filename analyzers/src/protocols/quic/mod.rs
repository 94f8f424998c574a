//! QUIC (RFC 9000, RFC 9001, RFC 9369): the handshake in its Initial packets, whose keys follow
//! from the client's first connection id, so that any observer can open them.
//!
//! In: datagrams. Out: a row of the table `tls` per connection, with transport `quic`. What is
//! encrypted with other keys is not visible: certificates and the chosen application protocol among
//! it. Google's own QUIC before TLS is only named.
//!
//! Memory of a flow, at worst: two CRYPTO streams of [`crate::limits::TLS_MESSAGE_BYTES`], kept as
//! pieces and as messages, and one set of keys.

use crate::flow_id::Transport;
use crate::protocol::{Analyzer, FlowContext, Probe, Protocol, Verdict};
use crate::protocols::tls::TlsRecord;
use crate::reader::Reader;

mod connection;
mod frame;
mod keys;
mod packet;
#[cfg(test)]
mod tests;
mod version;

/// QUIC, as the list knows it.
pub const PROTOCOL: Protocol = Protocol {
    name: "quic",
    doc: "QUIC handshakes: names, versions, fingerprints.",
    specifications: &["RFC 9000", "RFC 9001", "RFC 9369", "RFC 8999"],
    transports: &[Transport::UDP],
    ports: &[443, 853, 4433, 8443],
    buffer_bytes_max: 0,
    probe: recognise,
    analyzer: Some(follow),
    tables: &[&TlsRecord::TABLE],
};

fn recognise(probe: &Probe<'_>) -> Verdict {
    if packet::is_google(probe.bytes) || packet::is_long(&mut Reader::new(probe.bytes)) {
        Verdict::Certain
    } else {
        Verdict::NotForUs
    }
}

fn follow(_flow: &FlowContext) -> Box<dyn Analyzer> {
    Box::new(connection::Quic::new())
}
