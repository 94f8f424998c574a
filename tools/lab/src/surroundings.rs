//! What a sensor has to know of a scenario's site, as the files of its operator: a configuration,
//! an allow-list, a calendar, a feed.
//!
//! In: a play. Out: the text of each file. Whoever guards the site would have told the sensor the
//! same, and labels count on it.

use std::fmt::Write as _;
use std::path::Path;

use crate::site::{HOME_NETWORK, Site, servers};

/// The files beside a capture that a configuration names.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The allow-list.
    pub allow: &'a Path,
    /// The calendar.
    pub calendar: &'a Path,
    /// Where alerts are told as they are raised: the time of detection is told nowhere else.
    pub alerts: &'a Path,
    /// The feed, where there is one.
    pub indicators: Option<&'a Path>,
}

/// The configuration.
#[must_use]
pub fn configuration(site: &Site, files: Files<'_>) -> String {
    let mut text = format!(
        "[sensor]\nhome_networks = [\"{HOME_NETWORK}\"]\ntimezone = \"{}\"\n\n\
         [assets]\ncanaries = [\"{}\"]\nscanners = [\"{}\", \"{}\"]\n\
         domain_controllers = [\"{}\"]\n\n[schedule]\ncalendar = {}\n\n\
         [alerts]\nsinks = [{{ type = \"jsonl\", path = {} }}]\n\n\
         [intel]\nallow = [{}]\n",
        site.zone_name(),
        servers::CANARY,
        servers::SCANNER,
        servers::MONITOR,
        servers::DOMAIN_CONTROLLER,
        quoted(files.calendar),
        quoted(files.alerts),
        quoted(files.allow),
    );
    if let Some(indicators) = files.indicators {
        let _ = writeln!(text, "feeds = [{{ path = {} }}]", quoted(indicators));
    }
    text
}

/// A path as a string of TOML.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// The allow-list: who pushes software, who is on call.
#[must_use]
pub fn allow_list() -> String {
    format!(
        "[[allow]]\nid = \"software-push\"\nreason = \"hands programs to every host\"\n\
         src = [\"{}\"]\n\
         detectors = [\"admin_share_exec\", \"remote_exec\", \"rpc_discovery\", \
         \"lateral_fanout\", \"smb_scan\"]\n\n\
         [[allow]]\nid = \"jump-host\"\nreason = \"administrators start here\"\n\
         src = [\"{}\"]\ndetectors = [\"lateral_fanout\"]\n\n\
         [[allow]]\nid = \"on-call\"\nreason = \"logs on at night\"\n\
         users = [\"zhang\"]\ndetectors = [\"rdp_off_hours\", \"login_baseline\"]\n\
         hours = \"18:00-08:00\"\n",
        servers::UPDATES,
        servers::JUMP,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_what_is_there_and_no_more() {
        let site = Site::new("Europe/Berlin").unwrap();
        let (allow, calendar) = (Path::new("/x/a.toml"), Path::new("/x/c.json"));
        let alerts = Path::new("/x/alerts.jsonl");
        let files = Files { allow, calendar, alerts, indicators: None };
        let plain = configuration(&site, files);
        assert!(plain.contains("timezone = \"Europe/Berlin\"") && plain.contains("'/x/a.toml'"));
        assert!(plain.contains("calendar = '/x/c.json'") && !plain.contains("feeds"));
        let files = Files { indicators: Some(Path::new("/x/i.txt")), ..files };
        assert!(configuration(&site, files).contains("'/x/i.txt'"));
    }
}
