//! How much memory the sensor holds. In: what the system says. Out: bytes, and when it is too much.
//!
//! The budget is held by what every room knows (flows, streams and analyzers are bounded one by
//! one, rows that wait for the archive together), and above all of them by this measure of the
//! whole, which forgets nobody: while it is above the budget, flows are ended, the least telling
//! first.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

/// Bytes of a page of memory, in which the system counts; every system that Serval is built for has
/// these.
const PAGE_BYTES: u64 = 4_096;

/// Bytes of memory that belong to the process alone: not the program's text, nor the rings that it
/// shares with the kernel. `None` where the system does not say.
#[must_use]
pub fn held_bytes() -> Option<u64> {
    // Opened once: a sensor that has given up its rights may not be able to later.
    static STATM: OnceLock<Option<File>> = OnceLock::new();
    let file = STATM.get_or_init(|| File::open("/proc/self/statm").ok()).as_ref()?;
    let mut text = [0; 128];
    let read = file.read_at(&mut text, 0).ok()?;
    held(str::from_utf8(text.get(..read)?).ok()?)
}

/// Resident pages less shared ones (proc(5), `/proc/pid/statm`).
fn held(statm: &str) -> Option<u64> {
    let mut pages = statm.split_whitespace().skip(1).map(|pages| pages.parse::<u64>().ok());
    let (resident, shared) = (pages.next()??, pages.next()??);
    Some(resident.saturating_sub(shared) * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_is_resident_less_shared() {
        assert_eq!(held("1000 300 100 5 0 200 0\n"), Some(200 * PAGE_BYTES));
        assert_eq!(held("1000 100 300 5 0 200 0\n"), Some(0));
        assert_eq!(held("1000"), None);
        assert_eq!(held(""), None);
    }
}
