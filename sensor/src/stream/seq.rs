//! Sequence arithmetic: 32-bit TCP sequence numbers as 64-bit offsets that never wrap.
//!
//! The only place that compares or subtracts sequence numbers (RFC 9293, section 3.4). An offset is
//! relative to the number of the SYN: the SYN itself is 0, the first payload byte 1.

/// One direction's origin of sequence numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeqSpace {
    /// Sequence number of offset zero.
    origin: u32,
}

impl SeqSpace {
    /// A space whose SYN carries `syn`.
    #[must_use]
    pub const fn from_syn(syn: u32) -> Self {
        Self { origin: syn }
    }

    /// A space for a stream met midway: the first payload byte seen, `first`, is made offset 1.
    #[must_use]
    pub const fn from_first_byte(first: u32) -> Self {
        Self { origin: first.wrapping_sub(1) }
    }

    /// The sequence number of offset zero.
    #[must_use]
    pub const fn origin(self) -> u32 {
        self.origin
    }

    /// The offset of `seq` that lies nearest to the offset `near`; negative if before the origin.
    #[must_use]
    pub fn offset(self, seq: u32, near: u64) -> i64 {
        let near_seq = advanced(self.origin, near);
        let near = i64::try_from(near).unwrap_or(i64::MAX);
        near.saturating_add(i64::from(distance(near_seq, seq)))
    }
}

/// The sequence number `count` bytes after `seq`.
#[must_use]
pub fn advanced(seq: u32, count: u64) -> u32 {
    let low = u32::try_from(count & u64::from(u32::MAX)).unwrap_or(0);
    seq.wrapping_add(low)
}

/// Signed distance from `from` to `to`, for numbers less than 2^31 apart.
#[must_use]
pub const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_across_the_wrap() {
        let space = SeqSpace::from_syn(u32::MAX - 1);
        assert_eq!(space.offset(u32::MAX - 1, 0), 0);
        assert_eq!(space.offset(3, 0), 5);
        let far = 5_000_000_000_u64;
        let seq = advanced(u32::MAX - 1, far);
        assert_eq!(space.offset(seq.wrapping_add(10), far), 5_000_000_010);
        assert_eq!(space.offset(seq.wrapping_sub(10), far), 4_999_999_990);
    }

    #[test]
    fn what_lies_before_the_origin_is_negative() {
        assert_eq!(SeqSpace::from_first_byte(100).offset(99, 0), 0);
        assert_eq!(SeqSpace::from_first_byte(100).offset(90, 1), -9);
    }
}
