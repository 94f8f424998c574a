//! Pieces of SQL for the queries that findings carry: literals that every engine reads.
//!
//! In: instants, texts of the wire. Out: SQL in which no text can be anything but a text.

use crate::detector::FlowsBehind;
use crate::time::Timestamp;

/// A condition that selects rows whose `ts` lies between two instants, both included.
#[must_use]
pub fn between(first: Timestamp, last: Timestamp) -> String {
    format!("ts BETWEEN {} AND {}", instant(first), instant(last))
}

/// An instant as a literal, to the microsecond that the archive keeps.
#[must_use]
pub fn instant(ts: Timestamp) -> String {
    let text = jiff::Timestamp::from_microsecond(ts.micros())
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |instant| format!("{instant:.6}"));
    format!("TIMESTAMP '{text}'")
}

/// A condition that selects the rows of these flows.
#[must_use]
pub fn uids(flows: &FlowsBehind) -> String {
    let uids: Vec<String> = flows.uids().map(|uid| format!("'{uid}'")).collect();
    format!("uid IN ({})", uids.join(", "))
}

/// A text as a literal.
#[must_use]
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts as a list for `IN`: `('a', 'b')`; `(NULL)`, in which nothing is, for none.
#[must_use]
pub fn list(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|one| text(&one)).collect();
    if texts.is_empty() { "(NULL)".to_owned() } else { format!("({})", texts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nothing_holds_nothing() {
        assert_eq!(list([]), "(NULL)");
        assert_eq!(list(["a".to_owned(), "b'".to_owned()]), "('a', 'b''')");
    }

    #[test]
    fn literals_are_closed_whatever_is_in_them() {
        assert_eq!(text("o'; DROP TABLE flow; --"), "'o''; DROP TABLE flow; --'");
        let ts = Timestamp::from_secs_nanos(1_735_689_600, 1_999);
        assert_eq!(instant(ts), "TIMESTAMP '2025-01-01T00:00:00.000001Z'");
        assert_eq!(
            between(ts, ts),
            "ts BETWEEN TIMESTAMP '2025-01-01T00:00:00.000001Z' AND \
             TIMESTAMP '2025-01-01T00:00:00.000001Z'"
        );
    }
}
