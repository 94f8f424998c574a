//! Network interfaces as a source of packets.
//!
//! In: names of interfaces. Out: batches in the order of time, or, when none has come for a while,
//! the instant up to which none will. One thread hears all interfaces; the kernel's ring of each is
//! the only place where packets wait, and the only one where they are lost, which it counts.
//!
//! - **Invariant:** when the source has ended, packets sent = packets given + kernel drops,
//!   exactly: nothing is let in any more, then what is in the rings is read, then the counts are.
//! - **Invariant:** no packet is given twice, and none is given after the end.

mod filling;
#[cfg(target_os = "linux")]
mod frames;
mod interleave;
mod libpcap;
pub mod mirror;
#[cfg(target_os = "linux")]
mod packet_socket;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod ring;
mod tap;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use analyzers::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::block::BlockPool;
use super::files::Problems;
use super::{BLOCK_BYTES, Batch, CaptureError, Fill, Pressure, Problem, RawPacket, Source, Tally};
use crate::clock::Stopwatch;
use filling::Filling;
use interleave::Interleave;
use mirror::{Mirror, MirrorSocket};
use tap::Tap;

/// How long a call waits for packets before it says that there are none: how late a time-out may
/// be noticed.
const PATIENCE: Duration = Duration::from_millis(100);

/// How much later than its time a packet may be given to us: the kernel keeps it until its block is
/// full or old, and a busy machine takes longer. An instant is called quiet when it is so far past.
const LATENESS: Duration = Duration::from_secs(1);

/// The same between interfaces, where it delays every packet of all of them.
const SKEW: Duration = Duration::from_millis(100);

/// How long the last packets are waited for after the door is closed; the kernel hands them over in
/// a fifth of it.
const LAST_PACKETS: Duration = Duration::from_millis(100);

/// How often the kernel's counts are read.
const COUNTS_EVERY: Duration = Duration::from_millis(500);

/// How interfaces are heard.
#[derive(Clone, Debug)]
pub struct InterfaceSettings {
    /// Memory of each one's ring, in bytes.
    pub ring_bytes: u64,
    /// Only packets that this BPF expression matches.
    pub filter: Option<String>,
    /// Whether frames to other hosts are asked for.
    pub promiscuity: Promiscuity,
    /// By which means.
    pub method: Method,
    /// Ports that mirrors send to; the filter does not apply to them.
    pub mirrors: Vec<Mirror>,
}

/// Whether frames to other hosts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promiscuity {
    /// All frames.
    On,
    /// Those that the interface takes anyway.
    Off,
}

/// The means by which an interface is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A packet socket with a ring, on Linux.
    Ring,
    /// libpcap.
    Libpcap,
}

impl Method {
    /// What is best here.
    pub const BEST: Self = if cfg!(target_os = "linux") { Self::Ring } else { Self::Libpcap };
}

/// Ends a source from another thread. Clones end the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Interfaces that are heard.
pub struct Interfaces {
    taps: Vec<Box<dyn Tap>>,
    interleave: Interleave,
    pool: BlockPool,
    stop: Stop,
    /// Since when nothing is let in any more.
    closed: Option<Stopwatch>,
    /// The latest packet time, and since when it is known.
    latest: Option<(Timestamp, Stopwatch)>,
    counted: Stopwatch,
    problems: Problems,
    tally: Tally,
}

impl Interfaces {
    /// Opens interfaces and the ports of mirrors; `stop` ends them.
    ///
    /// # Errors
    /// None was named, one cannot be opened, or the filter is wrong.
    pub fn open(
        names: &[String],
        settings: &InterfaceSettings,
        stop: Stop,
    ) -> Result<Self, CaptureError> {
        let interfaces = names.iter().map(|name| open(name, settings));
        let mirrors = settings.mirrors.iter().map(|mirror| {
            let socket = MirrorSocket::open(*mirror, settings.ring_bytes)?;
            Ok(Box::new(socket) as Box<dyn Tap>)
        });
        let taps = interfaces.chain(mirrors).collect::<Result<Vec<_>, _>>()?;
        if taps.is_empty() {
            return Err(CaptureError::NoInterface);
        }
        Ok(Self {
            interleave: Interleave::new(taps.len()),
            taps,
            pool: BlockPool::new(BLOCK_BYTES),
            stop,
            closed: None,
            latest: None,
            counted: Stopwatch::start(),
            problems: Problems::default(),
            tally: Tally::default(),
        })
    }

    /// What has come, in order.
    fn take(&mut self, packets: Vec<RawPacket>) -> Batch {
        if let [tap] = self.taps.as_mut_slice() {
            return read(tap.as_mut(), &mut self.pool, &mut self.problems, packets);
        }
        // Known before the rings are looked at, so that what comes meanwhile is not thought late.
        let present = self.present(SKEW);
        for (at, tap) in self.taps.iter_mut().enumerate() {
            while self.interleave.has_room(at) {
                let batch = read(tap.as_mut(), &mut self.pool, &mut self.problems, Vec::new());
                if batch.packets.is_empty() {
                    self.interleave.reach(at, present);
                    break;
                }
                note_latest(&mut self.latest, &batch.packets);
                self.interleave.push(at, batch);
            }
        }
        if self.is_drained() {
            self.interleave.reach_the_end();
        }
        self.interleave.next(&mut self.pool, packets)
    }

    /// An instant `margin` before the present, in packet time: that of the latest packet, moved on
    /// by the time since. So it does not leap when somebody sets the clock.
    fn present(&self, margin: Duration) -> Timestamp {
        let Some((latest, since)) = self.latest else { return Timestamp::MIN };
        let margin = i64::try_from(margin.as_nanos()).unwrap_or(i64::MAX);
        let earlier = latest.nanos().saturating_sub(margin);
        Timestamp::from_nanos(earlier).after(since.elapsed())
    }

    /// Waits until packets come, for [`PATIENCE`] at most.
    fn wait(&self) {
        let patience = if self.closed.is_some() { LAST_PACKETS / 10 } else { PATIENCE };
        let timeout = Timespec::try_from(patience).ok();
        let sockets = self.taps.iter().filter_map(|tap| tap.socket());
        let mut polled: Vec<_> =
            sockets.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN)).collect();
        // A signal ends the wait early, which does no harm.
        let _ = poll(&mut polled, timeout.as_ref());
    }

    fn close_door(&mut self) {
        for tap in &mut self.taps {
            tap.close_door();
        }
        self.closed = Some(Stopwatch::start());
    }

    /// Whether all that was let in has been read.
    fn is_drained(&self) -> bool {
        self.closed.is_some_and(|since| since.elapsed() >= LAST_PACKETS)
    }

    fn count_losses(&mut self) {
        for tap in &mut self.taps {
            let losses = tap.losses();
            self.tally.kernel_drops += losses.kernel;
            self.tally.interface_drops += losses.interface;
        }
        self.counted = Stopwatch::start();
    }

    /// Replaces what `batch` holds by what has come; answers whether anything has.
    fn look(&mut self, batch: &mut Batch) -> bool {
        let mut packets = std::mem::take(&mut batch.packets);
        packets.clear();
        *batch = self.take(packets);
        note_latest(&mut self.latest, &batch.packets);
        self.tally.packets += batch.packets.len() as u64;
        self.tally.captured_bytes +=
            batch.packets.iter().map(|packet| u64::from(packet.captured_bytes)).sum::<u64>();
        !batch.packets.is_empty()
    }
}

fn note_latest(latest: &mut Option<(Timestamp, Stopwatch)>, packets: &[RawPacket]) {
    let time = packets.iter().map(|packet| packet.time).max();
    if let Some(time) = time.filter(|time| latest.is_none_or(|(known, _)| *time > known)) {
        *latest = Some((time, Stopwatch::start()));
    }
}

#[cfg(target_os = "linux")]
fn open(name: &str, settings: &InterfaceSettings) -> Result<Box<dyn Tap>, CaptureError> {
    Ok(match settings.method {
        Method::Ring => Box::new(packet_socket::PacketSocket::open(name, settings)?),
        Method::Libpcap => Box::new(libpcap::Libpcap::open(name, settings)?),
    })
}

#[cfg(not(target_os = "linux"))]
fn open(name: &str, settings: &InterfaceSettings) -> Result<Box<dyn Tap>, CaptureError> {
    Ok(Box::new(libpcap::Libpcap::open(name, settings)?))
}

/// A batch of what has come to one tap; empty when nothing has.
fn read(
    tap: &mut dyn Tap,
    pool: &mut BlockPool,
    problems: &mut Problems,
    packets: Vec<RawPacket>,
) -> Batch {
    let mut filling = Filling::new(pool, 1, packets);
    tap.read(&mut filling, problems);
    filling.into_batch(pool)
}

impl Source for Interfaces {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        if self.stop.is_asked() && self.closed.is_none() {
            self.close_door();
        }
        if self.counted.elapsed() >= COUNTS_EVERY {
            self.count_losses();
        }
        let is_last_look = self.is_drained();
        if self.look(batch) {
            return Ok(Fill::Packets);
        }
        if is_last_look {
            self.count_losses();
            return Ok(Fill::End);
        }
        self.wait();
        // Known before the rings are looked at: what comes meanwhile is not older.
        let quiet = self.present(LATENESS);
        Ok(if self.look(batch) { Fill::Packets } else { Fill::Quiet(quiet) })
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn problems(&mut self) -> Vec<Problem> {
        self.problems.take()
    }

    /// That of the ring that is fullest.
    fn pressure(&self) -> Pressure {
        self.taps.iter().map(|tap| tap.pressure()).max().unwrap_or_default()
    }
}
