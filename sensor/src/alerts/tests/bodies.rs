//! What readers of each format make of hostile text.
