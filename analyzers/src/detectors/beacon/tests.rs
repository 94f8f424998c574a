//! Days of traffic, and what is said about them.

use super::*;
use crate::detector::Finding;
use crate::detectors::rehearsal::{Dice, Rehearsal, at, dns, http, tls};
use crate::flow_id::Transport;

const HOST: &str = "10.0.0.5";
const SERVER: &str = "192.0.2.66";
const NAME: &str = "cdn.updates-sync.com";
const DAY: f64 = 86_400.0;

fn play(traffic: Rehearsal) -> Vec<Finding> {
    traffic.play(watcher(&Knobs::default()))
}

fn keys(findings: &[Finding]) -> Vec<String> {
    let mut keys: Vec<String> =
        findings.iter().map(|finding| finding.key.escaped().into_owned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Times from `from` to `to`, at intervals by a law.
fn times(from: f64, to: f64, mut law: impl FnMut() -> f64) -> Vec<f64> {
    let mut times = vec![from];
    let mut now = from;
    loop {
        now += law();
        if now > to {
            return times;
        }
        times.push(now);
    }
}

fn calls(times: &[f64]) -> Rehearsal {
    let mut traffic = Rehearsal::new();
    for time in times {
        traffic.call(*time, HOST, SERVER, NAME);
    }
    traffic
}

#[test]
fn every_law_of_jitter_is_found_and_soon() {
    type Law = fn(&mut Dice) -> f64;
    let cases: [(&str, f64, f64, Law); 13] = [
        ("fixed", 6.0, 20.0, |_| 60.0),
        ("Cobalt Strike 10 %", 6.0, 20.0, |dice| 60.0 * dice.between(0.9, 1.0)),
        ("Cobalt Strike 20 %", 6.0, 20.0, |dice| 60.0 * dice.between(0.8, 1.0)),
        ("Cobalt Strike 37 %", 6.0, 20.0, |dice| 60.0 * dice.between(0.63, 1.0)),
        ("Cobalt Strike 50 %", 6.0, 25.0, |dice| 60.0 * dice.between(0.5, 1.0)),
        ("Empire 5 s", 6.0, 20.0, |_| 5.0),
        ("Empire 5 s ±20 %", 6.0, 20.0, |dice| 5.0 * dice.between(0.8, 1.2)),
        ("Empire ±50 %", 6.0, 70.0, |dice| 60.0 * dice.between(0.5, 1.5)),
        ("Sliver", 6.0, 25.0, |dice| dice.between(60.0, 90.0)),
        ("Merlin", 6.0, 20.0, |dice| dice.between(27.0, 33.0)),
        ("300 s", 12.0, 70.0, |dice| 300.0 * dice.between(0.7, 1.0)),
        ("900 s", 30.0, 300.0, |dice| 900.0 * dice.between(0.75, 1.0)),
        ("3,600 s", 72.0, 1_000.0, |dice| 3_600.0 * dice.between(0.8, 1.0)),
    ];
    for (name, hours, minutes, law) in cases {
        let mut dice = Dice(7);
        let findings = play(calls(&times(100.0, 100.0 + 3_600.0 * hours, || law(&mut dice))));
        assert_eq!(keys(&findings), [NAME], "{name}");
        let took = findings[0].last.since(at(100.0)).as_secs_f64() / 60.0;
        assert!(took <= minutes, "{name} took {took:.0} minutes");
    }
}

#[test]
fn missed_beats_changing_sleep_and_work_hours_are_found() {
    let mut dice = Dice(11);
    let missed = times(100.0, 20_000.0, || if dice.roll() < 0.2 { 120.0 } else { 60.0 });
    assert_eq!(keys(&play(calls(&missed))), [NAME], "missed beats");

    let mut changing = times(100.0, 7_300.0, || 60.0);
    changing.extend(times(7_305.0, 9_000.0, || 5.0));
    changing.extend(times(9_300.0, 40_000.0, || 300.0));
    let findings = play(calls(&changing));
    assert_eq!(keys(&findings), [NAME], "changing sleep");
    let latest = findings.last().unwrap();
    assert_eq!(latest.evidence["segments"], 3, "{latest:?}");
    assert!(latest.evidence["B"].as_f64().unwrap() > 0.85, "{latest:?}");

    let mut dice = Dice(13);
    let mut office = Vec::new();
    for day in [0.0, 1.0, 2.0, 3.0, 4.0, 7.0, 8.0] {
        let morning = day * DAY + 8.5 * 3_600.0;
        office.extend(times(morning, morning + 9.0 * 3_600.0, || 900.0 * dice.between(0.8, 1.0)));
    }
    let findings = play(calls(&office));
    assert_eq!(keys(&findings), [NAME], "work hours");
    let latest = findings.last().unwrap();
    assert!(latest.evidence["B"].as_f64().unwrap() > 0.9, "{latest:?}");
}

#[test]
fn beats_are_found_in_whatever_carries_them() {
    let period = || 60.0;
    let mut kept_alive = Rehearsal::new();
    let flow = kept_alive.open(100.0, HOST, SERVER, 80, Transport::TCP);
    for (depth, time) in (1..).zip(times(100.0, 1_780.0, period)) {
        kept_alive.record(time, &flow, http(depth, "c2.example.net:8080", "/beacon"));
    }

    let mut proxied = Rehearsal::new();
    for time in times(100.0, 1_780.0, period) {
        let flow = proxied.open(time, HOST, "10.0.0.80", 3_128, Transport::TCP);
        proxied.record(time, &flow, http(1, "c2.example.net", "http://c2.example.net/a"));
        proxied.end(time, 1.0, &flow, "SF", (300, 300));
    }

    let mut questions = Rehearsal::new();
    for (number, time) in times(100.0, 1_780.0, period).into_iter().enumerate() {
        let flow = questions.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        let name = format!("a{number}.stage.example.net");
        questions.record(time, &flow, dns(&name, "A", &["0.0.0.0"], 60));
    }

    let mut raw = Rehearsal::new();
    for time in times(100.0, 1_780.0, period) {
        let flow = raw.open(time, HOST, SERVER, 4_444, Transport::TCP);
        raw.end(time, 1.0, &flow, "SF", (300, 300));
    }

    let mut down = Rehearsal::new();
    for time in times(100.0, 1_780.0, || 10.0) {
        let flow = down.open(time, HOST, SERVER, 1_337, Transport::TCP);
        down.end(time, 0.1, &flow, "REJ", (0, 0));
    }

    let mut quiet = Rehearsal::new();
    let flow = quiet.open(100.0, HOST, SERVER, 9_999, Transport::TCP);
    for time in times(420.0, 3_000.0, || 30.0) {
        quiet.active(time, &flow, 17);
    }

    for (name, traffic, key) in [
        ("requests of one flow", kept_alive, "c2.example.net"),
        ("requests to a proxy", proxied, "c2.example.net"),
        ("questions", questions, "example.net (DNS)"),
        ("raw TCP", raw, "192.0.2.66 tcp/4444"),
        ("a server that is down", down, "192.0.2.66 tcp/1337"),
        ("signs of life", quiet, "192.0.2.66 tcp/9999"),
    ] {
        assert_eq!(keys(&play(traffic)), [key], "{name}");
    }
}

#[test]
fn what_keeps_no_time_stays_silent() {
    for seed in 1..=40 {
        let mut dice = Dice(seed);
        let mean = dice.between(60.0, 900.0);
        let memoryless = times(100.0, 3.0 * DAY, || dice.wait(mean));
        assert_eq!(keys(&play(calls(&memoryless))), [""; 0], "memoryless, seed {seed}");

        let mut dice = Dice(seed);
        let people = times(100.0, 5.0 * DAY, || 3.0 * (9.0 * dice.roll()).exp());
        assert_eq!(keys(&play(calls(&people))), [""; 0], "people, seed {seed}");
    }
}

#[test]
fn what_is_no_beat_stays_silent() {
    let period = || 60.0;
    let every_minute = || times(100.0, 7_200.0, period);

    let mut time_service = Rehearsal::new();
    let mut errors = Rehearsal::new();
    let mut inbound = Rehearsal::new();
    let mut internal = Rehearsal::new();
    let mut neighbours = Rehearsal::new();
    let mut expiry = Rehearsal::new();
    let mut repeated = Rehearsal::new();
    let mut nowhere = Rehearsal::new();
    let mut resolved = Rehearsal::new();
    let mut reverse = Rehearsal::new();
    for time in every_minute() {
        let flow = time_service.open(time, HOST, SERVER, 123, Transport::UDP);
        time_service.end(time, 1.0, &flow, "SF", (48, 48));

        let flow = errors.open(time, HOST, SERVER, 3, Transport::ICMP);
        errors.end(time, 1.0, &flow, "OTH", (48, 0));

        inbound.call(time, SERVER, HOST, NAME);
        internal.call(time, HOST, "10.0.0.9", "build.corp.example.com");
        let flow = neighbours.open(time, HOST, "239.255.255.250", 1_900, Transport::UDP);
        neighbours.end(time, 1.0, &flow, "S0", (100, 0));

        let flow = expiry.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        expiry.record(time, &flow, dns("api.example.net", "TXT", &["v=spf1"], 60));

        let flow = repeated.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        repeated.record(time, &flow, dns("api.example.net", "A", &["192.0.2.9"], 5));

        let flow = nowhere.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        nowhere.record(time, &flow, dns(&format!("pc{time}.example.net"), "A", &[], 5));

        let flow = reverse.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        reverse.record(time, &flow, dns("9.2.0.192.in-addr.arpa", "PTR", &["x.net"], 5));

        let flow = resolved.open(time, HOST, "10.0.0.53", 53, Transport::UDP);
        resolved.record(time, &flow, dns(NAME, "A", &[SERVER], 5));
        resolved.call(time + 0.5, HOST, SERVER, NAME);
    }
    for (name, traffic, expected) in [
        ("NTP", time_service, &[][..]),
        ("ICMP errors", errors, &[]),
        ("inbound", inbound, &[]),
        ("internal", internal, &[]),
        ("multicast", neighbours, &[]),
        ("an answer expires", expiry, &[]),
        ("an address is asked for again", repeated, &[]),
        ("no such name", nowhere, &[]),
        ("reverse look-ups", reverse, &[]),
        ("look-ups before connections", resolved, &[NAME]),
    ] {
        assert_eq!(keys(&play(traffic)), expected, "{name}");
    }
}

#[test]
fn rotating_names_in_one_network_are_one_beacon() {
    let mut dice = Dice(5);
    let mut traffic = Rehearsal::new();
    for time in times(100.0, 14_400.0, || 60.0) {
        let place = match dice.roll() {
            roll if roll < 0.25 => "a",
            roll if roll < 0.50 => "b",
            roll if roll < 0.75 => "c",
            _ => "d",
        };
        traffic.call(time, HOST, SERVER, &format!("{place}{place}.{place}-example.net"));
    }
    let keys = keys(&play(traffic));
    assert!(keys.iter().any(|key| key.starts_with("192.0.2.0/24")), "{keys:?}");
}

#[test]
fn circumstances_decide() {
    let week = 7.0 * DAY;
    let beats = |from: f64| times(from, from + 7_200.0, || 60.0);

    // Everybody goes there: one host's timing says nothing.
    let mut common = Rehearsal::new();
    common.populate(40, "192.0.2.1");
    for host in 1..=30 {
        for time in beats(200.0) {
            common.call(time + f64::from(host), &format!("10.0.7.{host}"), SERVER, NAME);
        }
    }
    assert_eq!(keys(&play(common)), [""; 0]);

    // One of forty goes to a server that came up this week, with a client of its own.
    let mut rare = Rehearsal::new();
    rare.populate(40, "192.0.2.1");
    for (host, time) in (0..).zip(beats(week + 200.0)) {
        let host = host % 40 + 1;
        let other = rare.open(time, &format!("10.0.7.{host}"), "192.0.2.1", 80, Transport::TCP);
        rare.end(time, 1.0, &other, "SF", (300, 300));
        let flow = rare.open(time, HOST, SERVER, 443, Transport::TCP);
        rare.record(time, &flow, tls(None, "t10d090000_0123456789ab_0123456789ab"));
        rare.end(time, 1.0, &flow, "SF", (300, 300));
    }
    let findings = play(rare);
    let latest = findings.last().unwrap();
    assert_eq!(latest.severity, crate::grade::Severity::MEDIUM);
    assert_eq!(latest.evidence["X"], 1.0);
    assert!((0.7..=0.85).contains(&latest.confidence), "{latest:?}");
}

#[test]
fn a_finding_says_its_figures_and_selects_its_rows() {
    let traffic = calls(&times(100.0, 1_000.0, || 60.0));
    let findings = play(traffic);
    let finding = findings.last().unwrap();
    assert_eq!(finding.title.escaped(), "10.0.0.5 calls cdn.updates-sync.com every 60.0 s");
    assert_eq!(
        finding.hunt,
        "SELECT * FROM flow WHERE src_ip = '10.0.0.5' AND dst_name = 'cdn.updates-sync.com' AND \
         ts BETWEEN TIMESTAMP '2024-12-30T00:01:40.000000Z' AND \
         TIMESTAMP '2024-12-30T00:16:40.000000Z'"
    );
    assert_eq!(finding.count, 16);
    assert!(finding.confidence <= 0.45, "timing alone: {}", finding.confidence);
    let text = finding.description.escaped();
    for word in ["16 beats over 15.0 min", "60.0 s at the median", "alerts from 0.85"] {
        assert!(text.contains(word), "{text}");
    }
}
