//! Text for a record: words of ours, or bytes that an attacker may have written.
//!
//! Bytes from the wire stay bytes here. [`Text::escaped`] is the one way to turn them into a
//! string: valid UTF-8 stays, anything else and every control character becomes `\xHH`.

use std::borrow::Cow;

/// A text value of a record.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Text {
    /// A word of ours, such as a mnemonic.
    Word(&'static str),
    /// Bytes as they stood on the wire.
    Wire(Box<[u8]>),
}

impl Text {
    /// The bytes, unescaped.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Word(word) => word.as_bytes(),
            Self::Wire(bytes) => bytes,
        }
    }

    /// The text as a string that is safe to print.
    #[must_use]
    pub fn escaped(&self) -> Cow<'_, str> {
        match self {
            Self::Word(word) => Cow::Borrowed(word),
            Self::Wire(bytes) => escape(bytes),
        }
    }
}

/// Bytes as a string: valid UTF-8 stays, invalid bytes, control characters, bidirectional overrides
/// and line separators become `\xHH` for each of their bytes.
#[must_use]
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let is_plain = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if let Ok(text) = std::str::from_utf8(bytes)
        && (is_plain || !text.chars().any(is_hostile))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len().saturating_add(8));
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_hostile(c) {
                let mut buffer = [0; 4];
                push_escaped(&mut out, c.encode_utf8(&mut buffer).as_bytes());
            } else {
                out.push(c);
            }
        }
        push_escaped(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn push_escaped(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str("\\x");
        push_hex(out, &[*byte]);
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 0x0f)]));
}

/// Four bits as a digit.
pub(crate) fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    push_hex(&mut out, bytes);
    out
}

/// Characters that move a terminal's cursor, hide text or break a line where none was meant.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.escaped())
    }
}

impl From<&'static str> for Text {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Wire(text.into_bytes().into_boxed_slice())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Wire(bytes.into_boxed_slice())
    }
}

impl Text {
    /// A copy of bytes from the wire.
    #[must_use]
    pub fn wire(bytes: &[u8]) -> Self {
        Self::Wire(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_harm_a_reader() {
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            ("naïve – 狮".as_bytes(), "naïve – 狮"),
            (b"\x1b[2J", "\\x1b[2J"),
            (b"a\r\nb", "a\\x0d\\x0ab"),
            (b"\xff\xfeok\x80", "\\xff\\xfeok\\x80"),
            ("\u{202e}txt".as_bytes(), "\\xe2\\x80\\xaetxt"),
            ("\u{9b}m".as_bytes(), "\\xc2\\x9bm"),
        ] {
            assert_eq!(escape(bytes), expected);
        }
    }
}
