//! Scenarios: a world with something in it, by name.
//!
//! In: a name and terms. Out: a [`Play`] that gives frames one by one, or a [`Capture`] that holds
//! them all. Each campaign is a scenario of its own name: a few hosts, that campaign, nothing else
//! to hide behind but what their users do.

use std::convert::Infallible;
use std::time::Duration;

use jiff::civil::{Date, date};

use crate::benign::{self, Habit};
use crate::campaigns::{self, Campaign};
use crate::label::Label;
use crate::packet::Frame;
use crate::pcap::PcapWriter;
use crate::scene::Conditions;
use crate::site::Site;
use crate::world::{Terms, World};

/// Why there is no such scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The name is not known.
    #[error("there is no scenario {0:?}; `serval-lab list` prints those that there are")]
    Unknown(String),
    /// The zone is not known.
    #[error("the time zone cannot be used: {0}")]
    Zone(jiff::Error),
}

/// What is asked of a scenario; where nothing is said, it knows best.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Everything follows from it.
    pub seed: u64,
    /// Hours.
    pub hours: Option<u32>,
    /// Hosts.
    pub hosts: Option<usize>,
    /// IANA name of a time zone.
    pub zone: Option<String>,
    /// Local midnight of that day is the beginning.
    pub start: Option<Date>,
    /// What becomes of packets.
    pub conditions: Conditions,
}

/// A scenario that is ready to be played.
pub struct Play {
    world: World,
}

/// A scenario that was played: everything in memory, for tests.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The packets, in the order of their times.
    pub frames: Vec<Frame>,
    /// What they hold.
    pub labels: Vec<Label>,
    /// Lines of a plain feed: what the world's intelligence knows.
    pub indicators: Vec<String>,
    /// Where it happened.
    pub site: Site,
}

impl Capture {
    /// The bytes of a capture file.
    ///
    /// # Panics
    /// Never: memory takes everything.
    #[must_use]
    pub fn pcap(&self) -> Vec<u8> {
        let mut writer = PcapWriter::new(Vec::new()).expect("memory takes everything");
        for frame in &self.frames {
            writer.frame(frame).expect("memory takes everything");
        }
        writer.into_inner()
    }
}

/// Worlds with everything benign in them, and what else.
const WORLDS: [(&str, &str); 3] = [
    ("world-beacons", "120 hosts for 72 hours: everything benign, four of each beacon"),
    ("world-intrusions", "120 hosts for 72 hours: everything benign, four of each other campaign"),
    ("world-benign", "120 hosts for 72 hours: everything benign"),
];

/// Of each campaign in a world.
const REPLICATES: usize = 4;

/// Names of the scenarios, each with what it shows.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let campaigns = campaigns::all().map(|campaign| (campaign.name, campaign.shows));
    let habits = benign::ALL.iter().map(|habit| (habit.name, habit.shows));
    WORLDS.into_iter().chain(campaigns).chain(habits)
}

/// Plays a small scenario into memory.
///
/// # Errors
/// The name is not known.
pub fn scenario(name: &str, seed: u64) -> Result<Capture, ScenarioError> {
    Play::new(name, &Wish { seed, ..Wish::default() }).map(Play::capture)
}

impl Play {
    /// Prepares a scenario.
    ///
    /// # Errors
    /// The name or the zone is not known.
    pub fn new(name: &str, wish: &Wish) -> Result<Self, ScenarioError> {
        let unknown = || ScenarioError::Unknown(name.to_owned());
        let content = Content::of(name).ok_or_else(unknown)?;
        let mut world = World::new(&content.terms(wish)).map_err(ScenarioError::Zone)?;
        content.enter(&mut world);
        Ok(Self { world })
    }

    /// Where it happens.
    #[must_use]
    pub const fn site(&self) -> &Site {
        &self.world.site
    }

    /// Lines of a plain feed.
    #[must_use]
    pub fn indicators(&self) -> &[String] {
        &self.world.indicators
    }

    /// Plays it; each frame goes to `sink`. The labels of what happened.
    ///
    /// # Errors
    /// What the sink gives.
    pub fn play<E>(self, sink: impl FnMut(&Frame) -> Result<(), E>) -> Result<Vec<Label>, E> {
        self.world.scene.play(sink)
    }

    /// Plays it into memory.
    #[must_use]
    pub fn capture(self) -> Capture {
        let World { scene, site, indicators, .. } = self.world;
        let mut frames = Vec::new();
        let keep = |frame: &Frame| {
            frames.push(frame.clone());
            Ok::<(), Infallible>(())
        };
        let labels = match scene.play(keep) {
            Ok(labels) => labels,
            Err(never) => match never {},
        };
        Capture { frames, labels, indicators, site }
    }
}

/// What is in a scenario.
enum Content {
    Campaign(&'static Campaign),
    Habit(&'static Habit),
    /// Everything benign, and the campaigns that this accepts.
    World(fn(&Campaign) -> bool),
}

impl Content {
    fn of(name: &str) -> Option<Self> {
        match name {
            "world-beacons" => return Some(Self::World(Campaign::is_beacon)),
            "world-intrusions" => {
                return Some(Self::World(|campaign| {
                    !campaign.is_beacon() && campaigns::calendar_place(campaign.name).is_none()
                }));
            }
            "world-benign" => return Some(Self::World(|_| false)),
            _ => {}
        }
        let habit = benign::ALL.iter().find(|habit| habit.name == name).map(Self::Habit);
        let campaign = campaigns::all().find(|campaign| campaign.name == name);
        habit.or_else(|| campaign.map(Self::Campaign))
    }

    fn terms(&self, wish: &Wish) -> Terms {
        /// Monday; clocks change within the month.
        const USUAL: (&str, Date) = ("Asia/Shanghai", date(2026, 3, 2));
        let (hours, hosts, place) = match self {
            Self::Campaign(campaign) => {
                (campaign.hours, 8, campaigns::calendar_place(campaign.name))
            }
            Self::Habit(habit) => (habit.hours, 30, None),
            Self::World(_) => (72, 120, None),
        };
        let (zone, start) = place.unwrap_or(USUAL);
        let hours = wish.hours.unwrap_or(hours);
        Terms {
            seed: wish.seed,
            span: Duration::from_secs(3_600 * u64::from(hours)),
            hosts: wish.hosts.unwrap_or(hosts),
            start: wish.start.unwrap_or(start),
            zone: wish.zone.clone().unwrap_or_else(|| zone.to_owned()),
            conditions: wish.conditions,
        }
    }

    /// Campaigns first: they choose the hosts that stay on.
    fn enter(&self, world: &mut World) {
        match self {
            Self::Campaign(campaign) => campaign.enter(world, 0),
            Self::Habit(habit) => habit.enter(world),
            Self::World(accepts) => {
                for campaign in campaigns::all().filter(|campaign| accepts(campaign)) {
                    (0..REPLICATES).for_each(|replicate| campaign.enter(world, replicate));
                }
                benign::ALL.iter().for_each(|habit| habit.enter(world));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Those that a test can afford.
    fn small() -> impl Iterator<Item = &'static str> {
        campaigns::all().map(|campaign| campaign.name)
    }

    #[test]
    fn names_are_unique() {
        let mut names = BTreeSet::new();
        for (name, shows) in all() {
            assert!(names.insert(name), "{name} is there twice");
            assert!(!shows.is_empty() && Content::of(name).is_some(), "{name}");
        }
        assert!(matches!(scenario("chian", 1), Err(ScenarioError::Unknown(_))));
    }

    #[test]
    fn every_campaign_leaves_packets_in_order_and_labels_with_a_place_in_time() {
        for name in small() {
            let Capture { frames, labels, .. } = scenario(name, 3).unwrap();
            assert!(frames.is_sorted_by_key(|frame| frame.time), "{name}");
            assert!(!frames.is_empty() && !labels.is_empty(), "{name}");
            for label in &labels {
                assert!(label.first_us <= label.last_us && !label.stage.is_empty(), "{label:?}");
                assert!(frames[0].time.micros() <= label.first_us, "{label:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
        let bytes = |seed| scenario("scan-445", seed).unwrap().pcap();
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }

    #[test]
    fn a_zone_that_is_not_there_is_told() {
        let wish = Wish { zone: Some("Mars/Olympus".to_owned()), ..Wish::default() };
        assert!(matches!(Play::new("chain", &wish), Err(ScenarioError::Zone(_))));
    }
}
