//! Which indicators have been tried already, so that a timer tries only new ones.
//!
//! A file of one hexadecimal digest a line, for each archive one. The digest is of the indicator's
//! kind, scope, value and validity: when any of them changes, it is tried anew.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use signatures::{Indicator, Scope};

use crate::error::HuntError;
use crate::output::Draft;

/// Digests of what has been tried.
#[derive(Debug, Default)]
pub(super) struct Tried(HashSet<u64>);

impl Tried {
    /// Reads a file; none is an empty one.
    pub(super) fn load(path: &Path) -> Result<Self, HuntError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            text => text.map_err(HuntError::io(format!("cannot read {}", path.display())))?,
        };
        let digest = |(at, line)| {
            u64::from_str_radix(line, 16).map_err(|_| {
                let place = format!("{}:{}", path.display(), at + 1);
                HuntError::Usage(format!("{place}: not a digest; remove the file to try all anew"))
            })
        };
        Ok(Self(text.lines().enumerate().map(digest).collect::<Result<_, _>>()?))
    }

    /// The digest of an indicator that has not been tried; none of one that has.
    pub(super) fn fresh(&self, indicator: &Indicator) -> Option<u64> {
        Some(digest_of(indicator)).filter(|digest| !self.0.contains(digest))
    }

    /// With more.
    pub(super) fn and(mut self, fresh: Vec<u64>) -> Self {
        self.0.extend(fresh);
        self
    }

    /// Writes the file anew.
    pub(super) fn save(&self, path: &Path) -> Result<(), HuntError> {
        use std::io::Write as _;

        let what = || format!("cannot write {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(HuntError::io(what()))?;
        }
        let mut digests: Vec<_> = self.0.iter().collect();
        digests.sort_unstable();
        let mut text = String::with_capacity(digests.len() * 17);
        for digest in digests {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{digest:016x}");
        }
        let draft = Draft::create(path)?;
        let mut writer = draft.writer()?;
        let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
        written.map_err(HuntError::io(what()))?;
        draft.publish()
    }
}

/// The file for an archive: `$XDG_STATE_HOME/serval/retro-DIGEST`.
pub(super) fn default_file(archive: &str) -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local").join("state"))
    })?;
    let archive = std::fs::canonicalize(archive).unwrap_or_else(|_| archive.into());
    let digest = digest(&[archive.to_string_lossy().as_bytes()]);
    Some(state.join("serval").join(format!("retro-{digest:016x}")))
}

fn digest(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let bytes = hash.finalize();
    bytes.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

fn digest_of(indicator: &Indicator) -> u64 {
    let scope: &[u8] = match indicator.key.scope() {
        Scope::Exact => b"exact",
        Scope::Beneath => b"beneath",
    };
    let validity = format!("{:?}", indicator.validity);
    let kind = indicator.key.kind().name().as_bytes();
    digest(&[kind, scope, indicator.key.bytes(), validity.as_bytes()])
}
