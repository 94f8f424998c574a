//! Odd or hostile traffic that is not a finding by itself: a closed list of stable names.
//!
//! In: a protocol analyzer, the stream or the flow says what it saw. Out: at most one row per (flow,
//! name) with a count, in the table `weird`.

use crate::record;
use crate::text::Text;

macro_rules! weirds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One kind of odd traffic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Weird { $($(#[doc = $doc])+ $variant,)+ }

        impl Weird {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name that records carry.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence: what was seen.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

weirds! {
    // Capture and decode.
    /// A packet was cut by the capture's snap length; counters come from the headers' lengths.
    PacketCut = "packet_cut",
    /// A checksum of the IP, TCP, UDP or ICMP header does not match.
    BadChecksum = "bad_checksum",
    /// Fragments of one datagram overlap.
    FragmentOverlap = "fragment_overlap",

    // Flow and stream.
    /// A TCP segment carries other bytes than an earlier one for the same sequence numbers.
    OverlapDiffers = "overlap_differs",
    /// Bytes were acknowledged that the capture does not hold.
    StreamGap = "stream_gap",
    /// The reassembly buffer was full; bytes were passed over as a gap.
    StreamBufferFull = "stream_buffer_full",
    /// An analyzer's message was longer than its buffer; the protocol was given up for this flow.
    MessageTooLong = "message_too_long",

    // DNS.
    /// A DNS message contradicts its own lengths or counts.
    DnsMalformed = "dns_malformed",
    /// More DNS queries were open than the table holds; the oldest was written without an answer.
    DnsTooManyPending = "dns_too_many_pending",

    // SMB.
    /// An SMB message contradicts its own lengths or values.
    SmbMalformed = "smb_malformed",
    /// Something else stood where an SMB frame should begin; the next frame was looked for.
    SmbLostPlace = "smb_lost_place",
    /// A table of SMB state was full; the least recently used entry was written and forgotten.
    SmbTableFull = "smb_table_full",
    /// An AndX chain holds more commands than are read.
    SmbChainTooLong = "smb_chain_too_long",
    /// An SMB name is at least as long as a row keeps; what is longer was cut.
    SmbNameTooLong = "smb_name_too_long",
    /// A compressed SMB message shows nothing that can be read.
    SmbCompressed = "smb_compressed",
    /// A compressed SMB message's sizes overflow 32 bits, as in attacks on CVE-2020-0796.
    SmbCompressionOverflow = "smb_compression_overflow",
}

record! {
    /// Odd or hostile traffic that is not a finding by itself, at most one row per (flow, name).
    pub struct WeirdRecord: "weird" {
        /// Stable name from the closed list that `serval schema` prints.
        name: &'static str,
        /// A short text about its first occurrence; bytes of the wire escaped.
        detail: Option<Text>,
        /// How often it occurred in this flow.
        count: i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_documented() {
        let mut names: Vec<_> = Weird::ALL.iter().map(|w| w.name()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for weird in Weird::ALL {
            assert!(
                weird
                    .name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            );
            assert!(weird.doc().trim().ends_with('.'), "{} has no sentence", weird.name());
        }
    }
}
