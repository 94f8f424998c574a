//! The allow-list: what it silences, for whom, how long; what is wrong in it, and where.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use analyzers::Timestamp;

use jiff::tz::TimeZone;

use super::{AllowError, AllowList, DefaultPack, Mode, Party, Subject};
use crate::feeds::Feed;
use crate::{IndicatorSet, Matcher, Observable, Part};

const NOW: Timestamp = Timestamp::from_secs_nanos(1_780_000_000, 0);

fn load(pack: DefaultPack, content: &str) -> Result<AllowList, AllowError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("allow.toml");
    fs::write(&path, content).unwrap();
    AllowList::load(pack, &[path], &TimeZone::UTC).map_err(|error| AllowError {
        file: PathBuf::from(error.file.file_name().unwrap()),
        ..error
    })
}

fn silenced_by<'a>(list: &'a AllowList, seen: &Observable<'_>, detector: &str) -> Option<&'a str> {
    list.silences(seen, detector, NOW).and_then(|id| list.rule(id)).map(|rule| rule.id.as_str())
}

#[test]
fn what_is_allowed_is_silenced_with_all_that_it_reaches() {
    let list = load(
        DefaultPack::Unused,
        r#"
        [[allow]]
        id = "ours"
        names = ["one.example", ".all.example", ".corp"]
        addresses = ["192.0.2.7", "198.51.100.0/24", "8.0.0.0/6"]
        hashes = ["d41d8cd98f00b204e9800998ecf8427e"]
        [[allow]]
        id = "scanner"
        addresses = ["203.0.113.7"]
        detectors = ["smb_scan"]
        [[allow]]
        id = "over"
        names = ["over.example"]
        until = 2020-01-01
        "#,
    )
    .unwrap();
    let ip = |text: &str| text.parse().unwrap();
    let ours = Some("ours");
    for (seen, expected) in [
        (Observable::Domain(b"one.example"), ours),
        (Observable::Domain(b"www.one.example"), None),
        (Observable::Domain(b"www.ALL.example"), ours),
        (Observable::Domain(b"small.example"), None),
        (Observable::Domain(b"printer.corp"), ours),
        (Observable::Address(ip("198.51.100.9")), ours),
        (Observable::Address(ip("11.1.1.1")), ours),
        (Observable::Endpoint(ip("192.0.2.7"), 443), ours),
        (Observable::Url(b"http://x.all.example:8080/a"), ours),
        (Observable::Url(b"http://192.0.2.7/a"), ours),
        (Observable::Url(b"http://other.example/all.example"), None),
        (Observable::FileMd5(b"D41D8CD98F00B204E9800998ECF8427E"), ours),
        (Observable::Domain(b"over.example"), None),
    ] {
        assert_eq!(silenced_by(&list, &seen, "intel"), expected, "{seen:?}");
    }
    let scanner = Observable::Address(ip("203.0.113.7"));
    assert_eq!(silenced_by(&list, &scanner, "intel"), None);
    assert_eq!(silenced_by(&list, &scanner, "smb_scan"), Some("scanner"));
}

#[test]
fn the_default_pack_wins_over_a_feed_that_lists_an_update_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feed.txt");
    fs::write(&path, ".windowsupdate.com\n8.8.8.8\n10.1.2.3\nevil.example\n").unwrap();
    let (part, _) = Part::load(&Feed::at(&path));
    let allow = AllowList::load(DefaultPack::Used, &[], &TimeZone::UTC).unwrap();
    let indicators = IndicatorSet::new(vec![Arc::new(part)]);
    let matcher = Matcher { indicators, allow: Arc::new(allow), ..Matcher::default() };
    for (seen, expected) in [
        (Observable::Domain(b"download.windowsupdate.com"), Some("system-updates")),
        (Observable::Address("8.8.8.8".parse().unwrap()), Some("public-resolvers")),
        (Observable::Endpoint("10.1.2.3".parse().unwrap(), 80), Some("special-addresses")),
        (Observable::Domain(b"evil.example"), None),
    ] {
        let matches = matcher.matches(&seen, NOW);
        assert_eq!(matches.hits.len(), 1, "{seen:?}");
        let rule = matches.silenced_by.and_then(|id| matcher.allow.rule(id));
        assert_eq!(rule.map(|rule| rule.id.as_str()), expected, "{seen:?}");
        assert_eq!(matches.is_alert(), expected.is_none());
    }
    // What hosts do is told, whoever they are and wherever they turn to.
    let party = |address: &str, name| Party {
        address: Some(address.parse().unwrap()),
        name,
        ..Party::default()
    };
    for (detector, dst) in [
        ("beacon", party("8.8.8.8", Some(&b"download.windowsupdate.com"[..]))),
        ("smb_scan", party("10.0.0.9", None)),
        ("intel", party("10.0.0.53", None)),
    ] {
        let src = party("10.0.0.5", None);
        let subject = Subject { detector, src, dst, ..Subject::default() };
        assert_eq!(matcher.allow.judge(&subject, NOW), None, "{detector}");
    }
    let unknown = matcher.matches(&Observable::Domain(b"time.windows.com"), NOW);
    assert_eq!((unknown.hits.len(), unknown.silenced_by), (0, None));
}

/// Entries that go by who, how and when.
const BEHAVIOUR: &str = r#"
    [[allow]]
    id = "known"
    mode = "tag"
    addresses = ["10.0.0.0/8"]
    [[allow]]
    id = "wsus"
    detectors = ["beacon", "smb_scan"]
    src = ["10.0.0.20"]
    [[allow]]
    id = "oncall"
    detectors = ["rdp_off_hours"]
    mode = "lower"
    owner = "operations"
    users = ["zhang"]
    dst = ["10.2.0.0/24"]
    ports = [3389]
    hours = "18:00-08:00"
    timezone = "Asia/Shanghai"
    until = 2026-12-31
    [[allow]]
    id = "lab"
    src = [".lab.example"]
    [[allow]]
    id = "red-team"
    src = ["10.9.9.9"]
    override_intel = true
    "#;

#[test]
fn a_finding_is_judged_by_what_who_how_and_when_and_the_strongest_entry_wins() {
    let list = load(DefaultPack::Unused, BEHAVIOUR).unwrap();
    let party =
        |address: &str| Party { address: Some(address.parse().unwrap()), ..Party::default() };
    // 2026-05-28 20:26:40 in UTC, the next morning before five in Shanghai.
    let subject = |detector, src, dst| Subject {
        detector,
        src: party(src),
        dst: party(dst),
        port: Some(3389),
        user: Some(b"ZHANG"),
        ..Subject::default()
    };
    let sure = crate::Confidence::from_percent(95);
    let named = Party { name: Some(b"pc7.lab.example"), ..Party::default() };
    for (subject, expected) in [
        (subject("beacon", "10.0.0.20", "192.0.2.1"), Some(("wsus", Mode::Suppress))),
        (subject("port_scan", "10.0.0.20", "192.0.2.1"), Some(("known", Mode::Tag))),
        (subject("beacon", "192.0.2.1", "10.0.0.21"), Some(("known", Mode::Tag))),
        (subject("beacon", "192.0.2.1", "192.0.2.2"), None),
        (subject("rdp_off_hours", "10.0.0.1", "10.2.0.7"), Some(("oncall", Mode::Lower))),
        (
            Subject { user: None, ..subject("rdp_off_hours", "10.0.0.1", "10.2.0.7") },
            Some(("known", Mode::Tag)),
        ),
        (
            Subject { src: named, ..subject("dga", "10.0.0.1", "192.0.2.1") },
            Some(("lab", Mode::Suppress)),
        ),
        // What is sure by itself is not allowed away by who did it.
        (Subject { src: named, ..subject("smb_exploit", "10.0.0.1", "192.0.2.1") }, None),
        (
            Subject { src: named, confidence: sure, ..subject("intel", "10.0.0.1", "192.0.2.1") },
            None,
        ),
        (
            Subject { confidence: sure, ..subject("intel", "10.9.9.9", "192.0.2.1") },
            Some(("red-team", Mode::Suppress)),
        ),
        (
            Subject {
                confidence: sure,
                observable: Some(Observable::Domain(b"pc7.lab.example")),
                ..subject("intel", "192.0.2.9", "192.0.2.1")
            },
            None,
        ),
        (
            Subject {
                confidence: sure,
                observable: Some(Observable::Address("10.1.1.1".parse().unwrap())),
                ..subject("intel", "192.0.2.9", "192.0.2.1")
            },
            Some(("known", Mode::Tag)),
        ),
    ] {
        let verdict = list.judge(&subject, NOW);
        let told =
            verdict.map(|verdict| (list.rule(verdict.id).unwrap().id.as_str(), verdict.mode));
        assert_eq!(told, expected, "{subject:?}");
    }
    let counted: Vec<_> = list.counted().map(|(rule, hits)| (rule.id.as_str(), hits)).collect();
    assert_eq!(counted, [("known", 4), ("wsus", 1), ("oncall", 1), ("lab", 1), ("red-team", 1)]);
    let next = load(DefaultPack::Unused, "[[allow]]\nid = \"lab\"\nports = [1]\n").unwrap();
    next.continue_counts(&list);
    // Another file is another list.
    assert_eq!(next.counted().next().unwrap().1, 0);
}

#[test]
fn a_feed_that_means_a_private_address_says_so_with_a_tag() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feed.csv");
    fs::write(&path, "value,tags\n10.1.2.3,internal\n10.1.2.4,other\nnas.local,internal\n")
        .unwrap();
    let (part, _) = Part::load(&Feed::at(&path));
    let allow = Arc::new(AllowList::load(DefaultPack::Used, &[], &TimeZone::UTC).unwrap());
    let matcher = Matcher {
        indicators: IndicatorSet::new(vec![Arc::new(part)]),
        allow,
        ..Matcher::default()
    };
    for (seen, expected) in [
        (Observable::Address("10.1.2.3".parse().unwrap()), true),
        (Observable::Address("10.1.2.4".parse().unwrap()), false),
        (Observable::Domain(b"nas.local"), true),
    ] {
        let matches = matcher.matches(&seen, NOW);
        assert_eq!((matches.hits.len(), matches.is_alert()), (1, expected), "{seen:?}");
    }
    let silent = matcher.allow.counted().filter(|&(_, hits)| hits > 0);
    assert_eq!(
        silent.map(|(rule, hits)| (rule.id.as_str(), hits)).collect::<Vec<_>>(),
        [("special-addresses", 1)]
    );
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (content, expected) in [
        (
            "[[allow]]\nid = \"x\"\nnames = [\"a.example\",\n  \"b c\"]",
            "allow.toml:4: \"b c\" is not understood",
        ),
        (
            "[[allow]]\nid = \"x\"\naddresses = [\"192.0.2.0/33\"]",
            "allow.toml:3: \"192.0.2.0/33\" is",
        ),
        ("[[allow]]\nid = \"x\"\nhashes = [\"12\"]", "allow.toml:3: \"12\" is not understood"),
        ("[[allow]]\nid = \"x\"\nuntil = \"soon\"", "allow.toml:3: until is no date"),
        ("[[allow]]\nid = \"x\"\nnmaes = []", "allow.toml:3: unknown field `nmaes`"),
        ("[[allow]]\nnames = []", "missing field `id`"),
        ("[[allow]]\nid = \"x\"", "allow.toml:2: \"x\" says neither what, who nor when"),
        ("[[allow]]\nid = \"x\"\nsrc = [\"a b\"]", "allow.toml:3: \"a b\" is not understood"),
        ("[[allow]]\nid = \"x\"\nmode = \"off\"", "allow.toml:3: \"off\" is not understood"),
        ("[[allow]]\nid = \"x\"\nhours = \"8-18\"", "allow.toml:3: hours are written as"),
        ("[[allow]]\nid = \"x\"\ndays = [\"friday\"]", "allow.toml:2: \"friday\" is no day"),
        ("[[allow]]\nid = \"x\"\ntimezone = \"Mars\"", "allow.toml:3: \"Mars\" is not"),
        ("[[allow", "allow.toml:1: "),
    ] {
        let error = load(DefaultPack::Used, content).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{error:?}");
    }
    let missing =
        AllowList::load(DefaultPack::Unused, &[PathBuf::from("none.toml")], &TimeZone::UTC);
    assert!(missing.err().is_some_and(|error| error.to_string().starts_with("none.toml: cannot")));
}
