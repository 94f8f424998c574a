//! Lines of a head or of chunk framing, found without looking twice at a byte. RFC 9112 section
//! 2.2: a line ends with CR LF or LF; where CR stands alone it ends one too, as some receivers have
//! it.

use crate::limits::HTTP_LINE_BYTES;

/// Where in a line the search stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    /// Bytes from the start of the line that hold no end; never more than [`HTTP_LINE_BYTES`].
    searched: usize,
    /// Whether the line was cut and what follows up to its LF is passed over.
    passing: bool,
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// LF, or CR LF.
    Feed,
    /// CR alone. The specification forbids it; receivers differ in what they make of it.
    BareReturn,
}

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A line without its end, and the bytes that it takes with it.
    Line { text: &'a [u8], taken: usize, end: LineEnd },
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
        let at = memchr::memchr2(b'\r', b'\n', fresh).map(|at| at.saturating_add(self.searched));
        let length = at.unwrap_or(window.len());
        let (text, from) = window.split_at_checked(length).unwrap_or_default();
        let end = match from {
            [b'\n', ..] => Some((LineEnd::Feed, 1)),
            [b'\r', b'\n', ..] => Some((LineEnd::Feed, 2)),
            [b'\r', _, ..] => Some((LineEnd::BareReturn, 1)),
            _ => None,
        };
        self.searched = 0;
        if let Some((end, bytes)) = end {
            let taken = length.saturating_add(bytes);
            if std::mem::take(&mut self.passing) {
                return Found::Passed { taken };
            }
            return Found::Line { text, taken, end };
        }
        match window.len() {
            // A CR that is the last byte so far may yet be followed by LF.
            _ if self.passing && length > 0 => Found::Passed { taken: length },
            taken if !self.passing && taken >= HTTP_LINE_BYTES => {
                self.passing = true;
                Found::Cut { text, taken }
            }
            _ => {
                self.searched = length;
                Found::Nothing
            }
        }
    }

    /// Begins anew, after bytes were lost.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
