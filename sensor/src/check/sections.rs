//! The checks of each section.

use std::fs;
use std::path::Path;

use analyzers::detectors;
use jiff::tz::TimeZone;
use signatures::allow::DefaultPack;
use signatures::{AllowList, Part};

use super::source::Step::{Item, Key};
use super::{Checked, Findings};
use crate::alerts;
use crate::enrich::geo::GeoStore;
use crate::intel::FeedSource;
use crate::watch::schedule::{self, ScheduleError};

/// The time zone is one; something is at home; state has a place.
pub(super) fn sensor(checked: &Checked<'_>, findings: &mut Findings) {
    let sensor = &checked.config.sensor;
    let place = |key| checked.source.place(&[Key("sensor"), Key(key)]);
    match TimeZone::get(&sensor.timezone) {
        Ok(_) => findings.good(format!("{}, {}", sensor.name, sensor.timezone)),
        Err(error) => findings.wrong(
            place("timezone"),
            format!("{error}; write an IANA name such as \"Europe/Berlin\""),
        ),
    }
    if sensor.home_networks.is_empty() {
        findings.wrong(
            place("home_networks"),
            "no network is at home, so that no direction can be told; name the guarded networks",
        );
    }
    folder(&sensor.state, place("state"), findings);
}

/// Calendars can be read, and rules name what there is.
pub(super) fn schedule(checked: &Checked<'_>, findings: &mut Findings) {
    // A zone that is none is the business of `[sensor]`.
    if TimeZone::get(&checked.config.sensor.timezone).is_err() {
        return;
    }
    if let Err(error) = schedule::schedule(checked.config) {
        let key = match error {
            ScheduleError::Read { .. } | ScheduleError::Calendar { .. } => "calendar",
            ScheduleError::Rules(_) => "rules",
        };
        findings.wrong(checked.source.place(&[Key("schedule"), Key(key)]), error.to_string());
    }
}

/// Detectors that are off are detectors.
pub(super) fn watch(checked: &Checked<'_>, findings: &mut Findings) {
    let names: Vec<_> = detectors::ALL.iter().map(|detector| detector.name).collect();
    for (at, name) in checked.config.watch.off.iter().enumerate() {
        if !names.contains(&name.as_str()) {
            let place = checked.source.place(&[Key("watch"), Key("off"), Item(at)]);
            let what = format!("there is no detector {name:?}; there are {}", names.join(", "));
            findings.wrong(place, what);
        }
    }
}

/// The archive's place is a directory, or could become one.
pub(super) fn archive(checked: &Checked<'_>, findings: &mut Findings) {
    let Some(path) = &checked.config.archive.path else { return };
    let place = checked.source.place(&[Key("archive"), Key("path")]);
    folder(path, place, findings);
}

/// A directory that is there and may be written, or that could be made.
fn folder(path: &Path, place: String, findings: &mut Findings) {
    let nearest = path.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    let shown = path.display();
    match fs::metadata(nearest) {
        Ok(found) if !found.is_dir() => findings
            .wrong(place, format!("{} is no directory; choose another place", nearest.display())),
        Ok(found) if found.permissions().readonly() => findings.wrong(
            place,
            format!("{} may not be written; give the sensor's user the right", nearest.display()),
        ),
        Ok(_) => findings.good(shown.to_string()),
        Err(error) => findings.wrong(place, format!("{shown}: {error}; choose another place")),
    }
}

/// Feeds and allow-lists can be read, and how much they hold.
pub(super) fn intel(checked: &Checked<'_>, findings: &mut Findings) {
    let config = checked.config;
    let pack = if config.intel.default_allow { DefaultPack::Used } else { DefaultPack::Unused };
    // A zone that is none is the business of `[sensor]`.
    let zone = TimeZone::get(&config.sensor.timezone).unwrap_or(TimeZone::UTC);
    if let Err(error) = AllowList::load(pack, &config.intel.allow, &zone) {
        findings.wrong(checked.source.place(&[Key("intel"), Key("allow")]), error.to_string());
    }
    for (at, feed) in config.intel.feeds.iter().enumerate() {
        match &feed.source {
            FeedSource::Url(fetch) => {
                findings.good(format!("{}: is fetched every {:?}", fetch.url, fetch.every.0));
            }
            FeedSource::Path(path) if !path.exists() => findings.wrong(
                checked.source.place(&[Key("intel"), Key("feeds"), Item(at)]),
                format!("{} is not there; put the feed there or correct `path`", path.display()),
            ),
            FeedSource::Path(path) => {
                let (_, tally) = Part::load(&feed.at(path.clone()));
                findings.good(format!("{}: {} indicators", path.display(), tally.total()));
                for refusal in &tally.refusals {
                    let refusal = refusal.to_string();
                    let (place, what) = refusal.split_once(": ").unwrap_or(("", &refusal));
                    findings.wrong(place, what);
                }
            }
        }
    }
}

/// The databases can be read.
pub(super) fn geoip(checked: &Checked<'_>, findings: &mut Findings) {
    match GeoStore::open(&checked.config.geoip) {
        Ok(store) => store.describe().into_iter().for_each(|line| findings.good(line)),
        Err(error) => findings.wrong(
            checked.source.place(&[Key("geoip")]),
            format!("{error}; fetch the database again or leave it out"),
        ),
    }
}

/// Every sink could work: certificates can be read, places differ. Nothing is sent.
pub(super) fn alerts(checked: &Checked<'_>, findings: &mut Findings) {
    let config = &checked.config.alerts;
    for (at, problem) in alerts::problems(config) {
        let steps = [Key("alerts"), Key("sinks"), Item(at)];
        findings.wrong(checked.source.place(&steps), problem);
    }
    for sink in &config.sinks {
        findings.good(format!("{}, from {} up", sink.name(), sink.min_severity().name()));
    }
}
