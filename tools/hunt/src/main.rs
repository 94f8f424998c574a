//! The program `serval-hunt`: reads what was typed, asks, says what went wrong.

use std::process::ExitCode;

use clap::Parser as _;
use hunt::ask::say;
use hunt::cli::Cli;
use hunt::error::HuntError;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status after Ctrl-C, as shells know it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("serval hunt: no threads to work with: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(hunt::run(cli));
    // Scans that an early end left behind are not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) | Err(HuntError::ReaderGone) => ExitCode::SUCCESS,
        Err(error @ HuntError::Interrupted) => {
            say(&format!("serval hunt: {error}"));
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            say(&format!("serval hunt: {error}"));
            ExitCode::FAILURE
        }
    }
}
