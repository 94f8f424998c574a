//! A flow's history: one letter for each kind of event, upper case for the originator.
//!
//! The letters and their repetition are Zeek's, so that habits and queries carry over:
//! s SYN, h SYN-ACK, a pure ACK, d data, f FIN, r RST, t retransmission, w zero window, g gap,
//! c bad checksum, i FIN with RST, q SYN with FIN or RST, `^` direction repaired.

use analyzers::Direction;

/// Letters kept at most. Only `s h f r` repeat freely, so that an endpoint that plays with them
/// would otherwise choose a row's size.
const LETTERS_MAX: usize = 64;

/// The history of one flow.
#[derive(Clone, Debug, Default)]
pub struct History {
    letters: smallvec::SmallVec<[u8; 22]>,
    /// One bit a letter that occurred: originator's from bit 0, responder's from bit 32.
    seen: u64,
}

/// How often an event occurred that is written at its 1st, 10th, 100th, … time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    count: u32,
}

impl History {
    /// Writes `letter` (given in lower case) if it is the first of its kind in this direction.
    /// Returns whether it was.
    pub fn once(&mut self, direction: Direction, letter: u8) -> bool {
        self.once_of_kind(direction, letter, letter)
    }

    /// As [`History::once`], where letters of one `kind` (such as SYN and SYN-ACK) count together.
    pub fn once_of_kind(&mut self, direction: Direction, kind: u8, letter: u8) -> bool {
        let shift = match direction {
            Direction::SrcToDst => 0,
            Direction::DstToSrc => 32,
        };
        let bit = 1_u64 << (u32::from(kind & 31) + shift);
        let first = self.seen & bit == 0;
        if first {
            self.seen |= bit;
            self.again(direction, letter);
        }
        first
    }

    /// Writes `letter` once more.
    pub fn again(&mut self, direction: Direction, letter: u8) {
        let letter = match direction {
            Direction::SrcToDst => letter.to_ascii_uppercase(),
            Direction::DstToSrc => letter,
        };
        if self.letters.len() < LETTERS_MAX {
            self.letters.push(letter);
        }
    }

    /// Writes `letter` at its 1st, 10th, 100th, … occurrence.
    pub fn scaled(&mut self, direction: Direction, letter: u8, tally: &mut Tally) {
        tally.count = tally.count.saturating_add(1);
        let mut threshold = 1_u32;
        while threshold < tally.count {
            threshold = threshold.saturating_mul(10);
        }
        if threshold == tally.count {
            self.again(direction, letter);
        }
    }

    /// Notes that the packet met first went the other way than its flow.
    pub fn repaired(&mut self) {
        self.letters.push(b'^');
    }

    /// The letters.
    #[must_use]
    pub fn letters(&self) -> &[u8] {
        &self.letters
    }

    /// Whether the flow was one SYN of the originator followed by its RST, with no answer between:
    /// `S`, then letters other than `H A F G I Q`, then `R`.
    #[must_use]
    pub fn is_syn_then_rst(&self) -> bool {
        let letters = self.letters.strip_prefix(b"^").unwrap_or(&self.letters);
        let Some(after_syn) = letters.strip_prefix(b"S") else { return false };
        let stop = after_syn.iter().position(|letter| b"HAFGIQ".contains(letter));
        after_syn[..stop.unwrap_or(after_syn.len())].contains(&b'R')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_write_at_powers_of_ten() {
        let mut history = History::default();
        let mut tally = Tally::default();
        for _ in 0..150 {
            history.scaled(Direction::DstToSrc, b't', &mut tally);
        }
        assert_eq!(history.letters(), b"ttt");
    }

    #[test]
    fn one_letter_a_kind_and_direction() {
        let mut history = History::default();
        for direction in [Direction::SrcToDst, Direction::DstToSrc, Direction::SrcToDst] {
            history.once(direction, b'd');
        }
        assert_eq!(history.letters(), b"Dd");
    }

    #[test]
    fn tells_a_withdrawn_attempt() {
        for (letters, expected) in [
            ("SR", true),
            ("^STR", true),
            ("SAR", false),
            ("SFR", false),
            ("HR", false),
            ("S", false),
        ] {
            let history = History { letters: letters.bytes().collect(), seen: 0 };
            assert_eq!(history.is_syn_then_rst(), expected, "{letters}");
        }
    }

    #[test]
    fn its_length_is_bounded() {
        let mut history = History::default();
        for _ in 0..1_000 {
            history.again(Direction::SrcToDst, b's');
        }
        assert_eq!(history.letters().len(), LETTERS_MAX);
    }
}
