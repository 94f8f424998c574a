//! Whether the archive holds what its manifests say: each file, byte for byte.
//!
//! In: the archive. Out: each file that was changed, is missing or has no entry, each place at
//! which a manifest is broken, and the heads of the chains. Nothing is changed. A sensor may write
//! meanwhile: what differs is looked at again at the end, by the manifests as they are then.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::ArchiveError;
use super::manifest::{self, Hash, Ledger, Standing, hash_file};
use super::tree::{self, Leaf, Root};

/// What is wrong with one file, or one place of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A manifest is broken there.
    Manifest {
        /// Whose.
        sensor: String,
        /// Where and how.
        what: String,
    },
    /// A head that was given is not one that a manifest had.
    Head(String),
    /// A file is not what it was.
    Changed {
        /// Which.
        file: String,
        /// How that shows.
        how: &'static str,
    },
    /// A file is not there.
    Missing(String),
    /// A file cannot be read.
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        why: String,
    },
    /// Something that no manifest knows.
    Unlisted(String),
    /// A file that was removed is there.
    Left {
        /// Which.
        file: String,
        /// Why it should be gone.
        why: &'static str,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever can put a file here chooses its name.
        let shown = |name: &str| name.escape_debug().to_string();
        match self {
            Self::Manifest { sensor, what } => {
                write!(f, "manifest    {}/{}.jsonl: {what}", manifest::FOLDER, shown(sensor))
            }
            Self::Head(head) => write!(f, "head        {head}: no manifest passes through it"),
            Self::Changed { file, how } => write!(f, "changed     {}: {how}", shown(file)),
            Self::Missing(file) => write!(f, "missing     {}", shown(file)),
            Self::Unreadable { file, why } => write!(f, "unreadable  {}: {why}", shown(file)),
            Self::Unlisted(file) => write!(f, "unlisted    {}", shown(file)),
            Self::Left { file, why } => write!(f, "left over   {}: {why}", shown(file)),
        }
    }
}

/// What an archive was found to be.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// Files that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of each sensor's manifest: entries, and the hash of the last one in hexadecimal.
    pub heads: BTreeMap<String, (u64, String)>,
}

/// Reads all of an archive with that many threads; `heads` are hashes of entries that the manifests
/// must have.
///
/// # Errors
/// The archive or a manifest cannot be read, or there is no manifest.
pub fn verify(archive: &Path, heads: &[[u8; 32]], threads: usize) -> Result<Verdict, ArchiveError> {
    let ledgers = manifest::ledgers(archive, heads)?;
    if ledgers.is_empty() {
        return Err(ArchiveError::NoManifest { path: archive.to_owned() });
    }
    let listed = Listed::of(&ledgers);
    let leaves = tree::leaves(archive)?;
    let root = Root::open(archive)?;
    let mut faults = look(&root, &listed, &leaves, threads);
    let there: HashMap<&str, ()> = leaves.iter().map(|leaf| (leaf.name.as_str(), ())).collect();
    let missing = listed.files().filter(|name| !there.contains_key(name));
    faults.extend(missing.map(|name| Fault::Missing(name.to_owned())));
    if !faults.is_empty() {
        let now = manifest::ledgers(archive, &[])?;
        let now = Listed::of(&now);
        faults.retain(|fault| still(&root, &now, fault));
    }
    let passed: Vec<&Hash> = ledgers.values().flat_map(|ledger| &ledger.passed).collect();
    let hex = |hash: &Hash| data_encoding::HEXLOWER.encode(hash);
    faults.extend(heads.iter().filter(|head| !passed.contains(head)).map(|h| Fault::Head(hex(h))));
    for (sensor, ledger) in &ledgers {
        let fault = |what: &String| Fault::Manifest { sensor: sensor.clone(), what: what.clone() };
        faults.extend(ledger.faults.iter().map(fault));
    }
    faults.sort_unstable();
    Ok(Verdict {
        faults,
        files: leaves.len() as u64,
        bytes: leaves.iter().filter_map(|leaf| leaf.bytes).sum(),
        heads: ledgers.iter().map(|(s, l)| (s.clone(), (l.entries, hex(&l.head)))).collect(),
    })
}

/// What the manifests say together.
struct Listed<'a>(Vec<&'a Ledger>);

impl<'a> Listed<'a> {
    fn of(ledgers: &'a BTreeMap<String, Ledger>) -> Self {
        Self(ledgers.values().collect())
    }

    fn standing(&self, name: &str) -> Option<&'a Standing> {
        self.0.iter().find_map(|ledger| ledger.files.get(name))
    }

    fn files(&self) -> impl Iterator<Item = &'a str> {
        let all = self.0.iter().flat_map(|ledger| &ledger.files);
        all.filter(|(_, standing)| matches!(standing, Standing::Listed(..)))
            .map(|(name, _)| name.as_str())
    }
}

/// Looks at everything that is there, several at a time.
fn look(root: &Root, listed: &Listed<'_>, leaves: &[Leaf], threads: usize) -> Vec<Fault> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        while let Some(leaf) = leaves.get(next.fetch_add(1, Ordering::Relaxed)) {
            faults.extend(fault_of(root, listed.standing(&leaf.name), leaf));
        }
        faults
    };
    std::thread::scope(|scope| {
        let hands: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut faults = work();
        for hand in hands {
            faults.extend(hand.join().unwrap_or_default());
        }
        faults
    })
}

fn fault_of(root: &Root, standing: Option<&Standing>, leaf: &Leaf) -> Option<Fault> {
    let file = leaf.name.clone();
    let (hash, bytes) = match standing {
        None => return Some(Fault::Unlisted(file)),
        Some(Standing::Gone(why)) => return Some(Fault::Left { file, why }),
        Some(Standing::Listed(hash, bytes)) => (hash, *bytes),
    };
    match leaf.bytes {
        None => return Some(Fault::Changed { file, how: "it is no file any more" }),
        Some(now) if now != bytes => {
            return Some(Fault::Changed { file, how: "its size is another one" });
        }
        Some(_) => {}
    }
    match root.read(&file).and_then(|mut opened| hash_file(&mut opened)) {
        Ok((now, _)) if now == *hash => None,
        Ok(_) => Some(Fault::Changed { file, how: "its SHA-256 is another one" }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Fault::Missing(file)),
        Err(error) => Some(Fault::Unreadable { file, why: error.to_string() }),
    }
}

/// Whether a fault is one by what the manifests say now.
fn still(root: &Root, now: &Listed<'_>, fault: &Fault) -> bool {
    let is_there = |file: &str| root.read(file).is_ok();
    let is_listed = |file: &str| matches!(now.standing(file), Some(Standing::Listed(..)));
    match fault {
        Fault::Missing(file) => is_listed(file) && !is_there(file),
        Fault::Unlisted(file) => now.standing(file).is_none(),
        Fault::Left { file, .. } => is_there(file) && !is_listed(file),
        Fault::Changed { file, .. } | Fault::Unreadable { file, .. } => is_listed(file),
        Fault::Manifest { .. } | Fault::Head(_) => true,
    }
}
