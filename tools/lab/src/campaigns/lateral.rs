//! Moving to other hosts: by services, jobs and desktops, and what only looks like it.
//!
//! In: a world. Out: sessions with file servers' hidden shares and pipes, and one label a source.

use std::net::IpAddr;
use std::time::Duration;

use super::{Act, Campaign};
use crate::label::{Expectation, Kind, Label};
use crate::scene::Scene;
use crate::site::home;
use crate::speech::ntlm::Account;
use crate::speech::rdp::Logon;
use crate::speech::rpc::{ATSVC, SVCCTL, operation};
use crate::speech::smb;
use crate::world::World;

const fn campaign(
    name: &'static str,
    shows: &'static str,
    act: fn(&mut World, &str, usize),
) -> Campaign {
    Campaign { name, shows, hours: 2, act: Act::Other(act) }
}

/// The movements.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    campaign("lateral-psexec", "a program into ADMIN$, a service that starts it", psexec),
    campaign("lateral-smbexec", "services made of commands, their output in C$", smbexec),
    campaign("lateral-atexec", "a job, its output in ADMIN$", atexec),
    campaign("lateral-copy", "a program into C$ that nobody starts", copy),
    campaign("lateral-fanout", "desktops on 14 hosts in an hour", fan_out),
];

/// Operations that start a service and remove it.
const RUN_SERVICE: [u16; 5] = [
    operation::OPEN_MANAGER,
    operation::CREATE_SERVICE,
    operation::START_SERVICE,
    operation::DELETE_SERVICE,
    operation::CLOSE_HANDLE,
];

fn psexec(world: &mut World, family: &str, replicate: usize) {
    execute(world, family, replicate, |scene, host, to| {
        let share = format!("\\\\{to}\\");
        begin(scene, host, to)
            .connects(&format!("{share}ADMIN$"))
            .writes("PSEXESVC.exe", 145_000)
            .connects(&format!("{share}IPC$"))
            .calls("svcctl", SVCCTL, &RUN_SERVICE)
            .opens("PSEXESVC-WS-4242-stdin")
            .opens("PSEXESVC-WS-4242-stdout")
            .opens("PSEXESVC-WS-4242-stderr")
    });
}

fn smbexec(world: &mut World, family: &str, replicate: usize) {
    execute(world, family, replicate, |scene, host, to| {
        let share = format!("\\\\{to}\\");
        let session = begin(scene, host, to)
            .connects(&format!("{share}IPC$"))
            .calls("svcctl", SVCCTL, &RUN_SERVICE)
            .connects(&format!("{share}C$"))
            .writes("Windows\\Temp\\execute.bat", 300);
        session.opens("__output")
    });
}

fn atexec(world: &mut World, family: &str, replicate: usize) {
    execute(world, family, replicate, |scene, host, to| {
        let share = format!("\\\\{to}\\");
        begin(scene, host, to)
            .connects(&format!("{share}ADMIN$"))
            .writes("Temp\\job.exe", 80_000)
            .connects(&format!("{share}IPC$"))
            .calls("atsvc", ATSVC, &[operation::JOB_ADD])
    });
}

fn copy(world: &mut World, family: &str, replicate: usize) {
    let label = Label::new(family, replicate, Kind::Lateral, world.victim().ip)
        .by(&["admin_share_exec"])
        .expect(Expectation::MustNot)
        .stage("lateral_movement");
    play(world, label, |scene, host, to| {
        begin(scene, host, to)
            .connects(&format!("\\\\{to}\\C$"))
            .writes("temp\\mimikatz.exe", 90_000)
    });
}

/// Says hello and logs on.
fn begin(scene: &mut Scene, host: IpAddr, to: IpAddr) -> smb::Session {
    const ADMINISTRATOR: Account<'_> =
        Account { domain: "LAB", user: "administrator", workstation: "WS" };
    scene.files(host, to, Duration::from_millis(12)).logs_on(ADMINISTRATOR)
}

type Movement = fn(&mut Scene, IpAddr, IpAddr) -> smb::Session;

fn execute(world: &mut World, family: &str, replicate: usize, movement: Movement) {
    let label = Label::new(family, replicate, Kind::Lateral, world.victim().ip)
        .by(&["admin_share_exec"])
        .stage("lateral_movement");
    play(world, label, movement);
}

/// A movement to three hosts, some minutes apart.
fn play(world: &mut World, label: Label, movement: Movement) {
    let (host, mut dice) = (label.hosts[0], world.dice(&label.campaign));
    let targets: Vec<IpAddr> = dice
        .sample(100, 3)
        .into_iter()
        .map(|at| home(120, u8::try_from(at + 20).expect("a host of a subnet")))
        .collect();
    let label = world.scene.label(label.or_about(targets.iter().copied()));
    let start = world.early(0.5, &mut dice);
    for (at, to) in (0u64..).zip(targets) {
        world.scene.at(start.after(Duration::from_secs(300 * at)), move |scene| {
            scene.beat(label);
            let session = movement(scene, host, to);
            scene.play_files(session);
        });
    }
}

fn fan_out(world: &mut World, family: &str, replicate: usize) {
    let host = world.victim().ip;
    let label = Label::new(family, replicate, Kind::Lateral, host)
        .by(&["lateral_fanout"])
        .stage("lateral_movement")
        .expect(Expectation::Should)
        .note("in the first days of a sensor everything is new, and the finding stays archived");
    let (label, mut dice) =
        (world.scene.label(label), world.dice(&format!("{family}/{replicate}")));
    let start = world.early(0.3, &mut dice);
    for at in 0..14u8 {
        let time = start.after(Duration::from_secs(240 * u64::from(at)));
        world.scene.at(time, move |scene| {
            scene.beat(label);
            let desktop = Logon::Desktop(Duration::from_secs(120));
            scene.remote_desktop(host, home(121, 20 + at), "administrator", desktop);
        });
    }
}
