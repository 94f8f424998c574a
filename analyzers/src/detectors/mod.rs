//! The list of detectors. To add one: a file beside this one, and its word below.
//!
//! A detector's file has `DETECTOR` (its descriptor), `Knobs` (what `[detect.<name>]` may set, with
//! defaults, and the `Grounds` on which its alerts stand by them) and `watcher` (makes its state).
//! Its header has fixed sections, in this order: what it detects, why it matters, how, false
//! positives, knobs, references.

use serde::Deserialize;

use crate::detector::{Detector, Watcher};
use crate::threshold::{Evidence, Ground, Grounds as _};

macro_rules! detectors {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        /// Every detector.
        pub static ALL: &[&Detector] = &[$(&$name::DETECTOR,)*];

        /// `[detect]`: a table of knobs for each detector.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Knobs {
            $(
                #[doc = concat!("`[detect.", stringify!($name), "]`")]
                pub $name: $name::Knobs,
            )*
        }

        /// The state of every detector, in the order of [`ALL`].
        #[must_use]
        pub fn watchers(knobs: &Knobs) -> Vec<(&'static Detector, Box<dyn Watcher>)> {
            vec![$((&$name::DETECTOR, $name::watcher(&knobs.$name)),)*]
        }

        /// The grounds on which an alert of a detector stands, by these knobs and its evidence.
        #[must_use]
        pub fn grounds(detector: &str, knobs: &Knobs, evidence: &Evidence<'_>) -> Vec<Ground> {
            $(if detector == $name::DETECTOR.name {
                return knobs.$name.grounds(evidence);
            })*
            Vec::new()
        }
    };
}

detectors! {
    admin_share_exec
    beacon
    canary
    dga
    dns_tunnel
    exfil_volume
    lateral_fanout
    login_baseline
    long_connection
    net_scan
    new_destination
    port_scan
    rare_client
    rdp_bruteforce
    rdp_off_hours
    remote_exec
    rpc_discovery
    smb_bruteforce
    smb_exploit
    smb_scan
    ssh_bruteforce
    strobe
    tls_anomaly
}

#[cfg(test)]
pub(crate) mod rehearsal;
#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_detector_is_documented_in_the_fixed_sections() {
        let sections = [
            "# What it detects",
            "# Why it matters",
            "# How",
            "# False positives",
            "# Knobs",
            "# References",
        ];
        for detector in ALL {
            let text = detector.documentation();
            let found: Vec<&str> = text.lines().filter(|line| line.starts_with("# ")).collect();
            assert_eq!(found, sections, "{}", detector.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().map(|detector| detector.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
