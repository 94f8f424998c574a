//! One packet in twenty is lost: every flow that lost bytes says so, and what lies outside the
//! holes is still there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use analyzers::record::Header;
use analyzers::{Direction, FlowId, PerDirection, Text, Timestamp, Transport};
use sensor::config::Config;
use sensor::decode::{Decoded, Decoder, Packet};
use sensor::event::{Event, EventKind};
use sensor::pipeline::{Stage, StageError};
use sensor::rows::StampedRow;

use crate::captures;
use crate::dice::Dice;
use crate::packets::SYN;
use crate::replays::{self, Frame, Frames, Row};

/// Lost packets of a thousand.
const LOST_PER_MILLE: u64 = 50;

/// How often each capture loses other packets.
const ROUNDS: u64 = 4;

/// Share of the rows outside the holes that must be there, in percent.
const FOUND_PERCENT_MIN: usize = 90;

/// A flow's ends, the lower one first.
type Ends = (SocketAddr, SocketAddr);

/// A row with its flow, and the time from its first packet to the one that completed it.
struct Told {
    ends: Ends,
    from: Timestamp,
    until: Timestamp,
    row: Row,
}

/// Writes down what the workers found.
#[derive(Default)]
struct Notes(Vec<Event>);

impl Stage for Notes {
    fn events(&mut self, _: usize, events: Vec<Event>, _: Timestamp) -> Result<(), StageError> {
        self.0.extend(events);
        Ok(())
    }
}

fn told(frames: Vec<Frame>) -> Vec<Told> {
    let mut notes = Notes::default();
    replays::run_stage(&mut Frames::new(frames), &mut notes, &Config::default(), 1);
    notes.0.into_iter().filter_map(told_by).collect()
}

/// What an event says in a row; nothing where it says none.
fn told_by(Event { time: until, flow, kind, .. }: Event) -> Option<Told> {
    let (from, record) = match kind {
        EventKind::Record { ts, record } => (ts, record),
        EventKind::Weird { ts, record } => (ts, Box::new(record) as Box<dyn analyzers::Record>),
        EventKind::FlowRow { ts, record } => (ts, record as Box<dyn analyzers::Record>),
        EventKind::Opened { .. } | EventKind::Active { .. } | EventKind::Odd { .. } => return None,
    };
    let header = Header {
        ts: from,
        uid: None,
        src_ip: None,
        src_port: None,
        dst_ip: None,
        dst_port: None,
        proto: None,
        sensor: Text::Word("test"),
    };
    let line = serde_json::to_string(&StampedRow { header, record }).expect("a row");
    let row = serde_json::from_str(&line).expect("a row");
    Some(Told { ends: ends_of(&flow), from, until, row })
}

fn ends_of(flow: &FlowId) -> Ends {
    ends(flow.src.ip, flow.src.port, flow.dst.ip, flow.dst.port)
}

fn ends(a: IpAddr, a_port: u16, b: IpAddr, b_port: u16) -> Ends {
    let (a, b) = (SocketAddr::new(a, a_port), SocketAddr::new(b, b_port));
    if a <= b { (a, b) } else { (b, a) }
}

fn decoded(frame: &Frame) -> Option<Packet> {
    let raw = sensor::capture::RawPacket {
        time: frame.time,
        offset: 0,
        captured_bytes: u32::try_from(frame.bytes.len()).expect("a frame of less than 4 GiB"),
        wire_bytes: frame.wire_bytes,
        link: frame.link,
    };
    match Decoder::new().decode(&raw, &frame.bytes) {
        Decoded::Packet(packet) => Some(packet),
        Decoded::Held | Decoded::Skipped(_) => None,
    }
}

/// Frames that the capture keeps and frames that it loses.
fn lossy(path: &str, seed: u64) -> (Vec<Frame>, Vec<Frame>) {
    let mut dice = Dice::new(seed);
    replays::frames(path).into_iter().partition(|_| !dice.per_mille(LOST_PER_MILLE))
}

fn protocol_captures() -> Vec<String> {
    captures::in_folders(&["dns", "http", "tls", "smb", "rdp"])
}

#[test]
fn what_lies_outside_the_holes_is_still_there() {
    let mut figures: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for path in protocol_captures() {
        let whole = told(replays::frames(&path));
        for round in 0..ROUNDS {
            let (kept, lost) = lossy(&path, round);
            let mut holes: HashMap<Ends, Vec<Timestamp>> = HashMap::new();
            for packet in lost.iter().filter_map(decoded) {
                let ends = ends(packet.src_ip, packet.src_port, packet.dst_ip, packet.dst_port);
                holes.entry(ends).or_default().push(packet.time);
            }
            let mut found: HashMap<(Ends, String), usize> = HashMap::new();
            for told in told(kept) {
                *found.entry((told.ends, alone(&told.row))).or_default() += 1;
            }
            for row in whole.iter().filter(|row| is_outside(row, holes.get(&row.ends))) {
                let table = row.row["table"].as_str().expect("a table").to_owned();
                let (outside, there) = figures.entry(table).or_default();
                *outside += 1;
                let count = found.entry((row.ends, alone(&row.row))).or_default();
                *there += usize::from(*count > 0);
                *count = count.saturating_sub(1);
            }
        }
    }
    for (table, (outside, there)) in &figures {
        let percent = 100 * there / outside;
        eprintln!("{table}: {there} of {outside} rows outside the holes, {percent} %");
        assert!(percent >= FOUND_PERCENT_MIN, "{table}: {there} of {outside} rows");
    }
    assert!(figures.len() >= 5, "only {} tables", figures.len());
}

/// Whether a protocol's row was told by packets that were all kept.
fn is_outside(told: &Told, holes: Option<&Vec<Timestamp>>) -> bool {
    let is_of_protocol = !matches!(told.row["table"].as_str(), Some("flow" | "weird"));
    let hit = |time: &Timestamp| (told.from..=told.until).contains(time);
    is_of_protocol && holes.is_some_and(|holes| !holes.iter().any(hit))
}

/// What tells a row from others, without what rows before it said and without times: bytes behind a
/// hole are told when the hole is given up.
fn alone(row: &Row) -> String {
    const SAID_BEFORE: &[&str] =
        &["ts", "rtt_us", "depth", "user", "domain", "workstation", "ntlm_target", "tree"];
    const OF_THE_FILE: &[&str] =
        &["share_type", "path", "action", "bytes", "pipe_service", "version", "dialect"];
    replays::without(row, &[SAID_BEFORE, OF_THE_FILE].concat())
}

#[test]
fn every_flow_that_lost_bytes_says_so() {
    let mut flows = 0;
    for path in protocol_captures() {
        for round in 0..ROUNDS {
            let (kept, lost) = lossy(&path, round);
            let shown = holes_that_show(&kept, &lost);
            let mut missed: HashMap<Ends, i64> = HashMap::new();
            for told in told(kept) {
                let bytes = told.row.get("missed_bytes").and_then(|count| count.as_i64());
                *missed.entry(told.ends).or_default() += bytes.unwrap_or(0);
            }
            for ends in shown {
                let bytes = missed.get(&ends).copied().unwrap_or(0);
                assert!(bytes > 0, "{path}, round {round}: {ends:?} misses {bytes} bytes");
                flows += 1;
            }
        }
    }
    eprintln!("{flows} flows lost bytes");
    assert!(flows > 100, "only {flows} flows lost bytes");
}

/// What one flow's kept packets show of its numbers, relative to the SYNs.
#[derive(Default)]
struct Seen {
    origins: PerDirection<Option<u32>>,
    ranges: PerDirection<Vec<(u32, u32)>>,
    reached: PerDirection<u32>,
}

/// TCP flows with a byte that no kept packet carries and a kept packet that shows it was sent.
fn holes_that_show(kept: &[Frame], lost: &[Frame]) -> BTreeSet<Ends> {
    let mut flows: HashMap<Ends, Seen> = HashMap::new();
    let mut shown = BTreeSet::new();
    for (frames, is_kept) in [(kept, true), (lost, false)] {
        for packet in frames.iter().filter_map(decoded) {
            let Some(tcp) = packet.tcp.filter(|_| packet.transport == Transport::TCP) else {
                continue;
            };
            let ends = ends(packet.src_ip, packet.src_port, packet.dst_ip, packet.dst_port);
            let is_low = SocketAddr::new(packet.src_ip, packet.src_port) == ends.0;
            let direction = if is_low { Direction::SrcToDst } else { Direction::DstToSrc };
            let seen = flows.entry(ends).or_default();
            if is_kept && tcp.flags & SYN != 0 {
                *seen.origins.of_mut(direction) = Some(tcp.seq);
            }
            let Some(origin) = *seen.origins.of(direction) else { continue };
            let start = tcp.seq.wrapping_sub(origin);
            let range = (start, start + packet.payload_wire_bytes);
            if is_kept {
                seen.ranges.of_mut(direction).push(range);
                let reached = seen.reached.of_mut(direction);
                *reached = (*reached).max(range.1);
                let peer = direction.reversed();
                if let Some(origin) = *seen.origins.of(peer) {
                    let acked = tcp.ack.wrapping_sub(origin);
                    let reached = seen.reached.of_mut(peer);
                    *reached = (*reached).max(if acked < 1 << 30 { acked } else { 0 });
                }
            } else if is_hole(seen, direction, range) {
                shown.insert(ends);
            }
        }
    }
    shown
}

/// Whether a lost range has a first byte that is in no kept one and that something behind it shows.
fn is_hole(seen: &Seen, direction: Direction, (start, end): (u32, u32)) -> bool {
    let covered = seen.ranges.of(direction).iter().any(|&(from, to)| from <= start && start < to);
    // A FIN takes a number, too, so that one more than the payload may be acknowledged.
    start < end && !covered && *seen.reached.of(direction) > end
}
