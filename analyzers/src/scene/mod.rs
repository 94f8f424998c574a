//! What detectors know of the network around an event: which addresses are home, which hosts are
//! special, who has to do with what.
//!
//! In: the configuration, and events in their order. Out: answers. Everything here moves in packet
//! time and in the one order of events, so that answers do not depend on the number of workers.

pub mod assets;
pub mod home;
pub mod prevalence;
pub mod schedule;

pub use assets::Assets;
pub use home::{Heading, HomeNetworks};
pub use prevalence::{Contacts, Prevalence, Subject};
pub use schedule::Schedule;

use crate::detector::Event;

/// What detectors know of the network.
#[derive(Debug, Default)]
pub struct Scene {
    /// Which addresses are ours.
    pub home: HomeNetworks,
    /// Hosts with a part to play.
    pub assets: Assets,
    /// When people work, and who may log on when.
    pub schedule: Schedule,
    /// Who has to do with what.
    pub contacts: Contacts,
}

impl Scene {
    /// Learns of an event; called for each, before the detectors are told of it.
    pub fn note(&mut self, event: &Event<'_>) {
        self.contacts.note(event);
    }
}
