//! A commented sample configuration: every setting with its default.
//!
//! In: `serval.toml`, which tests hold against the declarations of every section; what each
//! detector says of its knobs. Out: one text.

use analyzers::detectors;

/// Every setting but the detectors' knobs, with its default.
pub(super) const SETTINGS: &str = include_str!("../../../serval.toml");

/// The sample.
pub(super) fn sample() -> String {
    let mut text = SETTINGS.to_owned();
    for detector in detectors::ALL {
        text.push_str(&format!("\n# [detect.{}]\n", detector.name));
        for line in knobs(&detector.documentation()) {
            text.push_str(format!("# {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// What a detector's documentation says of its knobs.
pub(super) fn knobs(documentation: &str) -> impl Iterator<Item = &str> {
    let lines = documentation.lines().skip_while(|line| *line != "# Knobs").skip(1);
    lines.take_while(|line| !line.starts_with("# ")).filter(|line| !line.is_empty())
}
