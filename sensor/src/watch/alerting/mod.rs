//! From findings to alerts: one for each (detector, host, key) in a window, told when it is new and
//! when it grew.
//!
//! In: findings, in order, with the packet time at which they were said. Out: notices for the alert
//! sinks, and rows for the archive. A new alert below P1 waits a moment for what follows, so that
//! one story is one message; it is told again when its severity rises, its confidence rises by a
//! tenth, or its count has doubled.

mod grading;
mod open;

use std::collections::BTreeMap;
use std::net::IpAddr;

use analyzers::record::Header;
use analyzers::{AlertRecord, Finding, Recent, Scene, Text, Timestamp};
use sha2::{Digest as _, Sha256};

use super::judge::Telling;
use crate::config::WatchConfig;
use grading::{Grading, SpreadTable};
use open::{Key, Open};

pub use grading::Grade;

/// Alerts that are open at a time, about two kibibytes each. A scan from forged addresses could
/// otherwise raise them without end; the one that was quiet longest is closed early.
const OPEN_MAX: usize = 32_768;

/// What is to be done with alerts.
#[derive(Debug, Default)]
pub struct Outcome {
    /// To be told to the sinks, in order.
    pub notices: Vec<Notice>,
    /// To be archived: alerts as they ended.
    pub rows: Vec<Notice>,
}

/// An alert as it is at a moment.
#[derive(Clone, Debug)]
pub struct Notice {
    /// When, which flow, which sensor.
    pub header: Header,
    /// The row.
    pub record: AlertRecord,
}

/// Open alerts.
pub struct Alerting {
    settings: WatchConfig,
    sensor: Text,
    open: Recent<Key, Open>,
    /// What is due when: a first notice, or the end of the window. Numbers keep equals in order.
    due: BTreeMap<(Timestamp, u64), (Key, Due)>,
    numbers: u64,
    spread: SpreadTable,
    counts: Counts,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Notice,
    Close,
}

/// What became of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Alerts.
    pub alerts: u64,
    /// Alerts that were too unlikely to be told; they are archived.
    pub unlikely: u64,
    /// Alerts that the allow-list silenced; they are archived.
    pub silenced: u64,
    /// Alerts that were closed early because too many were open.
    pub closed_early: u64,
}

impl Alerting {
    /// For the sensor of that name.
    #[must_use]
    pub fn new(settings: &WatchConfig, sensor: &str) -> Self {
        Self {
            settings: settings.clone(),
            sensor: Text::from(sensor.to_owned()),
            open: Recent::new(OPEN_MAX),
            due: BTreeMap::new(),
            numbers: 0,
            spread: SpreadTable::default(),
            counts: Counts::default(),
        }
    }

    /// Alerts that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// What became of findings so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes a finding said at `now`, and the incident that it belongs to; the id of its alert.
    pub fn take(
        &mut self,
        finding: Finding,
        telling: Telling,
        incident: Option<Text>,
        now: Timestamp,
        scene: &Scene,
        outcome: &mut Outcome,
    ) -> Text {
        let key = Key::of(&finding);
        let grade = Grading { scene, spread: &mut self.spread }.grade(&finding, now);
        if self.open.peek(&key).is_none() {
            self.open_alert(key.clone(), now, outcome);
        }
        let id = self.id(&key, &finding);
        let Some(open) = self.open.get_mut(&key) else { return id };
        open.update(id, finding, grade, telling);
        if incident.is_some() {
            open.incident = incident;
        }
        let told_now = open.is_urgent() || open.has_grown();
        let id = open.id.clone();
        if told_now {
            self.tell(&key, outcome);
        }
        id
    }

    /// Notes that an alert belongs to an incident.
    pub fn attach(&mut self, detector: &'static str, host: IpAddr, key: Text, incident: &Text) {
        if let Some(open) = self.open.get_mut(&Key { detector, host, text: key }) {
            open.incident = Some(incident.clone());
        }
    }

    /// Packet time has come to `now`.
    pub fn advance(&mut self, now: Timestamp, outcome: &mut Outcome) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let (key, due) = entry.remove();
            match due {
                Due::Notice => self.tell_first(&key, outcome),
                // One that was closed early may have been opened again since.
                Due::Close if self.open.peek(&key).is_some_and(|open| open.closes <= now) => {
                    self.close(&key, outcome);
                }
                Due::Close => {}
            }
        }
    }

    /// The input is over: all alerts are told and closed.
    pub fn finish(&mut self, outcome: &mut Outcome) {
        let mut due: Vec<_> = std::mem::take(&mut self.due).into_values().collect();
        due.retain(|(_, due)| *due == Due::Notice);
        for (key, _) in due {
            self.tell_first(&key, outcome);
        }
        for (_, open) in self.open.drain() {
            outcome.rows.extend(open.is_known().then(|| open.notice(&self.sensor)));
        }
        outcome.rows.sort_by(|a, b| {
            (a.record.first_ts, a.record.alert_id.as_bytes())
                .cmp(&(b.record.first_ts, b.record.alert_id.as_bytes()))
        });
    }

    fn open_alert(&mut self, key: Key, now: Timestamp, outcome: &mut Outcome) {
        if self.open.len() >= OPEN_MAX
            && let Some((next, _)) = self.open.next_out()
        {
            let next = next.clone();
            self.counts.closed_early += 1;
            self.close(&next, outcome);
        }
        self.counts.alerts += 1;
        let close = now.after(self.settings.suppress.0);
        self.open.insert(key.clone(), Open::new(close));
        self.schedule(now.after(self.settings.hold.0), key.clone(), Due::Notice);
        self.schedule(close, key, Due::Close);
    }

    fn schedule(&mut self, at: Timestamp, key: Key, due: Due) {
        self.numbers += 1;
        self.due.insert((at, self.numbers), (key, due));
    }

    fn tell_first(&mut self, key: &Key, outcome: &mut Outcome) {
        if self.open.peek(key).is_some_and(|open| !open.was_told()) {
            self.tell(key, outcome);
        }
    }

    fn tell(&mut self, key: &Key, outcome: &mut Outcome) {
        let Some(open) = self.open.get_mut(key) else { return };
        open.mark_told();
        if open.telling == Telling::Silent {
            self.counts.silenced += 1;
            return;
        }
        if !self.settings.tells(open.confidence()) {
            self.counts.unlikely += 1;
            return;
        }
        outcome.notices.push(open.notice(&self.sensor));
    }

    fn close(&mut self, key: &Key, outcome: &mut Outcome) {
        self.tell_first(key, outcome);
        if let Some(open) = self.open.remove(key) {
            outcome.rows.push(open.notice(&self.sensor));
        }
    }

    /// The same for the same capture and configuration: of what the alert is about, and the window
    /// in which it began.
    fn id(&self, key: &Key, finding: &Finding) -> Text {
        let window = i64::try_from(self.settings.suppress.0.as_nanos()).unwrap_or(i64::MAX);
        let began = finding.first.nanos().div_euclid(window.max(1));
        let mut hash = Sha256::new();
        for part in [self.sensor.as_bytes(), key.detector.as_bytes(), key.text.as_bytes()] {
            hash.update(part);
            hash.update([0]);
        }
        match key.host {
            IpAddr::V4(four) => hash.update(four.octets()),
            IpAddr::V6(six) => hash.update(six.octets()),
        }
        hash.update(began.to_be_bytes());
        let digest = hash.finalize();
        Text::from(digest[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}
