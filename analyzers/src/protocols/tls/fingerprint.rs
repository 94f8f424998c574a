//! Fingerprints of hellos: JA3 and JA3S (MD5 over the lists in wire order), and JA4 for clients
//! (lists sorted, so that a client that shuffles its extensions keeps its fingerprint).
//!
//! Numbers that clients send to keep servers tolerant (RFC 8701) are left out everywhere.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::text::{hex, hex_digit, push_hex};

use super::carrier::Carrier;
use super::hello::{ALPN, ClientHello, SERVER_NAME, ServerHello};
use super::version::is_grease;

/// JA4 counts with two digits.
const JA4_COUNT_MAX: usize = 99;

/// JA3 of a client: version, ciphers, extensions, groups, point formats.
pub(crate) fn ja3(hello: &ClientHello<'_>) -> String {
    let mut text = String::with_capacity(512);
    let formats: Vec<u16> = hello.point_formats.iter().copied().map(u16::from).collect();
    let _ = write!(text, "{}", hello.version.0);
    for list in [&hello.ciphers, &hello.extensions, &hello.groups, &formats] {
        text.push(',');
        push_decimal(&mut text, list);
    }
    hex(&Md5::digest(text))
}

/// JA3S of a server: version, cipher, extensions.
pub(crate) fn ja3s(hello: &ServerHello<'_>, cipher: u16) -> String {
    let mut text = format!("{},{cipher},", hello.version.0);
    push_decimal(&mut text, &hello.extensions);
    hex(&Md5::digest(text))
}

/// JA4 of a client.
pub(crate) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> String {
    let mut ciphers = without_grease(&hello.ciphers);
    let mut extensions = without_grease(&hello.extensions);
    let name = if hello.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let [first, last] = ja4_protocol(hello.protocols.first().copied().unwrap_or_default());
    let mut text = format!(
        "{}{}{name}{:02}{:02}{first}{last}_",
        carrier.ja4(),
        hello.highest_version().ja4(),
        ciphers.len().min(JA4_COUNT_MAX),
        extensions.len().min(JA4_COUNT_MAX),
    );
    ciphers.sort_unstable();
    text.push_str(&ja4_hash(&ciphers, &[]));
    text.push('_');
    // Both are told in the first part already.
    extensions.retain(|number| ![SERVER_NAME, ALPN].contains(number));
    extensions.sort_unstable();
    text.push_str(&ja4_hash(&extensions, &without_grease(&hello.signature_algorithms)));
    text
}

/// First and last character of a protocol name; of its hexadecimal form where either is no letter
/// or digit.
fn ja4_protocol(name: &[u8]) -> [char; 2] {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)];
    }
    [hex_digit(first >> 4), hex_digit(last & 0x0f)]
}

/// Twelve digits of SHA-256 over a list and, behind an underscore, a second one.
fn ja4_hash(list: &[u16], appendix: &[u16]) -> String {
    if list.is_empty() {
        return "0".repeat(12);
    }
    let mut text = String::with_capacity(256);
    push_hexadecimal(&mut text, list);
    if !appendix.is_empty() {
        text.push('_');
        push_hexadecimal(&mut text, appendix);
    }
    let mut digits = hex(&Sha256::digest(text));
    digits.truncate(12);
    digits
}

fn without_grease(list: &[u16]) -> Vec<u16> {
    list.iter().copied().filter(|number| !is_grease(*number)).collect()
}

fn push_decimal(text: &mut String, list: &[u16]) {
    for (at, number) in list.iter().filter(|number| !is_grease(**number)).enumerate() {
        let separator = if at == 0 { "" } else { "-" };
        let _ = write!(text, "{separator}{number}");
    }
}

fn push_hexadecimal(text: &mut String, list: &[u16]) {
    for (at, number) in list.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_hex(text, &number.to_be_bytes());
    }
}
