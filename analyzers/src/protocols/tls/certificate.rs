//! The server's certificate chain (RFC 5246 §7.4.2, RFC 5280).
//!
//! In: the body of a Certificate message. Out: what the row says of the leaf, and how many certificates
//! were sent. Of a leaf that cannot be parsed the hashes still stand.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::nom::Parser as _;

use crate::limits;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;
use crate::time::Timestamp;

use super::distinguished_name;
use super::fingerprint::hex;
use super::host;

/// The chain that a server sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    /// How many certificates.
    pub(crate) count: i32,
    /// The first one.
    pub(crate) leaf: Option<Leaf>,
    /// Whether its last certificate, or the list itself, is cut short.
    pub(crate) problem: Option<Malformed>,
}

/// One certificate: its hashes and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// SHA-256 of the DER encoding.
    pub(crate) sha256: String,
    /// SHA-1 of the DER encoding.
    pub(crate) sha1: String,
    /// What it says, `None` where it cannot be parsed.
    pub(crate) fields: Option<Fields>,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    /// Subject in RFC 4514 text, `None` where it is empty.
    pub(crate) subject: Option<Text>,
    /// Issuer in RFC 4514 text.
    pub(crate) issuer: Option<Text>,
    /// DNS names, in lower case.
    pub(crate) names: Vec<Text>,
    /// Whether there are more names than are kept.
    pub(crate) more_names: bool,
    /// Serial number in hexadecimal.
    pub(crate) serial: String,
    /// Start of validity.
    pub(crate) not_before: Timestamp,
    /// End of validity.
    pub(crate) not_after: Timestamp,
    /// Whether the issuer is the subject.
    pub(crate) self_signed: bool,
}

impl Chain {
    /// Reads a Certificate message's body, as far as it goes.
    pub(crate) fn read(body: &[u8]) -> Self {
        let mut chain = Self::default();
        chain.problem = chain.fill(Reader::new(body)).err();
        chain
    }

    fn fill(&mut self, mut r: Reader<'_>) -> Result<(), Malformed> {
        r.u24("certificate list")?;
        while !r.is_empty() {
            let len = r.u24("certificate")?;
            self.count = self.count.saturating_add(1);
            let der = r.take(usize::try_from(len).unwrap_or(usize::MAX), "certificate")?;
            if self.leaf.is_none() {
                self.leaf = Some(Leaf::read(der));
            }
        }
        Ok(())
    }
}

impl Leaf {
    fn read(der: &[u8]) -> Self {
        // Extensions are parsed one by one below, so that a bad one spoils itself alone.
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(true);
        Self {
            sha256: hex(&Sha256::digest(der)),
            sha1: hex(&Sha1::digest(der)),
            fields: parser.parse(der).ok().map(|(_, certificate)| Fields::of(&certificate)),
        }
    }
}

impl Fields {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut names: Vec<Text> = dns_names(certificate)
            .take(limits::TLS_NAMES.saturating_add(1))
            .map(|name| host(name.as_bytes()))
            .collect();
        let more_names = names.len() > limits::TLS_NAMES;
        names.truncate(limits::TLS_NAMES);
        let validity = certificate.validity();
        Self {
            subject: distinguished_name::text(certificate.subject()),
            issuer: distinguished_name::text(certificate.issuer()),
            names,
            more_names,
            serial: serial(certificate.raw_serial()),
            not_before: Timestamp::from_secs_nanos(validity.not_before.timestamp(), 0),
            not_after: Timestamp::from_secs_nanos(validity.not_after.timestamp(), 0),
            self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        }
    }
}

fn dns_names<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = &'a str> {
    certificate
        .extensions()
        .iter()
        .filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        })
        .flatten()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        })
}

/// A serial number without the zero bytes that DER puts before a high bit.
fn serial(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let zeros = zeros.min(bytes.len().saturating_sub(1));
    hex(bytes.get(zeros..).unwrap_or_default())
}
