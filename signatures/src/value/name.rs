//! Domain names: lower case, ASCII (other scripts as `xn--` labels), no final dot.

use super::{KeyBytes, Kind, ValueError};

/// Bytes of a name as text (RFC 1035 §2.3.4: 255 on the wire).
const NAME_BYTES: usize = 253;

/// Bytes of a label.
const LABEL_BYTES: usize = 63;

const INVALID: ValueError = ValueError::Invalid(Kind::Domain);

/// What a byte of a name becomes: lower case, or nothing where no name has it.
const LOWER: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.' {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// The canonical form of a name that was written or seen, without an allocation of its own: this is
/// asked for every name in traffic.
pub(crate) struct Name {
    bytes: [u8; NAME_BYTES],
    length: usize,
}

impl Name {
    /// Reads a name in either form.
    pub(crate) fn canonical(written: &[u8]) -> Result<Self, ValueError> {
        let written = written.strip_suffix(b".").unwrap_or(written);
        if written.is_ascii() {
            return Self::from_ascii(written);
        }
        // Four bytes a character and an `xn--` name can be shorter than what it stands for.
        if written.len() > 4 * NAME_BYTES {
            return Err(INVALID);
        }
        let name =
            idna::domain_to_ascii_cow(written, idna::AsciiDenyList::EMPTY).map_err(|_| INVALID)?;
        Self::from_ascii(name.as_bytes())
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Letters, digits, `-` and the `_` of service names, in labels that are not empty; the last
    /// one is no number, for then it would be a broken address.
    fn from_ascii(written: &[u8]) -> Result<Self, ValueError> {
        let mut name = Self { bytes: [0; NAME_BYTES], length: written.len() };
        let bytes = name.bytes.get_mut(..written.len()).ok_or(INVALID)?;
        let mut label = 0;
        let mut letters = 0;
        for (byte, &seen) in bytes.iter_mut().zip(written) {
            *byte = LOWER[usize::from(seen)];
            match *byte {
                0 => return Err(INVALID),
                b'.' if label == 0 => return Err(INVALID),
                b'.' => (label, letters) = (0, 0),
                _ => {
                    label += 1;
                    letters += usize::from(!seen.is_ascii_digit());
                }
            }
            if label > LABEL_BYTES {
                return Err(INVALID);
            }
        }
        if label == 0 || letters == 0 { Err(INVALID) } else { Ok(name) }
    }
}

/// The canonical form of a name, to keep.
pub(crate) fn canonical_name(written: &[u8]) -> Result<KeyBytes, ValueError> {
    Name::canonical(written).map(|name| KeyBytes::from_slice(name.bytes()))
}

/// How many labels a canonical name has.
pub(crate) fn labels(name: &[u8]) -> usize {
    name.iter().filter(|&&byte| byte == b'.').count() + 1
}

/// A name's form for people, where it differs: `xn--` labels in their own script.
#[must_use]
pub fn unicode_name(name: &str) -> Option<String> {
    if !name.contains("xn--") {
        return None;
    }
    let (unicode, result) = idna::domain_to_unicode(name);
    (result.is_ok() && unicode != name).then_some(unicode)
}
