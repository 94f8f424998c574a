//! Copies an archive to another place, say a bucket in which many sensors' archives come together.
//!
//! In: an archive and where to. Out: the files that the other place lacks. A file of an archive is
//! whole under its name and never written again, so what is there in the same size is there; what
//! is being written has a name that begins with a dot and is passed over. Nothing is deleted: how
//! long rows are kept is for the place that keeps them to say.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use indicatif::{HumanBytes, HumanCount};
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::archive::Archive;
use crate::ask::say;
use crate::error::HuntError;

/// Files on their way at a time: enough to hide a store's delay, few enough for memory, for a file
/// is held whole.
const ON_THEIR_WAY: usize = 4;

/// Copies what `to` lacks of `from`.
///
/// # Errors
/// Either cannot be listed, a file cannot be read or written, or the user stops it; what was copied
/// until then is whole, and the next run goes on from there.
pub(crate) async fn run(from: &Archive, to: &str) -> Result<(), HuntError> {
    let to = Archive::open(to)?;
    let there = listed(&to).await?;
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    let (mut had, mut bytes) = (0_u64, 0_u64);
    for (name, size) in listed(from).await? {
        if there.get(&name) == Some(&size) {
            had += 1;
            continue;
        }
        bytes += size;
        if name.ends_with(".parquet") { rows.push(name) } else { others.push(name) }
    }
    let files = (rows.len() + others.len()) as u64;
    // What tells of files comes after them.
    for names in [rows, others] {
        let copies = stream::iter(names).map(|name| copy(from, &to, name));
        let copied = copies.buffer_unordered(ON_THEIR_WAY).try_collect::<Vec<()>>();
        tokio::select! {
            done = copied => drop(done?),
            _ = tokio::signal::ctrl_c() => return Err(HuntError::Interrupted),
        }
    }
    let noun = if files == 1 { "file" } else { "files" };
    say(&format!(
        "{} {noun} ({}) copied to {}; {} were there",
        HumanCount(files),
        HumanBytes(bytes),
        to.name(),
        HumanCount(had)
    ));
    Ok(())
}

/// Files below an archive's folder: their names from there on, and sizes.
async fn listed(archive: &Archive) -> Result<BTreeMap<String, u64>, HuntError> {
    let mut listing = archive.store().list(Some(archive.root()));
    let mut files = BTreeMap::new();
    while let Some(object) = listing.next().await {
        let object = match object {
            // Retention was faster than the listing.
            Err(object_store::Error::NotFound { .. }) => continue,
            object => object?,
        };
        let Some(parts) = object.location.prefix_match(archive.root()) else { continue };
        let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
        if !parts.iter().any(|part| part.starts_with('.')) {
            files.insert(parts.join("/"), object.size);
        }
    }
    Ok(files)
}

async fn copy(from: &Archive, to: &Archive, name: String) -> Result<(), HuntError> {
    let place = |archive: &Archive| -> StorePath {
        name.split('/').fold(archive.root().clone(), StorePath::join)
    };
    let bytes = match from.store().get(&place(from)).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(()),
        object => object?.bytes().await?,
    };
    to.store().put(&place(to), bytes.into()).await?;
    Ok(())
}
