//! Scans: looking for hosts and ports, fast and very slow, and worms.
//!
//! In: a plan. Out: first packets to many places in random order, and one label a source.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;

use super::{Act, Campaign};
use crate::dice::{Dice, secs};
use crate::label::{Kind, Label};
use crate::scene::{Actor, LabelId, Scene};
use crate::site::{home, servers};
use crate::speech::dns::{Answer, kind};
use crate::talk::Opening;
use crate::world::World;

/// Where a scan goes.
#[derive(Clone, Copy, Debug)]
enum Targets {
    /// Hosts of the site, this port.
    Site(u16),
    /// Ports of one server.
    Ports,
    /// Anywhere, ports 23 and 2323 as 9 to 1.
    Internet,
    /// The neighbours, then anywhere, port 445, after a look at the kill switch.
    Worm,
    /// One address that nobody uses.
    Canary,
}

/// What a scan does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    targets: Targets,
    /// Seconds from one to the next, between these.
    gap: (f64, f64),
    /// Probes in all; as many as the time allows where there are more.
    probes: usize,
}

const fn campaign(
    name: &'static str,
    hours: u32,
    shows: &'static str,
    targets: Targets,
    gap: (f64, f64),
    probes: usize,
) -> Campaign {
    Campaign { name, shows, hours, act: Act::Scan(Plan { targets, gap, probes }) }
}

/// The scans.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    campaign("scan-445", 1, "a /24 at five hosts a second", Targets::Site(445), (0.15, 0.25), 250),
    campaign(
        "scan-445-slow",
        8,
        "a probe each ten minutes, in random order, one target in five alive",
        Targets::Site(445),
        (540.0, 660.0),
        200,
    ),
    campaign(
        "scan-445-2h",
        30,
        "a probe each two hours",
        Targets::Site(445),
        (6_600.0, 7_800.0),
        60,
    ),
    campaign(
        "scan-3389",
        1,
        "remote desktops, one a second",
        Targets::Site(3_389),
        (0.8, 1.2),
        200,
    ),
    campaign("scan-22-slow", 10, "SSH, each ten minutes", Targets::Site(22), (540.0, 660.0), 200),
    campaign("scan-vertical", 1, "300 ports of a server", Targets::Ports, (0.2, 0.6), 300),
    campaign(
        "scan-vertical-slow",
        24,
        "a port each 15 minutes",
        Targets::Ports,
        (800.0, 1_000.0),
        200,
    ),
    campaign(
        "scan-mirai",
        1,
        "160 SYN a second to ports 23 and 2323 of anyone",
        Targets::Internet,
        (0.003, 0.0095),
        9_600,
    ),
    campaign("scan-wannacry", 1, "a worm on port 445", Targets::Worm, (0.02, 0.2), 1_500),
    campaign("canary", 1, "one connection to a decoy", Targets::Canary, (1.0, 1.0), 1),
];

struct Scan {
    host: IpAddr,
    plan: Plan,
    /// What is left, the next one last.
    left: Vec<SocketAddr>,
    label: LabelId,
    dice: Dice,
    /// Whether a worm has looked at its kill switch.
    has_asked: bool,
}

/// A scan starts from a host.
pub(super) fn enter(world: &mut World, family: &str, replicate: usize, plan: Plan) {
    let host = world.victim().ip;
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let label = Label::new(family, replicate, Kind::Scan, host);
    let label = match plan.targets {
        Targets::Canary => label
            .by(&["canary"])
            .stage("discovery")
            .to(servers::CANARY.to_string())
            .note("the decoy has to be in the configuration"),
        Targets::Ports => label.by(&["port_scan"]).stage("discovery"),
        Targets::Site(445) | Targets::Worm => {
            label.by(&["smb_scan", "net_scan"]).stage("discovery")
        }
        Targets::Site(_) | Targets::Internet => label.by(&["net_scan"]).stage("discovery"),
    };
    let label = world.scene.label(label);
    let left = targets(&plan, host, &mut dice);
    let start = world.early(0.08, &mut dice);
    world.scene.enter(start, Scan { host, plan, left, label, dice, has_asked: false });
}

fn targets(plan: &Plan, host: IpAddr, dice: &mut Dice) -> Vec<SocketAddr> {
    match plan.targets {
        Targets::Site(port) => {
            let all = (1..=8u8).flat_map(|subnet| (1..=250u8).map(move |at| home(subnet, at)));
            let all: Vec<IpAddr> = all.filter(|ip| *ip != host).collect();
            let order = dice.sample(all.len(), plan.probes);
            order.into_iter().map(|at| SocketAddr::new(all[at], port)).collect()
        }
        Targets::Ports => {
            let order = dice.sample(1_024, plan.probes);
            let port = |at: usize| u16::try_from(at + 1).expect("a port");
            order.into_iter().map(|at| SocketAddr::new(servers::FILES, port(at))).collect()
        }
        Targets::Internet => (0..plan.probes)
            .map(|_| {
                let port = if dice.happens(0.1) { 2_323 } else { 23 };
                SocketAddr::new(anywhere(dice), port)
            })
            .collect(),
        Targets::Worm => worm(plan.probes, host, dice),
        Targets::Canary => vec![SocketAddr::new(servers::CANARY, 445)],
    }
}

/// Two of five go to the own /24, the others anywhere.
fn worm(probes: usize, host: IpAddr, dice: &mut Dice) -> Vec<SocketAddr> {
    let IpAddr::V4(own) = host else { return Vec::new() };
    let [a, b, c, _] = own.octets();
    let mut neighbours: Vec<u8> = (1..=254).collect();
    let mut next = || {
        let near = dice.happens(0.4).then(|| {
            let at = dice.below(neighbours.len());
            (!neighbours.is_empty()).then(|| neighbours.swap_remove(at))
        });
        let ip = match near.flatten() {
            Some(d) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            None => anywhere(dice),
        };
        SocketAddr::new(ip, 445)
    };
    (0..probes).map(|_| next()).filter(|to| to.ip() != host).collect()
}

/// A public address.
fn anywhere(dice: &mut Dice) -> IpAddr {
    loop {
        let [a, b, c, d] = dice.word().to_be_bytes();
        let ip = Ipv4Addr::new(a, b, c, d);
        let special = matches!(a, 0 | 10 | 100 | 127 | 169 | 172 | 192 | 198 | 224..);
        if !special {
            return ip.into();
        }
    }
}

impl Actor for Scan {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        let to = self.left.pop()?;
        if matches!(self.plan.targets, Targets::Worm) && !self.has_asked {
            self.has_asked = true;
            scene.ask(self.host, KILL_SWITCH, kind::A, Some(&Answer::NoSuchName));
        }
        scene.beat(self.label);
        probe(scene, self.host, to, &mut self.dice);
        let (low, high) = self.plan.gap;
        Some(scene.now().after(secs(self.dice.uniform(low, high))))
    }
}

/// The name that stopped WannaCry, under a top-level domain of ours.
const KILL_SWITCH: &str = "iuqerfsodp9ifjaposdfjhgosurijfaewrwergwea.test";

/// One probe: a fifth of the targets live, and half of those listen.
fn probe(scene: &mut Scene, host: IpAddr, to: SocketAddr, dice: &mut Dice) {
    let lives = dice.happens(0.2);
    let opening = match (lives, dice.happens(0.5)) {
        (false, _) => Opening::Unanswered(1),
        (true, false) => Opening::Refused,
        (true, true) => Opening::Handshake,
    };
    let listens = opening == Opening::Handshake;
    if listens && to.port() == 445 {
        let session = scene.files(host, to.ip(), Duration::from_millis(2));
        return scene.play_files(session);
    }
    scene.knock(host, to, opening);
}
