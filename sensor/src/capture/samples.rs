//! Captures for tests, built byte by byte. In: what a test wants to see in a file. Out: the file.

use std::path::{Path, PathBuf};

use super::format::ByteOrder;
use super::{Batch, CaptureFiles, Fill, Problem, Source, Tally};

/// Little-endian or big-endian bytes.
#[derive(Clone)]
pub(super) struct Bytes {
    order: ByteOrder,
    pub(super) bytes: Vec<u8>,
}

impl Bytes {
    pub(super) fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new() }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        match self.order {
            ByteOrder::Little => self.bytes.extend(value.to_le_bytes()),
            ByteOrder::Big => self.bytes.extend(value.to_be_bytes()),
        }
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        match self.order {
            ByteOrder::Little => self.bytes.extend(value.to_le_bytes()),
            ByteOrder::Big => self.bytes.extend(value.to_be_bytes()),
        }
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        match self.order {
            ByteOrder::Little => self.bytes.extend(value.to_le_bytes()),
            ByteOrder::Big => self.bytes.extend(value.to_be_bytes()),
        }
        self
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    fn padded(mut self) -> Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }
}

/// The header of a pcap file: version 2.4, the usual snap length.
pub(super) fn pcap_header(order: ByteOrder, magic: u32, link: u32) -> Bytes {
    pcap_header_of(order, magic, (2, 4), 262_144, link)
}

pub(super) fn pcap_header_of(
    order: ByteOrder,
    magic: u32,
    (major, minor): (u16, u16),
    snap_length: u32,
    link: u32,
) -> Bytes {
    let header = Bytes::new(order).u32(magic).u16(major).u16(minor);
    header.u32(0).u32(0).u32(snap_length).u32(link)
}

impl Bytes {
    /// A pcap record of a whole packet.
    pub(super) fn record(self, seconds: u32, ticks: u32, packet: &[u8]) -> Self {
        let length = u32::try_from(packet.len()).unwrap();
        self.u32(seconds).u32(ticks).u32(length).u32(length).raw(packet)
    }

    /// A pcapng block.
    pub(super) fn block(self, kind: u32, body: Self) -> Self {
        let body = body.padded().bytes;
        let length = u32::try_from(body.len() + 12).unwrap();
        self.u32(kind).u32(length).raw(&body).u32(length)
    }

    /// A Section Header Block of version 1.0.
    pub(super) fn section(self) -> Self {
        let body = Self::new(self.order).u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX);
        self.block(0x0a0d_0d0a, body)
    }

    /// An Interface Description Block.
    pub(super) fn interface(self, link: u16, snap_length: u32, options: &[(u16, &[u8])]) -> Self {
        let body = Self::new(self.order).u16(link).u16(0).u32(snap_length).options(options);
        self.block(1, body)
    }

    fn options(mut self, options: &[(u16, &[u8])]) -> Self {
        for (code, value) in options {
            let length = u16::try_from(value.len()).unwrap();
            self = self.u16(*code).u16(length).raw(value).padded();
        }
        if options.is_empty() { self } else { self.u32(0) }
    }

    /// An Enhanced Packet Block of a whole packet.
    pub(super) fn enhanced(self, interface: u32, ticks: u64, packet: &[u8]) -> Self {
        let length = u32::try_from(packet.len()).unwrap();
        let halves = [ticks >> 32, ticks & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
        let body = Self::new(self.order).u32(interface).u32(halves[0]).u32(halves[1]);
        let body = body.u32(length).u32(length).raw(packet);
        self.block(6, body)
    }

    /// An Interface Statistics Block with losses at the interface and in the system.
    pub(super) fn statistics(self, interface: u32, at_interface: u64, in_system: u64) -> Self {
        let order = self.order;
        let value = |count| Self::new(order).u64(count).bytes;
        let body = Self::new(order).u32(interface).u64(0);
        let body = body.options(&[(5, &value(at_interface)), (7, &value(in_system))]);
        self.block(5, body)
    }
}

/// A packet as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) nanos: i64,
    pub(super) link: u16,
    pub(super) wire_bytes: u32,
    pub(super) bytes: Vec<u8>,
}

/// Everything that a source gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) packets: Vec<Seen>,
    pub(super) problems: Vec<Problem>,
    pub(super) tally: Tally,
}

impl Outcome {
    /// Nanoseconds of all packets.
    pub(super) fn times(&self) -> Vec<i64> {
        self.packets.iter().map(|packet| packet.nanos).collect()
    }

    /// The one problem there is, in words.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.problems.len(), 1, "{:?}", self.problems);
        self.problems[0].to_string()
    }
}

/// Reads `source` to its end.
pub(super) fn drain(source: &mut dyn Source) -> Outcome {
    let mut batch = Batch::default();
    let mut packets = Vec::new();
    while source.fill(&mut batch).unwrap() == Fill::Packets {
        assert!(!batch.packets.is_empty());
        packets.extend(batch.packets.iter().map(|packet| Seen {
            nanos: packet.time.nanos(),
            link: packet.link.0,
            wire_bytes: packet.wire_bytes,
            bytes: packet.bytes(&batch.block).to_vec(),
        }));
    }
    assert_eq!(source.fill(&mut batch).unwrap(), Fill::End);
    let tally = source.tally();
    assert_eq!(tally.packets, packets.len() as u64);
    assert_eq!(tally.captured_bytes, packets.iter().map(|p| p.bytes.len() as u64).sum::<u64>());
    Outcome { packets, problems: source.problems(), tally }
}

/// Writes `bytes` to a file in `directory`.
pub(super) fn write(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads one file with these bytes, in blocks of `block_bytes`.
pub(super) fn read_in_blocks(bytes: &[u8], block_bytes: usize) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.pcap", bytes);
    drain(&mut CaptureFiles::open_with_blocks_of(&[path], block_bytes).unwrap())
}

/// Reads one file with these bytes.
pub(super) fn read(bytes: &[u8]) -> Outcome {
    read_in_blocks(bytes, 4_096)
}
