//! The pcapng format (draft-ietf-opsawg-pcapng): blocks, each with its type and its length at both
//! ends. Sections have their own byte order and interfaces; interfaces their own link type and
//! clock.
//!
//! In: windows of the file. Out: packets of Enhanced, Simple and (obsolete) Packet Blocks, losses
//! of Interface Statistics Blocks. Other blocks are passed over.
//!
//! A length that is the same at both ends makes a block trustworthy: a contradiction inside costs
//! that block only. Where the lengths differ, reading goes on at the next place with a known type
//! and two equal lengths.

use analyzers::Timestamp;

use super::format::{
    ByteOrder, Drops, Findings, Next, PACKET_BYTES_MAX, RECORD_BYTES_MAX, Search, Step, Trust,
    Window,
};
use super::{Aftermath, Damage, LinkType, RawPacket};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;

/// Type and both lengths: a block without a body.
const FRAME_BYTES: usize = 12;
/// Type and first length.
const HEAD_BYTES: usize = 8;
/// Fields of a Section Header Block with its frame.
const SECTION_HEADER_BYTES: usize = 28;
/// Fields of an Enhanced or obsolete Packet Block before the packet.
const PACKET_FIELDS_BYTES: usize = 20;

/// Longest block that a search believes: the longest packet with its fields and some options.
const SEARCH_BLOCK_BYTES_MAX: u32 = PACKET_BYTES_MAX + 65_536;

/// Interfaces of a section that are kept. A file of nothing but descriptions would otherwise grow
/// the table as long as it lasts.
const INTERFACES_MAX: usize = 65_536;

const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;
const OPTION_INTERFACE_DROPS: u16 = 5;
const OPTION_SYSTEM_DROPS: u16 = 7;

/// A pcapng file that is being read.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Losses of the sections before.
    drops: Drops,
    /// Time of the last packet, which a Simple Packet Block takes over, having none.
    time: Timestamp,
    search: Option<Search>,
}

/// An interface of the section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    snap_length: u32,
    clock: Clock,
    /// The latest of its statistics; they count from the capture's start.
    drops: Drops,
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    resolution: Resolution,
    offset_seconds: i64,
}

/// Length of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// Nanoseconds per tick.
    Nanos(u64),
    /// Ticks per nanosecond.
    PerNano(u128),
    /// A second's power of two.
    Binary(u32),
}

/// A block whose lengths agree.
#[derive(Clone, Copy, Debug)]
struct Block<'a> {
    kind: u32,
    order: ByteOrder,
    body: &'a [u8],
}

/// What stands at a place where a block should be.
enum Framing<'a> {
    Whole(Block<'a>, usize),
    Short(usize),
    Damaged(Damage),
}

impl Default for Pcapng {
    fn default() -> Self {
        Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            drops: Drops::default(),
            time: Timestamp::default(),
            search: None,
        }
    }
}

impl Pcapng {
    /// Reads on at `at`.
    pub(super) fn step(
        &mut self,
        window: &Window<'_>,
        at: usize,
        packets: &mut Vec<RawPacket>,
        findings: &mut Findings,
    ) -> Step {
        let Some(search) = self.search else { return self.blocks(window, at, packets, findings) };
        match search.run(window, at, findings, |at| self.judge(window.from(at))) {
            Ok(at) => {
                self.search = None;
                Step { at, next: Next::Again }
            }
            Err(step) => step,
        }
    }

    /// Losses that the file has told so far.
    pub(super) fn drops(&self) -> Drops {
        self.interfaces.iter().fold(self.drops, |sum, interface| sum.plus(interface.drops))
    }

    fn blocks(
        &mut self,
        window: &Window<'_>,
        mut at: usize,
        packets: &mut Vec<RawPacket>,
        findings: &mut Findings,
    ) -> Step {
        loop {
            match Block::frame(self.order, window.from(at), RECORD_BYTES_MAX) {
                Framing::Whole(block, block_bytes) => {
                    match self.block(block, at + HEAD_BYTES) {
                        Ok(Some(packet)) => packets.push(packet),
                        Ok(None) => {}
                        Err(damage @ Damage::Version(_)) => {
                            let offset = window.offset_of(at);
                            findings.damaged(offset, damage, Aftermath::Abandoned(0));
                            return Step { at, next: Next::Nothing };
                        }
                        Err(damage) => {
                            let offset = window.offset_of(at);
                            findings.damaged(offset, damage, Aftermath::RecordSkipped);
                        }
                    }
                    at += block_bytes;
                }
                Framing::Short(needs) => return window.short(at, needs, findings),
                Framing::Damaged(damage) => {
                    self.search = Some(Search { damage, offset: window.offset_of(at) });
                    return Step { at: at + 1, next: Next::Again };
                }
            }
        }
    }

    /// Reads a block whose body begins at `body_at` of the window.
    #[inline]
    fn block(&mut self, block: Block<'_>, body_at: usize) -> Result<Option<RawPacket>, Damage> {
        match block.kind {
            ENHANCED_PACKET | OBSOLETE_PACKET => self.packet(block, body_at).map(Some),
            SIMPLE_PACKET => self.simple_packet(block, body_at).map(Some),
            SECTION_HEADER => self.section(block).map(|()| None),
            INTERFACE_DESCRIPTION => self.interface(block).map(|()| None),
            INTERFACE_STATISTICS => self.statistics(block).map(|()| None),
            _ => Ok(None),
        }
    }

    /// Sections 4.1 and 4.3 with appendix A of the specification: the two blocks differ in the
    /// width of the interface's number only.
    #[inline]
    fn packet(&mut self, block: Block<'_>, body_at: usize) -> Result<RawPacket, Damage> {
        let id = match block.kind {
            OBSOLETE_PACKET => u32::from(block.u16(0)?),
            _ => block.u32(0)?,
        };
        let ticks = u64::from(block.u32(4)?) << 32 | u64::from(block.u32(8)?);
        let captured_bytes = block.u32(12)?;
        let wire_bytes = block.u32(16)?.max(captured_bytes);
        if captured_bytes as usize > block.body.len() - PACKET_FIELDS_BYTES {
            return Err(Damage::PacketLength(captured_bytes));
        }
        let interface = self.interfaces.get(id as usize).ok_or(Damage::UnknownInterface(id))?;
        self.time = interface.clock.time(ticks);
        Ok(RawPacket {
            time: self.time,
            offset: u32::try_from(body_at + PACKET_FIELDS_BYTES).unwrap_or(u32::MAX),
            captured_bytes,
            wire_bytes,
            link: interface.link,
        })
    }

    /// A packet of the section's first interface, without a time.
    fn simple_packet(&mut self, block: Block<'_>, body_at: usize) -> Result<RawPacket, Damage> {
        let wire_bytes = block.u32(0)?;
        let interface = self.interfaces.first().ok_or(Damage::UnknownInterface(0))?;
        let snap_length = match interface.snap_length {
            0 => u32::MAX,
            bytes => bytes,
        };
        let captured_bytes = wire_bytes.min(snap_length);
        if captured_bytes as usize > block.body.len() - 4 {
            return Err(Damage::PacketLength(captured_bytes));
        }
        Ok(RawPacket {
            time: self.time,
            offset: u32::try_from(body_at + 4).unwrap_or(u32::MAX),
            captured_bytes,
            wire_bytes,
            link: interface.link,
        })
    }

    fn section(&mut self, block: Block<'_>) -> Result<(), Damage> {
        self.drops = self.drops();
        self.interfaces.clear();
        self.order = block.order;
        match block.u16(4)? {
            1 => Ok(()),
            major => Err(Damage::Version(major)),
        }
    }

    fn interface(&mut self, block: Block<'_>) -> Result<(), Damage> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(Damage::TooManyInterfaces);
        }
        let mut interface = Interface {
            link: LinkType(block.u16(0)?),
            snap_length: block.u32(4)?,
            clock: Clock { resolution: Resolution::Nanos(1_000), offset_seconds: 0 },
            drops: Drops::default(),
        };
        for (code, value) in block.options(8) {
            match (code, value) {
                (OPTION_TIME_RESOLUTION, &[code, ..]) => {
                    interface.clock.resolution = Resolution::of(code);
                }
                (OPTION_TIME_OFFSET, _) => {
                    let offset = block.order.u64(value, 0).unwrap_or(0);
                    interface.clock.offset_seconds = offset.cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn statistics(&mut self, block: Block<'_>) -> Result<(), Damage> {
        let id = block.u32(0)?;
        let interface = self.interfaces.get_mut(id as usize).ok_or(Damage::UnknownInterface(id))?;
        for (code, value) in block.options(12) {
            let count = block.order.u64(value, 0).unwrap_or(0);
            match code {
                OPTION_INTERFACE_DROPS => interface.drops.interface = count,
                OPTION_SYSTEM_DROPS => interface.drops.kernel = count,
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a sound block begins with `rest`.
    fn judge(&self, rest: &[u8]) -> Trust {
        match Block::frame(self.order, rest, SEARCH_BLOCK_BYTES_MAX) {
            Framing::Damaged(_) => Trust::Unsound,
            Framing::Short(_) if rest.len() >= 4 && !self.may_begin(rest) => Trust::Unsound,
            Framing::Short(_) => Trust::Unknown,
            Framing::Whole(..) if self.may_begin(rest) => Trust::Sound,
            Framing::Whole(..) => Trust::Unsound,
        }
    }

    /// Whether the first bytes are a type of the specification.
    fn may_begin(&self, rest: &[u8]) -> bool {
        let known = INTERFACE_DESCRIPTION..=ENHANCED_PACKET;
        self.order.u32(rest, 0).is_some_and(|kind| {
            known.contains(&kind) || matches!(kind, SECTION_HEADER | DECRYPTION_SECRETS)
        })
    }
}

impl<'a> Block<'a> {
    /// Looks for a block of at most `bytes_max` at the start of `rest`.
    #[inline]
    fn frame(section: ByteOrder, rest: &'a [u8], bytes_max: u32) -> Framing<'a> {
        let Some(kind) = section.u32(rest, 0) else { return Framing::Short(FRAME_BYTES) };
        let (order, bytes_min) = match (kind, rest.get(8..12)) {
            (SECTION_HEADER, None) => return Framing::Short(SECTION_HEADER_BYTES),
            (SECTION_HEADER, Some([0x4d, 0x3c, 0x2b, 0x1a])) => {
                (ByteOrder::Little, SECTION_HEADER_BYTES)
            }
            (SECTION_HEADER, Some([0x1a, 0x2b, 0x3c, 0x4d])) => {
                (ByteOrder::Big, SECTION_HEADER_BYTES)
            }
            (SECTION_HEADER, Some(_)) => return Framing::Damaged(Damage::ByteOrder),
            _ => (section, FRAME_BYTES),
        };
        let Some(start) = order.u32(rest, 4) else { return Framing::Short(FRAME_BYTES) };
        let block_bytes = start as usize;
        if block_bytes < bytes_min || start > bytes_max || start % 4 != 0 {
            return Framing::Damaged(Damage::BlockLength(start));
        }
        let trailer_at = block_bytes - 4;
        match (rest.get(HEAD_BYTES..trailer_at), order.u32(rest, trailer_at)) {
            (Some(body), Some(end)) if start == end => {
                Framing::Whole(Block { kind, order, body }, block_bytes)
            }
            (Some(_), Some(end)) => Framing::Damaged(Damage::BlockTrailer { start, end }),
            _ => Framing::Short(block_bytes),
        }
    }

    #[inline]
    fn u16(&self, at: usize) -> Result<u16, Damage> {
        self.order.u16(self.body, at).ok_or(Damage::BlockTooShort)
    }

    #[inline]
    fn u32(&self, at: usize) -> Result<u32, Damage> {
        self.order.u32(self.body, at).ok_or(Damage::BlockTooShort)
    }

    /// The options from `at` on: code and value, up to the end mark or a length that cannot be.
    fn options(&self, at: usize) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.body.get(at..).unwrap_or_default();
        let order = self.order;
        std::iter::from_fn(move || {
            let code = order.u16(rest, 0).filter(|code| *code != 0)?;
            let value_bytes = usize::from(order.u16(rest, 2)?);
            let value = rest.get(4..4 + value_bytes)?;
            rest = rest.get(4 + value_bytes.next_multiple_of(4)..).unwrap_or_default();
            Some((code, value))
        })
    }
}

impl Clock {
    #[inline]
    fn time(&self, ticks: u64) -> Timestamp {
        let nanos = match self.resolution {
            Resolution::Nanos(nanos) => i64::try_from(ticks.saturating_mul(nanos)),
            Resolution::PerNano(per_nano) => i64::try_from(u128::from(ticks) / per_nano),
            Resolution::Binary(power) => {
                i64::try_from((u128::from(ticks) * 1_000_000_000) >> power)
            }
        };
        Timestamp::from_secs_nanos(self.offset_seconds, nanos.unwrap_or(i64::MAX))
    }
}

impl Resolution {
    /// Option `if_tsresol`: a negative power of ten, or of two where the upper bit is set.
    fn of(code: u8) -> Self {
        let power = u32::from(code & 0x7f);
        match code {
            0..=9 => Self::Nanos(10_u64.pow(9 - power)),
            10..=0x7f => Self::PerNano(10_u128.saturating_pow(power - 9)),
            0x80.. => Self::Binary(power),
        }
    }
}

impl Drops {
    const fn plus(self, other: Self) -> Self {
        Self {
            interface: self.interface.saturating_add(other.interface),
            kernel: self.kernel.saturating_add(other.kernel),
        }
    }
}
