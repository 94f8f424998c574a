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

    // TLS and QUIC.
    /// A TLS record or handshake message contradicts its own lengths or the specification.
    TlsMalformed = "tls_malformed",
    /// A TLS handshake message is longer than is kept, or its fragments are too many.
    TlsMessageTooLong = "tls_message_too_long",
    /// A client greeted with the hello of SSL 2.0.
    TlsSslV2Hello = "tls_sslv2_hello",
    /// A server's certificate cannot be parsed; its hashes stand.
    TlsCertificateMalformed = "tls_certificate_malformed",
    /// A hello or certificate has more names than a row holds.
    TlsTooManyNames = "tls_too_many_names",
    /// A QUIC packet contradicts its own lengths or the specification.
    QuicMalformed = "quic_malformed",
    /// A QUIC Initial packet does not decrypt with the keys that its connection id gives.
    QuicUndecryptable = "quic_undecryptable",
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
