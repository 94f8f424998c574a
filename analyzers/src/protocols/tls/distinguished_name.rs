//! Distinguished names as text (RFC 4514): the most specific part first, special characters
//! escaped.

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::text::{Text, hex};

/// The name as text, `None` where it has no parts.
pub(crate) fn text(name: &X509Name<'_>) -> Option<Text> {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut out = Vec::new();
    for part in parts.into_iter().rev() {
        for (at, attribute) in part.iter().enumerate() {
            if !out.is_empty() {
                out.push(if at == 0 { b',' } else { b'+' });
            }
            push_attribute(&mut out, attribute);
        }
    }
    (!out.is_empty()).then(|| Text::from(out))
}

fn push_attribute(out: &mut Vec<u8>, attribute: &AttributeTypeAndValue<'_>) {
    let oid = attribute.attr_type().to_id_string();
    let word = keyword(&oid);
    out.extend_from_slice(word.unwrap_or(&oid).as_bytes());
    out.push(b'=');
    match (word, string(attribute.attr_value())) {
        (Some(_), Some(value)) => push_escaped(out, &value),
        _ => {
            out.push(b'#');
            let der = attribute.attr_value().to_der_vec().unwrap_or_default();
            out.extend_from_slice(hex(&der).as_bytes());
        }
    }
}

/// The keyword of an attribute type, from RFC 4514 §3 and the registry of LDAP descriptors.
fn keyword(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "givenName",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        _ => return None,
    })
}

/// The bytes of a string in UTF-8 where its type tells how; `None` for what is no string.
fn string(value: &Any<'_>) -> Option<Vec<u8>> {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => Some(bytes.to_vec()),
        // Nobody writes T.61; everybody means Latin-1, or UTF-8 when it happens to be that.
        Tag::T61String if std::str::from_utf8(bytes).is_ok() => Some(bytes.to_vec()),
        Tag::T61String => Some(bytes.iter().copied().map(char::from).collect::<String>().into()),
        Tag::BmpString => {
            let units = bytes.as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit));
            let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            Some(text.collect::<String>().into())
        }
        Tag::UniversalString => {
            let units = bytes.as_chunks().0.iter().map(|unit| u32::from_be_bytes(*unit));
            let text =
                units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            Some(text.collect::<String>().into())
        }
        _ => None,
    }
}

/// A value with a backslash before what would end it or be lost (RFC 4514 §2.4). Other odd bytes
/// stay; the sink escapes them.
fn push_escaped(out: &mut Vec<u8>, value: &[u8]) {
    let last = value.len().saturating_sub(1);
    for (at, &byte) in value.iter().enumerate() {
        match byte {
            0 => out.extend_from_slice(b"\\00"),
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => {
                out.extend_from_slice(&[b'\\', byte])
            }
            b'#' if at == 0 => out.extend_from_slice(b"\\#"),
            b' ' if at == 0 || at == last => out.extend_from_slice(b"\\ "),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped_as_rfc_4514_says() {
        for (value, expected) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"", b""),
            (b" both ", b"\\ both\\ "),
            (b" ", b"\\ "),
            (b"#1", b"\\#1"),
            (b"a#1", b"a#1"),
            (b"Sue, \"Ltd\" <a+b>;\\", b"Sue\\, \\\"Ltd\\\" \\<a\\+b\\>\\;\\\\"),
            (b"nul\0", b"nul\\00"),
        ] {
            let mut out = Vec::new();
            push_escaped(&mut out, value);
            assert_eq!(out, expected);
        }
    }
}
