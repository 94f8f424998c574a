//! Nearly everything that traffic shows is unknown. In: hashes of all keys. Out: for a hash, that
//! no key has it, or that one may.
//!
//! A Bloom filter whose every answer is one word of memory (Putze, Sanders and Singler, "Cache-,
//! hash- and space-efficient Bloom filters", 2007): a hash picks a word and four bits of it.

/// Bits of memory for each key. With these one look-up in a hundred and fifty is sent on in vain.
const BITS_PER_KEY: usize = 16;

/// Bits of a word that each key sets.
const BITS_SET: u32 = 4;

/// Hashes that may be there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    words: Box<[u64]>,
}

impl Filter {
    /// With room for so many keys.
    pub(crate) fn with_room(keys: usize) -> Self {
        Self { words: vec![0; keys.saturating_mul(BITS_PER_KEY).div_ceil(64)].into() }
    }

    /// Adds a key's hash.
    pub(crate) fn insert(&mut self, hash: u64) {
        let at = self.word_of(hash);
        if let Some(word) = self.words.get_mut(at) {
            *word |= bits_of(hash);
        }
    }

    /// Whether a key may have that hash.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let bits = bits_of(hash);
        self.words.get(self.word_of(hash)).is_some_and(|word| word & bits == bits)
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.words)
    }

    /// The upper half of the hash, spread over the words.
    fn word_of(&self, hash: u64) -> usize {
        let words = self.words.len() as u64;
        usize::try_from(((hash >> 32) * words) >> 32).unwrap_or(0)
    }
}

/// Six bits of the lower half for each bit of the word, mixed, for tables use that half too.
fn bits_of(hash: u64) -> u64 {
    let mixed = (hash & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (0..BITS_SET).fold(0, |bits, step| bits | 1 << ((mixed >> (step * 6)) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As good as a hash: SplitMix64.
    fn hash(number: u64) -> u64 {
        let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn what_was_added_may_be_there_and_little_else() {
        const KEYS: u64 = 50_000;
        let mut filter = Filter::with_room(50_000);
        (0..KEYS).for_each(|number| filter.insert(hash(number)));
        assert!((0..KEYS).all(|number| filter.may_hold(hash(number))));
        let vain = (KEYS..11 * KEYS).filter(|&number| filter.may_hold(hash(number))).count();
        assert!(vain < 5_000, "{vain} of 500,000 in vain");
        assert_eq!(filter.memory(), 100_000);
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        assert!(!Filter::default().may_hold(0));
        assert!(!Filter::with_room(0).may_hold(u64::MAX));
    }
}
