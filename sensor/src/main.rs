//! The program `serval`: reads what was typed, runs the verb, says what went wrong.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use sensor::cli::{Cli, Command, SchemaForm};
use sensor::{archive, baseline, check, explain, hunt, intel, live, replay, schema, tables, tune};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let done = match &cli.command {
        Command::Replay(args) => replay::replay(args),
        Command::Watch(args) => live::watch(args),
        Command::Status(args) => live::status(args),
        Command::Intel(args) => intel::ask::run(&args.command),
        Command::Check(args) => check::check(args),
        Command::Archive(args) => archive::ask::run(&args.command),
        Command::Hunt { args } => hunt::run(args).map_err(Into::into),
        Command::Baseline(args) => baseline::run(args),
        Command::Explain(args) => explain::explain(args.detector.as_deref())
            .map_err(Into::into)
            .and_then(|text| print(&text)),
        Command::Tune(args) => tune::run(args),
        Command::Schema(args) => print_schema(args.format),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "serval: {error}");
        ExitCode::FAILURE
    })
}

/// Prints the schema.
fn print_schema(form: SchemaForm) -> Result<ExitCode, replay::ReplayError> {
    print(&match form {
        SchemaForm::Text => schema::text(&tables::all()),
        SchemaForm::Json => schema::json(&tables::all())?,
    })
}

/// Prints a text; a reader that has seen enough is no failure.
fn print(text: &str) -> Result<ExitCode, replay::ReplayError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
