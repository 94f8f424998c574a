//! Segments whose checksum is wrong although their sender gets others right.
//!
//! A receiver drops such a segment; a network card may merely not have filled it in yet. What the
//! peer acknowledges tells: bytes that came in a good copy count as that, and these only fill what
//! was acknowledged without one. In: segments, acknowledgements. Out: segments, in the order of
//! their arrival.

use analyzers::Timestamp;

/// Segments held per direction. Whoever sends chaff without end would otherwise fill memory; the
/// oldest is then taken for good.
pub const DOUBTFUL_SEGMENTS_MAX: usize = 256;

/// Bytes held per direction.
pub const DOUBTFUL_BYTES_MAX: usize = 64 * 1024;

/// A segment's payload, kept.
#[derive(Debug)]
pub struct Kept {
    /// Packet time of its packet.
    pub time: Timestamp,
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Its length on the wire, more than `bytes` where the capture cut it.
    pub wire_bytes: u64,
    /// Its payload.
    pub bytes: Box<[u8]>,
}

/// Segments of one direction that may not have arrived.
#[derive(Debug, Default)]
pub struct Doubtful {
    kept: Vec<Kept>,
    bytes: usize,
}

impl Doubtful {
    /// Keeps a segment; gives back the oldest when there are more than the bounds allow.
    pub fn keep(&mut self, segment: Kept) -> Option<Kept> {
        self.bytes += segment.bytes.len();
        self.kept.push(segment);
        let full = self.kept.len() > DOUBTFUL_SEGMENTS_MAX || self.bytes > DOUBTFUL_BYTES_MAX;
        if full { self.pop() } else { None }
    }

    /// Takes the oldest segment of those that begin before `acked`: a receiver that has some of it
    /// has all.
    pub fn acknowledged(&mut self, acked: u64) -> Option<Kept> {
        let at = self.kept.iter().position(|kept| kept.offset < acked)?;
        Some(self.take(at))
    }

    /// Takes the oldest segment.
    pub fn pop(&mut self) -> Option<Kept> {
        (!self.kept.is_empty()).then(|| self.take(0))
    }

    fn take(&mut self, at: usize) -> Kept {
        let segment = self.kept.remove(at);
        self.bytes -= segment.bytes.len();
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
        segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(offset: u64, len: usize) -> Kept {
        let bytes = vec![0; len].into();
        Kept { time: Timestamp::MIN, offset, wire_bytes: len as u64, bytes }
    }

    #[test]
    fn what_is_acknowledged_comes_out_in_the_order_of_its_arrival() {
        let mut doubtful = Doubtful::default();
        for offset in [5, 1, 9] {
            assert!(doubtful.keep(segment(offset, 4)).is_none());
        }
        let mut taken = |acked| doubtful.acknowledged(acked).map(|kept| kept.offset);
        assert_eq!([taken(1), taken(6), taken(6), taken(9)], [None, Some(5), Some(1), None]);
        assert_eq!(doubtful.pop().map(|kept| kept.offset), Some(9));
        assert!(doubtful.pop().is_none());
    }

    #[test]
    fn beyond_the_bounds_the_oldest_is_taken_for_good() {
        for (len, count) in [(1, DOUBTFUL_SEGMENTS_MAX), (DOUBTFUL_BYTES_MAX / 4, 4)] {
            let mut doubtful = Doubtful::default();
            for at in 0..count {
                assert!(doubtful.keep(segment(at as u64, len)).is_none(), "{at}");
            }
            let oldest = doubtful.keep(segment(99_999, len)).map(|kept| kept.offset);
            assert_eq!(oldest, Some(0));
        }
    }
}
