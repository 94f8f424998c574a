//! Voice and pictures: SIP (RFC 3261), RTSP (RFC 7826), STUN (RFC 8489).
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict. RTP has no mark of its own and
//! stays unnamed.

use super::words::{firmer, first_line, is_number, words};
use super::{BOTH, NAMED, either, uses};
use crate::emitter::Emitter;
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{
    Analyzer, Chunk, Finish, FlowContext, Gap, Next, Probe, Protocol, Step, Verdict,
};
use crate::reader::Reader;

/// Session initiation.
pub const SIP: Protocol = Protocol {
    name: "sip",
    doc: "Session initiation.",
    specifications: &["RFC 3261 §7"],
    transports: BOTH,
    ports: &[5_060],
    probe: |probe| messages(probe.bytes, b"SIP/2.0"),
    ..NAMED
};

/// Real-time streaming.
pub const RTSP: Protocol = Protocol {
    name: "rtsp",
    doc: "Control of real-time streams.",
    specifications: &["RFC 2326", "RFC 7826"],
    transports: BOTH,
    ports: &[554, 8_554],
    probe: |probe| firmer(messages(probe.bytes, b"RTSP/1.0"), messages(probe.bytes, b"RTSP/2.0")),
    ..NAMED
};

/// Traversal of address translation.
pub const STUN: Protocol = Protocol {
    name: "stun",
    doc: "Session traversal utilities for NAT, with TURN.",
    specifications: &["RFC 8489 §5", "RFC 3489", "RFC 8656"],
    transports: BOTH,
    ports: &[3_478, 3_479, 19_302],
    probe: |probe| either(probe, is_stun(probe)),
    analyzer: Some(|flow| Box::new(Stun { flow: *flow })),
    ..NAMED
};

/// Lets go of a flow with the first datagram that is none of its own: calls agree on a path by STUN
/// and then speak DTLS on it (RFC 7983). Memory a flow: the struct.
struct Stun {
    flow: FlowContext,
}

impl Analyzer for Stun {
    fn data(&mut self, chunk: &Chunk<'_>, _: &mut Emitter) -> Step {
        let probe = Probe { flow: &self.flow, direction: chunk.direction, bytes: chunk.bytes };
        match is_stun(&probe) {
            _ if self.flow.transport == Transport::TCP => Step::Done,
            Ok(true) => Step::Consumed(chunk.bytes.len()),
            _ => Step::HandOff { to: Next::Recognise, from: 0 },
        }
    }

    fn gap(&mut self, _: &Gap<'_>, _: &mut Emitter) -> Step {
        Step::Done
    }

    fn finish(&mut self, _: &Finish<'_>, _: &mut Emitter) {}
}

/// A status line that begins with the version, or a request line that ends with it.
fn messages(bytes: &[u8], version: &[u8]) -> Verdict {
    first_line(bytes, |line| {
        let mut words = words(line);
        let first = words.next().unwrap_or_default();
        if first == version {
            return words.next().is_some_and(|code| is_number(code) && code.len() == 3);
        }
        let is_method = first.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
        is_method
            && words.next().is_some()
            && words.next() == Some(version)
            && words.next().is_none()
    })
}

/// The cookie proves it; without one (RFC 3489) the port and attributes that fill the length do.
fn is_stun(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const COOKIE: u32 = 0x2112_a442;
    const HEADER_BYTES: usize = 20;
    let mut r = Reader::new(probe.bytes);
    let (kind, length) = (r.u16("type")?, usize::from(r.u16("length")?));
    let cookie = r.u32("cookie")?;
    let behind = probe.bytes.len().saturating_sub(HEADER_BYTES);
    let is_stream = probe.flow.transport == Transport::TCP;
    if kind & 0xc000 != 0 || length % 4 != 0 || !is_stream && length != behind {
        return Ok(false);
    }
    if cookie == COOKIE {
        return Ok(true);
    }
    r.skip(12, "transaction")?;
    while !r.is_empty() {
        r.skip(2, "attribute")?;
        let value = r.u16("attribute length")?;
        r.skip(value.into(), "attribute")?;
    }
    let known = matches!(kind, 0x0001 | 0x0101 | 0x0111);
    Ok(known && !is_stream && uses(probe, STUN.ports))
}
