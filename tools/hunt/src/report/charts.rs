//! Plots as inline SVG: numbers in, markup out. What is drawn is numbers and escaped words; a plot
//! has a text for those who do not see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::findings::Row;

/// Width of a plot across the page.
const WIDE: f64 = 880.0;

/// Colours of series, told apart also without colour sight (after Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999"];

/// Text for markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A number of a row.
pub(super) fn number(row: &Row, name: &str) -> f64 {
    row.get(name).and_then(serde_json::Value::as_f64).unwrap_or_default()
}

/// A text of a row.
pub(super) fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Bytes as people say them.
pub(super) fn bytes(count: f64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut count = count;
    let mut unit = 0;
    while count >= 1_000.0 && unit + 1 < UNITS.len() {
        count /= 1_000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count:.0} B") } else { format!("{count:.1} {}", UNITS[unit]) }
}

fn open(width: f64, height: f64, label: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">",
        escape(label)
    )
}

/// Bytes by service over time, as columns on each other, one for each part of time.
pub(super) fn services(rows: &[Row], part_seconds: i64) -> String {
    const HEIGHT: f64 = 220.0;
    const BASE: f64 = 180.0;
    const LEFT: f64 = 70.0;
    let part_seconds = part_seconds.max(1);
    let mut columns: BTreeMap<i64, BTreeMap<&str, f64>> = BTreeMap::new();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for row in rows {
        let service = text(row, "service");
        let count = number(row, "bytes");
        let part = whole(number(row, "at_seconds")).div_euclid(part_seconds);
        *columns.entry(part).or_default().entry(service).or_default() += count;
        *sums.entry(service).or_default() += count;
    }
    let mut order: Vec<&str> = sums.keys().copied().collect();
    order.sort_by(|a, b| sums[b].total_cmp(&sums[a]).then(a.cmp(b)));
    let highest = columns.values().map(|c| c.values().sum()).fold(1.0, f64::max);
    // A part of time without traffic has its place, too.
    let first = columns.keys().next().copied().unwrap_or_default();
    let last = columns.keys().last().copied().unwrap_or_default();
    let step = (WIDE - LEFT) / real(last - first + 1);
    let mut svg = open(WIDE, HEIGHT, "bytes by service over time");
    for share in [0.0, 0.5, 1.0] {
        let y = BASE - share * (BASE - 10.0);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDE}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            bytes(highest * share)
        );
    }
    for (part, parts) in &columns {
        let x = LEFT + step * real(part - first);
        let time = minute(part * part_seconds);
        let mut y = BASE;
        for (series, service) in order.iter().enumerate() {
            let part = parts.get(service).copied().unwrap_or_default();
            let height = part / highest * (BASE - 10.0);
            if height < 0.05 {
                continue;
            }
            y -= height;
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" \
                 fill=\"{}\"><title>{} {} {}</title></rect>",
                (step - 1.0).max(0.5),
                COLOURS[series % COLOURS.len()],
                time,
                escape(service),
                bytes(part)
            );
        }
    }
    push_times(&mut svg, (first * part_seconds, (last + 1) * part_seconds), LEFT, BASE + 16.0);
    for (series, service) in order.iter().enumerate() {
        let x = LEFT + 100.0 * count(series);
        let _ = write!(
            svg,
            "<rect x=\"{x:.0}\" y=\"206\" width=\"10\" height=\"10\" fill=\"{}\"/>\
             <text class=\"tick\" x=\"{:.0}\" y=\"215\">{}</text>",
            COLOURS[series % COLOURS.len()],
            x + 14.0,
            escape(service)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Instants below an axis, from its left end to the right.
fn push_times(svg: &mut String, (first, last): (i64, i64), left: f64, y: f64) {
    const LABELS: i64 = 4;
    for at in 0..=LABELS {
        let anchor = match at {
            0 => "start",
            LABELS => "end",
            _ => "middle",
        };
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">{}</text>",
            left + (WIDE - left) * real(at) / real(LABELS),
            minute(first + (last - first) * at / LABELS)
        );
    }
}

/// An instant to the minute; nothing where it is beyond all calendars.
fn minute(seconds: i64) -> String {
    let instant = jiff::Timestamp::from_second(seconds);
    instant.map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Sessions by weekday and hour beside what is usual: one square an hour, darker for more; a frame
/// marks an hour that has sessions where usually there are none.
pub(super) fn rdp_hours(rows: &[Row], usual: &[Row]) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const SIDE: f64 = 26.0;
    const LEFT: f64 = 44.0;
    let grid = |rows: &[Row]| {
        let mut grid = [[0.0; 24]; 7];
        for row in rows {
            let (day, hour) = (index(number(row, "day")), index(number(row, "hour_of_day")));
            if let Some(cell) = grid.get_mut(day).and_then(|day: &mut [f64; 24]| day.get_mut(hour))
            {
                *cell = number(row, "sessions");
            }
        }
        grid
    };
    let (now, before) = (grid(rows), grid(usual));
    let highest = now.iter().flatten().copied().fold(1.0, f64::max);
    let mut svg = open(LEFT + 24.0 * SIDE + 4.0, 7.0 * SIDE + 24.0, "sessions by weekday and hour");
    for (day, name) in DAYS.iter().enumerate() {
        let y = SIDE * count(day);
        let _ = write!(svg, "<text class=\"tick\" x=\"2\" y=\"{:.0}\">{name}</text>", y + 17.0);
        for hour in 0..24 {
            let sessions = now[day][hour];
            let odd = sessions > 0.0 && before[day][hour] == 0.0 && !usual.is_empty();
            let shade = if sessions > 0.0 { 0.15 + 0.85 * sessions / highest } else { 0.0 };
            let _ = write!(
                svg,
                "<rect class=\"{}\" x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" \
                 fill-opacity=\"{shade:.2}\"><title>{name} {hour:02}:00 UTC: \
                 {sessions:.0} sessions, usually {:.1} a week</title></rect>",
                if odd { "odd" } else { "hour" },
                LEFT + SIDE * count(hour),
                y + 1.0,
                SIDE - 2.0,
                SIDE - 2.0,
                before[day][hour] / 4.0
            );
        }
    }
    for hour in (0..24).step_by(3) {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.0}\" y=\"{:.0}\">{hour:02}</text>",
            LEFT + SIDE * count(hour) + 4.0,
            7.0 * SIDE + 16.0
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Intervals between beats, one dot each, in the order of time.
pub(super) fn intervals(seconds: &[f64]) -> String {
    const WIDTH: f64 = 420.0;
    const HEIGHT: f64 = 80.0;
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(index(share * count(sorted.len().saturating_sub(1))));
    let middle = at(0.5).copied().unwrap_or_default();
    let highest = (at(0.95).copied().unwrap_or(1.0) * 1.2).max(middle * 1.5).max(0.001);
    let mut svg = open(WIDTH, HEIGHT, "seconds between beats");
    let y = |value: f64| 70.0 - 60.0 * (value / highest).clamp(0.0, 1.0);
    let _ = write!(
        svg,
        "<line class=\"grid\" x1=\"50\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
         <text class=\"tick\" x=\"44\" y=\"{1:.1}\" text-anchor=\"end\">{middle:.0} s</text>",
        y(middle),
        y(middle) + 4.0
    );
    let step = (WIDTH - 60.0) / count(seconds.len().max(1));
    for (beat, value) in seconds.iter().enumerate() {
        let _ = write!(
            svg,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"><title>{value} s</title>\
             </circle>",
            54.0 + step * count(beat),
            y(*value)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Alerts of the hosts at risk on a line of time, one row a host.
pub(super) fn chain(rows: &[Row]) -> String {
    const LEFT: f64 = 150.0;
    const ROW: f64 = 30.0;
    let mut hosts: Vec<&str> = Vec::new();
    for row in rows {
        if !hosts.contains(&text(row, "host")) {
            hosts.push(text(row, "host"));
        }
    }
    let first = rows.iter().map(|row| number(row, "first_seconds")).fold(f64::MAX, f64::min);
    let last = rows.iter().map(|row| number(row, "last_seconds")).fold(first, f64::max);
    let span = (last - first).max(1.0);
    let x = |seconds: f64| LEFT + (seconds - first) / span * (WIDE - LEFT - 20.0);
    let mut svg = open(WIDE, ROW * count(hosts.len()) + 24.0, "alerts of hosts over time");
    for (at, host) in hosts.iter().enumerate() {
        let y = ROW * count(at) + 18.0;
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"2\" y=\"{:.0}\">{}</text>\
             <line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDE}\" y1=\"{y:.0}\" y2=\"{y:.0}\"/>",
            y + 4.0,
            escape(host)
        );
        for row in rows.iter().filter(|row| text(row, "host") == *host) {
            let (from, to) = (x(number(row, "first_seconds")), x(number(row, "last_seconds")));
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.0}\" width=\"{:.1}\" height=\"10\" rx=\"3\" \
                 class=\"{}\"><title>{} {}: {}</title></rect>",
                from - 3.0,
                y - 5.0,
                (to - from).max(0.0) + 6.0,
                severity_class(text(row, "severity")),
                escape(text(row, "first_ts")),
                escape(&text(row, "stage").replace('_', " ")),
                escape(text(row, "title"))
            );
        }
    }
    if !rows.is_empty() {
        push_times(&mut svg, (whole(first), whole(last)), LEFT, ROW * count(hosts.len()) + 20.0);
    }
    svg.push_str("</svg>");
    svg
}

/// The class that the page's style gives a colour.
fn severity_class(severity: &str) -> &'static str {
    ["P0", "P1", "P2"].into_iter().find(|known| *known == severity).unwrap_or("P3")
}

#[allow(clippy::cast_precision_loss)] // pixels
fn count(number: usize) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and not negative
fn index(number: f64) -> usize {
    number.max(0.0) as usize
}

#[allow(clippy::cast_precision_loss)] // seconds of this age, and numbers of columns
fn real(number: i64) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation)] // seconds of this age
fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(members: serde_json::Value) -> Row {
        members.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn plots_of_nothing_are_plots() {
        for svg in [services(&[], 60), rdp_hours(&[], &[]), intervals(&[]), chain(&[])] {
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn words_of_the_wire_are_inert() {
        let hostile = "</title><script>alert(1)</script>\" onload=\"x";
        let rows = [row(serde_json::json!({
            "host": hostile, "stage": hostile, "title": hostile, "severity": hostile,
            "first_ts": hostile, "first_seconds": 1, "last_seconds": 2, "at_seconds": hostile,
            "service": hostile, "bytes": 5,
        }))];
        for svg in [services(&rows, 60), chain(&rows)] {
            assert!(!svg.contains("<script") && !svg.contains("onload=\"x"), "{svg}");
        }
    }

    #[test]
    fn bytes_are_said_in_units() {
        for (count, expected) in
            [(0.0, "0 B"), (999.0, "999 B"), (1_500.0, "1.5 kB"), (2e12, "2.0 TB")]
        {
            assert_eq!(bytes(count), expected);
        }
    }
}
