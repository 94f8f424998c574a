//! Frames of Initial packets (RFC 9000 §12.4, §19): CRYPTO frames are what is wanted, the few
//! others that may stand beside them are stepped over.

use crate::malformed::Malformed;
use crate::reader::Reader;

use super::packet::varint;

/// A piece of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crypto<'a> {
    /// Where in the stream of handshake bytes it belongs.
    pub(super) offset: u64,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
}

/// The next CRYPTO frame of a packet, `None` at its end.
pub(super) fn next_crypto<'a>(r: &mut Reader<'a>) -> Result<Option<Crypto<'a>>, Malformed> {
    while !r.is_empty() {
        let start = r.offset();
        match varint(r, "frame type")? {
            // PADDING, PING
            0x00 | 0x01 => {}
            kind @ (0x02 | 0x03) => acknowledgement(r, kind == 0x03)?,
            0x06 => {
                let offset = varint(r, "crypto offset")?;
                let len = length(r, "crypto length")?;
                return Ok(Some(Crypto { offset, bytes: r.take(len, "crypto data")? }));
            }
            // CONNECTION_CLOSE
            kind @ (0x1c | 0x1d) => {
                varint(r, "error code")?;
                if kind == 0x1c {
                    varint(r, "frame type of the error")?;
                }
                let len = length(r, "reason length")?;
                r.skip(len, "reason")?;
            }
            _ => return Err(Malformed::bad_value("frame type", start)),
        }
    }
    Ok(None)
}

fn acknowledgement(r: &mut Reader<'_>, with_counts: bool) -> Result<(), Malformed> {
    varint(r, "largest acknowledged")?;
    varint(r, "acknowledgement delay")?;
    let ranges = varint(r, "range count")?;
    varint(r, "first range")?;
    // Each takes a byte at least, so that the packet's end bounds the loop.
    for _ in 0..ranges {
        varint(r, "gap")?;
        varint(r, "range")?;
    }
    if with_counts {
        for _ in 0..3 {
            varint(r, "congestion count")?;
        }
    }
    Ok(())
}

fn length(r: &mut Reader<'_>, field: &'static str) -> Result<usize, Malformed> {
    varint(r, field).map(|len| usize::try_from(len).unwrap_or(usize::MAX))
}
