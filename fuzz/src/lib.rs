//! What the fuzz targets share: how an input's bytes become pieces of traffic, an analyzer driven
//! by the contract alone, and the account of what came out.

mod driven;
mod frames;
mod ledger;
mod pieces;
mod talk;

pub use driven::{Driven, Subject};
pub use frames::{Frames, LINK_TYPES, Rows};
pub use ledger::Ledger;
pub use pieces::{Feed, MARK, Piece, pieces, span};
pub use talk::{Cut, Talk};
