//! The report that a lead reads in the morning: one page about a span of time.
//!
//! In: an archive and a window. Out: a page of HTML that is whole in itself (no script, nothing
//! loaded from elsewhere, a strict content security policy, plots as inline SVG), Markdown, or
//! JSON. All three show the same findings; every text of the archive is escaped by the form's
//! rules.

mod charts;
mod findings;
mod page;

use std::io::Write as _;
use std::path::Path;

use crate::archive::Archive;
use crate::cli::{ReportForm, Scope};
use crate::clock;
use crate::engine::Engine;
use crate::error::HuntError;
use crate::output::Draft;
use crate::window::Window;

/// Days before the window that say what is usual.
const BASELINE_DAYS: i64 = 28;

/// Writes a report to a file, or to standard output.
///
/// # Errors
/// The archive cannot be read, or the report cannot be written.
pub(crate) async fn write(
    scope: &Scope,
    form: Option<ReportForm>,
    path: Option<&Path>,
) -> Result<(), HuntError> {
    let archive = Archive::open(&scope.archive)?;
    let window = scope.window()?;
    let bounds = scope.bounds();
    let open = |window| Engine::open(&archive, window, &bounds);
    let now = open(window).await?;
    let before = match window.before() {
        Some(window) => Some(open(window).await?),
        None => None,
    };
    let usual = match window.from.map(|from| (from, from.checked_sub(days(BASELINE_DAYS)))) {
        Some((until, Ok(from))) => {
            Some(open(Window { from: Some(from), until: Some(until) }).await?)
        }
        _ => None,
    };
    let mut findings = findings::find(&now, before.as_ref(), usual.as_ref()).await?;
    findings.title = format!("Serval report, {window}");
    findings.archive = crate::output::safe(archive.name()).into_owned();
    findings.written = clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let text = match form.unwrap_or_else(|| ReportForm::of(path)) {
        ReportForm::Html => page::html(&findings)?,
        ReportForm::Markdown => page::markdown(&findings)?,
        ReportForm::Json => page::json(&findings)?,
    };
    let Some(path) = path else {
        let written = std::io::stdout().write_all(text.as_bytes());
        return written.map_err(HuntError::io("cannot write the report"));
    };
    let draft = Draft::create(path)?;
    let mut writer = draft.writer()?;
    writer
        .write_all(text.as_bytes())
        .and_then(|()| writer.flush())
        .map_err(HuntError::io(format!("cannot write {}", path.display())))?;
    draft.publish()
}

fn days(days: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * days)
}
