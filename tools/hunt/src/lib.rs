//! Serval's hunt: questions to the archive.
//!
//! In: an archive and a question, in SQL or by name. Out: an answer, for people or programs. It is
//! a program of its own, `serval-hunt`, which `serval hunt` runs: the sensor on the SPAN port
//! carries no query engine, and a hunter's laptop needs no libpcap.
//!
//! # Invariants
//! - **Invariant:** a hunt changes nothing in the archive; what SQL can say only reads.
//!   (Retrospective matching adds files of alerts, and a push adds files elsewhere, where told to.)
//! - **Invariant:** an archive without a table, or without any file, gives an empty answer, not an
//!   error.
//! - **Invariant:** text of the archive is escaped in every form of output.

#![forbid(unsafe_code)]

pub mod archive;
pub mod ask;
pub mod cli;
mod clock;
pub mod cluster;
pub mod engine;
pub mod error;
mod functions;
pub mod hunts;
pub mod mistake;
pub mod output;
mod progress;
mod prompt;
mod push;
mod report;
mod retro;
mod story;
mod views;
pub mod window;

use std::io::{IsTerminal as _, Read as _, Write as _};

use crate::archive::Archive;
use crate::ask::{Telling, say};
use crate::cli::{Cli, Command, HuntsArgs, OutputArgs, RunArgs, Scope};
use crate::engine::Engine;
use crate::error::HuntError;
use crate::hunts::Hunt;

/// Does what was typed.
///
/// # Errors
/// The question makes no sense, the archive cannot be read, or the answer cannot be written.
pub async fn run(cli: Cli) -> Result<(), HuntError> {
    let Cli { command, scope, output, list, sql } = cli;
    let target = output.target();
    match command {
        None if list => print(&hunts::list(&known_hunts(&HuntsArgs::usual())?)),
        None => query(&scope, &output, sql.as_deref()).await,
        Some(Command::List(args)) => print(&hunts::list(&known_hunts(&args)?)),
        Some(Command::Show { name, hunts }) => {
            print(&hunts::show(hunts::find(&known_hunts(&hunts)?, &name)?))
        }
        Some(Command::Run(args)) => run_hunt(&scope, &output, &args).await,
        Some(Command::Host { address }) => {
            story::host(&open(&scope).await?, &address, &target).await.map(drop)
        }
        Some(Command::Retro(args)) => retro::run(&scope, &target, &args).await,
        Some(Command::Report { form }) => {
            report::write(&scope, form, output.output.as_deref()).await
        }
        Some(Command::Push { to }) => push::run(&Archive::open(&scope.archive)?, &to).await,
        #[cfg(feature = "cluster")]
        Some(Command::Cluster { role }) => match role {
            cli::ClusterRole::Scheduler { listen } => cluster::schedule(listen).await,
            cli::ClusterRole::Executor(args) => cluster::execute(&args, scope.memory).await,
        },
        Some(Command::Flow { name }) => {
            story::flow(&open(&scope).await?, &name, &target).await.map(drop)
        }
    }
}

async fn open(scope: &Scope) -> Result<Engine, HuntError> {
    let archive = Archive::open(&scope.archive)?;
    Engine::open(&archive, scope.window()?, &scope.bounds()).await
}

async fn query(scope: &Scope, output: &OutputArgs, sql: Option<&str>) -> Result<(), HuntError> {
    let engine = open(scope).await?;
    let sql = match sql {
        None if std::io::stdin().is_terminal() => {
            return prompt::run(&engine, &scope.archive, output.format).await;
        }
        Some("-") | None => read_query()?,
        Some(sql) => sql.to_owned(),
    };
    let answer = engine.query(&sql).await?;
    ask::write(&engine, answer, &output.target(), telling(output)).await.map(drop)
}

async fn run_hunt(scope: &Scope, output: &OutputArgs, args: &RunArgs) -> Result<(), HuntError> {
    let hunts = known_hunts(&args.hunts)?;
    let hunt = hunts::find(&hunts, &args.name)?;
    let engine = open(scope).await?;
    let statement = hunt.statement(&engine, &args.params)?;
    let answer = engine.run(&hunt.text, statement).await?;
    let rows = ask::write(&engine, answer, &output.target(), telling(output)).await?;
    if rows > 0 && telling(output) == Telling::OnTerminal && is_watched() {
        say(&format!("\nHow to read it: {}", hunt.header.reading));
    }
    Ok(())
}

fn is_watched() -> bool {
    std::io::stderr().is_terminal() && std::io::stdout().is_terminal()
}

fn known_hunts(args: &HuntsArgs) -> Result<Vec<Hunt>, HuntError> {
    let own = args.hunts.clone().or_else(hunts::own_directory);
    hunts::all(own.as_deref())
}

const fn telling(output: &OutputArgs) -> Telling {
    if output.stats { Telling::Always } else { Telling::OnTerminal }
}

fn print(text: &str) -> Result<(), HuntError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(HuntError::io("cannot write the answer"))
}

fn read_query() -> Result<String, HuntError> {
    let mut sql = String::new();
    std::io::stdin()
        .read_to_string(&mut sql)
        .map_err(HuntError::io("cannot read the query from standard input"))?;
    Ok(sql)
}
