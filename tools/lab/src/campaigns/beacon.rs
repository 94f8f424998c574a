//! Beacons: implants that ask their master for work, by the laws of known frameworks.
//!
//! In: a plan. Out: beats, each a connection, a request in one, a query or bytes in a connection
//! that stays, and one label a pair of host and destination. Cobalt Strike draws each sleep from
//! [(1−j)T, T], Empire from [(1−j)T, (1+j)T], Sliver adds up to 30 s, Merlin is 3 s off either way.

use std::net::SocketAddr;
use std::time::Duration;

use analyzers::{Direction, Timestamp};

use super::{Act, Campaign};
use crate::dice::{Dice, secs};
use crate::label::{Expectation, Kind, Label};
use crate::packet::{Frame, Payload};
use crate::scene::{Actor, LabelId, Scene};
use crate::site::Site;
use crate::speech::dns::{Answer, kind};
use crate::speech::tls::{self, Client, Exchange};
use crate::speech::{http, noise};
use crate::talk::Opening;
use crate::tcp::Tcp;
use crate::world::{Destination, Host, Hours, World};

/// A sleep: any length between these seconds.
#[derive(Clone, Copy, Debug)]
struct Sleep(f64, f64);

/// How an implant talks.
#[derive(Clone, Copy, Debug)]
enum Channel {
    /// A connection over TLS each time.
    Tls(&'static Client),
    /// A request each time, in one connection in the clear that stays.
    KeptAlive,
    /// A query each time.
    Dns,
    /// Some bytes each time, in one connection of its own protocol that stays.
    Raw,
    /// The master is gone.
    Down(Opening),
}

/// What an implant does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    channel: Channel,
    /// One after the other, each for a third of the time where there are several.
    sleeps: &'static [Sleep],
    /// Share of beats that do not come.
    missed: f64,
    /// Names it takes in turn.
    names: usize,
    /// Bytes that it may add to each request.
    padding: usize,
    /// Share of answers that are large.
    tasked: f64,
    office_hours: bool,
    expect: Expectation,
}

/// Cobalt Strike over HTTPS, as most plans are but for a few things.
const PLAIN: Plan = Plan {
    channel: Channel::Tls(&tls::SYSTEM),
    sleeps: &[Sleep(60.0, 60.0)],
    missed: 0.0,
    names: 1,
    padding: 0,
    tasked: 0.0,
    office_hours: false,
    expect: Expectation::Must,
};

const fn campaign(name: &'static str, hours: u32, shows: &'static str, plan: Plan) -> Campaign {
    Campaign { name, shows, hours, act: Act::Beacon(plan) }
}

const fn sleeping(sleeps: &'static [Sleep]) -> Plan {
    Plan { sleeps, ..PLAIN }
}

const fn by(channel: Channel, sleeps: &'static [Sleep]) -> Plan {
    Plan { channel, sleeps, ..PLAIN }
}

const MINUTE: &[Sleep] = &[Sleep(60.0, 60.0)];
const FEW: &[Sleep] = &[Sleep(54.0, 60.0)];

/// The beacons.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    campaign("beacon-60s", 2, "Cobalt Strike's default: each minute, no jitter", PLAIN),
    campaign("beacon-60s-j10", 2, "jitter 10 %", sleeping(FEW)),
    campaign("beacon-60s-j20", 2, "jitter 20 %", sleeping(&[Sleep(48.0, 60.0)])),
    campaign("beacon-60s-j37", 2, "jitter 37 %", sleeping(&[Sleep(37.8, 60.0)])),
    campaign("beacon-60s-j50", 2, "jitter 50 %", sleeping(&[Sleep(30.0, 60.0)])),
    campaign(
        "beacon-60s-j90",
        6,
        "jitter 90 %, which hardly is a period",
        Plan { expect: Expectation::Should, ..sleeping(&[Sleep(6.0, 60.0)]) },
    ),
    campaign("beacon-300s-j30", 6, "five minutes", sleeping(&[Sleep(210.0, 300.0)])),
    campaign("beacon-900s-j25", 12, "a quarter of an hour", sleeping(&[Sleep(675.0, 900.0)])),
    campaign("beacon-3600s-j20", 48, "an hour", sleeping(&[Sleep(2_880.0, 3_600.0)])),
    campaign(
        "beacon-14400s-j10",
        72,
        "four hours",
        Plan { expect: Expectation::Should, ..sleeping(&[Sleep(12_960.0, 14_400.0)]) },
    ),
    campaign("beacon-empire-5s", 1, "Empire's default", sleeping(&[Sleep(5.0, 5.0)])),
    campaign("beacon-empire-5s-j20", 1, "two-sided jitter", sleeping(&[Sleep(4.0, 6.0)])),
    campaign("beacon-empire-60s-j50", 2, "±50 %", sleeping(&[Sleep(30.0, 90.0)])),
    campaign(
        "beacon-sliver",
        2,
        "Sliver's default: a minute and up to half of one",
        by(Channel::Tls(&tls::GO), &[Sleep(60.0, 90.0)]),
    ),
    campaign(
        "beacon-merlin",
        2,
        "Merlin's default: 30 s ± 3 s, with up to 4 KiB of padding",
        Plan { padding: 4_096, ..by(Channel::Tls(&tls::GO), &[Sleep(27.0, 33.0)]) },
    ),
    campaign("beacon-dns", 2, "a query each minute", by(Channel::Dns, &[Sleep(54.0, 66.0)])),
    campaign(
        "beacon-kept-alive",
        2,
        "requests in the clear in one connection",
        by(Channel::KeptAlive, &[Sleep(48.0, 60.0)]),
    ),
    campaign(
        "beacon-tcp",
        3,
        "a remote access trojan in one connection, alive each 10 to 60 s",
        by(Channel::Raw, &[Sleep(27.0, 33.0)]),
    ),
    campaign(
        "beacon-missed-5",
        2,
        "one beat in 20 is missing",
        Plan { missed: 0.05, ..sleeping(FEW) },
    ),
    campaign("beacon-missed-20", 2, "one in five", Plan { missed: 0.2, ..sleeping(FEW) }),
    campaign("beacon-missed-40", 3, "two in five", Plan { missed: 0.4, ..sleeping(FEW) }),
    campaign(
        "beacon-office-hours",
        20,
        "while the host's user is there",
        Plan { office_hours: true, ..sleeping(FEW) },
    ),
    campaign(
        "beacon-sleep-change",
        6,
        "60 s, then 5 s, then 300 s",
        sleeping(&[Sleep(54.0, 60.0), Sleep(4.5, 5.0), Sleep(270.0, 300.0)]),
    ),
    campaign("beacon-rotation", 3, "three names in turn", Plan { names: 3, ..sleeping(FEW) }),
    campaign(
        "beacon-down",
        2,
        "the master does not answer",
        by(Channel::Down(Opening::Unanswered(2)), MINUTE),
    ),
    campaign(
        "beacon-refused",
        2,
        "the master's host refuses, asked each 3.5 s",
        by(Channel::Down(Opening::Refused), &[Sleep(3.4, 3.6)]),
    ),
    campaign(
        "beacon-tasking",
        2,
        "one answer in 100 is large",
        Plan { tasked: 0.01, ..sleeping(FEW) },
    ),
];

/// An implant at work.
struct Implant {
    host: Host,
    site: Site,
    plan: Plan,
    places: Vec<Destination>,
    label: LabelId,
    dice: Dice,
    began: Timestamp,
    beats: usize,
    /// The connection that stays.
    connection: Option<Tcp>,
}

/// An implant starts on a host.
pub(super) fn enter(world: &mut World, family: &str, replicate: usize, plan: Plan) {
    let mut host = world.victim();
    if plan.office_hours {
        host.user = Hours::Office(8 * 60 + 40, 18 * 60 + 10);
        host.power = host.user;
        world.keep(host);
    }
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let places: Vec<Destination> =
        (0..plan.names).map(|_| place(plan.channel, &mut dice)).collect();
    let label = Label::new(family, replicate, Kind::Beacon, host.ip)
        .by(&["beacon", "long_connection", "dns_tunnel"])
        .stage("command_and_control")
        .expect(plan.expect);
    let keys = places.iter().flat_map(Destination::keys);
    let label = world.scene.label(keys.fold(label, Label::to));
    let (site, began) = (world.site.clone(), world.early(0.1, &mut dice));
    let implant =
        Implant { host, site, plan, places, label, dice, began, beats: 0, connection: None };
    world.scene.enter(began, implant);
}

/// Where the master is: a name that sounds like a service, or an address.
fn place(channel: Channel, dice: &mut Dice) -> Destination {
    const WORDS: [&str; 8] = ["cdn", "sync", "static", "metrics", "update", "edge", "img", "api"];
    let name = format!("{}-{:05x}.test", dice.one(&WORDS), dice.below(1 << 20));
    match channel {
        Channel::Raw | Channel::Down(_) => Destination::bare(&name, 7_084),
        Channel::KeptAlive => Destination::named(&name, 80),
        Channel::Tls(_) | Channel::Dns => Destination::named(&name, 443),
    }
}

impl Actor for Implant {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        let Sleep(low, high) = self.sleep(scene);
        let next = scene.now().after(secs(self.dice.uniform(low, high)));
        if self.plan.office_hours && !self.host.power.contain(scene.now(), &self.site) {
            return Some(scene.now().after(Duration::from_secs(600)));
        }
        if self.beats > 0 && self.dice.happens(self.plan.missed) {
            return Some(next);
        }
        self.beats += 1;
        scene.beat(self.label);
        self.speak(scene);
        Some(next)
    }
}

impl Implant {
    /// How it sleeps now.
    fn sleep(&self, scene: &Scene) -> Sleep {
        let sleeps = self.plan.sleeps;
        let whole = scene.end().since(self.began).as_secs_f64();
        let share = scene.now().since(self.began).as_secs_f64() / whole.max(1.0);
        let each = 1.0 / f64::from(u32::try_from(sleeps.len()).expect("few sleeps"));
        let at = (1..sleeps.len())
            .take_while(|&at| share >= each * f64::from(u32::try_from(at).expect("few sleeps")));
        sleeps[at.count()]
    }

    fn speak(&mut self, scene: &mut Scene) {
        let to = self.places[self.beats % self.places.len()].clone();
        match self.plan.channel {
            Channel::Tls(client) => self.ask_over_tls(scene, &to, client),
            Channel::Dns => self.ask_by_name(scene, &to),
            Channel::KeptAlive => self.ask_again(scene, &to),
            Channel::Raw => self.stay(scene, to.address),
            Channel::Down(opening) => scene.knock(self.host.ip, to.address, opening),
        }
    }

    fn ask_over_tls(&mut self, scene: &mut Scene, to: &Destination, client: &Client) {
        let tasked = self.dice.happens(self.plan.tasked);
        let exchange = Exchange {
            request: 320 + self.dice.between(0, self.plan.padding),
            answer: if tasked { 60_000 } else { 180 },
            thinking: Duration::from_millis(15),
        };
        scene.https(self.host.ip, to, client, exchange);
    }

    fn ask_by_name(&mut self, scene: &mut Scene, to: &Destination) {
        /// Seconds: nobody shall remember it until the next beat.
        const TTL: u32 = 1;
        let zone = to.name.as_deref().unwrap_or_default();
        let name = format!("{:04x}{:06x}.{zone}", self.beats, self.dice.below(1 << 24));
        let answer = Answer::Addresses(vec![std::net::Ipv4Addr::UNSPECIFIED.into()], TTL);
        scene.ask(self.host.ip, &name, kind::A, Some(&answer));
    }

    fn ask_again(&mut self, scene: &mut Scene, to: &Destination) {
        let request = http::Request {
            method: "POST",
            target: "/beacon",
            host: to.name.as_deref().unwrap_or_default(),
            user_agent: "Go-http-client/1.1",
            body: 96 + self.dice.between(0, 8),
        };
        let answer = http::response("200 OK", "application/octet-stream", 24);
        self.exchange(scene, to, &request.bytes(), &answer);
    }

    fn stay(&mut self, scene: &mut Scene, address: SocketAddr) {
        let to = Destination { name: None, address };
        let question = [&b"\x0d\xf0\xad\x0b"[..], &noise(28)].concat();
        self.exchange(scene, &to, &question, &noise(16));
    }

    /// Question and answer in the connection that stays, which is opened when it is not there.
    fn exchange(&mut self, scene: &mut Scene, to: &Destination, asks: &[u8], answers: &[u8]) {
        let mut frames: Vec<Frame> = Vec::new();
        let mut time = scene.now();
        if self.connection.is_none() {
            time = scene.find(self.host.ip, to);
            let ends = scene.ends(self.host.ip, to.address);
            let rtt = scene.rtt(crate::errands::FAR);
            let mut connection = Tcp::new(ends, rtt, &mut self.dice);
            time = connection.handshake(time, &mut frames);
            self.connection = Some(connection);
        }
        if let Some(tcp) = &mut self.connection {
            time = tcp.say(time, Direction::SrcToDst, Payload::from(asks), &mut frames);
            time = time.after(tcp.rtt());
            time = tcp.say(time, Direction::DstToSrc, Payload::from(answers), &mut frames);
            let late = time.after(Duration::from_millis(40));
            tcp.acknowledge(late, Direction::SrcToDst, &mut frames);
        }
        scene.frames(frames);
    }
}
