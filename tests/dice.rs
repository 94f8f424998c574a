//! Random numbers that are the same on every run: SplitMix64 (Steele, Lea, Flood 2014), from a seed
//! that every failure can name.

/// A sequence of random numbers.
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of that seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number of all 64 bits.
    pub(crate) const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; zero if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.number() % bound).expect("below a usize")
    }

    /// Whether something of that many chances in a thousand happened.
    pub(crate) const fn per_mille(&mut self, chances: u64) -> bool {
        self.number() % 1_000 < chances
    }

    /// Up to `most` numbers below `bound`, sorted, each once; all of them where they are no more.
    pub(crate) fn sample(&mut self, bound: usize, most: usize) -> Vec<usize> {
        if bound <= most {
            return (0..bound).collect();
        }
        let mut drawn: Vec<usize> = (0..most).map(|_| self.below(bound)).collect();
        drawn.sort_unstable();
        drawn.dedup();
        drawn
    }
}
