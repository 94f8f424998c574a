//! What the two capture formats have in common.
//!
//! In: a window of bytes of the file. Out: packets that point into the window, findings about what
//! is damaged, and how many bytes were used up. A record that the window's end cuts is left for the
//! next window.

use super::content::Content;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::{Aftermath, Damage, ProblemKind, RawPacket};

/// Longest record or block that is read whole. libpcap's bound for pcapng blocks; without it one
/// length field would take up to four gibibytes.
pub(super) const RECORD_BYTES_MAX: u32 = 16 << 20;

/// Longest packet that is believed where a file gives no larger snap length itself, and in the
/// search for sound records behind damage; libpcap's greatest snap length.
pub(super) const PACKET_BYTES_MAX: u32 = 262_144;

/// Bytes that are searched behind damage before a file is left. A file of garbage is given up in
/// well under a second.
const SEARCH_BYTES_MAX: u64 = 16 << 20;

/// Window that a search asks for. It holds any chain of records that a search follows, so that each
/// window moves the search on by most of its length and the work stays linear.
pub(super) const SEARCH_WINDOW_BYTES: usize = 4 * PACKET_BYTES_MAX as usize;

/// Damaged places of a file that are told one by one; the others are counted. Without it a file of
/// damage would fill the screen and the memory.
const FINDINGS_LISTED: usize = 8;

/// Byte order of a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Two bytes at `at`.
    #[inline]
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    /// Four bytes at `at`.
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }

    /// Eight bytes at `at`.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(field),
            Self::Big => u64::from_be_bytes(field),
        })
    }
}

/// Whether more bytes can follow a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Supply {
    More,
    Ended,
}

/// Bytes of a capture file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// Offset of the first of them in the file, decompressed.
    pub(super) offset: u64,
    /// Whether this is all.
    pub(super) supply: Supply,
}

impl<'a> Window<'a> {
    /// The bytes from `at` on.
    #[inline]
    pub(super) fn from(&self, at: usize) -> &'a [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Offset of `at` in the file.
    pub(super) const fn offset_of(&self, at: usize) -> u64 {
        self.offset + at as u64
    }

    /// What follows where the record at `at` has `needs` bytes, more than there are: the next
    /// window brings them, or the file is cut short.
    pub(super) fn short(&self, at: usize, needs: usize, findings: &mut Findings) -> Step {
        if self.supply == Supply::More {
            return Step { at, next: Next::Bytes(needs) };
        }
        let has = self.bytes.len().saturating_sub(at) as u64;
        if has > 0 {
            findings.cut_short(self.offset_of(at), needs as u64, has);
        }
        Step { at, next: Next::Nothing }
    }
}

/// Where reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes of the window that are used up.
    pub(super) at: usize,
    /// What it takes to go on.
    pub(super) next: Next,
}

/// What it takes to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another look at the same window.
    Again,
    /// So many bytes from [`Step::at`] on; always more than the window has there.
    Bytes(usize),
    /// Nothing; the file is done.
    Nothing,
}

/// What is wrong with a file, bounded.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Places and what is wrong there.
    pub(super) listed: Vec<(u64, ProblemKind)>,
    /// Damaged places, listed or not.
    pub(super) places: u64,
}

impl Findings {
    /// Notes damage at `offset`.
    pub(super) fn damaged(&mut self, offset: u64, damage: Damage, aftermath: Aftermath) {
        self.places += 1;
        if self.listed.len() < FINDINGS_LISTED {
            self.listed.push((offset, ProblemKind::Damaged { damage, aftermath }));
        }
    }

    /// Notes that the file ends within a record.
    fn cut_short(&mut self, offset: u64, needs: u64, has: u64) {
        self.places += 1;
        self.listed.push((offset, ProblemKind::CutShort { needs, has }));
    }

    /// Takes back that the file ends within a record: reading failed there.
    pub(super) fn end_is_not_the_files(&mut self) {
        if let Some((_, ProblemKind::CutShort { .. })) = self.listed.last() {
            self.listed.pop();
            self.places -= 1;
        }
    }
}

/// A search for sound records behind damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// What was damaged.
    pub(super) damage: Damage,
    /// Where.
    pub(super) offset: u64,
}

/// What a search thinks of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Sound records begin here.
    Sound,
    /// They do not.
    Unsound,
    /// The window is too short to tell.
    Unknown,
}

impl Search {
    /// Tries every place from `at` on with `judge`. `Ok` is the first sound one.
    pub(super) fn run(
        self,
        window: &Window<'_>,
        mut at: usize,
        findings: &mut Findings,
        judge: impl Fn(usize) -> Trust,
    ) -> Result<usize, Step> {
        while at < window.bytes.len() {
            let searched = window.offset_of(at) - self.offset;
            if searched > SEARCH_BYTES_MAX {
                return Err(self.abandon(at, searched, findings));
            }
            match judge(at) {
                Trust::Sound => {
                    findings.damaged(self.offset, self.damage, Aftermath::Resumed(searched));
                    return Ok(at);
                }
                Trust::Unknown if window.supply == Supply::More => {
                    return Err(Step { at, next: Next::Bytes(SEARCH_WINDOW_BYTES) });
                }
                Trust::Unknown | Trust::Unsound => at += 1,
            }
        }
        if window.supply == Supply::More {
            return Err(Step { at, next: Next::Bytes(SEARCH_WINDOW_BYTES) });
        }
        Err(self.abandon(at, window.offset_of(at) - self.offset, findings))
    }

    fn abandon(self, at: usize, searched: u64, findings: &mut Findings) -> Step {
        findings.damaged(self.offset, self.damage, Aftermath::Abandoned(searched));
        Step { at, next: Next::Nothing }
    }
}

/// Packets that the capturing side lost, as the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drops {
    /// At the interfaces.
    pub(super) interface: u64,
    /// In the operating system.
    pub(super) kernel: u64,
}

/// A file's format, with all that reading has to remember.
#[derive(Debug)]
pub(super) enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Format {
    /// The reader for `content`; `None` where that is no capture.
    pub(super) fn of(content: &Content) -> Option<Self> {
        match content {
            Content::Pcap => Some(Self::Pcap(Pcap::default())),
            Content::Pcapng => Some(Self::Pcapng(Pcapng::default())),
            _ => None,
        }
    }

    /// Reads all whole records of `window`.
    pub(super) fn read(
        &mut self,
        window: &Window<'_>,
        packets: &mut Vec<RawPacket>,
        findings: &mut Findings,
    ) -> Step {
        let mut at = 0;
        loop {
            let step = match self {
                Self::Pcap(pcap) => pcap.step(window, at, packets, findings),
                Self::Pcapng(pcapng) => pcapng.step(window, at, packets, findings),
            };
            match step.next {
                Next::Again => at = step.at,
                Next::Bytes(_) | Next::Nothing => return step,
            }
        }
    }

    /// Losses that the file has told so far.
    pub(super) fn drops(&self) -> Drops {
        match self {
            Self::Pcap(_) => Drops::default(),
            Self::Pcapng(pcapng) => pcapng.drops(),
        }
    }
}
