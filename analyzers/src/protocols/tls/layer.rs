//! The record layer of TLS (RFC 8446 §5.1) and DTLS (RFC 6347 §4.1, RFC 9147 §4).
//!
//! In: bytes at a border between records. Out: a header with the content's kind and length. To keep
//! the archive's records apart, a record of this layer is called an envelope here.

use crate::malformed::Malformed;
use crate::reader::Reader;

/// What an envelope holds.
pub(crate) mod content {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const APPLICATION_DATA: u8 = 23;
    pub(crate) const HEARTBEAT: u8 = 24;
    /// DTLS with a connection id (RFC 9146).
    pub(crate) const CONNECTION_ID: u8 = 25;
}

/// Bytes of TLS's header.
pub(crate) const HEADER_BYTES: usize = 5;

/// Longest content: 2^14 bytes and what encryption may add (RFC 5246 §6.2.3).
pub(crate) const CONTENT_BYTES_MAX: usize = 16_384 + 2_048;

/// Header of an envelope in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Kind of content.
    pub(crate) content: u8,
    /// Bytes of content that follow.
    pub(crate) len: usize,
}

impl Header {
    /// Reads a header and checks everything that can be checked.
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let start = r.offset();
        let content = r.u8("content type")?;
        if !(content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(&content) {
            return Err(Malformed::bad_value("content type", start));
        }
        let [major, minor] = r.array("record version")?;
        // China's TLCP (GB/T 38636) counts its versions from 1.1.
        if !matches!((major, minor), (3, 0..=4) | (1, 1)) {
            return Err(Malformed::bad_value("record version", start));
        }
        let len = usize::from(r.u16("record length")?);
        let is_fixed = match content {
            content::CHANGE_CIPHER_SPEC => len != 0,
            content::ALERT => len >= 2,
            _ => true,
        };
        if len > CONTENT_BYTES_MAX || !is_fixed {
            return Err(Malformed::bad_length("record length", start));
        }
        Ok(Self { content, len })
    }
}

/// One envelope of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// Kind of content.
    pub(crate) content: u8,
    /// Epoch: zero before the keys change.
    pub(crate) epoch: u16,
    /// Its content, as far as the datagram was captured.
    pub(crate) body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads the next envelope of a datagram; `None` for DTLS 1.3's encrypted form and for
    /// envelopes with a connection id, whose length only the ends know.
    pub(crate) fn read(r: &mut Reader<'a>) -> Result<Option<Self>, Malformed> {
        let start = r.offset();
        let content = r.u8("content type")?;
        if content >> 5 == 0b001 {
            return Ok(None);
        }
        if !(content::CHANGE_CIPHER_SPEC..=content::CONNECTION_ID).contains(&content) {
            return Err(Malformed::bad_value("content type", start));
        }
        let version = r.u16("record version")?;
        // The draft that OpenSSL shipped first says 1.0 upright, all others in ones' complement.
        if !matches!(version, 0xfeff | 0xfefd | 0xfefc | 0x0100) {
            return Err(Malformed::bad_value("record version", start));
        }
        let epoch = r.u16("epoch")?;
        r.skip(6, "sequence number")?;
        if content == content::CONNECTION_ID {
            return Ok(None);
        }
        let len = usize::from(r.u16("record length")?);
        if len > CONTENT_BYTES_MAX {
            return Err(Malformed::bad_length("record length", start));
        }
        Ok(Some(Self { content, epoch, body: r.take(len, "record")? }))
    }
}
