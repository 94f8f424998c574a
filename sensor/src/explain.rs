//! `serval explain`: what detectors detect, why, how, with which knobs.
//!
//! In: a detector's name, or none. Out: its documentation, or the list with a line for each. The
//! text is the header of the detector's own file, so that it cannot say something else.

use std::fmt::Write as _;

use analyzers::{Detector, detectors};

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
#[error("there is no detector {0:?}; `serval explain` lists them")]
pub struct UnknownDetector(String);

/// The documentation of a detector in Markdown, or the list of all.
///
/// # Errors
/// There is none of that name.
pub fn explain(name: Option<&str>) -> Result<String, UnknownDetector> {
    let Some(name) = name else { return Ok(list()) };
    let detector = detectors::ALL.iter().find(|detector| detector.name == name);
    let detector = detector.ok_or_else(|| UnknownDetector(name.to_owned()))?;
    Ok(format!("# {}\n\n{}", detector.name, deeper(&detector.documentation())))
}

/// All detectors by name, each with its first sentence.
fn list() -> String {
    let mut detectors: Vec<&&Detector> = detectors::ALL.iter().collect();
    detectors.sort_by_key(|detector| detector.name);
    let width = detectors.iter().map(|detector| detector.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for detector in detectors {
        let documentation = detector.documentation();
        let first = documentation.lines().next().unwrap_or("");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {first}", detector.name);
    }
    text
}

/// Markdown with each heading one level deeper.
fn deeper(text: &str) -> String {
    let line =
        |line: &str| if line.starts_with('#') { format!("#{line}\n") } else { format!("{line}\n") };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_detector_is_in_the_list_and_explained() {
        let list = explain(None).unwrap();
        for detector in detectors::ALL {
            assert!(list.lines().any(|line| line.starts_with(detector.name)), "{}", detector.name);
            let text = explain(Some(detector.name)).unwrap();
            assert!(text.contains("\n## Knobs\n"), "{}", detector.name);
        }
        let error = explain(Some("crystal_ball")).unwrap_err().to_string();
        assert!(error.contains("`serval explain` lists them"));
    }
}
