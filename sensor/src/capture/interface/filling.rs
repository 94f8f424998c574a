//! A batch while it is filled from an interface.
//!
//! In: frames, each copied once from where the kernel keeps it, its VLAN tag put back. Out: a
//! batch.

use std::sync::Arc;

use analyzers::Timestamp;

use crate::capture::block::BlockPool;
use crate::capture::{Batch, LinkType, RawPacket};

/// Where a VLAN tag stands: behind the two addresses.
const TAG_AT: usize = 12;

/// A block with what has been put in.
pub(super) struct Filling {
    block: Arc<Vec<u8>>,
    used: usize,
    pub(super) packets: Vec<RawPacket>,
}

/// One frame to be copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived<'a> {
    /// When it arrived.
    pub(super) time: Timestamp,
    /// Type of its outermost header.
    pub(super) link: LinkType,
    /// Bytes that it had on the wire, without the tag.
    pub(super) wire_bytes: u32,
    /// What there is of it, without the tag.
    pub(super) bytes: &'a [u8],
    /// The tag.
    pub(super) tag: Option<[u8; 4]>,
}

impl Filling {
    /// An empty one, with room for `bytes` at least.
    pub(super) fn new(pool: &mut BlockPool, bytes: usize, packets: Vec<RawPacket>) -> Self {
        Self { block: pool.take(bytes), used: 0, packets }
    }

    /// Bytes that can still be put in.
    pub(super) fn room(&self) -> usize {
        self.block.len().saturating_sub(self.used)
    }

    /// Copies a frame; answers whether there was room for it.
    #[inline]
    pub(super) fn put(&mut self, frame: &Arrived<'_>) -> bool {
        let Arrived { time, link, bytes, .. } = *frame;
        // A frame without addresses has no place for a tag.
        let tag = frame.tag.filter(|_| bytes.len() >= TAG_AT);
        let tag = tag.as_ref().map_or(&[][..], |tag| tag.as_slice());
        let captured = bytes.len() + tag.len();
        // Nobody else holds the block, which the pool has given out as ours.
        let free = Arc::get_mut(&mut self.block).and_then(|block| block.get_mut(self.used..));
        let Some(place) = free.and_then(|free| free.get_mut(..captured)) else { return false };
        let (addresses, rest) = bytes.split_at(if tag.is_empty() { 0 } else { TAG_AT });
        let (first, place) = place.split_at_mut(addresses.len());
        let (second, third) = place.split_at_mut(tag.len());
        first.copy_from_slice(addresses);
        second.copy_from_slice(tag);
        third.copy_from_slice(rest);
        let (Ok(offset), Ok(captured_bytes)) = (self.used.try_into(), captured.try_into()) else {
            return false;
        };
        let tag_bytes = captured_bytes - u32::try_from(bytes.len()).unwrap_or(captured_bytes);
        let wire_bytes = frame.wire_bytes.saturating_add(tag_bytes).max(captured_bytes);
        self.packets.push(RawPacket { time, offset, captured_bytes, wire_bytes, link });
        self.used += captured;
        true
    }

    /// The batch; the pool keeps a handle of its block.
    pub(super) fn into_batch(self, pool: &mut BlockPool) -> Batch {
        pool.keep(&self.block);
        Batch { block: self.block, packets: self.packets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(bytes: &[u8], tag: Option<[u8; 4]>) -> Arrived<'_> {
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        Arrived { time: Timestamp::default(), link: LinkType(1), wire_bytes, bytes, tag }
    }

    #[test]
    fn a_tag_goes_back_behind_the_addresses() {
        let mut pool = BlockPool::new(64);
        let mut filling = Filling::new(&mut pool, 1, Vec::new());
        assert!(filling.put(&arrived(b"AAAAAABBBBBBttpayload", None)));
        assert!(filling.put(&arrived(b"AAAAAABBBBBBttpayload", Some(*b"8021"))));
        assert!(filling.put(&arrived(b"short", Some(*b"8021"))));
        let batch = filling.into_batch(&mut pool);
        let bytes: Vec<_> =
            batch.packets.iter().map(|packet| packet.bytes(&batch.block).to_vec()).collect();
        let expected: [&[u8]; 3] =
            [b"AAAAAABBBBBBttpayload", b"AAAAAABBBBBB8021ttpayload", b"short"];
        assert_eq!(bytes, expected);
        let wire: Vec<_> = batch.packets.iter().map(|packet| packet.wire_bytes).collect();
        assert_eq!(wire, [21, 25, 5]);
    }

    #[test]
    fn what_has_no_room_is_left_out_whole() {
        let mut pool = BlockPool::new(64);
        let mut filling = Filling::new(&mut pool, 1, Vec::new());
        assert!(filling.put(&arrived(&[0; 60], None)));
        assert!(!filling.put(&arrived(&[0; 5], None)));
        assert!(filling.put(&arrived(&[0; 4], None)));
        assert_eq!(filling.room(), 0);
        assert_eq!(filling.into_batch(&mut pool).packets.len(), 2);
    }
}
