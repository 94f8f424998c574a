//! Every bound of this crate, with its reason and who gains when it is missing. Reaching one
//! refuses the line with its place, or is counted; it is never silent.

/// Bytes of one line of a feed. The longest real lines are URLs of some kilobytes; a file without
/// line ends would otherwise be read into memory whole.
pub const LINE_BYTES: usize = 16 * 1024;

/// Bytes of one JSON file (a MISP event, a STIX bundle). The largest public bundle has 50 MB;
/// parsed it takes several times that.
pub const JSON_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of one allow-list. People write them.
pub const ALLOW_BYTES: u64 = 4 * 1024 * 1024;

/// Files read from one feed directory. A MISP feed of ten years has some thousands of events.
pub const FEED_FILES: usize = 100_000;

/// Indicators of one set; about sixty bytes each. A feed that a stranger can grow must not take the
/// sensor's memory.
pub const INDICATORS: usize = 32_000_000;

/// Bytes of all values or words of one set: what 32 bits can address.
pub const ARENA_BYTES: usize = u32::MAX as usize;

/// Indicators that name the same value, from several feeds or with several stories. More add
/// nothing to an alert, and a feed of one name a million times would make its look-up slow.
pub const SAME_VALUE: usize = 16;

/// Labels of a name that is listed with its sub-domains. Each depth costs a look-up one probe.
pub const SUBDOMAIN_LABELS: usize = 8;

/// Parts of a path that are tried, from the end for file names, from the start for URLs.
pub const PATH_PARTS: usize = 8;

/// Bytes of a URL, file name or user agent in a feed and of what is compared with it. Longer ones
/// in traffic are compared up to here and so do not match.
pub const VALUE_BYTES: usize = 8 * 1024;

/// Shortest prefix of an IPv4 network. A slip of the pen, `1.2.3.4/2`, would alert on a quarter of
/// the Internet.
pub const SHORTEST_V4_PREFIX: u8 = 8;

/// Shortest prefix of an IPv6 network, for the same reason: registries get a /12 each.
pub const SHORTEST_V6_PREFIX: u8 = 16;

/// Refusals of one feed that are kept with place and reason; the others are counted. A binary file
/// given as a feed would otherwise be told line by line.
pub const REFUSALS_KEPT: usize = 1_000;

/// Terms of one STIX pattern. Producers join some hundreds with OR.
pub const PATTERN_TERMS: usize = 4_096;
