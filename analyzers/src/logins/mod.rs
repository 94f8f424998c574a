//! Who came in where and when: the parts that the login detectors share.
//!
//! In: rows of RDP, SMB and flows. Out: findings about logins that break a rule of the schedule or
//! the habit of the one who logs on.
//!
//! What counts as a login is in [`login`], what one is used to in [`habit`], and [`judge`] holds
//! each login to both.

pub mod habit;
pub mod judge;
pub mod login;
mod report;

pub use judge::{Kept, Logins, Memory, Thresholds};
pub use login::Login;
