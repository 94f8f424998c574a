//! TCP streams: in-order bytes of each direction, whatever the order of the segments.
//!
//! In: payload with its offset, acknowledgements. Out: pieces in order, either bytes (borrowed from
//! the packet wherever it came in order) or a gap that the capture will not fill.

pub mod assembler;
pub mod doubtful;
pub mod recent;
pub mod seq;

pub use assembler::{Assembler, Oddities, Piece};
pub use doubtful::{Doubtful, Kept};

/// What follows the first `skip` bytes.
fn tail(bytes: &[u8], skip: u64) -> &[u8] {
    usize::try_from(skip).ok().and_then(|skip| bytes.get(skip..)).unwrap_or_default()
}
