//! Where a setting is written. In: a configuration file. Out: file and line of a key.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::CheckError;

/// A configuration file, or none.
#[derive(Clone, Debug, Default)]
pub struct Source {
    file: Option<PathBuf>,
    text: String,
}

/// A step on the way to a setting.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A key.
    Key(&'a str),
    /// A place in an array, from 0.
    Item(usize),
}

impl Source {
    /// Reads the file, where one is named.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(file: Option<&Path>) -> Result<Self, CheckError> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(file)?;
        Ok(Self { file: Some(file.to_owned()), text })
    }

    /// What is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// File and line of the setting; the file alone where it is not written.
    #[must_use]
    pub fn place(&self, steps: &[Step<'_>]) -> String {
        let file = match &self.file {
            None => return "the default configuration".to_owned(),
            Some(file) => file.display(),
        };
        match self.line(steps) {
            Some(line) => format!("{file}:{line}"),
            None => file.to_string(),
        }
    }

    fn line(&self, steps: &[Step<'_>]) -> Option<usize> {
        let root = DeTable::parse(&self.text).ok()?;
        let (first, rest) = steps.split_first()?;
        let Step::Key(section) = first else { return None };
        let mut value = root.get_ref().get(*section)?;
        for step in rest {
            value = match (step, value.get_ref()) {
                (Step::Key(key), DeValue::Table(table)) => table.get(*key)?,
                (Step::Item(at), DeValue::Array(items)) => items.get(*at)?,
                _ => return None,
            };
        }
        let before = self.text.get(..value.span().start)?;
        Some(before.matches('\n').count() + 1)
    }
}
