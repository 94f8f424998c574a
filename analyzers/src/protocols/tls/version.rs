//! Protocol versions as the wire numbers them (RFC 8446 §4.2.1, RFC 9147 §5.3).

use crate::text::Text;

/// Flag bit of versions that DTLS counts downwards from.
const DTLS_MAJOR: u16 = 0xfe;

/// A version number of SSL, TLS or DTLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) u16);

impl Version {
    /// TLS 1.3.
    pub(crate) const TLS13: Self = Self(0x0304);

    /// The name that records carry; unknown numbers as `0xNNNN`.
    pub(crate) fn name(self) -> Text {
        Text::Word(match self.0 {
            0x0002 => "SSLv2",
            0x0101 => "TLCPv1.1",
            0x0300 => "SSLv3",
            0x0301 => "TLSv1.0",
            0x0302 => "TLSv1.1",
            0x0303 => "TLSv1.2",
            _ if self.is_tls13() => "TLSv1.3",
            0x0100 | 0xfeff => "DTLSv1.0",
            0xfefd => "DTLSv1.2",
            0xfefc => "DTLSv1.3",
            number => return format!("0x{number:04x}").into(),
        })
    }

    /// Whether this is TLS 1.3, its drafts and experiments included.
    pub(crate) const fn is_tls13(self) -> bool {
        // Drafts are 0x7fNN; two large deployments numbered theirs 0x7e02 and 0xfbNN.
        self.0 == Self::TLS13.0 || self.0 >> 8 == 0x7f || self.0 == 0x7e02 || self.0 >> 8 == 0xfb
    }

    /// Whether the handshake of this version is encrypted from the server's hello on.
    pub(crate) const fn encrypts_handshake(self) -> bool {
        self.is_tls13() || self.0 == 0xfefc
    }

    /// The two characters that JA4 writes for it.
    pub(crate) const fn ja4(self) -> &'static str {
        match self.0 {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            0xfeff => "d1",
            0xfefd => "d2",
            0xfefc => "d3",
            _ => "00",
        }
    }

    /// A number that grows with the version, so that DTLS's falling numbers compare as well.
    pub(crate) const fn rank(self) -> u16 {
        if self.0 >> 8 == DTLS_MAJOR { !self.0 } else { self.0 }
    }
}

/// Whether a number is one of those that clients send to keep servers tolerant (RFC 8701).
pub(crate) const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_names_of_the_record_contract() {
        for (number, name) in [
            (0x0300, "SSLv3"),
            (0x0301, "TLSv1.0"),
            (0x0304, "TLSv1.3"),
            (0x7f1c, "TLSv1.3"),
            (0xfeff, "DTLSv1.0"),
            (0xfefc, "DTLSv1.3"),
            (0x0305, "0x0305"),
            (0x0a0a, "0x0a0a"),
        ] {
            assert_eq!(Version(number).name().escaped(), name);
        }
    }

    #[test]
    fn grease_is_two_equal_bytes_that_end_in_a() {
        for number in [0x0a0a, 0x1a1a, 0xfafa] {
            assert!(is_grease(number), "{number:04x}");
        }
        for number in [0x0a1a, 0x0a0b, 0x1301, 0xfefe] {
            assert!(!is_grease(number), "{number:04x}");
        }
    }

    #[test]
    fn later_versions_rank_higher_in_tls_and_in_dtls() {
        assert!(Version(0x0304).rank() > Version(0x0303).rank());
        assert!(Version(0xfefd).rank() > Version(0xfeff).rank());
    }
}
