//! What traffic shows that could be known: a kind and a value as it was seen.

use std::net::IpAddr;

use crate::value::{Key, Kind, address_of};

/// A value as it was seen. Bytes need no preparation: case, final dots, `\` or `/`, schemes are as
/// the wire had them. Hashes and fingerprints are text, as in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observable<'a> {
    /// A name: DNS query or answer, TLS server name, host of a request.
    Domain(&'a [u8]),
    /// An address alone.
    Address(IpAddr),
    /// An address and the port that was contacted there; the address alone is looked up too.
    Endpoint(IpAddr, u16),
    /// A URL; its host is not looked up on its own.
    Url(&'a [u8]),
    /// A JA3 fingerprint.
    Ja3(&'a [u8]),
    /// A JA4 fingerprint.
    Ja4(&'a [u8]),
    /// SHA-1 of a certificate.
    CertificateSha1(&'a [u8]),
    /// SHA-256 of a certificate.
    CertificateSha256(&'a [u8]),
    /// MD5 of a file.
    FileMd5(&'a [u8]),
    /// SHA-1 of a file.
    FileSha1(&'a [u8]),
    /// SHA-256 of a file.
    FileSha256(&'a [u8]),
    /// A file's name or path.
    FileName(&'a [u8]),
    /// An HTTP user agent.
    UserAgent(&'a [u8]),
}

impl<'a> Observable<'a> {
    /// A key as if it had been seen; `text` is the key as text. None for a network, which no packet
    /// shows.
    #[must_use]
    pub fn of(key: &'a Key, text: &'a str) -> Option<Self> {
        let (bytes, text) = (key.bytes(), text.as_bytes());
        Some(match key.kind() {
            Kind::Domain => Self::Domain(bytes),
            Kind::Address => Self::Address(address_of(bytes)?),
            Kind::Network => return None,
            Kind::Endpoint => {
                let (address, port) = bytes.split_last_chunk::<2>()?;
                Self::Endpoint(address_of(address)?, u16::from_be_bytes(*port))
            }
            Kind::Url => Self::Url(bytes),
            Kind::Ja3 => Self::Ja3(text),
            Kind::Ja4 => Self::Ja4(text),
            Kind::CertificateSha1 => Self::CertificateSha1(text),
            Kind::CertificateSha256 => Self::CertificateSha256(text),
            Kind::FileMd5 => Self::FileMd5(text),
            Kind::FileSha1 => Self::FileSha1(text),
            Kind::FileSha256 => Self::FileSha256(text),
            Kind::FileName => Self::FileName(bytes),
            Kind::UserAgent => Self::UserAgent(bytes),
        })
    }
}
