//! What programs say: the application bytes that conversations are made of.
//!
//! In: who wants what. Out: bytes, or a whole [`Talk`](crate::talk::Talk). Each protocol says the
//! least that a sensor needs to recognise it and to fill its record.

pub mod dns;
mod fields;
pub mod http;
pub mod ntlm;
pub mod ntp;
pub mod rdp;
pub mod rpc;
pub mod smb;
pub mod ssh;
pub mod tls;

/// Bytes that nobody can read: what encryption leaves.
#[must_use]
pub fn noise(length: usize) -> Vec<u8> {
    // A fixed pattern is enough for whoever does not decrypt, and packs well.
    (0..length).map(|at| u8::try_from((at * 167 + 89) % 251).expect("below 251")).collect()
}
