//! The only code that indexes bytes: a cursor over a slice whose every read names its field.
//!
//! In: a byte slice. Out: integers, sub-slices, sub-readers, or a [`Malformed`] that says which
//! field was cut short and where. Parsers built on it read like the specification.

use crate::malformed::{Malformed, MalformedKind};

/// A cursor over bytes from the wire. Copying it is free and lets a parser look ahead.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// All bytes, so that offsets and back-references can be told.
    whole: &'a [u8],
    /// Where the next read starts; never beyond `whole.len()`.
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `whole`.
    #[must_use]
    pub const fn new(whole: &'a [u8]) -> Self {
        Self { whole, at: 0 }
    }

    /// Offset of the next read from the start.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// All bytes this reader was given, those already read included.
    #[must_use]
    pub const fn whole(&self) -> &'a [u8] {
        self.whole
    }

    /// Bytes that are left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.whole.get(self.at..).unwrap_or_default()
    }

    /// Number of bytes that are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.whole.len().saturating_sub(self.at)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    const fn truncated(&self, field: &'static str) -> Malformed {
        Malformed { kind: MalformedKind::Truncated, field, offset: self.at }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// Cut short, when fewer are left; the cursor does not move then.
    pub fn take(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(len).ok_or_else(|| self.truncated(field))?;
        let taken = self.whole.get(self.at..end).ok_or_else(|| self.truncated(field))?;
        self.at = end;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// Cut short.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let short = self.truncated(field);
        self.take(N, field)?.try_into().map_err(|_| short)
    }

    /// Skips `len` bytes.
    ///
    /// # Errors
    /// Cut short.
    pub fn skip(&mut self, len: usize, field: &'static str) -> Result<(), Malformed> {
        self.take(len, field).map(|_| ())
    }

    /// A reader over the next `len` bytes alone; its offsets start at zero.
    ///
    /// # Errors
    /// Cut short.
    pub fn sub(&mut self, len: usize, field: &'static str) -> Result<Reader<'a>, Malformed> {
        self.take(len, field).map(Reader::new)
    }

    /// A reader over at most the next `len` bytes: what a cut message still holds.
    pub fn sub_lax(&mut self, len: usize) -> Reader<'a> {
        let end = self.at.saturating_add(len).min(self.whole.len());
        let taken = self.whole.get(self.at..end).unwrap_or_default();
        self.at = end;
        Reader::new(taken)
    }

    /// The cursor moved to `offset` from the start.
    ///
    /// # Errors
    /// Cut short, when `offset` lies beyond the end.
    pub fn seek(&mut self, offset: usize, field: &'static str) -> Result<(), Malformed> {
        if offset > self.whole.len() {
            return Err(Malformed { kind: MalformedKind::Truncated, field, offset });
        }
        self.at = offset;
        Ok(())
    }

    /// The next byte, which stays unread.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.whole.get(self.at).copied()
    }

    /// One byte.
    ///
    /// # Errors
    /// Cut short.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Two bytes, most significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Three bytes, most significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// Four bytes, most significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Eight bytes, most significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// Two bytes, least significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u16_le(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Four bytes, least significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u32_le(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Eight bytes, least significant first.
    ///
    /// # Errors
    /// Cut short.
    pub fn u64_le(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.array(field).map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_byte_orders() {
        let mut r = Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(r.u16("a"), Ok(0x0102));
        assert_eq!(r.u24("b"), Ok(0x0003_0405));
        assert_eq!(r.u32_le("c"), Ok(0x0908_0706));
        assert!(r.is_empty());
    }

    #[test]
    fn a_short_read_names_field_and_offset_and_does_not_move() {
        let mut r = Reader::new(&[1, 2, 3]);
        r.skip(2, "head").unwrap();
        let error = r.u32("length").unwrap_err();
        assert_eq!((error.field, error.offset, error.is_truncated()), ("length", 2, true));
        assert_eq!(r.rest(), &[3]);
    }

    #[test]
    fn no_length_is_too_long() {
        let mut r = Reader::new(&[1, 2]);
        assert!(r.take(usize::MAX, "x").is_err());
        assert_eq!(r.sub_lax(usize::MAX).rest(), &[1, 2]);
        assert!(r.seek(3, "x").is_err());
        assert!(r.seek(2, "x").is_ok());
    }
}
