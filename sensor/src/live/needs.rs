//! What a running sensor still needs once its sockets are open: which paths, and whether it sends
//! anything out.
//!
//! In: the configuration. Out: the list that its privileges are cut down to.

use std::path::{Path, PathBuf};

use crate::alerts::config::{AlertsConfig, SinkKind};
use crate::config::Config;
use crate::intel::{FeedSource, IntelConfig};
use crate::privileges::{Needs, Network};

/// What a sensor with that configuration needs.
pub(super) fn needs(config: &Config, file: Option<&Path>) -> Needs {
    let mut needs = Needs::default();
    // A file that is exchanged by renaming is another one: its directory is what is read.
    let directory = |path: &Path| path.parent().map(|parent| or_here(parent).to_owned());
    needs.reads.extend(file.and_then(directory));
    let databases = [&config.geoip.country, &config.geoip.asn];
    needs.reads.extend(databases.into_iter().flatten().filter_map(|path| directory(path)));
    intel(&config.intel, &mut needs);
    alerts(&config.alerts, &mut needs);
    needs.writes.push(config.sensor.state.clone());
    needs.writes.extend(config.archive.path.clone());
    needs.writes.extend(config.watch.baseline.as_deref().and_then(directory));
    needs
}

fn alerts(alerts: &AlertsConfig, needs: &mut Needs) {
    let directory = |path: &PathBuf| path.parent().map(|parent| or_here(parent).to_owned());
    for sink in &alerts.sinks {
        match sink {
            SinkKind::Jsonl(file) => needs.writes.extend(directory(&file.path)),
            SinkKind::Stdout(_) => {}
            SinkKind::Syslog(syslog) => {
                needs.network = Network::Sends;
                let files = [&syslog.ca, &syslog.cert, &syslog.key];
                needs.reads.extend(files.into_iter().flatten().filter_map(directory));
            }
            SinkKind::Webhook(webhook) => {
                needs.network = Network::Sends;
                needs.reads.extend(webhook.ca.iter().filter_map(directory));
            }
        }
    }
}

fn intel(intel: &IntelConfig, needs: &mut Needs) {
    let directory = |path: &PathBuf| path.parent().map(|parent| or_here(parent).to_owned());
    let lists = intel.allow.iter().chain(&intel.lists);
    needs.reads.extend(lists.filter_map(directory));
    for feed in &intel.feeds {
        match &feed.source {
            FeedSource::Path(path) if path.is_dir() => needs.reads.push(path.clone()),
            FeedSource::Path(path) => needs.reads.extend(directory(path)),
            FeedSource::Url(fetch) => {
                needs.network = Network::Sends;
                needs.reads.extend(fetch.ca.iter().filter_map(directory));
            }
        }
    }
}

/// A path without a directory is in this one.
fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}
