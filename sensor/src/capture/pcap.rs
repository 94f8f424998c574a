//! The pcap format (draft-ietf-opsawg-pcap): a header of 24 bytes, then records of a header of 16
//! bytes and a packet.
//!
//! In: windows of the file. Out: packets. Read are microseconds and nanoseconds in both byte
//! orders, Kuznetzov's variant with 24 bytes of record header, the swapped lengths of versions
//! before 2.4 (as libpcap has them), and files that were written one behind the other into one.
//!
//! A record has no magic, so that damage is recognised by impossible lengths alone. Behind damage,
//! reading goes on where three records follow each other with possible lengths and times near those
//! before, or one or two that end exactly where the file ends.

use analyzers::Timestamp;

use super::format::{
    ByteOrder, Findings, Next, PACKET_BYTES_MAX, RECORD_BYTES_MAX, Search, Step, Supply, Trust,
    Window,
};
use super::{Damage, LinkType, RawPacket};

/// Bytes of the file's header.
const FILE_HEADER_BYTES: usize = 24;

/// Records that must follow each other for a search to end.
const CHAIN_RECORDS: usize = 3;

/// Seconds between neighbouring records that a search believes: a week. Random four bytes pass with
/// a chance of one in three thousand.
const CHAIN_SECONDS_MAX: u32 = 7 * 86_400;

/// A pcap file that is being read.
#[derive(Debug, Default)]
pub(super) struct Pcap {
    state: State,
    /// Time of the last sound record, in seconds.
    seconds: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// The file's header comes next.
    #[default]
    Start,
    /// Records.
    Records(Layout),
    /// Damage; the next sound record is looked for.
    Searching(Layout, Search),
}

/// What the file's header says about the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    order: ByteOrder,
    nanos_per_tick: u32,
    record_header_bytes: usize,
    lengths: Lengths,
    /// Longest packet that is believed.
    packet_bytes_max: u32,
    link: LinkType,
}

/// Which of a record's two lengths comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// Version 2.3: both occur; the smaller one is what was captured.
    SmallerIsCaptured,
}

/// A record's header.
#[derive(Clone, Copy, Debug)]
struct RecordHeader {
    seconds: u32,
    ticks: u32,
    captured: u32,
    wire: u32,
}

impl Pcap {
    /// Reads on at `at`.
    pub(super) fn step(
        &mut self,
        window: &Window<'_>,
        at: usize,
        packets: &mut Vec<RawPacket>,
        findings: &mut Findings,
    ) -> Step {
        match self.state {
            State::Start => match Layout::read(window.from(at)) {
                Some(layout) => {
                    self.state = State::Records(layout);
                    Step { at: at + FILE_HEADER_BYTES, next: Next::Again }
                }
                None => window.short(at, FILE_HEADER_BYTES, findings),
            },
            State::Records(layout) => self.records(layout, window, at, packets, findings),
            State::Searching(layout, search) => {
                let judge = |at| layout.judge(window, at, self.seconds);
                match search.run(window, at, findings, judge) {
                    Ok(at) => {
                        self.state = State::Records(layout);
                        Step { at, next: Next::Again }
                    }
                    Err(step) => step,
                }
            }
        }
    }

    fn records(
        &mut self,
        layout: Layout,
        window: &Window<'_>,
        mut at: usize,
        packets: &mut Vec<RawPacket>,
        findings: &mut Findings,
    ) -> Step {
        loop {
            let rest = window.from(at);
            let Some(header) = layout.record_header(rest) else {
                return window.short(at, layout.record_header_bytes, findings);
            };
            if header.captured == 0 && Layout::begins(rest) {
                self.state = State::Start;
                return Step { at, next: Next::Again };
            }
            if let Some(damage) = layout.damage(header) {
                let search = Search { damage, offset: window.offset_of(at) };
                self.state = State::Searching(layout, search);
                return Step { at: at + 1, next: Next::Again };
            }
            let record_bytes = layout.record_header_bytes + header.captured as usize;
            if rest.len() < record_bytes {
                return window.short(at, record_bytes, findings);
            }
            packets.push(layout.packet(header, at));
            self.seconds = Some(header.seconds);
            at += record_bytes;
        }
    }
}

impl Layout {
    /// Reads a file's header; `None` where it is cut short or has another magic.
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<FILE_HEADER_BYTES>()?;
        let (order, nanos_per_tick, record_header_bytes) = Self::magic(header)?;
        let lengths = match (order.u16(header, 4)?, order.u16(header, 6)?) {
            (2, 0..=2) | (_, 543) => Lengths::WireFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        let believed = PACKET_BYTES_MAX..=RECORD_BYTES_MAX;
        let snap_length = order.u32(header, 16)?;
        let packet_bytes_max =
            if believed.contains(&snap_length) { snap_length } else { *believed.start() };
        // The upper half holds the length of the frame check sequence and reserved bits.
        let link = LinkType((order.u32(header, 20)? & 0xffff) as u16);
        Some(Self { order, nanos_per_tick, record_header_bytes, lengths, packet_bytes_max, link })
    }

    /// Byte order, nanoseconds per tick and bytes of a record's header, by the first four bytes.
    fn magic(bytes: &[u8]) -> Option<(ByteOrder, u32, usize)> {
        match bytes.first_chunk()? {
            [0xd4, 0xc3, 0xb2, 0xa1] => Some((ByteOrder::Little, 1_000, 16)),
            [0xa1, 0xb2, 0xc3, 0xd4] => Some((ByteOrder::Big, 1_000, 16)),
            [0x4d, 0x3c, 0xb2, 0xa1] => Some((ByteOrder::Little, 1, 16)),
            [0xa1, 0xb2, 0x3c, 0x4d] => Some((ByteOrder::Big, 1, 16)),
            [0x34, 0xcd, 0xb2, 0xa1] => Some((ByteOrder::Little, 1_000, 24)),
            [0xa1, 0xb2, 0xcd, 0x34] => Some((ByteOrder::Big, 1_000, 24)),
            _ => None,
        }
    }

    /// Whether a file's header begins here. A record with these bytes would be an empty packet of
    /// the year 2055, or of one of its byte-swapped siblings.
    fn begins(bytes: &[u8]) -> bool {
        Self::magic(bytes).is_some_and(|(order, ..)| order.u16(bytes, 4) == Some(2))
    }

    #[inline]
    fn record_header(&self, bytes: &[u8]) -> Option<RecordHeader> {
        let header = bytes.get(..self.record_header_bytes)?;
        let first = self.order.u32(header, 8)?;
        let second = self.order.u32(header, 12)?;
        let (captured, wire) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::WireFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        Some(RecordHeader {
            seconds: self.order.u32(header, 0)?,
            ticks: self.order.u32(header, 4)?,
            captured,
            wire,
        })
    }

    #[inline]
    fn damage(&self, header: RecordHeader) -> Option<Damage> {
        if header.captured > self.packet_bytes_max {
            return Some(Damage::RecordLength(header.captured));
        }
        let zeros = header.captured == 0 && header.wire == 0 && header.seconds == 0;
        (zeros && header.ticks == 0).then_some(Damage::ZeroFilled)
    }

    #[inline]
    fn packet(&self, header: RecordHeader, at: usize) -> RawPacket {
        let nanos = i64::from(header.ticks) * i64::from(self.nanos_per_tick);
        RawPacket {
            time: Timestamp::from_secs_nanos(i64::from(header.seconds), nanos),
            offset: u32::try_from(at + self.record_header_bytes).unwrap_or(u32::MAX),
            captured_bytes: header.captured,
            wire_bytes: header.wire.max(header.captured),
            link: self.link,
        }
    }

    /// Whether a chain of sound records begins at `at`.
    fn judge(&self, window: &Window<'_>, mut at: usize, mut seconds: Option<u32>) -> Trust {
        for record in 0..CHAIN_RECORDS {
            let rest = window.from(at);
            let at_end = at == window.bytes.len() && window.supply == Supply::Ended;
            if at_end && record > 0 {
                return Trust::Sound;
            }
            let Some(header) = self.record_header(rest) else { return Trust::Unknown };
            if !self.plausible(header, seconds) {
                return Trust::Unsound;
            }
            seconds = Some(header.seconds);
            at += self.record_header_bytes + header.captured as usize;
        }
        Trust::Sound
    }

    /// Whether a header could be one, near a record at `seconds`.
    fn plausible(&self, header: RecordHeader, seconds: Option<u32>) -> bool {
        let ticks_per_second = 1_000_000_000 / self.nanos_per_tick;
        let near = |other: u32| header.seconds.abs_diff(other) <= CHAIN_SECONDS_MAX;
        header.ticks < ticks_per_second
            && header.captured > 0
            && (header.captured..=PACKET_BYTES_MAX).contains(&header.wire)
            && seconds.is_none_or(near)
    }
}
