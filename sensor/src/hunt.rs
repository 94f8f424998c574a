//! `serval hunt …`: hands over to the program `serval-hunt`, as git does with its subcommands.
//!
//! In: what was typed behind `hunt`. Out: that program in the place of this one. The sensor itself
//! carries no query engine.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The program's name.
const PROGRAM: &str = "serval-hunt";

/// Why there is no hunt.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    /// The program is nowhere.
    #[error(
        "hunting needs the program {PROGRAM}, which is neither beside serval nor on the PATH; \
         `cargo build --release --package hunt` makes it: put it beside serval"
    )]
    Missing,
    /// The system refuses to start it.
    #[error("cannot start {path}: {error}")]
    Start {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Runs the hunt; on Unix it takes this program's place and does not come back.
///
/// # Errors
/// The program is not installed or cannot be started.
pub fn run(args: &[OsString]) -> Result<ExitCode, HuntError> {
    let path = program();
    let mut command = Command::new(&path);
    command.args(args);
    start(command).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => HuntError::Missing,
        _ => HuntError::Start { path, error },
    })
}

/// The program beside this one, else whatever the PATH has.
fn program() -> PathBuf {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

#[cfg(unix)]
fn start(mut command: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn start(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
