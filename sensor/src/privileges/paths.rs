//! Confines the process to its paths, by Landlock (landlock(7)).

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath,
    PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
};

use super::{Confinement, Needs, Network};

/// The latest version of Landlock that is asked for; an older kernel gives what it has.
const VERSION: ABI = ABI::V5;

/// What is read besides what the configuration names: names and roots of trust of peers, time
/// zones, the interfaces' own counts, the process itself.
const ALWAYS_READ: &[&str] = &[
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/localtime",
    "/etc/ssl",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/sys/class/net",
    "/sys/devices",
    "/sys/fs/cgroup",
    "/proc/self",
    "/dev/null",
    "/dev/urandom",
];

/// Confines this thread, and so all that it will start.
pub(super) fn confine(needs: &Needs) -> io::Result<Confinement> {
    let read = AccessFs::from_read(VERSION) & !BitFlags::from_flag(AccessFs::Execute);
    let write = AccessFs::from_write(VERSION) | read;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(VERSION))
        .map_err(io::Error::other)?;
    if needs.network == Network::Answers {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp).map_err(io::Error::other)?;
    }
    let mut ruleset = ruleset.create().map_err(io::Error::other)?;
    let always = ALWAYS_READ.iter().map(Path::new);
    let reads = needs.reads.iter().map(AsRef::as_ref).chain(always).map(|path| (path, read));
    let writes = needs.writes.iter().map(|path| (path.as_path(), write));
    for (path, access) in reads.chain(writes) {
        // What is not there now cannot be read later either; whoever needs it has said so.
        let Ok(opened) = PathFd::new(path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(VERSION) };
        ruleset = ruleset.add_rule(PathBeneath::new(opened, access)).map_err(io::Error::other)?;
    }
    let status = ruleset.restrict_self().map_err(io::Error::other)?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => Confinement::Missing,
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Confinement::Holds,
    })
}
