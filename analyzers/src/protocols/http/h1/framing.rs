//! How long a message's body is. In: its head, and for a response the request that it answers. Out:
//! a [`Framing`]. RFC 9112 section 6.3.

use super::super::exchange::{Message, RequestLine, StatusLine};
use super::super::fields::{Fields, Lengths, TransferCoding};
use super::head::StartLine;
use crate::text::Text;

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
pub(super) fn of_request(line: &RequestLine, fields: &Fields) -> Framing {
    match (transfer_coding(line.version.as_ref(), fields), fields.content_length) {
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
    match (transfer_coding(line.version.as_ref(), fields), fields.content_length) {
        (TransferCoding::Chunked, _) => Framing::Chunked,
        (TransferCoding::None, Some(0)) => Framing::None,
        (TransferCoding::None, Some(length)) => Framing::Length(length),
        _ => Framing::UntilClose,
    }
}

/// HTTP/1.0 has no transfer codings: a length beside one counts, and nothing is taken for chunks.
fn transfer_coding(version: Option<&Text>, fields: &Fields) -> TransferCoding {
    match version {
        Some(version) if version.as_bytes() == b"1.0" => TransferCoding::None,
        _ => fields.transfer_coding,
    }
}

/// Whether a head leaves it open where its body ends, which two programs may then see differently.
pub(super) fn is_ambiguous(line: &StartLine, fields: &Fields) -> bool {
    let version = match line {
        StartLine::Request(line) => line.version.as_ref(),
        StartLine::Status(line) => line.version.as_ref(),
    };
    let ignored = transfer_coding(version, fields) != fields.transfer_coding;
    let both = fields.transfer_coding != TransferCoding::None && fields.content_length.is_some();
    ignored || both || fields.lengths == Lengths::Contradict
}

/// What a chunk's first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkSize {
    /// Bytes of data that follow.
    pub(super) bytes: u64,
    /// Whether nothing but white space or an extension follows the number.
    pub(super) is_clean: bool,
}

/// Reads a chunk's first line (RFC 9112 section 7.1): hexadecimal digits, and whatever follows
/// them, which receivers are known to pass over.
pub(super) fn chunk_size(text: &[u8]) -> Option<ChunkSize> {
    let text = text.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    let bytes = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    let is_clean = matches!(rest.trim_ascii_start(), [] | [b';', ..]);
    Some(ChunkSize { bytes, is_clean })
}
