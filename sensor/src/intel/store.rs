//! The matcher of the moment. In: what `[intel]` names, files, servers. Out: a [`Matcher`] that
//! others hold while the next one is made beside it, and a report of every look.
//!
//! Each feed is a part of its own. A look reads the feeds that changed, joins their parts with the
//! others' and swaps the matcher in one step. A feed that is damaged, gone or being written leaves
//! its part as it is. One look happens at a time; who asks for [`IntelStore::current`] never waits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use analyzers::Timestamp;
use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use signatures::allow::{AllowError, DefaultPack};
use signatures::{AllowList, IndicatorSet, Lists, Matcher, Part, Tally};

use super::fetch::{Answer, Copy};
use super::report::{FeedReport, IntelError, IntelReport, Outcome};
use super::settings::{FeedConfig, FeedSource, Fetch, IntelConfig};
use crate::stamp::Stamp;
use crate::state;

/// Seconds until a server is asked again that did not answer; doubled with each failure, up to the
/// feed's own interval.
const RETRY_SECONDS: i64 = 60;

/// Feeds and allow-lists, loaded.
pub struct IntelStore {
    config: IntelConfig,
    /// Whose hours allow-lists speak of.
    zone: TimeZone,
    current: ArcSwap<Matcher>,
    feeds: ArcSwap<Vec<FeedState>>,
    held: Mutex<Held>,
}

/// A feed that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// Its name.
    pub name: String,
    /// Its indicators.
    pub indicators: usize,
    /// When its file was written, or its server last answered, if ever.
    pub as_of: Option<Timestamp>,
}

/// What the matcher of the moment was made from.
struct Held {
    feeds: Vec<HeldFeed>,
    allow: Arc<AllowList>,
    allow_files: Watched,
    lists: Arc<Lists>,
    lists_files: Watched,
}

struct HeldFeed {
    part: Arc<Part>,
    source: Source,
}

enum Source {
    Path(Watched),
    Url { copy: Copy, due: i64, failures: u32 },
}

/// A file's states: the one that was read, and the one that was last seen.
#[derive(Default)]
struct Watched {
    read: Stamp,
    seen: Stamp,
}

/// Which feeds a look reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// What changed, and what is due.
    Changed,
    /// All.
    All,
}

/// What reading a feed gave.
enum Reading {
    Unchanged,
    Read(Part, Tally),
    Failed(Tally, String),
}

impl IntelStore {
    /// Reads all that the configuration names. Feeds from servers are read from their last good
    /// copies in the state directory, and fetched where there is none. `zone` is the one whose
    /// hours allow-lists speak of, `now` the wall clock's.
    ///
    /// # Errors
    /// An allow-list or another list is broken: without it, alerts would be raised that somebody
    /// took care not to get. What is wrong with a feed stands in the report.
    pub fn load(
        config: &IntelConfig,
        state: &Path,
        zone: TimeZone,
        now: Timestamp,
    ) -> Result<(Self, IntelReport), IntelError> {
        let copies = state::intel(state);
        let allow_files = Watched::now(stamp(&config.allow));
        let allow = Arc::new(allow_list(config, &zone)?);
        let lists_files = Watched::now(stamp(&config.lists));
        let lists = Arc::new(Lists::load(&config.lists)?);
        let mut feeds = Vec::new();
        let mut reports = Vec::new();
        for feed in &config.feeds {
            let (held, report) = HeldFeed::load(feed, &copies, seconds(now));
            feeds.push(held);
            reports.push(report);
        }
        let held = Held { feeds, allow, allow_files, lists, lists_files };
        let matcher = held.matcher();
        let indicators = matcher.indicators.len();
        let store = Self {
            config: config.clone(),
            zone,
            current: ArcSwap::from_pointee(matcher),
            feeds: ArcSwap::from_pointee(held.feeds(config)),
            held: Mutex::new(held),
        };
        Ok((store, IntelReport { feeds: reports, indicators, ..IntelReport::default() }))
    }

    /// The matcher of the moment. Who holds it keeps it whole; the next call may give another one.
    #[must_use]
    pub fn current(&self) -> Arc<Matcher> {
        self.current.load_full()
    }

    /// The feeds that the matcher of the moment was made from.
    #[must_use]
    pub fn feeds(&self) -> Arc<Vec<FeedState>> {
        self.feeds.load_full()
    }

    /// Reads all files anew and asks all servers. What cannot be used changes nothing.
    pub fn reload(&self, now: Timestamp) -> IntelReport {
        self.look(Look::All, now)
    }

    /// Reads the files that changed since the last look but one, so that none is read while it is
    /// being written, and asks the servers whose feeds are due.
    pub fn refresh(&self, now: Timestamp) -> IntelReport {
        self.look(Look::Changed, now)
    }

    fn look(&self, look: Look, now: Timestamp) -> IntelReport {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = &mut *held;
        let mut report = IntelReport::default();
        let mut swap = false;
        if held.allow_files.is_to_be_read(stamp(&self.config.allow), look) {
            match allow_list(&self.config, &self.zone) {
                Ok(allow) => {
                    allow.continue_counts(&held.allow);
                    held.allow = Arc::new(allow);
                    swap = true;
                }
                Err(error) => report.broken.push(error.into()),
            }
        }
        if held.lists_files.is_to_be_read(stamp(&self.config.lists), look) {
            match Lists::load(&self.config.lists) {
                Ok(lists) => {
                    held.lists = Arc::new(lists);
                    swap = true;
                }
                Err(error) => report.broken.push(error.into()),
            }
        }
        for (feed, config) in held.feeds.iter_mut().zip(&self.config.feeds) {
            let (tally, outcome) = match feed.read(config, look, seconds(now)) {
                Reading::Unchanged => continue,
                Reading::Read(part, tally) => {
                    feed.part = Arc::new(part);
                    swap = true;
                    (tally, Outcome::Used)
                }
                Reading::Failed(tally, reason) => (tally, Outcome::Kept(reason)),
            };
            let (name, place) = (config.name.clone(), config.place());
            report.feeds.push(FeedReport { name, place, outcome, tally });
        }
        if swap {
            self.current.store(Arc::new(held.matcher()));
        }
        self.feeds.store(Arc::new(held.feeds(&self.config)));
        report.indicators = self.current.load().indicators.len();
        report
    }
}

impl Held {
    fn matcher(&self) -> Matcher {
        let parts = self.feeds.iter().map(|feed| Arc::clone(&feed.part)).collect();
        Matcher {
            indicators: IndicatorSet::new(parts),
            allow: Arc::clone(&self.allow),
            lists: Arc::clone(&self.lists),
        }
    }
}

impl Held {
    fn feeds(&self, config: &IntelConfig) -> Vec<FeedState> {
        let named = self.feeds.iter().zip(&config.feeds);
        let state = named.map(|(feed, config)| FeedState {
            name: config.name.clone(),
            indicators: feed.part.len(),
            as_of: feed.as_of(),
        });
        state.collect()
    }
}

impl HeldFeed {
    /// When its file was written, or its server last answered.
    fn as_of(&self) -> Option<Timestamp> {
        let second = match &self.source {
            Source::Path(watched) => watched.read.modified(),
            Source::Url { copy, .. } => copy.asked(),
        };
        (second != 0).then(|| Timestamp::from_secs_nanos(second, 0))
    }

    /// The first time: there is nothing from before, so that half a feed is better than none.
    fn load(config: &FeedConfig, copies: &Path, now: i64) -> (Self, FeedReport) {
        let (mut source, path) = match &config.source {
            FeedSource::Path(path) => {
                (Source::Path(Watched::now(Stamp::of(path))), Some(path.clone()))
            }
            FeedSource::Url(fetch) => {
                let copy = Copy::of(fetch, &config.name, copies);
                let path = copy.path.exists().then(|| copy.path.clone());
                let due = copy.asked().saturating_add(every(fetch));
                (Source::Url { copy, due, failures: 0 }, path)
            }
        };
        let read = path.map(|path| read_file(config, path));
        let reading = match (read, &mut source, &config.source) {
            (Some(reading), Source::Url { copy, .. }, FeedSource::Url(fetch))
                if is_spoilt(&reading) =>
            {
                state::set_aside(&copy.path, "nothing in it can be read");
                *copy = Copy::of(fetch, &config.name, copies);
                read_first(config, fetch, &mut source, now)
            }
            (Some(reading), ..) => reading,
            (None, Source::Url { .. }, FeedSource::Url(fetch)) => {
                read_first(config, fetch, &mut source, now)
            }
            (None, ..) => Reading::Unchanged,
        };
        let (part, tally, outcome) = match reading {
            Reading::Unchanged => (Part::default(), Tally::default(), Outcome::Used),
            Reading::Read(part, tally) if part.is_empty() && tally.is_damaged(0) => {
                (part, tally, Outcome::Missing("is damaged".to_owned()))
            }
            Reading::Read(part, tally) => (part, tally, Outcome::Used),
            Reading::Failed(tally, reason) => (Part::default(), tally, Outcome::Missing(reason)),
        };
        let (name, place) = (config.name.clone(), config.place());
        (Self { part: Arc::new(part), source }, FeedReport { name, place, outcome, tally })
    }

    fn read(&mut self, config: &FeedConfig, look: Look, now: i64) -> Reading {
        let before = self.part.len();
        match (&mut self.source, &config.source) {
            (Source::Path(watched), FeedSource::Path(path)) => {
                if !watched.is_to_be_read(Stamp::of(path), look) {
                    return Reading::Unchanged;
                }
                let reading = read_file(config, path.clone());
                if Stamp::of(path) != watched.read {
                    // The next look finds it changed and tries again.
                    watched.read = Stamp::default();
                    return Reading::Failed(Tally::default(), "changed while it was read".into());
                }
                checked(reading, before)
            }
            (Source::Url { copy, due, failures }, FeedSource::Url(fetch)) => {
                if look == Look::Changed && now < *due {
                    return Reading::Unchanged;
                }
                read_server(config, fetch, (copy, due, failures), (now, before))
            }
            _ => Reading::Unchanged,
        }
    }
}

impl Watched {
    fn now(stamp: Stamp) -> Self {
        Self { read: stamp, seen: stamp }
    }

    /// Whether a file in that state is to be read, and if so, that it is. A file that changed must
    /// be seen twice in one state: it may still be being written.
    fn is_to_be_read(&mut self, stamp: Stamp, look: Look) -> bool {
        let settled = self.seen == stamp;
        self.seen = stamp;
        let read = look == Look::All || (settled && self.read != stamp);
        if read {
            self.read = stamp;
        }
        read
    }
}

fn read_file(config: &FeedConfig, path: PathBuf) -> Reading {
    let (part, tally) = Part::load(&config.at(path));
    Reading::Read(part, tally)
}

/// Asks a server of which there is no copy.
fn read_first(config: &FeedConfig, fetch: &Fetch, source: &mut Source, now: i64) -> Reading {
    let Source::Url { copy, due, failures } = source else { return Reading::Unchanged };
    *due = now;
    read_server(config, fetch, (copy, due, failures), (now, 0))
}

/// Whether a copy that was good once gives nothing any more.
fn is_spoilt(reading: &Reading) -> bool {
    matches!(reading, Reading::Read(part, tally) if part.is_empty() && tally.is_damaged(1))
}

fn read_server(
    config: &FeedConfig,
    fetch: &Fetch,
    (copy, due, failures): (&mut Copy, &mut i64, &mut u32),
    (now, before): (i64, usize),
) -> Reading {
    let reading = match copy.fetch(fetch, now) {
        Ok(Answer::Unchanged) => Reading::Unchanged,
        Ok(Answer::Changed(received)) => {
            let reading = checked(read_file(config, copy.next.clone()), before);
            match reading {
                Reading::Read(..) => match copy.accept(received) {
                    Ok(()) => reading,
                    Err(error) => Reading::Failed(
                        Tally::default(),
                        format!("{} cannot be written: {error}", copy.path.display()),
                    ),
                },
                _ => {
                    copy.reject(&received);
                    reading
                }
            }
        }
        Err(reason) => Reading::Failed(Tally::default(), format!("cannot be fetched: {reason}")),
    };
    if matches!(reading, Reading::Failed(..)) {
        let wait = RETRY_SECONDS.saturating_mul(1 << (*failures).min(20));
        *due = now.saturating_add(wait.min(every(fetch)));
        *failures = failures.saturating_add(1);
    } else {
        *due = now.saturating_add(every(fetch));
        *failures = 0;
    }
    reading
}

/// A feed that is damaged is no better than one that cannot be read.
fn checked(reading: Reading, before: usize) -> Reading {
    match reading {
        Reading::Read(_, tally) if tally.is_damaged(before) => {
            Reading::Failed(tally, "is damaged".to_owned())
        }
        other => other,
    }
}

fn every(fetch: &Fetch) -> i64 {
    i64::try_from(fetch.every.0.as_secs()).unwrap_or(i64::MAX)
}

fn seconds(now: Timestamp) -> i64 {
    now.micros().div_euclid(1_000_000)
}

fn allow_list(config: &IntelConfig, zone: &TimeZone) -> Result<AllowList, AllowError> {
    let pack = if config.default_allow { DefaultPack::Used } else { DefaultPack::Unused };
    AllowList::load(pack, &config.allow, zone)
}

fn stamp(paths: &[PathBuf]) -> Stamp {
    Stamp::of_all(paths.iter().map(PathBuf::as_path))
}

impl fmt::Debug for IntelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indicators = self.current.load().indicators.len();
        f.debug_struct("IntelStore").field("indicators", &indicators).finish_non_exhaustive()
    }
}
