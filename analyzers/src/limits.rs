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

/// Bytes of a DNS message; more do not fit the length in front of it on TCP.
pub const DNS_MESSAGE_BYTES: usize = 65_535;

/// Bytes of a domain name on the wire (RFC 1035 §2.3.4). Compression pointers make long names out
/// of few bytes; without the bound one message could fill memory.
pub const DNS_NAME_BYTES: usize = 255;

/// Compression pointers followed in one domain name: as many as it can have labels. A chain of
/// pointers alone would otherwise make a reader walk the message again for each name.
pub const DNS_NAME_POINTERS: usize = 127;

/// Text of one DNS message's answers, in bytes; checked after each answer, which can be half as
/// large again. Compressed names grow on reading; without the bound a message of 64 KiB gives a
/// megabyte.
pub const DNS_ANSWER_TEXT_BYTES: usize = 131_072;

/// Queries of one flow that wait for their response. Resolvers that ask from a fixed port keep some
/// hundred open; whoever sends queries that nobody answers must not fill memory.
pub const DNS_PENDING: usize = 256;

/// How long a DNS query waits for its response. Resolvers give up sooner; on a fixed port an old
/// query would otherwise be taken for the one that reuses its id.
pub const DNS_PENDING_AGE: Duration = Duration::from_secs(60);
