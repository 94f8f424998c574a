//! What happened between one host and one indicator.
//!
//! In: sightings, and the rows of the flows they stood in. Out: the finding as it is by now.

use std::collections::BTreeMap;
use std::net::IpAddr;

use analyzers::hunt;
use analyzers::protocols::dns::DnsRecord;
use analyzers::scene::assets;
use analyzers::text::escape;
use analyzers::{
    Endpoint, Event, Finding, FlowRecord, FlowsBehind, IndicatorSeen, Scene, Severity, Stage,
    Technique, Text, Timestamp,
};
use serde_json::{Value, json};
use signatures::{Context, Indicator, Kind};

use super::weight;
use crate::enrich::Enrich;
use crate::enrich::names::address_in;
use crate::rows::UtcText;

/// Addresses and columns that a story lists; more are counted with the flows.
const LISTED_MAX: usize = 20;

/// Where an indicator was sighted.
pub(super) struct Sighting {
    /// `table.column`, or what a flow's end was.
    place: String,
    /// The share of the feed's confidence that it keeps.
    weight: f64,
    /// The end of the flow that it is about.
    contact: Option<Endpoint>,
    /// The address is listed, too.
    also: Option<String>,
    kind: SightingKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SightingKind {
    /// A name was asked for.
    Question,
    /// A packet went to it.
    Contact,
    /// A packet came from it.
    Visit,
    /// It stood in what was said.
    Content,
}

impl Sighting {
    pub(super) fn in_record(table: &str, column: &str, indicator: &Indicator) -> Self {
        let kind = match (table, column) {
            ("dns", "query") => SightingKind::Question,
            _ => SightingKind::Content,
        };
        let weight = weight::of(table, column, indicator.key.kind());
        Self { place: format!("{table}.{column}"), weight, contact: None, also: None, kind }
    }

    /// A packet to a listed address.
    pub(super) fn contacted(end: Endpoint) -> Self {
        Self {
            place: "flow.dst_ip".to_owned(),
            weight: weight::CONTACTED,
            contact: Some(end),
            also: None,
            kind: SightingKind::Contact,
        }
    }

    /// A packet to an address that a listed name resolved to; `listed` when it is listed, too.
    pub(super) fn resolved(end: Endpoint, listed: Option<&Indicator>) -> Self {
        let also = listed.map(|indicator| indicator.key.to_string());
        Self { also, ..Self::contacted(end) }
    }

    /// A packet from a listed address.
    pub(super) fn came_from(end: Endpoint) -> Self {
        Self {
            place: "flow.src_ip".to_owned(),
            weight: weight::CAME_FROM,
            contact: Some(end),
            also: None,
            kind: SightingKind::Visit,
        }
    }

    pub(super) fn is_question(&self) -> bool {
        self.kind == SightingKind::Question
    }
}

/// What happened between one host and one indicator.
pub(super) struct Story {
    value: String,
    kind: Kind,
    context: Context,
    first: Timestamp,
    last: Timestamp,
    flows: FlowsBehind,
    /// Where it stood, with the greatest weight of each place.
    places: BTreeMap<String, f64>,
    questions: u64,
    contacts: u64,
    visits: u64,
    contents: u64,
    /// When it was first asked for, first contacted.
    asked: Option<Timestamp>,
    contacted: Option<Timestamp>,
    /// Addresses that the name resolved to.
    answers: Vec<IpAddr>,
    /// Where the host went, or where visitors came from.
    ends: Vec<Endpoint>,
    also: Vec<String>,
    /// Every answer led nowhere.
    blocked: bool,
    bytes_up: i64,
    bytes_down: i64,
    telling: Telling,
}

/// What makes a story another one: more of the same does not.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gist {
    severity: Severity,
    confidence: f64,
    ends: usize,
    answers: usize,
    /// Doublings of the count.
    size: u32,
}

/// What was told of a story.
#[derive(Clone, Copy, Debug, Default)]
struct Telling {
    told: Option<Gist>,
    /// Something has changed since, and waits.
    is_waiting: bool,
}

impl Story {
    pub(super) fn new(first: Timestamp, indicator: &Indicator) -> Self {
        Self {
            value: indicator.key.to_string(),
            kind: indicator.key.kind(),
            context: indicator.context.clone(),
            first,
            last: first,
            flows: FlowsBehind::default(),
            places: BTreeMap::new(),
            questions: 0,
            contacts: 0,
            visits: 0,
            contents: 0,
            asked: None,
            contacted: None,
            answers: Vec::new(),
            ends: Vec::new(),
            also: Vec::new(),
            blocked: false,
            bytes_up: 0,
            bytes_down: 0,
            telling: Telling::default(),
        }
    }

    pub(super) fn add(&mut self, event: &Event<'_>, sighting: Sighting) {
        self.first = self.first.min(event.ts);
        self.last = self.last.max(event.ts);
        self.flows.add(event.flow);
        match sighting.kind {
            SightingKind::Question => {
                self.questions += 1;
                self.asked.get_or_insert(event.ts);
                if let Some(dns) = event.what.record::<DnsRecord>() {
                    self.answered(dns);
                }
            }
            SightingKind::Contact => {
                self.contacts += 1;
                self.blocked = false;
                self.contacted.get_or_insert(event.ts);
            }
            SightingKind::Visit => self.visits += 1,
            SightingKind::Content => self.contents += 1,
        }
        if let Some(end) = sighting.contact {
            note(&mut self.ends, end);
        }
        if let Some(also) = sighting.also {
            note(&mut self.also, also);
        }
        let weight =
            if self.blocked { sighting.weight.min(weight::BLOCKED) } else { sighting.weight };
        let known = self.places.entry(sighting.place).or_insert(0.0);
        *known = known.max(weight);
    }

    fn answered(&mut self, dns: &DnsRecord) {
        let mut reachable = false;
        for answer in dns.answers.iter().flatten() {
            match address_in(answer.as_bytes()) {
                Some(address) => {
                    reachable |= !leads_nowhere(address);
                    note(&mut self.answers, address);
                }
                None => reachable = true,
            }
        }
        self.blocked = !reachable && dns.rcode.is_some() && self.contacts == 0;
    }

    /// A row of a flow in which it was sighted.
    pub(super) fn said(&mut self, event: &Event<'_>, row: &FlowRecord) {
        self.last = self.last.max(row.end_ts);
        // The look-up itself is not talk with what was looked up.
        let with_it = self.ends.contains(&event.flow.dst) || self.contents > 0;
        if with_it && row.service != Some("dns") {
            self.bytes_up += row.src_bytes;
            self.bytes_down += row.dst_bytes;
        }
    }

    fn count(&self) -> u64 {
        self.questions + self.contacts + self.visits + self.contents
    }

    fn gist(&self) -> Gist {
        Gist {
            severity: self.severity(),
            confidence: self.confidence(),
            ends: self.ends.len(),
            answers: self.answers.len(),
            size: self.count().checked_ilog2().unwrap_or(0),
        }
    }

    /// Whether there is more to tell than counts.
    pub(super) fn has_news(&self) -> bool {
        self.telling.told != Some(self.gist())
    }

    /// Notes that something waits to be told; whether it is the first.
    pub(super) fn wait(&mut self) -> bool {
        !std::mem::replace(&mut self.telling.is_waiting, true)
    }

    /// Whether something waits.
    pub(super) const fn is_untold(&self) -> bool {
        self.telling.is_waiting
    }

    /// The finding as it is by now, which is told.
    pub(super) fn tell(&mut self, host: IpAddr, scene: &Scene, enrich: &mut Enrich) -> Finding {
        self.telling = Telling { told: Some(self.gist()), is_waiting: false };
        self.finding(host, scene, enrich)
    }

    fn finding(&self, host: IpAddr, scene: &Scene, enrich: &mut Enrich) -> Finding {
        let confidence = self.confidence();
        let peers = self.peers();
        Finding {
            detector: super::DETECTOR,
            host,
            key: Text::from(self.value.clone()),
            title: Text::from(self.title(host, scene, enrich)),
            description: Text::from(self.description(host, confidence)),
            severity: self.severity(),
            confidence,
            techniques: self.techniques().into(),
            stage: self.context.stage.unwrap_or(Stage::CommandAndControl),
            first: self.first,
            last: self.last,
            count: self.count(),
            peers,
            flows: self.flows.clone(),
            indicator: Some(IndicatorSeen {
                value: Text::from(self.value.clone()),
                kind: self.kind.name(),
                family: self.family().map(|family| Text::from(family.to_owned())),
                source: Text::from(self.context.source.to_string()),
                technique: self.context.technique,
            }),
            evidence: self.evidence(enrich),
            hunt: self.hunt(host),
        }
    }

    fn family(&self) -> Option<&str> {
        self.context.family.as_deref().or(self.context.actor.as_deref())
    }

    fn feed_confidence(&self) -> f64 {
        let said =
            self.context.confidence.map(|confidence| f64::from(confidence.percent()) / 100.0);
        said.unwrap_or(weight::CONFIDENCE_UNSAID)
    }

    /// Several places that say the same leave less doubt than one: noisy or.
    fn confidence(&self) -> f64 {
        let feed = self.feed_confidence();
        let doubt: f64 = self.places.values().map(|weight| 1.0 - weight * feed).product();
        (1.0 - doubt).min(weight::CONFIDENCE_MAX)
    }

    fn talked(&self) -> bool {
        self.bytes_up > 0 && self.bytes_down > 0
    }

    /// What the feed says holds where something went to and fro; a look-up or a lone packet is at
    /// most P2, a visitor P3.
    fn severity(&self) -> Severity {
        let feed = self.context.severity;
        if self.talked() || self.contents > 0 {
            feed.unwrap_or(Severity::HIGH)
        } else if self.contacts + self.questions > 0 {
            feed.map_or(Severity::MEDIUM, |feed| feed.min(Severity::MEDIUM))
        } else {
            Severity::LOW
        }
    }

    fn techniques(&self) -> &'static [Technique] {
        match self.kind {
            _ if self.contacts + self.contents == 0 && self.questions > 0 => NAME_TECHNIQUES,
            Kind::FileMd5 | Kind::FileSha1 | Kind::FileSha256 | Kind::FileName => FILE_TECHNIQUES,
            _ => TALK_TECHNIQUES,
        }
    }

    fn peers(&self) -> Vec<IpAddr> {
        let mut peers: Vec<IpAddr> = Vec::new();
        for address in self.ends.iter().map(|end| end.ip).chain(self.answers.iter().copied()) {
            note(&mut peers, address);
        }
        peers
    }

    fn title(&self, host: IpAddr, scene: &Scene, enrich: &mut Enrich) -> String {
        let who = self.family().map(|family| format!(" ({family})")).unwrap_or_default();
        let via = assets::any_contains(&scene.assets.resolvers, host);
        let asked = if via { "asked, for a client that is not seen, for" } else { "looked up" };
        let place = |enrich: &mut Enrich, end: &Endpoint| {
            let country = enrich.look_up(end.ip).country;
            country.map_or_else(|| end.ip.to_string(), |c| format!("{} ({})", end.ip, c.code()))
        };
        let value = &self.value;
        match (self.questions > 0, self.ends.first(), self.contents > 0) {
            (true, Some(end), _) if self.contacts > 0 => {
                format!("{host} {asked} {value}{who} and connected to {}", place(enrich, end))
            }
            (true, _, true) => format!("{host} {asked} and used {value}{who}"),
            (true, ..) if self.blocked => format!("{host} {asked} {value}{who}, which led nowhere"),
            (true, ..) => format!("{host} {asked} {value}{who}"),
            (false, Some(end), _) if self.contacts > 0 => {
                format!("{host} connected to {}{who}, which a feed lists", place(enrich, end))
            }
            (false, Some(end), false) => {
                format!("{host} was contacted by {}{who}, which a feed lists", place(enrich, end))
            }
            _ => format!("{host} showed {} {value}{who}", self.kind.name()),
        }
    }

    fn description(&self, host: IpAddr, confidence: f64) -> String {
        let mut text = format!(
            "The feed {} lists the {} {}",
            self.context.source,
            self.kind.name(),
            self.value
        );
        if let Some(family) = self.family() {
            text.push_str(&format!(" as {family}"));
        }
        text.push_str(&format!(
            " with a confidence of {:.2}. {host} asked for it {} time(s), contacted it {} time(s), \
             was contacted {} time(s), showed it {} time(s)",
            self.feed_confidence(),
            self.questions,
            self.contacts,
            self.visits,
            self.contents
        ));
        text.push_str(&format!(
            "; {} bytes went up, {} came down. Seen in {}: together {confidence:.2}.",
            self.bytes_up,
            self.bytes_down,
            self.places.keys().cloned().collect::<Vec<_>>().join(", ")
        ));
        match &self.context.advice {
            Some(advice) => text.push_str(&format!(" The feed advises: {advice}")),
            None => text.push_str(&format!(" Check what runs on {host} and who else met it.")),
        }
        text
    }

    fn evidence(&self, enrich: &mut Enrich) -> BTreeMap<&'static str, Value> {
        let ends: Vec<String> = self.ends.iter().map(end_text).collect();
        let countries: Vec<Option<String>> = self
            .ends
            .iter()
            .map(|end| enrich.look_up(end.ip).country.map(|c| c.code().to_owned()))
            .collect();
        let mut evidence: BTreeMap<&'static str, Value> = [
            ("matched_in", json!(self.places)),
            ("feed_confidence", json!(self.feed_confidence())),
            ("questions", json!(self.questions)),
            ("contacts", json!(self.contacts)),
            ("visits", json!(self.visits)),
            ("contents", json!(self.contents)),
            ("answers", json!(self.answers)),
            ("ends", json!(ends)),
            ("bytes_up", json!(self.bytes_up)),
            ("bytes_down", json!(self.bytes_down)),
            ("blocked", json!(self.blocked)),
        ]
        .into();
        if countries.iter().any(Option::is_some) {
            evidence.insert("countries", json!(countries));
        }
        let stated = [("asked_at", self.asked), ("contacted_at", self.contacted)];
        for (name, time) in stated {
            if let Some(time) = time {
                evidence.insert(name, json!(UtcText(time).to_string()));
            }
        }
        for (name, list) in [("also_listed", &self.also), ("tags", &self.context.tags)] {
            if !list.is_empty() {
                evidence.insert(name, json!(list));
            }
        }
        if let Some(reference) = &self.context.reference {
            evidence.insert("reference", json!(reference));
        }
        evidence
    }

    /// The rows behind it, look-ups and flows in one list.
    fn hunt(&self, host: IpAddr) -> String {
        let host = hunt::text(&host.to_string());
        let uids = self.flows.uids().map(|uid| uid.to_string());
        let flows = format!(
            "SELECT ts, 'flow' AS seen_in, uid, src_ip, dst_ip, dst_port, dst_name AS name FROM \
             flow WHERE uid IN {}",
            hunt::list(uids)
        );
        let looked_up = |column: &str, value: &[u8]| {
            format!(
                "SELECT ts, 'dns' AS seen_in, uid, src_ip, dst_ip, dst_port, query AS name FROM \
                 dns WHERE src_ip = {host} AND {column} = {}",
                hunt::text(&escape(value))
            )
        };
        if self.kind != Kind::Domain {
            let ends = hunt::list(self.ends.iter().map(|end| end.ip.to_string()));
            return format!("{flows} OR (src_ip = {host} AND dst_ip IN {ends}) ORDER BY ts");
        }
        let name = self.value.trim_start_matches('.');
        let asked = looked_up("query", name.as_bytes());
        let below = if self.value.starts_with('.') {
            format!(" OR query LIKE {}", hunt::text(&format!("%.{name}")))
        } else {
            String::new()
        };
        let answers = hunt::list(self.answers.iter().map(ToString::to_string));
        format!(
            "{}{below} UNION ALL {flows} OR (src_ip = {host} AND dst_ip IN {answers}) ORDER BY ts",
            asked
        )
    }
}

const NAME_TECHNIQUES: &[Technique] = &[Technique::new(1071, 4), Technique::new(1568, 0)];
const TALK_TECHNIQUES: &[Technique] = &[Technique::new(1071, 1)];
const FILE_TECHNIQUES: &[Technique] = &[Technique::new(1105, 0)];

/// Addresses with which sinkholes and filtering resolvers answer.
fn leads_nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_unspecified() || four.is_loopback() || four.is_private(),
        IpAddr::V6(six) => six.is_unspecified() || six.is_loopback() || six.is_unique_local(),
    }
}

fn end_text(end: &Endpoint) -> String {
    std::net::SocketAddr::new(end.ip, end.port).to_string()
}

/// Adds to a short list what it does not hold.
fn note<T: PartialEq>(list: &mut Vec<T>, entry: T) {
    if list.len() < LISTED_MAX && !list.contains(&entry) {
        list.push(entry);
    }
}
