//! The allow-list: what it silences, for whom, how long; what is wrong in it, and where.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use analyzers::Timestamp;

use super::{AllowError, AllowList, DefaultPack};
use crate::feeds::Feed;
use crate::{IndicatorSet, Matcher, Observable, Part};

const NOW: Timestamp = Timestamp::from_secs_nanos(1_780_000_000, 0);

fn load(pack: DefaultPack, content: &str) -> Result<AllowList, AllowError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("allow.toml");
    fs::write(&path, content).unwrap();
    AllowList::load(pack, &[path]).map_err(|error| AllowError {
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
    let allow = AllowList::load(DefaultPack::Used, &[]).unwrap();
    let indicators = IndicatorSet::new(vec![Arc::new(part)]);
    let matcher = Matcher { indicators, allow: Arc::new(allow) };
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
    let unknown = matcher.matches(&Observable::Domain(b"time.windows.com"), NOW);
    assert_eq!((unknown.hits.len(), unknown.silenced_by), (0, None));
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
        ("[[allow", "allow.toml:1: "),
    ] {
        let error = load(DefaultPack::Used, content).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{error:?}");
    }
    let missing = AllowList::load(DefaultPack::Unused, &[PathBuf::from("none.toml")]);
    assert!(missing.err().is_some_and(|error| error.to_string().starts_with("none.toml: cannot")));
}
