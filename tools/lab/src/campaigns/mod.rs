//! Campaigns: what attackers do, each by a name, as packets and with labels.
//!
//! In: a world. Out: actors on its scene. The list is the one place that names them; a scenario of
//! the same name plays one alone.

mod beacon;
mod calendar;
mod chain;
mod exfiltration;
mod guessing;
mod lateral;
mod names;
mod scan;

pub(crate) use calendar::place as calendar_place;

use crate::world::World;

/// One campaign.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// Its name, also that of the family of its labels.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub shows: &'static str,
    /// Hours in which it shows it.
    pub hours: u32,
    /// What it does.
    pub(crate) act: Act,
}

/// What a campaign does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Regular contact.
    Beacon(beacon::Plan),
    /// Many connections to many places.
    Scan(scan::Plan),
    /// Many passwords.
    Guessing(guessing::Plan),
    /// Something of its own.
    Other(fn(&mut World, &str, usize)),
}

impl Campaign {
    /// Enters a world, as replicate number so.
    pub fn enter(&self, world: &mut World, replicate: usize) {
        match self.act {
            Act::Beacon(plan) => beacon::enter(world, self.name, replicate, plan),
            Act::Scan(plan) => scan::enter(world, self.name, replicate, plan),
            Act::Guessing(plan) => guessing::enter(world, self.name, replicate, plan),
            Act::Other(enter) => enter(world, self.name, replicate),
        }
    }

    /// Whether it is one of the beacons, which one world holds all of.
    #[must_use]
    pub const fn is_beacon(&self) -> bool {
        matches!(self.act, Act::Beacon(_))
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Campaign> {
    [
        beacon::CAMPAIGNS,
        scan::CAMPAIGNS,
        guessing::CAMPAIGNS,
        calendar::CAMPAIGNS,
        lateral::CAMPAIGNS,
        names::CAMPAIGNS,
        exfiltration::CAMPAIGNS,
        chain::CAMPAIGNS,
    ]
    .into_iter()
    .flatten()
}
