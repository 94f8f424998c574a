//! A TCP connection that is being written: who has said how much, and what its packets look like.
//!
//! In: what an end says and when. Out: frames. The sensor stands beside the originator: what the
//! responder says takes a round trip. RFC 9293.

use std::net::SocketAddr;
use std::time::Duration;

use analyzers::{Direction, PerDirection, Timestamp};

use crate::dice::Dice;
use crate::packet::{self, Ends, Frame, Payload, Segment, flag};

/// Payload of a segment on Ethernet.
const SEGMENT_BYTES: usize = 1_460;

/// Payload of a segment that a network card made long, as captures on hosts show them.
const LONG_SEGMENT_BYTES: usize = 60_000;

/// Between segments that are sent in a row.
const GAP: Duration = Duration::from_micros(12);

/// A connection.
#[derive(Clone, Debug)]
pub struct Tcp {
    ends: Ends,
    rtt: Duration,
    /// The next number of each direction.
    next: PerDirection<u32>,
}

impl Tcp {
    /// A connection of which nothing was said.
    #[must_use]
    pub fn new(ends: Ends, rtt: Duration, dice: &mut Dice) -> Self {
        Self { ends, rtt, next: PerDirection { src: dice.word(), dst: dice.word() } }
    }

    /// Its ends.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// Its round trip.
    #[must_use]
    pub const fn rtt(&self) -> Duration {
        self.rtt
    }

    fn segment(&self, time: Timestamp, from: Direction, flags: u8, payload: Payload<'_>) -> Frame {
        let pair: (SocketAddr, SocketAddr) = self.ends.of(from);
        let ack = if flags & flag::ACK == 0 { 0 } else { *self.next.of(from.reversed()) };
        let segment = Segment { flags, seq: *self.next.of(from), ack };
        packet::tcp(time, pair, segment, payload)
    }

    fn counted(&mut self, from: Direction, bytes: usize) {
        let bytes = u32::try_from(bytes).expect("a turn of less than 4 GiB");
        let next = self.next.of_mut(from);
        *next = next.wrapping_add(bytes);
    }

    /// A SYN without an answer, again after one, two, four … seconds.
    pub fn unanswered(&self, time: Timestamp, retries: u32, out: &mut Vec<Frame>) {
        for retry in 0..=retries {
            let wait = Duration::from_secs((1 << retry) - 1);
            let payload = Payload::from(&[][..]);
            out.push(self.segment(time.after(wait), Direction::SrcToDst, flag::SYN, payload));
        }
    }

    /// A SYN that is refused.
    pub fn refused(&mut self, time: Timestamp, out: &mut Vec<Frame>) {
        self.unanswered(time, 0, out);
        self.counted(Direction::SrcToDst, 1);
        self.next.dst = 0;
        let flags = flag::RST | flag::ACK;
        let answer = time.after(self.rtt);
        out.push(self.segment(answer, Direction::DstToSrc, flags, [][..].into()));
    }

    /// The three steps that open a connection. When the originator may speak.
    pub fn handshake(&mut self, time: Timestamp, out: &mut Vec<Frame>) -> Timestamp {
        self.unanswered(time, 0, out);
        self.counted(Direction::SrcToDst, 1);
        let answer = time.after(self.rtt);
        let flags = flag::SYN | flag::ACK;
        out.push(self.segment(answer, Direction::DstToSrc, flags, [][..].into()));
        self.counted(Direction::DstToSrc, 1);
        let open = answer.after(GAP * 3);
        out.push(self.segment(open, Direction::SrcToDst, flag::ACK, [][..].into()));
        open.after(GAP)
    }

    /// Payload in as many segments as it needs. When the last has passed.
    pub fn say(
        &mut self,
        mut time: Timestamp,
        from: Direction,
        payload: Payload<'_>,
        out: &mut Vec<Frame>,
    ) -> Timestamp {
        let mut bytes = payload.bytes;
        let mut left = payload.len();
        let most = if payload.beyond == 0 { SEGMENT_BYTES } else { LONG_SEGMENT_BYTES };
        while left > 0 {
            let taken = left.min(most);
            let (head, tail) = bytes.split_at(bytes.len().min(taken));
            left -= taken;
            bytes = tail;
            let flags = if left == 0 { flag::PSH | flag::ACK } else { flag::ACK };
            let part = Payload { bytes: head, beyond: taken - head.len() };
            out.push(self.segment(time, from, flags, part));
            self.counted(from, taken);
            time = time.after(GAP);
        }
        time
    }

    /// An acknowledgement without payload.
    pub fn acknowledge(&self, time: Timestamp, from: Direction, out: &mut Vec<Frame>) {
        out.push(self.segment(time, from, flag::ACK, [][..].into()));
    }

    /// Both ends say that it is over, `from` first.
    pub fn finish(&mut self, time: Timestamp, from: Direction, out: &mut Vec<Frame>) {
        let flags = flag::FIN | flag::ACK;
        for (at, side) in [(time, from), (time.after(self.rtt), from.reversed())] {
            out.push(self.segment(at, side, flags, [][..].into()));
            self.counted(side, 1);
        }
        self.acknowledge(time.after(self.rtt + GAP), from, out);
    }

    /// One end gives up.
    pub fn reset(&self, time: Timestamp, from: Direction, out: &mut Vec<Frame>) {
        out.push(self.segment(time, from, flag::RST | flag::ACK, [][..].into()));
    }
}
