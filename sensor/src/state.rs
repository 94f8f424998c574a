//! The state directory (`state` below `[sensor]`): what a sensor keeps over a restart.
//!
//! In: the directory. Out: the place of each thing in it, and a damaged file set aside: what was
//! kept is a help and no need, so a sensor starts without it, says so, and leaves the file for a
//! person to look at.
//!
//! | in the directory | what |
//! |---|---|
//! | `outbox/` | alerts that sinks are owed, and how far each sink is |
//! | `intel/` | the last good copy of each feed that is fetched |
//! | `baseline.json` | what login detectors learned |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is put behind the name of a damaged file; an earlier one of that name is replaced.
const DAMAGED: &str = "damaged";

/// Where the last good copies of feeds are.
#[must_use]
pub fn intel(state: &Path) -> PathBuf {
    state.join("intel")
}

/// Where baselines are.
#[must_use]
pub fn baseline(state: &Path) -> PathBuf {
    state.join("baseline.json")
}

/// Puts a damaged file or folder out of the way, under its name with `.damaged` behind it, and says
/// so; one that cannot be moved is told, too, and is in nobody's way for long: it is written anew.
pub(crate) fn set_aside(path: &Path, why: &str) {
    let aside = aside_of(path);
    match moved(path, &aside) {
        Ok(()) => tracing::warn!(
            "{} is damaged and was moved to {}: {why}; the sensor goes on without it",
            path.display(),
            aside.display()
        ),
        Err(error) => tracing::warn!(
            "{} is damaged: {why}; the sensor goes on without it, and it cannot be moved out of \
             the way: {error}",
            path.display()
        ),
    }
}

/// Keeps a copy of a damaged file, of which the part that is whole stays in use.
pub(crate) fn copy_aside(path: &Path, why: &str) {
    let aside = aside_of(path);
    match fs::copy(path, &aside) {
        Ok(_) => tracing::warn!(
            "{} is damaged: {why}; what is whole is used, all of it is kept as {}",
            path.display(),
            aside.display()
        ),
        Err(error) => tracing::warn!(
            "{} is damaged: {why}; what is whole is used, and no copy can be kept: {error}",
            path.display()
        ),
    }
}

fn aside_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(DAMAGED);
    path.with_file_name(name)
}

fn moved(path: &Path, aside: &Path) -> io::Result<()> {
    // A folder cannot be put over another one.
    if aside.is_dir() {
        fs::remove_dir_all(aside)?;
    }
    fs::rename(path, aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_and_folders_make_room_and_the_last_one_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (file, folder) = (directory.path().join("a.json"), directory.path().join("b.feed"));
        for content in ["first", "second"] {
            fs::write(&file, content).unwrap();
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("x"), content).unwrap();
            copy_aside(&file, "it is odd");
            assert!(file.exists());
            set_aside(&file, "it is odd");
            set_aside(&folder, "it is odd");
            assert!(!file.exists() && !folder.exists());
            let kept = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
            assert_eq!(kept("a.json.damaged"), content);
            assert_eq!(kept("b.feed.damaged/x"), content);
        }
        set_aside(&file, "it is not there, which is told and harms nobody");
    }
}
