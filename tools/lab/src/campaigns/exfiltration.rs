//! Data that leaves: much of it at once, or some each day.
//!
//! In: a world. Out: uploads whose payload is declared rather than written, and one label a host
//! and destination.

use std::net::IpAddr;
use std::time::Duration;

use analyzers::Direction;

use super::{Act, Campaign};
use crate::label::{Expectation, Kind, Label};
use crate::scene::Scene;
use crate::speech::tls;
use crate::world::{Destination, World};

/// The campaigns.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "exfil-fast",
        shows: "200 MB to a place where nobody went",
        hours: 2,
        act: Act::Other(fast),
    },
    Campaign {
        name: "exfil-slow",
        shows: "20 MB a day to a place where nobody went",
        hours: 72,
        act: Act::Other(slow),
    },
];

const MEGABYTE: usize = 1_000_000;

fn fast(world: &mut World, family: &str, replicate: usize) {
    enter(world, family, replicate, Expectation::Must, &[200]);
}

fn slow(world: &mut World, family: &str, replicate: usize) {
    enter(world, family, replicate, Expectation::Should, &[20; 14]);
}

/// Uploads of so many megabytes, a day apart.
fn enter(world: &mut World, family: &str, replicate: usize, expect: Expectation, days: &[usize]) {
    let host = world.victim().ip;
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let to = Destination::named(&format!("share-{:05x}.test", dice.below(1 << 20)), 443);
    let label = Label::new(family, replicate, Kind::Exfiltration, host)
        .by(&["exfil_volume"])
        .stage("exfiltration")
        .expect(expect);
    let label = world.scene.label(to.keys().into_iter().fold(label, Label::to));
    let start = world.early(0.2, &mut dice);
    for (day, megabytes) in (0u64..).zip(days.iter().copied()) {
        let to = to.clone();
        world.scene.at(start.after(Duration::from_secs(86_400 * day)), move |scene| {
            scene.beat(label);
            upload(scene, host, &to, megabytes);
        });
    }
}

/// Turns of a megabyte, of which the capture holds the first bytes of each segment.
pub(super) fn upload(scene: &mut Scene, host: IpAddr, to: &Destination, megabytes: usize) {
    let start = scene.find(host, to);
    let talk = scene.call(host, to.address);
    let soon = Duration::from_millis(2);
    let hello = tls::OPENSSL.hello(to.name.as_deref(), scene.dice());
    let flight = tls::server_flight(900, scene.dice());
    let mut talk = talk.asks(soon, hello).answers(soon, flight).asks(soon, tls::client_finish());
    for _ in 0..megabytes {
        let record = tls::record(23, 0x0303, &[0x5a; 64]);
        let beyond = MEGABYTE - record.len();
        talk = talk.says(Direction::SrcToDst, Duration::from_millis(80), record, beyond);
        talk = talk.answers(soon, tls::data(40));
    }
    scene.talk(start, talk);
}
