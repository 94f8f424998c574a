//! Packet time: nanoseconds since 1970-01-01 UTC, as the capture says. In: seconds and fractions
//! from a capture. Out: comparisons, differences and microseconds for the archive.

use std::time::Duration;

/// An instant in packet time, in nanoseconds since the Unix epoch (signed: captures may predate
/// it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be written.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be written.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds; saturates at what 64 bits hold (years 1677 to 2262).
    #[must_use]
    pub const fn from_secs_nanos(secs: i64, nanos: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Microseconds since the epoch, rounded towards the past: the archive's resolution.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Microseconds from `earlier` to `self`; negative when the capture's clock went back.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }

    /// Time from `earlier` to `self`, zero when the capture's clock went back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This instant moved into the future, saturating.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let whole = i64::try_from(span.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        let nanos = whole.saturating_add(i64::from(span.subsec_nanos()));
        Self(self.0.saturating_add(nanos))
    }
}

/// An instant that a message states, such as the end of a certificate's validity, in microseconds
/// since the Unix epoch: certificates promise the year 9999, which [`Timestamp`] does not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatedTime(i64);

impl StatedTime {
    /// From whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_round_to_the_past_before_the_epoch_too() {
        assert_eq!(Timestamp::from_nanos(1_999).micros(), 1);
        assert_eq!(Timestamp::from_nanos(-1).micros(), -1);
    }

    #[test]
    fn extremes_saturate() {
        assert_eq!(Timestamp::from_secs_nanos(i64::MAX, 1), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.after(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }
}
