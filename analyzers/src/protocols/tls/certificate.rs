//! The server's certificate chain (RFC 5246 §7.4.2, RFC 5280).
//!
//! In: the body of a Certificate message. Out: what the row says of the leaf, and how many
//! certificates were sent. Of a leaf that cannot be parsed the hashes still stand.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::nom::Parser as _;

use crate::limits;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::{Text, hex};
use crate::time::StatedTime;

use super::distinguished_name;
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
    pub(crate) not_before: StatedTime,
    /// End of validity.
    pub(crate) not_after: StatedTime,
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
            not_before: StatedTime::from_secs(validity.not_before.timestamp()),
            not_after: StatedTime::from_secs(validity.not_after.timestamp()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::tls::tests::wire::{CERTIFICATE, certificates, unhex};

    fn chain(list: &[&[u8]]) -> Chain {
        Chain::read(&certificates(list)[4..])
    }

    fn leaf(der: &[u8]) -> Option<Fields> {
        chain(&[der]).leaf.and_then(|leaf| leaf.fields)
    }

    #[test]
    fn a_validity_up_to_the_year_9999_is_kept() {
        let endless = CERTIFICATE
            .split_whitespace()
            .collect::<String>()
            .replace("170d3336313131393131323132345a", "180f39393939313233313233353935395a")
            .replace("301e170d", "3020170d")
            .replacen("308201b63082015c", "308201b83082015e", 1);
        let fields = leaf(&unhex(&endless)).unwrap();
        assert_eq!(fields.not_after, StatedTime::from_secs(253_402_300_799));
    }

    #[test]
    fn every_prefix_of_a_certificate_has_hashes_and_no_fields() {
        let der = unhex(CERTIFICATE);
        for end in 0..der.len() {
            let chain = chain(&[&der[..end]]);
            assert_eq!((chain.count, chain.problem), (1, None));
            assert_eq!(chain.leaf.map(|leaf| leaf.fields), Some(None), "{end}");
        }
        assert!(leaf(&der).is_some());
    }

    #[test]
    fn every_changed_byte_of_a_certificate_is_survived() {
        let der = unhex(CERTIFICATE);
        let parsed = (0..der.len())
            .filter(|at| {
                let mut changed = der.clone();
                changed[*at] ^= 0xff;
                leaf(&changed).is_some()
            })
            .count();
        assert!(parsed > 0 && parsed < der.len());
    }

    #[test]
    fn a_chain_that_is_cut_counts_what_began() {
        let der = unhex(CERTIFICATE);
        let body = certificates(&[&der, &der, &der])[4..].to_vec();
        let cut = Chain::read(&body[..body.len() - 1]);
        assert_eq!((cut.count, cut.problem.is_some()), (3, true));
        assert_eq!(cut.leaf, chain(&[&der]).leaf);
        assert_eq!(Chain::read(&[]).count, 0);
    }

    #[test]
    fn a_chain_without_certificates_is_empty_and_well_formed() {
        assert_eq!(chain(&[]), Chain::default());
    }

    #[test]
    fn serial_numbers_lose_their_leading_zero_bytes_only() {
        for (bytes, text) in [(&[0, 0x8b][..], "8b"), (&[0], "00"), (&[0x0b, 0], "0b00"), (&[], "")]
        {
            assert_eq!(serial(bytes), text);
        }
    }

    #[test]
    fn names_end_at_their_limit() {
        for (count, is_more) in [
            (limits::TLS_NAMES - 1, false),
            (limits::TLS_NAMES, false),
            (limits::TLS_NAMES + 1, true),
        ] {
            let fields = leaf(&with_names(count)).unwrap();
            assert_eq!(fields.names.len(), count.min(limits::TLS_NAMES));
            assert_eq!(fields.more_names, is_more);
        }
    }

    /// A certificate with so many DNS names: the parts of ours around a longer list.
    fn with_names(count: usize) -> Vec<u8> {
        let tlv = |tag: u8, body: &[u8]| {
            let len = u16::try_from(body.len()).unwrap().to_be_bytes();
            [&[tag, 0x82][..], &len, body].concat()
        };
        let ours = unhex(CERTIFICATE);
        let names = tlv(0x30, &[0x82, 1, b'x'].repeat(count));
        let extension = tlv(0x30, &[&[0x06, 3, 0x55, 0x1d, 0x11][..], &tlv(0x04, &names)].concat());
        let extensions = tlv(0xa3, &tlv(0x30, &extension));
        let at = ours.windows(2).position(|pair| pair == [0xa3, 0x50]).unwrap();
        let tbs = tlv(0x30, &[&ours[8..at], &extensions].concat());
        tlv(0x30, &[&tbs[..], &ours[at + 82..]].concat())
    }
}
