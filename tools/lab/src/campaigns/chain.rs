//! The full chain: a master's name is looked up, its address contacted again and again, then the
//! neighbours are probed on port 445, then desktops of servers are opened.
//!
//! In: a world. Out: those packets, a label for the whole and one for each part, and the master's
//! name as what the world's intelligence knows.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;

use super::{Act, Campaign};
use crate::dice::{Dice, secs};
use crate::label::{Expectation, Kind, Label};
use crate::scene::{Actor, LabelId, Scene};
use crate::site::home;
use crate::speech::rdp::Logon;
use crate::speech::tls::{self, Exchange};
use crate::talk::Opening;
use crate::world::{Destination, World};

/// The chain.
pub(super) const CAMPAIGNS: &[Campaign] = &[Campaign {
    name: "chain",
    shows: "name, its address, probing of port 445, remote desktops: one incident",
    hours: 3,
    act: Act::Other(enter),
}];

/// Minutes after the start at which the stages begin.
const PROBING: u64 = 40;
const DESKTOPS: u64 = 60;

/// Hosts that are probed, and those whose desktop is opened.
const PROBED: u8 = 37;
const OPENED: u8 = 3;

/// The labels of a chain.
#[derive(Clone, Copy)]
struct Labels {
    whole: LabelId,
    contact: LabelId,
    probing: LabelId,
    desktops: LabelId,
}

fn enter(world: &mut World, family: &str, replicate: usize) {
    let host = world.victim().ip;
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let to = Destination::named(&format!("lynx-{:05x}.test", dice.below(1 << 20)), 443);
    world.indicators.extend(to.name.clone());
    let labels = labels(world, family, replicate, host, &to);
    let start = world.early(0.05, &mut dice);
    world.scene.enter(start, Contact { host, to, labels, dice: dice.fork("contact") });
    for at in 0..PROBED {
        let wait = Duration::from_secs(60 * PROBING) + secs(dice.uniform(0.0, 600.0));
        let opening = if dice.happens(0.2) { Opening::Refused } else { Opening::Unanswered(1) };
        world.scene.at(start.after(wait), move |scene| {
            scene.beat(labels.probing);
            scene.beat(labels.whole);
            scene.knock(host, SocketAddr::new(home(130, 20 + at), 445), opening);
        });
    }
    for at in 0..OPENED {
        let wait = Duration::from_secs(60 * (DESKTOPS + 5 * u64::from(at)));
        world.scene.at(start.after(wait), move |scene| {
            scene.beat(labels.desktops);
            scene.beat(labels.whole);
            let desktop = Logon::Desktop(Duration::from_secs(200));
            scene.remote_desktop(host, home(130, 200 + at), "administrator", desktop);
        });
    }
}

fn labels(
    world: &mut World,
    family: &str,
    replicate: usize,
    host: IpAddr,
    to: &Destination,
) -> Labels {
    let part = |name: &str, kind, detectors: &[&str], stage: &str| {
        let family = if name.is_empty() { family.to_owned() } else { format!("{family}:{name}") };
        Label::new(&family, replicate, kind, host).by(detectors).stage(stage)
    };
    let whole = part("", Kind::Incident, &["incident"], "lateral_movement")
        .note("stages: name looked up, address contacted, probing, remote desktops");
    let contact = part("contact", Kind::Beacon, &["beacon", "intel"], "command_and_control");
    let contact = to.keys().into_iter().fold(contact, Label::to);
    let probing = part("probing", Kind::Scan, &["smb_scan", "net_scan"], "discovery");
    let desktops = ["rdp_off_hours", "login_baseline", "lateral_fanout", "rdp_bruteforce"];
    let desktops = part("desktops", Kind::Login, &desktops, "lateral_movement")
        .expect(Expectation::May)
        .or_about((0..OPENED).map(|at| home(130, 200 + at)));
    let scene = &mut world.scene;
    Labels {
        whole: scene.label(whole),
        contact: scene.label(contact),
        probing: scene.label(probing),
        desktops: scene.label(desktops),
    }
}

/// The implant's contact with its master.
struct Contact {
    host: IpAddr,
    to: Destination,
    labels: Labels,
    dice: Dice,
}

impl Actor for Contact {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        scene.beat(self.labels.contact);
        scene.beat(self.labels.whole);
        let exchange = Exchange { request: 340, answer: 200, thinking: Duration::from_millis(20) };
        scene.https(self.host, &self.to, &tls::GO, exchange);
        Some(scene.now().after(secs(self.dice.uniform(48.0, 60.0))))
    }
}
