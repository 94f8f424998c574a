//! The hello of SSL 2.0, with which old clients of SSL 3.0 and TLS greet as well (RFC 5246 appendix
//! E.2).

use crate::malformed::Malformed;
use crate::reader::Reader;

use super::hello::ClientHello;
use super::version::Version;

/// Bytes that [`is_hello`] looks at.
pub(crate) const HEAD_BYTES: usize = 11;

/// Its fixed part.
struct Head {
    version: Version,
    cipher_bytes: u16,
    session_bytes: u16,
    challenge_bytes: u16,
    /// Bytes of the whole message behind its two-byte length.
    declared: u16,
}

impl Head {
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        const CLIENT_HELLO: u8 = 1;
        let length = r.u16("SSLv2 length")?;
        if length & 0x8000 == 0 || r.u8("SSLv2 message")? != CLIENT_HELLO {
            return Err(Malformed::bad_value("SSLv2 message", 0));
        }
        Ok(Self {
            declared: length & 0x7fff,
            version: Version(r.u16("SSLv2 version")?),
            cipher_bytes: r.u16("SSLv2 cipher length")?,
            session_bytes: r.u16("SSLv2 session length")?,
            challenge_bytes: r.u16("SSLv2 challenge length")?,
        })
    }

    fn is_consistent(&self) -> bool {
        let parts = [9, self.cipher_bytes, self.session_bytes, self.challenge_bytes];
        matches!(self.version.0, 0x0002 | 0x0300..=0x0304)
            && self.cipher_bytes > 0
            && self.cipher_bytes.is_multiple_of(3)
            && matches!(self.session_bytes, 0 | 16)
            && (16..=32).contains(&self.challenge_bytes)
            && parts.iter().copied().fold(0_u16, u16::saturating_add) == self.declared
    }
}

/// Whether bytes begin such a hello, all of whose lengths agree.
pub(crate) fn is_hello(bytes: &[u8]) -> bool {
    Head::read(&mut Reader::new(bytes)).is_ok_and(|head| head.is_consistent())
}

/// Reads such a hello: what it offers and how many bytes it takes.
pub(crate) fn read(bytes: &[u8]) -> Result<(ClientHello<'_>, usize), Malformed> {
    let mut r = Reader::new(bytes);
    let head = Head::read(&mut r)?;
    let mut ciphers = r.sub(usize::from(head.cipher_bytes), "SSLv2 ciphers")?;
    let session_id = r.take(usize::from(head.session_bytes), "SSLv2 session id")?;
    r.skip(usize::from(head.challenge_bytes), "SSLv2 challenge")?;
    let mut hello = ClientHello { version: head.version, session_id, ..ClientHello::default() };
    while let Ok(suite) = ciphers.u24("SSLv2 cipher") {
        // Suites of SSL 2.0 alone do not fit; those of TLS have a zero in front.
        hello.ciphers.extend(u16::try_from(suite));
    }
    Ok((hello, r.offset()))
}
