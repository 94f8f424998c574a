//! A report as HTML, Markdown or JSON.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, Value, context};

use super::charts;
use super::findings::Findings;
use crate::error::HuntError;

const HTML: &str = include_str!("page.html");
const MARKDOWN: &str = include_str!("page.md");

/// The page: nothing in it is loaded from elsewhere, and its policy forbids it to try.
pub(super) fn html(findings: &Findings) -> Result<String, HuntError> {
    let safe = |svg: String| Value::from_safe_string(svg);
    let beacons: Vec<Value> =
        findings.beacons.iter().map(|beacon| safe(charts::intervals(&beacon.intervals))).collect();
    render(
        AutoEscape::Html,
        HTML,
        context! {
            report => Serde(findings),
            services => safe(charts::services(&findings.services, findings.bucket_seconds)),
            rdp_hours => safe(charts::rdp_hours(&findings.rdp_hours, &findings.rdp_hours_usual)),
            chain => safe(charts::chain(&findings.chain)),
            intervals => beacons,
        },
    )
}

/// The same for a ticket or a wiki.
pub(super) fn markdown(findings: &Findings) -> Result<String, HuntError> {
    render(AutoEscape::None, MARKDOWN, context! { report => Serde(findings) })
}

/// The same for programs.
pub(super) fn json(findings: &Findings) -> Result<String, HuntError> {
    let text = serde_json::to_string_pretty(findings);
    text.map(|text| text + "\n").map_err(|error| broken(&error))
}

fn render(escape: AutoEscape, template: &str, values: Value) -> Result<String, HuntError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| escape.clone());
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| broken(&error))?);
    environment.add_filter("bytes", |count: f64| charts::bytes(count));
    environment.add_filter("change", change);
    environment.add_filter("md", cell);
    environment.add_filter("words", |text: String| text.replace('_', " "));
    environment.add_filter("count", thousands);
    environment.add_filter("time", |text: Option<String>| time(&text.unwrap_or_default()));
    let render = || -> Result<String, Error> {
        environment.template_from_named_str("page", template)?.render(values)
    };
    render().map_err(|error| broken(&error))
}

fn broken(error: &dyn std::error::Error) -> HuntError {
    HuntError::Usage(format!("the report cannot be laid out: {error}"))
}

/// How a sum compares with the one before: in per cent, or as a multiple where those grow long.
fn change(now: f64, before: Option<f64>) -> String {
    match before {
        Some(before) if before > 0.0 && now / before >= 10.0 => format!("×{:.0}", now / before),
        Some(before) if before > 0.0 => {
            let share = (now - before) / before * 100.0;
            format!("{share:+.0} %")
        }
        Some(_) if now > 0.0 => "new".to_owned(),
        _ => String::new(),
    }
}

/// A whole number in groups of three digits.
fn thousands(count: i64) -> String {
    indicatif::HumanCount(count.unsigned_abs()).to_string()
}

/// An instant to the second, easier on the eye.
fn time(text: &str) -> String {
    let text = text.split('.').next().unwrap_or(text).trim_end_matches('Z');
    text.replace('T', " ")
}

/// A text for a cell of a Markdown table: what Markdown or HTML would take for its own is escaped.
fn cell(value: &Value) -> String {
    if value.is_none() || value.is_undefined() {
        return String::new();
    }
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.extend(['\\', c]);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A bare address would become a link.
            ':' => out.push_str("&#58;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Findings {
        let text = "<script>alert(1)</script>|[x](javascript:alert(1))`";
        let row = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
        Findings {
            title: "t".into(),
            alerts: vec![row(serde_json::json!({
                "ts": "2026-03-01T00:00:00Z", "severity": "P1", "host": text, "title": text,
                "description": text, "detector": text, "technique": [text], "hunt": text,
                "confidence": 0.5, "count": 1,
            }))],
            talkers: vec![row(
                serde_json::json!({"host": text, "sent": 1, "received": 2, "flows": 3}),
            )],
            ..Findings::default()
        }
    }

    #[test]
    fn hostile_text_is_inert_in_every_form() {
        let findings = hostile();
        let html = html(&findings).expect("a page");
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;"));
        let markdown = markdown(&findings).expect("a page");
        assert!(!markdown.contains("<script") && !markdown.contains("](javascript:"), "{markdown}");
        let json = json(&findings).expect("a page");
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
    }

    #[test]
    fn an_empty_archive_gives_a_page() {
        let findings = Findings::default();
        assert!(html(&findings).expect("a page").contains("Content-Security-Policy"));
        assert!(markdown(&findings).expect("a page").starts_with("# "));
    }

    #[test]
    fn changes_are_told_in_per_cent() {
        for (now, before, expected) in [
            (110.0, Some(100.0), "+10 %"),
            (50.0, Some(100.0), "-50 %"),
            (1_234.0, Some(100.0), "×12"),
            (1.0, Some(0.0), "new"),
            (0.0, Some(0.0), ""),
            (1.0, None, ""),
        ] {
            assert_eq!(change(now, before), expected);
        }
    }
}
