//! How much memory the process holds. In: what the system says. Out: bytes.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

/// Bytes of a page of memory, in which the system counts; every system that Serval is built for has
/// these.
const PAGE_BYTES: u64 = 4_096;

/// Bytes of memory that the process holds, shared ones included; `None` where the system does not
/// say.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    // Opened once: a sensor that has given up its rights may not be able to later.
    static STATM: OnceLock<Option<File>> = OnceLock::new();
    let file = STATM.get_or_init(|| File::open("/proc/self/statm").ok()).as_ref()?;
    let mut text = [0; 128];
    let read = file.read_at(&mut text, 0).ok()?;
    let text = str::from_utf8(text.get(..read)?).ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * PAGE_BYTES)
}
