//! Every bound of this crate, with its reason and who gains when it is missing.
//!
//! Reaching a bound is a weird and is counted; it is never silent.

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
