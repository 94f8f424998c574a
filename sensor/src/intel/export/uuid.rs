//! Identifiers that stay the same from export to export: UUIDs of version 5 (RFC 9562 §5.5), a
//! SHA-1 of what they stand for.

use sha1::{Digest as _, Sha1};

/// The namespace of what Serval exports; made once, by chance.
const NAMESPACE: [u8; 16] = *b"\x5e\x1f\xa0\x37\x42\xd9\x4b\x86\x9c\x0d\xe3\x71\x28\xb5\x6f\x4a";

/// The identifier of an object of a kind that is told apart by these words.
pub(super) fn id(kind: &str, words: &[&str]) -> String {
    let mut hash = Sha1::new();
    hash.update(NAMESPACE);
    for word in std::iter::once(&kind).chain(words) {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]);
    format!("{kind}--{}", parts.join("-"))
}
