//! Recognises HTTP by the first bytes of either direction, and a start line wherever one is sought.
//! RFC 9112 sections 3 and 4, RFC 9113 section 3.4.

use crate::limits::PROBE_BYTES;
use crate::protocol::{Probe, Verdict};

/// What an HTTP/2 client says first.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Methods that need no version beside them: those of RFC 9110, RFC 5789, WebDAV and its kin.
pub(super) const METHODS: &[&[u8]] = &[
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"CHECKOUT",
    b"MERGE",
    b"BITS_POST",
    b"CCM_POST",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"NOTIFY",
];

/// Bytes of a method; the longest that is registered has 17.
const METHOD_BYTES: usize = 24;

/// The probe of the protocol.
pub(super) fn probe(probe: &Probe<'_>) -> Verdict {
    let bytes = skip_blank_lines(probe.bytes);
    match (preface(bytes), status_line(bytes), request_line(bytes)) {
        (Verdict::Certain, _, _) | (_, Verdict::Certain, _) | (_, _, Verdict::Certain) => {
            Verdict::Certain
        }
        (Verdict::NotForUs, Verdict::NotForUs, Verdict::NotForUs) => Verdict::NotForUs,
        _ if bytes.len() >= PROBE_BYTES => Verdict::NotForUs,
        _ => Verdict::Unsure,
    }
}

/// Blank lines before a start line are to be ignored (RFC 9112 section 2.2).
pub(super) fn skip_blank_lines(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

/// Whether `bytes` begin with the HTTP/2 preface.
pub(super) fn preface(bytes: &[u8]) -> Verdict {
    begins_with(bytes, PREFACE)
}

/// Whether `bytes` begin with a status line.
pub(super) fn status_line(bytes: &[u8]) -> Verdict {
    begins_with(bytes, b"HTTP/1.")
}

fn begins_with(bytes: &[u8], word: &[u8]) -> Verdict {
    if bytes.starts_with(word) {
        Verdict::Certain
    } else if word.starts_with(bytes) {
        Verdict::Unsure
    } else {
        Verdict::NotForUs
    }
}

/// Whether `bytes` begin with a request line: a method with a target that only HTTP has, or a line
/// that ends with the protocol's name. `OPTIONS` alone proves nothing: RTSP, SIP and ICAP use it
/// too.
pub(super) fn request_line(bytes: &[u8]) -> Verdict {
    let head = bytes.get(..METHOD_BYTES).unwrap_or(bytes);
    let method_len = head.iter().take_while(|&&byte| is_token(byte)).count();
    let (method, rest) = bytes.split_at_checked(method_len).unwrap_or_default();
    match rest.first() {
        None if bytes.len() < METHOD_BYTES => return Verdict::Unsure,
        Some(b' ' | b'\t') if !method.is_empty() => {}
        _ => return Verdict::NotForUs,
    }
    let target = rest.trim_ascii_start();
    if METHODS.contains(&method) && is_http_target(target) {
        return Verdict::Certain;
    }
    match memchr::memchr(b'\n', rest) {
        None => Verdict::Unsure,
        Some(end) if ends_with_version(rest.get(..end).unwrap_or_default()) => Verdict::Certain,
        Some(_) => Verdict::NotForUs,
    }
}

/// Whether `target` begins as one of any method may.
pub(super) fn is_target(target: &[u8]) -> bool {
    is_http_target(target)
        || target.first().is_some_and(|first| *first == b'*' || first.is_ascii_alphanumeric())
}

fn is_http_target(target: &[u8]) -> bool {
    target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://")
}

/// Whether the last word of a line is `HTTP/` and a digit, in any case.
pub(super) fn ends_with_version(line: &[u8]) -> bool {
    let last = line.trim_ascii_end().rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    last.split_at_checked(5).is_some_and(|(name, version)| {
        name.eq_ignore_ascii_case(b"HTTP/") && version.first().is_some_and(u8::is_ascii_digit)
    })
}

/// A byte that a method may hold (RFC 9110 section 5.6.2).
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^'..=b'`' | b'|' | b'~')
}
