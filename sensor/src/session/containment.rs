//! A panic in an analyzer costs its flow the rest of the conversation, and nothing else.
//!
//! In: calls of analyzers. Out: their answers, or that the analyzer is lost. A protocol whose
//! analyzer panics again and again is switched off: its flows are recognised and not looked into.
//! Nothing here costs anything while there is no panic.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use analyzers::Protocol;

/// Panics after which a protocol is switched off. A fault that needs odd bytes is met now and then;
/// one that is met so often is being used against us, or is met by everybody.
const PANICS_MAX: u64 = 10;

/// Panics by protocol, since the start. Empty in every run that we want to see.
static PANICS: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

/// Whether any protocol is switched off, so that nobody waits for the lock to learn that none is.
static SOME_ARE_OFF: AtomicBool = AtomicBool::new(false);

/// An analyzer has panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost;

/// Calls an analyzer of `protocol`.
///
/// What the call had borrowed may be half changed afterwards: the analyzer is never called again,
/// and the emitter holds whole rows only, as each is pushed when it is complete.
#[inline]
pub(super) fn call<T>(protocol: &Protocol, call: impl FnOnce() -> T) -> Result<T, Lost> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| lose(protocol.name))
}

#[cold]
fn lose(name: &'static str) -> Lost {
    let mut panics = panics();
    let count = panics.entry(name).or_default();
    *count += 1;
    tracing::error!(protocol = name, count = *count, "an analyzer panicked; please report this");
    if *count == PANICS_MAX {
        SOME_ARE_OFF.store(true, Ordering::Relaxed);
        tracing::error!(protocol = name, "switched off until the sensor is started again");
    }
    Lost
}

/// Whether the analyzer of `protocol` has panicked too often to be used.
#[inline]
pub(super) fn is_off(protocol: &Protocol) -> bool {
    SOME_ARE_OFF.load(Ordering::Relaxed)
        && panics().get(protocol.name).is_some_and(|count| *count >= PANICS_MAX)
}

/// How often analyzers have panicked since the start, by protocol.
#[must_use]
pub fn panics_by_protocol() -> BTreeMap<&'static str, u64> {
    panics().clone()
}

fn panics() -> MutexGuard<'static, BTreeMap<&'static str, u64>> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}
