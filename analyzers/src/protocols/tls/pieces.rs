//! Bytes that arrive in pieces and in any order: fragments of a DTLS message, CRYPTO frames of
//! QUIC.

use smallvec::SmallVec;

use crate::limits;

/// Why a piece was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It lies beyond the bytes that are kept.
    TooFar,
    /// It would make one island more than are kept.
    TooManyIslands,
}

/// A buffer with the islands that are filled; the first island that starts at zero is what is
/// known. The first byte that arrives for a place stays.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: Vec<u8>,
    /// Start and end of each island, in order, none touching another.
    islands: SmallVec<[(usize, usize); 4]>,
}

impl Pieces {
    /// Puts `piece` at `offset`.
    pub(crate) fn put(&mut self, offset: u64, piece: &[u8]) -> Result<(), Refused> {
        let start = usize::try_from(offset).map_err(|_| Refused::TooFar)?;
        let end = start.checked_add(piece.len()).ok_or(Refused::TooFar)?;
        if end > limits::TLS_MESSAGE_BYTES {
            return Err(Refused::TooFar);
        }
        let first = self.islands.partition_point(|(_, island_end)| *island_end < start);
        let behind = self.islands.partition_point(|(island_start, _)| *island_start <= end);
        if first == behind && self.islands.len() >= limits::TLS_ISLANDS {
            return Err(Refused::TooManyIslands);
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.fill(start, piece, first..behind);
        self.join(start, end, first..behind);
        Ok(())
    }

    /// Writes the bytes of `piece` that none of the islands it touches has.
    fn fill(&mut self, start: usize, piece: &[u8], touched: std::ops::Range<usize>) {
        let mut at = start;
        let end = start.saturating_add(piece.len());
        let touched = self.islands.get(touched).unwrap_or_default();
        let sea = touched.iter().copied().chain(std::iter::once((end, end)));
        for (island_start, island_end) in sea {
            let until = island_start.clamp(at, end);
            let source = piece.get(at.saturating_sub(start)..until.saturating_sub(start));
            if let (Some(source), Some(target)) = (source, self.bytes.get_mut(at..until)) {
                target.copy_from_slice(source);
            }
            at = island_end.clamp(at, end);
        }
    }

    /// Makes one island of the new one and those it touches.
    fn join(&mut self, start: usize, end: usize, touched: std::ops::Range<usize>) {
        let old = self.islands.get(touched.clone()).unwrap_or_default();
        let start = old.first().map_or(start, |(first, _)| start.min(*first));
        let end = old.last().map_or(end, |(_, last)| end.max(*last));
        self.islands.drain(touched.clone());
        self.islands.insert(touched.start, (start, end));
    }

    /// The bytes from the beginning up to the first hole.
    pub(crate) fn known(&self) -> &[u8] {
        match self.islands.first() {
            Some((0, end)) => self.bytes.get(..*end).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_and_overlap_gives_the_same_bytes() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut pieces = Pieces::default();
            for index in order {
                let (offset, piece): (u64, &[u8]) =
                    [(0, &b"abcd"[..]), (2, b"cdefg"), (7, b"hi"), (8, b"ij")][index];
                assert_eq!(pieces.put(offset, piece), Ok(()));
            }
            assert_eq!(pieces.known(), b"abcdefghij", "{order:?}");
            assert_eq!(pieces.islands.len(), 1);
        }
    }

    #[test]
    fn a_hole_hides_what_is_behind_it() {
        let mut pieces = Pieces::default();
        pieces.put(4, b"late").unwrap();
        assert_eq!(pieces.known(), b"");
        pieces.put(0, b"abc").unwrap();
        assert_eq!(pieces.known(), b"abc");
        pieces.put(3, b"d").unwrap();
        assert_eq!(pieces.known(), b"abcdlate");
    }

    #[test]
    fn the_first_byte_for_a_place_stays() {
        let mut pieces = Pieces::default();
        pieces.put(2, b"XX").unwrap();
        pieces.put(0, b"aaaaaa").unwrap();
        assert_eq!(pieces.known(), b"aaXXaa");
    }

    #[test]
    fn an_empty_piece_is_harmless() {
        let mut pieces = Pieces::default();
        pieces.put(0, b"").unwrap();
        pieces.put(0, b"a").unwrap();
        assert_eq!(pieces.known(), b"a");
    }

    #[test]
    fn the_buffer_ends_at_its_limit() {
        let limit = limits::TLS_MESSAGE_BYTES as u64;
        let mut pieces = Pieces::default();
        assert_eq!(pieces.put(limit - 1, b"a"), Ok(()));
        assert_eq!(pieces.put(limit, b"a"), Err(Refused::TooFar));
        assert_eq!(pieces.put(limit - 1, b"ab"), Err(Refused::TooFar));
        assert_eq!(pieces.put(u64::MAX, b"a"), Err(Refused::TooFar));
    }

    #[test]
    fn islands_end_at_their_limit() {
        let mut pieces = Pieces::default();
        for island in 0..limits::TLS_ISLANDS as u64 {
            assert_eq!(pieces.put(2 * island + 1, b"x"), Ok(()));
        }
        let next = 2 * limits::TLS_ISLANDS as u64 + 1;
        assert_eq!(pieces.put(next, b"x"), Err(Refused::TooManyIslands));
        assert_eq!(pieces.put(2, b"y"), Ok(()), "one that joins two needs no room");
    }
}
