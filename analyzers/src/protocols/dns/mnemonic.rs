//! Words for numbers, from the IANA registries of DNS types, classes and response codes (RFC 6895).
//!
//! A number without a word is written as `TYPEn` or `CLASSn` (RFC 3597 §5), and likewise `RCODEn`.
//! NetBIOS gives two types another meaning (RFC 1002 §4.2.1.2).

use super::dialect::Dialect;
use crate::text::Text;

/// The word of a record type.
pub(super) fn type_text(number: u16, dialect: Dialect) -> Text {
    type_word(number, dialect).map_or_else(|| Text::from(format!("TYPE{number}")), Text::Word)
}

/// The word of a class.
pub(super) fn class_text(number: u16) -> Text {
    class_word(number).map_or_else(|| Text::from(format!("CLASS{number}")), Text::Word)
}

/// The word of a response code, the upper bits of which come from EDNS.
pub(super) fn rcode_text(number: u16) -> Text {
    let word = match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => return Text::from(format!("RCODE{number}")),
    };
    Text::Word(word)
}

/// The word of a class, where it has one.
pub(super) const fn class_word(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "IN",
        3 => "CH",
        4 => "HS",
        254 => "NONE",
        255 => "ANY",
        _ => return None,
    })
}

/// The word of a type, where it has one.
pub(super) fn type_word(number: u16, dialect: Dialect) -> Option<&'static str> {
    match (dialect, number) {
        (Dialect::Nbns, 32) => Some("NB"),
        (Dialect::Nbns, 33) => Some("NBSTAT"),
        _ => low_type_word(number).or_else(|| high_type_word(number)),
    }
}

/// Types in the order in which they were given out, from 1 on.
const LOW_TYPES: [&str; 67] = [
    "A",
    "NS",
    "MD",
    "MF",
    "CNAME",
    "SOA",
    "MB",
    "MG",
    "MR",
    "NULL",
    "WKS",
    "PTR",
    "HINFO",
    "MINFO",
    "MX",
    "TXT",
    "RP",
    "AFSDB",
    "X25",
    "ISDN",
    "RT",
    "NSAP",
    "NSAP-PTR",
    "SIG",
    "KEY",
    "PX",
    "GPOS",
    "AAAA",
    "LOC",
    "NXT",
    "EID",
    "NIMLOC",
    "SRV",
    "ATMA",
    "NAPTR",
    "KX",
    "CERT",
    "A6",
    "DNAME",
    "SINK",
    "OPT",
    "APL",
    "DS",
    "SSHFP",
    "IPSECKEY",
    "RRSIG",
    "NSEC",
    "DNSKEY",
    "DHCID",
    "NSEC3",
    "NSEC3PARAM",
    "TLSA",
    "SMIMEA",
    "",
    "HIP",
    "NINFO",
    "RKEY",
    "TALINK",
    "CDS",
    "CDNSKEY",
    "OPENPGPKEY",
    "CSYNC",
    "ZONEMD",
    "SVCB",
    "HTTPS",
    "DSYNC",
    "HHIT",
];

fn low_type_word(number: u16) -> Option<&'static str> {
    let index = usize::from(number).checked_sub(1)?;
    LOW_TYPES.get(index).copied().filter(|word| !word.is_empty())
}

const fn high_type_word(number: u16) -> Option<&'static str> {
    Some(match number {
        99 => "SPF",
        100 => "UINFO",
        101 => "UID",
        102 => "GID",
        103 => "UNSPEC",
        104 => "NID",
        105 => "L32",
        106 => "L64",
        107 => "LP",
        108 => "EUI48",
        109 => "EUI64",
        128 => "NXNAME",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        253 => "MAILB",
        254 => "MAILA",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        258 => "AVC",
        259 => "DOA",
        260 => "AMTRELAY",
        261 => "RESINFO",
        262 => "WALLET",
        263 => "CLA",
        264 => "IPN",
        32768 => "TA",
        32769 => "DLV",
        _ => return None,
    })
}
