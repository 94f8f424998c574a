//! Services that are named but not parsed: one probe each, by content.
//!
//! In: the first bytes of each direction. Out: a verdict, which gives a flow its `service`.
//! Services whose talk may turn into another protocol (`STARTTLS` and its kin, SOCKS) are followed
//! up to that byte and no further ([`upgrade`], [`socks`]); the others have no analyzer. No service
//! has rows.
//!
//! A wrong name is worse than none. A probe therefore wants what no other protocol begins with;
//! where two protocols share a beginning, the usual port may decide between them, and where nothing
//! but the port speaks for a service it stays unnamed.
//!
//! Memory of a flow: none for a service without an analyzer, a few dozen bytes for the others.
//!
//! To add one: a constant in the file of its kind, and its word in the list of
//! [`crate::protocols`].

pub mod chat;
pub mod database;
pub mod directory;
pub mod files;
pub mod industry;
pub mod mail;
pub mod messaging;
pub mod network;
pub mod peer;
pub mod remote;
pub mod rpc;
pub mod socks;
pub mod tunnel;
pub mod voice;

mod greeting;
mod upgrade;
mod words;

#[cfg(test)]
mod tests;

use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};

const TCP: &[Transport] = &[Transport::TCP];
const UDP: &[Transport] = &[Transport::UDP];
const BOTH: &[Transport] = &[Transport::TCP, Transport::UDP];

/// What the services of this room have in common: a name without an analyzer or rows.
const NAMED: Protocol = Protocol {
    name: "",
    doc: "",
    specifications: &[],
    transports: TCP,
    ports: &[],
    buffer_bytes_max: 0,
    probe: |_| Verdict::NotForUs,
    analyzer: None,
    tables: &[],
};

/// A verdict on a stream: bytes that end too early may go on.
fn stream(recognised: Result<bool, Malformed>) -> Verdict {
    match recognised {
        Ok(true) => Verdict::Certain,
        Err(malformed) if malformed.is_truncated() => Verdict::Unsure,
        Ok(false) | Err(_) => Verdict::NotForUs,
    }
}

/// A verdict on a datagram, which has nothing behind its end.
fn datagram(recognised: Result<bool, Malformed>) -> Verdict {
    match recognised {
        Ok(true) => Verdict::Certain,
        Ok(false) | Err(_) => Verdict::NotForUs,
    }
}

/// A verdict on a stream or a datagram, as the flow has it.
fn either(probe: &Probe<'_>, recognised: Result<bool, Malformed>) -> Verdict {
    match probe.flow.transport {
        Transport::TCP => stream(recognised),
        _ => datagram(recognised),
    }
}

/// Whether the flow uses one of these ports.
fn uses(probe: &Probe<'_>, ports: &[u16]) -> bool {
    ports.iter().any(|port| probe.flow.has_port(*port))
}
