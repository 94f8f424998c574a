//! Files without an entry, taken into the manifest as they are found: those of an archive that is
//! older than its manifest, and those that were put there by hand.
//!
//! In: the archive. Out: an entry for each. It says from when on a change shows, nothing of before.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::HEXLOWER;

use super::error::ArchiveError;
use super::file::SensorName;
use super::manifest::{self, Event, FILES_AN_ENTRY, FileEntry, Manifest, hash_file};
use super::tree::{self, Root};

/// Enters the files that have no entry, and tells `adopted` of each.
///
/// # Errors
/// A file cannot be read, or a manifest not written; what was entered before stays entered.
pub fn adopt(archive: &Path, adopted: &mut dyn FnMut(&str)) -> Result<u64, ArchiveError> {
    let ledgers = manifest::ledgers(archive, &[])?;
    let root = Root::open(archive)?;
    let mut waiting: BTreeMap<SensorName, Vec<Event>> = BTreeMap::new();
    let mut entered = 0;
    for leaf in tree::leaves(archive)? {
        let sensor = SensorName::of_file(tree::last(&leaf.name)).filter(|_| leaf.bytes.is_some());
        let is_known = ledgers.values().any(|ledger| ledger.files.contains_key(&leaf.name));
        let Some(sensor) = sensor.filter(|_| !is_known) else { continue };
        let failed = ArchiveError::io("read", Path::new(&leaf.name));
        let (hash, bytes) =
            root.read(&leaf.name).and_then(|mut file| hash_file(&mut file)).map_err(failed)?;
        adopted(&leaf.name);
        let sha256 = HEXLOWER.encode(&hash);
        let entry = FileEntry { file: leaf.name, bytes, rows: None, sha256 };
        let events = waiting.entry(sensor.clone()).or_default();
        events.push(Event::Adopted(entry));
        entered += 1;
        if events.len() >= FILES_AN_ENTRY {
            Manifest::of(archive, &sensor).append(std::mem::take(events))?;
        }
    }
    for (sensor, events) in waiting {
        Manifest::of(archive, &sensor).append(events)?;
    }
    Ok(entered)
}
