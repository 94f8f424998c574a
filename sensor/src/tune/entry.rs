//! Proposed entries of an allow-list.
//!
//! In: alerts that are told. Out: the smallest entries that silence many of them, each with what it
//! would cost, in the order of how many. An entry is for one detector and says who, with whom or
//! what; and when, where its alerts keep to hours or days. What it silences is asked of the
//! allow-list itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use signatures::AllowList;
use signatures::allow::DefaultPack;
use signatures::matcher::DETECTOR as INTEL;

use super::cost::Cost;
use super::past::{Past, Telling};
use super::setting::{Fate, Reason, Word, word, worst};
use super::when::{When, when};

/// Alerts that make an entry worth while.
const ALERTS_MIN: usize = 2;

/// Candidates that are tried; those with fewer alerts are left out.
const CANDIDATES_MAX: usize = 256;

/// Hosts that make a network worth naming.
const NETWORK_HOSTS_MIN: usize = 3;

/// Days after the last alert at which an entry is to be looked at again.
const REVIEW_DAYS: i64 = 90;

/// What an entry goes by, from the widest to the narrowest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// Everything from a network.
    SrcNetwork(String),
    /// Everything of a host.
    Src(IpAddr),
    /// Everything with a host.
    Dst(IpAddr),
    /// A program on a host.
    UserAgent(String),
    /// An account.
    User(String),
    /// Fingerprint of a client.
    Ja4(String),
    /// A name that a detector tells findings by.
    Name(String),
    /// What a feed named.
    Indicator(&'static str, String),
    /// A host and another.
    Pair(IpAddr, IpAddr),
}

impl By {
    /// How narrow: of two that silence the same, the narrower is the smaller entry.
    const fn narrowness(&self) -> u8 {
        match self {
            Self::SrcNetwork(_) => 0,
            Self::Src(_) | Self::Dst(_) => 1,
            Self::UserAgent(_) | Self::User(_) | Self::Ja4(_) => 2,
            Self::Name(_) | Self::Indicator(..) => 3,
            Self::Pair(..) => 4,
        }
    }

    /// The lines of an entry.
    fn lines(&self) -> Vec<String> {
        let list = |key: &str, value: &str| format!("{key} = [{}]", quoted(value));
        match self {
            Self::SrcNetwork(network) => vec![list("src", network)],
            Self::Src(host) => vec![list("src", &host.to_string())],
            Self::Dst(host) => vec![list("dst", &host.to_string())],
            Self::UserAgent(agent) => vec![list("user_agents", agent)],
            Self::User(user) => vec![list("users", user)],
            Self::Ja4(ja4) => vec![list("hashes", ja4)],
            Self::Name(name) => vec![list("dst", name)],
            Self::Indicator(key, value) => vec![list(key, value)],
            Self::Pair(src, dst) => {
                vec![list("src", &src.to_string()), list("dst", &dst.to_string())]
            }
        }
    }

    /// In a few words.
    fn words(&self) -> String {
        match self {
            Self::SrcNetwork(network) => format!("from {network}"),
            Self::Src(host) => format!("from {host}"),
            Self::Dst(host) => format!("to {host}"),
            Self::UserAgent(agent) => format!("by the client {}", shown(agent)),
            Self::User(user) => format!("of the user {}", shown(user)),
            Self::Ja4(ja4) => format!("by clients with {}", shown(ja4)),
            Self::Name(name) => format!("to {}", shown(name)),
            Self::Indicator(_, value) => format!("about {}", shown(value)),
            Self::Pair(src, dst) => format!("from {src} to {dst}"),
        }
    }
}

/// A proposed entry.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// In a few words.
    pub(super) words: String,
    /// As it is written in an allow-list.
    pub(super) text: String,
    /// What it would cost.
    pub(super) cost: Cost<'a>,
}

/// A candidate and the alerts that it silences, by their places.
struct Candidate {
    detector: String,
    by: By,
    silenced: BTreeSet<usize>,
}

/// The best entries for alerts that are told, at most so many.
pub(super) fn entries<'a>(told: &[&'a Past], zone: &TimeZone, most: usize) -> Vec<Entry<'a>> {
    let mut candidates: Vec<Candidate> = grouped(told)
        .into_iter()
        .filter_map(|(detector, by)| {
            let text = written(&detector, &by, &When::default(), told);
            let silenced = silenced_by(&text, &detector, told, zone)?;
            (silenced.len() >= ALERTS_MIN).then_some(Candidate { detector, by, silenced })
        })
        .collect();
    candidates.sort_by(|a, b| {
        let rank = |one: &Candidate| (one.silenced.len(), one.by.narrowness());
        rank(b).cmp(&rank(a)).then_with(|| (&a.detector, &a.by).cmp(&(&b.detector, &b.by)))
    });
    let mut covered: BTreeSet<usize> = BTreeSet::new();
    let mut chosen = Vec::new();
    for candidate in &candidates {
        let has_better = candidates.iter().any(|other| is_smaller(other, candidate));
        if chosen.len() < most && !has_better && !candidate.silenced.is_subset(&covered) {
            covered.extend(&candidate.silenced);
            chosen.push(entry(candidate, told, zone));
        }
    }
    chosen
}

/// Whether a narrower entry does nearly the same.
fn is_smaller(other: &Candidate, candidate: &Candidate) -> bool {
    other.by.narrowness() > candidate.by.narrowness()
        && other.detector == candidate.detector
        && other.silenced.len() * 10 >= candidate.silenced.len() * 9
        && other.silenced.is_subset(&candidate.silenced)
}

/// The candidate as an entry, with hours and days where its alerts keep to some.
fn entry<'a>(candidate: &Candidate, told: &[&'a Past], zone: &TimeZone) -> Entry<'a> {
    let Candidate { detector, by, silenced } = candidate;
    let pasts: Vec<&Past> = silenced.iter().map(|&at| told[at]).collect();
    let timed = when(&pasts, zone).map(|when| (written(detector, by, &when, told), when));
    let timed = timed.filter(|(text, _)| {
        silenced_by(text, detector, told, zone).is_some_and(|same| same == *silenced)
    });
    let (text, when) = timed.unwrap_or_else(|| {
        let always = When::default();
        (written(detector, by, &always, told), always)
    });
    let words = format!("{detector} {}{}", by.words(), when.words());
    let silenced = silenced.iter().map(|&at| told[at]).collect();
    Entry { words, text, cost: Cost::of(silenced, told) }
}

/// What groups of alerts have in common, those of the most alerts first.
fn grouped(told: &[&Past]) -> Vec<(String, By)> {
    let mut groups: BTreeMap<(String, By), usize> = BTreeMap::new();
    let mut hosts: BTreeMap<(String, By), BTreeSet<IpAddr>> = BTreeMap::new();
    for past in told.iter().filter(|past| !past.is_incident()) {
        let detector = past.detector().to_owned();
        for by in ways(past.last()) {
            if let By::SrcNetwork(_) = by {
                let key = (detector.clone(), by.clone());
                hosts.entry(key).or_default().extend(past.latest().src_ip);
            }
            *groups.entry((detector.clone(), by)).or_default() += 1;
        }
    }
    let is_worth = |key: &(String, By), count: usize| {
        let hosts = hosts.get(key).map_or(NETWORK_HOSTS_MIN, BTreeSet::len);
        count >= ALERTS_MIN && hosts >= NETWORK_HOSTS_MIN
    };
    let mut groups: Vec<_> =
        groups.into_iter().filter(|(key, count)| is_worth(key, *count)).collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    groups.into_iter().take(CANDIDATES_MAX).map(|(key, _)| key).collect()
}

/// The ways to name an alert.
fn ways(telling: &Telling) -> Vec<By> {
    let row = &telling.row;
    let text = |name| telling.text(name).map(str::to_owned);
    let mut ways = Vec::new();
    if let Some(src) = row.src_ip {
        ways.extend([By::Src(src), By::SrcNetwork(network_of(src))]);
    }
    ways.extend(row.dst_ip.map(By::Dst));
    ways.extend(row.src_ip.zip(row.dst_ip).map(|(src, dst)| By::Pair(src, dst)));
    ways.extend(text("user").map(By::User));
    ways.extend(text("user_agent").map(By::UserAgent));
    ways.extend(text("ja4").map(By::Ja4));
    match (row.detector == INTEL, &row.indicator, row.key()) {
        (true, Some(value), Some(key)) => {
            let list = match key.kind() {
                signatures::Kind::Domain => Some("names"),
                signatures::Kind::Address | signatures::Kind::Network => Some("addresses"),
                kind if kind.name().contains("sha") || kind.name() == "md5" => Some("hashes"),
                _ => None,
            };
            ways.extend(list.map(|list| By::Indicator(list, value.clone())));
        }
        _ => {
            let key = text("key").filter(|key| key.contains('.') && key.parse::<IpAddr>().is_err());
            ways.extend(key.map(By::Name));
        }
    }
    ways
}

/// The network of 256 addresses, or of 2^64.
pub(super) fn network_of(address: IpAddr) -> String {
    let prefix = if address.is_ipv4() { 24 } else { 64 };
    ipnet::IpNet::new(address, prefix).map(|net| net.trunc().to_string()).unwrap_or_default()
}

/// The alerts that an entry silences, by their places; none where it is not well formed.
fn silenced_by(
    text: &str,
    detector: &str,
    told: &[&Past],
    zone: &TimeZone,
) -> Option<BTreeSet<usize>> {
    let texts = [(PathBuf::from("proposal"), text.to_owned())];
    let allow = AllowList::load_with(DefaultPack::Unused, &[], &texts, zone).ok()?;
    let is_silent = |past: &Past| {
        let fate = worst(past, |telling| match word(&allow, telling) {
            Word::Silenced(id) => Fate::Silent(Reason::Entry(id)),
            Word::Lowered(_) | Word::Nothing => Fate::Told,
        });
        matches!(fate, Fate::Silent(_))
    };
    let places = told.iter().enumerate();
    let places = places.filter(|(_, past)| past.detector() == detector && is_silent(past));
    Some(places.map(|(at, _)| at).collect())
}

/// An entry as it is written, with what a person has to say of it.
fn written(detector: &str, by: &By, when: &When, told: &[&Past]) -> String {
    let latest = told.iter().map(|past| past.latest().last).max().unwrap_or_default();
    let second = latest.micros().div_euclid(1_000_000).saturating_add(REVIEW_DAYS * 86_400);
    let until = jiff::Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%d");
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let id: String = format!("{detector} {}", by.words()).chars().take(64).map(plain).collect();
    let mut lines = vec![
        "[[allow]]".to_owned(),
        format!("id = {}", quoted(&id)),
        "reason = \"WHY IS THIS WELL?\"".to_owned(),
        "owner = \"WHO ANSWERS FOR IT?\"".to_owned(),
        format!("until = {until}  # then look at it again"),
        format!("detectors = [{}]", quoted(detector)),
    ];
    lines.extend(by.lines());
    lines.extend(when.lines(quoted));
    lines.join("\n") + "\n"
}

/// As TOML writes a text.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn shown(text: &str) -> String {
    analyzers::text::escape(text.as_bytes()).into_owned()
}
