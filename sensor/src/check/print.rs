//! The effective configuration: the defaults, and over them what a file says.

use toml::{Table, Value};

use super::CheckError;
use super::sample::SETTINGS;
use super::source::Source;
use crate::config::Config;

/// What stands for what must not be shown.
const HIDDEN: &str = "…";

/// Every setting with the value that is used, as TOML. Keys of servers are hidden.
///
/// # Errors
/// A value cannot be written as TOML.
pub(super) fn effective(config: &Config, source: &Source) -> Result<String, CheckError> {
    let mut all: Table = SETTINGS.parse()?;
    overlay(&mut all, source.text().parse()?);
    // Each sink with all of its settings.
    all.insert("alerts".to_owned(), Value::try_from(&config.alerts)?);
    hide(&mut all);
    Ok(toml::to_string_pretty(&all)?)
}

/// Lays a table over another, table by table; anything else is replaced.
fn overlay(all: &mut Table, over: Table) {
    for (key, value) in over {
        match (all.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => drop(all.insert(key, value)),
        }
    }
}

/// Hides the values of every table of headers, which are where keys of servers are.
fn hide(table: &mut Table) {
    for (key, value) in table.iter_mut() {
        if key == "headers"
            && let Value::Table(headers) = value
        {
            headers.iter_mut().for_each(|(_, value)| *value = HIDDEN.into());
        } else {
            hide_in(value);
        }
    }
}

fn hide_in(value: &mut Value) {
    match value {
        Value::Table(table) => hide(table),
        Value::Array(items) => items.iter_mut().for_each(hide_in),
        _ => {}
    }
}
