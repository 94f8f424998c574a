//! TCP streams: in-order bytes of each direction, whatever the order of the segments.
//!
//! In: payload with its offset, acknowledgements. Out: pieces in order, either bytes (borrowed from
//! the packet wherever it came in order) or a gap that the capture will not fill.

pub mod assembler;
pub mod seq;

pub use assembler::{Assembler, Piece};
