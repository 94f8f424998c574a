//! Small files of one hour put in one: what readers see changes in one step.
//!
//! In: files of one folder, and the file that has their rows. Out: the folder with the one in the
//! place of the others, and the manifest that says so.
//!
//! # How it is done
//! A folder beside the hour's, hidden, gets the new file and links to all files of the hour that
//! stay. The two folders are exchanged in one step (`RENAME_EXCHANGE`), the manifest is written,
//! the old folder removed. A plan that lies beside them, durable before the exchange, says to
//! whoever finds it after a crash which of that is left to do.
//!
//! # What readers see
//! Who lists the folder sees the rows once, before the exchange as after. Who listed it before and
//! opens a file after finds it gone, which is an error and no wrong answer. Where the file system
//! cannot exchange folders or link files (network file systems), the new file gets its name first
//! and the others are removed then: for as long as that takes rows are seen twice, never not at
//! all. A file that the sensor puts there in the instant of the exchange is seen a moment later.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rustix::fs::{CWD, RenameFlags};
use serde::{Deserialize, Serialize};

use super::error::ArchiveError;
use super::file::{self, SensorName, sync_directory};
use super::manifest::{self, Event, FileEntry, Hash, Manifest, hash_file};
use super::tree;
use super::write::Encoded;

/// Ends the name of a plan.
const PLAN: &str = ".merge";

/// Ends the name of the folder that is exchanged.
const STAGING: &str = ".merging";

/// Keeps two processes from merging at a time.
const LOCK: &str = "merge.lock";

/// What is to be done, as it is kept until it is done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The new file.
    file: FileEntry,
    /// Those whose rows it has.
    replaces: Vec<FileEntry>,
}

/// The right to merge, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: File,
}

impl Turn {
    /// Takes the right to merge; `None` where another process has it.
    pub(super) fn take(archive: &Path) -> Result<Option<Self>, ArchiveError> {
        let path = archive.join(manifest::FOLDER).join(LOCK);
        let failed = || ArchiveError::io("lock", &path);
        let folder = archive.join(manifest::FOLDER);
        fs::create_dir_all(&folder).map_err(failed())?;
        let lock = File::create(&path).map_err(failed())?;
        own_as(&path, &fs::metadata(&folder).map_err(failed())?);
        match lock.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            // Where a file system has no locks, the operator sees to it.
            _ => Ok(Some(Self { _lock: lock })),
        }
    }
}

/// A merge on its way.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    archive: &'a Path,
    plan: Plan,
    paths: Paths,
}

/// Where the parts of a merge lie.
#[derive(Debug)]
struct Paths {
    /// The table's folder.
    table: PathBuf,
    /// The hour's.
    hour: PathBuf,
    plan: PathBuf,
    staging: PathBuf,
    /// The new file's name.
    name: String,
}

impl Paths {
    fn of(archive: &Path, file: &str) -> Option<Self> {
        let mut parts = file.split('/');
        let (table, date, hour, name) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let stem = name.strip_suffix(".parquet").filter(|_| parts.next().is_none())?;
        let table = archive.join(table);
        Some(Self {
            hour: table.join(date).join(hour),
            plan: table.join(format!(".{stem}{PLAN}")),
            staging: table.join(format!(".{stem}{STAGING}")),
            name: name.to_owned(),
            table,
        })
    }

    fn merged(&self) -> PathBuf {
        self.hour.join(&self.name)
    }
}

impl<'a> Merge<'a> {
    /// Writes down what is to be done.
    pub(super) fn plan(
        archive: &'a Path,
        file: FileEntry,
        replaces: Vec<FileEntry>,
    ) -> Result<Self, ArchiveError> {
        let no_name =
            || io::Error::new(io::ErrorKind::InvalidInput, "no name of an archive's file");
        let paths = Paths::of(archive, &file.file)
            .ok_or_else(|| ArchiveError::io("merge into", Path::new(&file.file))(no_name()))?;
        let plan = Plan { file, replaces };
        let failed = || ArchiveError::io("write", &paths.plan);
        let text = serde_json::to_vec(&plan).map_err(|error| failed()(error.into()))?;
        fs::write(&paths.plan, text).map_err(failed())?;
        File::open(&paths.plan).and_then(|file| file.sync_all()).map_err(failed())?;
        sync_directory(&paths.table)?;
        Ok(Self { archive, plan, paths })
    }

    /// Puts the new file in the place of the others.
    pub(super) fn swap(&self, encoded: Encoded) -> Result<(), ArchiveError> {
        let folder =
            fs::metadata(&self.paths.hour).map_err(ArchiveError::io("read", &self.paths.hour))?;
        own_as(encoded.target.path(), &folder);
        let exchanged = self.stage(encoded.target.path(), &folder).and_then(|()| self.exchange());
        if exchanged.is_err() {
            let _ = fs::remove_dir_all(&self.paths.staging);
            encoded.target.publish()?;
        }
        [&self.paths.hour, &self.paths.table].into_iter().try_for_each(|at| sync_directory(at))?;
        sync_directory(self.paths.hour.parent().unwrap_or(&self.paths.table))
    }

    /// Fills the folder that is to be the hour's.
    fn stage(&self, merged: &Path, folder: &Metadata) -> io::Result<()> {
        let staging = &self.paths.staging;
        fs::create_dir(staging)?;
        fs::set_permissions(staging, folder.permissions())?;
        own_as(staging, folder);
        for entry in fs::read_dir(&self.paths.hour)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && !self.plan.is_replaced(&entry.file_name()) {
                fs::hard_link(entry.path(), staging.join(entry.file_name()))?;
            }
        }
        fs::hard_link(merged, staging.join(&self.paths.name))?;
        sync_directory(staging).map_err(io::Error::other)
    }

    fn exchange(&self) -> io::Result<()> {
        let (one, other) = (&self.paths.staging, &self.paths.hour);
        Ok(rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    /// Enters what was done, and removes what is not needed any more.
    pub(super) fn finish(self, manifest: &mut Manifest) -> Result<(), ArchiveError> {
        self.rescue()?;
        self.enter(manifest)?;
        self.clean()
    }

    /// Enters the new file and those that it replaces.
    pub(super) fn enter(&self, manifest: &mut Manifest) -> Result<(), ArchiveError> {
        let file = self.plan.file.clone();
        let replaces = self.plan.replaces.iter().map(|entry| entry.file.clone()).collect();
        manifest.append(vec![Event::Merged { file, replaces }])
    }

    /// Moves files that came into the old folder while it was exchanged.
    fn rescue(&self) -> Result<(), ArchiveError> {
        let failed = || ArchiveError::io("move files from", &self.paths.staging);
        let entries = match fs::read_dir(&self.paths.staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed())?,
        };
        for entry in entries {
            let entry = entry.map_err(failed())?;
            let place = self.paths.hour.join(entry.file_name());
            if !self.plan.is_replaced(&entry.file_name()) && !place.exists() {
                fs::rename(entry.path(), place).map_err(failed())?;
            }
        }
        sync_directory(&self.paths.hour)
    }

    /// Removes the old folder and, where folders could not be exchanged, the old files.
    fn clean(&self) -> Result<(), ArchiveError> {
        for old in &self.plan.replaces {
            let path = self.archive.join(&old.file);
            // A name that is free may have been taken again.
            let is_it = |(hash, _): (Hash, u64)| HEXLOWER.encode(&hash) == old.sha256;
            if File::open(&path).and_then(|mut file| hash_file(&mut file)).is_ok_and(is_it) {
                file::remove(&path)?;
            }
        }
        self.forget()
    }

    /// Removes the traces of the merge.
    fn forget(&self) -> Result<(), ArchiveError> {
        match fs::remove_dir_all(&self.paths.staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ArchiveError::io("remove", &self.paths.staging)(error));
            }
            _ => {}
        }
        file::remove(&self.paths.plan).map(drop)
    }
}

impl Plan {
    fn is_replaced(&self, name: &std::ffi::OsStr) -> bool {
        self.replaces.iter().any(|entry| tree::last(&entry.file) == name)
    }
}

/// Finishes merges that a crash interrupted, or undoes those that readers have not seen; answers
/// how many there were.
pub(super) fn recover(archive: &Path, sensor: &SensorName) -> Result<u64, ArchiveError> {
    let plans = file::ending(archive, PLAN, sensor)?;
    let stagings = file::ending(archive, STAGING, sensor)?;
    if plans.is_empty() && stagings.is_empty() {
        return Ok(0);
    }
    // A process that merges sees to its own.
    let Some(_turn) = Turn::take(archive)? else { return Ok(0) };
    let mut manifest = Manifest::of(archive, sensor);
    for path in &plans {
        let text = fs::read(path).map_err(ArchiveError::io("read", path))?;
        let plan: Option<Plan> = serde_json::from_slice(&text).ok();
        let paths = plan.as_ref().and_then(|plan| Paths::of(archive, &plan.file.file));
        let (Some(plan), Some(paths)) = (plan, paths) else {
            // It was being written: nothing had been done.
            file::remove(path)?;
            continue;
        };
        let merge = Merge { archive, plan, paths };
        if !merge.paths.merged().exists() {
            merge.forget()?;
        } else if manifest.knows_merged(&merge.plan.file)? {
            merge.rescue()?;
            merge.clean()?;
        } else {
            merge.finish(&mut manifest)?;
        }
    }
    for path in stagings {
        // Without a plan it was never exchanged.
        let _ = fs::remove_dir_all(path);
    }
    Ok(plans.len() as u64)
}

/// Gives a file or folder to whom its neighbours belong, where root made it.
pub(super) fn own_as(path: &Path, like: &Metadata) {
    if rustix::process::geteuid().is_root() {
        // What cannot be given away can be read by root alone, which is no loss of rows.
        let _ = std::os::unix::fs::chown(path, Some(like.uid()), Some(like.gid()));
    }
}
