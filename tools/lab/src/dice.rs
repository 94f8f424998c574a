//! Random numbers that are the same on every run and machine, and the distributions that traffic
//! follows.
//!
//! In: a seed and a name. Out: a sequence. Every actor has a sequence of its own, by its name, so
//! that one more actor in a world changes nothing of what the others do. xoshiro256++ (Blackman,
//! Vigna 2019), seeded by SplitMix64 (Steele, Lea, Flood 2014).

use std::f64::consts::TAU;
use std::time::Duration;

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Dice([u64; 4]);

impl Dice {
    /// The sequence of a name under a seed.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a over the name, then mixed: names that differ in one letter must not start alike.
        let mut state = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(std::array::from_fn(|_| split_mix(&mut state)))
    }

    /// A sequence that follows from this one and does not meet it.
    #[must_use]
    pub fn fork(&mut self, name: &str) -> Self {
        Self::new(self.number(), name)
    }

    /// A number of all 64 bits.
    pub const fn number(&mut self) -> u64 {
        let s = &mut self.0;
        let number = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        number
    }

    /// A number of 16 bits.
    pub fn short(&mut self) -> u16 {
        let [high, low, ..] = self.number().to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// A number of 32 bits.
    pub fn word(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.number().to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// Bytes of a kind that look random and of which few are, so that captures pack well.
    pub fn token(&mut self, count: usize) -> Vec<u8> {
        let number = self.number().to_be_bytes();
        number.into_iter().cycle().take(count).collect()
    }

    /// A number below `bound`; zero if there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.number()) * (bound as u128);
        usize::try_from(wide >> 64).expect("below a usize")
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of a list that is not empty.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// `count` different numbers below `bound`, in random order; all where there are no more.
    pub fn sample(&mut self, bound: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..bound).collect();
        let count = count.min(bound);
        for at in 0..count {
            let other = self.between(at, bound - 1);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        /// Bits that a double holds exactly.
        const BITS: u32 = 53;
        let high = u32::try_from(self.number() >> 32).expect("32 bits");
        let low = u32::try_from(self.number() >> (64 - (BITS - 32))).expect("21 bits");
        f64::from(high) / 2f64.powi(32) + f64::from(low) / 2f64.powi(53)
    }

    /// Whether something of that probability happened.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// A number whose logarithm is normal, by its median.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A time to wait for what has no memory.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A number of at least one with a heavy tail.
    pub fn pareto(&mut self, shape: f64) -> f64 {
        (1.0 - self.unit()).powf(-1.0 / shape)
    }
}

const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Seconds as a span; nothing for what is negative.
#[must_use]
pub fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.max(0.0))
}

/// Ranks of which the first is drawn most often: the n-th with weight 1/n.
#[derive(Clone, Debug)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// Over so many ranks.
    #[must_use]
    pub fn new(ranks: u32) -> Self {
        let mut sum = 0.0;
        Self(
            (1..=ranks)
                .map(|rank| {
                    sum += 1.0 / f64::from(rank);
                    sum
                })
                .collect(),
        )
    }

    /// A rank, from zero.
    pub fn draw(&self, dice: &mut Dice) -> usize {
        let at = dice.unit() * self.0.last().copied().unwrap_or_default();
        self.0.partition_point(|sum| *sum <= at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(numbers: &[f64]) -> f64 {
        numbers.iter().sum::<f64>() / numbers.len() as f64
    }

    #[test]
    fn a_sequence_follows_from_seed_and_name() {
        let first = |seed, name| Dice::new(seed, name).number();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
    }

    #[test]
    fn distributions_have_their_mean() {
        let mut dice = Dice::new(7, "means");
        let mut of = |draw: fn(&mut Dice) -> f64| {
            mean(&(0..20_000).map(|_| draw(&mut dice)).collect::<Vec<_>>())
        };
        for (drawn, expected) in [
            (of(Dice::unit), 0.5),
            (of(|dice| dice.uniform(30.0, 60.0)), 45.0),
            (of(|dice| dice.exponential(60.0)), 60.0),
            (of(|dice| 1.0 + dice.normal()), 1.0),
            (of(|dice| dice.lognormal(1.0, 0.5)), 0.125f64.exp()),
        ] {
            assert!((drawn / expected - 1.0).abs() < 0.04, "{drawn} is not about {expected}");
        }
    }

    #[test]
    fn bounds_are_kept() {
        let mut dice = Dice::new(7, "bounds");
        for _ in 0..1_000 {
            assert!(dice.below(3) < 3);
            assert!((5..=6).contains(&dice.between(5, 6)));
            assert!(dice.pareto(1.1) >= 1.0);
        }
        assert_eq!(dice.below(0), 0);
        let mut sample = dice.sample(10, 99);
        sample.sort_unstable();
        assert_eq!(sample, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_rank_is_drawn_most() {
        let (zipf, mut dice) = (Zipf::new(100), Dice::new(7, "ranks"));
        let mut drawn = [0; 100];
        (0..10_000).for_each(|_| drawn[zipf.draw(&mut dice)] += 1);
        assert!(drawn[0] > drawn[1] && drawn[1] > drawn[9], "{drawn:?}");
    }
}
