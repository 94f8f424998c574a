//! Finds where a message begins in a stream whose place was lost. In: a line. Out: the offset in it
//! of a start line, which may stand right behind the last bytes of a body.

use super::Role;
use super::head::Head;
use crate::protocol::Verdict;
use crate::protocols::http::probe;

/// Where in `text` a start line begins that reaches to its end.
pub(super) fn start_in(role: Role, text: &[u8]) -> Option<usize> {
    match role {
        Role::Client => request_in(text),
        Role::Server => status_in(text),
    }
}

fn request_in(text: &[u8]) -> Option<usize> {
    if !probe::ends_with_version(text) {
        return None;
    }
    // A method ends at a space, and spaces are few: cheaper than to search for each method.
    let known = memchr::memchr_iter(b' ', text).filter_map(|space| {
        let (before, after) = text.split_at_checked(space)?;
        if !probe::is_target(after.trim_ascii_start()) {
            return None;
        }
        let methods = probe::METHODS.iter().filter(|method| before.ends_with(method));
        methods.map(|method| space.saturating_sub(method.len())).min()
    });
    known.min().or_else(|| Head::request(text).map(|_| 0))
}

fn status_in(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"HTTP/1.") && is_status(Some(text)) {
        return Some(0);
    }
    memchr::memmem::find_iter(text, b"HTTP/1.").find(|&at| is_status(text.get(at..)))
}

/// `HTTP/1.x SP` and three digits.
fn is_status(text: Option<&[u8]>) -> bool {
    let after = text.and_then(|text| text.get(b"HTTP/1.".len()..));
    matches!(after, Some([version, b' ', a, b, c, ..])
        if [version, a, b, c].iter().all(|digit| digit.is_ascii_digit()))
}

/// Whether a line without its end, the last of a flow, is a start line that lost no more than that.
pub(super) fn is_whole_start(role: Role, text: &[u8]) -> bool {
    match role {
        Role::Client => {
            probe::request_line(text) == Verdict::Certain || probe::ends_with_version(text)
        }
        Role::Server => is_status(Some(text)) && text.starts_with(b"HTTP/"),
    }
}
