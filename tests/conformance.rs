//! Real attacks, recorded by others, where they lie beside the project (or where
//! `SERVAL_ATTACKS` says): what must be found in each, how soon, and what must not be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use analyzers::scene::assets::Network;
use analyzers::{Severity, Timestamp};
use sensor::config::Config;
use serde_json::Value;

use crate::captures;
use crate::replays::{self, Frame, Frames, Row};

/// What must become of a capture.
struct Case {
    file: &'static str,
    /// The network that is at home in it; the private ones where nothing is said.
    home: &'static str,
    /// Only what lies within so many seconds of its oldest packet is replayed: so soon it must be
    /// found.
    within: Option<u64>,
    /// Detectors that must say something, about which host and how bad at least; a host of `\"\"`
    /// is any.
    must: &'static [(&'static str, &'static str, Severity)],
    /// Detectors that must be silent.
    must_not: &'static [&'static str],
}

const LOW: Severity = Severity::LOW;
const MEDIUM: Severity = Severity::MEDIUM;
const HIGH: Severity = Severity::HIGH;

const SCANS: &[&str] = &["smb_scan", "net_scan", "port_scan"];

const fn case(
    file: &'static str,
    within: Option<u64>,
    must: &'static [(&'static str, &'static str, Severity)],
    must_not: &'static [&'static str],
) -> Case {
    Case { file, home: "", within, must, must_not }
}

/// The same, where home is somewhere else.
const fn at_home(home: &'static str, case: Case) -> Case {
    Case { home, ..case }
}

const CASES: &[Case] = &[
    // Exploits of SMB 1, in the middle of connections, too.
    case(
        "malcolm_wannacry.pcap",
        None,
        &[
            ("smb_exploit", "192.168.116.149", HIGH),
            ("smb_exploit", "192.168.116.138", HIGH),
            ("incident", "192.168.116.149", HIGH),
            ("incident", "192.168.116.138", HIGH),
        ],
        &[],
    ),
    case(
        "malcolm_eternalblue-success-unpatched-win7.pcap",
        None,
        &[("smb_exploit", "192.168.198.204", HIGH)],
        &[],
    ),
    case(
        "malcolm_doublepulsar-backdoor-connect-win7.pcap",
        None,
        &[("smb_exploit", "192.168.198.204", HIGH)],
        &[],
    ),
    case(
        "malcolm_eternalromance-doublepulsar-meterpreter.pcap",
        None,
        &[("smb_exploit", "10.99.99.8", HIGH)],
        &[],
    ),
    case("malcolm_eternalblue-failed-patched-win7.pcap", None, &[], &["smb_exploit"]),
    // Calls: over TLS, as requests of one connection; and a tunnel in names.
    at_home(
        "147.32.0.0/16",
        case("slips_test-cc-capture-1.pcap", None, &[("beacon", "147.32.80.37", LOW)], SCANS),
    ),
    at_home(
        "172.18.0.3/32",
        case("cl_caldera-detector_sandcat.pcap", None, &[("beacon", "172.18.0.3", LOW)], SCANS),
    ),
    case("ndpi_dns-tunnel-iodine.pcap", None, &[("dns_tunnel", "10.0.2.30", MEDIUM)], &["beacon"]),
    // Scans: by the fourth probe; a bot; ten probes of one host, and of one port.
    case(
        "simple-scan_445_scan.pcap",
        Some(2_900),
        &[("smb_scan", "176.192.150.3", LOW)],
        &["net_scan", "port_scan"],
    ),
    case(
        "zt_scanner.pcap",
        Some(10),
        &[("net_scan", "198.123.41.181", LOW)],
        &["smb_scan", "port_scan"],
    ),
    case(
        "simple-scan_port_scan.pcap",
        None,
        &[("port_scan", "192.168.2.154", MEDIUM)],
        &["net_scan", "smb_scan"],
    ),
    case(
        "simple-scan_scan_with_zero_windows.pcap",
        None,
        &[("net_scan", "10.0.0.1", MEDIUM)],
        &["port_scan"],
    ),
    case("cs_synscan.pcapng", None, &[("port_scan", "172.16.0.8", MEDIUM)], &["net_scan"]),
    case("slips_test7-malicious.pcap", None, &[("net_scan", "192.168.2.16", MEDIUM)], &[]),
    case("simple-scan_backscatter.trace", None, &[], SCANS),
    // Guessing of passwords, some of it very slow.
    case(
        "ic_RDP-sHost_sAccount_mPasswords.pcap",
        Some(25 * 60),
        &[("rdp_bruteforce", "24.196.178.67", LOW)],
        SCANS,
    ),
    case("ic_RDP-bruteforce.pcap", Some(30 * 60), &[("rdp_bruteforce", "51.235.163.75", LOW)], &[]),
    case(
        "ic_RDP-same-account-many-machines.pcap",
        Some(60),
        &[("rdp_bruteforce", "13.76.103.95", LOW)],
        &[],
    ),
    // Programs put onto other hosts, and halves of it.
    case(
        "sv_20171220_smb_psexec_add_user.pcap",
        None,
        &[("admin_share_exec", "192.168.10.31", HIGH)],
        &[],
    ),
    case(
        "pa_LM_smbexec_smb_dcerpc_svcctl_epm.pcapng",
        None,
        &[("admin_share_exec", "172.16.66.1", HIGH)],
        &[],
    ),
    case(
        "sv_20171220_smb_mimikatz_copy_to_host.pcap",
        None,
        &[("remote_exec", "192.168.10.31", LOW)],
        &["admin_share_exec"],
    ),
    case(
        "sv_20171220_smb_at_schedule.pcap",
        None,
        &[("remote_exec", "192.168.10.31", LOW)],
        &["admin_share_exec"],
    ),
];

/// The folder of attacks, if it is at hand.
fn folder() -> Option<PathBuf> {
    let beside = || captures::project().join("../shared/detection-captures");
    let folder = std::env::var_os("SERVAL_ATTACKS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there are no attacks at {}", folder.display());
    None
}

/// The frames of a capture that lie within a span of its oldest one.
fn frames(path: &Path, within: Option<u64>) -> Vec<Frame> {
    let mut frames = replays::frames_of(path.to_owned());
    let oldest = frames.iter().map(|frame| frame.time).min().unwrap_or(Timestamp::MIN);
    let until = oldest.after(within.map_or(Duration::MAX, Duration::from_secs));
    frames.retain(|frame| frame.time <= until);
    frames
}

/// The alerts that were told: what an allow-list silenced is in the archive alone.
fn alerts(frames: Vec<Frame>) -> Vec<Row> {
    alerts_at(frames, &Config::default())
}

fn alerts_at(frames: Vec<Frame>, config: &Config) -> Vec<Row> {
    let mut alerts = replays::run(&mut Frames::new(frames), config, 1).table("alert");
    alerts.retain(|alert| evidence(alert, "suppressed_by").is_null());
    alerts
}

/// What stands under a key of an alert's evidence.
fn evidence(alert: &Row, key: &str) -> Value {
    let text = alert["evidence"].as_str().unwrap_or("{}");
    let evidence: Value = serde_json::from_str(text).expect("evidence is JSON");
    evidence[key].clone()
}

#[test]
fn real_attacks_are_found_and_nothing_is_made_up() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for Case { file, home, within, must, must_not } in CASES {
        let path = folder.join(file);
        if !path.is_file() {
            eprintln!("skipped: there is no {}", path.display());
            continue;
        }
        let mut config = Config::default();
        if !home.is_empty() {
            config.sensor.home_networks = vec![Network(home.parse().expect("a network"))];
        }
        let alerts = alerts_at(frames(&path, *within), &config);
        for (detector, host, severity) in *must {
            let is_found = alerts.iter().any(|alert| {
                alert["detector"] == *detector
                    && alert["host"] == *host
                    && alert["severity_number"].as_u64() >= Some(severity.number().into())
            });
            if !is_found {
                wrong.push(format!("{file}: no {detector} about {host}"));
            }
        }
        for alert in alerts
            .iter()
            .filter(|alert| must_not.iter().any(|detector| alert["detector"] == *detector))
        {
            wrong.push(format!("{file}: {} says {}", alert["detector"], alert["title"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exploited_connection_of_wannacry_is_counted() {
    let Some(path) = folder().map(|folder| folder.join("malcolm_wannacry.pcap")) else { return };
    if !path.is_file() {
        return;
    }
    let alerts = alerts(frames(&path, None));
    let flows = |rule: &str| -> u64 {
        let of = |alert| evidence(alert, "flows_by_invariant")[rule].as_u64().unwrap_or(0);
        alerts.iter().filter(|alert| alert["detector"] == "smb_exploit").map(of).sum()
    };
    assert_eq!(flows("smb1_secondary_of_other_transaction"), 13, "EternalBlue");
    assert_eq!(flows("smb1_implant_answer"), 9, "DoublePulsar");
    assert!(flows("smb_tree_names_other_address") >= 42, "addresses built in");
}

#[test]
fn a_scan_is_the_same_whatever_the_order_of_its_packets() {
    let Some(path) = folder().map(|folder| folder.join("simple-scan_445_scan.pcap")) else {
        return;
    };
    if !path.is_file() {
        return;
    }
    let unsorted = frames(&path, None);
    let mut sorted = unsorted.clone();
    sorted.sort_by_key(|frame| frame.time);
    assert_ne!(sorted, unsorted, "the capture is not sorted");
    let said = |frames| {
        let alerts = alerts(frames);
        let columns =
            ["detector", "host", "severity", "confidence", "first_ts", "last_ts", "count"];
        let rows = alerts.iter().map(|alert| columns.map(|column| alert[column].clone()));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(said(unsorted), said(sorted));
}

#[test]
fn a_bot_is_one_alert_that_counts_every_host() {
    let Some(path) = folder().map(|folder| folder.join("zt_scanner.pcap")) else { return };
    if !path.is_file() {
        return;
    }
    let alerts = alerts(frames(&path, None));
    let scans: Vec<_> = alerts.iter().filter(|alert| alert["detector"] == "net_scan").collect();
    assert_eq!(scans.len(), 1);
    assert_eq!(scans[0]["count"], 27_771);
}

#[test]
fn a_guesser_is_told_with_his_user_and_no_success() {
    let Some(folder) = folder() else { return };
    let path = folder.join("ic_RDP-sHost_sAccount_mPasswords.pcap");
    if !path.is_file() {
        return;
    }
    let alerts = alerts(frames(&path, None));
    let guesses: Vec<_> =
        alerts.iter().filter(|alert| alert["detector"] == "rdp_bruteforce").collect();
    assert_eq!(guesses.len(), 1);
    assert_eq!(evidence(guesses[0], "users"), serde_json::json!(["hello"]));
    assert_eq!(evidence(guesses[0], "success"), Value::Null);
    let rules = evidence(guesses[0], "rules");
    assert!(rules.as_array().is_some_and(|rules| rules.len() == 2), "A and B: {rules}");
}
