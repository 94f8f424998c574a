//! Frames that wait: fragments for the rest of their datagram, and whatever came behind one for its
//! turn.
//!
//! In: frames, and what became of fragments. Out: the wanted frames in the order of the capture.
//! A fragment names no flow of its own until its datagram is whole, and the frames behind it must
//! not overtake it.

use std::collections::BTreeMap;

use analyzers::Timestamp;

use super::pcap::Evidence;
use crate::capture::RawPacket;
use crate::decode::{FRAGMENT_BYTES, FRAGMENT_WAIT};
use crate::pipeline::{StageError, Traced};

/// Bytes of fragments that are kept: what the decoder keeps of them, and as much again for the
/// headers around them. Without a bound a flood of fragments would fill the memory.
const HELD_BYTES: usize = 2 * FRAGMENT_BYTES;

/// Bytes of wanted frames that may wait for a fragment before them. Beyond that they are written
/// out of turn: readers sort, memory does not grow back.
const TURN_BYTES: usize = 64 << 20;

/// The frames that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Fragments whose flow is not known, by their numbers in the capture.
    held: Frames,
    /// Frames of wanted flows.
    wanted: Frames,
    /// Fragments that were dropped before their flow was known.
    lost: u64,
}

/// Frames by their numbers in the capture.
#[derive(Debug, Default)]
struct Frames {
    frames: BTreeMap<u64, (RawPacket, Box<[u8]>)>,
    bytes: usize,
}

impl Frames {
    fn insert(&mut self, number: u64, raw: RawPacket, bytes: Box<[u8]>) {
        self.bytes += bytes.len();
        self.frames.insert(number, (raw, bytes));
    }

    fn remove(&mut self, number: u64) -> Option<(RawPacket, Box<[u8]>)> {
        let frame = self.frames.remove(&number)?;
        self.bytes -= frame.1.len();
        Some(frame)
    }

    fn first(&self) -> Option<u64> {
        self.frames.first_key_value().map(|(number, _)| *number)
    }
}

impl Waiting {
    /// Keeps a fragment until its datagram is whole.
    pub(super) fn hold(&mut self, frame: Traced<'_>) {
        self.held.insert(frame.number, *frame.raw, frame.bytes.into());
        while self.held.bytes > HELD_BYTES
            && let Some(oldest) = self.held.first()
        {
            self.held.remove(oldest);
            self.lost += 1;
        }
    }

    /// The fragments of these numbers are of a wanted flow; answers how many were there.
    pub(super) fn release(&mut self, numbers: &[u64]) -> u64 {
        let mut released = 0;
        for &number in numbers {
            if let Some((raw, bytes)) = self.held.remove(number) {
                self.wanted.insert(number, raw, bytes);
                released += 1;
            }
        }
        released
    }

    /// The fragments of these numbers are of no wanted flow.
    pub(super) fn forget(&mut self, numbers: &[u64]) {
        for &number in numbers {
            self.held.remove(number);
        }
    }

    /// A frame of a wanted flow: it is written in its turn.
    pub(super) fn pass(
        &mut self,
        frame: Traced<'_>,
        evidence: &mut Evidence,
    ) -> Result<(), StageError> {
        if self.held.frames.is_empty() && self.wanted.frames.is_empty() {
            return evidence.write(frame.raw, frame.bytes);
        }
        self.wanted.insert(frame.number, *frame.raw, frame.bytes.into());
        self.write_due(evidence)
    }

    /// Gives up fragments as the decoder does, and writes what waited for them.
    pub(super) fn advance(
        &mut self,
        clock: Timestamp,
        evidence: &mut Evidence,
    ) -> Result<(), StageError> {
        let is_over = |raw: &RawPacket| clock.since(raw.time) > FRAGMENT_WAIT;
        let frames = self.held.frames.iter();
        let over: Vec<u64> =
            frames.filter(|(_, (raw, _))| is_over(raw)).map(|(number, _)| *number).collect();
        self.forget(&over);
        self.write_due(evidence)
    }

    /// Writes everything: no fragment will find its flow any more.
    pub(super) fn end(&mut self, evidence: &mut Evidence) -> Result<(), StageError> {
        self.held = Frames::default();
        self.write_due(evidence)
    }

    /// Fragments that were dropped because there were too many.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    fn write_due(&mut self, evidence: &mut Evidence) -> Result<(), StageError> {
        let turn = self.held.first().unwrap_or(u64::MAX);
        while let Some(number) = self.wanted.first()
            && (number < turn || self.wanted.bytes > TURN_BYTES)
            && let Some((raw, bytes)) = self.wanted.remove(number)
        {
            evidence.write(&raw, &bytes)?;
        }
        Ok(())
    }
}
