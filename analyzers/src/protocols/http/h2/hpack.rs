//! HPACK: header blocks to fields (RFC 7541). In: whole blocks in the order of the wire. Out: names
//! and values by a visitor.
//!
//! The dynamic table holds at most [`HTTP2_TABLE_BYTES`]. A reference to an entry that the capture
//! does not hold (after a gap) skips the field, so that the others are still told.

use std::collections::VecDeque;

use super::huffman;
use crate::limits::{HTTP2_FIELD_BYTES, HTTP2_TABLE_BYTES};
use crate::malformed::Malformed;
use crate::reader::Reader;

/// The static table (RFC 7541 appendix A), whose first entry has index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Bytes that every entry costs beside its name and value (RFC 7541 section 4.1).
const ENTRY_BYTES: usize = 32;

/// Size of the dynamic table until it is changed (RFC 9113 section 6.5.2).
const TABLE_BYTES: usize = 4_096;

/// A field of the dynamic table.
#[derive(Clone, Debug)]
struct Entry {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.name.len().saturating_add(self.value.len()).saturating_add(ENTRY_BYTES)
    }
}

/// The state of one direction.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Newest first.
    table: VecDeque<Entry>,
    table_bytes: usize,
    table_bytes_max: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: VecDeque::new(), table_bytes: 0, table_bytes_max: TABLE_BYTES }
    }
}

/// What the first bits of a field line say (RFC 7541 section 6).
enum Line {
    Indexed,
    Indexing,
    TableSize,
    Plain,
}

impl Line {
    /// The kind and how many bits of the first byte belong to the integer that follows.
    const fn of(first: u8) -> (Self, u8) {
        match first {
            0x80.. => (Self::Indexed, 7),
            0x40.. => (Self::Indexing, 6),
            0x20.. => (Self::TableSize, 5),
            // Never indexed (0001) and without indexing (0000) differ for proxies only.
            _ => (Self::Plain, 4),
        }
    }
}

impl Decoder {
    /// Tells `visit` every field of `block`.
    ///
    /// # Errors
    /// The first thing in the block that is not HPACK; the fields before it were told.
    pub(super) fn decode(
        &mut self,
        block: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), Malformed> {
        let mut r = Reader::new(block);
        let mut told_bytes = 0_usize;
        while let Some(first) = r.peek() {
            let at = r.offset();
            let (line, bits) = Line::of(first);
            let number = integer(&mut r, bits)?;
            let field = match line {
                Line::Indexed => self.entry(number),
                Line::Indexing | Line::Plain => {
                    let name = match number {
                        0 => Some(string(&mut r)?),
                        index => self.entry(index).map(|entry| entry.name),
                    };
                    let value = string(&mut r)?;
                    // The place of an entry with an unknown name is kept, or later indexes are off.
                    let entry = Entry { name: name.unwrap_or_default(), value };
                    if matches!(line, Line::Indexing) {
                        self.insert(entry.clone());
                    }
                    Some(entry)
                }
                Line::TableSize => {
                    self.resize(number, at)?;
                    None
                }
            };
            if let Some(field) = field.filter(|field| !field.name.is_empty()) {
                told_bytes = told_bytes.saturating_add(field.bytes());
                if told_bytes > HTTP2_FIELD_BYTES {
                    return Err(Malformed::limit("header fields", at));
                }
                visit(&field.name, &field.value);
            }
        }
        Ok(())
    }

    /// The entry of that index, in the static table or behind it in the dynamic one.
    fn entry(&self, index: usize) -> Option<Entry> {
        let at = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(at) {
            return Some(Entry {
                name: name.as_bytes().to_vec(),
                value: value.as_bytes().to_vec(),
            });
        }
        self.table.get(at.checked_sub(STATIC.len())?).cloned()
    }

    fn insert(&mut self, entry: Entry) {
        self.table_bytes = self.table_bytes.saturating_add(entry.bytes());
        self.table.push_front(entry);
        self.evict();
    }

    fn resize(&mut self, bytes: usize, at: usize) -> Result<(), Malformed> {
        self.table_bytes_max = bytes.min(HTTP2_TABLE_BYTES);
        self.evict();
        if bytes > HTTP2_TABLE_BYTES {
            return Err(Malformed::limit("table size", at));
        }
        Ok(())
    }

    fn evict(&mut self) {
        while self.table_bytes > self.table_bytes_max {
            let Some(oldest) = self.table.pop_back() else { return };
            self.table_bytes = self.table_bytes.saturating_sub(oldest.bytes());
        }
    }
}

/// An integer whose first bits share a byte with other things (RFC 7541 section 5.1).
fn integer(r: &mut Reader<'_>, bits: u8) -> Result<usize, Malformed> {
    let mask = (1_u8 << bits.min(7)).wrapping_sub(1);
    let prefix = r.u8("integer")? & mask;
    let mut value = u64::from(prefix);
    if prefix < mask {
        return Ok(usize::from(prefix));
    }
    // Four more bytes hold any index or length that fits in a block.
    for shift in [0_u32, 7, 14, 21] {
        let byte = r.u8("integer")?;
        value = value.saturating_add(u64::from(byte & 0x7f) << shift);
        if byte & 0x80 == 0 {
            return Ok(usize::try_from(value).unwrap_or(usize::MAX));
        }
    }
    Err(Malformed::bad_value("integer", r.offset()))
}

/// A string, Huffman-coded or not (RFC 7541 section 5.2).
fn string(r: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let coded = r.peek().is_some_and(|first| first & 0x80 != 0);
    let length = integer(r, 7)?;
    let bytes = r.take(length, "string")?;
    if !coded {
        return Ok(bytes.to_vec());
    }
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(2));
    huffman::decode(bytes, &mut text)?;
    Ok(text)
}
