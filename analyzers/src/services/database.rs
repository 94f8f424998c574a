//! Databases and caches: MySQL, PostgreSQL, Microsoft SQL Server (MS-TDS), Oracle, Redis,
//! memcached, MongoDB.
//!
//! In: the first bytes of either side. Out: a verdict. MySQL and PostgreSQL can be upgraded to TLS,
//! which is followed; SQL Server wraps TLS into its own packets and is left alone.

use super::upgrade::{self, Framing};
use super::words::{Words, begins, begins_any, firmer, first_line, is_number, words};
use super::{BOTH, NAMED, stream};
use crate::flow_id::Transport;
use crate::malformed::Malformed;
use crate::protocol::{Probe, Protocol, Verdict};
use crate::reader::Reader;

/// MySQL and MariaDB.
pub const MYSQL: Protocol = Protocol {
    name: "mysql",
    doc: "MySQL and MariaDB, up to an upgrade to TLS.",
    specifications: &["MySQL client/server protocol, connection phase"],
    ports: &[3_306],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: |probe| {
        firmer(stream(is_mysql_server(probe.bytes)), stream(is_mysql_client(probe.bytes)))
    },
    analyzer: Some(|_| upgrade::follow(Framing::Packets)),
    ..NAMED
};

/// PostgreSQL.
pub const POSTGRESQL: Protocol = Protocol {
    name: "postgresql",
    doc: "PostgreSQL, up to an upgrade to TLS.",
    specifications: &["PostgreSQL frontend/backend protocol 3.0, message formats"],
    ports: &[5_432],
    buffer_bytes_max: upgrade::BUFFER_BYTES,
    probe: |probe| {
        firmer(stream(is_postgresql_client(probe.bytes)), stream(is_postgresql_server(probe.bytes)))
    },
    analyzer: Some(|_| upgrade::follow(Framing::Request)),
    ..NAMED
};

/// Microsoft SQL Server.
pub const MSSQL: Protocol = Protocol {
    name: "mssql",
    doc: "Microsoft SQL Server's tabular data stream.",
    specifications: &["MS-TDS §2.2"],
    ports: &[1_433],
    probe: |probe| stream(is_mssql(probe.bytes)),
    ..NAMED
};

/// Oracle.
pub const ORACLE: Protocol = Protocol {
    name: "oracle",
    doc: "Oracle's transparent network substrate.",
    specifications: &["Oracle Net, connect packet"],
    ports: &[1_521],
    probe: |probe| stream(is_oracle(probe.bytes)),
    ..NAMED
};

/// Redis.
pub const REDIS: Protocol = Protocol {
    name: "redis",
    doc: "Redis and what speaks its protocol.",
    specifications: &["RESP 2, RESP 3"],
    ports: &[6_379],
    probe: redis,
    ..NAMED
};

/// Memcached.
pub const MEMCACHED: Protocol = Protocol {
    name: "memcached",
    doc: "Memcached, text and binary.",
    specifications: &["memcached, protocol.txt and binary protocol"],
    transports: BOTH,
    ports: &[11_211],
    probe: memcached,
    ..NAMED
};

/// MongoDB.
pub const MONGODB: Protocol = Protocol {
    name: "mongodb",
    doc: "MongoDB.",
    specifications: &["MongoDB wire protocol"],
    ports: &[27_017],
    probe: |probe| stream(is_mongodb(probe.bytes)),
    ..NAMED
};

/// The greeting: protocol 10 and a version in words, or the error that refuses a client.
fn is_mysql_server(bytes: &[u8]) -> Result<bool, Malformed> {
    const LONGEST_VERSION: usize = 64;
    const ERRORS: std::ops::RangeInclusive<u16> = 1_000..=1_999;
    let mut r = Reader::new(bytes);
    let [low, high, highest, number] = r.array("packet head")?;
    if number != 0 || highest != 0 || [low, high] == [0, 0] {
        return Ok(false);
    }
    match r.u8("protocol")? {
        10 => {
            for _ in 0..LONGEST_VERSION {
                match r.u8("version")? {
                    0 => return Ok(r.offset() > 8),
                    b'0'..=b'9' | b'.' if r.offset() <= 7 => {}
                    b' '..=b'~' if r.offset() > 7 => {}
                    _ => return Ok(false),
                }
            }
            Ok(false)
        }
        0xff => {
            let error = ERRORS.contains(&r.u16_le("error")?);
            Ok(error && r.take(4, "text")?.iter().all(|byte| matches!(byte, b' '..=b'~')))
        }
        _ => Ok(false),
    }
}

/// The client's answer: the bits of protocol 4.1 and nineteen zeros.
fn is_mysql_client(bytes: &[u8]) -> Result<bool, Malformed> {
    const PROTOCOL_41: u32 = 0x0200;
    let mut r = Reader::new(bytes);
    let [_, _, highest, number] = r.array("packet head")?;
    if number != 1 || highest != 0 {
        return Ok(false);
    }
    let capabilities = r.u32_le("capabilities")?;
    r.skip(5, "packet size, alphabet")?;
    let filler = r.take(19, "filler")?;
    Ok(capabilities & PROTOCOL_41 != 0 && filler.iter().all(|byte| *byte == 0))
}

/// A request for encryption or for an end, or the start with its first parameter's name.
fn is_postgresql_client(bytes: &[u8]) -> Result<bool, Malformed> {
    const LARGEST_START: u32 = 10_000;
    let mut r = Reader::new(bytes);
    let length = r.u32("length")?;
    if !(8..=LARGEST_START).contains(&length) {
        return Ok(false);
    }
    match (r.u32("version")?, length) {
        // TLS, GSS, cancel.
        (0x04d2_162f | 0x04d2_1630, 8) | (0x04d2_162e, 16) => Ok(true),
        (0x0003_0000..=0x0003_0002, 9..) => {
            let name = r.take(4, "parameter")?;
            Ok(name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_'))
        }
        _ => Ok(false),
    }
}

/// How the client shall prove itself, or why not.
fn is_postgresql_server(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    let kind = r.u8("message")?;
    if !matches!(kind, b'R' | b'E') {
        return Ok(false);
    }
    let length = r.u32("length")?;
    if kind == b'E' {
        return Ok(
            (8..0x1_0000).contains(&length) && matches!(r.array("severity")?, [b'S', b'A'..=b'Z'])
        );
    }
    Ok(matches!(
        (r.u32("authentication")?, length),
        (0 | 2..=3 | 6..=9, 8) | (5, 12) | (10, 9..=256)
    ))
}

/// Prelogin, whose options begin with the version behind their list, or a login of its own length.
fn is_mssql(bytes: &[u8]) -> Result<bool, Malformed> {
    const OPTION_BYTES: u16 = 5;
    let mut r = Reader::new(bytes);
    let (kind, status) = (r.u8("packet type")?, r.u8("status")?);
    if !matches!(kind, 0x12 | 0x10 | 0x04) || status > 1 {
        return Ok(false);
    }
    let length = r.u16("length")?;
    r.skip(2, "process")?;
    let (packet, window) = (r.u8("packet number")?, r.u8("window")?);
    if window != 0 || packet > 1 || length < 16 {
        return Ok(false);
    }
    if kind == 0x10 {
        let login = r.u32_le("login length")?;
        let version = r.u32("version")? & 0xff00_0000;
        return Ok(login.checked_add(8) == Some(length.into())
            && matches!(version, 0 | 0x0400_0000..=0x7400_0000));
    }
    let (option, at, bytes) = (r.u8("option")?, r.u16("offset")?, r.u16("option length")?);
    let behind_list = at % OPTION_BYTES == 1 && (6..=51).contains(&at);
    Ok(option == 0 && bytes == 6 && behind_list)
}

/// A connect packet with a version of this century, or the eight bytes that ask to send it again.
fn is_oracle(bytes: &[u8]) -> Result<bool, Malformed> {
    const VERSIONS: std::ops::RangeInclusive<u16> = 300..=330;
    let mut r = Reader::new(bytes);
    let (length, checksum) = (r.u16("length")?, r.u16("checksum")?);
    let kind = r.u8("packet type")?;
    r.skip(3, "flags, checksum")?;
    if checksum != 0 || kind != 1 || length < 58 {
        return Ok(kind == 11 && checksum == 0 && length == 8 && r.is_empty());
    }
    Ok(VERSIONS.contains(&r.u16("version")?) && VERSIONS.contains(&r.u16("oldest version")?))
}

const REDIS_WORDS: Words = Words {
    certain: &[
        "-NOAUTH ",
        "-WRONGTYPE ",
        "-WRONGPASS ",
        "-ERR unknown command",
        "-DENIED Redis",
        "+PONG\r\n",
    ],
    likely: &[
        "PING\r\n",
        "AUTH ",
        "INFO\r\n",
        "SET ",
        "GET ",
        "PUBLISH ",
        "SUBSCRIBE ",
        "CONFIG ",
        "+OK\r\n",
    ],
};

fn redis(probe: &Probe<'_>) -> Verdict {
    firmer(redis_array(probe.bytes), REDIS_WORDS.verdict(probe, REDIS.ports))
}

/// `*2`, `$4`, `AUTH`: an array of strings that says how many and how long.
fn redis_array(bytes: &[u8]) -> Verdict {
    const LONGEST_START: usize = 24;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    for sign in *b"*$" {
        let line = lines.next().unwrap_or_default();
        match line.split_first() {
            None if bytes.len() < LONGEST_START => return Verdict::Unsure,
            Some((first, _)) if *first != sign => return Verdict::NotForUs,
            Some((_, count)) => match count.strip_suffix(b"\r") {
                Some(count) if is_number(count) => {}
                None if bytes.len() < LONGEST_START => return Verdict::Unsure,
                _ => return Verdict::NotForUs,
            },
            None => return Verdict::NotForUs,
        }
    }
    // The last line may have been cut behind its carriage return.
    if lines.next().is_some() { Verdict::Certain } else { Verdict::Unsure }
}

fn memcached(probe: &Probe<'_>) -> Verdict {
    /// A number, a place in a series, its length, and nothing.
    const FRAME_BYTES: usize = 8;
    if probe.flow.transport == Transport::TCP {
        return firmer(memcached_text(probe.bytes), stream(is_memcached_binary(probe.bytes)));
    }
    match probe.bytes.split_at_checked(FRAME_BYTES) {
        Some(([_, _, _, _, _, 1..=u8::MAX, 0, 0], text)) => memcached_text(text),
        _ => Verdict::NotForUs,
    }
}

fn memcached_text(bytes: &[u8]) -> Verdict {
    const ANSWERS: [&str; 4] = ["VALUE ", "STAT pid ", "VERSION 1.", "STORED\r\n"];
    const COMMANDS: [&str; 10] = [
        "set ", "add ", "replace ", "append ", "prepend ", "get ", "gets ", "incr ", "decr ",
        "stats",
    ];
    if begins_any(bytes, &ANSWERS) {
        return Verdict::Certain;
    }
    let may_become = |command: &&str| begins(command.as_bytes(), bytes);
    if begins_any(bytes, &COMMANDS) || COMMANDS.iter().any(may_become) {
        first_line(bytes, is_memcached_command)
    } else {
        Verdict::NotForUs
    }
}

/// A verb, a key, and as many numbers as the verb wants.
fn is_memcached_command(line: &[u8]) -> bool {
    let mut words = words(line);
    let verb = words.next().unwrap_or_default();
    if verb == b"stats" {
        return words.all(|word| word.iter().all(u8::is_ascii_lowercase));
    }
    let numbers = match verb {
        b"get" | b"gets" => 0,
        b"incr" | b"decr" => 1,
        _ => 3,
    };
    let has_key = words.next().is_some();
    has_key && (0..numbers).all(|_| words.next().is_some_and(is_number))
}

/// A header whose lengths go together.
fn is_memcached_binary(bytes: &[u8]) -> Result<bool, Malformed> {
    let mut r = Reader::new(bytes);
    if !matches!(r.u8("magic")?, 0x80 | 0x81) || r.u8("command")? > 0x25 {
        return Ok(false);
    }
    let key = u32::from(r.u16("key length")?);
    let extras = r.u8("length of extras")?;
    let kind = r.u8("data type")?;
    r.skip(2, "status")?;
    let body = r.u32("body length")?;
    r.skip(12, "opaque, version")?;
    Ok(kind == 0
        && extras <= 20
        && key <= 250
        && (key.saturating_add(extras.into())..0x10_0000).contains(&body))
}

fn is_mongodb(bytes: &[u8]) -> Result<bool, Malformed> {
    const LARGEST_MESSAGE: u32 = 48_000_000;
    let mut r = Reader::new(bytes);
    let length = r.u32_le("length")?;
    if !(26..=LARGEST_MESSAGE).contains(&length) {
        return Ok(false);
    }
    r.skip(8, "request, response to")?;
    match r.u32_le("operation")? {
        // A message: flags, then a document of its own length.
        2_013 => {
            let (flags, section) = (r.u32_le("flags")?, r.u8("section")?);
            let document = r.u32_le("document length")?;
            Ok(flags & 0xfffe_fffc == 0 && section == 0 && document < length && document >= 5)
        }
        // A query of a collection by its name.
        2_004 => {
            r.skip(4, "flags")?;
            Ok(r.take(6, "collection")?.iter().all(|byte| matches!(byte, b' '..=b'~')))
        }
        _ => Ok(false),
    }
}
