//! Chance that a seed decides: splitmix64, and the long-tailed choices that networks make.

/// A source of chance.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound.max(1));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A share of one.
    #[allow(clippy::cast_precision_loss)] // 53 bits are kept
    pub(crate) fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `count` things, of which the first are far more usual than the last: the share of the
    /// n-th falls about as 1/n.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn ranked(&mut self, count: u64) -> u64 {
        let rank = (count.max(1) as f64).powf(self.share());
        (rank as u64).saturating_sub(1).min(count.saturating_sub(1))
    }

    /// A size with a long tail around `middle`.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub(crate) fn around(&mut self, middle: i64) -> i64 {
        let normal = self.share() + self.share() + self.share() - 1.5;
        (middle as f64 * (3.0 * normal).exp()) as i64
    }
}

/// A number that looks like chance and is always the same for the same `value`.
pub(crate) const fn mix(value: u64) -> u64 {
    let mut z = value;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
