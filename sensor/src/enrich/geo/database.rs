//! One database. In: a file. Out: its answers, read from the fields that MaxMind's databases have
//! and that makers of free ones use for the same.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use maxminddb::{LookupResult, PathElement, Reader};
use serde::Deserialize;

use super::{Country, GeoError};

/// Bytes of one database. The largest that are sold have some 150 MB; it lies in memory whole.
const DATABASE_BYTES: u64 = 1 << 30;

/// Networks that are looked at to learn whether a database holds what it is named for. Some have
/// long runs without it.
const NETWORKS_TRIED: usize = 10_000;

/// Bytes of a name of an autonomous system; longer ones are cut.
const NAME_BYTES: usize = 256;

const COUNTRY_FIELDS: [&[PathElement<'static>]; 3] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("registered_country"), PathElement::Key("iso_code")],
    &[PathElement::Key("country_code")],
];
const NUMBER_FIELDS: [&[PathElement<'static>]; 1] =
    [&[PathElement::Key("autonomous_system_number")]];
const NAME_FIELDS: [&[PathElement<'static>]; 1] =
    [&[PathElement::Key("autonomous_system_organization")]];

/// What a database is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Countries,
    Systems,
}

/// A database in memory.
#[derive(Debug)]
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    path: Box<Path>,
}

impl Database {
    /// Reads a file and checks it whole.
    pub(super) fn open(path: &Path, holds: Holds) -> Result<Self, GeoError> {
        let fail = |reason: String| GeoError { path: path.to_owned(), reason };
        let damaged =
            |error| fail(format!("is not a whole MaxMind database ({error}); download it again"));
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(DATABASE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| fail(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > DATABASE_BYTES {
            return Err(fail(format!("is larger than {DATABASE_BYTES} bytes")));
        }
        let reader = Reader::from_source(bytes).map_err(damaged)?;
        reader.verify().map_err(damaged)?;
        let database = Self { reader, path: path.into() };
        if !database.has(holds).map_err(damaged)? {
            let kind = &database.reader.metadata().database_type;
            let (missing, named) = match holds {
                Holds::Countries => ("countries", "country = \"GeoLite2-Country.mmdb\""),
                Holds::Systems => ("autonomous systems", "asn = \"GeoLite2-ASN.mmdb\""),
            };
            let kind = analyzers::text::escape(kind.as_bytes()).into_owned();
            return Err(fail(format!(
                "is a database of type {kind:?}, which holds no {missing}; name one that does, as \
                 in {named}"
            )));
        }
        Ok(database)
    }

    fn has(&self, holds: Holds) -> Result<bool, maxminddb::MaxMindDbError> {
        for network in self.reader.networks(Default::default())?.take(NETWORKS_TRIED) {
            let network = network?;
            let has = match holds {
                Holds::Countries => country(&network).is_some(),
                Holds::Systems => first::<u32>(&network, &NUMBER_FIELDS).is_some(),
            };
            if has {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The country of an address.
    pub(super) fn country(&self, address: IpAddr) -> Option<Country> {
        country(&self.reader.lookup(address).ok()?)
    }

    /// Number and name of the autonomous system of an address.
    pub(super) fn system(&self, address: IpAddr) -> (Option<i64>, Option<Arc<str>>) {
        let Ok(found) = self.reader.lookup(address) else { return (None, None) };
        let number = first::<u32>(&found, &NUMBER_FIELDS).map(i64::from);
        let name = first::<&str>(&found, &NAME_FIELDS).filter(|name| !name.is_empty());
        (number, name.map(|name| Arc::from(cut(name))))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = self.reader.metadata();
        let built = i64::try_from(metadata.build_epoch)
            .ok()
            .and_then(|second| jiff::Timestamp::from_second(second).ok())
            .map(|built| format!(", built {}", built.strftime("%F")))
            .unwrap_or_default();
        let kind = analyzers::text::escape(metadata.database_type.as_bytes());
        write!(f, "{}: {kind}{built}", self.path.display())
    }
}

fn country(found: &LookupResult<'_, Vec<u8>>) -> Option<Country> {
    first::<&str>(found, &COUNTRY_FIELDS).and_then(Country::parse)
}

/// The first field that is there and of that type.
fn first<'a, T: Deserialize<'a>>(
    found: &LookupResult<'a, Vec<u8>>,
    fields: &[&[PathElement<'static>]],
) -> Option<T> {
    fields.iter().find_map(|field| found.decode_path(field).ok().flatten())
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES)).unwrap_or(name)
}
