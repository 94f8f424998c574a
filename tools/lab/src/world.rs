//! The world of a scenario: hosts with their habits, at a site, on a scene.
//!
//! In: a seed, how many hosts, from when, how long. Out: hosts for campaigns and benign traffic to
//! use. 70 % of the hosts belong to people who come and go, 30 % are always on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;
use jiff::civil::Date;

use crate::dice::Dice;
use crate::scene::{Conditions, Scene};
use crate::site::{Day, Site, home};
use crate::speech::tls::{self, Client};

/// Hosts of a subnet.
const SUBNET_HOSTS: usize = 50;

/// When someone is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// Always.
    Always,
    /// On workdays, from and to these minutes of the day.
    Office(u16, u16),
}

impl Hours {
    /// Whether someone is there now.
    #[must_use]
    pub fn contain(self, time: Timestamp, site: &Site) -> bool {
        match self {
            Self::Always => true,
            Self::Office(from, to) => {
                let (day, clock) = site.clock(time);
                let minute = i32::from(clock.hour()) * 60 + i32::from(clock.minute());
                site.day(day) == Day::Work && (i32::from(from)..i32::from(to)).contains(&minute)
            }
        }
    }
}

/// A host.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Its address.
    pub ip: IpAddr,
    /// When its user is there.
    pub user: Hours,
    /// When it is on.
    pub power: Hours,
    /// Its browser.
    pub browser: &'static Client,
}

/// Where something is on the Internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its name, where it is not called by its address.
    pub name: Option<String>,
    /// Its address and port.
    pub address: SocketAddr,
}

impl Destination {
    /// A name, at the address that follows from it.
    #[must_use]
    pub fn named(name: &str, port: u16) -> Self {
        Self { name: Some(name.to_owned()), address: SocketAddr::new(internet(name), port) }
    }

    /// An address without a name, which follows from `of`.
    #[must_use]
    pub fn bare(of: &str, port: u16) -> Self {
        Self { name: None, address: SocketAddr::new(internet(of), port) }
    }

    /// What a pair with it is called by: its name, its address and port.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let address = format!("{}/tcp", self.address);
        self.name.iter().cloned().chain([address]).collect()
    }
}

/// The address of a name: always the same, public, and of some large network.
#[must_use]
pub fn internet(name: &str) -> IpAddr {
    const NETWORKS: [u8; 12] = [23, 34, 45, 52, 62, 80, 91, 104, 142, 151, 185, 203];
    let mut dice = Dice::new(0, name);
    let first = *dice.one(&NETWORKS);
    let [second, third, fourth, _] = dice.word().to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(first, second, third, fourth.clamp(1, 254)))
}

/// What a scenario is played with.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Everything follows from it.
    pub seed: u64,
    /// How long.
    pub span: Duration,
    /// How many hosts.
    pub hosts: usize,
    /// Local midnight of that day is the beginning.
    pub start: Date,
    /// IANA name of the site's zone.
    pub zone: String,
    /// What becomes of packets.
    pub conditions: Conditions,
}

/// Hosts at a site.
pub struct World {
    /// Where things happen.
    pub scene: Scene,
    /// The site.
    pub site: Site,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// Names and addresses that the world's intelligence knows, as lines of a plain feed.
    pub indicators: Vec<String>,
    seed: u64,
    /// Hosts in the order in which campaigns take them.
    order: Vec<usize>,
    taken: usize,
}

impl World {
    /// A world in which nothing happens yet.
    ///
    /// # Errors
    /// The zone is not known.
    pub fn new(terms: &Terms) -> Result<Self, jiff::Error> {
        let site = Site::new(&terms.zone)?;
        let start = site.at(terms.start, 0, 0);
        let scene = Scene::new(terms.seed, start, start.after(terms.span), terms.conditions);
        let mut dice = Dice::new(terms.seed, "hosts");
        let hosts: Vec<Host> = (0..terms.hosts).map(|at| host(at, &mut dice)).collect();
        let order = dice.sample(hosts.len(), hosts.len());
        let (seed, indicators) = (terms.seed, Vec::new());
        Ok(Self { scene, site, hosts, indicators, seed, order, taken: 0 })
    }

    /// Dice of that name.
    #[must_use]
    pub fn dice(&self, name: &str) -> Dice {
        Dice::new(self.seed, name)
    }

    /// A host for a campaign, one that none has had as long as there are such. It stays on.
    ///
    /// # Panics
    /// There are no hosts.
    pub fn victim(&mut self) -> Host {
        let at = self.order[self.taken % self.order.len()];
        self.taken += 1;
        self.hosts[at].power = Hours::Always;
        self.hosts[at]
    }

    /// A host has other habits from now on.
    pub fn keep(&mut self, host: Host) {
        if let Some(known) = self.hosts.iter_mut().find(|known| known.ip == host.ip) {
            *known = host;
        }
    }

    /// When the scene began.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.scene.now()
    }

    /// A time within the first `share` of the scene.
    pub fn early(&self, share: f64, dice: &mut Dice) -> Timestamp {
        let span = self.scene.end().since(self.start());
        self.start().after(span.mul_f64(dice.uniform(0.0, share)))
    }
}

fn host(at: usize, dice: &mut Dice) -> Host {
    /// Half past eight to half past six, half an hour sooner or later.
    const FROM: usize = 8 * 60;
    const TO: usize = 18 * 60;
    let subnet = u8::try_from(1 + at / SUBNET_HOSTS).expect("fewer subnets than a site has");
    let ip = home(subnet, u8::try_from(10 + at % SUBNET_HOSTS).expect("a host of a subnet"));
    let minute = |from: usize, dice: &mut Dice| {
        u16::try_from(from + dice.between(0, 60)).expect("a minute of a day")
    };
    let hours = if dice.happens(0.7) {
        Hours::Office(minute(FROM, dice), minute(TO, dice))
    } else {
        Hours::Always
    };
    let browser = *dice.one(&[&tls::BROWSER, &tls::BROWSER, &tls::OTHER_BROWSER]);
    Host { ip, user: hours, power: hours, browser }
}
