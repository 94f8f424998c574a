//! The summary at the end of a replay, for a person at a terminal.
//!
//! In: the counts of a run. Out: text. Names from the wire are escaped.

use std::fmt::{self, Write as _};
use std::time::Duration;

use analyzers::Timestamp;

use crate::archive;
use crate::capture::Tally;
use crate::pipeline::RunCounts;
use crate::rows::UtcText;
use crate::watch::overview::Overview;

/// Hosts that are listed.
const TALKERS: usize = 5;

/// Alerts that are listed.
const ALERTS: usize = 20;

/// Services that are listed.
const SERVICES: usize = 12;

/// Everything that the summary tells.
pub struct Summary<'a> {
    /// Packets and flows.
    pub counts: &'a RunCounts,
    /// The source's counts.
    pub tally: &'a Tally,
    /// What the second stage saw.
    pub overview: &'a Overview,
    /// What was archived.
    pub archived: Option<&'a archive::Summary>,
    /// How long the run took, in real time.
    pub took: Duration,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.speed(f)?;
        self.packets(f)?;
        self.flows(f)?;
        self.talkers(f)?;
        self.rows(f)?;
        self.alerts(f)
    }
}

impl Summary<'_> {
    fn speed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packets = &self.counts.packets;
        let seconds = self.took.as_secs_f64().max(1e-9);
        writeln!(
            f,
            "Read {} and {} in {:.2} s: {:.2} M packets/s, {:.2} Gbit/s",
            count(self.tally.files, "file"),
            Bytes(packets.bytes),
            seconds,
            packets.received as f64 / seconds / 1e6,
            packets.bytes as f64 * 8.0 / seconds / 1e9,
        )?;
        if let (Some(first), Some(last)) = (self.counts.first, self.counts.clock) {
            let span = Span(last.since(first));
            writeln!(f, "Packet time  {} to {} ({span})", minute(first), minute(last))?;
        }
        Ok(())
    }

    fn packets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packets = &self.counts.packets;
        writeln!(f, "\nPackets      {:>13} received", Grouped(packets.received))?;
        writeln!(f, "             {:>13} in flows", Grouped(packets.decoded))?;
        for (reason, skipped) in packets.skipped.occurred() {
            writeln!(f, "             {:>13} skipped: {}", Grouped(skipped), reason.name())?;
        }
        for (lost, by) in [
            (self.tally.interface_drops, "the capturing interface"),
            (self.tally.kernel_drops, "the capturing system"),
        ] {
            if lost > 0 {
                writeln!(f, "             {:>13} lost by {by} before the capture", Grouped(lost))?;
            }
        }
        if packets.bad_checksums > 0 {
            let bad = Grouped(packets.bad_checksums);
            writeln!(f, "             {bad:>13} with a bad checksum (kept)")?;
        }
        Ok(())
    }

    fn flows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nFlows        {:>13}", Grouped(self.overview.flows()))?;
        let services = self.overview.services();
        for (name, flows) in services.iter().take(SERVICES) {
            writeln!(f, "             {:>13} {name}", Grouped(*flows))?;
        }
        let rest: u64 = services.iter().skip(SERVICES).map(|(_, flows)| flows).sum();
        if rest > 0 {
            writeln!(f, "             {:>13} other services", Grouped(rest))?;
        }
        if self.counts.flows.evicted > 0 {
            let evicted = Grouped(self.counts.flows.evicted);
            writeln!(f, "             {evicted:>13} ended early because the flow table was full")?;
        }
        Ok(())
    }

    fn alerts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alerts, all) = self.overview.alerts(ALERTS);
        if alerts.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nAlerts       {:>13}", Grouped(all))?;
        for alert in alerts {
            let title = alert.title.escaped();
            writeln!(
                f,
                "  {}  {:.2}  {:<18} {title}",
                alert.severity, alert.confidence, alert.detector
            )?;
        }
        Ok(())
    }

    fn talkers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (talkers, hosts) = self.overview.talkers(TALKERS);
        if talkers.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nTop talkers  of {}", count(hosts, "host"))?;
        for (ip, talker) in talkers {
            writeln!(
                f,
                "             {:>13} sent {:>13} received  {ip} ({})",
                Bytes(talker.sent).to_string(),
                Bytes(talker.received).to_string(),
                count(talker.flows, "flow"),
            )?;
        }
        Ok(())
    }

    fn rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nRows")?;
        for (table, rows) in self.overview.rows() {
            write!(f, "             {:>13} {table}", Grouped(*rows))?;
            match self.archived.and_then(|archived| archived.tables.get(table)) {
                Some(written) => {
                    writeln!(f, "  ({}, {})", count(written.files, "file"), Bytes(written.bytes))?
                }
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

/// A number with its digits in groups of three.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A number of bytes in the unit that reads best.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1_000.0;
            unit += 1;
        }
        if unit == 0 { write!(f, "{} B", self.0) } else { write!(f, "{value:.1} {}", UNITS[unit]) }
    }
}

/// A span of time in its two largest units.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{:.2} s", self.0.as_secs_f64()),
            60..3_600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3_600..86_400 => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
        }
    }
}

/// `1 flow`, `2 flows`.
fn count(number: u64, thing: &str) -> String {
    let mut text = Grouped(number).to_string();
    // Writing to a String cannot fail.
    let _ = write!(text, " {thing}{}", if number == 1 { "" } else { "s" });
    text
}

/// An instant to the second.
fn minute(instant: Timestamp) -> String {
    let text = UtcText(instant).to_string();
    text.get(..19).map_or(text.clone(), |seconds| seconds.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(Grouped(0).to_string(), "0");
        assert_eq!(Grouped(1_234_567).to_string(), "1,234,567");
        assert_eq!(Bytes(999).to_string(), "999 B");
        assert_eq!(Bytes(1_030_647_984).to_string(), "1.0 GB");
        assert_eq!(Bytes(999_999).to_string(), "1.0 MB");
        assert_eq!(Span(Duration::from_secs(90_061)).to_string(), "1 d 1 h");
        assert_eq!(count(1, "flow"), "1 flow");
        assert_eq!(count(2_000, "flow"), "2,000 flows");
    }
}
