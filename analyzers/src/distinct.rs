//! How many different things there were, in bounded memory: exact while they are few, by
//! HyperLogLog once they are many (Flajolet, Fusy, Gandouet, Meunier 2007).
//!
//! In: hashes of things, of 64 bits and well spread. Out: their number, which does not depend on
//! their order.

/// Registers of a count, as many as a power of two, at least 16: in the count itself, which is
/// faster, or where it points to, which takes no memory before there are many.
pub trait Registers {
    /// All empty.
    fn empty() -> Self;

    /// What each holds.
    fn runs(&self) -> &[u8];

    /// The same, to be changed.
    fn runs_mut(&mut self) -> &mut [u8];
}

impl<const REGISTERS: usize> Registers for [u8; REGISTERS] {
    fn empty() -> Self {
        [0; REGISTERS]
    }

    fn runs(&self) -> &[u8] {
        self
    }

    fn runs_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<R: Registers> Registers for Box<R> {
    fn empty() -> Self {
        Self::new(R::empty())
    }

    fn runs(&self) -> &[u8] {
        (**self).runs()
    }

    fn runs_mut(&mut self) -> &mut [u8] {
        (**self).runs_mut()
    }
}

/// A count of different things: exact up to `FEW`, then with a standard error of 1.04 / √m of m
/// registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distinct<const FEW: usize, R> {
    /// The things themselves, by half their hash.
    Few(Vec<u32>),
    /// For each part of the hashes, the longest run of zeros in front.
    Many(R),
}

impl<const FEW: usize, R> Default for Distinct<FEW, R> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<const FEW: usize, R: Registers> Distinct<FEW, R> {
    /// Counts the thing of that hash; whether it made a difference.
    pub fn add(&mut self, hash: u64) -> bool {
        // The registers see what the exact list has kept, so that its turning loses nothing.
        let half = u32::try_from(hash >> 32).unwrap_or(0);
        match self {
            Self::Few(few) => {
                if few.contains(&half) {
                    return false;
                }
                if few.len() < FEW {
                    few.push(half);
                    return true;
                }
                let mut registers = R::empty();
                for half in few.iter().chain([&half]) {
                    raise(registers.runs_mut(), *half);
                }
                *self = Self::Many(registers);
                true
            }
            Self::Many(registers) => raise(registers.runs_mut(), half),
        }
    }

    /// How many different things two counts have seen together.
    #[must_use]
    pub fn count_with(&self, other: &Self) -> u64 {
        if let (Self::Few(ours), Self::Few(theirs)) = (self, other) {
            let more = theirs.iter().filter(|half| !ours.contains(half)).count();
            let both = ours.len().saturating_add(more);
            if both <= FEW {
                return u64::try_from(both).unwrap_or(u64::MAX);
            }
        }
        let mut registers = R::empty();
        self.raise_all(registers.runs_mut());
        other.raise_all(registers.runs_mut());
        estimate(registers.runs())
    }

    fn raise_all(&self, registers: &mut [u8]) {
        match self {
            Self::Few(few) => few.iter().for_each(|half| {
                raise(registers, *half);
            }),
            Self::Many(ours) => {
                for (register, run) in registers.iter_mut().zip(ours.runs()) {
                    *register = (*register).max(*run);
                }
            }
        }
    }

    /// How many different things there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Few(few) => u64::try_from(few.len()).unwrap_or(u64::MAX),
            Self::Many(registers) => estimate(registers.runs()),
        }
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Few(few) if few.is_empty())
    }
}

/// Notes a hash in its register: the low bits choose it, the run of zeros above them counts.
/// Whether the register rose.
fn raise(registers: &mut [u8], half: u32) -> bool {
    let bits = registers.len().trailing_zeros();
    let place = usize::try_from(half).unwrap_or(0) & registers.len().wrapping_sub(1);
    let rest = half >> bits;
    let run = rest.leading_zeros().saturating_sub(bits).saturating_add(1);
    let run = u8::try_from(run).unwrap_or(u8::MAX);
    match registers.get_mut(place) {
        Some(register) if *register < run => {
            *register = run;
            true
        }
        _ => false,
    }
}

/// What a register can hold: no thing, or the run of one of 32 bits.
const RUNS: usize = 34;

fn estimate(registers: &[u8]) -> u64 {
    let number = u32::try_from(registers.len()).map_or(0.0, f64::from);
    let mut of_runs = [0_u32; RUNS];
    for run in registers {
        if let Some(of_run) = of_runs.get_mut(usize::from(*run)) {
            *of_run = of_run.saturating_add(1);
        }
    }
    // By Horner's rule; exact, for all are sums of few powers of two.
    let sum = of_runs.iter().rev().fold(0.0, |sum, of_run| sum / 2.0 + f64::from(*of_run));
    let empty = of_runs.first().copied().unwrap_or(0);
    let raw = 0.7213 / (1.0 + 1.079 / number) * number * number / sum;
    let is_small = raw <= 2.5 * number && empty > 0;
    let estimate = if is_small { number * (number / f64::from(empty)).ln() } else { raw };
    // Between 0 and 2^33, by the 32 bits that are looked at.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rounded = estimate.round() as u64;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    type Count = Distinct<8, [u8; 256]>;

    fn hash(number: u64) -> u64 {
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    fn of(numbers: std::ops::Range<u64>) -> Count {
        let mut count = Count::default();
        for number in numbers.clone().chain(numbers) {
            count.add(hash(number));
        }
        count
    }

    #[test]
    fn few_are_exact_and_many_within_a_fifth() {
        for number in 0..=8 {
            assert_eq!(of(0..number).count(), number);
        }
        for number in [9_u64, 50, 100, 400, 700, 1_000, 10_000, 1_000_000] {
            let count = of(0..number).count();
            assert!(count.abs_diff(number) * 5 <= number, "{count} of {number}");
        }
    }

    #[test]
    fn two_count_together_as_if_one_had_seen_all() {
        let of_both = [(0..3, 2..5), (0..6, 2..11), (0..3, 0..500), (0..500, 498..503)];
        for (a, b) in of_both.into_iter().chain([(0..500, 300..900)]) {
            let whole = of(a.start..b.end);
            assert_eq!(of(a.clone()).count_with(&of(b.clone())), whole.count(), "{a:?} and {b:?}");
        }
    }
}
