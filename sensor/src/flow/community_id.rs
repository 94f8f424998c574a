//! Community ID version 1: a hash of a flow's 5-tuple that other tools compute alike.
//!
//! In: endpoints and transport. Out: `1:` and the Base64 of a SHA-1. Specification: Corelight's
//! "Community ID Flow Hashing", version 1, with seed 0.

use std::net::IpAddr;

use analyzers::{Endpoint, Transport};
use sha1::{Digest as _, Sha1};

use super::key::icmp_counterpart;

/// The seed that everyone uses.
const SEED: [u8; 2] = [0, 0];

/// Length of a Community ID: `1:` and 28 digits of Base64.
const TEXT_BYTES: usize = 30;

/// The Community ID of a flow; for ICMP, `src.port` is the type and `dst.port` the code.
#[must_use]
pub fn community_id(src: Endpoint, dst: Endpoint, transport: Transport) -> String {
    let (src, dst) = ordered(src, dst, transport);
    let mut hash = Sha1::new();
    hash.update(SEED);
    for ip in [src.ip, dst.ip] {
        match ip {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([transport.0, 0]);
    if has_ports(transport) {
        hash.update(src.port.to_be_bytes());
        hash.update(dst.port.to_be_bytes());
    }
    let mut text = String::with_capacity(TEXT_BYTES);
    text.push_str("1:");
    push_base64(&hash.finalize(), &mut text);
    text
}

/// The endpoints in the order of the hash: the smaller first, except for one-way ICMP messages.
fn ordered(src: Endpoint, dst: Endpoint, transport: Transport) -> (Endpoint, Endpoint) {
    let is_icmp = matches!(transport, Transport::ICMP | Transport::ICMP6);
    let dst = match icmp_counterpart(transport, src.port) {
        Some(counterpart) => Endpoint { port: counterpart, ..dst },
        None if is_icmp => return (src, dst),
        None => dst,
    };
    if src <= dst { (src, dst) } else { (dst, src) }
}

const fn has_ports(transport: Transport) -> bool {
    matches!(
        transport,
        Transport::TCP | Transport::UDP | Transport::SCTP | Transport::ICMP | Transport::ICMP6
    )
}

/// Base64 with padding, RFC 4648 section 4.
fn push_base64(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            if digit <= group.len() {
                let value = bits >> (18 - 6 * digit) & 63;
                text.push(char::from(DIGITS[value as usize]));
            } else {
                text.push('=');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(src: &str, src_port: u16, dst: &str, dst_port: u16, transport: u8) -> String {
        community_id(
            Endpoint { ip: src.parse().unwrap(), port: src_port },
            Endpoint { ip: dst.parse().unwrap(), port: dst_port },
            Transport(transport),
        )
    }

    /// Examples that the specification's own repository publishes.
    #[test]
    fn agrees_with_published_examples() {
        for (src, src_port, dst, dst_port, transport, expected) in [
            ("128.232.110.120", 34855, "66.35.250.204", 80, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            ("66.35.250.204", 80, "128.232.110.120", 34855, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            ("192.168.1.52", 54585, "8.8.8.8", 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
            ("192.168.0.89", 8, "192.168.0.1", 0, 1, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            ("192.168.0.1", 0, "192.168.0.89", 0, 1, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
        ] {
            assert_eq!(id(src, src_port, dst, dst_port, transport), expected);
        }
    }

    #[test]
    fn base64_pads_as_rfc_4648_says() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
        ] {
            let mut text = String::new();
            push_base64(bytes, &mut text);
            assert_eq!(text, expected);
        }
    }
}
