//! Odd or hostile traffic that is not a finding by itself: a closed list of stable names.
//!
//! In: a protocol analyzer, the stream or the flow says what it saw. Out: at most one row per
//! (flow, name) with a count, in the table `weird`.

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
    // The sensor itself, in rows of no flow.
    /// More packets were lost before the sensor than the configured share; what it says is not all.
    CaptureLoss = "capture_loss",
    /// Rows were lost while the archive could not be written; the detail says how many, and which.
    ArchiveGap = "archive_gap",

    /// A protocol's analyzer failed on this flow, the rest of which was not looked into; the detail
    /// names the protocol. Please report it.
    AnalyzerPanic = "analyzer_panic",

    // Capture and decode.
    /// A packet was cut by the capture's snap length; counters come from the headers' lengths.
    PacketCut = "packet_cut",
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
    /// A flow changed its protocol more often than any honest one does; the rest was not looked at.
    TooManyHandOffs = "too_many_hand_offs",

    // DNS.
    /// A DNS message contradicts its own lengths or counts.
    DnsMalformed = "dns_malformed",
    /// More DNS queries were open than the table holds; the oldest was written without an answer.
    DnsTooManyPending = "dns_too_many_pending",
    /// A DNS message is not whole in the capture; its record holds what is there.
    DnsCut = "dns_cut",
    /// A DNS message's answers have more text than is kept; its record holds the first of them.
    DnsAnswersLeftOut = "dns_answers_left_out",
    /// What follows in a TCP stream is no DNS message; it is searched for the next one.
    DnsOutOfStep = "dns_out_of_step",

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
    /// An SMB tree connect names an address that is not the server's; worms with addresses of
    /// another network built in do so (WannaCry), and clients behind address translation.
    SmbTreeNamesOtherAddress = "smb_tree_names_other_address",
    /// An SMB 1 transaction goes on with a secondary of another family; TRANSACTION2_SECONDARY in
    /// NT_TRANSACT is how EternalBlue overflows.
    Smb1SecondaryOfOtherTransaction = "smb1_secondary_of_other_transaction",
    /// SMB 1 WRITE_ANDX has the ids of a transaction that is under way, as in EternalRomance and
    /// EternalSynergy.
    Smb1WriteInTransaction = "smb1_write_in_transaction",
    /// SMB 1 NT_TRANSACT asks for NT_RENAME, which no server carries out; EternalChampion does.
    Smb1NtRenameTransaction = "smb1_nt_rename_transaction",
    /// The rest of an SMB 1 NT_RENAME came before the server asked for it: the race of
    /// EternalChampion.
    Smb1NtRenameSecondary = "smb1_nt_rename_secondary",
    /// An SMB 1 server answered TRANSACTION2 under a multiplex id of 81 to 83 that no request had,
    /// as the implant DoublePulsar does.
    Smb1ImplantAnswer = "smb1_implant_answer",
    /// An SMB 1 server answered under process and multiplex ids that no request had.
    Smb1UnaskedMultiplexId = "smb1_unasked_multiplex_id",
    /// An SMB 1 client sent a TRANSACTION2 sub-command that nobody implements, such as
    /// SESSION_SETUP, by which DoublePulsar is asked.
    Smb1UnusedSubcommand = "smb1_unused_subcommand",
    /// An SMB 1 client sent an NT_TRANSACT function that is not defined; EternalBlue sends 0.
    Smb1UnusedNtFunction = "smb1_unused_nt_function",
    /// An SMB 1 client sent a command that is unused or that nobody implements.
    Smb1UnusedCommand = "smb1_unused_command",

    // HTTP.
    /// A start line or header field does not read as HTTP; what could be read was kept.
    HttpMalformedHead = "http_malformed_head",
    /// A line, or the fields kept of one head, were longer than the bound and were cut.
    HttpHeadTooLong = "http_head_too_long",
    /// Lengths contradict each other: two values, or a length beside chunks; smuggling looks so.
    HttpAmbiguousLength = "http_ambiguous_length",
    /// A chunk's size or end does not read as one.
    HttpMalformedChunk = "http_malformed_chunk",
    /// The place in the stream was lost; analysis went on at the next start line.
    HttpLostPlace = "http_lost_place",
    /// More requests were open than the queue holds; the oldest was written as it stood.
    HttpTooManyPending = "http_too_many_pending",
    /// A body does not decode by the codings that its head names.
    HttpContentUndecodable = "http_content_undecodable",
    /// A coded body grows beyond the bounds on ratio, size, window or layers; it was not hashed.
    HttpContentBomb = "http_content_bomb",
    /// An HTTP/2 frame or header block contradicts its specification.
    Http2Malformed = "http2_malformed",
    /// More HTTP/2 streams or header bytes than the bounds allow.
    Http2LimitReached = "http2_limit_reached",

    // RDP.
    /// An RDP message contradicts its own lengths or values.
    RdpMalformed = "rdp_malformed",
    /// An RDP message is longer than is kept; its beginning was read.
    RdpMessageTooLong = "rdp_message_too_long",
    /// An RDP server chose a security protocol that the client had not offered.
    RdpProtocolNotRequested = "rdp_protocol_not_requested",
    /// An RDP client asks for the server's internal channel, as attacks on CVE-2019-0708 do.
    RdpInternalChannel = "rdp_internal_channel",
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
