//! An interface heard through libpcap: the way on every system but Linux, and on Linux where asked
//! for.
//!
//! In: an interface's name. Out: its frames as packets. What ends it is told, and it is opened
//! again as soon as that is possible.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use analyzers::Timestamp;
use pcap::{Active, Capture, Precision};

use super::filling::{Arrived, Filling};
use super::tap::{Losses, Tap};
use super::{InterfaceSettings, Promiscuity};
use crate::capture::files::Problems;
use crate::capture::{CaptureError, LinkType, Problem, ProblemKind};
use crate::clock::Stopwatch;

/// Bytes of a packet that are captured: all, as no packet is longer but those that a card has put
/// together for itself.
const SNAP_BYTES: u16 = u16::MAX;

/// How long the system may keep a packet back.
const TIMEOUT_MILLIS: i32 = 20;

/// How often a lost interface is tried.
const RETRY: Duration = Duration::from_secs(1);

/// An interface that libpcap has opened.
pub(super) struct Libpcap {
    name: String,
    settings: InterfaceSettings,
    capture: Option<Capture<Active>>,
    link: LinkType,
    /// What the statistics said last, which count from the opening.
    last: Losses,
    tried: Stopwatch,
    is_closed: bool,
}

impl Libpcap {
    /// Opens the interface `name`.
    ///
    /// # Errors
    /// It is not there, the process may not, or the filter is wrong.
    pub(super) fn open(name: &str, settings: &InterfaceSettings) -> Result<Self, CaptureError> {
        let (capture, link) = open(name, settings)?;
        Ok(Self {
            name: name.to_owned(),
            settings: settings.clone(),
            capture: Some(capture),
            link,
            last: Losses::default(),
            tried: Stopwatch::start(),
            is_closed: false,
        })
    }

    fn reopen(&mut self, problems: &mut Problems) {
        if self.is_closed || self.tried.elapsed() < RETRY {
            return;
        }
        self.tried = Stopwatch::start();
        if let Ok((capture, link)) = open(&self.name, &self.settings) {
            (self.capture, self.link) = (Some(capture), link);
            self.last = Losses::default();
            self.tell(ProblemKind::InterfaceBack, problems);
        }
    }

    fn tell(&self, what: ProblemKind, problems: &mut Problems) {
        problems.add(Problem { path: PathBuf::from(&self.name), offset: None, what });
    }
}

fn open(
    name: &str,
    settings: &InterfaceSettings,
) -> Result<(Capture<Active>, LinkType), CaptureError> {
    let cannot = |error: pcap::Error| CaptureError::Interface {
        name: name.to_owned(),
        cause: io::Error::other(error.to_string()),
    };
    let buffer_bytes = i32::try_from(settings.ring_bytes).unwrap_or(i32::MAX);
    let mut capture = Capture::from_device(name)
        .map_err(cannot)?
        .promisc(settings.promiscuity == Promiscuity::On)
        .snaplen(SNAP_BYTES.into())
        .timeout(TIMEOUT_MILLIS)
        .buffer_size(buffer_bytes)
        .precision(Precision::Nano)
        .open()
        .and_then(Capture::setnonblock)
        .map_err(cannot)?;
    if let Some(expression) = &settings.filter {
        capture.filter(expression, true).map_err(|error| CaptureError::Filter {
            expression: expression.clone(),
            message: error.to_string(),
        })?;
    }
    let link = match capture.get_datalink().0 {
        12 => 101, // raw IP, as libpcap numbers it
        number => u16::try_from(number).unwrap_or(u16::MAX),
    };
    Ok((capture, LinkType(link)))
}

impl Tap for Libpcap {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.capture.as_ref().map(|capture| capture.as_fd())
    }

    fn read(&mut self, filling: &mut Filling, problems: &mut Problems) {
        let link = self.link;
        while filling.room() >= SNAP_BYTES.into() {
            let Some(capture) = &mut self.capture else { return self.reopen(problems) };
            let taken =
                capture.dispatch(Some(filling.room() / usize::from(SNAP_BYTES)), |packet| {
                    let header = packet.header;
                    // With nanoseconds asked for, libpcap puts them in the place of microseconds.
                    let time = Timestamp::from_secs_nanos(header.ts.tv_sec, header.ts.tv_usec);
                    let (wire_bytes, bytes) = (header.len, packet.data);
                    filling.put(&Arrived { time, link, wire_bytes, bytes, tag: None });
                });
            match taken {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    self.capture = None;
                    self.tell(ProblemKind::InterfaceLost { message: error.to_string() }, problems);
                }
            }
        }
    }

    fn losses(&mut self) -> Losses {
        let stats = self.capture.as_mut().and_then(|capture| capture.stats().ok());
        let Some(stats) = stats else { return Losses::default() };
        let now = Losses { kernel: stats.dropped.into(), interface: stats.if_dropped.into() };
        let last = std::mem::replace(&mut self.last, now);
        // The counters have 32 bits.
        let since = |now: u64, last: u64| (now.wrapping_sub(last)) & u64::from(u32::MAX);
        Losses {
            kernel: since(now.kernel, last.kernel),
            interface: since(now.interface, last.interface),
        }
    }

    fn close_door(&mut self) {
        self.is_closed = true;
        if let Some(capture) = &mut self.capture {
            // A program that accepts no packet; where it is refused, a few come after the end.
            let _ = capture.filter("less 0", true);
        }
    }
}
