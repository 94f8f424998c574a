//! Logons with a remote desktop at every kind of time: each says whether it is one to be told of.
//!
//! In: a table of local times. Out: one desktop each, or several, and a label that is exact.
//! Working hours are workdays from 08:00 to 18:00 with half an hour of grace, five logons an hour.

use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::{Date, date};

use super::{Act, Campaign};
use crate::label::{Expectation, Kind, Label};
use crate::scene::Scene;
use crate::site::home;
use crate::speech::rdp::Logon;
use crate::world::World;

/// The calendars.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "rdp-calendar",
        shows: "logons on workdays, nights, holidays and made-up days in Asia/Shanghai",
        hours: 24 * 26,
        act: Act::Other(shanghai),
    },
    Campaign {
        name: "rdp-calendar-new-york",
        shows: "logons around the change of clocks in America/New_York",
        hours: 24 * 26,
        act: Act::Other(new_york),
    },
    Campaign {
        name: "rdp-calendar-berlin",
        shows: "logons around the change of clocks in Europe/Berlin",
        hours: 24 * 26,
        act: Act::Other(berlin),
    },
];

use Expectation::{Must, MustNot};

/// When: day, hour, minute; how many logons, some minutes apart; what should come of it.
struct Case {
    name: &'static str,
    day: Date,
    clock: (i8, i8),
    logons: u8,
    expect: Expectation,
}

const fn case(
    name: &'static str,
    day: Date,
    clock: (i8, i8),
    logons: u8,
    expect: Expectation,
) -> Case {
    Case { name, day, clock, logons, expect }
}

const SHANGHAI: &[Case] = &[
    case("workday", date(2026, 2, 26), (10, 0), 1, MustNot),
    case("workday-02:00", date(2026, 2, 26), (2, 0), 1, Must),
    case("first-minute", date(2026, 2, 26), (8, 0), 1, MustNot),
    case("festival", date(2026, 2, 23), (10, 0), 1, Must),
    case("made-up-saturday", date(2026, 2, 28), (10, 0), 1, MustNot),
    case("made-up-saturday-02:00", date(2026, 2, 28), (2, 0), 1, Must),
    case("saturday", date(2026, 3, 7), (10, 0), 1, Must),
    case("friday-18:29", date(2026, 2, 27), (18, 29), 1, MustNot),
    case("friday-18:31", date(2026, 2, 27), (18, 31), 1, Must),
    case("five-in-an-hour", date(2026, 2, 25), (14, 0), 5, MustNot),
    case("six-in-an-hour", date(2026, 2, 25), (14, 0), 6, Must),
];

const NEW_YORK: &[Case] = &[
    case("standard-time", date(2026, 3, 6), (8, 5), 1, MustNot),
    case("standard-time-18:45", date(2026, 3, 6), (18, 45), 1, Must),
    case("summer-time", date(2026, 3, 9), (8, 5), 1, MustNot),
    case("summer-time-18:20", date(2026, 3, 9), (18, 20), 1, MustNot),
    case("summer-time-18:45", date(2026, 3, 9), (18, 45), 1, Must),
    case("night-of-the-change", date(2026, 3, 8), (3, 30), 1, Must),
];

const BERLIN: &[Case] = &[
    case("standard-time", date(2026, 3, 27), (8, 5), 1, MustNot),
    case("summer-time", date(2026, 3, 30), (8, 5), 1, MustNot),
    case("summer-time-18:45", date(2026, 3, 30), (18, 45), 1, Must),
    case("night-of-the-change", date(2026, 3, 29), (3, 30), 1, Must),
];

/// The zone and first day that a calendar needs.
#[must_use]
pub(crate) fn place(name: &str) -> Option<(&'static str, Date)> {
    match name {
        "rdp-calendar" => Some(("Asia/Shanghai", date(2026, 2, 12))),
        "rdp-calendar-new-york" => Some(("America/New_York", date(2026, 3, 2))),
        "rdp-calendar-berlin" => Some(("Europe/Berlin", date(2026, 3, 16))),
        _ => None,
    }
}

fn shanghai(world: &mut World, family: &str, _: usize) {
    play(world, family, SHANGHAI);
    on_call(world, family);
}

fn new_york(world: &mut World, family: &str, _: usize) {
    play(world, family, NEW_YORK);
}

fn berlin(world: &mut World, family: &str, _: usize) {
    play(world, family, BERLIN);
}

/// Plays cases, each from a host of its own to a server of its own.
fn play(world: &mut World, family: &str, cases: &[Case]) {
    for (at, case) in (1u8..).zip(cases) {
        let (host, server) = (home(110, at), home(111, at));
        let label = Label::new(&format!("{family}:{}", case.name), 0, Kind::Login, host)
            .by(&["rdp_off_hours", "login_baseline"])
            .or_about([server])
            .stage("lateral_movement")
            .expect(case.expect);
        let label = world.scene.label(label);
        let first = world.site.at(case.day, case.clock.0, case.clock.1);
        for logon in 0..case.logons {
            let time = first.after(Duration::from_secs(9 * 60 * u64::from(logon)));
            world.scene.at(time, move |scene| {
                scene.beat(label);
                desktop(scene, host, server, &format!("operator{at}"));
            });
        }
    }
}

fn desktop(scene: &mut Scene, host: IpAddr, server: IpAddr, user: &str) {
    scene.remote_desktop(host, server, user, Logon::Desktop(Duration::from_secs(240)));
}

/// Someone who is on call and logs in at two each night, which an entry allows.
fn on_call(world: &mut World, family: &str) {
    let (host, server) = (home(110, 200), home(111, 200));
    let label = Label::new(&format!("{family}:on-call"), 0, Kind::Login, host)
        .by(&["rdp_off_hours", "login_baseline"])
        .or_about([server])
        .stage("lateral_movement")
        .expect(MustNot)
        .note("needs an entry that allows user zhang from this host at night");
    let label = world.scene.label(label);
    let days = date(2026, 2, 13).series(jiff::Span::new().days(1)).take(24);
    for day in days {
        let time = world.site.at(day, 2, 5);
        world.scene.at(time, move |scene| {
            scene.beat(label);
            desktop(scene, host, server, "zhang");
        });
    }
}
