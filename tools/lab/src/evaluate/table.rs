//! Reports side by side: a line a figure, a column a run, then mean and spread.

use std::fmt::Write as _;

use super::Report;
use super::statistics::mean_and_spread;

/// Runs with their names as a table.
#[must_use]
pub fn table(runs: &[(String, Report)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|(_, report)| &report.figures) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut text = format!("{:58}", "");
    for (run, _) in runs {
        let _ = write!(text, "{run:>14}");
    }
    let _ = writeln!(text, "{:>14}{:>10}", "mean", "±");
    for name in names {
        let figures: Vec<Option<f64>> = runs
            .iter()
            .map(|(_, report)| report.figures.iter().find(|(other, _)| other == name)?.1)
            .collect();
        let _ = write!(text, "{name:58}");
        for figure in &figures {
            let _ = write!(text, "{:>14}", shown(*figure));
        }
        let there: Vec<f64> = figures.into_iter().flatten().collect();
        let (mean, spread) = mean_and_spread(&there).unzip();
        let _ = writeln!(text, "{:>14}{:>10}", shown(mean), shown(spread));
    }
    text
}

fn shown(figure: Option<f64>) -> String {
    match figure {
        None => "–".to_owned(),
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e9 => format!("{whole:.0}"),
        Some(figure) => format!("{figure:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_one_run_lacks_is_a_dash() {
        let report = |figures: &[(&str, f64)]| Report {
            figures: figures.iter().map(|(n, f)| ((*n).to_owned(), Some(*f))).collect(),
            remarks: Vec::new(),
        };
        let runs =
            [("a".to_owned(), report(&[("x", 1.0)])), ("b".to_owned(), report(&[("y", 0.5)]))];
        let text = table(&runs);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["x", "1", "–", "1", "0"]);
        assert_eq!(lines[2], ["y", "–", "0.5000", "0.5000", "0"]);
    }
}
