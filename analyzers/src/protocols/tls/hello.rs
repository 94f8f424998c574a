//! ClientHello and ServerHello (RFC 8446 §4.1, RFC 5246 §7.4.1, RFC 6347 §4.2.1 for DTLS's cookie).
//!
//! In: a message's body, without its four-byte header. Out: its fields as far as they can be read,
//! and the first thing that was wrong. A list whose length is odd spoils itself and nothing behind
//! it.

use crate::malformed::Malformed;
use crate::reader::Reader;

use super::version::{Version, is_grease};

/// Extension numbers that are read; all others only count for the fingerprints.
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const EC_POINT_FORMATS: u16 = 11;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const ALPN: u16 = 16;
    pub(super) const PRE_SHARED_KEY: u16 = 41;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
}

/// `server_name` extension, as the fingerprints know it.
pub(crate) const SERVER_NAME: u16 = extension::SERVER_NAME;
/// ALPN extension, as the fingerprints know it.
pub(crate) const ALPN: u16 = extension::ALPN;

/// The `random` of a ServerHello that is a HelloRetryRequest: SHA-256 of that word (RFC 8446
/// §4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Whether a ClientHello has DTLS's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// TLS and QUIC: no such field.
    Absent,
    /// DTLS: behind the session id.
    Present,
}

/// What a client offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    /// `legacy_version`.
    pub(crate) version: Version,
    /// Session id, possibly empty.
    pub(crate) session_id: &'a [u8],
    /// Cipher suites in the client's order.
    pub(crate) ciphers: Vec<u16>,
    /// Extension numbers in the client's order.
    pub(crate) extensions: Vec<u16>,
    /// Host name of the `server_name` extension.
    pub(crate) server_name: Option<&'a [u8]>,
    /// Application protocols.
    pub(crate) protocols: Vec<&'a [u8]>,
    /// Groups for the key exchange.
    pub(crate) groups: Vec<u16>,
    /// Formats of elliptic curve points.
    pub(crate) point_formats: &'a [u8],
    /// Signature algorithms.
    pub(crate) signature_algorithms: Vec<u16>,
    /// Versions of the `supported_versions` extension.
    pub(crate) versions: Vec<u16>,
    /// Whether the inner hello is encrypted (RFC 9849).
    pub(crate) encrypted_hello: bool,
    /// The first thing that contradicts the specification.
    pub(crate) problem: Option<Malformed>,
}

impl<'a> ClientHello<'a> {
    /// Reads a ClientHello's body, as far as it goes.
    pub(crate) fn read(body: &'a [u8], cookie: Cookie) -> Self {
        let mut hello = Self::default();
        if let Err(malformed) = hello.fill(Reader::new(body), cookie) {
            hello.problem.get_or_insert(malformed);
        }
        hello
    }

    fn fill(&mut self, mut r: Reader<'a>, cookie: Cookie) -> Result<(), Malformed> {
        self.version = Version(r.u16("client version")?);
        r.skip(32, "client random")?;
        self.session_id = prefixed_u8(&mut r, "session id")?.rest();
        if cookie == Cookie::Present {
            prefixed_u8(&mut r, "cookie")?;
        }
        let ciphers = prefixed_u16(&mut r, "cipher suites")?;
        self.ciphers = self.numbers(ciphers, "cipher suites");
        prefixed_u8(&mut r, "compression methods")?;
        if r.is_empty() {
            return Ok(());
        }
        let extensions = prefixed_u16(&mut r, "client extensions")?;
        for_each_extension(extensions, |number, body| {
            self.extensions.push(number);
            if let Err(malformed) = self.extension(number, body) {
                self.problem.get_or_insert(malformed);
            }
        })
    }

    fn extension(&mut self, number: u16, mut r: Reader<'a>) -> Result<(), Malformed> {
        match number {
            extension::SERVER_NAME if self.server_name.is_none() => {
                self.server_name = host_name(r)?;
            }
            extension::SUPPORTED_GROUPS => {
                let list = prefixed_u16(&mut r, "supported groups")?;
                self.groups = self.numbers(list, "supported groups");
            }
            extension::EC_POINT_FORMATS => {
                self.point_formats = prefixed_u8(&mut r, "point formats")?.rest();
            }
            extension::SIGNATURE_ALGORITHMS => {
                let list = prefixed_u16(&mut r, "signature algorithms")?;
                self.signature_algorithms = self.numbers(list, "signature algorithms");
            }
            extension::ALPN => {
                let mut list = prefixed_u16(&mut r, "protocol names")?;
                while !list.is_empty() {
                    self.protocols.push(prefixed_u8(&mut list, "protocol name")?.rest());
                }
            }
            extension::SUPPORTED_VERSIONS => {
                let list = prefixed_u8(&mut r, "supported versions")?;
                self.versions = self.numbers(list, "supported versions");
            }
            extension::ENCRYPTED_CLIENT_HELLO => self.encrypted_hello = true,
            _ => {}
        }
        Ok(())
    }

    /// A list of 16-bit numbers; a byte that is left over is a problem of this list alone.
    fn numbers(&mut self, mut list: Reader<'_>, field: &'static str) -> Vec<u16> {
        let mut numbers = Vec::with_capacity(list.remaining() / 2);
        while !list.is_empty() {
            match list.u16(field) {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    self.problem.get_or_insert(Malformed::bad_length(field, list.offset()));
                    break;
                }
            }
        }
        numbers
    }

    /// The highest version that the client offers, reserved numbers aside.
    pub(crate) fn highest_version(&self) -> Version {
        self.versions
            .iter()
            .filter(|number| !is_grease(**number))
            .map(|number| Version(*number))
            .max_by_key(|version| version.rank())
            .unwrap_or(self.version)
    }
}

/// What a server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    /// `legacy_version`.
    pub(crate) version: Version,
    /// Whether this is a HelloRetryRequest.
    pub(crate) is_retry: bool,
    /// Session id, possibly empty.
    pub(crate) session_id: &'a [u8],
    /// Cipher suite, `None` where the message ends before it.
    pub(crate) cipher: Option<u16>,
    /// Extension numbers in the server's order.
    pub(crate) extensions: Vec<u16>,
    /// Version of the `supported_versions` extension.
    pub(crate) selected_version: Option<Version>,
    /// Application protocol.
    pub(crate) protocol: Option<&'a [u8]>,
    /// Whether it accepted a pre-shared key.
    pub(crate) pre_shared_key: bool,
    /// The first thing that contradicts the specification.
    pub(crate) problem: Option<Malformed>,
}

impl<'a> ServerHello<'a> {
    /// Reads a ServerHello's body, as far as it goes.
    pub(crate) fn read(body: &'a [u8]) -> Self {
        let mut hello = Self::default();
        if let Err(malformed) = hello.fill(Reader::new(body)) {
            hello.problem.get_or_insert(malformed);
        }
        hello
    }

    fn fill(&mut self, mut r: Reader<'a>) -> Result<(), Malformed> {
        self.version = Version(r.u16("server version")?);
        self.is_retry = r.array("server random")? == RETRY_RANDOM;
        // Drafts up to 21 of TLS 1.3 left out what TLS 1.2 had; later ones kept it for middleboxes.
        let is_early_draft = self.version.0 >> 8 == 0x7f;
        if !is_early_draft {
            self.session_id = prefixed_u8(&mut r, "session id")?.rest();
        }
        self.cipher = Some(r.u16("cipher suite")?);
        if !is_early_draft {
            r.u8("compression method")?;
        }
        if r.is_empty() {
            return Ok(());
        }
        let extensions = prefixed_u16(&mut r, "server extensions")?;
        for_each_extension(extensions, |number, body| {
            self.extensions.push(number);
            if let Err(malformed) = self.extension(number, body) {
                self.problem.get_or_insert(malformed);
            }
        })
    }

    fn extension(&mut self, number: u16, mut r: Reader<'a>) -> Result<(), Malformed> {
        match number {
            extension::ALPN => {
                let mut list = prefixed_u16(&mut r, "protocol names")?;
                self.protocol = Some(prefixed_u8(&mut list, "protocol name")?.rest());
            }
            extension::SUPPORTED_VERSIONS => {
                self.selected_version = Some(Version(r.u16("selected version")?));
            }
            extension::PRE_SHARED_KEY => self.pre_shared_key = true,
            _ => {}
        }
        Ok(())
    }

    /// The version that both will speak.
    pub(crate) fn negotiated(&self) -> Version {
        self.selected_version.unwrap_or(self.version)
    }
}

/// The first DNS host name of a `server_name` list (RFC 6066 §3).
fn host_name(mut r: Reader<'_>) -> Result<Option<&[u8]>, Malformed> {
    const HOST_NAME: u8 = 0;
    let mut list = prefixed_u16(&mut r, "server names")?;
    while !list.is_empty() {
        let kind = list.u8("server name type")?;
        let name = prefixed_u16(&mut list, "server name")?.rest();
        if kind == HOST_NAME {
            return Ok((!name.is_empty()).then_some(name));
        }
    }
    Ok(None)
}

fn for_each_extension<'a>(
    mut list: Reader<'a>,
    mut take: impl FnMut(u16, Reader<'a>),
) -> Result<(), Malformed> {
    while !list.is_empty() {
        let number = list.u16("extension type")?;
        let body = prefixed_u16(&mut list, "extension")?;
        take(number, body);
    }
    Ok(())
}

fn prefixed_u8<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Reader<'a>, Malformed> {
    let len = r.u8(field)?;
    r.sub(usize::from(len), field)
}

fn prefixed_u16<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Reader<'a>, Malformed> {
    let len = r.u16(field)?;
    r.sub(usize::from(len), field)
}
