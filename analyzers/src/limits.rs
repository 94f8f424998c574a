//! Every bound of this crate, with its reason and who gains when it is missing.
//!
//! Reaching a bound is a weird and is counted; it is never silent.

use std::time::Duration;

/// Kinds of weird kept per flow. There are fewer kinds than this; the bound keeps a flow's memory
/// from following the length of that list.
pub const WEIRDS_PER_FLOW: usize = 16;

/// Bytes of a weird's detail. An attacker who chooses the text must not choose the row's size.
pub const WEIRD_DETAIL_BYTES: usize = 256;

/// First bytes of a direction that probes may look at before recognition gives up. Long enough for
/// every greeting in the list of protocols; without it a silent flow would buffer for ever.
pub const PROBE_BYTES: usize = 2_048;

/// Datagrams of a flow that are probed before recognition gives up.
pub const PROBE_DATAGRAMS: u8 = 4;

// SMB. Together they are a flow's worst case of some 73 KiB; without them a client that never gets an
// answer, or never closes a file, owns the sensor's memory.

/// Bytes of an SMB message that are looked at; the longest thing there is a logon token. Contents of
/// files and longer answers pass by.
pub const SMB_HEAD_BYTES: usize = 16 * 1024;

/// Bytes of one name in UTF-8. Windows ends at 255 characters for a name, 32,767 for a path.
pub const SMB_NAME_BYTES: usize = 4_096;

/// Requests without a response. A client that copies keeps some dozens of reads under way.
pub const SMB_PENDING: usize = 96;

/// Responses whose requests were not seen yet. A newer one ends the wait of the oldest.
pub const SMB_EARLY: usize = 8;

/// How much later than its response a request may stand in a capture of two taps.
pub const SMB_SKEW: Duration = Duration::from_millis(10);

/// Bytes of names in waiting requests.
pub const SMB_PENDING_TEXT_BYTES: usize = 8 * 1024;

/// Open files. The least recently used leaves its sums and is forgotten.
pub const SMB_OPEN_FILES: usize = 128;

/// Bytes of their names.
pub const SMB_FILE_TEXT_BYTES: usize = 12 * 1024;

/// Connected shares.
pub const SMB_TREES: usize = 32;

/// Bytes of their names.
pub const SMB_TREE_TEXT_BYTES: usize = 2 * 1024;

/// Sessions. A terminal server's one connection carries one for each of its users.
pub const SMB_SESSIONS: usize = 32;

/// Bytes of the names in them.
pub const SMB_SESSION_TEXT_BYTES: usize = 4 * 1024;

/// Commands in one AndX chain. Clients chain three at most.
pub const SMB_ANDX_STEPS: u8 = 10;

/// Dialects of an SMB 1 negotiate; some ten exist.
pub const SMB_DIALECTS: usize = 32;
