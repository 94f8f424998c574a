//! Names that are made up: by algorithms that look for their master, and as a carrier of data.
//!
//! In: a world. Out: queries, and one label a host (generated names) or a host and zone (tunnels).

use std::net::IpAddr;
use std::time::Duration;

use analyzers::Timestamp;

use super::{Act, Campaign};
use crate::dice::{Dice, secs};
use crate::label::{Kind, Label};
use crate::scene::{Actor, LabelId, Scene};
use crate::speech::dns::{Answer, kind};
use crate::speech::tls::{self, Exchange};
use crate::world::{Destination, World};

/// The campaigns.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "dga",
        shows: "names of an algorithm, of which the last one resolves and is contacted",
        hours: 1,
        act: Act::Other(generated),
    },
    Campaign {
        name: "tunnel-null",
        shows: "a tunnel like iodine's: unique NULL queries, several a second",
        hours: 1,
        act: Act::Other(|world, family, replicate| {
            tunnel(
                world,
                family,
                replicate,
                Tunnel { kind: kind::NULL, gap: 0.11, queries: 2_000 },
            );
        }),
    },
    Campaign {
        name: "tunnel-txt",
        shows: "a tunnel like dnscat2's: TXT queries, one a second",
        hours: 1,
        act: Act::Other(|world, family, replicate| {
            tunnel(world, family, replicate, Tunnel { kind: kind::TXT, gap: 1.0, queries: 900 });
        }),
    },
    Campaign {
        name: "tunnel-slow",
        shows: "TXT queries, one in 30 seconds",
        hours: 4,
        act: Act::Other(|world, family, replicate| {
            tunnel(world, family, replicate, Tunnel { kind: kind::TXT, gap: 30.0, queries: 9_999 });
        }),
    },
];

/// Letters that an algorithm or an encoding draws from.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const BASE_32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

fn word(letters: &[u8], length: usize, dice: &mut Dice) -> String {
    (0..length).map(|_| char::from(*dice.one(letters))).collect()
}

/// Looks for its master.
struct Generator {
    host: IpAddr,
    label: LabelId,
    dice: Dice,
    left: usize,
}

fn generated(world: &mut World, family: &str, replicate: usize) {
    let host = world.victim().ip;
    let label =
        Label::new(family, replicate, Kind::Dns, host).by(&["dga"]).stage("command_and_control");
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let (label, start) = (world.scene.label(label), world.early(0.5, &mut dice));
    let left = dice.between(25, 60);
    world.scene.enter(start, Generator { host, label, dice, left });
}

impl Actor for Generator {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        let length = self.dice.between(12, 19);
        let top = *self.dice.one(&["com", "net", "org", "biz", "info"]);
        let name = format!("{}.{top}", word(LETTERS, length, &mut self.dice));
        scene.beat(self.label);
        if self.left == 0 {
            let exchange =
                Exchange { request: 300, answer: 900, thinking: Duration::from_millis(30) };
            scene.https(self.host, &Destination::named(&name, 443), &tls::GO, exchange);
            return None;
        }
        self.left -= 1;
        scene.ask(self.host, &name, kind::A, Some(&Answer::NoSuchName));
        Some(scene.now().after(secs(self.dice.uniform(0.3, 3.0))))
    }
}

/// A way to carry data in queries.
#[derive(Clone, Copy, Debug)]
struct Tunnel {
    kind: u16,
    /// Seconds from one query to the next, on average.
    gap: f64,
    queries: usize,
}

struct Carrier {
    host: IpAddr,
    zone: String,
    tunnel: Tunnel,
    label: LabelId,
    dice: Dice,
}

fn tunnel(world: &mut World, family: &str, replicate: usize, tunnel: Tunnel) {
    let host = world.victim().ip;
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let zone = format!("t{:04x}.test", dice.below(1 << 16));
    let label = Label::new(family, replicate, Kind::Dns, host)
        .by(&["dns_tunnel", "beacon"])
        .stage("command_and_control")
        .to(zone.clone());
    let (label, start) = (world.scene.label(label), world.early(0.3, &mut dice));
    world.scene.enter(start, Carrier { host, zone, tunnel, label, dice });
}

impl Actor for Carrier {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        /// Seconds: what was said once is not said again.
        const TTL: u32 = 0;
        let data = word(BASE_32, 48, &mut self.dice);
        let name = format!("{}{:04x}.{}", data, self.tunnel.queries, self.zone);
        let bytes = word(BASE_32, 120, &mut self.dice).into_bytes();
        let answer = match self.tunnel.kind {
            kind::NULL => Answer::Null(bytes, TTL),
            _ => Answer::Text(bytes, TTL),
        };
        scene.beat(self.label);
        scene.ask(self.host, &name, self.tunnel.kind, Some(&answer));
        self.tunnel.queries = self.tunnel.queries.checked_sub(1)?;
        let gap = self.dice.uniform(0.5 * self.tunnel.gap, 1.5 * self.tunnel.gap);
        Some(scene.now().after(secs(gap)))
    }
}
