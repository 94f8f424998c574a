//! The frames of one block of the ring (packet(7), TPACKET_V3; `linux/if_packet.h`).
//!
//! In: a block as the kernel has handed it over. Out: its frames in order, each with its time, its
//! bytes and the VLAN tag that the kernel or the card took off.

use analyzers::Timestamp;

/// Offsets in the block's description (`struct tpacket_block_desc`).
const BLOCK_PACKETS: usize = 12;
const BLOCK_FIRST: usize = 16;

/// Offsets in a frame's header (`struct tpacket3_hdr`).
const NEXT: usize = 0;
const SECONDS: usize = 4;
const NANOSECONDS: usize = 8;
const CAPTURED_BYTES: usize = 12;
const WIRE_BYTES: usize = 16;
const STATUS: usize = 20;
const FRAME: usize = 24;
const VLAN_TCI: usize = 32;
const VLAN_TPID: usize = 36;

/// Bits of a frame's status.
const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;

/// The tag protocol of IEEE 802.1Q.
const VLAN_8021Q: u16 = 0x8100;

/// A frame as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// When it arrived.
    pub(super) time: Timestamp,
    /// Bytes that it had on the wire, without the tag.
    pub(super) wire_bytes: u32,
    /// What there is of it, without the tag.
    pub(super) bytes: &'a [u8],
    /// The tag that was taken off: protocol and control information, as they stand on the wire.
    pub(super) tag: Option<[u8; 4]>,
}

/// Goes through the frames of a block.
pub(super) struct Frames<'a> {
    block: &'a [u8],
    /// Where the next frame's header is.
    at: usize,
    left: u32,
}

impl<'a> Frames<'a> {
    /// The frames of `block`.
    pub(super) fn of(block: &'a [u8]) -> Self {
        let left = word(block, BLOCK_PACKETS).unwrap_or(0);
        Self { block, at: word(block, BLOCK_FIRST).unwrap_or(0) as usize, left }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        self.left = self.left.checked_sub(1)?;
        let header = self.block.get(self.at..)?;
        let captured = word(header, CAPTURED_BYTES)? as usize;
        let start = usize::from(half(header, FRAME)?);
        let bytes = header.get(start..)?.get(..captured)?;
        let (seconds, nanos) = (word(header, SECONDS)?, word(header, NANOSECONDS)?);
        self.at = self.at.checked_add(word(header, NEXT)? as usize)?;
        Some(Frame {
            time: Timestamp::from_secs_nanos(seconds.into(), nanos.into()),
            wire_bytes: word(header, WIRE_BYTES)?,
            bytes,
            tag: tag(header),
        })
    }
}

/// The VLAN tag in a frame's header.
fn tag(header: &[u8]) -> Option<[u8; 4]> {
    let status = word(header, STATUS)?;
    if status & VLAN_VALID == 0 {
        return None;
    }
    let is_told = status & VLAN_TPID_VALID != 0;
    let protocol = half(header, VLAN_TPID).filter(|_| is_told).unwrap_or(VLAN_8021Q);
    // The upper half of the word is unused.
    let control = (word(header, VLAN_TCI)? & 0xffff).to_be_bytes();
    let [protocol_high, protocol_low] = protocol.to_be_bytes();
    let [_, _, control_high, control_low] = control;
    Some([protocol_high, protocol_low, control_high, control_low])
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of the given frames, each with status, TCI and TPID.
    fn block(frames: &[(&[u8], u32, u32, u16)]) -> Vec<u8> {
        let mut block = vec![0; 48];
        let count = u32::try_from(frames.len()).unwrap();
        block[BLOCK_PACKETS..][..4].copy_from_slice(&count.to_ne_bytes());
        block[BLOCK_FIRST..][..4].copy_from_slice(&48_u32.to_ne_bytes());
        for (second, (bytes, status, tci, tpid)) in (1_u32..).zip(frames) {
            let length = u32::try_from(bytes.len()).unwrap();
            let mut header = vec![0; 80];
            for (at, value) in [
                (NEXT, (80 + length).next_multiple_of(16)),
                (SECONDS, second),
                (NANOSECONDS, 7),
                (CAPTURED_BYTES, length),
                (WIRE_BYTES, length + 100),
                (STATUS, *status),
                (FRAME, 80),
                (VLAN_TCI, *tci),
                (VLAN_TPID, u32::from(*tpid)),
            ] {
                header[at..][..4].copy_from_slice(&value.to_ne_bytes());
            }
            block.extend(header);
            block.extend(*bytes);
            block.resize(block.len().next_multiple_of(16), 0xee);
        }
        block
    }

    #[test]
    fn frames_come_in_order_with_times_and_lengths() {
        let block = block(&[(b"first", 1, 0, 0), (b"", 1, 0, 0), (b"third one", 1, 0, 0)]);
        let frames: Vec<_> = Frames::of(&block).collect();
        let expected: [&[u8]; 3] = [b"first", b"", b"third one"];
        assert_eq!(frames.iter().map(|frame| frame.bytes).collect::<Vec<_>>(), expected);
        assert_eq!(frames[2].time, Timestamp::from_secs_nanos(3, 7));
        assert_eq!(frames[2].wire_bytes, 109);
        assert_eq!(frames[2].tag, None);
    }

    #[test]
    fn a_tag_that_was_taken_off_is_told_as_it_stood_on_the_wire() {
        for (status, tci, tpid, expected) in [
            (1, 0x2005, 0, None),
            (1 | VLAN_VALID, 0x2005, 0, Some([0x81, 0x00, 0x20, 0x05])),
            (1 | VLAN_VALID | VLAN_TPID_VALID, 0x2005, 0x88a8, Some([0x88, 0xa8, 0x20, 0x05])),
            (1 | VLAN_VALID | VLAN_TPID_VALID, 0, 0x8100, Some([0x81, 0x00, 0, 0])),
        ] {
            let block = block(&[(b"x", status, tci, tpid)]);
            let frame = Frames::of(&block).next().unwrap();
            assert_eq!(frame.tag, expected, "{status:#x}");
        }
    }

    #[test]
    fn a_block_that_is_cut_anywhere_gives_the_frames_that_are_whole() {
        let block = block(&[(b"first", 1, 0, 0), (b"second", 1, 0, 0)]);
        for end in 0..block.len() {
            let whole = Frames::of(&block[..end]).count();
            assert!(whole <= 2, "{end}");
            assert_eq!(whole >= 1, end >= 48 + 80 + 5, "{end}");
        }
    }
}
