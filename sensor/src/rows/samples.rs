//! Rows for tests: a table with every kind of column, and a small one to count with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use analyzers::record::Header;
use analyzers::{Text, Timestamp, Transport, Uid, record};

use super::StampedRow;

record! {
    /// A table with a column of every kind.
    pub(crate) struct EveryKind: "every_kind" {
        /// Text of the wire.
        text: Option<Text> as Domain,
        /// A word of ours.
        word: Option<&'static str>,
        /// A truth.
        yes: Option<bool>,
        /// Eight bits.
        u8: Option<u8>,
        /// Sixteen bits.
        u16: Option<u16>,
        /// Thirty-two bits.
        i32: Option<i32>,
        /// Sixty-four bits.
        i64: Option<i64>,
        /// A fraction.
        f64: Option<f64>,
        /// An instant.
        time: Option<Timestamp>,
        /// An address.
        ip: Option<IpAddr> as Address,
        /// A hardware address.
        mac: Option<[u8; 6]>,
        /// A list of texts.
        texts: Option<Vec<Text>> as Domain,
        /// A list of numbers.
        numbers: Option<Vec<i64>>,
    }
}

record! {
    /// A table with one column.
    pub(crate) struct Count: "count" {
        /// The number.
        number: i64,
    }
}

/// 2026-01-02T03:04:05.678901Z.
pub(crate) const INSTANT: Timestamp = Timestamp::from_nanos(1_767_323_045_678_901_234);

/// Nanoseconds of an hour.
pub(crate) const HOUR_NANOS: i64 = 3_600_000_000_000;

fn bare_header(ts: Timestamp) -> Header {
    Header {
        ts,
        uid: None,
        src_ip: None,
        src_port: None,
        dst_ip: None,
        dst_port: None,
        proto: None,
        sensor: Text::Word("edge-1"),
    }
}

/// A row in which every column has a value.
pub(crate) fn every_kind_full() -> StampedRow {
    let header = Header {
        uid: Some(Uid(7)),
        src_ip: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
        src_port: Some(u16::MAX),
        dst_ip: Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
        dst_port: Some(0),
        proto: Some(Transport::TCP),
        ..bare_header(INSTANT)
    };
    let record = EveryKind {
        text: Some(Text::wire(b"na\xc3\xafve \xe2\x80\x93 \xe7\x8b\xae \xff\n\"\\")),
        word: Some("word"),
        yes: Some(true),
        u8: Some(u8::MAX),
        u16: Some(u16::MAX),
        i32: Some(i32::MIN),
        i64: Some(i64::MIN),
        f64: Some(0.25),
        time: Some(Timestamp::from_nanos(-1)),
        ip: Some(IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 1))),
        mac: Some([0, 0x11, 0x22, 0x33, 0x44, 0x55]),
        texts: Some(vec![Text::Word("a"), Text::Word(""), Text::wire(b"\x1b[2J")]),
        numbers: Some(vec![0, -1, i64::MAX]),
    };
    StampedRow { header, record: Box::new(record) }
}

const EMPTY: EveryKind = EveryKind {
    text: None,
    word: None,
    yes: None,
    u8: None,
    u16: None,
    i32: None,
    i64: None,
    f64: None,
    time: None,
    ip: None,
    mac: None,
    texts: None,
    numbers: None,
};

/// A row in which every column that may be null is.
pub(crate) fn every_kind_null() -> StampedRow {
    StampedRow { header: bare_header(Timestamp::default()), record: Box::new(EMPTY) }
}

/// A row with a number that JSON cannot write.
pub(crate) fn infinite() -> StampedRow {
    let record = EveryKind { f64: Some(f64::INFINITY), ..EMPTY };
    StampedRow { header: bare_header(INSTANT), record: Box::new(record) }
}

/// A row of the small table.
pub(crate) fn count(ts: Timestamp, uid: Option<u128>, number: i64) -> StampedRow {
    let header = Header { uid: uid.map(Uid), ..bare_header(ts) };
    StampedRow { header, record: Box::new(Count { number }) }
}
