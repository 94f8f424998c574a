//! `serval intel export`: intelligence made at home. In: alerts that this sensor raised, from a
//! file of JSON lines or from its archive. Out: the indicators that they confirm, as a STIX 2.1
//! bundle or a CSV feed that `signatures` reads back.
//!
//! An indicator is confirmed by an alert that is sure enough, or by one that belongs to an incident
//! that is. What means nothing elsewhere, or is shared by good and bad, never leaves: addresses of
//! home and of special ranges, and whatever an allow-list or a warning list names.

mod csv;
mod stix;
#[cfg(test)]
mod tests;
mod uuid;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use analyzers::Timestamp;
use analyzers::scene::home::HomeNetworks;
use jiff::tz::TimeZone;
use signatures::allow::DefaultPack;
use signatures::matcher::DETECTOR;
use signatures::value::host_of_url;
use signatures::{AllowList, Key, Kind, Lists, Observable, Stage, Technique};

use super::ask::{AskError, print, say};
use crate::alerts::raised::{self, AlertRow};
use crate::cli::{ExportForm, IntelExportArgs};
use crate::config::Config;

/// Exit status when some rows could not be read.
const SOME_UNREAD: u8 = 2;

/// Rows that cannot be read and are told one by one; more are counted.
const UNREAD_TOLD: usize = 20;

/// An indicator that alerts confirm.
#[derive(Clone, Debug, PartialEq)]
struct Confirmed {
    key: Key,
    family: Option<String>,
    sources: BTreeSet<String>,
    stage: Option<Stage>,
    technique: Option<Technique>,
    /// 0 to 1, of the surest alert.
    confidence: f64,
    /// 1 to 10, of the gravest alert.
    severity: u8,
    first: Timestamp,
    last: Timestamp,
    /// Sightings.
    count: u64,
    /// Hosts that showed it.
    hosts: BTreeSet<String>,
    /// The alerts, and a hash of their evidence.
    alerts: BTreeMap<String, String>,
}

/// Why confirmed indicators stay at home, and how many.
type Withheld = BTreeMap<&'static str, usize>;

/// What must not leave.
struct Border {
    home: HomeNetworks,
    allow: AllowList,
    lists: Lists,
}

/// Runs the command.
///
/// # Errors
/// Configuration or allow-list are broken, alerts cannot be read at all, or the answer cannot be
/// written.
pub fn run(args: &IntelExportArgs) -> Result<ExitCode, AskError> {
    let config = Config::load(args.config.as_deref())?;
    let pack = if config.intel.default_allow { DefaultPack::Used } else { DefaultPack::Unused };
    let border = Border {
        home: HomeNetworks::new(
            config.sensor.home_networks.iter().map(|network| network.0).collect(),
        ),
        allow: AllowList::load(pack, &config.intel.allow, &TimeZone::UTC)?,
        lists: Lists::load(&config.intel.lists)?,
    };
    let mut unread = 0;
    let mut tell = |place: String| {
        unread += 1;
        if unread <= UNREAD_TOLD {
            say(&format!("serval: {place}\n"));
        }
    };
    let mut rows = Vec::new();
    for path in &args.alerts {
        raised::read_lines(path, &mut rows, &mut tell)?;
    }
    if let Some(archive) = &args.archive {
        raised::read_archive(archive, &mut rows, &mut tell)?;
    }
    if unread > UNREAD_TOLD {
        say(&format!("serval: {} more places are not shown\n", unread - UNREAD_TOLD));
    }
    let least = f64::from(args.min_confidence) / 100.0;
    let (confirmed, withheld) = confirmed(&rows, least, &border);
    let text = match args.format {
        ExportForm::Stix => stix::bundle(&confirmed, &config.sensor.name, args.tlp),
        ExportForm::Csv => csv::table(&confirmed, &config.sensor.name),
    };
    write(&text, args.output.as_deref())?;
    say(&format!("serval: {} of {} alerts' indicators\n", confirmed.len(), rows.len()));
    let unwritten = confirmed.iter().filter(|one| stix::pattern(&one.key).is_none()).count();
    if args.format == ExportForm::Stix && unwritten > 0 {
        say(&format!("serval: {unwritten} have no STIX pattern; --format csv has them, too\n"));
    }
    for (reason, count) in withheld {
        say(&format!("serval: {count} stay here: {reason}\n"));
    }
    Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_UNREAD) })
}

/// What rows confirm, in the order of kinds and values, and what must not leave.
fn confirmed(rows: &[AlertRow], least: f64, border: &Border) -> (Vec<Confirmed>, Withheld) {
    // An alert that was told again with more behind it counts once, as it was last.
    let mut latest: HashMap<&str, &AlertRow> = HashMap::new();
    for row in rows {
        let known = latest.entry(&row.alert_id).or_insert(row);
        if (row.last, row.count) >= (known.last, known.count) {
            *known = row;
        }
    }
    let sure_incidents: BTreeSet<&str> = latest
        .values()
        .filter(|row| row.detector == "incident" && row.confidence >= least)
        .map(|row| row.alert_id.as_str())
        .collect();
    let mut confirmed: BTreeMap<Key, Confirmed> = BTreeMap::new();
    let mut withheld: BTreeMap<Key, &'static str> = BTreeMap::new();
    let mut latest: Vec<&AlertRow> = latest.into_values().collect();
    latest.sort_by(|one, other| one.alert_id.cmp(&other.alert_id));
    for row in latest {
        let in_sure = row.incident.as_deref().is_some_and(|id| sure_incidents.contains(id));
        let Some(key) = row.key().filter(|_| row.confidence >= least || in_sure) else { continue };
        if let Some(reason) = border.holds(&key, row.last) {
            withheld.insert(key, reason);
            continue;
        }
        match confirmed.get_mut(&key) {
            Some(known) => known.add(row),
            None => {
                confirmed.insert(key.clone(), Confirmed::by(key, row));
            }
        }
    }
    let mut reasons = Withheld::new();
    withheld.values().for_each(|reason| *reasons.entry(reason).or_default() += 1);
    (confirmed.into_values().collect(), reasons)
}

impl Border {
    /// Why a value must not leave, if it must not.
    fn holds(&self, key: &Key, at: Timestamp) -> Option<&'static str> {
        let text = key.to_string();
        let address = match key.kind() {
            Kind::Url => host_of_url(key.bytes()),
            _ => key.address(),
        };
        if address.is_some_and(|address| self.home.contains(address)) {
            return Some("an address of home");
        }
        let seen = match Observable::of(key, &text) {
            Some(seen) => seen,
            // A network: its first address stands for it.
            None => Observable::Address(key.address()?),
        };
        let listed = |seen: &Observable<'_>| !self.lists.holding(seen).is_empty();
        if self.allow.silences(&seen, DETECTOR, at).is_some() {
            Some("an allow-list names it")
        } else if listed(&seen) || address.is_some_and(|ip| listed(&Observable::Address(ip))) {
            Some("a list names it as shared, or as defenders' own")
        } else {
            None
        }
    }
}

impl Confirmed {
    fn by(key: Key, row: &AlertRow) -> Self {
        let mut confirmed = Self {
            key,
            family: None,
            sources: BTreeSet::new(),
            stage: None,
            technique: None,
            confidence: 0.0,
            severity: 1,
            first: row.first,
            last: row.last,
            count: 0,
            hosts: BTreeSet::new(),
            alerts: BTreeMap::new(),
        };
        confirmed.add(row);
        confirmed
    }

    fn add(&mut self, row: &AlertRow) {
        self.family = self.family.take().or_else(|| row.family.clone());
        self.sources.extend(row.intel_source.clone());
        self.stage = self.stage.or_else(|| Stage::parse(&row.stage));
        self.technique =
            self.technique.or_else(|| row.technique.iter().find_map(|id| Technique::parse(id)));
        self.confidence = self.confidence.max(row.confidence);
        self.severity = self.severity.max(row.severity_number);
        self.first = self.first.min(row.first);
        self.last = self.last.max(row.last);
        self.count = self.count.saturating_add(row.count);
        self.hosts.extend(row.host.clone());
        self.alerts.insert(row.alert_id.clone(), row.evidence_hash());
    }

    /// In per cent.
    fn percent(&self) -> u8 {
        let percent = (self.confidence.clamp(0.0, 1.0) * 100.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0 to 100"
        )]
        {
            percent as u8
        }
    }

    /// Days after the last sighting for which it holds: an address soon belongs to another.
    fn days(&self) -> Option<i64> {
        match self.key.kind() {
            Kind::Address | Kind::Network | Kind::Endpoint => Some(14),
            Kind::Domain | Kind::Url => Some(90),
            _ => None,
        }
    }

    fn until(&self) -> Option<Timestamp> {
        let seconds = self.last.micros().div_euclid(1_000_000);
        Some(Timestamp::from_secs_nanos(seconds.checked_add(self.days()? * 86_400)?, 0))
    }
}

fn write(text: &str, path: Option<&Path>) -> Result<(), AskError> {
    let Some(path) = path else { return print(text) };
    File::create(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// An instant as both forms write it: whole seconds, UTC.
fn instant(at: Timestamp) -> String {
    let second = at.micros().div_euclid(1_000_000);
    jiff::Timestamp::from_second(second).unwrap_or_default().strftime("%FT%TZ").to_string()
}
