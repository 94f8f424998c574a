//! What a running sensor says of itself when asked, and `serval status`, which asks.
//!
//! In: the board on which all threads put their counts, looked at once a second. Out: a [`Status`]:
//! as JSON on the loopback address, as text for a person, and what the metrics are made of.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cli::StatusArgs;
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::memory::held_bytes;
use crate::replay::ReplayError;
use crate::stats::{Board, Counts};
use crate::watch::standing::Standing;

/// How long a running sensor may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of an answer that are read: it has a line or two a table.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A running sensor at one moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The sensor's name.
    pub sensor: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Its interfaces, and whether each is heard.
    pub interfaces: BTreeMap<String, bool>,
    /// What it has received, and what became of it.
    pub totals: Totals,
    /// Packets that did not reach a flow, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// A second's worth, measured over the last seconds.
    pub rates: Rates,
    /// Bytes of memory that the process holds.
    pub memory_bytes: u64,
    /// How the second stage is doing.
    pub watch: Standing,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Packets received.
    pub received: u64,
    /// Packets that belong to a flow.
    pub decoded: u64,
    /// Captured bytes.
    pub bytes: u64,
    /// Packets that the kernel lost.
    pub kernel_drops: u64,
    /// Packets that the interface lost.
    pub interface_drops: u64,
    /// Packets with a bad checksum.
    pub bad_checksums: u64,
    /// Flows in the table now.
    pub flows_open: u64,
    /// Flows that were ended because the table was full.
    pub flows_evicted: u64,
}

/// Per second.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Rates {
    /// Packets.
    pub packets: f64,
    /// Bits.
    pub bits: f64,
    /// Drops over packets offered, in percent.
    pub loss_percent: f64,
}

/// Looks at the board and remembers the last look, for the rates.
pub(super) struct Observer {
    sensor: String,
    interfaces: Vec<String>,
    started: Stopwatch,
    before: Totals,
    since: Stopwatch,
}

impl Observer {
    /// Of the sensor of that name with those interfaces, which has just started.
    pub(super) fn new(sensor: &str, interfaces: &[String]) -> Self {
        let started = Stopwatch::start();
        let (sensor, interfaces) = (sensor.to_owned(), interfaces.to_vec());
        Self { sensor, interfaces, started, before: Totals::default(), since: started }
    }

    /// The present state; rates are since the last call.
    pub(super) fn look(&mut self, board: &Board) -> Status {
        let counts = board.counts();
        let totals = Totals::of(&counts);
        let seconds = self.since.elapsed().as_secs_f64().max(1e-3);
        let rates = totals.rates_since(&self.before, seconds);
        (self.before, self.since) = (totals, Stopwatch::start());
        let lost = board.lost_interfaces();
        let heard = |name: &String| (name.clone(), !lost.contains(name));
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sensor: self.sensor.clone(),
            uptime_seconds: self.started.elapsed().as_secs(),
            interfaces: self.interfaces.iter().map(heard).collect(),
            totals,
            skipped: counts
                .packets
                .skipped
                .occurred()
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
            rates,
            memory_bytes: held_bytes().unwrap_or(0),
            watch: board.standing(),
        }
    }
}

impl Totals {
    fn of(counts: &Counts) -> Self {
        Self {
            received: counts.packets.received,
            decoded: counts.packets.decoded,
            bytes: counts.packets.bytes,
            kernel_drops: counts.tally.kernel_drops,
            interface_drops: counts.tally.interface_drops,
            bad_checksums: counts.packets.bad_checksums,
            flows_open: counts.flows.open,
            flows_evicted: counts.flows.evicted,
        }
    }

    fn rates_since(&self, before: &Self, seconds: f64) -> Rates {
        let received = self.received.saturating_sub(before.received);
        let drops = |totals: &Self| totals.kernel_drops + totals.interface_drops;
        let lost = drops(self).saturating_sub(drops(before));
        let offered = received + lost;
        let bytes = self.bytes.saturating_sub(before.bytes);
        Rates {
            packets: received as f64 / seconds,
            bits: bytes as f64 * 8.0 / seconds,
            loss_percent: if offered == 0 { 0.0 } else { 100.0 * lost as f64 / offered as f64 },
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { totals, rates, .. } = self;
        let uptime = Duration::from_secs(self.uptime_seconds);
        writeln!(f, "Serval {} on {}, up {uptime:?}", self.version, self.sensor)?;
        for (name, heard) in &self.interfaces {
            let state = if *heard { "heard" } else { "LOST: it is down or gone" };
            writeln!(f, "  interface  {name}: {state}")?;
        }
        writeln!(
            f,
            "  rate       {:.0} packets/s, {:.1} Mbit/s, {:.3} % lost",
            rates.packets,
            rates.bits / 1e6,
            rates.loss_percent,
        )?;
        writeln!(
            f,
            "  packets    {} received, {} in flows, {} dropped by the kernel, {} by the interface",
            totals.received, totals.decoded, totals.kernel_drops, totals.interface_drops,
        )?;
        for (reason, count) in &self.skipped {
            writeln!(f, "             {count} skipped: {reason}")?;
        }
        writeln!(f, "  flows      {} open, {} evicted", totals.flows_open, totals.flows_evicted)?;
        writeln!(f, "  memory     {:.1} MiB", self.memory_bytes as f64 / f64::from(1 << 20))?;
        self.watch.fmt(f)
    }
}

/// Runs `serval status`.
///
/// # Errors
/// No sensor answers; the text says where it was looked for.
pub fn status(args: &StatusArgs) -> Result<ExitCode, ReplayError> {
    let config = Config::load(args.config.as_deref())?;
    let address = args.address.as_deref().unwrap_or(config.metrics.address());
    let body = ask(address).map_err(|error| {
        format!(
            "no sensor answers at {address}: {error}; start one with `serval watch`, or name its \
             `listen` below `[metrics]` with --address"
        )
    })?;
    let text = match args.format {
        crate::cli::StatusFormat::Json => body,
        crate::cli::StatusFormat::Text => serde_json::from_str::<Status>(&body)?.to_string(),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What the sensor at `address` answers.
fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /status HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(std::io::Error::other("the answer is not a sensor's")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Tally;
    use crate::stats::PacketCounts;

    #[test]
    fn rates_are_those_since_the_last_look() {
        let before = Totals { received: 100, bytes: 1_000, ..Totals::default() };
        let now = Totals { received: 190, bytes: 2_000, kernel_drops: 10, ..before };
        let rates = now.rates_since(&before, 2.0);
        assert_eq!((rates.packets, rates.bits, rates.loss_percent), (45.0, 4_000.0, 10.0));
        assert_eq!(now.rates_since(&now, 1.0).loss_percent, 0.0);
    }

    #[test]
    fn a_status_survives_its_way_as_json_and_names_what_is_lost() {
        let board = Board::default();
        let packets = PacketCounts { received: 7, decoded: 7, ..PacketCounts::default() };
        board.post_packets(&packets, Tally { kernel_drops: 3, ..Tally::default() });
        board.post_interface("eth1", crate::stats::Link::Lost);
        let mut observer = Observer::new("edge", &["eth0".to_owned(), "eth1".to_owned()]);
        let status = observer.look(&board);
        let json = serde_json::to_string(&status).unwrap();
        let text = serde_json::from_str::<Status>(&json).unwrap().to_string();
        for expected in ["on edge", "eth0: heard", "eth1: LOST", "7 received", "3 dropped"] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
