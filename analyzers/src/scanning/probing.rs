//! What one source did on one class of ports: the tests for scanning.
//!
//! In: first contacts with their outcomes. Out: which tests fired, and the figures. The sequential
//! test is that of Jung, Paxson, Berger and Balakrishnan, "Fast Portscan Detection Using Sequential
//! Hypothesis Testing" (2004): a failed first contact makes scanning four times as likely, an
//! answered one four times less. Contacts may come in any order of time: windows are laid over
//! their times and not over their arrival.

use std::net::IpAddr;
use std::time::Duration;

use crate::detector::FlowsBehind;
use crate::flow_id::FlowId;
use crate::limits::{SCAN_RECENT, SCAN_TARGETS_TOLD};
use crate::newest::{Newest, Place};
use crate::scanning::contact::Outcome;
use crate::time::Timestamp;

/// Silence after which the sequential test begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Silence after which nothing that was counted matters: the longest window.
const OVER_AFTER: Duration = Duration::from_secs(72 * 3_600);

/// Decoys touched after which a third of the usual contacts is enough.
pub(super) const DARK_HITS: u32 = 3;

/// Which contacts a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Those that failed.
    Failed,
    /// Those that came to nothing: failed, given up, or a few words.
    Fruitless,
}

/// A test that counts contacts in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in evidence.
    pub test: Test,
    /// Which contacts.
    pub of: Of,
    /// How many.
    pub least: usize,
    /// In how many seconds.
    pub span: u32,
    /// To how many networks of 256 addresses (IPv6: 2^80) at least.
    pub subnets: usize,
}

/// A test for scanning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// More first contacts failed than a client's would.
    Sequential,
    /// Many in minutes.
    Burst,
    /// Many in an hour.
    Hour,
    /// Many in a day.
    Day,
    /// Few, but all failed, in a day.
    Slow,
    /// Few, all failed, in three days over several networks.
    Creeping,
    /// So many in a second that only a worm is in such a hurry.
    Worm,
}

impl Test {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Sequential,
        Self::Burst,
        Self::Hour,
        Self::Day,
        Self::Slow,
        Self::Creeping,
        Self::Worm,
    ];

    /// What evidence calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Burst => "burst",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Slow => "slow",
            Self::Creeping => "creeping",
            Self::Worm => "worm",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The tests for one class of ports and sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures beyond the used contacts at which the sequential test decides for a scan, and
    /// used ones beyond the failures at which it decides against and begins anew. `None`: not run.
    pub net_failures: Option<i32>,
    /// The windows.
    pub windows: Vec<Rule>,
    /// Whether use counts, too: where nobody has business at all.
    pub use_counts: UseCounts,
}

/// Whether contacts that are use count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseCounts {
    /// They do.
    Yes,
    /// They speak against a scan.
    No,
}

/// What one source did.
#[derive(Debug)]
pub struct Probing {
    first: Timestamp,
    last: Timestamp,
    net: i32,
    counted: u64,
    failed: u64,
    used: u64,
    dark: u32,
    fired: u8,
    /// Seconds of the newest contacts that came to nothing, in order.
    fruitless_at: Newest,
    /// Seconds of the newest that failed.
    failed_at: Newest,
    targets: Vec<IpAddr>,
    flows: FlowsBehind,
    told: Told,
}

/// What was said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    counted: u64,
    grade: u16,
}

/// How many first contacts there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Those that count: all that are not use, and use where the rules say so.
    pub counted: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those that were use.
    pub used: u64,
}

/// One first contact.
#[derive(Clone, Copy, Debug)]
pub struct Contact<'a> {
    /// The flow.
    pub flow: &'a FlowId,
    /// Packet time of its first packet.
    pub ts: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether the destination is a decoy.
    pub is_dark: bool,
}

impl Probing {
    /// Of a source that does something for the first time at `ts`.
    #[must_use]
    pub fn new(ts: Timestamp) -> Self {
        Self {
            first: ts,
            last: ts,
            net: 0,
            counted: 0,
            failed: 0,
            used: 0,
            dark: 0,
            fired: 0,
            fruitless_at: Newest::default(),
            failed_at: Newest::default(),
            targets: Vec::new(),
            flows: FlowsBehind::default(),
            told: Told::default(),
        }
    }

    /// Takes a contact.
    pub fn note(&mut self, contact: &Contact<'_>, rules: &Rules) {
        let silence = contact.ts.since(self.last);
        if silence > OVER_AFTER {
            *self = Self::new(contact.ts);
        } else if silence > FORGOTTEN_AFTER {
            self.net = 0;
        }
        self.weigh(contact.outcome, rules);
        if contact.outcome == Outcome::Used {
            self.used = self.used.saturating_add(1);
            if rules.use_counts == UseCounts::No {
                return;
            }
        }
        self.count(contact);
        self.judge(contact, rules);
    }

    /// Whether something new is to be said: the caller makes more of it than last time, or the
    /// contacts have doubled. A grade of 0 is nothing.
    pub fn is_news(&mut self, grade: u16) -> bool {
        let more = grade != self.told.grade || self.counted >= self.told.counted.saturating_mul(2);
        let is_news = grade != 0 && more;
        if is_news {
            self.told = Told { counted: self.counted, grade };
        }
        is_news
    }

    /// Whether something that was said has other figures by now; asked at the end.
    #[must_use]
    pub const fn has_grown(&self) -> bool {
        self.told.grade != 0 && self.counted != self.told.counted
    }

    /// What the tests make of it: 0 for nothing.
    #[must_use]
    pub fn grade(&self) -> u16 {
        u16::from(self.fired)
    }

    /// The sequential test.
    fn weigh(&mut self, outcome: Outcome, rules: &Rules) {
        let Some(limit) = rules.net_failures else { return };
        let step = match outcome {
            Outcome::Failed => 1,
            // Who greets and goes looks around as well as who is turned away, only with more luck.
            Outcome::Empty | Outcome::Brief => 0,
            Outcome::Used => -1,
        };
        self.net = self.net.saturating_add(step);
        if self.net >= self.scaled(limit) {
            self.fired |= Test::Sequential.bit();
        } else if self.net <= limit.saturating_neg() {
            self.net = 0;
        }
    }

    fn count(&mut self, contact: &Contact<'_>) {
        if self.counted == 0 {
            (self.first, self.last) = (contact.ts, contact.ts);
        }
        self.first = self.first.min(contact.ts);
        self.last = self.last.max(contact.ts);
        self.counted = self.counted.saturating_add(1);
        let is_failed = contact.outcome == Outcome::Failed;
        self.failed = self.failed.saturating_add(u64::from(is_failed));
        self.dark = self.dark.saturating_add(u32::from(contact.is_dark));
        let target = contact.flow.dst.ip;
        if self.targets.len() < SCAN_TARGETS_TOLD && !self.targets.contains(&target) {
            self.targets.push(target);
        }
        self.flows.add(contact.flow);
    }

    /// The windows.
    fn judge(&mut self, contact: &Contact<'_>, rules: &Rules) {
        let fruitless = self.fruitless_at.note(contact.ts, SCAN_RECENT);
        let failed = match contact.outcome {
            Outcome::Failed => self.failed_at.note(contact.ts, SCAN_RECENT),
            _ => Place::Nowhere,
        };
        for rule in &rules.windows {
            if self.fired & rule.test.bit() != 0 {
                continue;
            }
            let (times, at) = match rule.of {
                Of::Fruitless => (&self.fruitless_at, fruitless),
                Of::Failed => (&self.failed_at, failed),
            };
            let least = self.scaled(i32::try_from(rule.least).unwrap_or(i32::MAX));
            let least = usize::try_from(least).unwrap_or(usize::MAX);
            if times.is_dense(at, least, rule.span) && self.subnets() >= rule.subnets {
                self.fired |= rule.test.bit();
            }
        }
    }

    /// A threshold, two and a half times lower for those who touch decoys.
    fn scaled(&self, least: i32) -> i32 {
        if self.dark < DARK_HITS {
            return least;
        }
        least.saturating_mul(2).saturating_add(4).wrapping_div(5).max(2)
    }

    /// Packet time of the first and the last contact that came to nothing.
    #[must_use]
    pub const fn span(&self) -> (Timestamp, Timestamp) {
        (self.first, self.last)
    }

    /// How many contacts there were.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts { counted: self.counted, failed: self.failed, used: self.used }
    }

    /// By how much scanning is likelier than use: four to the number of net failures.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        4_f64.powi(self.net.clamp(-64, 64))
    }

    /// The tests that fired.
    pub fn fired(&self) -> impl Iterator<Item = Test> + '_ {
        Test::ALL.into_iter().filter(|test| self.has_fired(*test))
    }

    /// Whether a test fired.
    #[must_use]
    pub const fn has_fired(&self, test: Test) -> bool {
        self.fired & test.bit() != 0
    }

    /// Decoys among the destinations.
    #[must_use]
    pub const fn dark_hits(&self) -> u32 {
        self.dark
    }

    /// The first destinations.
    #[must_use]
    pub fn targets(&self) -> &[IpAddr] {
        &self.targets
    }

    /// The flows of the contacts that came to nothing.
    #[must_use]
    pub const fn flows(&self) -> &FlowsBehind {
        &self.flows
    }

    /// Networks among the first destinations.
    #[must_use]
    pub fn subnets(&self) -> usize {
        let mut subnets: Vec<u128> = self.targets.iter().map(|target| subnet(*target)).collect();
        subnets.sort_unstable();
        subnets.dedup();
        subnets.len()
    }

    /// How sure that is: by tests, by the share of failures, and whether the source serves.
    #[must_use]
    pub fn confidence(&self, is_server: bool) -> f64 {
        let further = self.fired.count_ones().saturating_sub(1);
        let mostly_failed = self.failed.saturating_mul(5) >= self.counted.saturating_mul(4);
        let sum = 0.45
            + 0.10 * f64::from(further)
            + if mostly_failed { 0.15 } else { 0.0 }
            + if is_server { 0.0 } else { 0.15 };
        sum.min(0.85)
    }
}

/// The network of an address.
fn subnet(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits() >> 8),
        IpAddr::V6(v6) => v6.to_bits() >> 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::samples::flow;

    fn rules() -> Rules {
        let rule = |test, of, least, span, subnets| Rule { test, of, least, span, subnets };
        Rules {
            net_failures: Some(4),
            windows: vec![
                rule(Test::Burst, Of::Fruitless, 10, 600, 1),
                rule(Test::Slow, Of::Failed, 8, 86_400, 1),
                rule(Test::Creeping, Of::Failed, 6, 259_200, 3),
            ],
            use_counts: UseCounts::No,
        }
    }

    /// Contacts of one source: seconds, last two numbers of the address, outcome.
    fn probe(contacts: &[(i64, u8, u8, Outcome)]) -> Vec<&'static str> {
        let mut probing = Probing::new(Timestamp::from_secs_nanos(contacts[0].0, 0));
        for (secs, net, host, outcome) in contacts {
            let flow = flow("10.0.0.1", &format!("10.1.{net}.{host}"), 445);
            let ts = Timestamp::from_secs_nanos(*secs, 0);
            let contact = Contact { flow: &flow, ts, outcome: *outcome, is_dark: *net == 9 };
            probing.note(&contact, &rules());
        }
        probing.fired().map(Test::name).collect()
    }

    /// The same outcome each time.
    fn series(count: u8, gap: i64, outcome: Outcome) -> Vec<(i64, u8, u8, Outcome)> {
        (0..count).map(|at| (i64::from(at) * gap, at % 4, at, outcome)).collect()
    }

    #[test]
    fn four_failed_first_contacts_are_a_scan_however_slow() {
        assert!(probe(&series(3, 60, Outcome::Failed)).is_empty());
        for gap in [1, 600, 7_200, 86_000] {
            assert_eq!(probe(&series(4, gap, Outcome::Failed)), ["sequential"], "every {gap} s");
        }
        // Slower than the sequential test remembers, the longest window sees it still.
        assert!(probe(&series(4, 90_000, Outcome::Failed)).is_empty());
        assert_eq!(probe(&series(6, 50_000, Outcome::Failed)), ["sequential", "creeping"]);
    }

    #[test]
    fn answers_speak_against_a_scan() {
        let mut mixed = series(4, 60, Outcome::Failed);
        mixed.insert(2, (100, 0, 100, Outcome::Used));
        assert!(probe(&mixed).is_empty());
        mixed[2].3 = Outcome::Brief;
        assert_eq!(probe(&mixed), ["sequential"], "a greeting is no use");
        assert!(probe(&series(100, 60, Outcome::Used)).is_empty());
        // Long use does not pay for a scan later: the test begins anew.
        let mut late = series(40, 60, Outcome::Used);
        late.extend((0..8).map(|at| (3_000 + i64::from(at), 1, 100 + at, Outcome::Failed)));
        assert_eq!(probe(&late), ["sequential", "slow"]);
    }

    #[test]
    fn hosts_that_are_only_greeted_are_counted() {
        assert!(probe(&series(9, 60, Outcome::Brief)).is_empty());
        assert_eq!(probe(&series(10, 60, Outcome::Brief)), ["burst"]);
        assert!(probe(&series(40, 90, Outcome::Empty)).is_empty());
    }

    #[test]
    fn touching_decoys_lowers_the_thresholds() {
        let contacts: Vec<_> = (0..4).map(|at| (i64::from(at), 9, at, Outcome::Empty)).collect();
        assert_eq!(probe(&contacts), ["burst"]);
    }

    #[test]
    fn the_order_in_which_contacts_come_does_not_matter() {
        for outcome in [Outcome::Failed, Outcome::Brief] {
            let sorted = series(12, 30, outcome);
            let mut turned = sorted.clone();
            turned.rotate_right(1);
            assert_eq!(probe(&turned), probe(&sorted));
            turned.reverse();
            assert_eq!(probe(&turned), probe(&sorted));
        }
    }
}
