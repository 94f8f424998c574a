//! Names: labels and compression pointers (RFC 1035 §3.1 and §4.1.4), and the first-level encoding
//! of NetBIOS names (RFC 1001 §14.1).
//!
//! In: a reader at the name's first byte, over the message from its start. Out: the labels,
//! lower-case and joined by dots; bytes that are not ASCII letters stay as they are, so a dot
//! inside a label looks like one between labels.
//!
//! **Invariant:** a pointer must lie strictly before the labels that it continues. Every jump thus
//! goes towards the message's start, and no chain of them can loop.

use crate::limits::{DNS_NAME_BYTES, DNS_NAME_POINTERS};
use crate::malformed::Malformed;
use crate::reader::Reader;

/// What one label field holds.
enum Label<'a> {
    End,
    Bytes(&'a [u8]),
    Pointer(usize),
}

impl<'a> Label<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let offset = reader.offset();
        let first = reader.u8("label length")?;
        match first {
            0 => Ok(Self::End),
            1..=0x3f => reader.take(usize::from(first), "label").map(Self::Bytes),
            0xc0..=0xff => {
                let low = reader.u8("compression pointer")?;
                Ok(Self::Pointer(usize::from(u16::from_be_bytes([first & 0x3f, low]))))
            }
            _ => Err(Malformed::bad_value("label length", offset)),
        }
    }
}

/// Appends the name at `reader` to `out` and moves the reader behind it. The root is `.`.
///
/// # Errors
/// Cut short, a pointer that does not go back, or a name beyond the bounds. The reader then stands
/// behind the name's first pointer, or has not moved if it found none.
pub(super) fn read(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let begin = out.len();
    let mut walker = *reader;
    let mut labels_start = reader.offset();
    let mut wire_bytes = 1_usize;
    let mut pointers = 0_usize;
    loop {
        let offset = walker.offset();
        match Label::read(&mut walker)? {
            Label::End => break,
            Label::Bytes(label) => {
                wire_bytes = wire_bytes.saturating_add(label.len()).saturating_add(1);
                if wire_bytes > DNS_NAME_BYTES {
                    return Err(Malformed::limit("name", offset));
                }
                if out.len() > begin {
                    out.push(b'.');
                }
                out.extend(label.iter().map(u8::to_ascii_lowercase));
            }
            Label::Pointer(target) => {
                if pointers == 0 {
                    *reader = walker;
                }
                pointers = pointers.saturating_add(1);
                if target >= labels_start {
                    return Err(Malformed::bad_value("compression pointer", offset));
                }
                if pointers > DNS_NAME_POINTERS {
                    return Err(Malformed::limit("compression pointer", offset));
                }
                walker.seek(target, "compression pointer")?;
                labels_start = target;
            }
        }
    }
    if pointers == 0 {
        *reader = walker;
    }
    if out.len() == begin {
        out.push(b'.');
    }
    Ok(())
}

/// Moves the reader behind the name without following its pointer.
///
/// # Errors
/// Cut short, or a label of an unknown kind.
pub(super) fn skip(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    loop {
        match Label::read(reader)? {
            Label::Bytes(_) => {}
            Label::End | Label::Pointer(_) => return Ok(()),
        }
    }
}

/// Letters of an encoded NetBIOS name: two for each of its sixteen bytes.
const NETBIOS_LETTERS: usize = 32;

/// The NetBIOS name that a DNS name encodes, its scope after a dot; `None` where it encodes none.
/// The sixteenth byte, which tells the kind of service, and the padding are left out.
pub(super) fn netbios(name: &[u8]) -> Option<Vec<u8>> {
    let (letters, scope) = name.split_at_checked(NETBIOS_LETTERS)?;
    if !(scope.is_empty() || scope.starts_with(b".")) {
        return None;
    }
    let mut bytes = Vec::with_capacity(name.len());
    for pair in letters.chunks_exact(2) {
        let &[high, low] = pair else { return None };
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    bytes.pop();
    unpad(&mut bytes);
    bytes.make_ascii_lowercase();
    bytes.extend_from_slice(scope);
    Some(bytes)
}

/// Half a byte from the letter that stands for it.
fn nibble(letter: u8) -> Option<u8> {
    matches!(letter, b'a'..=b'p').then(|| letter.wrapping_sub(b'a'))
}

/// Takes the spaces or zeros away that fill a NetBIOS name.
pub(super) fn unpad(name: &mut Vec<u8>) {
    let used = name.iter().rposition(|byte| !matches!(byte, 0 | b' '));
    name.truncate(used.map_or(0, |last| last.saturating_add(1)));
}
