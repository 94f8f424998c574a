//! Service parameters of SVCB and HTTPS records (RFC 9460 §2.2 and §7, RFC 9461, RFC 9540).
//!
//! In: the data after the target's name. Out: ` key=value` pairs as a zone file writes them; keys
//! without a word here as `keyN=` and hexadecimal digits.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::encoding;
use super::rdata::{counted, put};
use crate::malformed::Malformed;
use crate::reader::Reader;

/// Appends the parameters, separated by spaces.
pub(super) fn parameters(r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let begin = out.len();
    while !r.is_empty() {
        if out.len() > begin {
            out.push(b' ');
        }
        let key = r.u16("parameter key")?;
        let length = r.u16("parameter length")?;
        let mut value = r.sub(usize::from(length), "parameter value")?;
        push_key(key, out);
        if !value.is_empty() {
            out.push(b'=');
            push_value(key, &mut value, out)?;
        }
    }
    // A target without parameters leaves no space behind it.
    if out.len() == begin {
        out.pop();
    }
    Ok(())
}

fn push_key(key: u16, out: &mut Vec<u8>) {
    let word = match key {
        0 => "mandatory",
        1 => "alpn",
        2 => "no-default-alpn",
        3 => "port",
        4 => "ipv4hint",
        5 => "ech",
        6 => "ipv6hint",
        7 => "dohpath",
        8 => "ohttp",
        _ => return put!(out, "key{key}"),
    };
    out.extend_from_slice(word.as_bytes());
}

fn push_value(key: u16, value: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match key {
        0 => list(value, out, |r, out| {
            push_key(r.u16("mandatory key")?, out);
            Ok(())
        }),
        1 => list(value, out, |r, out| {
            out.extend_from_slice(counted(r)?);
            Ok(())
        }),
        3 => {
            put!(out, "{}", value.u16("port")?);
            Ok(())
        }
        4 => list(value, out, |r, out| {
            put!(out, "{}", Ipv4Addr::from(r.array::<4>("ipv4hint")?));
            Ok(())
        }),
        5 => {
            encoding::base64(value.rest(), out);
            Ok(())
        }
        6 => list(value, out, |r, out| {
            put!(out, "{}", Ipv6Addr::from(r.array::<16>("ipv6hint")?));
            Ok(())
        }),
        7 => {
            out.extend_from_slice(value.rest());
            Ok(())
        }
        _ => {
            encoding::hex(value.rest(), out);
            Ok(())
        }
    }
}

/// Items until the value ends, separated by commas.
fn list(
    value: &mut Reader<'_>,
    out: &mut Vec<u8>,
    item: fn(&mut Reader<'_>, &mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let begin = out.len();
    while !value.is_empty() {
        if out.len() > begin {
            out.push(b',');
        }
        item(value, out)?;
    }
    Ok(())
}
