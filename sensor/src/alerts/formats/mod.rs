//! The shapes in which SIEMs want alerts: one declaration each.
//!
//! In: an alert and its number. Out: bytes of one message, without a newline in it.

mod rfc5424;
mod serval;

use serde::{Deserialize, Serialize};

use super::sinks::Letter;
pub(super) use rfc5424::{Header, message};

/// A shape of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonFormat {
    /// The columns of the alert table, as `serval schema --format json` describes them.
    #[default]
    Serval,
}

impl JsonFormat {
    /// The object, in one line.
    pub(super) fn render(self, letter: &Letter<'_>) -> Vec<u8> {
        match self {
            Self::Serval => serval::whole(letter),
        }
    }

    /// The object in at most `bytes`, where that is possible, and how many columns were left out.
    pub(super) fn render_within(self, letter: &Letter<'_>, bytes: usize) -> (Vec<u8>, usize) {
        let whole = self.render(letter);
        if whole.len() <= bytes {
            return (whole, 0);
        }
        match self {
            Self::Serval => letter
                .alert
                .fit(bytes, |alert, left_out| serval::shortened(letter.sequence, alert, left_out)),
        }
    }
}
