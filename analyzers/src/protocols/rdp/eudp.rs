//! The handshake of RDP's UDP transport (MS-RDPEUDP §2.2.2.1, §2.2.2.5, §3.1.5.1.1 and .2).
//!
//! In: the datagrams of a flow. Out: one [`RdpRecord`] at its end. What the transport carries is
//! TLS or DTLS in an envelope of its own, always, so that an opened transport is `encrypted`; of
//! users and clients it shows nothing.

use super::record::RdpRecord;
use crate::emitter::Emitter;
use crate::malformed::Malformed;
use crate::protocol::{Analyzer, Chunk, Finish, Gap, Step};
use crate::reader::Reader;
use crate::time::Timestamp;

/// Flags of the header.
const SYN: u16 = 0x0001;
const ACK: u16 = 0x0004;

/// Flags that a handshake may have beside those two: lossy, with a correlation id, with a version.
const SYN_LOSSY: u16 = 0x0200;
const CORRELATION_ID: u16 = 0x0800;
const SYN_EX: u16 = 0x1000;

/// The sequence number that a SYN acknowledges.
const NOTHING: u32 = u32::MAX;

/// Bytes of a datagram that a handshake may ask for.
const MTU: std::ops::RangeInclusive<u16> = 1_132..=1_232;

/// A datagram of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// The client's.
    Syn,
    /// The server's.
    SynAck,
}

impl Handshake {
    /// Reads a datagram; `None` when it is none of the handshake.
    pub(super) fn of(datagram: &[u8]) -> Option<Self> {
        Self::read(datagram).ok().flatten()
    }

    fn read(datagram: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut r = Reader::new(datagram);
        let acknowledged = r.u32("acknowledged sequence number")?;
        r.skip(2, "receive window")?;
        let flags = r.u16("flags")?;
        r.skip(4, "initial sequence number")?;
        let mtus = [r.u16("upstream MTU")?, r.u16("downstream MTU")?];
        if !mtus.iter().all(|mtu| MTU.contains(mtu)) {
            return Ok(None);
        }
        Ok(match flags & !(SYN_LOSSY | CORRELATION_ID | SYN_EX) {
            SYN if acknowledged == NOTHING => Some(Self::Syn),
            flags if flags == SYN | ACK => Some(Self::SynAck),
            _ => None,
        })
    }
}

/// One flow.
#[derive(Debug, Default)]
pub(super) struct Eudp {
    /// Packet time of the first datagram.
    began: Option<Timestamp>,
    progress: Progress,
}

/// How far the flow has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    /// Asked for.
    #[default]
    Asked,
    /// Granted.
    Granted,
    /// Used.
    Open,
}

impl Analyzer for Eudp {
    fn data(&mut self, chunk: &Chunk<'_>, _emitter: &mut Emitter) -> Step {
        self.began.get_or_insert(chunk.time);
        match (Handshake::of(chunk.bytes), self.progress) {
            (Some(Handshake::SynAck), Progress::Asked) => self.progress = Progress::Granted,
            (None, Progress::Granted) => self.progress = Progress::Open,
            _ => {}
        }
        match self.progress {
            Progress::Open => Step::Done,
            Progress::Asked | Progress::Granted => Step::Consumed(chunk.bytes.len()),
        }
    }

    fn gap(&mut self, _gap: &Gap<'_>, _emitter: &mut Emitter) -> Step {
        Step::Consumed(0)
    }

    fn finish(&mut self, finish: &Finish<'_>, emitter: &mut Emitter) {
        let mut record = RdpRecord::new("udp");
        if self.progress == Progress::Open {
            record.result = "encrypted";
        }
        emitter.record(self.began.unwrap_or(finish.time), record);
    }
}
