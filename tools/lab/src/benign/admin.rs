//! Administrators at work: a jump host, a night of patches, software for 200 hosts.

use std::net::IpAddr;
use std::time::Duration;

use super::harmless;
use crate::dice::secs;
use crate::label::Kind;
use crate::site::{home, servers};
use crate::speech::ntlm::Account;
use crate::speech::rdp::Logon;
use crate::speech::rpc::{SVCCTL, operation};
use crate::world::World;

/// All of it.
pub(super) fn enter(world: &mut World) {
    jump_host(world);
    patch_night(world);
    push(world);
}

/// Desktops of the same dozen servers, in working hours.
fn jump_host(world: &mut World) {
    let host = servers::JUMP;
    let detectors = ["lateral_fanout", "rdp_off_hours", "rdp_bruteforce"];
    let label = world.scene.label(
        harmless("jump-host", Kind::Login, host, &detectors)
            .note("its fan-out is usual once it is known; rate rules need an entry"),
    );
    let mut dice = world.dice("jump host");
    for at in 0..12u8 {
        let wait =
            Duration::from_secs(9 * 3_600 + 1_900 * u64::from(at)) + secs(dice.uniform(0.0, 600.0));
        let time = world.start().after(wait);
        world.scene.at(time, move |scene| {
            scene.beat(label);
            let desktop = Logon::Desktop(Duration::from_secs(400));
            scene.remote_desktop(host, home(0, 100 + at), "operator", desktop);
        });
    }
}

/// Every host fetches what was released, at night.
fn patch_night(world: &mut World) {
    let mut dice = world.dice("patch night");
    for host in world.hosts.clone() {
        let wait = Duration::from_secs(25 * 3_600) + secs(dice.uniform(0.0, 3_600.0));
        let time = world.start().after(wait);
        world.scene.at(time, move |scene| {
            let session = scene
                .files(host.ip, servers::UPDATES, Duration::from_millis(5))
                .logs_on(ACCOUNT)
                .connects(&format!("\\\\{}\\patches", servers::UPDATES))
                .opens("kb.msu");
            scene.play_files(session);
        });
    }
}

const ACCOUNT: Account<'_> = Account { domain: "LAB", user: "svc-deploy", workstation: "DEPLOY" };

/// A program is written to each host's ADMIN$ and started there, by who is allowed to.
fn push(world: &mut World) {
    let host = servers::UPDATES;
    let detectors = ["admin_share_exec", "lateral_fanout", "smb_scan", "net_scan"];
    let label = world.scene.label(
        harmless("software-push", Kind::Lateral, host, &detectors)
            .note("needs an entry that allows this host"),
    );
    for at in 0..200u8 {
        let time = world.start().after(Duration::from_secs(20 * 3_600 + 10 * u64::from(at)));
        world.scene.at(time, move |scene| {
            scene.beat(label);
            let to: IpAddr = home(4, 10 + at);
            let session = scene
                .files(host, to, Duration::from_millis(5))
                .logs_on(ACCOUNT)
                .connects(&format!("\\\\{to}\\ADMIN$"))
                .writes("ccmsetup.exe", 20_000)
                .connects(&format!("\\\\{to}\\IPC$"))
                .calls("svcctl", SVCCTL, &[operation::OPEN_MANAGER, operation::START_SERVICE]);
            scene.play_files(session);
        });
    }
}
