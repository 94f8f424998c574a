//! `serval check --privileges`: gives up this process's rights as a sensor does, and tries what
//! must not be possible any more.

use std::io::Write as _;
use std::process::ExitCode;

use super::needs::needs;
use crate::cli::CheckArgs;
use crate::config::Config;
use crate::privileges::{Confinement, give_up, trials};
use crate::replay::ReplayError;

/// Prints each act and why it failed; the exit status tells whether all did.
///
/// # Errors
/// The configuration cannot be read, or the rights cannot be given up.
pub fn privileges(args: &CheckArgs) -> Result<ExitCode, ReplayError> {
    let config = Config::load(args.config.as_deref())?;
    let needs = needs(&config, args.config.as_deref());
    let given = give_up(&config.privileges, &needs)?;
    let mut text = format!("user {}\n", given.user.name);
    for (what, confinement) in [("paths", given.paths), ("system calls", given.calls)] {
        let holds = match confinement {
            Confinement::Holds => "confined",
            Confinement::Missing => "NOT confined: switched off, or the kernel cannot",
        };
        text.push_str(&format!("{what} {holds}\n"));
    }
    let mut verdict = ExitCode::SUCCESS;
    for act in trials(needs.network) {
        let outcome = act.denied.unwrap_or_else(|| {
            verdict = ExitCode::FAILURE;
            "POSSIBLE".to_owned()
        });
        text.push_str(&format!("{}: {outcome}\n", act.what));
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(verdict)
}
