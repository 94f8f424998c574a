//! MISP feeds on servers (MISP core format, feed layout): a `manifest.json` that names events, each
//! in a file beside it. In: a new manifest. Out: a directory of it and its events. An event whose
//! time stamp did not change is taken from the good copy; the others are fetched.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::StatusCode;
use ureq::{Agent, Body};

use super::super::settings::Fetch;
use super::{Copy, FEED_BYTES, Known, get, receive};
use crate::clock::Stopwatch;

const MANIFEST: &str = "manifest.json";

/// Events of one feed; one of ten years has some thousands.
const EVENTS: usize = 100_000;

/// Time for all events together. What was fetched by then is fetched again next time, so a first
/// load over a slow line needs one long look; a feed of thousands takes minutes.
const ALL_EVENTS: Duration = Duration::from_secs(3_600);

#[derive(Deserialize)]
struct Listed {
    /// A number, or a number as text.
    timestamp: serde_json::Value,
}

/// Whether a feed is a directory of events.
pub(super) fn is_one(fetch: &Fetch) -> bool {
    fetch.url.split('?').next().is_some_and(|path| path.ends_with(MANIFEST))
}

/// Fetches what a manifest names that the good copy lacks.
pub(super) fn receive_events(
    agent: &Agent,
    fetch: &Fetch,
    manifest: &mut Body,
    copy: &Copy,
) -> Result<(), String> {
    let written = |error: std::io::Error| format!("{}: {error}", copy.next.display());
    if copy.next.is_dir() {
        fs::remove_dir_all(&copy.next).map_err(written)?;
    }
    let mut length = receive(manifest, &copy.next.join(MANIFEST), FEED_BYTES).map_err(written)?;
    let new = listed(&copy.next.join(MANIFEST))?;
    let old = listed(&copy.path.join(MANIFEST)).unwrap_or_default();
    if new.len() > EVENTS {
        return Err(format!("the manifest names more than {EVENTS} events"));
    }
    let (base, _) = fetch.url.rsplit_once(MANIFEST).unwrap_or((&fetch.url, ""));
    let stopwatch = Stopwatch::start();
    for (event, listed) in &new {
        // It becomes part of a path and of a URL.
        if !event.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err("the manifest names an event by something else than a UUID".to_owned());
        }
        let file = format!("{event}.json");
        let (good, next) = (copy.path.join(&file), copy.next.join(&file));
        let is_known = old.get(event).is_some_and(|old| old.timestamp == listed.timestamp);
        if is_known && fs::hard_link(&good, &next).is_ok() {
            continue;
        }
        if stopwatch.elapsed() > ALL_EVENTS {
            return Err(format!("its events take longer than {} s", ALL_EVENTS.as_secs()));
        }
        let mut answer = get(agent, fetch, &format!("{base}{file}"), &Known::default())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the server answered {} for {file}", answer.status()));
        }
        let left = FEED_BYTES.saturating_sub(length);
        length += receive(answer.body_mut(), &next, left).map_err(written)?;
    }
    Ok(())
}

fn listed(path: &Path) -> Result<BTreeMap<String, Listed>, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{MANIFEST}: {error}"))
}
