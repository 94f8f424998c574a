//! The `intel` detector: what was seen is asked of the matcher, and what matched becomes one story
//! for each host and indicator.
//!
//! In: events, enriched; the matcher of the moment. Out: findings. A name that matched and the
//! address that it resolved to are one story: the connection to that address is told with the
//! look-up, and raises its confidence above the feed's own. No protocol is known here but DNS,
//! whose answers link a name to an address.

mod story;
mod weight;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use analyzers::protocols::dns::DnsRecord;
use analyzers::{
    Event, Findings, FlowRecord, Heading, Recent, Scene, Timestamp, Transport, Uid, What,
};
use signatures::{Indicator, Matcher, Observable};
use smallvec::SmallVec;

use super::observe::observables;
use crate::enrich::Enrich;
use crate::enrich::names::address_in;
use crate::intel::{FeedState, IntelStore};
use story::{Sighting, Story};

/// The detector's name.
pub use signatures::matcher::DETECTOR;

/// Stories that are open at a time, about a kibibyte each. A scan from listed addresses could
/// otherwise grow them without end.
const STORIES_MAX: usize = 65_536;

/// Addresses that a listed name resolved to, by who asked.
const WATCHED_MAX: usize = 65_536;

/// Flows in which something matched and that are not over.
const FLOWS_MAX: usize = 65_536;

/// How long an address is watched after a listed name gave it: its time to live, within these.
const WATCH_LEAST: Duration = Duration::from_secs(3_600);
const WATCH_MOST: Duration = Duration::from_secs(24 * 3_600);

/// How long what only adds to the counts of a story waits before it is told: a listed address that
/// everybody contacts would otherwise be told of at every packet.
const COUNTS_EVERY: Duration = Duration::from_secs(60);

/// Who a story is about, and the indicator.
type StoryKey = (IpAddr, Arc<str>);

/// An address that a listed name resolved to.
struct Watched {
    story: StoryKey,
    until: Timestamp,
}

/// The detector.
pub struct IntelWatch {
    store: Arc<IntelStore>,
    matcher: Arc<Matcher>,
    stories: Recent<StoryKey, Story>,
    watched: Recent<(IpAddr, IpAddr), Watched>,
    flows: Recent<Uid, SmallVec<[StoryKey; 1]>>,
    /// Stories whose latest counts were not told, and when they will be.
    untold: Vec<StoryKey>,
    tell_at: Timestamp,
    silenced: u64,
}

impl IntelWatch {
    /// Asks the matcher of that store.
    #[must_use]
    pub fn new(store: Arc<IntelStore>) -> Self {
        Self {
            matcher: store.current(),
            store,
            stories: Recent::new(STORIES_MAX),
            watched: Recent::new(WATCHED_MAX),
            flows: Recent::new(FLOWS_MAX),
            untold: Vec::new(),
            tell_at: Timestamp::MIN,
            silenced: 0,
        }
    }

    /// Takes the matcher of the moment; between batches, so that a batch sees one.
    pub fn refresh(&mut self) {
        self.matcher = self.store.current();
    }

    /// The matcher of the moment.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Matches that the allow-list silenced.
    #[must_use]
    pub const fn silenced(&self) -> u64 {
        self.silenced
    }

    /// Stories, watched addresses and flows that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.stories.len() + self.watched.len() + self.flows.len()
    }

    /// The feeds that are in use.
    #[must_use]
    pub fn feeds(&self) -> Arc<Vec<FeedState>> {
        self.store.feeds()
    }

    /// Stories, watched addresses and flows that were forgotten because a table was full.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.stories.evicted() + self.watched.evicted() + self.flows.evicted()
    }

    /// Learns of an event.
    pub fn event(
        &mut self,
        event: &Event<'_>,
        scene: &Scene,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        if self.matcher.indicators.is_empty() {
            return;
        }
        // By events, not by batches: the same for any number of workers.
        if event.time >= self.tell_at {
            self.tell_counts(scene, enrich, findings);
            self.tell_at = event.time.after(COUNTS_EVERY);
        }
        match event.what {
            What::Opened(_) => self.opened(event, scene, enrich, findings),
            What::Record(record) => {
                let mut seen: SmallVec<[(Indicator, &'static str); 2]> = SmallVec::new();
                let (matcher, silenced) = (&self.matcher, &mut self.silenced);
                observables(record, &mut |observable, column| {
                    let best = best_match(matcher, silenced, &observable, event.time);
                    seen.extend(best.map(|indicator| (indicator, column.name)));
                });
                let sightings = seen.into_iter().map(|(indicator, column)| {
                    (Sighting::in_record(record.table().name, column, &indicator), indicator)
                });
                let mut sightings: SmallVec<[_; 2]> = sightings.collect();
                // What a listed name resolves to belongs to the name's story.
                if sightings.iter().any(|(sighting, _)| sighting.is_question()) {
                    sightings.retain(|(sighting, _)| sighting.is_question());
                }
                for (sighting, indicator) in sightings {
                    self.sighted(event, scene, &indicator, sighting, enrich, findings);
                }
            }
            What::Row(row) => self.row(event, row, scene, enrich, findings),
            What::Active { .. } | What::Weird(_) => {}
        }
    }

    /// Tells of the stories whose counts have grown.
    pub fn tell_counts(&mut self, scene: &Scene, enrich: &mut Enrich, findings: &mut Findings) {
        for key in self.untold.drain(..) {
            if let Some(story) = self.stories.get_mut(&key)
                && story.is_untold()
            {
                findings.say(story.tell(key.0, scene, enrich));
            }
        }
    }

    /// A flow's first packet: is one of its ends listed, or did a listed name resolve to it?
    fn opened(
        &mut self,
        event: &Event<'_>,
        scene: &Scene,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        let flow = event.flow;
        let dst = match flow.transport {
            Transport::TCP | Transport::UDP | Transport::SCTP => {
                Observable::Endpoint(flow.dst.ip, flow.dst.port)
            }
            _ => Observable::Address(flow.dst.ip),
        };
        let listed_dst = self.best(&dst, event.time);
        let linked = self.watched.get_mut(&(flow.src.ip, flow.dst.ip));
        let linked = linked.filter(|w| event.time <= w.until).map(|w| w.story.clone());
        if let Some(key) = linked {
            self.add(
                key,
                event,
                Sighting::resolved(flow.dst, listed_dst.as_ref()),
                scene,
                enrich,
                findings,
            );
        } else if let Some(indicator) = listed_dst {
            self.sighted(event, scene, &indicator, Sighting::contacted(flow.dst), enrich, findings);
        }
        if event.heading != Heading::Outbound
            && let Some(indicator) = self.best(&Observable::Address(flow.src.ip), event.time)
        {
            self.sighted(event, scene, &indicator, Sighting::came_from(flow.src), enrich, findings);
        }
    }

    /// A flow row: what was said in a flow in which something matched.
    fn row(
        &mut self,
        event: &Event<'_>,
        row: &FlowRecord,
        scene: &Scene,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        let keys = if row.end_reason == "interim" {
            self.flows.get_mut(&event.flow.uid).cloned()
        } else {
            self.flows.remove(&event.flow.uid)
        };
        for key in keys.unwrap_or_default() {
            if let Some(story) = self.stories.get_mut(&key) {
                story.said(event, row);
            }
            self.tell_or_wait(key, scene, enrich, findings);
        }
    }

    /// Tells of a story that has changed: at once where there is news, with the others where there
    /// are only more of the same.
    fn tell_or_wait(
        &mut self,
        key: StoryKey,
        scene: &Scene,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        let Some(story) = self.stories.get_mut(&key) else { return };
        if story.has_news() || self.untold.len() >= STORIES_MAX {
            findings.say(story.tell(key.0, scene, enrich));
        } else if story.wait() {
            self.untold.push(key);
        }
    }

    /// An indicator was sighted.
    fn sighted(
        &mut self,
        event: &Event<'_>,
        scene: &Scene,
        indicator: &Indicator,
        sighting: Sighting,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        let host = scene.home.host_of(event.flow);
        let key: StoryKey = (host, Arc::from(indicator.key.to_string()));
        self.make_story(&key, event, indicator);
        if let Some(dns) = event.what.record::<DnsRecord>().filter(|_| sighting.is_question()) {
            self.watch_answers(&key, event, dns);
        }
        self.add(key, event, sighting, scene, enrich, findings);
    }

    fn make_story(&mut self, key: &StoryKey, event: &Event<'_>, indicator: &Indicator) {
        self.stories.entry(key.clone(), || Story::new(event.ts, indicator));
    }

    fn add(
        &mut self,
        key: StoryKey,
        event: &Event<'_>,
        sighting: Sighting,
        scene: &Scene,
        enrich: &mut Enrich,
        findings: &mut Findings,
    ) {
        let Some(story) = self.stories.get_mut(&key) else { return };
        story.add(event, sighting);
        let keys = self.flows.entry(event.flow.uid, SmallVec::new);
        if !keys.contains(&key) {
            keys.push(key.clone());
        }
        self.tell_or_wait(key, scene, enrich, findings);
    }

    /// Watches the addresses that a listed name resolved to.
    fn watch_answers(&mut self, key: &StoryKey, event: &Event<'_>, dns: &DnsRecord) {
        let ttls = dns.answer_ttls.as_deref().unwrap_or_default();
        for (place, answer) in dns.answers.iter().flatten().enumerate() {
            let Some(address) = address_in(answer.as_bytes()) else { continue };
            let ttl = ttls.get(place).and_then(|&ttl| u64::try_from(ttl).ok()).unwrap_or(0);
            let span = Duration::from_secs(ttl).clamp(WATCH_LEAST, WATCH_MOST);
            let watched = Watched { story: key.clone(), until: event.time.after(span) };
            self.watched.insert((event.flow.src.ip, address), watched);
        }
    }

    fn best(&mut self, observable: &Observable<'_>, at: Timestamp) -> Option<Indicator> {
        best_match(&self.matcher, &mut self.silenced, observable, at)
    }
}

/// The surest of the indicators that match, the most exact of equals; none where the allow-list has
/// the last word.
fn best_match(
    matcher: &Matcher,
    silenced: &mut u64,
    observable: &Observable<'_>,
    at: Timestamp,
) -> Option<Indicator> {
    let matches = matcher.matches(observable, at);
    if matches.hits.is_empty() {
        return None;
    }
    if !matches.is_alert() {
        *silenced += 1;
        return None;
    }
    let indicators = matches.hits.iter().filter_map(|&hit| matcher.indicators.indicator(hit));
    let rank = |i: &Indicator| (i.context.confidence, i.key.bytes().len());
    // The first of equals: the order of the configuration.
    indicators.reduce(|best, next| if rank(&next) > rank(&best) { next } else { best })
}
