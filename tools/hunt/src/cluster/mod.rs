//! Hunts on many machines: an opt-in of the build (`--features cluster`).
//!
//! In: a plan that the engine has made here, pruned by time as ever, and a scheduler's address.
//! Out: rows, computed by executors that read the archive's files themselves.

#[cfg(feature = "cluster")]
mod ballista;
#[cfg(not(feature = "cluster"))]
mod missing;

#[cfg(feature = "cluster")]
pub use ballista::{Cluster, execute, schedule};
#[cfg(not(feature = "cluster"))]
pub use missing::Cluster;
