//! Attempts counted by pair, source and host.
//!
//! In: attempts, and logons that succeeded. Out: findings.

use std::net::IpAddr;
use std::time::Duration;

use crate::detector::{Findings, FlowsBehind};
use crate::flow_id::FlowId;
use crate::guessing::report::Report;
use crate::limits::{GUESS_ENTRIES, GUESS_NAMES, GUESS_RECENT};
use crate::newest::{Newest, secs};
use crate::recent::Recent;
use crate::scene::{Heading, Scene, assets};
use crate::threshold::{Evidence, Ground, Threshold};
use crate::time::Timestamp;

/// Silence after which all is forgotten.
const OVER_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Failures behind which a success is told.
pub(super) const FAILURES_BEFORE_SUCCESS: u64 = 5;

/// A day, in seconds.
const DAY: u32 = 86_400;

/// An hour, in seconds.
const HOUR: u32 = 3_600;

/// So many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub least: usize,
    /// In how many seconds.
    pub seconds: u32,
}

/// When attempts are guessing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts on one host, quick.
    pub quick: Span,
    /// Attempts on one host, in a day.
    pub patient: usize,
    /// Hosts in an hour.
    pub hosts_1h: usize,
    /// Hosts in a day.
    pub hosts_24h: usize,
    /// Users in a day, from one source.
    pub users: usize,
    /// Sources in an hour, on one host.
    pub sources: usize,
}

impl Limits {
    const fn least_users(&self) -> Threshold {
        Threshold::count("users", self.users)
    }

    /// The grounds on which an alert stands. Evidence counts attempts and hosts over all time, the
    /// rules over their windows.
    #[must_use]
    pub fn grounds(&self, evidence: &Evidence<'_>) -> Vec<Ground> {
        let at_most = |knob, least, figure: Option<f64>| {
            Ground::at_most(Threshold::count(knob, least), figure).unwrap_or(Ground::FIXED)
        };
        let (attempts, hosts) = (evidence.number("attempts"), evidence.entries("hosts"));
        let mut grounds = Vec::new();
        for name in evidence.texts("rules") {
            match Rule::ALL.into_iter().find(|rule| rule.name() == name) {
                Some(Rule::Quick) => grounds.push(at_most("quick", self.quick.least, attempts)),
                Some(Rule::Patient) => {
                    grounds.push(at_most("attempts_24h", self.patient, attempts))
                }
                Some(Rule::Hosts) => grounds.extend([
                    at_most("hosts_1h", self.hosts_1h, hosts),
                    at_most("hosts_24h", self.hosts_24h, hosts),
                ]),
                Some(Rule::Users) => {
                    let ground = Ground::exact(self.least_users(), evidence.entries("users"));
                    grounds.push(ground.unwrap_or(Ground::FIXED));
                }
                Some(Rule::Sources) => {
                    grounds.push(at_most("sources", self.sources, evidence.entries("sources")));
                }
                None => grounds.push(Ground::FIXED),
            }
        }
        // A success behind failures is told whatever the rules say.
        if evidence.has("success") {
            grounds.push(Ground::FIXED);
        }
        grounds
    }
}

/// One attempt, or a success.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Its flow.
    pub flow: &'a FlowId,
    /// Packet time of its beginning.
    pub ts: Timestamp,
    /// From where to where.
    pub heading: Heading,
    /// The user, escaped, where the traffic tells.
    pub user: Option<String>,
    /// Whether it succeeded.
    pub is_success: bool,
}

/// The rules, in the order of their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Quick,
    Patient,
    Hosts,
    Users,
    Sources,
}

impl Rule {
    pub(super) const ALL: [Self; 5] =
        [Self::Quick, Self::Patient, Self::Hosts, Self::Users, Self::Sources];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Quick => "A: attempts on one host, quick",
            Self::Patient => "B: attempts on one host in a day",
            Self::Hosts => "C: hosts",
            Self::Users => "D: users",
            Self::Sources => "E: sources on one host",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What was counted about a source, or about a host under guesses of many.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) attempts: u64,
    /// Logons of the source that succeeded since.
    successes: u64,
    /// Other ends with the seconds of the latest attempt; the oldest makes room.
    pub(super) others: Vec<(IpAddr, u32)>,
    /// Users tried, the first of them.
    pub(super) users: Vec<String>,
    pub(super) flows: FlowsBehind,
    pub(super) fired: u8,
    /// The host that he got into, after how many failures.
    pub(super) success: Option<(IpAddr, u64)>,
    told: (u64, u8, bool),
}

/// Attempts of one source on one host.
#[derive(Debug)]
struct Pair {
    last: Timestamp,
    times: Newest,
    failures: u64,
}

/// The state of a guessing detector.
pub struct Guesses {
    detector: &'static str,
    service: &'static str,
    table: &'static str,
    limits: Limits,
    pairs: Recent<(IpAddr, IpAddr), Pair>,
    sources: Recent<IpAddr, Tally>,
    hosts: Recent<IpAddr, Tally>,
}

impl Guesses {
    /// Of the detector of that name, for a service whose rows are in a table.
    #[must_use]
    pub fn new(
        detector: &'static str,
        service: &'static str,
        table: &'static str,
        limits: Limits,
    ) -> Self {
        Self {
            detector,
            service,
            table,
            limits,
            pairs: Recent::new(GUESS_ENTRIES),
            sources: Recent::new(GUESS_ENTRIES),
            hosts: Recent::new(GUESS_ENTRIES),
        }
    }

    /// Takes an attempt or a success.
    pub fn note(&mut self, attempt: &Attempt<'_>, scene: &Scene, findings: &mut Findings) {
        let source = attempt.flow.src.ip;
        if assets::any_contains(&scene.assets.scanners, source) {
            return;
        }
        if attempt.is_success {
            self.note_success(attempt, findings);
        } else {
            self.note_failure(attempt, findings);
        }
    }

    fn note_failure(&mut self, attempt: &Attempt<'_>, findings: &mut Findings) {
        let (source, host) = (attempt.flow.src.ip, attempt.flow.dst.ip);
        let pair = self.pairs.entry((source, host), || Pair::new(attempt.ts));
        let mut fired = pair.note(attempt.ts, &self.limits);
        let tally = self.sources.entry(source, || Tally::new(attempt.ts));
        tally.note(attempt, host);
        let limits = &self.limits;
        if tally.others_within(HOUR) >= limits.hosts_1h
            || tally.others_within(DAY) >= limits.hosts_24h
        {
            fired |= Rule::Hosts.bit();
        }
        if limits.least_users().is_met_by(tally.users.len()) {
            fired |= Rule::Users.bit();
        }
        tally.fired |= fired;
        if tally.is_news() {
            findings.say(self.report(source, attempt.heading, Rule::Hosts));
        }
        let tally = self.hosts.entry(host, || Tally::new(attempt.ts));
        tally.note(attempt, source);
        if tally.others_within(HOUR) >= self.limits.sources {
            tally.fired |= Rule::Sources.bit();
        }
        if tally.is_news() {
            findings.say(self.report(host, attempt.heading, Rule::Sources));
        }
    }

    fn note_success(&mut self, attempt: &Attempt<'_>, findings: &mut Findings) {
        let (source, host) = (attempt.flow.src.ip, attempt.flow.dst.ip);
        let since = |last: Timestamp| attempt.ts.since(last) <= OVER_AFTER;
        let on_pair = self.pairs.get_mut(&(source, host)).filter(|pair| since(pair.last));
        let on_pair = on_pair.map_or(0, |pair| std::mem::take(&mut pair.failures));
        let Some(tally) = self.sources.get_mut(&source).filter(|tally| since(tally.last)) else {
            return;
        };
        let failures = if tally.fired == 0 { on_pair } else { tally.attempts };
        // Where many work behind one address, mistakes and successes go side by side.
        let is_shared = tally.successes.saturating_mul(FAILURES_BEFORE_SUCCESS) > tally.attempts;
        tally.successes = tally.successes.saturating_add(1);
        if failures < FAILURES_BEFORE_SUCCESS || is_shared {
            return;
        }
        tally.success = Some((host, failures));
        tally.last = tally.last.max(attempt.ts);
        tally.flows.add(attempt.flow);
        if tally.is_news() {
            findings.say(self.report(source, attempt.heading, Rule::Hosts));
        }
    }

    /// What the counts of a source say, or those of a host where many guess.
    fn report(&self, host: IpAddr, heading: Heading, rule: Rule) -> crate::detector::Finding {
        let tally = match rule {
            Rule::Sources => self.hosts.peek(&host),
            _ => self.sources.peek(&host),
        };
        let nothing = Tally::new(Timestamp::default());
        Report {
            detector: self.detector,
            service: self.service,
            table: self.table,
            limits: &self.limits,
            host,
            heading,
            is_distributed: rule == Rule::Sources,
            tally: tally.unwrap_or(&nothing),
        }
        .finding()
    }

    /// Says the last figures of what was told; `scene` tells how flows run.
    pub fn finish(&mut self, scene: &Scene, findings: &mut Findings) {
        let heading = |from: IpAddr, to: Option<IpAddr>| match (
            scene.home.contains(from),
            to.is_some_and(|to| scene.home.contains(to)),
        ) {
            (true, true) => Heading::Internal,
            (true, false) => Heading::Outbound,
            (false, true) => Heading::Inbound,
            (false, false) => Heading::External,
        };
        for (&source, tally) in self.sources.iter().filter(|(_, tally)| tally.has_grown()) {
            let to = tally.others.first().map(|(host, _)| *host);
            findings.say(self.report(source, heading(source, to), Rule::Hosts));
        }
        for (&host, tally) in self.hosts.iter().filter(|(_, tally)| tally.has_grown()) {
            let Some((source, _)) = tally.others.first() else { continue };
            findings.say(self.report(host, heading(*source, Some(host)), Rule::Sources));
        }
    }

    /// Entries that made room for others.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        let (pairs, sources) = (self.pairs.evicted(), self.sources.evicted());
        pairs.saturating_add(sources).saturating_add(self.hosts.evicted())
    }
}

impl Pair {
    fn new(ts: Timestamp) -> Self {
        Self { last: ts, times: Newest::default(), failures: 0 }
    }

    /// Takes an attempt; the rules that fire.
    fn note(&mut self, ts: Timestamp, limits: &Limits) -> u8 {
        if ts.since(self.last) > OVER_AFTER {
            *self = Self::new(ts);
        }
        self.last = self.last.max(ts);
        self.failures = self.failures.saturating_add(1);
        let place = self.times.note(ts, GUESS_RECENT);
        let is_dense = |least, seconds| self.times.is_dense(place, least, seconds);
        let mut fired = 0;
        if is_dense(limits.quick.least, limits.quick.seconds) {
            fired |= Rule::Quick.bit();
        }
        if is_dense(limits.patient, DAY) {
            fired |= Rule::Patient.bit();
        }
        fired
    }
}

impl Tally {
    fn new(ts: Timestamp) -> Self {
        Self {
            first: ts,
            last: ts,
            attempts: 0,
            successes: 0,
            others: Vec::new(),
            users: Vec::new(),
            flows: FlowsBehind::default(),
            fired: 0,
            success: None,
            told: (0, 0, false),
        }
    }

    fn note(&mut self, attempt: &Attempt<'_>, other: IpAddr) {
        if attempt.ts.since(self.last) > OVER_AFTER {
            *self = Self::new(attempt.ts);
        }
        self.first = self.first.min(attempt.ts);
        self.last = self.last.max(attempt.ts);
        self.attempts = self.attempts.saturating_add(1);
        self.flows.add(attempt.flow);
        let now = secs(attempt.ts);
        if let Some((_, latest)) = self.others.iter_mut().find(|(known, _)| *known == other) {
            *latest = (*latest).max(now);
        } else {
            if self.others.len() >= GUESS_NAMES {
                self.others.remove(0);
            }
            self.others.push((other, now));
        }
        if let Some(user) = &attempt.user
            && self.users.len() < GUESS_NAMES
            && !self.users.contains(user)
        {
            self.users.push(user.clone());
        }
    }

    /// Other ends whose latest attempt is not older than that.
    fn others_within(&self, seconds: u32) -> usize {
        let newest = self.others.iter().map(|(_, latest)| *latest).max().unwrap_or(0);
        self.others.iter().filter(|(_, latest)| newest.saturating_sub(*latest) <= seconds).count()
    }

    fn is_news(&mut self) -> bool {
        let (attempts, fired, success) = self.told;
        let is_worth = self.fired != 0 || self.success.is_some();
        let is_more = self.fired != fired
            || self.success.is_some() != success
            || self.attempts >= attempts.saturating_mul(2);
        let is_news = is_worth && is_more;
        if is_news {
            self.told = (self.attempts, self.fired, self.success.is_some());
        }
        is_news
    }

    const fn has_grown(&self) -> bool {
        self.told.0 != 0 && self.told.0 != self.attempts
    }

    /// The rules that fired.
    pub(super) fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        Rule::ALL.into_iter().filter(|rule| self.fired & rule.bit() != 0)
    }
}
