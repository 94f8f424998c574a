//! People who browse: each has 40 favourites among 600 sites, visits them in sessions.
//!
//! Gaps between sessions are lognormal around 6,000 s, the pages of a session many or few by
//! Pareto's law, some seconds apart.

use std::time::Duration;

use analyzers::Timestamp;

use crate::dice::{Dice, Zipf, secs};
use crate::scene::{Actor, Scene};
use crate::site::Site;
use crate::speech::tls::Exchange;
use crate::world::{Destination, Host, World};

const SITES: u32 = 600;
const FAVOURITES: usize = 40;

/// Pages of one session, however long.
const PAGES: f64 = 120.0;

struct Person {
    host: Host,
    site: Site,
    favourites: Vec<Destination>,
    ranks: Zipf,
    dice: Dice,
    pages: u32,
}

/// Every host's user browses.
pub(super) fn enter(world: &mut World) {
    let ranks = Zipf::new(SITES);
    for host in world.hosts.clone() {
        let mut dice = world.dice(&format!("browsing {}", host.ip));
        let mut sites: Vec<usize> = Vec::with_capacity(FAVOURITES);
        while sites.len() < FAVOURITES {
            let rank = ranks.draw(&mut dice);
            if !sites.contains(&rank) {
                sites.push(rank);
            }
        }
        let favourites = sites.iter().map(|rank| site(*rank)).collect();
        let ranks = Zipf::new(u32::try_from(FAVOURITES).expect("few favourites"));
        let start = world.start().after(secs(dice.uniform(0.0, 6_000.0)));
        let site = world.site.clone();
        world.scene.enter(start, Person { host, site, favourites, ranks, dice, pages: 0 });
    }
}

fn site(rank: usize) -> Destination {
    Destination::named(&format!("www.site{rank:03}.test"), 443)
}

impl Actor for Person {
    fn act(&mut self, scene: &mut Scene) -> Option<Timestamp> {
        if !self.host.user.contain(scene.now(), &self.site) {
            return Some(scene.now().after(secs(self.dice.uniform(300.0, 1_500.0))));
        }
        if self.pages == 0 {
            let pages = (3.0 * self.dice.pareto(1.1)).min(PAGES);
            self.pages = (1..).take_while(|page| f64::from(*page) <= pages).last().unwrap_or(1);
        }
        let to = &self.favourites[self.ranks.draw(&mut self.dice)];
        let exchange = Exchange {
            request: self.dice.between(300, 1_300),
            answer: self.dice.between(600, 2_800),
            thinking: Duration::from_millis(25),
        };
        scene.https(self.host.ip, to, self.host.browser, exchange);
        self.pages -= 1;
        let gap = match self.pages {
            0 => self.dice.lognormal(6_000.0, 0.8),
            _ => self.dice.lognormal(4.0, 1.6),
        };
        Some(scene.now().after(secs(gap)))
    }
}
