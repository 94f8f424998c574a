//! Lines of a head or of chunk framing, found without looking twice at a byte. RFC 9112 section 2.2:
//! a line ends with LF, whatever stands before it.

use crate::limits::HTTP_LINE_BYTES;

/// Where in a line the search stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    /// Bytes from the start of the line that hold no LF; never more than [`HTTP_LINE_BYTES`].
    searched: usize,
    /// Whether the line was cut and what follows up to its LF is passed over.
    passing: bool,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A line without its end, and the bytes that it takes with it.
    Line { text: &'a [u8], taken: usize },
    /// The first bytes of a line that is too long; the rest of it will be passed over.
    Cut { text: &'a [u8], taken: usize },
    /// Bytes of a line that was cut.
    Passed { taken: usize },
    /// No end yet.
    Nothing,
}

impl Lines {
    /// Looks for the end of the line that begins `rest`. Called again with the same bytes and more,
    /// until it takes some.
    pub(super) fn next<'a>(&mut self, rest: &'a [u8]) -> Found<'a> {
        let window = rest.get(..HTTP_LINE_BYTES).unwrap_or(rest);
        let fresh = window.get(self.searched..).unwrap_or_default();
        let end = memchr::memchr(b'\n', fresh).map(|at| at.saturating_add(self.searched));
        self.searched = 0;
        match end {
            Some(end) if self.passing => {
                self.passing = false;
                Found::Passed { taken: end.saturating_add(1) }
            }
            Some(end) => {
                let text = window.get(..end).unwrap_or_default();
                let ends = text.iter().rev().take_while(|&&byte| byte == b'\r').count();
                let text = text.get(..text.len().saturating_sub(ends)).unwrap_or_default();
                Found::Line { text, taken: end.saturating_add(1) }
            }
            None if window.is_empty() => Found::Nothing,
            None if self.passing => Found::Passed { taken: window.len() },
            None if window.len() >= HTTP_LINE_BYTES => {
                self.passing = true;
                Found::Cut { text: window, taken: window.len() }
            }
            None => {
                self.searched = window.len();
                Found::Nothing
            }
        }
    }

    /// Begins anew, after bytes were lost.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
