//! The newest bytes of a direction that were handed on, so that a later copy that differs is told.

/// Bytes remembered per direction: enough to notice whoever overwrites behind what a sensor has
/// read, few enough for every stream that somebody reads.
pub const RECENT_BYTES: usize = 256;

/// The newest bytes that were handed on.
#[derive(Debug, Default)]
pub struct Recent(Vec<u8>);

impl Recent {
    /// Takes bytes that were handed on.
    pub fn push(&mut self, bytes: &[u8]) {
        let Some(old) = RECENT_BYTES.checked_sub(bytes.len()) else {
            self.0.clear();
            self.0.extend_from_slice(&bytes[bytes.len() - RECENT_BYTES..]);
            return;
        };
        // Moved down at every second filling, not at every byte.
        if self.0.len() + bytes.len() > 2 * RECENT_BYTES {
            self.0.drain(..self.0.len() - old);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Forgets all: what comes next follows a gap, or nobody reads on.
    pub fn forget(&mut self) {
        self.0 = Vec::new();
    }

    /// Whether bytes that start at `start` differ from those that were handed on up to `next`,
    /// where both are known.
    #[must_use]
    pub fn differs(&self, next: u64, start: u64, bytes: &[u8]) -> bool {
        let first = next - self.0.len() as u64;
        let from = first.max(start);
        let mine = super::tail(&self.0, from - first);
        let other = super::tail(bytes, from - start);
        let both = mine.len().min(other.len());
        mine[..both] != other[..both]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_compared_where_both_are_known() {
        let mut recent = Recent::default();
        recent.push(b"abcdef");
        for (start, bytes, differs) in [
            (1, &b"abcdef"[..], false),
            (1, b"abcdeX", true),
            (6, b"f", false),
            (6, b"Xgh", true),
            (6, b"fgh", false),
            (0, b"?abc", false),
            (7, b"x", false),
            (1, b"", false),
        ] {
            assert_eq!(recent.differs(7, start, bytes), differs, "{start} {bytes:?}");
        }
        recent.forget();
        assert!(!recent.differs(7, 1, b"xxxxxx"));
    }

    #[test]
    fn the_newest_bytes_are_remembered_whatever_the_pieces() {
        let all: Vec<u8> = (0..2_000_u32).map(|at| (at % 251) as u8).collect();
        for size in [1, 3, 100, RECENT_BYTES, RECENT_BYTES + 1, 1_999] {
            let mut recent = Recent::default();
            all.chunks(size).for_each(|piece| recent.push(piece));
            let newest = (all.len() - RECENT_BYTES) as u64;
            let mut copy = all[all.len() - RECENT_BYTES..].to_vec();
            assert!(!recent.differs(2_000, newest, &copy), "{size}");
            copy[0] ^= 1;
            assert!(recent.differs(2_000, newest, &copy), "{size}");
            assert!(recent.0.len() <= 2 * RECENT_BYTES);
        }
    }
}
