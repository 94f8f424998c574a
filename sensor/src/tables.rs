//! Every table that is written.

pub use analyzers::tables::all;
