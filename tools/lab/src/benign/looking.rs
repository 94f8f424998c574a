//! What looks like scanning and is none: scanners that are allowed, servers with many clients,
//! clients whose server is gone, a laptop that moved, sharing between peers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::harmless;
use crate::dice::secs;
use crate::label::Kind;
use crate::scene::Scene;
use crate::site::{home, servers};
use crate::speech::ntlm::Account;
use crate::talk::Opening;
use crate::world::{World, internet};

const SCANS: [&str; 3] = ["smb_scan", "net_scan", "port_scan"];

const DAY: u64 = 86_400;

/// All of it.
pub(super) fn enter(world: &mut World) {
    allowed_scanner(world);
    inventory(world);
    backup(world);
    many_clients(world);
    printers(world);
    stale_share(world);
    moved_laptop(world);
    peers(world);
    backscatter(world);
}

/// A connection at a time: refused, unanswered or, to hosts that are there, opened.
fn knock(world: &mut World, wait: Duration, host: IpAddr, to: SocketAddr, opening: Opening) {
    let time = world.start().after(wait);
    world.scene.at(time, move |scene| scene.knock(host, to, opening));
}

/// Something of `host` that is not to be told of happens now and at the end.
fn mark(world: &mut World, family: &str, host: IpAddr, note: &str) {
    let label = world.scene.label(harmless(family, Kind::Scan, host, &SCANS).note(note));
    let (start, end) = (world.start(), world.scene.end());
    world.scene.at(start, move |scene| scene.beat(label));
    let last = end.since(start).saturating_sub(Duration::from_secs(1));
    world.scene.at(start.after(last), move |scene| scene.beat(label));
}

fn allowed_scanner(world: &mut World) {
    const PORTS: [u16; 8] = [21, 22, 80, 135, 139, 443, 445, 3_389];
    mark(world, "allowed-scanner", servers::SCANNER, "needs an entry that allows this host");
    let mut dice = world.dice("allowed scanner");
    for at in 0..100u8 {
        for port in PORTS {
            let wait = Duration::from_secs(3 * 3_600) + secs(dice.uniform(0.0, 1_800.0));
            let opening = if dice.happens(0.3) { Opening::Refused } else { Opening::Unanswered(0) };
            let to = SocketAddr::new(home(1, 10 + at), port);
            knock(world, wait, servers::SCANNER, to, opening);
        }
    }
}

fn inventory(world: &mut World) {
    mark(world, "inventory", servers::MONITOR, "needs an entry that allows this host");
    let mut dice = world.dice("inventory");
    for at in 0..60u8 {
        let wait = Duration::from_secs(13 * 3_600 + u64::from(at) * 4) + secs(dice.unit());
        let to = SocketAddr::new(home(2, 10 + at), 135);
        let opening = if dice.happens(0.7) { Opening::Handshake } else { Opening::Unanswered(0) };
        knock(world, wait, servers::MONITOR, to, opening);
    }
}

/// Fetches the same shares each night, all of which are there.
fn backup(world: &mut World) {
    let server = home(0, 70);
    mark(world, "backup-server", server, "");
    for at in 0..24u8 {
        let wait = Duration::from_secs(22 * 3_600 + 90 * u64::from(at));
        visit_daily(world, wait, server, home(3, 10 + at));
    }
}

/// The file server and the domain controller have every host for a client.
fn many_clients(world: &mut World) {
    for server in [servers::FILES, servers::DOMAIN_CONTROLLER] {
        mark(world, "many-clients", server, "");
        for (host, at) in world.hosts.clone().iter().zip(0u64..) {
            let wait = Duration::from_secs(9 * 3_600 + 47 * at);
            visit_daily(world, wait, host.ip, server);
        }
    }
}

/// A session with a share, each day at that time.
fn visit_daily(world: &mut World, wait: Duration, host: IpAddr, server: IpAddr) {
    let days = world.scene.end().since(world.start()).as_secs() / DAY;
    for day in 0..=days {
        let time = world.start().after(wait + Duration::from_secs(DAY * day));
        world.scene.at(time, move |scene| share(scene, host, server));
    }
}

fn share(scene: &mut Scene, host: IpAddr, server: IpAddr) {
    let account = Account { domain: "LAB", user: "anna", workstation: "WS" };
    let session = scene
        .files(host, server, Duration::from_millis(8))
        .logs_on(account)
        .connects(&format!("\\\\{server}\\data"))
        .reads("plans\\2026.txt", 100_000);
    scene.play_files(session);
}

fn printers(world: &mut World) {
    let host = world.victim().ip;
    mark(world, "printer-discovery", host, "");
    for at in 0..12u8 {
        let wait = Duration::from_secs(10 * 3_600 + 2 * u64::from(at));
        let to = SocketAddr::new(home(200, 10 + at), 9_100);
        knock(world, wait, host, to, Opening::Handshake);
    }
}

/// Two servers are gone, and a host tries their shares again and again.
fn stale_share(world: &mut World) {
    let host = world.victim().ip;
    mark(world, "stale-share", host, "");
    let count = world.scene.end().since(world.start()).as_secs() / 40;
    for at in 0..count {
        let server = home(0, if at % 2 == 0 { 201 } else { 202 });
        let wait = Duration::from_secs(40 * at + 5);
        knock(world, wait, host, SocketAddr::new(server, 445), Opening::Unanswered(2));
    }
}

/// Looks for its three shares from another network, then finds them.
fn moved_laptop(world: &mut World) {
    let host = world.victim().ip;
    mark(world, "moved-laptop", host, "");
    for at in 0..3u8 {
        let wait = Duration::from_secs(11 * 3_600 + 3 * u64::from(at));
        let to = SocketAddr::new(home(7, 20 + at), 445);
        knock(world, wait, host, to, Opening::Unanswered(2));
        let time = world.start().after(wait + Duration::from_secs(60));
        world.scene.at(time, move |scene| share(scene, host, home(7, 30 + at)));
    }
}

/// A program that shares with peers all over the Internet, most of whom are gone.
fn peers(world: &mut World) {
    let host = world.victim().ip;
    mark(world, "peers", host, "P2P: many failed connections to high ports");
    let mut dice = world.dice("peers");
    for at in 0..400 {
        let wait = Duration::from_secs(9 * 3_600) + secs(dice.uniform(0.0, 14_400.0));
        let port = 10_000 + dice.short() % 50_000;
        let to = SocketAddr::new(internet(&format!("peer {at}")), port);
        let opening = if dice.happens(0.3) { Opening::Handshake } else { Opening::Unanswered(1) };
        knock(world, wait, host, to, opening);
    }
}

/// Answers to what others sent in this site's name.
fn backscatter(world: &mut World) {
    let server = internet("backscatter");
    mark(world, "backscatter", server, "");
    let mut dice = world.dice("backscatter");
    for at in 0..200u8 {
        let wait = secs(dice.uniform(0.0, 86_400.0));
        let to = SocketAddr::new(home(9, at), 1_024 + dice.short() % 60_000);
        let time = world.start().after(wait);
        world.scene.at(time, move |scene| scene.answer_to_nobody(SocketAddr::new(server, 80), to));
    }
}
