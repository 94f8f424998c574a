//! Values that can be known: their kinds and their canonical forms. In: what feeds and people
//! write. Out: a [`Key`], equal for all spellings of one thing, or the reason why there is none.
//!
//! Names follow RFC 1035 §2.3.4 for lengths and UTS #46 for other scripts; networks RFC 4632; URLs
//! RFC 3986 as far as a host, port, path and query go. Written-safe forms (`hxxp://evil[.]example`)
//! are understood.

mod name;
mod parse;
mod url;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use smallvec::SmallVec;

pub use name::unicode_name;
pub(crate) use name::{Name, canonical_name};
pub(crate) use parse::{canonical_path, is_ja4, network_of_any_size};
pub use url::host_of_url;
pub(crate) use url::{canonical_url, host_of};

use crate::limits;

/// Bytes of a key; most have fewer than these.
pub type KeyBytes = SmallVec<[u8; 40]>;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A domain name.
    Domain,
    /// An IP address.
    Address,
    /// An IP network.
    Network,
    /// An address and a port.
    Endpoint,
    /// A URL, without its scheme.
    Url,
    /// A JA3 fingerprint (MD5).
    Ja3,
    /// A JA4 fingerprint.
    Ja4,
    /// SHA-1 of a certificate.
    CertificateSha1,
    /// SHA-256 of a certificate.
    CertificateSha256,
    /// MD5 of a file.
    FileMd5,
    /// SHA-1 of a file.
    FileSha1,
    /// SHA-256 of a file.
    FileSha256,
    /// A file's name, or the end of its path.
    FileName,
    /// An HTTP user agent.
    UserAgent,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Domain,
        Self::Address,
        Self::Network,
        Self::Endpoint,
        Self::Url,
        Self::Ja3,
        Self::Ja4,
        Self::CertificateSha1,
        Self::CertificateSha256,
        Self::FileMd5,
        Self::FileSha1,
        Self::FileSha256,
        Self::FileName,
        Self::UserAgent,
    ];

    /// Its name, as alerts and the column `type` of a CSV feed spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Address => "address",
            Self::Network => "network",
            Self::Endpoint => "address_port",
            Self::Url => "url",
            Self::Ja3 => "ja3",
            Self::Ja4 => "ja4",
            Self::CertificateSha1 => "cert_sha1",
            Self::CertificateSha256 => "cert_sha256",
            Self::FileMd5 => "md5",
            Self::FileSha1 => "sha1",
            Self::FileSha256 => "sha256",
            Self::FileName => "file_name",
            Self::UserAgent => "user_agent",
        }
    }

    /// Reads a name, or one of the other words that feeds use for it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase().replace(['-', ' ', ':'], "_");
        Some(match word.as_str() {
            "hostname" | "fqdn" | "host" | "domain_name" => Self::Domain,
            "ip" | "ipv4" | "ipv6" | "addr" | "ip_dst" | "ip_src" => Self::Address,
            "cidr" | "subnet" | "ip_range" => Self::Network,
            "ip_port" | "ipport" | "endpoint" => Self::Endpoint,
            "uri" => Self::Url,
            "certificate_sha1" | "x509_sha1" => Self::CertificateSha1,
            "certificate_sha256" | "x509_sha256" => Self::CertificateSha256,
            "md5_hash" | "file_md5" => Self::FileMd5,
            "sha1_hash" | "file_sha1" => Self::FileSha1,
            "sha256_hash" | "file_sha256" => Self::FileSha256,
            "filename" => Self::FileName,
            "useragent" => Self::UserAgent,
            _ => *Self::ALL.iter().find(|kind| kind.name() == word)?,
        })
    }

    /// Its number, below 64.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }
}

/// How far a value reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Itself only.
    Exact,
    /// A name with all names below it; a URL with all paths below it.
    Beneath,
}

/// A value in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    kind: Kind,
    scope: Scope,
    bytes: KeyBytes,
}

/// Why a value cannot be an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing there.
    #[error("the value is empty")]
    Empty,
    /// More than [`limits::VALUE_BYTES`].
    #[error("the value is longer than {} bytes", limits::VALUE_BYTES)]
    TooLong,
    /// Not what was promised.
    #[error("not a valid {}", .0.name())]
    Invalid(Kind),
    /// One label.
    #[error("one label alone would match a whole top-level domain")]
    TopLevel,
    /// Too many labels to be listed with sub-domains.
    #[error("names with sub-domains may have {} labels at most", limits::SUBDOMAIN_LABELS)]
    TooDeep,
    /// A network that is too large.
    #[error(
        "the network is too large; prefixes begin at /{} for IPv4, /{} for IPv6",
        limits::SHORTEST_V4_PREFIX,
        limits::SHORTEST_V6_PREFIX
    )]
    TooWide,
    /// A `*` that is not at the start of a name or at the end of a path.
    #[error("a * may only stand for all sub-domains (*.example.org) or for a folder (…/folder/*)")]
    Wildcard,
    /// Nothing that is known looks like this.
    #[error("neither address, name, URL, hash nor fingerprint; say its type")]
    Unrecognised,
}

impl Key {
    pub(crate) const fn from_parts(kind: Kind, scope: Scope, bytes: KeyBytes) -> Self {
        Self { kind, scope, bytes }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How far it reaches.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Its canonical bytes: text for names, URLs, JA4, file names and user agents; else binary.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The address of an address, an endpoint or a network, which is its first one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            Kind::Address => address_of(&self.bytes),
            Kind::Network => address_of(self.bytes.split_last()?.1),
            Kind::Endpoint => address_of(self.bytes.split_last_chunk::<2>()?.0),
            _ => None,
        }
    }

    /// The same name with all names below it; other kinds stay as they are.
    ///
    /// # Errors
    /// The name has more labels than [`limits::SUBDOMAIN_LABELS`].
    pub fn with_subdomains(mut self) -> Result<Self, ValueError> {
        if self.kind == Kind::Domain {
            if name::labels(&self.bytes) > limits::SUBDOMAIN_LABELS {
                return Err(ValueError::TooDeep);
            }
            self.scope = Scope::Beneath;
        }
        Ok(self)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = &self.bytes[..];
        let invalid = Err(fmt::Error);
        match self.kind {
            Kind::Domain => {
                let dot = if self.scope == Scope::Beneath { "." } else { "" };
                write!(f, "{dot}{}", analyzers::text::escape(bytes))
            }
            Kind::Url => {
                let star = if self.scope == Scope::Beneath { "*" } else { "" };
                write!(f, "{}{star}", analyzers::text::escape(bytes))
            }
            Kind::Ja4 | Kind::FileName | Kind::UserAgent => {
                f.write_str(&analyzers::text::escape(bytes))
            }
            Kind::Address => address_of(bytes).map_or(invalid, |address| write!(f, "{address}")),
            Kind::Network => match bytes.split_last() {
                Some((prefix, address)) => {
                    address_of(address).map_or(invalid, |address| write!(f, "{address}/{prefix}"))
                }
                None => invalid,
            },
            Kind::Endpoint => match bytes.split_last_chunk::<2>() {
                Some((address, port)) => address_of(address).map_or(invalid, |address| {
                    let port = u16::from_be_bytes(*port);
                    write!(f, "{}", std::net::SocketAddr::new(address, port))
                }),
                None => invalid,
            },
            _ => f.write_str(&HEXLOWER.encode(bytes)),
        }
    }
}

/// An address from its bytes.
pub(crate) fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).into())
}

/// The bytes of an address; IPv4 inside IPv6 is IPv4.
pub(crate) fn address_bytes(address: IpAddr) -> KeyBytes {
    match address.to_canonical() {
        IpAddr::V4(four) => KeyBytes::from_slice(&four.octets()),
        IpAddr::V6(six) => KeyBytes::from_slice(&six.octets()),
    }
}
