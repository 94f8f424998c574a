//! Where packets come from: files or interfaces. Out: batches of packets that share one block of
//! bytes, so that a packet is never copied on its way to the worker that owns its flow.

use std::sync::Arc;

use analyzers::Timestamp;

/// Link-layer header type, by its number in the registry of link types (`LINKTYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

/// One packet as the capture has it: where its bytes are in its batch's block, and what was noted
/// about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPacket {
    /// When it was captured.
    pub time: Timestamp,
    /// Offset of its first byte in the block.
    pub offset: u32,
    /// Bytes that were captured.
    pub captured_bytes: u32,
    /// Bytes that were on the wire; more than `captured_bytes` where the snap length cut it.
    pub wire_bytes: u32,
    /// Type of its outermost header.
    pub link: LinkType,
}

/// Packets in the order of the capture, with the bytes that they point into.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The bytes; shared with every worker that got a packet of this batch.
    pub block: Arc<Vec<u8>>,
    /// The packets.
    pub packets: Vec<RawPacket>,
}

impl RawPacket {
    /// The packet's bytes in its batch's block; empty if it lies outside, which no source makes.
    #[must_use]
    pub fn bytes<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        let start = self.offset as usize;
        block.get(start..start + self.captured_bytes as usize).unwrap_or_default()
    }
}
