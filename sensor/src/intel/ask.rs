//! `serval intel`: questions about feeds of indicators. In: feeds, allow-lists, a value. Out: what
//! feeds hold, or whether the value would match; every refusal with file and line on standard
//! error.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use analyzers::Timestamp;
use jiff::tz::TimeZone;
use signatures::allow::{DefaultPack, Rule};
use signatures::feeds::{Column, Feed};
use signatures::matcher::DETECTOR;
use signatures::value::unicode_name;
use signatures::{
    AllowList, Indicator, IndicatorSet, Key, Kind, Matcher, Observable, Part, Scope, Tally,
};

use super::export;
use super::fetch::Copy;
use super::settings::{FeedSource, IntelConfig, column_named, format_named, kind_named};
use crate::cli::{IntelCheckArgs, IntelCommand, IntelReadingArgs, IntelTestArgs};
use crate::clock;
use crate::config::Config;
use crate::state;

/// Exit status when something in a feed was refused.
const SOME_REFUSED: u8 = 2;

/// Refusals of one feed that are printed one by one; more are counted.
const REFUSALS_PRINTED: usize = 100;

/// Silenced indicators that are printed one by one; more are counted.
const SILENCED_PRINTED: usize = 20;

/// Why a question cannot be answered.
pub type AskError = Box<dyn std::error::Error + Send + Sync>;

/// Answers.
///
/// # Errors
/// The question makes no sense, an allow-list is broken, or the answer cannot be written.
pub fn run(command: &IntelCommand) -> Result<ExitCode, AskError> {
    match command {
        IntelCommand::Check(args) => check(args),
        IntelCommand::Test(args) => test(args),
        IntelCommand::Export(args) => export::run(args),
    }
}

fn check(args: &IntelCheckArgs) -> Result<ExitCode, AskError> {
    let config = Config::load(args.reading.config.as_deref())?;
    let allow = allow_list(&args.reading, &config.intel)?;
    let mut parts = Vec::new();
    let mut refused = 0;
    let mut out = String::new();
    for feed in feeds(&args.feeds, &args.reading)?.into_iter().chain(configured(&config)) {
        let (part, tally) = Part::load(&feed);
        parts.push(Arc::new(part));
        tell_refusals(&feed.path, &tally);
        refused += tally.refused;
        write_tally(&mut out, &feed.path, &tally)?;
    }
    let set = IndicatorSet::new(parts);
    writeln!(out, "all: {} indicators, {} KiB of memory", set.len(), set.memory_bytes() / 1024)?;
    write_silenced(&mut out, &set, &allow)?;
    print(&out)?;
    Ok(exit_code(refused))
}

fn test(args: &IntelTestArgs) -> Result<ExitCode, AskError> {
    let keys = readings_of(&args.value, args.reading.kind.as_deref())?;
    let config = Config::load(args.reading.config.as_deref())?;
    let allow = allow_list(&args.reading, &config.intel)?;
    let mut parts = Vec::new();
    let mut refused = 0;
    // What kind the value has says nothing about the feeds.
    let typed = feeds(&args.feeds, &args.reading)?.into_iter();
    let typed = typed.map(|feed| Feed { kind: None, ..feed });
    for feed in typed.chain(configured(&config)) {
        let (part, tally) = Part::load(&feed);
        parts.push(Arc::new(part));
        tell_refusals(&feed.path, &tally);
        refused += tally.refused;
    }
    let matcher = Matcher {
        indicators: IndicatorSet::new(parts),
        allow: Arc::new(allow),
        ..Matcher::default()
    };
    let at = args.at.map_or_else(clock::now, |at| Timestamp::from_secs_nanos(at.as_second(), 0));
    let mut out = String::new();
    for key in &keys {
        write_answer(&mut out, &matcher, key, at)?;
    }
    if out.is_empty() {
        writeln!(out, "no match: {}", args.value)?;
    }
    print(&out)?;
    Ok(exit_code(refused))
}

fn exit_code(refused: usize) -> ExitCode {
    if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_REFUSED) }
}

fn allow_list(reading: &IntelReadingArgs, config: &IntelConfig) -> Result<AllowList, AskError> {
    let is_used = config.default_allow && !reading.no_default_allow;
    let pack = if is_used { DefaultPack::Used } else { DefaultPack::Unused };
    let files = [&config.allow[..], &reading.allow].concat();
    Ok(AllowList::load(pack, &files, &TimeZone::UTC)?)
}

/// The configuration's feeds, as the sensor would read them without asking a server.
fn configured(config: &Config) -> impl Iterator<Item = Feed> + '_ {
    let copies = state::intel(&config.sensor.state);
    config.intel.feeds.iter().map(move |feed| {
        let path = match &feed.source {
            FeedSource::Path(path) => path.clone(),
            FeedSource::Url(fetch) => Copy::of(fetch, &feed.name, &copies).path,
        };
        feed.at(path)
    })
}

fn feeds(paths: &[PathBuf], reading: &IntelReadingArgs) -> Result<Vec<Feed>, AskError> {
    let format = format_named(&reading.format)?;
    let kind = reading.kind.as_deref().map(kind_named).transpose()?;
    let columns: Result<Vec<_>, _> = reading.columns.iter().map(|text| column(text)).collect();
    let columns = columns?;
    let names = if reading.subdomains { Scope::Beneath } else { Scope::Exact };
    let feed = |path: &PathBuf| {
        let columns = columns.clone();
        Feed { format, kind, names, columns, ..Feed::at(path) }
    };
    Ok(paths.iter().map(feed).collect())
}

fn column(text: &str) -> Result<(Column, String), String> {
    let named = text.split_once('=');
    let (column, name) = named.ok_or_else(|| format!("{text:?} is not COLUMN=NAME"))?;
    Ok((column_named(column)?, name.trim().to_owned()))
}

/// What a value could be when it is seen: a hash could be of a file or of a certificate.
fn readings_of(value: &str, kind: Option<&str>) -> Result<Vec<Key>, AskError> {
    if let Some(name) = kind {
        let kind = kind_named(name)?;
        return Ok(vec![Key::parse(kind, value).map_err(|error| format!("{value:?}: {error}"))?]);
    }
    let kinds: &[Kind] = match Key::guess(value) {
        Ok(key) => match key.kind() {
            Kind::Network => return Err(format!("{value}: ask about one address of it").into()),
            Kind::FileMd5 => &[Kind::FileMd5, Kind::Ja3],
            Kind::FileSha1 => &[Kind::FileSha1, Kind::CertificateSha1],
            Kind::FileSha256 => &[Kind::FileSha256, Kind::CertificateSha256],
            // `invoice.exe` could be a name of either sort.
            Kind::Domain => &[Kind::Domain, Kind::FileName],
            _ => return Ok(vec![key]),
        },
        Err(_) => &[Kind::FileName, Kind::UserAgent],
    };
    let keys: Vec<Key> = kinds.iter().filter_map(|&kind| Key::parse(kind, value).ok()).collect();
    if keys.is_empty() { Err(format!("{value:?} is nothing to look for").into()) } else { Ok(keys) }
}

fn write_tally(out: &mut String, path: &Path, tally: &Tally) -> std::fmt::Result {
    writeln!(out, "{}: {} indicators", path.display(), tally.total())?;
    for kind in Kind::ALL {
        let count = tally.taken(kind);
        if count > 0 {
            writeln!(out, "  {:<12} {count:>10}", kind.name())?;
        }
    }
    for (count, what) in [
        (tally.repeated, "repeated what the set had"),
        (tally.crowded, "left out: the value has enough sources"),
        (tally.no_room, "left out: the set is full"),
        (tally.withheld, "withdrawn or not for detection, as the feed says"),
        (tally.refused, "refused"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    Ok(())
}

fn tell_refusals(path: &Path, tally: &Tally) {
    for refusal in tally.refusals.iter().take(REFUSALS_PRINTED) {
        say(&format!("serval: {refusal}\n"));
    }
    if let Some(more) = tally.refused.checked_sub(REFUSALS_PRINTED).filter(|&more| more > 0) {
        say(&format!("serval: {}: {more} more refusals are not shown\n", path.display()));
    }
}

fn write_silenced(out: &mut String, set: &IndicatorSet, allow: &AllowList) -> std::fmt::Result {
    let mut silenced = 0;
    for indicator in set.indicators() {
        let text = indicator.key.to_string();
        let rule = Observable::of(&indicator.key, &text)
            .and_then(|seen| allow.silences(&seen, DETECTOR, Timestamp::MIN))
            .and_then(|id| allow.rule(id));
        let Some(rule) = rule else { continue };
        silenced += 1;
        if silenced <= SILENCED_PRINTED {
            writeln!(out, "silenced {text} of {}: {}", origin(&indicator), told(rule))?;
        }
    }
    if let Some(more) = silenced.checked_sub(SILENCED_PRINTED).filter(|&more| more > 0) {
        writeln!(out, "{more} more are silenced")?;
    }
    Ok(())
}

fn write_answer(out: &mut String, matcher: &Matcher, key: &Key, at: Timestamp) -> std::fmt::Result {
    let text = key.to_string();
    let Some(seen) = Observable::of(key, &text) else { return Ok(()) };
    let kind = key.kind().name();
    let shown = match unicode_name(&text) {
        Some(unicode) => format!("{text} ({unicode})"),
        None => text.clone(),
    };
    let matches = matcher.matches(&seen, at);
    let all = matcher.indicators.look_up_any_time(&seen);
    if matches.hits.is_empty() && !all.is_empty() {
        writeln!(out, "no match: {kind} {shown} is listed, but not valid at that time")?;
    } else if let Some(rule) = matches.silenced_by.and_then(|id| matcher.allow.rule(id)) {
        writeln!(out, "silenced: {kind} {shown} by {}", told(rule))?;
    } else if !matches.hits.is_empty() {
        writeln!(out, "match: {kind} {shown}")?;
    }
    for indicator in all.into_iter().filter_map(|hit| matcher.indicators.indicator(hit)) {
        write_indicator(out, &indicator)?;
    }
    Ok(())
}

fn write_indicator(out: &mut String, indicator: &Indicator) -> std::fmt::Result {
    let context = &indicator.context;
    write!(out, "  {} {}", indicator.key.kind().name(), indicator.key)?;
    write!(out, " of {}", origin(indicator))?;
    let time = |second: u32| jiff::Timestamp::from_second(second.into()).unwrap_or_default();
    let details = [
        ("family", context.family.clone()),
        ("actor", context.actor.clone()),
        ("confidence", context.confidence.map(|share| format!("{} %", share.percent()))),
        ("severity", context.severity.map(|severity| severity.number().to_string())),
        ("stage", context.stage.map(|stage| stage.name().to_owned())),
        ("technique", context.technique.map(|technique| technique.to_string())),
        ("valid from", indicator.validity.from.map(|second| time(second).to_string())),
        ("valid until", indicator.validity.until.map(|second| time(second).to_string())),
        ("tags", (!context.tags.is_empty()).then(|| context.tags.join(", "))),
        ("reference", context.reference.clone()),
        ("advice", context.advice.clone()),
    ];
    for (name, value) in details {
        if let Some(value) = value {
            write!(out, "\n    {name}: {}", analyzers::text::escape(value.as_bytes()))?;
        }
    }
    writeln!(out)
}

fn origin(indicator: &Indicator) -> String {
    let source = &indicator.context.source;
    match indicator.origin.line {
        Some(line) => format!("{source}, line {line}"),
        None => source.to_string(),
    }
}

fn told(rule: &Rule) -> String {
    let reason = rule.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} ({}){reason}", rule.id, rule.file.display())
}

pub(super) fn print(text: &str) -> Result<(), AskError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Talk goes to standard error; that nobody listens is no reason to fail.
pub(super) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
