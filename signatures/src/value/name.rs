//! Domain names: lower case, ASCII (other scripts as `xn--` labels), no final dot.

use super::{KeyBytes, Kind, ValueError};

/// Bytes of a name as text (RFC 1035 §2.3.4: 255 on the wire).
const NAME_BYTES: usize = 253;

/// Bytes of a label.
const LABEL_BYTES: usize = 63;

/// The canonical form of a name that was written or seen.
pub(crate) fn canonical_name(written: &[u8]) -> Result<KeyBytes, ValueError> {
    let invalid = ValueError::Invalid(Kind::Domain);
    let written = written.strip_suffix(b".").unwrap_or(written);
    let name = if written.is_ascii() {
        let mut name = KeyBytes::from_slice(written.get(..NAME_BYTES + 1).unwrap_or(written));
        name.make_ascii_lowercase();
        name
    } else {
        // Four bytes a character and an `xn--` name can be shorter than what it stands for.
        if written.len() > 4 * NAME_BYTES {
            return Err(invalid);
        }
        let name =
            idna::domain_to_ascii_cow(written, idna::AsciiDenyList::EMPTY).map_err(|_| invalid)?;
        KeyBytes::from_slice(name.as_bytes())
    };
    if is_name(&name) { Ok(name) } else { Err(invalid) }
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

/// Letters, digits, `-` and the `_` of service names, in labels that are not empty; the last one is
/// no number, for then it would be a broken address.
fn is_name(name: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        (1..=LABEL_BYTES).contains(&label.len())
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    };
    let last = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    name.len() <= NAME_BYTES
        && name.split(|&byte| byte == b'.').all(is_label)
        && !last.iter().all(u8::is_ascii_digit)
}
