//! Benign traffic: what people and programs do that no one should be told of.
//!
//! In: a world. Out: actors on its scene, and labels for all that may look like something else.

mod admin;
mod browsing;
mod looking;
mod names;
mod periodic;

use crate::label::{Expectation, Kind, Label};
use crate::world::World;

/// A kind of benign traffic.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub shows: &'static str,
    /// Hours in which it shows it.
    pub hours: u32,
    /// What it does.
    pub(crate) enter: fn(&mut World),
}

impl Habit {
    /// Enters a world.
    pub fn enter(&self, world: &mut World) {
        (self.enter)(world);
    }
}

/// All of them.
pub const ALL: &[Habit] = &[
    Habit {
        name: "benign-browsing",
        shows: "people and 600 sites",
        hours: 12,
        enter: browsing::enter,
    },
    Habit {
        name: "benign-periodic",
        shows: "programs that ask by the clock, popular and rare, and some without a clock",
        hours: 12,
        enter: periodic::enter,
    },
    Habit {
        name: "benign-scan-like",
        shows: "scanners that are allowed, servers with many clients, shares that are gone",
        hours: 26,
        enter: looking::enter,
    },
    Habit {
        name: "benign-admin",
        shows: "a jump host, a patch night, software pushed to 200 hosts",
        hours: 26,
        enter: admin::enter,
    },
    Habit {
        name: "benign-names",
        shows: "block lists, hashed names, a CDN's 5,000 names, search suffixes",
        hours: 12,
        enter: names::enter,
    },
];

/// A label of something that is not to be told of, by one of these detectors.
fn harmless(family: &str, kind: Kind, host: std::net::IpAddr, detectors: &[&str]) -> Label {
    Label::new(family, 0, kind, host).by(detectors).expect(Expectation::MustNot)
}
