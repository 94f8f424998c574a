//! Programs that ask by the clock: what is on most hosts, what is on one to five, and 40 that ask
//! without memory.
//!
//! They are what a beacon must be told from; each pair has a label by its kind, so that false
//! alerts can be counted by it.

use std::time::Duration;

use analyzers::Timestamp;

use super::harmless;
use crate::dice::{Dice, secs};
use crate::label::{Kind, Label};
use crate::scene::{Actor, LabelId, Scene};
use crate::site::Site;
use crate::speech::tls::{self, Client, Exchange};
use crate::world::{Destination, Host, World};

/// How far a program is off its period.
#[derive(Clone, Copy, Debug)]
enum Spread {
    /// By a share of it, either way, every length as likely.
    Even(f64),
    /// By a share of it, normally.
    Normal(f64),
    /// It has no memory: the period is a mean.
    None,
}

/// What it speaks.
#[derive(Clone, Copy, Debug)]
enum Speech {
    Tls(&'static Client),
    Ntp,
}

/// A program.
#[derive(Clone, Copy, Debug)]
struct Program {
    name: &'static str,
    /// Seconds.
    period: f64,
    spread: Spread,
    speech: Speech,
    /// Bytes of a request, and how many more it may have.
    request: (usize, usize),
}

const fn program(
    name: &'static str,
    period: f64,
    spread: Spread,
    client: &'static Client,
) -> Program {
    Program { name, period, spread, speech: Speech::Tls(client), request: (350, 40) }
}

const fn clock(name: &'static str, period: f64) -> Program {
    let spread = Spread::Even(0.005);
    Program { name, period, spread, speech: Speech::Ntp, request: (48, 0) }
}

/// Programs of most hosts, with the share that has them.
const POPULAR: [(f64, Program); 11] = [
    (0.95, program("os-update", 14_400.0, Spread::Even(0.2), &tls::SYSTEM)),
    (0.90, program("telemetry", 900.0, Spread::Even(0.1), &tls::SYSTEM)),
    (0.80, program("chat", 60.0, Spread::Normal(0.02), &tls::BROWSER)),
    (0.50, program("chat-poll", 30.0, Spread::Even(0.1), &tls::BROWSER)),
    (0.85, program("mail", 300.0, Spread::Even(0.01), &tls::SYSTEM)),
    (0.95, clock("ntp", 1_024.0)),
    (0.30, clock("ntp-fast", 64.0)),
    (0.90, program("edr", 60.0, Spread::Even(0.08), &tls::GO)),
    (0.80, program("safe-browsing", 1_800.0, Spread::Even(0.15), &tls::BROWSER)),
    (0.60, program("push", 240.0, Spread::Even(0.02), &tls::SYSTEM)),
    (0.50, program("ads", 45.0, Spread::Even(0.4), &tls::BROWSER)),
];

/// Programs of one to five hosts.
const RARE: [Program; 12] = [
    program("monitoring", 60.0, Spread::Even(0.0), &tls::OPENSSL),
    program("ticker", 5.0, Spread::Even(0.02), &tls::BROWSER),
    program("iot", 30.0, Spread::Even(0.2), &tls::OPENSSL),
    program("rss", 600.0, Spread::Even(0.02), &tls::OPENSSL),
    program("saas-tab", 20.0, Spread::Even(0.05), &tls::BROWSER),
    program("ci", 30.0, Spread::Even(0.02), &tls::GO),
    program("backup", 21_600.0, Spread::Even(0.01), &tls::GO),
    program("licence", 7_200.0, Spread::Even(0.01), &tls::SYSTEM),
    program("vpn-probe", 10.0, Spread::Even(0.05), &tls::OPENSSL),
    program("game", 90.0, Spread::Even(0.3), &tls::OPENSSL),
    program("weather", 3_600.0, Spread::Even(0.01), &tls::SYSTEM),
    program("printer", 300.0, Spread::Even(0.01), &tls::OPENSSL),
];

/// Programs without memory.
const POLLERS: usize = 40;

struct Running {
    host: Host,
    site: Site,
    program: Program,
    to: Destination,
    label: LabelId,
    dice: Dice,
}

/// Installs all of them.
pub(super) fn enter(world: &mut World) {
    for (share, program) in POPULAR {
        let mut dice = world.dice(program.name);
        for host in world.hosts.clone() {
            if dice.happens(share) {
                install(world, host, program, "popular", destination(program.name, program.speech));
            }
        }
    }
    for program in RARE {
        let mut dice = world.dice(program.name);
        let count = dice.between(1, 5);
        for at in dice.sample(world.hosts.len(), count) {
            let host = world.hosts[at];
            install(world, host, program, "rare", destination(program.name, program.speech));
        }
    }
    let mut dice = world.dice("pollers");
    for at in 0..POLLERS.min(world.hosts.len()) {
        let host = *dice.one(&world.hosts);
        let mean = dice.uniform(60.0, 900.0);
        let program = program("poller", mean, Spread::None, &tls::OPENSSL);
        let to = destination(&format!("poller{at:02}"), program.speech);
        install(world, host, program, "memoryless", to);
    }
}

fn destination(name: &str, speech: Speech) -> Destination {
    let port = match speech {
        Speech::Tls(_) => 443,
        Speech::Ntp => 123,
    };
    // A domain of its own: what a sensor knows of one must not be known of the others.
    Destination::named(&format!("api.{name}-service.test"), port)
}

fn install(world: &mut World, host: Host, program: Program, class: &str, to: Destination) {
    let mut dice = world.dice(&format!("{} {}", to.address, host.ip));
    let family = format!("{class}:{}", program.name);
    let label = harmless(&family, Kind::Beacon, host.ip, &["beacon", "long_connection", "strobe"]);
    let label = to.keys().into_iter().fold(label, Label::to);
    let label = world.scene.label(label.to(format!("{}/udp", to.address)));
    let start = world.start().after(secs(dice.uniform(0.0, program.period)));
    let site = world.site.clone();
    world.scene.enter(start, Running { host, site, program, to, label, dice });
}

impl Actor for Running {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        let Program { period, spread, speech, request: (request, more), .. } = self.program;
        let gap = match spread {
            Spread::Even(share) => period * self.dice.uniform(1.0 - share, 1.0 + share),
            Spread::Normal(share) => period * (1.0 + share * self.dice.normal()),
            Spread::None => self.dice.exponential(period),
        };
        let next = scene.now().after(secs(gap.max(0.05)));
        if !self.host.power.contain(scene.now(), &self.site) {
            // Hosts that are off are looked at again now and then, not at every period.
            return Some(next.max(scene.now().after(secs(self.dice.uniform(200.0, 400.0)))));
        }
        scene.beat(self.label);
        let exchange = Exchange {
            request: request + self.dice.between(0, more),
            answer: 300,
            thinking: Duration::from_millis(12),
        };
        match speech {
            Speech::Tls(client) => scene.https(self.host.ip, &self.to, client, exchange),
            Speech::Ntp => scene.ask_time(self.host.ip, &self.to),
        }
        Some(next)
    }
}
