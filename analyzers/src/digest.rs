//! A file that passes: its SHA-256, and its type by its first bytes.
//!
//! In: its bytes in order, in pieces. Out: hash and type. Nothing is kept but the hash's state and
//! [`FILE_SNIFF_BYTES`] of the beginning.

use sha2::{Digest as _, Sha256};

use crate::file_type::sniff;
use crate::limits::FILE_SNIFF_BYTES;
use crate::text::hex;

/// Hash and first bytes of what passed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    hash: Sha256,
    first: Vec<u8>,
}

impl Digest {
    /// Takes the next bytes.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        let room = FILE_SNIFF_BYTES.saturating_sub(self.first.len());
        if room > 0 {
            self.first.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
    }

    /// SHA-256 in hex of all that passed, and its media type.
    pub(crate) fn finish(self) -> (String, Option<&'static str>) {
        (hex(&self.hash.finalize()), sniff(&self.first))
    }
}
