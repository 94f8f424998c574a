//! New indicators over old traffic, with the live matcher's own semantics.
//!
//! In: feeds, an allow-list, an archive. Out: alert rows that say they are retrospective. A column
//! is read only where the feeds hold indicators of its kind; a handful of exact values is looked up
//! through the bloom filters, and nothing else of the archive is touched. How much was read and how
//! much was not is told.

mod alerts;
mod scan;
mod sources;
mod tried;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use indicatif::{HumanBytes, HumanCount};
use signatures::allow::DefaultPack;
use signatures::feeds::{Feed, Format as FeedFormat};
use signatures::{AllowList, IndicatorSet, Kind, Matcher, Part};

use crate::archive::{Archive, write_rows};
use crate::ask::say;
use crate::cli::{RetroArgs, Scope};
use crate::clock;
use crate::engine::Engine;
use crate::error::HuntError;
use crate::output::Target;
use alerts::Alerts;
use tried::Tried;

/// Refusals of a feed that are printed one by one; more are counted.
const REFUSALS_PRINTED: usize = 20;

/// What a run read of the archive, over all of its scans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effort {
    bytes_read: u64,
    /// Bytes of the tables that were asked, each table's once.
    bytes_held: u64,
    tables: BTreeSet<&'static str>,
    groups_read: u64,
    groups_skipped: u64,
    columns: usize,
}

/// Matches feeds against an archive; writes the alerts.
///
/// # Errors
/// A feed or the archive cannot be read, the allow-list is broken, or the alerts cannot be written.
pub(crate) async fn run(scope: &Scope, target: &Target, args: &RetroArgs) -> Result<(), HuntError> {
    if scope.cluster.is_some() {
        let text = "the matcher is here, not in the cluster: leave --cluster out of retro";
        return Err(HuntError::Usage(text.to_owned()));
    }
    let archive = Archive::open(&scope.archive)?;
    let state = args.state.clone().or_else(|| tried::default_file(archive.name()));
    let tried = match (args.on_change, &state) {
        (true, Some(path)) => Tried::load(path)?,
        _ => Tried::default(),
    };
    let (matcher, fresh) = load(args, &tried)?;
    if matcher.indicators.is_empty() {
        say("no indicator that has not been tried yet; nothing of the archive was read");
        return Ok(());
    }
    let matcher = Arc::new(matcher);
    let engine = Engine::open(&archive, scope.window()?, &scope.bounds()).await?;
    scan::register(&engine, &matcher);
    let mut alerts = Alerts::new(Arc::clone(&matcher));
    let mut effort = Effort::default();
    for source in sources::all() {
        scan::scan(&engine, &source, &mut alerts, &mut effort).await?;
    }
    let silenced = alerts.silenced();
    let rows = alerts.into_rows(clock::now());
    let known = scan::known_alerts(&engine).await?;
    let new: Vec<_> = rows.into_iter().filter(|row| !known.contains(row.id())).collect();
    tell(&matcher, &effort, new.len(), silenced);
    let batch = alerts::batch(&new)?;
    write_answer(&batch, target)?;
    if args.write && !new.is_empty() {
        let files = write_rows(&archive, "alert", "retro", &batch).await?;
        say(&format!(
            "{} alerts were added to {} in {files} files; where it is a directory, `serval archive \
             adopt` enters them in its manifest",
            new.len(),
            archive.name()
        ));
    }
    if let (true, Some(path)) = (args.on_change, &state) {
        tried.and(fresh).save(path)?;
    }
    Ok(())
}

/// Reads feeds and allow-lists; answers the matcher and what it holds that was not tried before.
fn load(args: &RetroArgs, tried: &Tried) -> Result<(Matcher, Vec<u64>), HuntError> {
    let pack = if args.no_default_allow { DefaultPack::Unused } else { DefaultPack::Used };
    let allow = AllowList::load(pack, &args.allow, &jiff::tz::TimeZone::UTC)
        .map_err(|error| HuntError::Usage(format!("allow-list {error}")))?;
    let mut parts = Vec::new();
    let mut fresh = Vec::new();
    for feed in feeds(args)? {
        let mut known = 0;
        let (part, tally) = Part::load_wanted(&feed, &mut |indicator| {
            let digest = tried.fresh(indicator);
            known += usize::from(digest.is_none());
            fresh.extend(digest);
            digest.is_some()
        });
        for refusal in tally.refusals.iter().take(REFUSALS_PRINTED) {
            say(&format!("serval hunt: {refusal}"));
        }
        let path = feed.path.display();
        if let Some(more) = tally.refused.checked_sub(REFUSALS_PRINTED).filter(|&more| more > 0) {
            say(&format!("serval hunt: {path}: {more} more refusals are not shown"));
        }
        if part.is_empty() && known == 0 && tally.refused > 0 {
            return Err(HuntError::Usage(format!(
                "{path} holds no indicator that is understood; `serval intel check` says more"
            )));
        }
        parts.push(Arc::new(part));
    }
    let indicators = IndicatorSet::new(parts);
    Ok((Matcher { indicators, allow: Arc::new(allow), lists: Arc::default() }, fresh))
}

fn feeds(args: &RetroArgs) -> Result<Vec<Feed>, HuntError> {
    let format = match args.feed_format.as_str() {
        "auto" => None,
        name => Some(FeedFormat::parse(name).ok_or_else(|| {
            let names = FeedFormat::ALL.map(FeedFormat::name).join(", ");
            HuntError::Usage(format!("unknown format {name:?}; there are auto, {names}"))
        })?),
    };
    let feed = |path: &PathBuf| Feed { format, ..Feed::at(path) };
    Ok(args.feeds.iter().map(feed).collect())
}

fn tell(matcher: &Matcher, effort: &Effort, found: usize, silenced: u64) {
    #[allow(clippy::cast_precision_loss)] // a share for people
    let share = 100.0 * effort.bytes_read as f64 / effort.bytes_held.max(1) as f64;
    let kinds: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, matcher.indicators.count(kind)))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{} {}", HumanCount(count as u64), kind.name()))
        .collect();
    say(&format!("tried {}", kinds.join(", ")));
    say(&format!(
        "read {} of {} ({share:.2} %) for {} columns; {} of {} row groups were skipped",
        HumanBytes(effort.bytes_read),
        HumanBytes(effort.bytes_held),
        effort.columns,
        HumanCount(effort.groups_skipped),
        HumanCount(effort.groups_read + effort.groups_skipped),
    ));
    let noun = if found == 1 { "alert" } else { "alerts" };
    let silence = match silenced {
        0 => String::new(),
        count => format!("; the allow-list silenced {count} sightings"),
    };
    say(&format!("{found} new {noun}{silence}"));
}

fn write_answer(batch: &RecordBatch, target: &Target) -> Result<(), HuntError> {
    let mut sink = target.open(&batch.schema())?;
    if batch.num_rows() > 0 {
        sink.rows(batch)?;
    }
    sink.finish()
}
