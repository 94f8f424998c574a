//! Sets: what matches, what only looks as if it did, and a large mixed feed of which everything is
//! found and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use analyzers::Timestamp;

use super::IndicatorSet;
use crate::feeds::Feed;
use crate::{Key, Kind, Matcher, Observable, Part, Tally, limits};

const NOW: Timestamp = Timestamp::from_secs_nanos(1_780_000_000, 0);

fn load(content: &str) -> (IndicatorSet, Tally) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feed");
    fs::write(&path, content).unwrap();
    let (part, tally) = Part::load(&Feed::at(&path));
    (IndicatorSet::new(vec![Arc::new(part)]), tally)
}

/// The values of the indicators that match.
fn matched(set: &IndicatorSet, seen: &Observable<'_>) -> Vec<String> {
    let hits = set.look_up(seen, NOW);
    hits.iter().map(|&hit| set.indicator(hit).unwrap().key.to_string()).collect()
}

#[test]
fn names_match_themselves_and_sub_domains_only_where_that_was_said() {
    let (set, _) = load("exact.example\n.below.example\n.a.below.example\nbücher.example\n");
    for (name, expected) in [
        ("exact.example", &["exact.example"][..]),
        ("EXACT.Example.", &["exact.example"]),
        ("www.exact.example", &[]),
        ("below.example", &[".below.example"]),
        ("x.y.z.below.example", &[".below.example"]),
        ("x.a.below.example", &[".below.example", ".a.below.example"]),
        ("1.2.3.4.5.6.7.8.9.10.below.example", &[".below.example"]),
        ("xn--bcher-kva.example", &["xn--bcher-kva.example"]),
        ("BÜCHER.example", &["xn--bcher-kva.example"]),
        ("bucher.example", &[]),
        ("notbelow.example", &[]),
        ("below.example.org", &[]),
        ("exact.example.org", &[]),
        ("exact-example", &[]),
        ("exаct.example", &[]),
        ("exact..example", &[]),
        ("example", &[]),
        ("", &[]),
    ] {
        assert_eq!(matched(&set, &Observable::Domain(name.as_bytes())), expected, "{name}");
    }
    assert_eq!(matched(&set, &Observable::Domain(b"exact.example\xff")), [""; 0]);
}

#[test]
fn addresses_match_with_their_networks_and_ports() {
    let (set, _) = load("192.0.2.7\n192.0.2.0/24\n192.0.2.7:443\n192.0.0.0/16\n2001:db8::/32\n");
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    for (seen, expected) in [
        (Observable::Address(ip("192.0.2.7")), &["192.0.2.7", "192.0.2.0/24", "192.0.0.0/16"][..]),
        (Observable::Address(ip("::ffff:192.0.2.8")), &["192.0.2.0/24", "192.0.0.0/16"]),
        (Observable::Endpoint(ip("192.0.2.7"), 80), &["192.0.2.7", "192.0.2.0/24", "192.0.0.0/16"]),
        (
            Observable::Endpoint(ip("192.0.2.7"), 443),
            &["192.0.2.7", "192.0.2.0/24", "192.0.2.7:443", "192.0.0.0/16"],
        ),
        (Observable::Address(ip("192.1.2.7")), &[]),
        (Observable::Address(ip("2001:db8:9::1")), &["2001:db8::/32"]),
        (Observable::Address(ip("2001:db9::1")), &[]),
    ] {
        assert_eq!(matched(&set, &seen), expected, "{seen:?}");
    }
}

#[test]
fn urls_match_without_scheme_and_query_and_folders_only_with_a_star() {
    let (set, _) = load(
        "http://evil.example/gate.php\nhttps://q.example/a?id=1\nhttp://f.example/x/*\n\
         http://192.0.2.7:81/\n",
    );
    for (url, expected) in [
        ("http://evil.example/gate.php", &["evil.example/gate.php"][..]),
        ("https://EVIL.example:443/gate.php", &["evil.example/gate.php"]),
        ("evil.example/gate.php?a=b&c", &["evil.example/gate.php"]),
        ("evil.example/GATE.php", &[]),
        ("evil.example/gate.php/x", &[]),
        ("evil.example/", &[]),
        ("evil.example:8080/gate.php", &[]),
        ("evil.example.org/gate.php", &[]),
        ("q.example/a?id=1", &["q.example/a?id=1"]),
        ("q.example/a?id=2", &[]),
        ("q.example/a", &[]),
        ("f.example/x/", &["f.example/x/*"]),
        ("f.example/x/y/z?q", &["f.example/x/*"]),
        ("f.example/x", &[]),
        ("f.example/xy/", &[]),
        ("f.example/?p=/x/", &[]),
        ("192.0.2.7:81", &["192.0.2.7:81/"]),
        ("user@192.0.2.7:81/#x", &["192.0.2.7:81/"]),
    ] {
        assert_eq!(matched(&set, &Observable::Url(url.as_bytes())), expected, "{url}");
    }
}

#[test]
fn file_names_match_the_end_of_a_path_and_hashes_their_own_kind() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let (set, _) = load(&format!(
        "type,value\nfile_name,Drop.EXE\nfile_name,temp\\tool.dll\nja3,{md5}\n\
         user_agent,Badger/1.0\n"
    ));
    for (seen, expected) in [
        (Observable::FileName(br"\Users\Public\drop.exe"), &["drop.exe"][..]),
        (Observable::FileName(b"drop.exe"), &["drop.exe"]),
        (Observable::FileName(b"raindrop.exe"), &[]),
        (Observable::FileName(b"drop.exe/x"), &[]),
        (Observable::FileName(br"Windows\Temp\TOOL.dll"), &["temp/tool.dll"]),
        (Observable::FileName(b"tool.dll"), &[]),
        (Observable::Ja3(md5.as_bytes()), &[md5]),
        (Observable::Ja3(md5.to_uppercase().as_bytes()), &[md5]),
        (Observable::FileMd5(md5.as_bytes()), &[]),
        (Observable::Ja3(b"d41d"), &[]),
        (Observable::Ja3(b"zz1d8cd98f00b204e9800998ecf8427e"), &[]),
        (Observable::UserAgent(b" Badger/1.0 "), &["Badger/1.0"]),
        (Observable::UserAgent(b"badger/1.0"), &[]),
    ] {
        assert_eq!(matched(&set, &seen), expected, "{seen:?}");
    }
}

#[test]
fn an_indicator_matches_while_it_is_valid_in_packet_time() {
    let (set, _) = load(
        "value,valid_from,valid_until\nevil.example,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z\n",
    );
    let seen = Observable::Domain(b"evil.example");
    for (second, expected) in
        [(1_767_225_599, 0), (1_767_225_600, 1), (1_767_311_999, 1), (1_767_312_000, 0)]
    {
        let at = Timestamp::from_secs_nanos(second, 0);
        assert_eq!(set.look_up(&seen, at).len(), expected, "{second}");
    }
    assert_eq!(set.look_up_any_time(&seen).len(), 1);
}

#[test]
fn every_source_of_a_value_is_told_once_and_their_number_is_bounded() {
    let mut content = "value,family\n".to_owned();
    for family in 0..=limits::SAME_VALUE {
        writeln!(content, "evil.example,family {family}").unwrap();
    }
    content.push_str("evil.example,family 0\n");
    let (set, tally) = load(&content);
    assert_eq!((tally.total(), tally.crowded, tally.repeated), (limits::SAME_VALUE, 1, 1));
    let hits = set.look_up(&Observable::Domain(b"evil.example"), NOW);
    let families: Vec<_> =
        hits.iter().map(|&hit| set.indicator(hit).unwrap().context.family.unwrap()).collect();
    assert_eq!(families[0], "family 0");
    assert_eq!(families.len(), limits::SAME_VALUE);
    assert_eq!(set.count(Kind::Domain), 1);
}

#[test]
fn refusals_are_kept_up_to_a_bound_and_counted_beyond() {
    for (lines, kept) in [
        (limits::REFUSALS_KEPT - 1, limits::REFUSALS_KEPT - 1),
        (limits::REFUSALS_KEPT + 1, limits::REFUSALS_KEPT),
    ] {
        let (_, tally) = load(&"not a value\n".repeat(lines));
        assert_eq!((tally.refused, tally.refusals.len()), (lines, kept));
    }
}

#[test]
fn an_empty_set_matches_nothing() {
    let matcher = Matcher::default();
    assert!(matcher.indicators.is_empty());
    let seen = Observable::Domain(b"evil.example");
    assert!(!matcher.matches(&seen, NOW).is_alert());
}

/// A generated value, and one that differs from it a little and that no line lists.
fn generated(number: u32) -> (Kind, String, String) {
    let [_, a, b, c] = number.to_be_bytes();
    let hash = |length: usize| format!("{number:08x}").repeat(8)[..length].to_owned();
    // The last digit is no number's, so that the neighbour is nobody's value.
    let other_hash =
        |length: usize| format!("{}f", &format!("{number:07x}e").repeat(8)[..length - 1]);
    let ja4 = |hex: &str| format!("t13d1516h2_{hex}_e5627efa2ab1");
    let hex = format!("{number:012x}");
    match number % 12 {
        0 => (Kind::Domain, format!("n{number}.example"), format!("n{number}.example.org")),
        1 => (Kind::Domain, format!(".n{number}.example"), format!("xn{number}.example")),
        2 => (Kind::Address, format!("11.{a}.{b}.{c}"), format!("12.{a}.{b}.{c}")),
        3 => (
            Kind::Address,
            format!("2001:db8::{a:x}:{b:x}{c:02x}"),
            format!("2001:db9::{a:x}:{b:x}{c:02x}"),
        ),
        4 => (Kind::Endpoint, format!("13.{a}.{b}.{c}:443"), format!("13.{a}.{b}.{c}:444")),
        5 => (
            Kind::Url,
            format!("http://h.example/n{number}"),
            format!("http://h.example/n{number}/"),
        ),
        6 => (Kind::FileMd5, hash(32), other_hash(32)),
        7 => (Kind::FileSha1, hash(40), other_hash(40)),
        8 => (Kind::FileSha256, hash(64), other_hash(64)),
        9 => (Kind::FileName, format!("n{number}.exe"), format!("n{number}.dll")),
        10 => (Kind::UserAgent, format!("Agent/{number}"), format!("agent/{number}")),
        _ => (Kind::Ja4, ja4(&hex), ja4(&hex.replacen('0', "f", 1))),
    }
}

#[test]
fn of_a_hundred_thousand_mixed_lines_each_is_found_and_nothing_else_is() {
    const LINES: u32 = 100_000;
    let mut content = "type,value\n".to_owned();
    for number in 0..LINES {
        let (kind, value, _) = generated(number);
        writeln!(content, "{},{value}", kind.name()).unwrap();
    }
    let (set, tally) = load(&content);
    assert_eq!((tally.total(), tally.refused, tally.repeated), (LINES as usize, 0, 0));
    for number in 0..LINES {
        let (kind, value, other) = generated(number);
        let key = Key::parse(kind, &value).unwrap();
        let text = key.to_string();
        let seen = Observable::of(&key, &text).unwrap();
        let hits = set.look_up(&seen, NOW);
        assert_eq!(hits.len(), 1, "{value}");
        let indicator = set.indicator(hits[0]).unwrap();
        assert_eq!((&indicator.key, indicator.origin.line), (&key, Some(number + 2)));
        let key = Key::parse(kind, &other).unwrap();
        let text = key.to_string();
        let seen = Observable::of(&key, &text).unwrap();
        assert_eq!(set.look_up(&seen, NOW).len(), 0, "{other}");
    }
}
