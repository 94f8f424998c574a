//! Tells RDP from the many others that ride on TPKT and X.224 (ISO transport on TCP, S7, H.323), by
//! content alone.
//!
//! In: the first bytes of a direction, or a datagram. Out: a [`Verdict`].

use super::eudp::Handshake;
use super::gcc;
use super::mcs::Connect;
use super::negotiation::{Answer, Request};
use super::tpkt::{Kind, Message, Next};
use crate::limits::{PROBE_BYTES, RDP_MESSAGE_BYTES};
use crate::protocol::Verdict;
use crate::reader::Reader;

/// Before a cookie or token in a connection request.
const COOKIE: &[u8] = b"Cookie: ";

/// The reference by which Windows calls itself in every confirm.
const WINDOWS_REFERENCE: u16 = 0x1234;

/// A datagram: only the handshake of the UDP transport is told for sure.
pub(super) fn datagram(bytes: &[u8]) -> Verdict {
    if Handshake::of(bytes).is_some() { Verdict::Certain } else { Verdict::NotForUs }
}

/// A stream. Requests and confirms without user data are everybody's; what follows them decides.
pub(super) fn stream(bytes: &[u8]) -> Verdict {
    let mut r = Reader::new(bytes);
    loop {
        match Next::of(r.rest()) {
            Next::Short(_) => return Verdict::Unsure,
            Next::Frame(length) if length <= RDP_MESSAGE_BYTES => {
                let whole = length <= r.remaining();
                let verdict = frame(r.sub_lax(length).whole(), whole);
                if !whole || verdict != Verdict::Unsure {
                    return verdict;
                }
            }
            Next::Frame(_) | Next::TlsRecord(_) | Next::Other => return Verdict::NotForUs,
        }
    }
}

/// A frame, the first of a direction or behind one that decided nothing.
fn frame(bytes: &[u8], whole: bool) -> Verdict {
    let undecided = if whole { Verdict::NotForUs } else { Verdict::Unsure };
    let Ok(message) = Message::read(bytes) else { return undecided };
    match message.kind {
        Kind::Data => data(message.user_data, undecided),
        Kind::ConnectionRequest if whole => request(&message),
        Kind::ConnectionConfirm if whole => confirm(&message),
        Kind::ConnectionRequest | Kind::ConnectionConfirm if bytes.len() < PROBE_BYTES => {
            Verdict::Unsure
        }
        _ => Verdict::NotForUs,
    }
}

/// T.125 alone is also that of other conferences; the key in its user data is RDP's.
fn data(user_data: &[u8], undecided: Verdict) -> Verdict {
    match Connect::read(user_data) {
        Ok(Some(Connect::Initial { user_data } | Connect::Response { user_data, .. })) => {
            if gcc::has_key(user_data) {
                Verdict::Certain
            } else {
                undecided
            }
        }
        Ok(None) => Verdict::NotForUs,
        Err(malformed) if malformed.is_truncated() => undecided,
        Err(_) => Verdict::NotForUs,
    }
}

/// Others fill a request with parameters (X.224 §13.3.4), whose codes are no printable letters.
fn request(message: &Message<'_>) -> Verdict {
    if message.dst_reference != 0 || message.class != 0 {
        return Verdict::NotForUs;
    }
    if message.user_data.starts_with(COOKIE) {
        return Verdict::Certain;
    }
    let request = Request::read(message.user_data);
    let token = message.user_data.first().is_some_and(u8::is_ascii_graphic);
    match (message.malformed.or(request.malformed), message.user_data) {
        (Some(_), _) => Verdict::NotForUs,
        (None, []) if message.src_reference != 0 => Verdict::Unsure,
        (None, []) => Verdict::Certain,
        (None, _) if token || request.protocols.is_some() => Verdict::Certain,
        (None, _) => Verdict::NotForUs,
    }
}

fn confirm(message: &Message<'_>) -> Verdict {
    if message.class != 0 || message.malformed.is_some() {
        return Verdict::NotForUs;
    }
    match (Answer::read(message.user_data), message.user_data) {
        (Err(_), _) => Verdict::NotForUs,
        (Ok(_), []) if message.src_reference != WINDOWS_REFERENCE => Verdict::Unsure,
        (Ok(_), _) => Verdict::Certain,
    }
}
