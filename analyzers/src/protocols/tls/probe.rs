//! Recognition of TLS and DTLS by content alone, on any port.

use crate::protocol::Verdict;
use crate::reader::Reader;

use super::layer::{Envelope, Header, content};
use super::messages::kind;
use super::sslv2;

/// Whether the first bytes of a stream's direction are TLS.
///
/// A hello is enough. Of a stream that the capture meets later, two headers in a row are.
pub(super) fn stream(bytes: &[u8]) -> Verdict {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return old_hello(bytes);
    }
    let mut r = Reader::new(bytes);
    let header = match Header::read(&mut r) {
        Ok(header) => header,
        Err(malformed) if malformed.is_truncated() && could_begin(bytes) => return Verdict::Unsure,
        Err(_) => return Verdict::NotForUs,
    };
    let body = r.sub_lax(header.len);
    let is_cut = body.remaining() < header.len;
    if header.content == content::HANDSHAKE && is_hello_kind(body) {
        match hello(body) {
            // A record may hold less of a message than its first bytes.
            Verdict::Unsure if !is_cut => {}
            verdict => return verdict,
        }
    }
    if is_cut {
        return Verdict::Unsure;
    }
    match Header::read(&mut r) {
        Ok(_) => Verdict::Certain,
        Err(malformed) if malformed.is_truncated() => Verdict::Unsure,
        Err(_) => Verdict::NotForUs,
    }
}

/// Whether the little that is there may become a header.
fn could_begin(bytes: &[u8]) -> bool {
    let is_content = |byte: &u8| (content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(byte);
    bytes.first().is_none_or(is_content) && bytes.get(1).is_none_or(|major| matches!(major, 1 | 3))
}

fn is_hello_kind(body: Reader<'_>) -> bool {
    matches!(body.peek(), None | Some(kind::CLIENT_HELLO | kind::SERVER_HELLO))
}

/// Whether a message that says that it is a hello is one.
fn hello(mut r: Reader<'_>) -> Verdict {
    const RANDOM_AND_LENGTHS: u32 = 2 + 32 + 1;
    match (r.u8("message kind"), r.u24("message length"), r.u8("hello version")) {
        (Ok(_), Ok(len), _) if len < RANDOM_AND_LENGTHS => Verdict::NotForUs,
        // Drafts of TLS 1.3 answered with 0x7fNN; TLCP says 1.1.
        (Ok(_), Ok(_), Ok(1 | 3 | 0x7f)) => Verdict::Certain,
        (Ok(_), Ok(_), Ok(_)) => Verdict::NotForUs,
        _ => Verdict::Unsure,
    }
}

fn old_hello(bytes: &[u8]) -> Verdict {
    if sslv2::is_hello(bytes) {
        Verdict::Certain
    } else if bytes.len() < sslv2::HEAD_BYTES && bytes.get(2).is_none_or(|kind| *kind == 1) {
        Verdict::Unsure
    } else {
        Verdict::NotForUs
    }
}

/// Whether a datagram is DTLS: envelopes with nothing left over.
pub(super) fn datagram(bytes: &[u8]) -> Verdict {
    let mut r = Reader::new(bytes);
    // DTLS 1.3's encrypted envelopes alone have no mark that other protocols lack.
    let Ok(Some(_)) = Envelope::read(&mut r) else { return Verdict::NotForUs };
    while !r.is_empty() {
        match Envelope::read(&mut r) {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => return Verdict::NotForUs,
        }
    }
    Verdict::Certain
}
