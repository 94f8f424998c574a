//! Writes the man pages and the shells' completions of `serval` into a folder.
//!
//! In: the folder. Out: `man/*.1`, `completions/{serval.bash,_serval,serval.fish}`. What they say
//! is what the command line itself says.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;
use sensor::cli::Cli;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("name the folder to write to")?;
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(Cli::command(), &man)?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut Cli::command(), "serval", &completions)?;
    }
    Ok(())
}
