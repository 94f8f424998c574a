//! What the sensor may do once its sockets and files are open: as little as its work needs.
//!
//! In: who to be, which paths to read and to write, whether it sends anything out. Out: the process
//! as that user, without capabilities and without a way to new ones, confined to those paths
//! (Landlock) and to the system calls of its work (seccomp). Whatever the wire makes a parser do
//! then, it does it in there.
//!
//! **Invariant:** this happens before the first thread starts, so that it holds for all of them.

mod calls;
mod paths;
mod trial;
mod user;

use std::io;
use std::path::PathBuf;

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

pub use trial::{Act, trials};
pub use user::User;

use crate::config::Switch;
use crate::live::PrivilegesConfig;

/// What the sensor needs afterwards.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Files and directories that are read again.
    pub reads: Vec<PathBuf>,
    /// Directories that are written in; those that are not there are made for the user.
    pub writes: Vec<PathBuf>,
    /// Whether it sends anything out.
    pub network: Network,
}

/// Whether the sensor sends anything out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// It answers on its address only.
    #[default]
    Answers,
    /// It sends alerts or fetches feeds.
    Sends,
}

/// Why privileges could not be given up; the sensor does not go on then.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There is no such user.
    #[error(
        "there is no user {0:?}, which `user` below `[privileges]` names; make one with \
         `useradd --system --shell /usr/sbin/nologin {0}`"
    )]
    NoUser(String),
    /// The system refused.
    #[error("cannot {action}: {cause}; `sandbox = \"off\"` below `[privileges]` does without")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        cause: io::Error,
    },
}

/// What holds now, for the log.
#[derive(Clone, Debug)]
pub struct Given {
    /// Who the sensor is.
    pub user: User,
    /// Whether paths are confined; old kernels cannot.
    pub paths: Confinement,
    /// Whether system calls are.
    pub calls: Confinement,
}

/// Whether a confinement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// It does.
    Holds,
    /// The kernel has no such thing, or it was switched off.
    Missing,
}

/// Gives up everything that `needs` does not name. It cannot be had back.
///
/// # Errors
/// The user does not exist, or the system refuses.
pub fn give_up(config: &PrivilegesConfig, needs: &Needs) -> Result<Given, PrivilegeError> {
    let user = User::wanted(config.user.as_deref())?;
    let refused = |action| move |cause: io::Error| PrivilegeError::Refused { action, cause };
    // A core file would hold what passed on the wire.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none)
        .map_err(|error| refused("forbid core files")(error.into()))?;
    for directory in needs.writes.iter().filter(|directory| !directory.exists()) {
        std::fs::create_dir_all(directory)
            .and_then(|()| user.own(directory))
            .map_err(refused("make a directory for the user"))?;
    }
    empty_bounding_set().map_err(refused("give up capabilities"))?;
    user.become_it().map_err(refused("become the configured user"))?;
    drop_capabilities().map_err(refused("give up capabilities"))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| refused("forbid new privileges")(error.into()))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| refused("forbid being traced")(error.into()))?;
    let (mut paths, mut calls) = (Confinement::Missing, Confinement::Missing);
    if config.sandbox == Switch::On {
        paths = paths::confine(needs).map_err(refused("confine paths"))?;
        calls = calls::confine(needs.network).map_err(refused("confine system calls"))?;
    }
    Ok(Given { user, paths, calls })
}

/// Keeps this thread, and all that it will start, from ever having a capability. It takes one of
/// root's to do so, and thus comes before becoming somebody else.
fn empty_bounding_set() -> io::Result<()> {
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // Behind the last one that the kernel knows, or not allowed to begin with: then the
            // set can only hold what no-new-privileges keeps out.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => break,
            other => other?,
        }
    }
    Ok(())
}

/// Empties every other set of capabilities.
fn drop_capabilities() -> io::Result<()> {
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}
