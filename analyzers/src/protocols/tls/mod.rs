//! TLS and SSL over TCP, DTLS over UDP: who spoke to whom, under which name, with which fingerprint
//! and certificate.
//!
//! In: streams or datagrams that begin with a record of TLS (RFC 8446, RFC 5246, RFC 6101; hellos
//! of SSL 2.0 by RFC 5246 appendix E.2) or DTLS (RFC 6347, RFC 9147). Out: one row of the table
//! `tls` per handshake, at the moment when it is complete, else at the end of the flow. Nothing is
//! decrypted.
//!
//! Memory of a flow: see [`stream`] and [`dtls`].

use crate::flow_id::Transport;
use crate::protocol::{Analyzer, FlowContext, Probe, Protocol, Verdict};
use crate::text::Text;

pub(crate) mod carrier;
mod certificate;
mod ciphers;
mod distinguished_name;
mod dtls;
mod fingerprint;
pub(crate) mod handshake;
mod hello;
mod layer;
pub(crate) mod messages;
pub(crate) mod pieces;
mod probe;
mod record;
mod sslv2;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod version;

pub use record::TlsRecord;

/// TLS, as the list knows it.
pub const PROTOCOL: Protocol = Protocol {
    name: "tls",
    doc: "TLS and DTLS handshakes: names, versions, fingerprints, certificates.",
    specifications: &["RFC 8446", "RFC 5246", "RFC 6101", "RFC 6347", "RFC 9147", "RFC 5280"],
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[443, 465, 563, 636, 853, 990, 992, 993, 995, 3269, 4433, 5061, 5349, 6514, 8443],
    buffer_bytes_max: layer::HEADER_BYTES + layer::CONTENT_BYTES_MAX,
    probe: recognise,
    analyzer: Some(follow),
    tables: &[&TlsRecord::TABLE],
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
        Box::new(stream::TlsStream::new())
    } else {
        Box::new(dtls::Dtls::new())
    }
}

/// A host name as records write it: lower case, without the final dot.
fn host(name: &[u8]) -> Text {
    let name = name.strip_suffix(b".").filter(|name| !name.is_empty()).unwrap_or(name);
    Text::from(name.to_ascii_lowercase())
}
