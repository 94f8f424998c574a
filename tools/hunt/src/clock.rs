//! The wall clock of a hunt: what `--since 7d` counts back from. Rows carry packet time; nothing in
//! an answer depends on this but the window that was asked for.

use jiff::Timestamp;

/// Now.
#[must_use]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
