//! The archive's limits, kept while the sensor runs, in a thread of their own: the data path never
//! waits for files to be removed.
//!
//! In: the limits. Out: the oldest hours removed, and a line of the log about it. Ages are told by
//! the wall clock: a quiet wire must not keep what the operator wants gone.

use std::path::Path;
use std::time::Duration;

use crate::archive::{self, Limits, PrunedHour, Pruning};
use crate::capture::Stop;
use crate::clock;
use crate::config::Config;
use crate::replay::ReplayError;

/// How often age and free space are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Looks between two that add up the sizes of all files, which takes a while.
const LOOKS_WITHOUT_SIZES: u32 = 60;

/// How often it is asked whether the sensor stops.
const STEP: Duration = Duration::from_millis(500);

/// Starts the thread, if there is an archive with limits.
///
/// # Errors
/// The system has no thread.
pub(super) fn start(config: &Config, stop: Stop) -> Result<(), ReplayError> {
    let limits = Limits::from(config.archive.retention);
    let Some(directory) = config.archive.path.clone().filter(|_| !limits.is_none()) else {
        return Ok(());
    };
    let keep = move || keep(&directory, limits, &stop);
    std::thread::Builder::new().name("retention".to_owned()).spawn(keep)?;
    Ok(())
}

fn keep(directory: &Path, limits: Limits, stop: &Stop) {
    for look in 0_u32.. {
        let bytes = limits.bytes.filter(|_| look % LOOKS_WITHOUT_SIZES == 0);
        prune(directory, &Limits { bytes, ..limits });
        let mut waited = Duration::ZERO;
        while waited < LOOK {
            if stop.is_asked() {
                return;
            }
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }
}

/// Prunes once; what fails is tried again at the next look.
fn prune(directory: &Path, limits: &Limits) {
    let (mut hours, mut files, mut bytes, mut why) = (0_u64, 0, 0, "");
    let mut removed = |hour: PrunedHour| {
        hours += 1;
        files += hour.files;
        bytes += hour.bytes;
        why = hour.why;
    };
    let outcome = archive::prune(directory, limits, clock::now(), Pruning::Done, &mut removed);
    if hours > 0 {
        tracing::info!(hours, files, bytes, limit = why, "retention removed the oldest hours");
    }
    if let Err(error) = outcome {
        tracing::warn!("the archive's limits cannot be kept: {error}");
    }
}
