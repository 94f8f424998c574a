//! What somebody is used to: at which hours he logs on, how often, and to what.
//!
//! In: logins with their local time. Out: how surprising the next one is, in bits. Counts fade with
//! a half-life, so that a new shift becomes the habit and the old one is forgotten.

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::limits::{LOGIN_RECENT, LOGIN_TARGETS};
use crate::scene::schedule::DayClass;
use crate::time::Timestamp;

/// Seconds in which a count falls to its half.
const HALF_LIFE: f64 = 30.0 * 86_400.0;

/// Seconds after which a target is new again.
const TARGET_FORGOTTEN: i64 = 30 * 86_400;

/// Bits that a new target adds.
const NEW_TARGET_BITS: f64 = 2.0;

/// The habit of one user or host with one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// Seconds since the epoch of the first login.
    first: i64,
    /// Of the latest.
    last: i64,
    /// Logins ever.
    logins: u64,
    /// Faded counts by hour of workdays and of rest days.
    workday: [f32; 24],
    restday: [f32; 24],
    /// Faded count of hours in which there were logins.
    hours: f32,
    /// The hour, since the epoch, that was counted last.
    hour: i64,
    /// Hosts that were logged on to, with the seconds of the latest time; the oldest makes room.
    targets: Vec<(IpAddr, i64)>,
    /// Seconds of the latest logins, in order.
    #[serde(skip)]
    recent: VecDeque<i64>,
}

/// How a login compares to the habit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// How surprising its hour is; a new target adds two bits.
    pub bits: f64,
    /// Logins behind it.
    pub logins: u64,
    /// What is left of them: older ones count less.
    pub faded: f64,
    /// Days since the first of them.
    pub days: f64,
    /// Whether its target was not seen for 30 days.
    pub is_new_target: bool,
    /// The most logins in an hour around it, itself included.
    pub in_an_hour: u32,
    /// The most that the habit makes likely: 99.9 % of Poisson at the mean of hours with logins.
    pub usual_in_an_hour: u32,
}

impl Habit {
    /// That of somebody who was never seen.
    #[must_use]
    pub fn new(ts: Timestamp) -> Self {
        let now = secs(ts);
        Self {
            first: now,
            last: now,
            logins: 0,
            workday: [0.0; 24],
            restday: [0.0; 24],
            hours: 0.0,
            hour: i64::MIN,
            targets: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    /// Compares a login to what was before it.
    #[must_use]
    pub fn compare(&self, ts: Timestamp, class: DayClass, hour: i8, target: IpAddr) -> Comparison {
        let now = secs(ts);
        let fade = self.fade(now);
        let faded: f64 =
            fade * self.workday.iter().chain(&self.restday).map(|c| f64::from(*c)).sum::<f64>();
        let near = fade * self.near(class, hour);
        let is_new_target = !self
            .targets
            .iter()
            .any(|(known, seen)| *known == target && now.saturating_sub(*seen) <= TARGET_FORGOTTEN);
        let mean = if self.hours > 0.0 { faded / (fade * f64::from(self.hours)) } else { 0.0 };
        let surprise = -((near + 0.5) / (faded + 24.0)).log2();
        #[expect(clippy::cast_precision_loss, reason = "seconds of a lifetime are exact")]
        let days = now.saturating_sub(self.first).max(0) as f64 / 86_400.0;
        Comparison {
            bits: surprise + if is_new_target { NEW_TARGET_BITS } else { 0.0 },
            logins: self.logins,
            faded,
            days,
            is_new_target,
            in_an_hour: self.around(now),
            usual_in_an_hour: poisson_bound(mean),
        }
    }

    /// Learns of a login.
    pub fn learn(&mut self, ts: Timestamp, class: DayClass, hour: i8, target: IpAddr) {
        let now = secs(ts);
        #[expect(clippy::cast_possible_truncation, reason = "a factor between 0 and 1")]
        let fade = self.fade(now) as f32;
        for count in self.workday.iter_mut().chain(&mut self.restday) {
            *count *= fade;
        }
        self.hours *= fade;
        let counts = match class {
            DayClass::Workday => &mut self.workday,
            DayClass::RestDay => &mut self.restday,
        };
        if let Some(count) = usize::try_from(hour).ok().and_then(|hour| counts.get_mut(hour)) {
            *count += 1.0;
        }
        if self.hour != now.div_euclid(3_600) {
            self.hour = now.div_euclid(3_600);
            self.hours += 1.0;
        }
        self.first = self.first.min(now);
        self.last = self.last.max(now);
        self.logins = self.logins.saturating_add(1);
        self.remember_target(target, now);
        if self.recent.len() >= LOGIN_RECENT {
            self.recent.pop_front();
        }
        let at = self.recent.partition_point(|time| *time <= now);
        self.recent.insert(at, now);
    }

    /// Seconds since the epoch of the first login.
    #[must_use]
    pub const fn first(&self) -> i64 {
        self.first
    }

    /// Faded counts by hour of workdays.
    #[must_use]
    pub const fn workdays(&self) -> &[f32; 24] {
        &self.workday
    }

    /// Faded counts by hour of rest days.
    #[must_use]
    pub const fn rest_days(&self) -> &[f32; 24] {
        &self.restday
    }

    /// Hosts that were logged on to.
    pub fn targets(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.targets.iter().map(|(target, _)| *target)
    }

    /// Seconds since the epoch of the latest login.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.last
    }

    /// Logins ever.
    #[must_use]
    pub const fn logins(&self) -> u64 {
        self.logins
    }

    /// Joins what another sensor, or an earlier time, learned of the same one.
    pub fn join(&mut self, other: &Self) {
        let ours = self.workday.iter_mut().chain(&mut self.restday);
        for (count, more) in ours.zip(other.workday.iter().chain(&other.restday)) {
            *count += more;
        }
        self.hours += other.hours;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.logins = self.logins.saturating_add(other.logins);
        for (target, seen) in &other.targets {
            self.remember_target(*target, *seen);
        }
    }

    fn remember_target(&mut self, target: IpAddr, now: i64) {
        if let Some((_, seen)) = self.targets.iter_mut().find(|(known, _)| *known == target) {
            *seen = (*seen).max(now);
            return;
        }
        if self.targets.len() >= LOGIN_TARGETS {
            let oldest = self.targets.iter().enumerate().min_by_key(|(_, (_, seen))| *seen);
            if let Some((at, _)) = oldest {
                self.targets.remove(at);
            }
        }
        self.targets.push((target, now));
    }

    /// What is left of a count by now.
    fn fade(&self, now: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a lifetime are exact")]
        let since = now.saturating_sub(self.last).max(0) as f64;
        0.5_f64.powf(since / HALF_LIFE)
    }

    /// The count of an hour, with half of those beside it.
    fn near(&self, class: DayClass, hour: i8) -> f64 {
        let counts = match class {
            DayClass::Workday => &self.workday,
            DayClass::RestDay => &self.restday,
        };
        let at = |offset: i8| {
            let hour = hour.saturating_add(offset).rem_euclid(24);
            let count = usize::try_from(hour).ok().and_then(|hour| counts.get(hour));
            f64::from(count.copied().unwrap_or(0.0))
        };
        at(0) + 0.5 * (at(-1) + at(1))
    }

    /// The most logins within an hour that has this one in it, itself counted.
    fn around(&self, now: i64) -> u32 {
        let starts = self.recent.iter().copied().chain([now]);
        let within = |from: i64| {
            let until = from.saturating_add(3_600);
            let others = self.recent.iter().filter(|time| (from..until).contains(*time)).count();
            u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1)
        };
        starts
            .filter(|from| *from <= now && now < from.saturating_add(3_600))
            .map(within)
            .max()
            .unwrap_or(1)
    }
}

/// Whole seconds since the epoch.
fn secs(ts: Timestamp) -> i64 {
    ts.nanos().div_euclid(1_000_000_000)
}

/// The least count that a Poisson variable of that mean exceeds once in a thousand times at most.
fn poisson_bound(mean: f64) -> u32 {
    let mut term = (-mean).exp();
    let mut sum = term;
    let mut count = 0_u32;
    while sum < 0.999 && count < 10_000 {
        count = count.saturating_add(1);
        term *= mean / f64::from(count);
        sum += term;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 2, 0, 1));

    fn at(day: i64, hour: i8) -> Timestamp {
        Timestamp::from_secs_nanos(1_700_000_000 + day * 86_400 + i64::from(hour) * 3_600, 0)
    }

    /// Three logins a day at nine, ten and eleven.
    fn worker(days: i64) -> Habit {
        let mut habit = Habit::new(at(0, 9));
        for day in 0..days {
            for hour in [9, 10, 11] {
                habit.learn(at(day, hour), DayClass::Workday, hour, TARGET);
            }
        }
        habit
    }

    #[test]
    fn an_hour_in_which_nobody_came_is_surprising() {
        let habit = worker(20);
        let bits = |hour, class| habit.compare(at(20, hour), class, hour, TARGET).bits;
        assert!(bits(10, DayClass::Workday) < 2.0);
        assert!(bits(12, DayClass::Workday) < 4.0, "beside a usual hour");
        assert!((6.5..7.5).contains(&bits(2, DayClass::Workday)));
        assert!(bits(10, DayClass::RestDay) > 6.5);
        let elsewhere = "10.2.0.99".parse().unwrap();
        let night = habit.compare(at(20, 2), DayClass::Workday, 2, elsewhere);
        assert!(night.is_new_target && night.bits > 8.5);
    }

    #[test]
    fn who_comes_around_the_clock_surprises_nobody() {
        let mut habit = Habit::new(at(0, 0));
        for day in 0..10 {
            for hour in 0..24 {
                habit.learn(at(day, hour), DayClass::Workday, hour, TARGET);
            }
        }
        assert!(habit.compare(at(10, 2), DayClass::Workday, 2, TARGET).bits < 5.0);
    }

    #[test]
    fn old_habits_fade() {
        let habit = worker(20);
        let (soon, late) = (at(21, 10), at(141, 10));
        let soon = habit.compare(soon, DayClass::Workday, 10, TARGET);
        let late = habit.compare(late, DayClass::Workday, 10, TARGET);
        assert!(soon.faded > 40.0 && late.faded < 4.0);
        assert!(late.is_new_target && !soon.is_new_target);
    }

    #[test]
    fn the_rate_is_the_most_in_any_hour_whatever_the_order() {
        for minutes in [[0, 10, 20, 30, 40, 50], [50, 10, 0, 40, 20, 30]] {
            let mut habit = Habit::new(at(0, 0));
            let mut rates = Vec::new();
            for minute in minutes {
                let ts = Timestamp::from_secs_nanos(1_700_000_000 + minute * 60, 0);
                rates.push(habit.compare(ts, DayClass::Workday, 9, TARGET).in_an_hour);
                habit.learn(ts, DayClass::Workday, 9, TARGET);
            }
            assert_eq!(rates, [1, 2, 3, 4, 5, 6]);
        }
        assert_eq!(Habit::new(at(0, 0)).compare(at(0, 0), DayClass::Workday, 0, TARGET).bits, {
            24.0_f64.log2() + 1.0 + NEW_TARGET_BITS
        });
    }

    #[test]
    fn the_bound_of_poisson_is_that_of_tables() {
        for (mean, bound) in [(0.0, 0), (1.0, 5), (3.0, 10), (10.0, 21)] {
            assert_eq!(poisson_bound(mean), bound, "mean {mean}");
        }
    }

    #[test]
    fn two_memories_join() {
        let mut joined = worker(10);
        joined.join(&worker(10));
        assert_eq!(joined.logins(), 60);
        let bits = joined.compare(at(10, 2), DayClass::Workday, 2, TARGET).bits;
        assert!(bits > 7.0, "{bits}");
    }
}
