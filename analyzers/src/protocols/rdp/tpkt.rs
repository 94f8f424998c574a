//! TPKT frames (T.123 §8, RFC 1006 §6) and the X.224 class 0 header inside each (X.224 §13).
//!
//! In: a stream's bytes. Out: where the frame ends, and which kind of X.224 message it carries.

use crate::malformed::Malformed;
use crate::reader::Reader;

/// Bytes of a TPKT header.
const HEADER_BYTES: usize = 4;

/// The only version of TPKT; it is also what tells a frame from TLS and from RDP's fast path.
const VERSION: u8 = 3;

/// Bytes of the fixed part of a connection request or confirm behind its length indicator.
const FIXED_BYTES: usize = 6;

/// What a stream holds next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame of that many bytes, its header included. They may not be there yet.
    Frame(usize),
    /// A TLS record of that many bytes, its header included.
    TlsRecord(usize),
    /// More bytes are needed to tell, at least this many.
    Short(usize),
    /// Something else.
    Other,
}

impl Next {
    /// Tells what `bytes` begin with.
    pub(super) fn of(bytes: &[u8]) -> Self {
        /// TLS content type of a handshake, and the major version of all TLS.
        const HANDSHAKE: u8 = 22;
        const TLS_RECORD_HEADER_BYTES: usize = 5;
        match bytes {
            [VERSION, _, high, low, ..] => {
                let bytes = usize::from(u16::from_be_bytes([*high, *low]));
                if bytes > HEADER_BYTES { Self::Frame(bytes) } else { Self::Other }
            }
            [HANDSHAKE, 3, _, high, low, ..] => {
                let content = usize::from(u16::from_be_bytes([*high, *low]));
                Self::TlsRecord(content.saturating_add(TLS_RECORD_HEADER_BYTES))
            }
            [] | [VERSION, ..] => Self::Short(HEADER_BYTES),
            [HANDSHAKE] | [HANDSHAKE, 3, ..] => Self::Short(TLS_RECORD_HEADER_BYTES),
            _ => Self::Other,
        }
    }
}

/// The kind of an X.224 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client asks for a connection.
    ConnectionRequest,
    /// The server grants it, or says in its user data why not.
    ConnectionConfirm,
    /// The server refuses.
    DisconnectRequest,
    /// Data.
    Data,
    /// Another of its codes.
    Other,
}

impl Kind {
    /// Codes of X.224 §13.1; the low half of the first two is credit, zero in class 0.
    pub(super) const fn of(code: u8) -> Self {
        match code {
            0xe0..=0xef => Self::ConnectionRequest,
            0xd0..=0xdf => Self::ConnectionConfirm,
            0x80 => Self::DisconnectRequest,
            0xf0 => Self::Data,
            _ => Self::Other,
        }
    }
}

/// An X.224 message, or what is left of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Its kind.
    pub(super) kind: Kind,
    /// The receiver's reference; zero in a request.
    pub(super) dst_reference: u16,
    /// The sender's reference.
    pub(super) src_reference: u16,
    /// Transport class and options; zero in RDP.
    pub(super) class: u8,
    /// What follows the fixed part.
    pub(super) user_data: &'a [u8],
    /// What contradicts itself.
    pub(super) malformed: Option<Malformed>,
}

impl<'a> Message<'a> {
    /// Reads a frame with its TPKT header. A length indicator that disagrees with the frame is told
    /// and not believed: what stands in the frame is what the receiver sees.
    ///
    /// # Errors
    /// The fixed part is cut short.
    pub(super) fn read(frame: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(frame);
        r.skip(HEADER_BYTES, "TPKT header")?;
        let indicator = usize::from(r.u8("X.224 length indicator")?);
        let kind = Kind::of(r.u8("X.224 code")?);
        let mut message = Self {
            kind,
            dst_reference: 0,
            src_reference: 0,
            class: 0,
            user_data: &[],
            malformed: None,
        };
        let header_bytes = match kind {
            Kind::ConnectionRequest | Kind::ConnectionConfirm => {
                message.dst_reference = r.u16("X.224 destination reference")?;
                message.src_reference = r.u16("X.224 source reference")?;
                message.class = r.u8("X.224 class")?;
                FIXED_BYTES.saturating_add(r.remaining())
            }
            Kind::Data => {
                r.skip(1, "X.224 end of message mark")?;
                2
            }
            Kind::DisconnectRequest | Kind::Other => indicator,
        };
        if indicator != header_bytes {
            message.malformed = Some(Malformed::bad_length("X.224 length indicator", HEADER_BYTES));
        }
        message.user_data = r.rest();
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_comes() {
        for (bytes, expected) in [
            (&[][..], Next::Short(4)),
            (&[3], Next::Short(4)),
            (&[3, 0, 0], Next::Short(4)),
            (&[3, 0, 0, 4], Next::Other),
            (&[3, 0, 0, 5], Next::Frame(5)),
            (&[3, 0, 0xff, 0xff, 1], Next::Frame(65_535)),
            (&[2, 0, 0, 5], Next::Other),
            (&[22], Next::Short(5)),
            (&[22, 2], Next::Other),
            (&[22, 3, 1, 0], Next::Short(5)),
            (&[22, 3, 1, 1, 0], Next::TlsRecord(261)),
            (&[0x44, 4, 1, 2], Next::Other),
        ] {
            assert_eq!(Next::of(bytes), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn a_request_shows_references_and_user_data() {
        let frame = [3, 0, 0, 13, 8, 0xe0, 0, 0, 0x12, 0x34, 0, b'a', b'b'];
        let message = Message::read(&frame).unwrap();
        assert_eq!(message.kind, Kind::ConnectionRequest);
        assert_eq!((message.dst_reference, message.src_reference, message.class), (0, 0x1234, 0));
        assert_eq!((message.user_data, message.malformed), (&b"ab"[..], None));
    }

    #[test]
    fn data_follows_the_end_of_message_mark() {
        let message = Message::read(&[3, 0, 0, 8, 2, 0xf0, 0x80, 7]).unwrap();
        assert_eq!((message.kind, message.user_data), (Kind::Data, &[7][..]));
        assert_eq!(message.malformed, None);
    }

    #[test]
    fn a_wrong_length_indicator_is_told_and_not_believed() {
        for (indicator, wrong) in [(7, true), (8, false), (9, true), (0, true), (255, true)] {
            let frame = [3, 0, 0, 13, indicator, 0xe0, 0, 0, 0, 0, 0, b'a', b'b'];
            let message = Message::read(&frame).unwrap();
            assert_eq!((message.user_data, message.malformed.is_some()), (&b"ab"[..], wrong));
        }
    }

    #[test]
    fn each_cut_of_the_fixed_part_is_malformed() {
        let frame = [3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0];
        for len in 0..frame.len() {
            assert!(Message::read(&frame[..len]).is_err(), "{len} bytes");
        }
        assert!(Message::read(&frame).is_ok());
    }
}
