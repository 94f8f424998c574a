//! Manifests, read whole: which files there should be, and where the chain is broken.
//!
//! In: the folder of manifests. Out: a ledger for each sensor.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use data_encoding::HEXLOWER;

use super::entry::{Entry, Event, FileEntry, Hash, Line, NOTHING};
use super::{EXTENSION, FOLDER};
use crate::archive::error::ArchiveError;

/// What a manifest says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::archive) enum Standing {
    /// It is there, with this hash and size.
    Listed(Hash, u64),
    /// It was removed, and why.
    Gone(&'static str),
}

/// What one manifest says.
#[derive(Debug, Default)]
pub(in crate::archive) struct Ledger {
    /// Its files.
    pub(in crate::archive) files: HashMap<String, Standing>,
    /// Places at which the chain is broken.
    pub(in crate::archive) faults: Vec<String>,
    /// The number of its last entry.
    pub(in crate::archive) entries: u64,
    /// The hash of its last entry.
    pub(in crate::archive) head: Hash,
    /// Which of the heads that were asked for it passed through.
    pub(in crate::archive) passed: Vec<Hash>,
}

/// All manifests of an archive, by the sensor's name; none where it has none. Each notes which of
/// `heads` it passes through.
///
/// # Errors
/// One cannot be read.
pub(in crate::archive) fn ledgers(
    archive: &Path,
    heads: &[Hash],
) -> Result<BTreeMap<String, Ledger>, ArchiveError> {
    let folder = archive.join(FOLDER);
    let failed = || ArchiveError::io("read the manifests in", &folder);
    let listing = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        listing => listing.map_err(failed())?,
    };
    let mut ledgers = BTreeMap::new();
    for entry in listing {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name();
        let sensor = name.to_str().and_then(|name| name.strip_suffix(EXTENSION));
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if let Some(sensor) = sensor.filter(|_| is_file) {
            let path = entry.path();
            let failed = ArchiveError::io("read the manifest", &path);
            let file = File::open(&path).map_err(ArchiveError::io("open the manifest", &path))?;
            let ledger = whole_turns(&file).and_then(|end| Ledger::read(file.take(end), heads));
            ledgers.insert(sensor.to_owned(), ledger.map_err(failed)?);
        }
    }
    Ok(ledgers)
}

/// Where a manifest ends now, outside of any turn. A sensor that runs goes on meanwhile, and waits
/// no longer than for that.
fn whole_turns(file: &File) -> io::Result<u64> {
    let _ = file.lock_shared();
    let end = file.metadata()?.len();
    let _ = file.unlock();
    Ok(end)
}

impl Ledger {
    fn read(file: impl io::Read, heads: &[Hash]) -> io::Result<Self> {
        let mut lines = BufReader::with_capacity(1 << 20, file);
        let mut ledger = Self { head: NOTHING, ..Self::default() };
        let (mut number, mut line) = (0_u64, Vec::new());
        // What the next entry may hold as the hash of this one.
        let mut before = vec![NOTHING];
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(ledger);
            }
            number += 1;
            let Some(whole) = line.strip_suffix(b"\n") else {
                ledger.faults.push(format!(
                    "line {number}: an entry is unfinished, as a crash leaves it; the sensor cuts \
                     it off with its next one"
                ));
                return Ok(ledger);
            };
            let read = Line::read(whole);
            if heads.contains(&read.hash) {
                ledger.passed.push(read.hash);
            }
            match &read.entry {
                Some(entry) => {
                    let follows = HEXLOWER.decode(entry.before.as_bytes()).ok();
                    let follows = follows.is_some_and(|hash| {
                        before.is_empty() || before.iter().any(|before| before[..] == hash[..])
                    });
                    if !follows {
                        ledger.faults.push(format!(
                            "line {number}: this entry does not follow the one before it: some \
                             were removed, added or put in another order"
                        ));
                    }
                }
                None => ledger.faults.push(format!("line {number}: this entry was changed")),
            }
            // A line without a hash tells nothing about the next one.
            before = read.stated.map(|stated| vec![stated, read.hash]).unwrap_or_default();
            ledger.head = read.hash;
            ledger.entries = number;
            if let Some(entry) = read.entry {
                ledger.take(entry);
            }
        }
    }

    fn take(&mut self, entry: Entry) {
        let mut gone = |files: Vec<String>, why| {
            for file in files {
                self.files.insert(file, Standing::Gone(why));
            }
        };
        let file = match entry.event {
            Event::Written(file) | Event::Adopted(file) => file,
            Event::Merged { file, replaces } => {
                gone(replaces, "its rows were merged into another one");
                file
            }
            Event::Retired { files, .. } => return gone(files, "retention removed it"),
            Event::Withdrawn { files } => return gone(files, "it could not be put in its place"),
            Event::Repaired { .. } => return,
        };
        let FileEntry { file, bytes, sha256, .. } = file;
        let hash = HEXLOWER.decode(sha256.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        self.files.insert(file, Standing::Listed(hash.unwrap_or(NOTHING), bytes));
    }
}
