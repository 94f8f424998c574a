//! What carries a handshake: the few things in which TLS, DTLS and QUIC differ for a hello.

use super::hello::Cookie;

/// What carries a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// TLS over a byte stream.
    Tcp,
    /// TLS over datagrams.
    Dtls,
    /// QUIC's CRYPTO frames.
    Quic,
}

impl Carrier {
    /// The word in the column `transport`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Dtls => "dtls",
            Self::Quic => "quic",
        }
    }

    /// JA4's first character.
    pub(crate) const fn ja4(self) -> char {
        match self {
            Self::Tcp => 't',
            Self::Dtls => 'd',
            Self::Quic => 'q',
        }
    }

    /// Whether its ClientHello has a cookie.
    pub(crate) const fn cookie(self) -> Cookie {
        match self {
            Self::Dtls => Cookie::Present,
            Self::Tcp | Self::Quic => Cookie::Absent,
        }
    }
}
