//! DNS messages (RFC 1035): one question, its answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Record types.
pub mod kind {
    /// Address.
    pub const A: u16 = 1;
    /// Another name.
    pub const CNAME: u16 = 5;
    /// Nothing that is meant for anyone.
    pub const NULL: u16 = 10;
    /// Name of an address.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// Address of version 6.
    pub const AAAA: u16 = 28;
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Addresses, each for so many seconds.
    Addresses(Vec<IpAddr>, u32),
    /// Text.
    Text(Vec<u8>, u32),
    /// Bytes.
    Null(Vec<u8>, u32),
    /// Another name.
    Name(String, u32),
    /// There is no such name.
    NoSuchName,
    /// There is, but nothing of that type.
    Nothing,
}

const CLASS_IN: u16 = 1;

/// Where a name points that stands right behind the header.
const POINTER: u16 = 0xc00c;

/// A question.
#[must_use]
pub fn query(id: u16, name: &str, kind: u16) -> Vec<u8> {
    const RECURSION_DESIRED: u16 = 0x0100;
    let mut message = Vec::with_capacity(18 + name.len());
    for field in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        message.extend(field.to_be_bytes());
    }
    question(&mut message, name, kind);
    message
}

/// Its answer.
#[must_use]
pub fn response(id: u16, name: &str, kind: u16, answer: &Answer) -> Vec<u8> {
    const ANSWERED: u16 = 0x8180;
    const NO_SUCH_NAME: u16 = 3;
    let records = records(answer);
    let flags = match answer {
        Answer::NoSuchName => ANSWERED | NO_SUCH_NAME,
        _ => ANSWERED,
    };
    let mut message = Vec::with_capacity(64 + name.len());
    let count = u16::try_from(records.len()).expect("few answers");
    for field in [id, flags, 1, count, 0, 0] {
        message.extend(field.to_be_bytes());
    }
    question(&mut message, name, kind);
    for (kind, ttl, data) in records {
        message.extend(POINTER.to_be_bytes());
        message.extend(kind.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        message.extend(ttl.to_be_bytes());
        message.extend(u16::try_from(data.len()).expect("a short answer").to_be_bytes());
        message.extend(data);
    }
    message
}

fn records(answer: &Answer) -> Vec<(u16, u32, Vec<u8>)> {
    let address = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => (kind::A, Ipv4Addr::octets(ip).to_vec()),
        IpAddr::V6(ip) => (kind::AAAA, Ipv6Addr::octets(ip).to_vec()),
    };
    match answer {
        Answer::Addresses(addresses, ttl) => addresses
            .iter()
            .map(|ip| {
                let (kind, data) = address(ip);
                (kind, *ttl, data)
            })
            .collect(),
        Answer::Text(text, ttl) => {
            let strings = text.chunks(255).flat_map(|part| {
                let length = u8::try_from(part.len()).expect("at most 255");
                std::iter::once(length).chain(part.iter().copied())
            });
            vec![(kind::TXT, *ttl, strings.collect())]
        }
        Answer::Null(bytes, ttl) => vec![(kind::NULL, *ttl, bytes.clone())],
        Answer::Name(name, ttl) => {
            let mut data = Vec::new();
            push_name(&mut data, name);
            vec![(kind::CNAME, *ttl, data)]
        }
        Answer::NoSuchName | Answer::Nothing => Vec::new(),
    }
}

fn question(message: &mut Vec<u8>, name: &str, kind: u16) {
    push_name(message, name);
    message.extend(kind.to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
}

fn push_name(message: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        assert!(label.len() < 64, "{label} is too long for a label");
        message.push(u8::try_from(label.len()).expect("below 64"));
        message.extend(label.bytes());
    }
    message.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_header_a_name_a_type_and_a_class() {
        let message = query(0x1234, "a.example", kind::TXT);
        assert_eq!(message, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x10\0\x01");
    }

    #[test]
    fn answers_point_to_the_question() {
        let answer = Answer::Addresses(vec!["192.0.2.1".parse().unwrap()], 60);
        let message = response(1, "a", kind::A, &answer);
        assert_eq!(
            message[12..],
            *b"\x01a\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01"
        );
        assert_eq!(response(1, "a", kind::A, &Answer::NoSuchName)[3], 0x83);
    }
}
