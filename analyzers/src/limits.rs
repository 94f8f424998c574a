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

/// Bytes of one HTTP line. Real start lines end below 8 KiB; without it one line without an end
/// would be buffered for ever.
pub const HTTP_LINE_BYTES: usize = 16 * 1_024;

/// Bytes of values kept of one HTTP head. Without it the queue of open requests would multiply the
/// length of the longest head.
pub const HTTP_HEAD_KEPT_BYTES: usize = 16 * 1_024;

/// HTTP/1 requests waiting for their responses. Browsers that pipeline send less than ten; without it
/// a client that never reads could grow the queue.
pub const HTTP_PENDING: usize = 64;

/// First bytes of a decoded body kept to sniff its type.
pub const HTTP_SNIFF_BYTES: usize = 512;

/// Content codings removed from one body. Two occur (a compressed file served compressed); each
/// further one multiplies the growth that a bomb can reach.
pub const HTTP_CONTENT_LAYERS: usize = 2;

/// Growth of a coded body that is followed beyond [`HTTP_CONTENT_FLOOR_BYTES`]. Text reaches 20; a
/// bomb of 1 000 would let a sender of one byte cost a thousand.
pub const HTTP_CONTENT_RATIO: u64 = 100;

/// Decoded bytes that are always allowed: short bodies of zeros are no bombs.
pub const HTTP_CONTENT_FLOOR_BYTES: u64 = 1_024 * 1_024;

/// Decoded bytes of one coded body. Bodies without a coding are hashed whatever their length.
pub const HTTP_CONTENT_BYTES: u64 = 1_024 * 1_024 * 1_024;

/// Window of a Brotli or Zstandard body. Servers use 512 KiB to 4 MiB; the formats allow far more, and
/// the sender chooses what the receiver must allocate.
pub const HTTP_WINDOW_BYTES: u64 = 4 * 1_024 * 1_024;

/// HTTP/2 streams open in one flow. Servers allow 100 to 128; the sender chooses.
pub const HTTP2_STREAMS: usize = 128;

/// Coded bodies decoded at the same time in one HTTP/2 flow, each with its windows.
pub const HTTP2_CODED_BODIES: usize = 4;

/// Bytes of one HTTP/2 header block with its continuations. Without it a sender of CONTINUATION
/// frames would be buffered for ever.
pub const HTTP2_BLOCK_BYTES: usize = 64 * 1_024;

/// Decoded bytes of one HTTP/2 header block. One byte can name an entry of the whole table.
pub const HTTP2_FIELD_BYTES: usize = 256 * 1_024;

/// Bytes of an HPACK dynamic table, by the count of RFC 7541. The default is 4 KiB.
pub const HTTP2_TABLE_BYTES: usize = 64 * 1_024;
