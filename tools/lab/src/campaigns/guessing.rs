//! Guessing passwords: of remote desktops, SSH and file servers, at a rate, on so many hosts.
//!
//! In: a plan. Out: attempts that fail, perhaps one that does not, and one label a source.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;

use super::{Act, Campaign};
use crate::dice::{Dice, secs};
use crate::label::{Expectation, Kind, Label};
use crate::scene::{Actor, LabelId, Scene};
use crate::site::home;
use crate::speech::ntlm::Account;
use crate::speech::{rdp, ssh};
use crate::world::{World, internet};

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Rdp,
    Ssh,
    Smb,
}

/// Which accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accounts {
    /// One, everywhere.
    One,
    /// Another each time.
    Many,
}

/// Where the guesser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Inside,
    Outside,
}

/// How a try ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Try {
    Fails,
    Succeeds,
}

/// What a guesser does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    service: Service,
    /// Attempts an hour.
    rate: f64,
    /// Hosts it tries in turn.
    hosts: u8,
    accounts: Accounts,
    origin: Origin,
    /// Attempts after which one succeeds; none does where there is no number.
    success_after: Option<usize>,
    expect: Expectation,
}

const PLAIN: Plan = Plan {
    service: Service::Rdp,
    rate: 34.0,
    hosts: 1,
    accounts: Accounts::One,
    origin: Origin::Inside,
    success_after: None,
    expect: Expectation::Must,
};

const fn campaign(name: &'static str, hours: u32, shows: &'static str, plan: Plan) -> Campaign {
    Campaign { name, shows, hours, act: Act::Guessing(plan) }
}

const fn rdp(rate: f64, hosts: u8) -> Plan {
    Plan { rate, hosts, ..PLAIN }
}

/// The guessers.
pub(super) const CAMPAIGNS: &[Campaign] = &[
    campaign(
        "guessing-rdp-1h",
        30,
        "a try an hour on one host",
        Plan { expect: Expectation::Should, ..rdp(1.0, 1) },
    ),
    campaign("guessing-rdp-10h", 8, "ten tries an hour on one host", rdp(10.0, 1)),
    campaign("guessing-rdp-34h", 4, "34 tries an hour on one host", rdp(34.0, 1)),
    campaign("guessing-rdp-300h", 1, "300 tries an hour on one host", rdp(300.0, 1)),
    campaign("guessing-rdp-1h-5hosts", 30, "a try an hour on five hosts in turn", rdp(1.0, 5)),
    campaign("guessing-rdp-10h-5hosts", 6, "ten tries an hour on five hosts", rdp(10.0, 5)),
    campaign("guessing-rdp-34h-5hosts", 4, "34 tries an hour on five hosts", rdp(34.0, 5)),
    campaign("guessing-rdp-300h-5hosts", 1, "300 tries an hour on five hosts", rdp(300.0, 5)),
    campaign("guessing-rdp-1h-41hosts", 30, "a try an hour on 41 hosts in turn", rdp(1.0, 41)),
    campaign("guessing-rdp-10h-41hosts", 6, "ten tries an hour on 41 hosts", rdp(10.0, 41)),
    campaign("guessing-rdp-34h-41hosts", 4, "34 tries an hour on 41 hosts", rdp(34.0, 41)),
    campaign("guessing-rdp-300h-41hosts", 1, "300 tries an hour on 41 hosts", rdp(300.0, 41)),
    campaign(
        "guessing-rdp-success",
        4,
        "34 tries an hour, of which the 41st succeeds",
        Plan { success_after: Some(40), ..PLAIN },
    ),
    campaign(
        "guessing-rdp-fast-success",
        1,
        "300 tries an hour, of which the 91st succeeds",
        Plan { success_after: Some(90), ..rdp(300.0, 1) },
    ),
    campaign("guessing-rdp-spray", 6, "one account on 41 hosts, 20 an hour", rdp(20.0, 41)),
    campaign(
        "guessing-rdp-accounts",
        6,
        "many accounts on one host",
        Plan { accounts: Accounts::Many, ..rdp(12.0, 1) },
    ),
    campaign(
        "guessing-rdp-outside",
        4,
        "from the Internet",
        Plan { origin: Origin::Outside, accounts: Accounts::Many, ..PLAIN },
    ),
    campaign(
        "guessing-ssh",
        2,
        "SSH, 120 tries an hour",
        Plan { service: Service::Ssh, rate: 120.0, accounts: Accounts::Many, ..PLAIN },
    ),
    campaign(
        "guessing-smb",
        2,
        "logons to a file server, 120 an hour",
        Plan { service: Service::Smb, rate: 120.0, accounts: Accounts::Many, ..PLAIN },
    ),
];

struct Guesser {
    host: IpAddr,
    plan: Plan,
    targets: Vec<IpAddr>,
    label: LabelId,
    dice: Dice,
    attempts: usize,
}

/// A guesser starts.
pub(super) fn enter(world: &mut World, family: &str, replicate: usize, plan: Plan) {
    let mut dice = world.dice(&format!("{family}/{replicate}"));
    let targets: Vec<IpAddr> = dice
        .sample(200, usize::from(plan.hosts))
        .into_iter()
        .map(|at| home(100, u8::try_from(at + 20).expect("a host of a subnet")))
        .collect();
    let host = match plan.origin {
        Origin::Inside => world.victim().ip,
        Origin::Outside => internet(&format!("guesser {family}/{replicate}")),
    };
    let detector = match plan.service {
        Service::Rdp => "rdp_bruteforce",
        Service::Ssh => "ssh_bruteforce",
        Service::Smb => "smb_bruteforce",
    };
    let label = Label::new(family, replicate, Kind::Guessing, host)
        .by(&[detector])
        .or_about(targets.iter().copied())
        .stage("credential_access")
        .expect(plan.expect)
        .note(if plan.success_after.is_some() { "succeeds: P1" } else { "" });
    let label = world.scene.label(label);
    let start = world.early(0.05, &mut dice);
    world.scene.enter(start, Guesser { host, plan, targets, label, dice, attempts: 0 });
}

impl Actor for Guesser {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        let to = self.targets[self.attempts % self.targets.len()];
        let user = match self.plan.accounts {
            Accounts::One => "administrator".to_owned(),
            Accounts::Many => format!("user{:03}", self.dice.below(400)),
        };
        let succeeds = self.plan.success_after == Some(self.attempts);
        let outcome = if succeeds { Try::Succeeds } else { Try::Fails };
        self.attempts += 1;
        scene.beat(self.label);
        self.attempt(scene, to, &user, outcome);
        if outcome == Try::Succeeds {
            return None;
        }
        let mean = 3_600.0 / self.plan.rate;
        Some(scene.now().after(secs(self.dice.uniform(0.6 * mean, 1.4 * mean))))
    }
}

impl Guesser {
    fn attempt(&mut self, scene: &mut Scene, to: IpAddr, user: &str, outcome: Try) {
        match self.plan.service {
            Service::Rdp => {
                let logon = match outcome {
                    Try::Fails => rdp::Logon::Refused,
                    Try::Succeeds => rdp::Logon::Desktop(Duration::from_secs(300)),
                };
                scene.remote_desktop(self.host, to, user, logon);
            }
            Service::Ssh => {
                let logon = match outcome {
                    Try::Fails => ssh::Logon::Refused,
                    Try::Succeeds => ssh::Logon::Accepted,
                };
                let talk = scene.call(self.host, SocketAddr::new(to, 22));
                let (start, talk) = (scene.now(), ssh::attempt(talk, "libssh2_1.9.0", logon));
                scene.talk(start, talk);
            }
            Service::Smb => {
                let account = Account { domain: "LAB", user, workstation: "WS" };
                let session = scene.files(self.host, to, Duration::from_millis(3));
                let session = match outcome {
                    Try::Fails => session.fails_to_log_on(account),
                    Try::Succeeds => session.logs_on(account),
                };
                scene.play_files(session);
            }
        }
    }
}
