//! How long a message's body is. In: its head, and for a response the request that it answers. Out: a
//! [`Framing`]. RFC 9112 section 6.3.

use super::super::exchange::{Message, RequestLine, StatusLine};
use super::super::fields::{Fields, Lengths, TransferCoding};

/// How a body's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// After so many bytes, at least one.
    Length(u64),
    /// By a chunk of size zero.
    Chunked,
    /// By the end of the stream.
    UntilClose,
}

/// The framing of a request's body.
pub(super) fn of_request(fields: &Fields) -> Framing {
    match (fields.transfer_coding, fields.content_length) {
        (TransferCoding::Chunked, _) => Framing::Chunked,
        (_, Some(length)) if length > 0 => Framing::Length(length),
        _ => Framing::None,
    }
}

/// The framing of a response's body.
pub(super) fn of_response(
    line: &StatusLine,
    fields: &Fields,
    request: Option<&Message<RequestLine>>,
) -> Framing {
    if request.is_some_and(|request| request.line.is_method(b"HEAD"))
        || matches!(line.status, Some(100..=199 | 204 | 304))
    {
        return Framing::None;
    }
    match (fields.transfer_coding, fields.content_length) {
        (TransferCoding::Chunked, _) => Framing::Chunked,
        (TransferCoding::None, Some(0)) => Framing::None,
        (TransferCoding::None, Some(length)) => Framing::Length(length),
        _ => Framing::UntilClose,
    }
}

/// Whether a head leaves it open where its body ends, which two programs may then see differently.
pub(super) fn is_ambiguous(fields: &Fields) -> bool {
    let both = fields.transfer_coding != TransferCoding::None && fields.content_length.is_some();
    both || fields.lengths == Lengths::Contradict
}

/// The size in a chunk's first line, its extensions left aside (RFC 9112 section 7.1).
pub(super) fn chunk_size(text: &[u8]) -> Option<u64> {
    let digits = text.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, 16).ok()
}
