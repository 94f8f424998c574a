//! Every bound of this crate, with its reason and who gains when it is missing.
//!
//! Reaching a bound is a weird and is counted; it is never silent.

/// Kinds of weird kept per flow. There are fewer kinds than this; the bound keeps a flow's memory
/// from following the length of that list.
pub const WEIRDS_PER_FLOW: usize = 16;

/// Bytes of a weird's detail. An attacker who chooses the text must not choose the row's size.
pub const WEIRD_DETAIL_BYTES: usize = 256;

/// First bytes of a direction that probes may look at before recognition gives up. Long enough for
/// every greeting in the list of protocols; without it a silent flow would buffer for ever.
pub const PROBE_BYTES: usize = 2_048;

/// Datagrams of a flow that are probed before recognition gives up.
pub const PROBE_DATAGRAMS: u8 = 4;

/// Bytes of a TLS handshake message that are kept: a chain of ten long certificates, or a hello with the
/// largest key shares. Whoever sends a message of 16 MiB would otherwise fill memory with it.
pub const TLS_MESSAGE_BYTES: usize = 65_536;

/// Islands of bytes kept of a handshake message that arrives out of order. Browsers shuffle a hello into
/// a dozen; a sender of every second byte would make thousands.
pub const TLS_ISLANDS: usize = 32;

/// Unfinished DTLS messages kept per direction. A flight has fewer; a sender of first fragments alone
/// would leave one after the other.
pub const DTLS_MESSAGES: usize = 8;

/// Application protocols of a hello that a row names. Clients offer a handful; a hello of 64 KiB has room
/// for thousands.
pub const TLS_PROTOCOLS: usize = 64;

/// DNS names of a certificate that a row names. Content networks put a few hundred into one; more would
/// make rows as long as an attacker likes.
pub const TLS_NAMES: usize = 1_024;

/// Destination connection ids per QUIC flow for which keys are derived in vain. Each costs a dozen hashes,
/// and a sender of random ids would have them all computed.
pub const QUIC_KEY_FAILURES: u8 = 8;
