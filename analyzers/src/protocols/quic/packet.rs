//! QUIC's packets as far as they can be read without keys (RFC 9000 §17, RFC 8999).
//!
//! In: a datagram, which may hold several packets. Out: each packet's kind, and for an Initial
//! packet what its keys and its decryption need.

use crate::malformed::Malformed;
use crate::reader::Reader;

use super::version::Version;

/// Longest connection id that the known versions allow.
const CONNECTION_ID_BYTES: u8 = 20;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// A packet of the handshake's beginning.
    Initial(Initial<'a>),
    /// Another packet with a long header that tells its length: 0-RTT or Handshake.
    Long,
    /// Something that fills the rest of the datagram: Retry, version negotiation, a packet of a
    /// version that is not known, padding.
    Last,
    /// A packet with a short header: application data, up to the end of the datagram.
    Short,
}

/// An Initial packet, still encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Initial<'a> {
    /// Its version.
    pub(super) version: Version,
    /// Destination connection id.
    pub(super) destination: &'a [u8],
    /// The packet from its first byte to its last.
    pub(super) bytes: &'a [u8],
    /// Where in it the packet number starts.
    pub(super) number_at: usize,
}

impl<'a> Packet<'a> {
    /// Reads the next packet of a datagram.
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let start = r.offset();
        let whole = r.rest();
        let first = r.u8("first byte")?;
        match first >> 6 {
            0b00 => return Ok(Self::Last),
            0b01 => return Ok(Self::Short),
            _ => {}
        }
        let version = Version(r.u32("version")?);
        let [family, ..] = version.families() else { return Ok(Self::Last) };
        let destination = connection_id(r)?;
        connection_id(r)?;
        let kind = first >> 4 & 0b11;
        if kind == family.retry_type {
            return Ok(Self::Last);
        }
        if kind == family.initial_type {
            let token = varint(r, "token length")?;
            r.skip(usize::try_from(token).unwrap_or(usize::MAX), "token")?;
        }
        let len = usize::try_from(varint(r, "packet length")?).unwrap_or(usize::MAX);
        let number_at = r.offset().saturating_sub(start);
        r.skip(len, "packet")?;
        if kind != family.initial_type {
            return Ok(Self::Long);
        }
        let bytes = whole.get(..number_at.saturating_add(len)).unwrap_or_default();
        Ok(Self::Initial(Initial { version, destination, bytes, number_at }))
    }
}

/// Whether a datagram starts with a long header of a known version, all of whose lengths fit.
pub(super) fn is_long(r: &mut Reader<'_>) -> bool {
    const LONG_AND_FIXED: u8 = 0xc0;
    r.peek().is_some_and(|first| first & LONG_AND_FIXED == LONG_AND_FIXED)
        && matches!(Packet::read(r), Ok(Packet::Initial(_) | Packet::Long))
}

/// Whether a datagram is one of Google's QUIC before it used TLS: a long header with its version,
/// or its older public header with connection id and version.
pub(super) fn is_google(datagram: &[u8]) -> bool {
    const VERSION_AND_ID: u8 = 0x09;
    let mut r = Reader::new(datagram);
    let Ok(first) = r.u8("first byte") else { return false };
    if first & 0x80 == 0 {
        let has_both = first & VERSION_AND_ID == VERSION_AND_ID;
        if !has_both || r.skip(8, "connection id").is_err() {
            return false;
        }
    }
    r.u32("version").is_ok_and(|number| Version(number).is_google())
}

fn connection_id<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let start = r.offset();
    let len = r.u8("connection id length")?;
    if len > CONNECTION_ID_BYTES {
        return Err(Malformed::bad_length("connection id length", start));
    }
    r.take(usize::from(len), "connection id")
}

/// A number in one, two, four or eight bytes (RFC 9000 §16).
pub(super) fn varint(r: &mut Reader<'_>, field: &'static str) -> Result<u64, Malformed> {
    let first = r.u8(field)?;
    let more = (1_usize << (first >> 6)).saturating_sub(1);
    let rest = r.take(more, field)?;
    Ok(rest.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
}
