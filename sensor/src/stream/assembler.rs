//! Reassembly of one direction of a TCP stream (RFC 9293, section 3.10.7.4).
//!
//! The first copy of a byte wins; a later copy that differs is reported. A hole is a gap once it
//! was acknowledged and stayed open for a while (captures reorder), or once the buffer is full.

use super::recent::Recent;
use super::tail;

/// Bytes held behind a hole, per direction. A sender could otherwise leave one byte out and make
/// the sensor keep its whole window for it.
pub const HELD_BYTES_MAX: usize = 256 * 1024;

/// Segments held behind a hole, per direction. One-byte segments would otherwise cost forty times
/// their size.
pub const HELD_SEGMENTS_MAX: usize = 256;

/// Packets of a flow that an acknowledged hole is given to be filled. Mirrors merge two directions
/// with some skew, so that an acknowledgement may come before the bytes that it acknowledges.
pub const HOLE_PATIENCE: u32 = 64;

/// Bytes beyond what was handed on or acknowledged within which a segment stays when the buffer is
/// full. Receivers offer less; forged numbers further away would otherwise push the real stream
/// out.
pub const HELD_DISTANCE_MAX: u64 = 16 * 1024 * 1024;

/// What comes out, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Contiguous bytes.
    Bytes(&'a [u8]),
    /// That many bytes are not in the capture.
    Gap(u64),
}

/// Whether payload is of use to anyone, or only where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Hold payload that is out of order.
    Bytes,
    /// Only note which offsets were seen.
    Ranges,
}

/// What was odd about a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// It carried other bytes than an earlier copy.
    pub overlap_differs: bool,
    /// It did not fit into the buffer, so that a hole was given up.
    pub buffer_full: bool,
}

/// Payload that came before its turn.
#[derive(Debug)]
struct Held {
    start: u64,
    end: u64,
    /// The bytes; fewer than the range where the capture cut them or nobody wants them.
    bytes: Box<[u8]>,
}

/// One direction's reassembly.
#[derive(Debug)]
pub struct Assembler {
    /// Offset of the first byte that was not handed on.
    next: u64,
    /// Highest offset that the peer acknowledged.
    acked: u64,
    /// Packets of the flow since an acknowledged hole was first noticed.
    waited: u32,
    /// Sorted, disjoint, all beyond `next`.
    held: Vec<Held>,
    held_bytes: usize,
    missed: u64,
    /// What was handed on last, before `next`.
    recent: Recent,
}

impl Default for Assembler {
    fn default() -> Self {
        // Offset zero is the SYN.
        Self {
            next: 1,
            acked: 0,
            waited: 0,
            held: Vec::new(),
            held_bytes: 0,
            missed: 0,
            recent: Recent::default(),
        }
    }
}

impl Assembler {
    /// Bytes that were sent and are not in the capture.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Whether an acknowledged byte is still missing.
    #[must_use]
    pub const fn has_acked_hole(&self) -> bool {
        self.acked > self.next
    }

    /// Takes the payload of a segment: `wire_bytes` long, of which the capture holds `bytes`.
    pub fn segment(
        &mut self,
        offset: u64,
        wire_bytes: u64,
        bytes: &[u8],
        keep: Keep,
        deliver: &mut impl FnMut(Piece<'_>),
    ) -> Oddities {
        let mut oddities = Oddities::default();
        let end = offset.saturating_add(wire_bytes);
        if keep == Keep::Ranges {
            self.recent.forget();
        } else if offset < self.next {
            oddities.overlap_differs = self.recent.differs(self.next, offset, bytes);
        }
        if end <= self.next {
            return oddities;
        }
        if offset > self.next {
            oddities.overlap_differs = self.hold(offset, end, bytes, keep);
            if self.is_full() {
                oddities.buffer_full = true;
                self.make_room(deliver);
            }
            return oddities;
        }
        if self.held.is_empty() {
            self.hand_on(offset, end, bytes, deliver);
            if keep == Keep::Ranges {
                self.recent.forget();
            }
        } else {
            oddities.overlap_differs |= self.hold(
                self.next.max(offset),
                end,
                tail(bytes, self.next.saturating_sub(offset)),
                keep,
            );
            self.drain(deliver);
        }
        oddities
    }

    /// Takes an acknowledgement up to `offset`. Returns whether it reveals missing bytes that no
    /// earlier one did.
    pub fn acknowledged(&mut self, offset: u64) -> bool {
        let reveals = offset > self.next && self.lacks_some(self.next.max(self.acked), offset);
        self.acked = self.acked.max(offset);
        reveals
    }

    /// Another packet of the flow has passed: an acknowledged hole that was given enough time
    /// becomes a gap.
    pub fn packet_passed(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        if !self.has_acked_hole() {
            self.waited = 0;
            return;
        }
        self.waited = self.waited.saturating_add(1);
        if self.waited > HOLE_PATIENCE {
            self.give_up_acked(deliver);
        }
    }

    /// Hands on all that is held, with gaps between: the flow is over.
    pub fn finish(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.give_up_first_hole(deliver);
        }
        if self.has_acked_hole() {
            self.give_up_acked(deliver);
        }
    }

    /// Whether some of the bytes from `from` up to `until` were never seen.
    fn lacks_some(&self, from: u64, until: u64) -> bool {
        let seen_until = self
            .held
            .iter()
            .fold(from, |seen, held| if held.start <= seen { seen.max(held.end) } else { seen });
        seen_until < until
    }

    fn is_full(&self) -> bool {
        self.held_bytes > HELD_BYTES_MAX || self.held.len() > HELD_SEGMENTS_MAX
    }

    /// Hands on a segment that reaches beyond `next` and starts at or before it.
    fn hand_on(&mut self, start: u64, end: u64, bytes: &[u8], deliver: &mut impl FnMut(Piece<'_>)) {
        let new = tail(bytes, self.next.saturating_sub(start));
        let new_end = end.saturating_sub(self.next);
        self.next = end;
        if !new.is_empty() {
            deliver(Piece::Bytes(new));
            self.recent.push(new);
        }
        let cut = new_end.saturating_sub(new.len() as u64);
        if cut > 0 {
            self.recent.forget();
            deliver(Piece::Gap(cut));
        }
    }

    /// Puts a segment among those held, without what is there already. Returns whether it differs
    /// from what is there.
    fn hold(&mut self, start: u64, end: u64, bytes: &[u8], keep: Keep) -> bool {
        let first = self.held.partition_point(|held| held.end <= start);
        let mut differs = false;
        let mut from = start;
        let mut at = first;
        while from < end {
            let Some(held) = self.held.get(at).filter(|held| held.start < end) else {
                self.insert(at, from, end, tail(bytes, from - start), keep);
                break;
            };
            let (held_start, held_end) = (held.start, held.end);
            differs |= held.differs_from(start, bytes);
            if from < held_start {
                let len = usize::try_from(held_start - from).unwrap_or(usize::MAX);
                let piece = tail(bytes, from - start);
                self.insert(at, from, held_start, &piece[..piece.len().min(len)], keep);
                at += 1;
            }
            from = held_end;
            at += 1;
        }
        differs
    }

    fn insert(&mut self, at: usize, start: u64, end: u64, bytes: &[u8], keep: Keep) {
        let bytes: Box<[u8]> = match keep {
            Keep::Bytes => bytes.into(),
            Keep::Ranges => Box::default(),
        };
        self.held_bytes += bytes.len();
        self.held.insert(at, Held { start, end, bytes });
    }

    /// Hands on what follows `next` without a hole.
    fn drain(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        let ready = self.held.iter().scan(self.next, |next, held| {
            let follows = held.start <= *next;
            *next = held.end.max(*next);
            follows.then_some(())
        });
        let ready = ready.count();
        let mut held = std::mem::take(&mut self.held);
        for one in held.drain(..ready) {
            self.held_bytes -= one.bytes.len();
            self.hand_on(one.start, one.end, &one.bytes, deliver);
        }
        self.held = held;
        self.waited = 0;
    }

    /// Lets go of what lies too far away to be believed, else of the first hole.
    fn make_room(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        let believed = self.next.max(self.acked).saturating_add(HELD_DISTANCE_MAX);
        let near = self.held.partition_point(|held| held.start <= believed);
        if near == self.held.len() {
            return self.give_up_first_hole(deliver);
        }
        for far in self.held.drain(near..) {
            self.held_bytes -= far.bytes.len();
        }
    }

    fn give_up_first_hole(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        if let Some(first) = self.held.first() {
            let until = first.start;
            self.give_up(until, deliver);
            self.drain(deliver);
        }
    }

    /// Gives up holes up to the acknowledged offset.
    fn give_up_acked(&mut self, deliver: &mut impl FnMut(Piece<'_>)) {
        while self.has_acked_hole() {
            match self.held.first() {
                Some(first) if first.start < self.acked => self.give_up_first_hole(deliver),
                _ => self.give_up(self.acked, deliver),
            }
        }
        self.waited = 0;
    }

    fn give_up(&mut self, until: u64, deliver: &mut impl FnMut(Piece<'_>)) {
        let missing = until.saturating_sub(self.next);
        self.next = until;
        self.missed = self.missed.saturating_add(missing);
        self.recent.forget();
        deliver(Piece::Gap(missing));
    }
}

impl Held {
    /// Whether bytes that start at `start` disagree with these where both have them.
    fn differs_from(&self, start: u64, bytes: &[u8]) -> bool {
        let from = self.start.max(start);
        let mine = tail(&self.bytes, from - self.start);
        let other = tail(bytes, from - start);
        let both = mine.len().min(other.len());
        mine[..both] != other[..both]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds segments (offset, bytes) and writes down what comes out, `_` for each missing byte.
    fn run(assembler: &mut Assembler, segments: &[(u64, &str)]) -> String {
        let mut out = String::new();
        for (offset, bytes) in segments {
            assembler.segment(
                *offset,
                bytes.len() as u64,
                bytes.as_bytes(),
                Keep::Bytes,
                &mut write(&mut out),
            );
        }
        out
    }

    fn write(out: &mut String) -> impl FnMut(Piece<'_>) {
        |piece| match piece {
            Piece::Bytes(bytes) => out.push_str(std::str::from_utf8(bytes).unwrap()),
            Piece::Gap(missing) => out.extend((0..missing).map(|_| '_')),
        }
    }

    #[test]
    fn puts_segments_in_order() {
        for (segments, expected) in [
            (&[(1, "abc"), (4, "def")][..], "abcdef"),
            (&[(4, "def"), (1, "abc")], "abcdef"),
            (&[(7, "g"), (4, "def"), (1, "abc")], "abcdefg"),
            (&[(1, "abc"), (1, "abc"), (2, "bcd")], "abcd"),
            (&[(3, "cd"), (2, "bcde"), (1, "a")], "abcde"),
            (&[(3, "c"), (5, "e"), (2, "bcdef"), (1, "a")], "abcdef"),
            (&[(2, "b")], ""),
        ] {
            assert_eq!(run(&mut Assembler::default(), segments), expected);
        }
    }

    #[test]
    fn the_first_copy_wins_and_a_difference_is_told() {
        let mut assembler = Assembler::default();
        let mut out = String::new();
        let mut odd = Vec::new();
        for (offset, bytes) in [(3, "CD"), (2, "bcde"), (1, "a")] {
            let oddities = assembler.segment(
                offset,
                bytes.len() as u64,
                bytes.as_bytes(),
                Keep::Bytes,
                &mut write(&mut out),
            );
            odd.push(oddities.overlap_differs);
        }
        assert_eq!((out.as_str(), odd), ("abCDe", vec![false, true, false]));
    }

    #[test]
    fn an_acknowledged_hole_waits_and_then_becomes_a_gap() {
        let mut assembler = Assembler::default();
        assert_eq!(run(&mut assembler, &[(1, "ab"), (5, "ef")]), "ab");
        assert!(assembler.acknowledged(6));
        assert!(!assembler.acknowledged(7), "what follows the hole is there");
        let mut out = String::new();
        for _ in 0..HOLE_PATIENCE {
            assembler.packet_passed(&mut write(&mut out));
        }
        assert_eq!(out, "");
        assembler.packet_passed(&mut write(&mut out));
        assert_eq!((out.as_str(), assembler.missed()), ("__ef", 2));
    }

    #[test]
    fn a_late_segment_fills_an_acknowledged_hole() {
        let mut assembler = Assembler::default();
        run(&mut assembler, &[(1, "ab"), (5, "ef")]);
        assembler.acknowledged(7);
        assert_eq!(run(&mut assembler, &[(3, "cd")]), "cdef");
        assert_eq!(assembler.missed(), 0);
    }

    #[test]
    fn finish_gives_what_is_held_and_what_was_acknowledged() {
        let mut assembler = Assembler::default();
        let mut out = run(&mut assembler, &[(2, "b"), (4, "d")]);
        assembler.acknowledged(6);
        assembler.finish(&mut write(&mut out));
        assert_eq!((out.as_str(), assembler.missed()), ("_b_d_", 3));
    }

    #[test]
    fn a_full_buffer_gives_up_the_first_hole_and_says_so() {
        let mut assembler = Assembler::default();
        let mut last = Oddities::default();
        let mut delivered = 0;
        for at in 0..=HELD_SEGMENTS_MAX as u64 {
            last = assembler.segment(2 + 2 * at, 1, b"x", Keep::Bytes, &mut |_| delivered += 1);
        }
        assert!(last.buffer_full);
        assert_eq!(delivered, 2, "one gap and the one byte after it");
    }

    #[test]
    fn a_full_buffer_lets_go_of_what_is_too_far_away_first() {
        let mut assembler = Assembler::default();
        let mut out = run(&mut assembler, &[(1, "a"), (3, "c")]);
        for at in 0..=HELD_SEGMENTS_MAX as u64 {
            let far = 4 + HELD_DISTANCE_MAX + 2 * at;
            assembler.segment(far, 1, b"x", Keep::Bytes, &mut write(&mut out));
        }
        out += &run(&mut assembler, &[(2, "b")]);
        assert_eq!((out.as_str(), assembler.missed()), ("abc", 0));
    }

    #[test]
    fn bytes_that_the_capture_cut_are_a_gap_but_not_loss() {
        let mut assembler = Assembler::default();
        let mut out = String::new();
        assembler.segment(1, 5, b"ab", Keep::Bytes, &mut write(&mut out));
        assert_eq!((out.as_str(), assembler.missed()), ("ab___", 0));
    }
}
