//! Start lines and header fields of HTTP/1, one line after the other. In: lines without their ends.
//! Out: a [`RequestHead`] or [`StatusHead`] that grows. RFC 9112 sections 3 to 5, and what real
//! programs send instead: bare LF, any white space, folded fields, any case.

use super::super::exchange::{RequestLine, StatusLine};
use super::super::fields::{FieldName, Fields, trim_blanks};
use super::super::probe;
use crate::text::Text;

/// The first line of either kind of message.
#[derive(Clone, Debug)]
pub(super) enum StartLine {
    Request(RequestLine),
    Status(StatusLine),
}

/// A head as far as its lines were read.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) line: StartLine,
    pub(super) fields: Fields,
    /// The field that a folded line would go on.
    last: Option<FieldName>,
    /// Whether a line followed the first.
    has_more: bool,
}

/// The version of requests that name none and have no fields (RFC 1945 section 5).
pub(super) const OLDEST: &[u8] = b"0.9";

/// What became of a line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOutcome {
    /// It was taken, or means nothing here.
    Taken,
    /// It is no field.
    Malformed,
    /// It was empty: the head is complete.
    End,
}

impl Head {
    /// Begins a head with a request line, if `text` is one.
    pub(super) fn request(text: &[u8]) -> Option<Self> {
        let mut fields = Fields::default();
        let line = request_line(text, &mut fields)?;
        Some(Self { line: StartLine::Request(line), fields, last: None, has_more: false })
    }

    /// Begins a head with a status line, if `text` is one.
    pub(super) fn status(text: &[u8]) -> Option<Self> {
        let mut fields = Fields::default();
        let line = status_line(text, &mut fields)?;
        Some(Self { line: StartLine::Status(line), fields, last: None, has_more: false })
    }

    /// Takes the next line.
    pub(super) fn take(&mut self, text: &[u8]) -> LineOutcome {
        if text.is_empty() {
            return LineOutcome::End;
        }
        if !self.has_more && self.is_bare() {
            self.forget_oldest();
        }
        self.has_more = true;
        if text.first().is_some_and(|first| matches!(first, b' ' | b'\t')) {
            if let Some(name) = self.last {
                self.fields.fold(name, trim_blanks(text));
            }
            return LineOutcome::Taken;
        }
        let Some(colon) = memchr::memchr(b':', text) else {
            self.last = None;
            return LineOutcome::Malformed;
        };
        let (name, value) = text.split_at_checked(colon).unwrap_or_default();
        self.last = FieldName::of(trim_blanks(name));
        if let Some(name) = self.last {
            self.fields.take(name, trim_blanks(value.get(1..).unwrap_or_default()));
        }
        LineOutcome::Taken
    }

    /// Whether it is a request of HTTP/0.9, as far as can be told.
    pub(super) fn is_bare(&self) -> bool {
        matches!(&self.line, StartLine::Request(line)
            if line.version.as_ref().is_some_and(|version| version.as_bytes() == OLDEST))
    }

    /// Fields follow a request line without a version: it only forgot to name it.
    fn forget_oldest(&mut self) {
        if let StartLine::Request(line) = &mut self.line {
            line.version = None;
        }
    }

    /// Whether the first line lacks what it should have.
    pub(super) fn is_odd(&self) -> bool {
        match &self.line {
            StartLine::Request(line) => line.version.is_none() || line.uri.is_none(),
            StartLine::Status(line) => line.status.is_none(),
        }
    }
}

/// `method SP target SP HTTP/version`. The target may hold spaces, as some clients send it. Without
/// a version the method must be a known one; a GET of a path is then HTTP/0.9.
fn request_line(text: &[u8], fields: &mut Fields) -> Option<RequestLine> {
    let text = text.trim_ascii();
    let method_len = text.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let (method, rest) = text.split_at_checked(method_len)?;
    if method.is_empty() || !method.iter().all(|&byte| probe::is_token(byte)) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let last_len = rest.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let (target, last) = rest.split_at_checked(rest.len().saturating_sub(last_len))?;
    let (target, version) = match version(last) {
        Some(version) => (target.trim_ascii_end(), Some(version)),
        None if !probe::METHODS.contains(&method) || rest.is_empty() => return None,
        None if method == b"GET" && target.is_empty() => (rest, Some(OLDEST)),
        None => (rest, None),
    };
    Some(RequestLine {
        method: fields.keep(method),
        uri: fields.keep(target),
        version: version.and_then(|version| fields.keep(version)),
    })
}

/// `HTTP/version SP status SP reason`; status and reason may be missing.
fn status_line(text: &[u8], fields: &mut Fields) -> Option<StatusLine> {
    let text = text.trim_ascii();
    let word_len = text.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let (word, rest) = text.split_at_checked(word_len)?;
    let version = version(word)?;
    let rest = rest.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (status, reason) = rest.split_at_checked(digits)?;
    Some(StatusLine {
        version: fields.keep(version),
        status: std::str::from_utf8(status).ok().and_then(|digits| digits.parse().ok()),
        reason: Some(reason.trim_ascii()).and_then(|reason| fields.keep(reason)),
    })
}

/// What follows `HTTP/`, in any case.
fn version(word: &[u8]) -> Option<&[u8]> {
    let (name, version) = word.split_at_checked(5)?;
    let is_version = name.eq_ignore_ascii_case(b"HTTP/") && version.first()?.is_ascii_digit();
    is_version.then_some(version)
}

/// A text of the wire for a weird's detail.
pub(super) fn excerpt(text: &[u8]) -> Text {
    Text::wire(text.get(..crate::limits::WEIRD_DETAIL_BYTES).unwrap_or(text))
}
