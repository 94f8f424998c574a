//! Allow-lists as people write them. In: TOML. Out: rules and the values under which they are
//! found, or the line at which something is not understood: half an allow-list is none.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use super::AllowError;
use super::end::End;
use super::rule::{Conditions, Mode, Reach, Rule};
use super::when::When;
use crate::feeds::seconds_until;
use crate::index::Index;
use crate::value::network_of_any_size;
use crate::{Key, Kind, Validity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    allow: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: Spanned<String>,
    reason: Option<String>,
    owner: Option<String>,
    mode: Option<Spanned<String>>,
    #[serde(default)]
    override_intel: bool,
    unless_tag: Option<String>,
    until: Option<Spanned<toml::Value>>,
    #[serde(default)]
    detectors: Vec<String>,
    // What was seen.
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
    #[serde(default)]
    hashes: Vec<Spanned<String>>,
    // Who did it, how and when.
    #[serde(default)]
    src: Vec<Spanned<String>>,
    #[serde(default)]
    dst: Vec<Spanned<String>>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    protocols: Vec<String>,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    user_agents: Vec<String>,
    #[serde(default)]
    days: Vec<String>,
    hours: Option<Spanned<String>>,
    timezone: Option<Spanned<String>>,
}

/// Rules that are being read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) index: Index,
    /// For each value of the index, its rule.
    pub(super) rules_of_values: Vec<u32>,
    pub(super) rules: Vec<Rule>,
}

/// A file that is being read.
struct Page<'a> {
    file: &'a Path,
    text: &'a str,
    reach: Reach,
}

impl Draft {
    /// Adds a file's rules.
    pub(super) fn add(
        &mut self,
        file: &Path,
        text: &str,
        zone: &TimeZone,
        reach: Reach,
    ) -> Result<(), AllowError> {
        let page = Page { file, text, reach };
        let written: Written = toml::from_str(text)
            .map_err(|error| page.error(error.span(), error.message().to_owned()))?;
        for written in written.allow {
            let by_value = self.add_values(&page, &written)?;
            let rule = page.rule(written, by_value, zone)?;
            self.rules.push(rule);
        }
        Ok(())
    }

    /// Puts the values of the next rule under its number; whether there are any.
    fn add_values(&mut self, page: &Page<'_>, rule: &WrittenRule) -> Result<bool, AllowError> {
        let number = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        let before = self.rules_of_values.len();
        for (values, keys_of) in [
            (&rule.names, name_keys as fn(&str) -> Option<Vec<Key>>),
            (&rule.addresses, address_keys),
            (&rule.hashes, hash_keys),
        ] {
            for value in values {
                for key in page.read(value, keys_of)? {
                    let full =
                        || page.error(Some(value.span()), "the allow-list is full".to_owned());
                    self.index.insert(&key).ok_or_else(full)?;
                    self.rules_of_values.push(number);
                }
            }
        }
        Ok(self.rules_of_values.len() > before)
    }
}

impl Page<'_> {
    fn rule(
        &self,
        written: WrittenRule,
        by_value: bool,
        zone: &TimeZone,
    ) -> Result<Rule, AllowError> {
        let until = match &written.until {
            None => None,
            Some(until) => seconds_until(until.as_ref().to_string().trim_matches('"'))
                .ok_or_else(|| self.error(Some(until.span()), "until is no date".to_owned()))?,
        };
        let mode = match &written.mode {
            None => Mode::Suppress,
            Some(mode) => self.read(mode, Mode::parse)?,
        };
        let conditions = Conditions {
            src: self.ends(&written.src)?,
            dst: self.ends(&written.dst)?,
            ports: written.ports.clone(),
            protocols: written.protocols.clone(),
            users: written.users.clone(),
            user_agents: written.user_agents.clone(),
            when: self.when(&written, zone)?,
        };
        let line = self.line(written.id.span().start);
        let id = written.id.into_inner();
        if !by_value && conditions == Conditions::default() {
            let reason =
                format!("{id:?} says neither what, who nor when; it would allow everything");
            return Err(AllowError { file: self.file.to_owned(), line: Some(line), reason });
        }
        Ok(Rule {
            id,
            file: self.file.to_owned(),
            line,
            reason: written.reason,
            owner: written.owner,
            detectors: written.detectors,
            mode,
            validity: Validity { from: None, until },
            overrides: written.override_intel,
            unless_tag: written.unless_tag,
            by_value,
            reach: self.reach,
            conditions,
        })
    }

    fn ends(&self, written: &[Spanned<String>]) -> Result<Vec<End>, AllowError> {
        written.iter().map(|end| self.read(end, End::parse)).collect()
    }

    fn when(&self, written: &WrittenRule, zone: &TimeZone) -> Result<Option<When>, AllowError> {
        let zone = match &written.timezone {
            None => zone.clone(),
            Some(name) => self.read(name, |name| TimeZone::get(name).ok())?,
        };
        if written.days.is_empty() && written.hours.is_none() {
            return Ok(None);
        }
        let hours = written.hours.as_ref();
        let span = hours.map(Spanned::span).unwrap_or_else(|| written.id.span());
        let text = hours.map(|hours| hours.as_ref().as_str());
        When::parse(&written.days, text, zone).map(Some).map_err(|why| self.error(Some(span), why))
    }

    fn read<T>(
        &self,
        value: &Spanned<String>,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, AllowError> {
        read(value.as_ref()).ok_or_else(|| {
            self.error(Some(value.span()), format!("{:?} is not understood", value.as_ref()))
        })
    }

    fn error(&self, span: Option<Range<usize>>, reason: impl fmt::Display) -> AllowError {
        AllowError {
            file: self.file.to_owned(),
            line: span.map(|span| self.line(span.start)),
            reason: reason.to_string(),
        }
    }

    fn line(&self, at: usize) -> u32 {
        let before = self.text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

fn name_keys(text: &str) -> Option<Vec<Key>> {
    // One label is fine here: `.arpa` asks about nothing that a feed should name.
    Key::allowed_name(text).ok().map(|key| vec![key])
}

fn address_keys(text: &str) -> Option<Vec<Key>> {
    let key = match text.parse::<IpAddr>() {
        Ok(_) => Key::parse(Kind::Address, text).ok()?,
        Err(_) => network_of_any_size(text).ok()?,
    };
    Some(vec![key])
}

/// Nobody says whether a hash is a file's or a certificate's; a hash is not met by chance.
fn hash_keys(text: &str) -> Option<Vec<Key>> {
    let kinds: &[Kind] = match text.len() {
        32 => &[Kind::FileMd5, Kind::Ja3],
        40 => &[Kind::FileSha1, Kind::CertificateSha1],
        64 => &[Kind::FileSha256, Kind::CertificateSha256],
        _ => &[Kind::Ja4],
    };
    kinds.iter().map(|&kind| Key::parse(kind, text).ok()).collect()
}
