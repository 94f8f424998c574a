//! An entry of a manifest: what became of files, as a line of JSON with the hash of the one before.
//!
//! In: events. Out: lines, and back. `before` is the hash of the entry before; `hash` is the
//! SHA-256 of everything that stands in the line before it. So a change of any byte breaks the
//! entry that it is in, and an entry that is taken out breaks the one behind it.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a file or of an entry.
pub(in crate::archive) type Hash = [u8; 32];

/// Before the first entry.
pub(super) const NOTHING: Hash = [0; 32];

/// What stands between an entry and its hash, and behind it.
const HASH: &str = ",\"hash\":\"";
const END: &str = "\"}";

/// A file as it was when it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::archive) struct FileEntry {
    /// Where, from the archive's directory on, with `/`.
    pub(in crate::archive) file: String,
    /// Its size.
    pub(in crate::archive) bytes: u64,
    /// Its rows, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::archive) rows: Option<u64>,
    /// Its hash, in hexadecimal.
    pub(in crate::archive) sha256: String,
}

/// What became of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(in crate::archive) enum Event {
    /// One was written. Entered before it gets its name, so that none has a name without an entry.
    Written(FileEntry),
    /// One was written from others that are gone.
    Merged {
        /// The new one.
        #[serde(flatten)]
        file: FileEntry,
        /// Those whose rows it has.
        replaces: Vec<String>,
    },
    /// One that had no entry was taken as it was found.
    Adopted(FileEntry),
    /// Some were removed by retention, or are about to be.
    Retired {
        /// Which.
        files: Vec<String>,
        /// By which limit.
        why: String,
    },
    /// Some that were entered could not be given their names.
    Withdrawn {
        /// Which.
        files: Vec<String>,
    },
    /// The manifest ended in an unfinished entry, which a crash had left; it was cut off.
    Repaired {
        /// Bytes that were cut off.
        cut: u64,
    },
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its number, from one.
    pub(super) entry: u64,
    /// When it was made, by the wall clock.
    pub(super) at: String,
    /// What it says.
    #[serde(flatten)]
    pub(super) event: Event,
    /// The hash of the entry before.
    pub(super) before: String,
}

impl Entry {
    /// Its line, with the line's end, and its hash.
    pub(super) fn line(&self) -> Result<(String, Hash), serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        line.pop();
        let hash: Hash = Sha256::digest(line.as_bytes()).into();
        line.push_str(HASH);
        line.push_str(&HEXLOWER.encode(&hash));
        line.push_str(END);
        line.push('\n');
        Ok((line, hash))
    }
}

/// A line as it was read.
pub(super) struct Line {
    /// The number that it states, whether or not it is what was written.
    pub(super) number: u64,
    /// What it says; `None` where it is not what was written.
    pub(super) entry: Option<Entry>,
    /// The hash that it should have.
    pub(super) hash: Hash,
    /// The hash that it states.
    pub(super) stated: Option<Hash>,
}

impl Line {
    /// Reads a line, without its end.
    pub(super) fn read(line: &[u8]) -> Self {
        let split = split(line);
        let (body, stated) = split.map_or((line, None), |(body, stated)| (body, Some(stated)));
        let hash: Hash = Sha256::digest(body).into();
        let is_sound = stated == Some(hash);
        let parse = || {
            let mut text = body.to_vec();
            text.push(b'}');
            serde_json::from_slice(&text).ok()
        };
        Self { number: number(line), entry: is_sound.then(parse).flatten(), hash, stated }
    }
}

fn number(line: &[u8]) -> u64 {
    let digits = line.strip_prefix(b"{\"entry\":").unwrap_or_default();
    let end = digits.iter().position(|digit| !digit.is_ascii_digit()).unwrap_or(0);
    str::from_utf8(&digits[..end]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What the hash is of, and the hash.
fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let tail = HASH.len() + 2 * size_of::<Hash>() + END.len();
    let (body, tail) = line.split_at_checked(line.len().checked_sub(tail)?)?;
    let digits = tail.strip_prefix(HASH.as_bytes())?.strip_suffix(END.as_bytes())?;
    let hash = HEXLOWER.decode(digits).ok()?;
    Some((body, hash.try_into().ok()?))
}
