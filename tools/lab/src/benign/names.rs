//! Names that look made up and are not meant so: block lists, hashes, a CDN, search suffixes.

use std::net::IpAddr;

use analyzers::Timestamp;

use super::harmless;
use crate::dice::{Dice, secs};
use crate::label::Kind;
use crate::scene::{Actor, LabelId, Scene};
use crate::site::home;
use crate::speech::dns::{Answer, kind};
use crate::world::{World, internet};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Names {
    /// Addresses of senders, backwards.
    BlockList,
    /// Hashes of files.
    Hashes,
    /// Files of a CDN.
    Cdn,
    /// A short name under each suffix of a list.
    Suffixes,
}

struct Asking {
    host: IpAddr,
    names: Names,
    mean: f64,
    label: LabelId,
    dice: Dice,
}

/// All of it.
pub(super) fn enter(world: &mut World) {
    const MAIL: IpAddr = home(0, 25);
    ask(world, MAIL, Names::BlockList, "dnsbl.test", 8.0);
    for host in world.hosts.clone().into_iter().step_by(2) {
        ask(world, host.ip, Names::Hashes, "reputation.test", 240.0);
    }
    for host in world.hosts.clone().into_iter().step_by(3) {
        ask(world, host.ip, Names::Cdn, "cdn-files.test", 90.0);
    }
    for host in world.hosts.clone().into_iter().step_by(4) {
        ask(world, host.ip, Names::Suffixes, "", 300.0);
    }
}

fn ask(world: &mut World, host: IpAddr, names: Names, zone: &str, mean: f64) {
    let family = format!("{names:?}").to_lowercase();
    let label = harmless(&family, Kind::Dns, host, &["dga", "dns_tunnel", "beacon"]);
    let label = if zone.is_empty() { label } else { label.to(zone) };
    let label = world.scene.label(label);
    let mut dice = world.dice(&format!("{family} {host}"));
    let start = world.start().after(secs(dice.uniform(0.0, mean)));
    world.scene.enter(start, Asking { host, names, mean, label, dice });
}

impl Actor for Asking {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        const TTL: u32 = 300;
        scene.beat(self.label);
        let dice = &mut self.dice;
        let some = |name: &str| Answer::Addresses(vec![internet(name)], TTL);
        let listed: Answer = Answer::Addresses(vec![IpAddr::from([127, 0, 0, 2])], TTL);
        let (name, answer) = match self.names {
            Names::BlockList => {
                let [a, b, c, d] = dice.word().to_be_bytes();
                let answer = if dice.happens(0.2) { listed } else { Answer::NoSuchName };
                (format!("{a}.{b}.{c}.{d}.zen.dnsbl.test"), answer)
            }
            Names::Hashes => {
                let name = format!("{:016x}{:08x}.f.reputation.test", dice.number(), dice.word());
                (name, listed)
            }
            Names::Cdn => {
                let name = format!("e{}.g.cdn-files.test", dice.below(5_000));
                let answer = some(&name);
                (name, answer)
            }
            Names::Suffixes => {
                const SUFFIXES: [&str; 4] = ["lab.test", "corp.lab.test", "old.test", "lan.test"];
                let name = format!("fileserver.{}", dice.one(&SUFFIXES));
                (name, Answer::NoSuchName)
            }
        };
        scene.ask(self.host, &name, kind::A, Some(&answer));
        Some(scene.now().after(secs(self.dice.exponential(self.mean))))
    }
}
