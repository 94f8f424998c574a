//! What the second stage knows before the first packet: networks and assets, indicators, countries.
//!
//! In: the configuration and the files that it names. Out: [`Knowledge`], and what was wrong with
//! feeds, which is told and stops nothing.

use std::sync::Arc;

use analyzers::scene::Contacts;
use analyzers::{HomeNetworks, Scene, Timestamp};
use jiff::tz::TimeZone;

use super::schedule::{ScheduleError, schedule};
use crate::config::Config;
use crate::enrich::geo::{Geo, GeoError, GeoStore};
use crate::intel::{IntelError, IntelReport, IntelStore};

/// What the second stage knows.
#[derive(Default)]
pub struct Knowledge {
    /// Networks and assets.
    pub scene: Scene,
    /// Indicators and the allow-list; none where nothing is asked of them.
    pub intel: Option<Arc<IntelStore>>,
    /// Countries and autonomous systems, where there is a database.
    pub geo: Option<Geo>,
}

/// Why something that is configured cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// An allow-list, or a list of another sort.
    #[error(transparent)]
    Intel(#[from] IntelError),
    /// The schedule or the time zone.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A database.
    #[error(transparent)]
    Geo(#[from] GeoError),
}

impl Knowledge {
    /// Reads what the configuration names; `now` is the wall clock's.
    ///
    /// # Errors
    /// An allow-list or a database is broken, or the time zone is unknown. What is wrong with a
    /// feed stands in the report.
    pub fn load(config: &Config, now: Timestamp) -> Result<(Self, IntelReport), KnowledgeError> {
        let scene = scene(config)?;
        let zone = TimeZone::get(&config.sensor.timezone).unwrap_or(TimeZone::UTC);
        let geo = GeoStore::open(&config.geoip)?;
        let has_geo = config.geoip.country.is_some() || config.geoip.asn.is_some();
        let (store, report) = IntelStore::load(&config.intel, &config.sensor.state, zone, now)?;
        let intel = Some(Arc::new(store));
        let knowledge = Self { scene, intel, geo: has_geo.then(|| geo.reader()) };
        Ok((knowledge, report))
    }
}

/// What detectors know of the network, by the configuration.
///
/// # Errors
/// The schedule or the time zone is not valid.
pub fn scene(config: &Config) -> Result<Scene, ScheduleError> {
    let networks = config.sensor.home_networks.iter().map(|network| network.0).collect();
    Ok(Scene {
        home: HomeNetworks::new(networks),
        assets: config.assets.clone(),
        schedule: schedule(config)?,
        contacts: Contacts::default(),
    })
}
