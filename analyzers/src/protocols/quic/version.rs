//! QUIC's versions: which there are, what distinguishes their Initial packets (RFC 9001 §5.2, RFC
//! 9369 §3, the drafts of both).

use crate::text::Text;

/// A version number of the long header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version(pub(super) u32);

/// What a family of versions has in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// Salt of the Initial secret.
    pub(super) salt: [u8; 20],
    /// Labels of key, IV and header protection.
    pub(super) labels: &'static Labels,
    /// Type bits of an Initial packet.
    pub(super) initial_type: u8,
    /// Type bits of a Retry packet.
    pub(super) retry_type: u8,
}

/// Labels with which keys are derived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) key: &'static str,
    pub(super) iv: &'static str,
    pub(super) header: &'static str,
}

const FIRST_LABELS: Labels = Labels { key: "quic key", iv: "quic iv", header: "quic hp" };
const SECOND_LABELS: Labels = Labels { key: "quicv2 key", iv: "quicv2 iv", header: "quicv2 hp" };

const fn first(salt: [u8; 20]) -> Family {
    Family { salt, labels: &FIRST_LABELS, initial_type: 0, retry_type: 3 }
}

const fn second(salt: [u8; 20]) -> Family {
    Family { salt, labels: &SECOND_LABELS, initial_type: 1, retry_type: 0 }
}

/// Version 1 and the last two drafts.
const V1: Family = first([
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
]);
/// Drafts 29 to 32.
const DRAFT_29: Family = first([
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
]);
/// Drafts 23 to 28.
const DRAFT_23: Family = first([
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65,
    0xbe, 0xf9, 0xf5, 0x02,
]);
/// Drafts 21 and 22.
const DRAFT_22: Family = first([
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd,
    0x7a, 0x02, 0x64, 0x4a,
]);
/// Version 2.
const V2: Family = second([
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
]);
/// Drafts of version 2.
const DRAFT_V2: Family = second([
    0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06, 0xea,
    0x7a, 0xe3, 0xe5, 0xd3,
]);
/// Google's T050, its QUIC with TLS.
const T050: Family = first([
    0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c,
    0x60, 0x48, 0x83, 0x10,
]);
/// Google's T051.
const T051: Family = first([
    0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc,
    0xda, 0x6e, 0x03, 0x3d,
]);

impl Version {
    /// The families whose keys may open its Initial packets; none where the version is unknown.
    pub(super) const fn families(self) -> &'static [Family] {
        match self.0 {
            0x0000_0001 | 0xff00_0021 | 0xff00_0022 => &[V1],
            0xff00_001d..=0xff00_0020 => &[DRAFT_29],
            0xff00_0017..=0xff00_001c => &[DRAFT_23],
            0xff00_0015 | 0xff00_0016 => &[DRAFT_22],
            // Facebook's own, from drafts 22 and 27.
            0xface_b001 => &[DRAFT_22],
            0xface_b002 | 0xface_b00e => &[DRAFT_23],
            0x6b33_43cf => &[V2],
            0x709a_50c4 | 0xff02_0000 => &[DRAFT_V2],
            0x5430_3530 => &[T050],
            0x5430_3531 => &[T051],
            // Made to be refused: the client may have used any, the newest first.
            _ if self.is_reserved() => &[V1, DRAFT_29, DRAFT_23],
            _ => &[],
        }
    }

    /// Whether clients send it to have it refused (RFC 9000 §15).
    pub(super) const fn is_reserved(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    /// Whether it is Google's QUIC with its own handshake: `Q0` and two digits.
    pub(super) const fn is_google(self) -> bool {
        let [q, zero, tens, ones] = self.0.to_be_bytes();
        q == b'Q' && zero == b'0' && tens.is_ascii_digit() && ones.is_ascii_digit()
    }

    /// The text in records: `1`, `2`, else eight hexadecimal digits.
    pub(super) fn name(self) -> Text {
        match self.0 {
            1 => Text::Word("1"),
            0x6b33_43cf => Text::Word("2"),
            number => format!("{number:08x}").into(),
        }
    }
}
