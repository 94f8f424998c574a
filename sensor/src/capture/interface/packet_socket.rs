//! An interface heard through a packet socket with a ring: the way on Linux.
//!
//! In: an interface's name. Out: its frames as packets. An interface that goes down, vanishes or
//! comes back under another number is told, and heard again as soon as it is there: the socket is
//! bound anew, which needs no privilege.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::filling::{Arrived, Filling};
use super::frames::Frames;
use super::ring::{Instruction, Ring, Shape};
use super::tap::{Losses, Tap};
use super::{InterfaceSettings, Promiscuity};
use crate::capture::files::Problems;
use crate::capture::{CaptureError, LinkType, Pressure, Problem, ProblemKind};
use crate::clock::Stopwatch;

/// How often a lost interface is looked for.
const RETRY: Duration = Duration::from_millis(500);

/// Hardware types of interfaces (`linux/if_arp.h`) and what their frames begin with. All others
/// begin with IP.
const HARDWARE: &[(u16, LinkType)] = &[
    (1, LinkType(1)),     // Ethernet
    (772, LinkType(1)),   // loopback, whose addresses are zeros
    (801, LinkType(105)), // IEEE 802.11
    (803, LinkType(127)), // IEEE 802.11 with radiotap
];

/// Raw IP, for tunnels.
const RAW_IP: LinkType = LinkType(101);

/// The loopback device: each packet passes it twice, once in each direction.
const LOOPBACK: u16 = 772;

/// An interface with its ring.
pub(super) struct PacketSocket {
    name: String,
    ring: Ring,
    /// The interface's number, by which the ring is bound.
    index: u32,
    link: LinkType,
    promiscuity: Promiscuity,
    block_bytes: usize,
    /// Since when it is looked for.
    lost: Option<Stopwatch>,
    missed: Missed,
}

impl PacketSocket {
    /// Opens the interface `name`.
    ///
    /// # Errors
    /// It is not there, the process may not, the filter is wrong or there is no memory.
    pub(super) fn open(name: &str, settings: &InterfaceSettings) -> Result<Self, CaptureError> {
        let program = settings.filter.as_deref().map(|expression| compile(name, expression));
        let program = program.transpose()?;
        let shape = Shape::of(settings.ring_bytes);
        Self::hear(name, shape, settings.promiscuity, program.as_deref())
            .map_err(|cause| CaptureError::Interface { name: name.to_owned(), cause })
    }

    fn hear(
        name: &str,
        shape: Shape,
        promiscuity: Promiscuity,
        program: Option<&[Instruction]>,
    ) -> io::Result<Self> {
        let ring = Ring::open(shape)?;
        let index = rustix::net::netdevice::name_to_index(&ring, name)?;
        if let Some(program) = program {
            ring.filter(program)?;
        }
        let mut this = Self {
            name: name.to_owned(),
            ring,
            index,
            link: RAW_IP,
            promiscuity,
            block_bytes: shape.block_bytes as usize,
            lost: None,
            missed: Missed::of(name),
        };
        this.bind(index)?;
        Ok(this)
    }

    /// Hears the interface of that number.
    fn bind(&mut self, index: u32) -> io::Result<()> {
        self.ring.bind(index)?;
        self.index = index;
        let hardware = self.ring.hardware_type()?;
        let known = HARDWARE.iter().find(|(number, _)| *number == hardware);
        self.link = known.map_or(RAW_IP, |(_, link)| *link);
        if hardware == LOOPBACK {
            // A kernel that cannot gives the packets of this host twice.
            let _ = self.ring.ignore_outgoing();
        }
        match self.promiscuity {
            Promiscuity::On => self.ring.listen_to_all(index),
            Promiscuity::Off => Ok(()),
        }
    }

    /// Looks whether the socket or its interface has a fault, and whether it is over.
    fn look_after(&mut self, problems: &mut Problems) {
        let fault = rustix::net::sockopt::socket_error(&self.ring);
        if let Ok(Err(errno)) = fault
            && self.lost.is_none()
        {
            self.lost = Some(Stopwatch::start());
            let message = io::Error::from(errno).to_string();
            self.tell(ProblemKind::InterfaceLost { message }, problems);
        }
        if self.lost.is_some_and(|since| since.elapsed() >= RETRY) {
            self.lost = Some(Stopwatch::start());
            if self.is_back() {
                self.back(problems);
            }
        }
    }

    /// Whether the interface is up again, perhaps under another number or name.
    fn is_back(&mut self) -> bool {
        if let Ok(name) = rustix::net::netdevice::index_to_name(&self.ring, self.index) {
            return self.ring.is_up(&name).unwrap_or(false);
        }
        let Ok(index) = rustix::net::netdevice::name_to_index(&self.ring, &self.name) else {
            return false;
        };
        self.ring.is_up(&self.name).unwrap_or(false) && self.bind(index).is_ok()
    }

    fn back(&mut self, problems: &mut Problems) {
        self.lost = None;
        self.tell(ProblemKind::InterfaceBack, problems);
    }

    fn tell(&self, what: ProblemKind, problems: &mut Problems) {
        problems.add(Problem { path: PathBuf::from(&self.name), offset: None, what });
    }
}

impl Tap for PacketSocket {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.ring.as_fd())
    }

    fn read(&mut self, filling: &mut Filling, problems: &mut Problems) {
        let link = self.link;
        let before = filling.packets.len();
        // What a block of the ring holds is always less, as its headers are longer than tags.
        while filling.room() >= self.block_bytes {
            let taken = self.ring.take(|block| {
                for frame in Frames::of(block) {
                    let (time, wire_bytes, bytes) = (frame.time, frame.wire_bytes, frame.bytes);
                    filling.put(&Arrived { time, link, wire_bytes, bytes, tag: frame.tag });
                }
            });
            if taken.is_none() {
                break;
            }
        }
        match filling.packets.len() {
            after if after == before => self.look_after(problems),
            _ if self.lost.is_some() => self.look_after(problems),
            _ => {}
        }
    }

    fn pressure(&self) -> Pressure {
        self.ring.pressure()
    }

    fn losses(&mut self) -> Losses {
        let kernel = self.ring.counts().map_or(0, |counts| counts.lost);
        Losses { kernel, interface: self.missed.since_last() }
    }

    fn close_door(&mut self) {
        if let Err(error) = self.ring.close_door() {
            tracing::warn!(interface = self.name, %error, "packets may be lost at the end");
        }
    }
}

/// The card's own count of packets for which it had no room.
struct Missed {
    file: Option<File>,
    last: Option<u64>,
}

impl Missed {
    fn of(name: &str) -> Self {
        // A namespace without its own /sys has no such file, and the count stays zero.
        let file = File::open(format!("/sys/class/net/{name}/statistics/rx_missed_errors")).ok();
        let mut this = Self { file, last: None };
        this.since_last();
        this
    }

    fn since_last(&mut self) -> u64 {
        let mut text = [0; 24];
        let read = self.file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok());
        let digits = read.and_then(|read| text.get(..read)).unwrap_or_default();
        let count = str::from_utf8(digits).ok().and_then(|text| text.trim().parse().ok());
        let last = std::mem::replace(&mut self.last, count);
        // A counter that went back belongs to an interface that was made anew.
        count.zip(last).map_or(0, |(count, last)| count.saturating_sub(last))
    }
}

/// The kernel's program for `expression` on the interface `name`. libpcap knows how the kernel
/// keeps VLAN tags aside only for an interface that is open.
fn compile(name: &str, expression: &str) -> Result<Vec<Instruction>, CaptureError> {
    let wrong = |error: pcap::Error| CaptureError::Filter {
        expression: expression.to_owned(),
        message: match error {
            pcap::Error::PcapError(message) => message,
            other => other.to_string(),
        },
    };
    let cannot = |error: pcap::Error| CaptureError::Interface {
        name: name.to_owned(),
        cause: io::Error::other(error.to_string()),
    };
    let opened = pcap::Capture::from_device(name).map_err(cannot)?.open().map_err(cannot)?;
    let program = opened.compile(expression, true).map_err(wrong)?;
    program
        .get_instructions()
        .iter()
        .map(|instruction| parse(&instruction.to_string()))
        .collect::<Option<_>>()
        .ok_or_else(|| wrong(pcap::Error::InvalidString))
}

/// An instruction as the `pcap` crate shows it: code, jumps if true and false, operand.
fn parse(text: &str) -> Option<Instruction> {
    let mut numbers = text.split(' ').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    Some(Instruction {
        code: next()?.try_into().ok()?,
        jt: next()?.try_into().ok()?,
        jf: next()?.try_into().ok()?,
        k: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_as_the_crate_shows_them() {
        let instruction = parse("21 0 5 34525").unwrap();
        let Instruction { code, jt, jf, k } = instruction;
        assert_eq!((code, jt, jf, k), (21, 0, 5, 34_525));
        for text in ["", "21 0 5", "21 0 256 0", "x 0 0 0", "21 0 5 -1"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
