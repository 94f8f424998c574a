//! Where an address is and whose it is: country and autonomous system, by databases in MaxMind's
//! format. In: addresses. Out: [`GeoFacts`].
//!
//! The format is <https://maxmind.github.io/MaxMind-DB/>. Databases are read into memory, never
//! mapped: a mapped file that somebody cuts short kills the process. They are checked whole when
//! they are opened, so that a look-up cannot fail; one that does all the same says nothing.

mod database;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use analyzers::Text;
use arc_swap::{ArcSwap, Cache};
use foldhash::fast::FixedState;
use serde::Deserialize;

use crate::stamp::Stamp;
use database::Database;

/// `[geoip]`: the databases. Without one, its columns stay empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeoConfig {
    /// A database of countries, or one of cities, which has the countries too.
    pub country: Option<PathBuf>,
    /// A database of autonomous systems.
    pub asn: Option<PathBuf>,
}

/// A country by the two letters of ISO 3166-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// From two letters; anything else is none.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then(|| Self(code.map(|c| c.to_ascii_uppercase())))
    }

    /// The two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Country> for Text {
    fn from(country: Country) -> Self {
        Self::from(country.code().to_owned())
    }
}

/// What is known about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeoFacts {
    /// Where it is used; where it is registered, when that is all that is known.
    pub country: Option<Country>,
    /// Number of the autonomous system that announces it.
    pub asn: Option<i64>,
    /// Who runs that system.
    pub as_org: Option<Arc<str>>,
}

/// Why a database cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct GeoError {
    /// Which file.
    pub path: PathBuf,
    /// Why, and what helps.
    pub reason: String,
}

/// Databases that can be exchanged while others look things up in them.
#[derive(Debug)]
pub struct GeoStore {
    config: GeoConfig,
    databases: Arc<ArcSwap<Databases>>,
    /// The states of the files that were last tried, good or bad, in the order of [`Databases`].
    tried: Mutex<[Stamp; 2]>,
}

#[derive(Debug, Default)]
struct Databases {
    country: Option<Arc<Database>>,
    asn: Option<Arc<Database>>,
}

/// What became of a look for new databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeoReload {
    /// Files that were read anew and are used from now on.
    pub exchanged: Vec<PathBuf>,
    /// Files that changed and cannot be used; what they held before is kept.
    pub refused: Vec<GeoError>,
}

impl GeoStore {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// A file is missing, damaged, or holds something else than what it is named for.
    pub fn open(config: &GeoConfig) -> Result<Self, GeoError> {
        let tried = stamps(config);
        let open = |path: &Option<PathBuf>, holds| {
            path.as_deref().map(|path| Database::open(path, holds).map(Arc::new)).transpose()
        };
        let databases = Databases {
            country: open(&config.country, database::Holds::Countries)?,
            asn: open(&config.asn, database::Holds::Systems)?,
        };
        Ok(Self {
            config: config.clone(),
            databases: Arc::new(ArcSwap::from_pointee(databases)),
            tried: Mutex::new(tried),
        })
    }

    /// A way to look addresses up, for one thread.
    #[must_use]
    pub fn reader(&self) -> Geo {
        Geo {
            databases: Cache::new(Arc::clone(&self.databases)),
            asked: std::ptr::null::<Databases>() as usize,
            slots: vec![None; Geo::SLOTS].into_boxed_slice(),
        }
    }

    /// Reads the databases anew whose files changed since the last try. One that cannot be used
    /// leaves the one in use as it is. To be called by one thread every now and then.
    pub fn reload_changed(&self) -> GeoReload {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.config);
        let mut done = GeoReload::default();
        let [country_tried, asn_tried] = &mut *tried;
        let mut again = |path: &Option<PathBuf>, (tried, now): (&mut Stamp, Stamp), holds| {
            let path = path.as_deref().filter(|_| *tried != now)?;
            *tried = now;
            match Database::open(path, holds) {
                Ok(database) => {
                    done.exchanged.push(path.to_owned());
                    Some(Arc::new(database))
                }
                Err(error) => {
                    done.refused.push(error);
                    None
                }
            }
        };
        let [country_now, asn_now] = now;
        let country =
            again(&self.config.country, (country_tried, country_now), database::Holds::Countries);
        let asn = again(&self.config.asn, (asn_tried, asn_now), database::Holds::Systems);
        if !done.exchanged.is_empty() {
            let old = self.databases.load();
            self.databases.store(Arc::new(Databases {
                country: country.or_else(|| old.country.clone()),
                asn: asn.or_else(|| old.asn.clone()),
            }));
        }
        done
    }

    /// What the databases say of themselves, for a person: one line each.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let databases = self.databases.load();
        [&databases.country, &databases.asn]
            .into_iter()
            .filter_map(|database| database.as_ref().map(|database| database.to_string()))
            .collect()
    }
}

fn stamps(config: &GeoConfig) -> [Stamp; 2] {
    [&config.country, &config.asn]
        .map(|path| path.as_deref().map(Path::new).map(Stamp::of).unwrap_or_default())
}

/// Looks addresses up, remembering the last ones.
#[derive(Clone)]
pub struct Geo {
    databases: Cache<Arc<ArcSwap<Databases>>, Arc<Databases>>,
    /// Where the databases lie that the slots were filled from.
    asked: usize,
    slots: Box<[Option<(IpAddr, GeoFacts)>]>,
}

impl Geo {
    /// Addresses that are remembered, each in the one place where it may be: 4,096 places of 64
    /// bytes. A network talks to some thousands of addresses at a time; whoever floods the table
    /// makes look-ups cost what they cost without it, a microsecond.
    pub const SLOTS: usize = 4_096;

    /// What is known about an address; nothing about most private ones.
    pub fn look_up(&mut self, address: IpAddr) -> GeoFacts {
        let address = address.to_canonical();
        let databases = self.databases.load();
        let here = Arc::as_ptr(databases) as usize;
        if self.asked != here {
            self.asked = here;
            self.slots.fill(None);
        }
        let hash = usize::try_from(FixedState::default().hash_one(address) & 0xffff_ffff);
        let Some(slot) = hash.ok().and_then(|hash| self.slots.get_mut(hash % Self::SLOTS)) else {
            return databases.look_up(address);
        };
        match slot {
            Some((remembered, facts)) if *remembered == address => facts.clone(),
            _ => {
                let facts = databases.look_up(address);
                *slot = Some((address, facts.clone()));
                facts
            }
        }
    }
}

impl fmt::Debug for Geo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Geo").finish_non_exhaustive()
    }
}

impl Databases {
    fn look_up(&self, address: IpAddr) -> GeoFacts {
        let (asn, as_org) =
            self.asn.as_ref().map(|database| database.system(address)).unwrap_or_default();
        let country = self.country.as_ref().and_then(|database| database.country(address));
        GeoFacts { country, asn, as_org }
    }
}
