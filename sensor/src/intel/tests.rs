//! Feeds that change, break and vanish while others look things up; servers that answer, do not,
//! or lie.

mod server;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use analyzers::Timestamp;
use jiff::tz::TimeZone;
use signatures::{Matcher, Observable};

use self::server::Server;
use super::{IntelConfig, IntelError, IntelReport, IntelStore, Outcome};

const START: i64 = 1_780_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs_nanos(START + second, 0)
}

fn config(directory: &Path, feeds: &str) -> IntelConfig {
    let text = format!("feeds = [{feeds}]\nallow = [\"{0}/allow.toml\"]", directory.display());
    toml::from_str(&text).unwrap()
}

fn load(config: &IntelConfig, now: Timestamp) -> Result<(IntelStore, IntelReport), IntelError> {
    let directory = config.allow[0].parent().unwrap();
    IntelStore::load(config, &directory.join("state"), TimeZone::UTC, now)
}

/// Puts a file in its place in one step, as those do who know that it is read.
fn put(directory: &Path, name: &str, content: &str) {
    fs::write(directory.join("next"), content).unwrap();
    fs::rename(directory.join("next"), directory.join(name)).unwrap();
}

/// The families under which a name is known.
fn families(matcher: &Matcher, name: &str) -> Vec<String> {
    let matches = matcher.matches(&Observable::Domain(name.as_bytes()), at(0));
    let known = matches.hits.iter().filter_map(|&hit| matcher.indicators.indicator(hit));
    known.map(|indicator| indicator.context.family.unwrap_or_default()).collect()
}

fn knows(store: &IntelStore, name: &str) -> bool {
    !families(&store.current(), name).is_empty()
}

#[test]
fn feeds_are_read_when_they_changed_and_settled_and_a_broken_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let put = |name, content| put(directory, name, content);
    let feed = |name: &str| format!("{{ path = \"{}/{name}\" }}", directory.display());
    put("allow.toml", "");
    put("one.txt", "one.example\nbad line\n");
    put(
        "two.json",
        r#"{"Event": {"Attribute": [{"type": "domain", "value": "two.example", "to_ids": true}]}}"#,
    );
    let config =
        config(directory, &[feed("one.txt"), feed("two.json"), feed("none.txt")].join(", "));
    let (store, report) = load(&config, at(0)).unwrap();
    let told = report.to_string();
    assert!(told.contains("one.txt:2: "), "{told}");
    assert!(told.contains("feed one") && told.contains("1 indicators, 1 domain"), "{told}");
    assert!(told.contains("none.txt: cannot be read") && told.contains("no indicators"), "{told}");
    assert!(report.has_refusals());
    assert!(knows(&store, "one.example") && knows(&store, "two.example"));

    // Nothing changed, nothing is told.
    assert!(store.refresh(at(5)).is_empty());
    let unchanged = store.current();
    put("one.txt", "eins.example\n");
    // Seen once, it may still be being written.
    assert!(store.refresh(at(10)).is_empty());
    assert!(Arc::ptr_eq(&unchanged, &store.current()));
    assert_eq!(store.refresh(at(15)).feeds.len(), 1);
    assert!(knows(&store, "eins.example") && !knows(&store, "one.example"));
    assert!(store.refresh(at(20)).is_empty());

    put("two.json", r#"{"Event": {"Attribute": [{"type": "domain", "val"#);
    fs::remove_file(directory.join("one.txt")).unwrap();
    put("none.txt", "three.example\n");
    let report = store.reload(at(25));
    let outcomes: Vec<_> = report.feeds.iter().map(|feed| feed.outcome == Outcome::Used).collect();
    assert_eq!(outcomes, [false, false, true]);
    let told = report.to_string();
    assert!(told.contains("two.json:1: JSON") && told.contains("stay as they were"), "{told}");
    for name in ["eins.example", "two.example", "three.example"] {
        assert!(knows(&store, name), "{name}");
    }
}

#[test]
fn an_allow_list_is_exchanged_and_a_broken_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    put(directory, "allow.toml", "[[allow]]\nid = \"x\"\nnames = [\"one.example\"]\n");
    put(directory, "one.txt", "one.example\ntwo.example\n");
    let config = config(directory, &format!("{{ path = \"{}/one.txt\" }}", directory.display()));
    let (store, _) = load(&config, at(0)).unwrap();
    let silenced = |name: &str| {
        let seen = Observable::Domain(name.as_bytes());
        store.current().matches(&seen, at(0)).silenced_by.is_some()
    };
    assert!(silenced("one.example") && !silenced("two.example"));
    put(directory, "allow.toml", "[[allow]]\nid = \"x\"\nnames = [\"two.example\"\n");
    let told = store.reload(at(1)).to_string();
    assert!(told.contains("allow.toml:3") && told.contains("stays as it was"), "{told}");
    assert!(silenced("one.example") && !silenced("two.example"));
    put(directory, "allow.toml", "[[allow]]\nid = \"x\"\nnames = [\"two.example\"]\n");
    store.refresh(at(2));
    assert!(store.refresh(at(3)).is_empty());
    assert!(!silenced("one.example") && silenced("two.example"));
    put(directory, "allow.toml", "nonsense");
    assert!(load(&config, at(0)).is_err());
}

/// A feed of one version: a name that every version has, and many that only this one has.
fn version(number: usize) -> String {
    let mut feed = "value,family\n".to_owned();
    writeln!(feed, "always.example,{number}").unwrap();
    for name in 0..50 {
        writeln!(feed, "n{name}.v{number}.example,{number}").unwrap();
    }
    feed
}

#[test]
fn over_two_hundred_reloads_valid_and_broken_no_wrong_set_is_ever_active() {
    const RELOADS: usize = 200;
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    put(directory, "allow.toml", "");
    put(directory, "feed.csv", &version(0));
    put(directory, "other.txt", "other.example\n");
    let feed = |name: &str| format!("{{ path = \"{}/{name}\" }}", directory.display());
    let config = config(directory, &[feed("feed.csv"), feed("other.txt")].join(", "));
    let (store, _) = load(&config, at(0)).unwrap();
    // The version that is in use; the next one may be already.
    let (active, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let checked = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !ended.load(Ordering::Acquire) {
                    let earliest = active.load(Ordering::Acquire);
                    let matcher = store.current();
                    let known = families(&matcher, "always.example");
                    let [number] = &known[..] else { panic!("{known:?}") };
                    let number: usize = number.parse().unwrap();
                    assert!((earliest..=RELOADS).contains(&number), "{number} after {earliest}");
                    let mine = format!("n{}.v{number}.example", number % 50);
                    assert_eq!(families(&matcher, &mine), [number.to_string()]);
                    let next = format!("n1.v{}.example", number + 1);
                    assert_eq!(families(&matcher, &next), [""; 0]);
                    assert_eq!(families(&matcher, "other.example"), [""]);
                    checked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for reload in 1..=RELOADS {
            let broken = match reload % 8 {
                1 => Some("<!DOCTYPE html>\n<title>Not here</title>\n".repeat(30)),
                3 => Some("\u{0}\u{1}\u{2}\n".repeat(60)),
                4 => Some("{\"Event\": {\"Attribute\": [".to_owned()),
                6 => None,
                _ => Some(version(reload)),
            };
            match &broken {
                Some(content) => put(directory, "feed.csv", content),
                None => fs::remove_file(directory.join("feed.csv")).unwrap(),
            }
            let report = store.reload(at(1));
            let used = report.feeds[0].outcome == Outcome::Used;
            assert_eq!(used, ![1, 3, 4, 6].contains(&(reload % 8)), "{reload}: {report}");
            assert_eq!(report.feeds[1].outcome, Outcome::Used);
            if used {
                active.store(reload, Ordering::Release);
            }
        }
        ended.store(true, Ordering::Release);
    });
    assert!(checked.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_fetched_feed_is_asked_for_when_it_is_due_and_outlives_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    put(directory, "allow.toml", "");
    let server = Server::start();
    let feed = format!(
        "{{ url = \"{}/feed.txt\", name = \"c2\", every = \"10m\", \
         headers = {{ Auth-Key = \"k\" }} }}",
        server.url()
    );
    let config = config(directory, &feed);
    server.answers(
        "200 OK",
        "ETag: \"a\"\r\nLast-Modified: Wed, 01 Jul 2026 00:00:00 GMT",
        "one.example\n",
    );
    let (store, report) = load(&config, at(0)).unwrap();
    assert_eq!(report.feeds[0].outcome, Outcome::Used, "{report}");
    assert!(server.asked().contains("auth-key: k"));
    assert!(knows(&store, "one.example"));
    assert!(store.refresh(at(599)).is_empty());

    server.answers("304 Not Modified", "", "");
    assert!(store.refresh(at(600)).is_empty());
    let asked = server.asked();
    assert!(asked.contains("if-none-match: \"a\""), "{asked}");
    assert!(asked.contains("if-modified-since: wed, 01 jul 2026"), "{asked}");
    assert!(store.refresh(at(1_199)).is_empty());

    // What a server should not answer: each is told, and asked about again after a minute, two, …
    let page = "<html>\nplease log in\n</html>\n".repeat(9);
    let mut now = 1_200;
    for (wait, (status, headers, body), expected) in [
        (60, ("200 OK", "ETag: \"b\"", page.as_str()), "c2-"),
        (120, ("500 Oops", "", "one.example\n"), "the server answered 500"),
        (240, ("200 OK", "Content-Length: 900", "two.example\n"), "cannot be fetched"),
        (480, ("200 OK", "Transfer-Encoding: chunked", "zz\r\n"), "cannot be fetched"),
        (600, ("302 Found", "Location: /feed.txt", ""), "cannot be fetched"),
    ] {
        let answers = if status.starts_with("302") { 9 } else { 1 };
        (0..answers).for_each(|_| server.answers(status, headers, body));
        let report = store.refresh(at(now));
        let told = report.to_string();
        assert!(matches!(report.feeds[0].outcome, Outcome::Kept(_)), "{status}: {told}");
        assert!(told.contains(expected), "{status}: {told}");
        assert!(knows(&store, "one.example"), "{status}");
        server.forget();
        assert!(store.refresh(at(now + wait - 1)).is_empty(), "{status}");
        now += wait;
    }
    server.answers("200 OK", "ETag: \"c\"", "two.example\n");
    assert_eq!(store.refresh(at(now)).feeds.len(), 1);
    // What was refused is not what the server is told to compare with.
    assert!(server.asked().contains("if-none-match: \"a\""));
    assert!(knows(&store, "two.example") && !knows(&store, "one.example"));

    drop(server);
    let (store, report) = load(&config, at(now)).unwrap();
    assert!(!report.has_refusals(), "{report}");
    assert!(knows(&store, "two.example"));
    let other = directory.join("other");
    let (_, report) = IntelStore::load(&config, &other, TimeZone::UTC, at(now)).unwrap();
    assert!(matches!(report.feeds[0].outcome, Outcome::Missing(_)), "{report}");
}

#[test]
fn damaged_copies_are_set_aside_and_fetched_again() {
    let page = "<html>\nplease log in\n</html>\n".repeat(9);
    for (ending, damaged, fetched_at) in [("feed", page.as_str(), 0), ("json", "{\"etag", 60)] {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        put(directory, "allow.toml", "");
        let server = Server::start();
        let feed = format!("{{ url = \"{}/f.txt\", name = \"c2\" }}", server.url());
        let config = config(directory, &feed);
        server.answers("200 OK", "ETag: \"a\"", "one.example\n");
        drop(load(&config, at(0)).unwrap());
        let copies = || fs::read_dir(directory.join("state/intel")).unwrap();
        let ends = |path: &PathBuf, with: &str| path.to_string_lossy().ends_with(with);
        let mut paths = copies().map(|entry| entry.unwrap().path());
        let path = paths.find(|path| ends(path, &format!(".{ending}"))).unwrap();
        fs::write(&path, damaged).unwrap();
        server.forget();
        server.answers("200 OK", "ETag: \"b\"", "two.example\n");
        let (store, _) = load(&config, at(1)).unwrap();
        store.refresh(at(fetched_at));
        assert!(knows(&store, "two.example"), "{ending}");
        assert!(!server.asked().contains("if-none-match"), "{ending}");
        let mut paths = copies().map(|entry| entry.unwrap().path());
        let aside = paths.find(|path| ends(path, ".damaged")).unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), damaged);
    }
}

#[test]
fn a_misp_feed_is_fetched_with_its_events_and_only_those_that_changed() {
    let event = |name: &str| {
        format!(
            "{{\"Event\": {{\"Attribute\": [{{\"type\": \"domain\", \"value\": \"{name}\", \
             \"to_ids\": true}}]}}}}"
        )
    };
    let uuids = ["a1b2c3d4-0000-4000-8000-000000000001", "a1b2c3d4-0000-4000-8000-000000000002"];
    let manifest = |times: [u32; 2]| {
        let list = uuids.iter().zip(times).map(|(uuid, time)| {
            format!("\"{uuid}\": {{\"timestamp\": \"{time}\", \"info\": \"x\"}}")
        });
        format!("{{{}}}", list.collect::<Vec<_>>().join(", "))
    };
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    put(directory, "allow.toml", "");
    let server = Server::start();
    let config =
        config(directory, &format!("{{ url = \"{}/osint/manifest.json\" }}", server.url()));
    server.answers("200 OK", "", &manifest([1, 1]));
    server.answers("200 OK", "", &event("one.example"));
    server.answers("200 OK", "", &event("two.example"));
    let (store, report) = load(&config, at(0)).unwrap();
    assert!(!report.has_refusals(), "{report}");
    assert!(knows(&store, "one.example") && knows(&store, "two.example"));

    server.answers("200 OK", "", &manifest([1, 2]));
    server.answers("200 OK", "", &event("three.example"));
    assert_eq!(store.refresh(at(3_600)).feeds[0].outcome, Outcome::Used);
    assert!(server.asked().starts_with(&format!("get /osint/{}.json", uuids[1])));
    assert!(knows(&store, "one.example") && knows(&store, "three.example"));
    assert!(!knows(&store, "two.example"));

    // An event that does not come leaves all as it was.
    server.answers("200 OK", "", &manifest([1, 3]));
    server.answers("404 Not Found", "", "");
    let report = store.refresh(at(7_200));
    assert!(report.to_string().contains("the server answered 404"), "{report}");
    assert!(knows(&store, "one.example") && knows(&store, "three.example"));
    let (store, report) = load(&config, at(7_200)).unwrap();
    assert!(!report.has_refusals() && knows(&store, "three.example"), "{report}");
}
