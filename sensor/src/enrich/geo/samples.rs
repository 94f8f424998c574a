//! Databases for tests: networks and their fields, written in MaxMind's format with records of 24
//! bits and a tree of 128.

use std::net::IpAddr;

/// A field of a sample: where it is, and what it holds.
pub(super) enum Value {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Value)>),
}

/// A database with these networks; IPv4 lies in its usual place, below `::/96`.
pub(super) fn database(kind: &'static str, networks: &[(&str, u8, Value)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut tree = vec![[Record::Empty; 2]];
    for (address, prefix, value) in networks {
        let (bits, prefix) = match address.parse().unwrap() {
            IpAddr::V4(four) => (u128::from(four.to_bits()), prefix + 96),
            IpAddr::V6(six) => (six.to_bits(), *prefix),
        };
        let at = data.len();
        encode(value, &mut data);
        insert(&mut tree, bits, prefix, at);
    }
    let nodes = tree.len();
    let mut file = Vec::new();
    for record in tree.into_iter().flatten() {
        let number = match record {
            Record::Empty => nodes,
            Record::Node(node) => node,
            Record::Data(at) => nodes + 16 + at,
        };
        file.extend_from_slice(&u32::try_from(number).unwrap().to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let number = |number: usize| Value::Number(u32::try_from(number).unwrap());
    let metadata = Value::Map(vec![
        ("binary_format_major_version", number(2)),
        ("binary_format_minor_version", number(0)),
        ("build_epoch", number(1_780_000_000)),
        ("database_type", Value::Text(kind)),
        ("description", Value::Map(vec![("en", Value::Text("a sample"))])),
        ("ip_version", number(6)),
        ("node_count", number(nodes)),
        ("record_size", number(24)),
    ]);
    let Value::Map(mut fields) = metadata else { unreachable!() };
    file.push(7 << 5 | u8::try_from(fields.len() + 1).unwrap());
    for (name, value) in fields.drain(..) {
        encode(&Value::Text(name), &mut file);
        match (name, value) {
            // 64 bits: type 9, which has a byte of its own.
            ("build_epoch", Value::Number(second)) => {
                file.extend_from_slice(&[4, 2]);
                file.extend_from_slice(&second.to_be_bytes());
            }
            ("node_count", value) => encode(&value, &mut file),
            // 16 bits: type 5.
            (_, Value::Number(number)) => {
                file.push(5 << 5 | 2);
                file.extend_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
            }
            (_, value) => encode(&value, &mut file),
        }
    }
    encode(&Value::Text("languages"), &mut file);
    file.extend_from_slice(&[0, 4]); // an array, type 11, of none
    file
}

#[derive(Clone, Copy)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

fn insert(tree: &mut Vec<[Record; 2]>, bits: u128, prefix: u8, at: usize) {
    let mut node = 0;
    for depth in 0..prefix {
        let bit = usize::from(bits >> (127 - depth) & 1 == 1);
        if depth + 1 == prefix {
            tree[node][bit] = Record::Data(at);
        } else if let Record::Node(next) = tree[node][bit] {
            node = next;
        } else {
            tree.push([Record::Empty; 2]);
            let next = tree.len() - 1;
            tree[node][bit] = Record::Node(next);
            node = next;
        }
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) if text.len() < 29 => {
            out.push(2 << 5 | u8::try_from(text.len()).unwrap());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Text(text) => {
            out.extend_from_slice(&[2 << 5 | 29, u8::try_from(text.len() - 29).unwrap()]);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) => {
            out.push(6 << 5 | 4);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Map(fields) => {
            out.push(7 << 5 | u8::try_from(fields.len()).unwrap());
            for (name, value) in fields {
                encode(&Value::Text(name), out);
                encode(value, out);
            }
        }
    }
}
