//! The network's own services: NTP (RFC 5905), DHCP (RFC 2131, RFC 8415), SNMP (RFC 3416), syslog
//! (RFC 5424, RFC 3164), RADIUS (RFC 2865), SSDP (UPnP) and Zabbix.
//!
//! In: a datagram, or the first bytes of a stream. Out: a verdict.

use super::upgrade::ber;
use super::words::{begins, begins_any, certain_if, first_line, holds, is_number, words};
use super::{BOTH, NAMED, UDP, datagram, stream, uses};
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};
use crate::reader::Reader;

/// Network time.
pub const NTP: Protocol = Protocol {
    name: "ntp",
    doc: "Network time.",
    specifications: &["RFC 5905", "RFC 9327"],
    transports: UDP,
    ports: &[123],
    probe: |probe| datagram(is_ntp(probe)),
    ..NAMED
};

/// Dynamic host configuration.
pub const DHCP: Protocol = Protocol {
    name: "dhcp",
    doc: "Dynamic host configuration for IPv4 and IPv6, and BOOTP.",
    specifications: &["RFC 2131", "RFC 951", "RFC 8415"],
    transports: UDP,
    ports: &[67, 68, 546, 547],
    probe: dhcp,
    ..NAMED
};

/// Network management.
pub const SNMP: Protocol = Protocol {
    name: "snmp",
    doc: "Simple network management, versions 1, 2c and 3.",
    specifications: &["RFC 1157", "RFC 3416", "RFC 3412"],
    transports: UDP,
    ports: &[161, 162],
    probe: |probe| datagram(is_snmp(probe.bytes)),
    ..NAMED
};

/// System logs.
pub const SYSLOG: Protocol = Protocol {
    name: "syslog",
    doc: "System logs.",
    specifications: &["RFC 5424", "RFC 3164", "RFC 6587"],
    transports: BOTH,
    ports: &[514, 601],
    probe: syslog,
    ..NAMED
};

/// Remote authentication of dial-in users.
pub const RADIUS: Protocol = Protocol {
    name: "radius",
    doc: "Remote authentication, authorisation and accounting.",
    specifications: &["RFC 2865", "RFC 2866", "RFC 5176"],
    transports: UDP,
    ports: &[1_812, 1_813, 1_645, 1_646, 3_799],
    probe: |probe| datagram(is_radius(probe)),
    ..NAMED
};

/// Simple service discovery.
pub const SSDP: Protocol = Protocol {
    name: "ssdp",
    doc: "Simple service discovery, the first step of UPnP.",
    specifications: &["UPnP Device Architecture 2.0 §1"],
    transports: UDP,
    ports: &[1_900],
    probe: ssdp,
    ..NAMED
};

/// NetBIOS datagrams.
pub const NETBIOS_DATAGRAM: Protocol = Protocol {
    name: "netbios-dgm",
    doc: "NetBIOS datagrams, which carry SMB's browser and mail slots.",
    specifications: &["RFC 1002 §4.4"],
    transports: UDP,
    ports: &[138],
    probe: |probe| datagram(is_netbios_datagram(probe.bytes)),
    ..NAMED
};

/// Zabbix agents, proxies and servers.
pub const ZABBIX: Protocol = Protocol {
    name: "zabbix",
    doc: "Monitoring by Zabbix.",
    specifications: &["Zabbix protocols, header"],
    ports: &[10_050, 10_051],
    probe: |probe| stream(is_zabbix(probe.bytes)),
    ..NAMED
};

/// On the port a sound header suffices; elsewhere a server's answer must name a source and a time.
fn is_ntp(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const HEADER_BYTES: usize = 48;
    /// 2004 to 2036, in seconds since 1900.
    const YEARS: std::ops::RangeInclusive<u32> = 0xc3a0_0000..=0xffff_ffff;
    let on_port = uses(probe, NTP.ports);
    let mut r = Reader::new(probe.bytes);
    let first = r.u8("leap, version, mode")?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) {
        return Ok(false);
    }
    let stratum = r.u8("stratum")?;
    match mode {
        6 | 7 => return Ok(on_port && probe.bytes.len() >= 8),
        1..=5 if probe.bytes.len() < HEADER_BYTES || stratum > 16 => return Ok(false),
        1..=5 if on_port => return Ok(true),
        4 if version >= 3 => {}
        _ => return Ok(false),
    }
    r.seek(12, "reference")?;
    let named = r.u32("reference")? != 0;
    r.seek(40, "transmit time")?;
    let now = YEARS.contains(&r.u32("transmit time")?);
    Ok(probe.bytes.len() == HEADER_BYTES && (1..16).contains(&stratum) && named && now)
}

fn dhcp(probe: &Probe<'_>) -> Verdict {
    let found = datagram(is_dhcp_4(probe));
    if found == Verdict::Certain { found } else { datagram(is_dhcp_6(probe)) }
}

/// The cookie proves DHCP; BOOTP has none (RFC 951 §3).
fn is_dhcp_4(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const COOKIE_AT: usize = 236;
    const COOKIE: u32 = 0x6382_5363;
    const BOOTP_BYTES: usize = 300;
    let mut r = Reader::new(probe.bytes);
    let operation = r.u8("operation")?;
    let hardware = r.u8("hardware type")?;
    let address_bytes = r.u8("length of hardware addresses")?;
    if !matches!(operation, 1 | 2) || hardware == 0 || address_bytes > 16 {
        return Ok(false);
    }
    r.seek(COOKIE_AT, "cookie")?;
    let on_port = uses(probe, &[67, 68]) && address_bytes == 6;
    Ok(r.u32("cookie")? == COOKIE || on_port && probe.bytes.len() >= BOOTP_BYTES)
}

/// A known message on the port, its options filling the datagram.
fn is_dhcp_6(probe: &Probe<'_>) -> Result<bool, Malformed> {
    let mut r = Reader::new(probe.bytes);
    match r.u8("message type")? {
        1..=11 => r.skip(3, "transaction")?,
        // Relays: hops, link and peer address (RFC 8415 §9).
        12 | 13 => r.skip(33, "relay")?,
        _ => return Ok(false),
    }
    let mut options: u32 = 0;
    while !r.is_empty() {
        r.skip(2, "option")?;
        let length = r.u16("option length")?;
        r.skip(length.into(), "option")?;
        options = options.saturating_add(1);
    }
    Ok(options > 0 && uses(probe, &[546, 547]))
}

fn is_snmp(bytes: &[u8]) -> Result<bool, Malformed> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER_OF_ONE_BYTE: u16 = 0x0201;
    const OCTETS: u8 = 0x04;
    let mut r = Reader::new(bytes);
    if r.peek() != Some(SEQUENCE) || usize::try_from(ber(&mut r)?).ok() != Some(r.remaining()) {
        return Ok(false);
    }
    if r.u16("version")? != INTEGER_OF_ONE_BYTE {
        return Ok(false);
    }
    match r.u8("version")? {
        0 | 1 if r.peek() == Some(OCTETS) => {
            let community = usize::try_from(ber(&mut r)?).unwrap_or(usize::MAX);
            r.skip(community, "community")?;
            Ok((0xa0..=0xa8).contains(&r.u8("operation")?))
        }
        3 => Ok(r.peek() == Some(SEQUENCE)),
        _ => Ok(false),
    }
}

/// `<134>` and what stands behind a priority: a version, a date, or on the port any text.
fn syslog(probe: &Probe<'_>) -> Verdict {
    const LONGEST_START: usize = 24;
    let bytes = probe.bytes;
    if probe.flow.transport == Transport::TCP && bytes.len() < LONGEST_START {
        let starts = bytes.first().is_some_and(|byte| *byte == b'<' || byte.is_ascii_digit());
        return if starts { Verdict::Unsure } else { Verdict::NotForUs };
    }
    let octets = bytes.iter().position(|byte| *byte == b' ').unwrap_or_default();
    let counted = bytes.get(..octets).is_some_and(is_number);
    let message = if counted { bytes.get(octets.saturating_add(1)..) } else { Some(bytes) };
    certain_if(message.is_some_and(|message| is_syslog(message, probe)))
}

fn is_syslog(message: &[u8], probe: &Probe<'_>) -> bool {
    const HIGHEST_PRIORITY: u32 = 191;
    const MONTHS: [&str; 12] = [
        "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ",
        "Dec ",
    ];
    let Some(end) = message.iter().take(5).position(|byte| *byte == b'>') else { return false };
    let priority = message.get(1..end).and_then(|digits| std::str::from_utf8(digits).ok());
    let priority = priority.and_then(|digits| digits.parse::<u32>().ok());
    if !message.starts_with(b"<") || priority.is_none_or(|number| number > HIGHEST_PRIORITY) {
        return false;
    }
    let text = message.get(end.saturating_add(1)..).unwrap_or_default();
    let modern = begins(text, b"1 ") && matches!(text.get(2), Some(b'-' | b'0'..=b'9'));
    let is_plain = !text.is_empty() && text.iter().take(8).all(|byte| matches!(byte, b' '..=b'~'));
    modern || begins_any(text, &MONTHS) || is_plain && uses(probe, SYSLOG.ports)
}

/// A known code and the datagram's length suffice on the port; elsewhere attributes must fill it.
fn is_radius(probe: &Probe<'_>) -> Result<bool, Malformed> {
    const HEADER_BYTES: usize = 20;
    let mut r = Reader::new(probe.bytes);
    let code = r.u8("code")?;
    r.skip(1, "identifier")?;
    let length = usize::from(r.u16("length")?);
    let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
    if !known || length != probe.bytes.len() || length < HEADER_BYTES {
        return Ok(false);
    }
    if uses(probe, RADIUS.ports) {
        return Ok(true);
    }
    r.skip(16, "authenticator")?;
    let mut attributes: u32 = 0;
    while !r.is_empty() {
        let (kind, length) = (r.u8("attribute")?, r.u8("attribute length")?);
        let Some(value) = usize::from(length).checked_sub(2) else { return Ok(false) };
        r.skip(value, "attribute")?;
        if kind == 0 {
            return Ok(false);
        }
        attributes = attributes.saturating_add(1);
    }
    Ok(attributes >= 2)
}

fn ssdp(probe: &Probe<'_>) -> Verdict {
    let is_answer = |line: &[u8]| line == b"HTTP/1.1 200 OK" && holds(probe.bytes, "\r\nST:");
    first_line(probe.bytes, |line| {
        let mut words = words(line);
        let method = words.next().unwrap_or_default();
        let asks = matches!(method, b"M-SEARCH" | b"NOTIFY") && words.next() == Some(b"*");
        asks && words.next() == Some(b"HTTP/1.1") || is_answer(line)
    })
}

fn is_zabbix(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    let magic: [u8; 4] = r.array("magic")?;
    Ok(&magic == b"ZBXD" && matches!(r.u8("flags")?, 1..=7))
}

/// A known type, and the source port that each sender writes into its datagram.
fn is_netbios_datagram(bytes: &[u8]) -> Result<bool, Malformed> {
    const HEADER_BYTES: usize = 14;
    const PORT: u16 = 138;
    let mut r = Reader::new(bytes);
    let (kind, flags) = (r.u8("type")?, r.u8("flags")?);
    r.skip(6, "identifier, source address")?;
    let port = r.u16("source port")?;
    // Errors and questions about names end elsewhere; only messages have a length.
    let length = usize::from(r.u16("length")?);
    let fits = length.saturating_add(HEADER_BYTES) <= bytes.len();
    Ok(matches!(kind, 0x10..=0x12) && flags < 0x10 && port == PORT && fits)
}
