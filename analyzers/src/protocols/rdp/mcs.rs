//! The two connect messages of T.125 §7, in BER (X.690 §8), as MS-RDPBCGR §2.2.1.3 and §2.2.1.4 use
//! them. Only the user data and the result are wanted; the domain's parameters are passed over.

use crate::malformed::Malformed;
use crate::reader::Reader;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;

/// First byte of the two-byte application tags, and the numbers that follow it.
const APPLICATION: u8 = 0x7f;
const CONNECT_INITIAL: u8 = 101;
const CONNECT_RESPONSE: u8 = 102;

/// A connect message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connect<'a> {
    /// The client's.
    Initial {
        /// T.124 user data, as far as it is there.
        user_data: &'a [u8],
    },
    /// The server's.
    Response {
        /// Zero for success.
        result: u8,
        /// T.124 user data, as far as it is there.
        user_data: &'a [u8],
    },
}

impl<'a> Connect<'a> {
    /// Reads a message of the domain; `None` when it is no connect message.
    ///
    /// # Errors
    /// What comes before the user data cannot be read.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8("MCS tag")? != APPLICATION {
            return Ok(None);
        }
        let tag = r.u8("MCS tag")?;
        let mut r = element_body(&mut r)?;
        Ok(match tag {
            CONNECT_INITIAL => {
                element(&mut r, OCTET_STRING, "calling domain selector")?;
                element(&mut r, OCTET_STRING, "called domain selector")?;
                element(&mut r, BOOLEAN, "upward flag")?;
                element(&mut r, SEQUENCE, "target parameters")?;
                element(&mut r, SEQUENCE, "minimum parameters")?;
                element(&mut r, SEQUENCE, "maximum parameters")?;
                Some(Self::Initial { user_data: element(&mut r, OCTET_STRING, "user data")? })
            }
            CONNECT_RESPONSE => {
                let result = element(&mut r, ENUMERATED, "result")?;
                element(&mut r, INTEGER, "connect id")?;
                element(&mut r, SEQUENCE, "domain parameters")?;
                let user_data = element(&mut r, OCTET_STRING, "user data")?;
                let result = result.last().copied().unwrap_or_default();
                Some(Self::Response { result, user_data })
            }
            _ => None,
        })
    }
}

/// The contents of the element at the cursor, which must have that tag.
fn element<'a>(r: &mut Reader<'a>, tag: u8, field: &'static str) -> Result<&'a [u8], Malformed> {
    let offset = r.offset();
    if r.u8(field)? != tag {
        return Err(Malformed::bad_value(field, offset));
    }
    Ok(element_body(r)?.whole())
}

/// A length and that many bytes, or as many as are there.
fn element_body<'a>(r: &mut Reader<'a>) -> Result<Reader<'a>, Malformed> {
    const FIELD: &str = "BER length";
    let offset = r.offset();
    let length = match r.u8(FIELD)? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(r.u8(FIELD)?),
        0x82 => usize::from(r.u16(FIELD)?),
        _ => return Err(Malformed::bad_length(FIELD, offset)),
    };
    Ok(r.sub_lax(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: &[u8] =
        b"\x7f\x65\x14\x04\x01\x01\x04\x01\x01\x01\x01\xff\x30\x00\x30\x00\x30\x00\x04\x03abc";
    const RESPONSE: &[u8] = b"\x7f\x66\x0d\x0a\x01\x0e\x02\x01\x00\x30\x00\x04\x03abc";

    #[test]
    fn both_connect_messages_give_their_user_data() {
        let initial = Connect::Initial { user_data: b"abc" };
        assert_eq!(Connect::read(INITIAL), Ok(Some(initial)));
        let response = Connect::Response { result: 14, user_data: b"abc" };
        assert_eq!(Connect::read(RESPONSE), Ok(Some(response)));
    }

    #[test]
    fn long_lengths_are_read_and_indefinite_ones_refused() {
        for (length, expected) in [
            (&b"\x03"[..], Ok(&b"abc"[..])),
            (b"\x81\x03", Ok(b"abc")),
            (b"\x82\x00\x03", Ok(b"abc")),
            (b"\x82\xff\xff", Ok(b"abc")),
            (b"\x80", Err("BER length")),
            (b"\x83\x00\x00\x03", Err("BER length")),
            (b"", Err("BER length")),
        ] {
            let abc = if length.is_empty() { &b""[..] } else { b"abc" };
            let bytes = [length, abc].concat();
            let mut r = Reader::new(&bytes);
            let body = element_body(&mut r).map(|body| body.whole());
            assert_eq!(body.map_err(|malformed| malformed.field), expected);
        }
    }

    #[test]
    fn other_messages_are_none_and_wrong_elements_are_named() {
        for bytes in [&b"\x04\x01\x00\x01\x00"[..], b"\x28", b"\x7f\x67\x00"] {
            assert_eq!(Connect::read(bytes), Ok(None));
        }
        let mut wrong = INITIAL.to_vec();
        wrong[9] = 2;
        assert_eq!(Connect::read(&wrong).unwrap_err().field, "upward flag");
        for len in 0..INITIAL.len() - 4 {
            assert!(Connect::read(&INITIAL[..len]).is_err(), "{len} bytes");
        }
        let cut = Connect::read(&INITIAL[..INITIAL.len() - 1]);
        assert_eq!(cut, Ok(Some(Connect::Initial { user_data: b"ab" })));
    }
}
