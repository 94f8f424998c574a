//! What detectors know of the network around an event: which addresses are home, which hosts are
//! special.
//!
//! In: the configuration, and events in their order. Out: answers. Everything here moves in packet
//! time and in the one order of events, so that answers do not depend on the number of workers.

pub mod assets;
pub mod home;
pub mod schedule;

pub use assets::Assets;
pub use home::{Heading, HomeNetworks};
pub use schedule::Schedule;

/// What detectors know of the network.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Which addresses are ours.
    pub home: HomeNetworks,
    /// Hosts with a part to play.
    pub assets: Assets,
    /// When people work, and who may log on when.
    pub schedule: Schedule,
}
