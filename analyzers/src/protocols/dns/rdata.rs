//! The data of resource records as text, in the presentation format of each type's specification
//! (RFC 1035, 2782, 3403, 3596, 4034, 4255, 5155, 6698, 7553, 8659, 9460; RFC 1002 §4.2 for
//! NetBIOS).
//!
//! In: a record's data. Out: its fields, separated by spaces. Character strings of TXT are joined
//! as they are; keys and hashes are base64 or hexadecimal; a type without a layout here, and data
//! that contradict their layout, are hexadecimal.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::dialect::Dialect;
use super::mnemonic::type_text;
use super::{encoding, name, svcb};
use crate::limits::DNS_ANSWER_TEXT_BYTES;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// One field of a record's data.
#[derive(Clone, Copy, Debug)]
enum Field {
    U8,
    U16,
    U32,
    /// A record type.
    Type,
    Ipv4,
    Ipv6,
    /// A domain name, compressed or not.
    Name,
    /// A character string.
    String,
    /// A character string, written in quotes because it may be empty.
    Quoted,
    /// All strings that are left, joined.
    Strings,
    /// All bytes that are left, as they are.
    Bytes,
    /// All bytes that are left, hexadecimal.
    Hex,
    /// All bytes that are left, base64.
    Base64,
    /// A length and as many bytes, hexadecimal; `-` where there are none.
    CountedHex,
    /// A length and as many bytes, base32 with the extended hex alphabet.
    CountedBase32,
    /// Bit maps of record types (RFC 4034 §4.1.2).
    TypeMaps,
    /// Service parameters (RFC 9460 §2.2).
    ServiceParameters,
    /// Flags and address of a NetBIOS node, repeated; the addresses are written.
    NetbiosAddresses,
    /// The names that a NetBIOS node answers to, each with its sixteenth byte.
    NetbiosNames,
}

/// The fields of a type's data.
fn layout(rtype: u16, dialect: Dialect) -> &'static [Field] {
    use Field::*;
    match (rtype, dialect) {
        (32, Dialect::Nbns) => &[NetbiosAddresses],
        (33, Dialect::Nbns) => &[NetbiosNames],
        (1, _) => &[Ipv4],
        (28, _) => &[Ipv6],
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, NSAP-PTR, DNAME
        (2..=5 | 7..=9 | 12 | 23 | 39, _) => &[Name],
        (6, _) => &[Name, Name, U32, U32, U32, U32, U32],
        (13 | 20, _) => &[Quoted, Quoted],
        (14 | 17, _) => &[Name, Name],
        // MX, AFSDB, RT, KX
        (15 | 18 | 21 | 36, _) => &[U16, Name],
        // TXT, NINFO, SPF, AVC, RESINFO, WALLET
        (16 | 56 | 99 | 258 | 261 | 262, _) => &[Strings],
        (19, _) => &[String],
        (26, _) => &[U16, Name, Name],
        (33, _) => &[U16, U16, U16, Name],
        (35, _) => &[U16, U16, Quoted, Quoted, Quoted, Name],
        // DS, DLV, TA, CDS
        (43 | 59 | 32768 | 32769, _) => &[U16, U8, U8, Hex],
        (44, _) => &[U8, U8, Hex],
        // SIG, RRSIG
        (24 | 46, _) => &[Type, U8, U8, U32, U32, U32, U16, Name, Base64],
        (47, _) => &[Name, TypeMaps],
        // KEY, DNSKEY, CDNSKEY, RKEY
        (25 | 48 | 57 | 60, _) => &[U16, U8, U8, Base64],
        (49 | 61, _) => &[Base64],
        (50, _) => &[U8, U8, U16, CountedHex, CountedBase32, TypeMaps],
        (51, _) => &[U8, U8, U16, CountedHex],
        // TLSA, SMIMEA
        (52 | 53, _) => &[U8, U8, U8, Hex],
        (62, _) => &[U32, U16, TypeMaps],
        (63, _) => &[U32, U8, U8, Hex],
        (64 | 65, _) => &[U16, Name, ServiceParameters],
        (256, _) => &[U16, U16, Bytes],
        (257, _) => &[U8, String, Bytes],
        _ => &[Hex],
    }
}

/// The text of a record's data, and what is wrong with them.
pub(super) fn text(rtype: u16, data: &Reader<'_>, dialect: Dialect) -> (Text, Option<Malformed>) {
    // The data of a record that an update deletes are empty, whatever its type.
    if data.is_empty() {
        return (Text::Word(""), None);
    }
    let mut r = *data;
    let mut out = Vec::with_capacity(data.remaining().saturating_mul(2));
    match fields(layout(rtype, dialect), &mut r, &mut out) {
        Ok(()) if r.is_empty() => (out.into(), None),
        Ok(()) => (out.into(), Some(Malformed::bad_length("record data", r.offset()))),
        Err(malformed) => {
            out.clear();
            encoding::hex(data.rest(), &mut out);
            (out.into(), Some(malformed))
        }
    }
}

fn fields(layout: &[Field], r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    for (position, field) in layout.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        field.write(r, out)?;
    }
    Ok(())
}

/// Writes a displayable value; writing to a vector cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)+) => {{ let _ = write!($out, $($format)+); }};
}
pub(super) use put;

impl Field {
    fn write(self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::U8 => put!(out, "{}", r.u8("record data")?),
            Self::U16 => put!(out, "{}", r.u16("record data")?),
            Self::U32 => put!(out, "{}", r.u32("record data")?),
            Self::Type => push_type(r.u16("type covered")?, out),
            Self::Ipv4 => put!(out, "{}", Ipv4Addr::from(r.array::<4>("IPv4 address")?)),
            Self::Ipv6 => put!(out, "{}", Ipv6Addr::from(r.array::<16>("IPv6 address")?)),
            Self::Name => name::read(r, out)?,
            Self::String => out.extend_from_slice(counted(r)?),
            Self::Quoted => {
                out.push(b'"');
                out.extend_from_slice(counted(r)?);
                out.push(b'"');
            }
            Self::Strings => {
                while !r.is_empty() {
                    out.extend_from_slice(counted(r)?);
                }
            }
            Self::Bytes => out.extend_from_slice(rest(r)),
            Self::Hex => encoding::hex(rest(r), out),
            Self::Base64 => encoding::base64(rest(r), out),
            Self::CountedHex => match counted(r)? {
                [] => out.push(b'-'),
                bytes => encoding::hex(bytes, out),
            },
            Self::CountedBase32 => encoding::base32hex(counted(r)?, out),
            Self::TypeMaps => type_maps(r, out)?,
            Self::ServiceParameters => svcb::parameters(r, out)?,
            Self::NetbiosAddresses => netbios_addresses(r, out)?,
            Self::NetbiosNames => netbios_names(r, out)?,
        }
        Ok(())
    }
}

/// All bytes that are left.
fn rest<'a>(r: &mut Reader<'a>) -> &'a [u8] {
    r.sub_lax(usize::MAX).rest()
}

/// A character string: a length and as many bytes.
pub(super) fn counted<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = r.u8("string length")?;
    r.take(usize::from(length), "string")
}

fn push_type(number: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(type_text(number, Dialect::Udp).as_bytes());
}

fn type_maps(r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let begin = out.len();
    while !r.is_empty() {
        if out.len() > DNS_ANSWER_TEXT_BYTES {
            return Err(Malformed::limit("type map", r.offset()));
        }
        let window = r.u8("type map window")?;
        for (index, octet) in (0_u8..).zip(counted(r)?) {
            for bit in (0..8).filter(|bit| octet << bit & 0x80 != 0) {
                if out.len() > begin {
                    out.push(b' ');
                }
                push_type(u16::from_be_bytes([window, index.wrapping_mul(8) | bit]), out);
            }
        }
    }
    Ok(())
}

fn netbios_addresses(r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let begin = out.len();
    while !r.is_empty() {
        if out.len() > begin {
            out.push(b' ');
        }
        r.skip(2, "NetBIOS flags")?;
        put!(out, "{}", Ipv4Addr::from(r.array::<4>("NetBIOS address")?));
    }
    Ok(())
}

fn netbios_names(r: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    for position in 0..r.u8("NetBIOS name count")? {
        if position > 0 {
            out.push(b' ');
        }
        let mut name = r.take(15, "NetBIOS name")?.to_ascii_lowercase();
        name::unpad(&mut name);
        out.append(&mut name);
        put!(out, "<{:02x}>", r.u8("NetBIOS name's kind")?);
        r.skip(2, "NetBIOS flags")?;
    }
    // The node's statistics, of which the first six bytes are its MAC address, are not kept.
    rest(r);
    Ok(())
}
