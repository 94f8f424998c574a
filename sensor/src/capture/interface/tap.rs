//! What every way to hear packets can do.

use std::os::fd::BorrowedFd;

use super::filling::Filling;
use crate::capture::Pressure;
use crate::capture::files::Problems;

/// A place where packets come in: an interface, or a socket that a mirror sends to.
pub(super) trait Tap: Send {
    /// Becomes readable when packets have come.
    fn socket(&self) -> Option<BorrowedFd<'_>>;

    /// Puts what has come into `filling`, as far as there is room; never waits. What happened to
    /// the interface is a problem.
    fn read(&mut self, filling: &mut Filling, problems: &mut Problems);

    /// What was lost since the last call.
    fn losses(&mut self) -> Losses;

    /// How full the place is where packets wait.
    fn pressure(&self) -> Pressure {
        Pressure::Low
    }

    /// Lets nothing in any more: what [`read`](Self::read) gives from now on is the rest.
    fn close_door(&mut self);
}

/// Packets that came and could not be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// The kernel had no room for them.
    pub(super) kernel: u64,
    /// The card had no room for them.
    pub(super) interface: u64,
}
