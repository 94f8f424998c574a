//! Who the sensor is once it needs no privileges any more.

use std::io;

use rustix::process::{Gid, Uid};

use super::PrivilegeError;

/// The user that Serval's package makes.
const PACKAGED: &str = "serval";

/// A user with its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, or its number where it has none.
    pub name: String,
    uid: u32,
    gid: u32,
}

impl User {
    /// The one that is configured; else, of a process of root, who has called `sudo`, or the user
    /// of the package; else whoever it is now.
    ///
    /// # Errors
    /// The configured one does not exist.
    pub(super) fn wanted(configured: Option<&str>) -> Result<Self, PrivilegeError> {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if let Some(name) = configured {
            let found = Self::find(&users, name);
            return found.ok_or_else(|| PrivilegeError::NoUser(name.to_owned()));
        }
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let caller = uid.is_root().then(|| std::env::var("SUDO_UID").ok()).flatten();
        let caller = caller.and_then(|number| Self::find(&users, &number));
        let packaged = || uid.is_root().then(|| Self::find(&users, PACKAGED)).flatten();
        let now = || Self { name: uid.as_raw().to_string(), uid: uid.as_raw(), gid: gid.as_raw() };
        Ok(caller.filter(|user| user.uid != 0).or_else(packaged).unwrap_or_else(now))
    }

    /// The user of that name or number in the text of `/etc/passwd` (passwd(5)).
    fn find(users: &str, wanted: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, uid, gid) =
                (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let (uid, gid) = (uid.parse::<u32>().ok()?, gid.parse().ok()?);
            let name = name.to_owned();
            (name == wanted || uid.to_string() == wanted).then_some(Self { name, uid, gid })
        })
    }

    /// Whether it is root, who may do much even without capabilities.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Gives it a directory that the sensor has just made for it.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn own(&self, path: &std::path::Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
    }

    /// Makes this thread, and so all that it will start, the user's.
    pub(super) fn become_it(&self) -> io::Result<()> {
        if rustix::process::geteuid().as_raw() == self.uid {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken line\nserval:x:998:997::/:/bin/false\n";
        for (wanted, expected) in [
            ("serval", Some((998, 997))),
            ("998", Some((998, 997))),
            ("0", Some((0, 0))),
            ("nobody", None),
            ("", None),
        ] {
            let found = User::find(users, wanted).map(|user| (user.uid, user.gid));
            assert_eq!(found, expected, "{wanted}");
        }
    }
}
