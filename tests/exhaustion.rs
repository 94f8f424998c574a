//! A flood of connections that nobody answers, larger than the flow table: the conversations that
//! go on beside it are recorded whole, and memory stays where it was.
//!
//! The size is that of a quick test; `SERVAL_FLOOD=10000000` in the environment asks for another.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use analyzers::{Direction, PerDirection, Timestamp};
use sensor::capture::{Batch, CaptureError, Fill, LinkType, Problem, RawPacket, Source, Tally};
use sensor::config::Config;
use sensor::event::{Event, EventKind};
use sensor::memory::held_bytes;
use sensor::pipeline::{Stage, StageError};

use crate::dice::Dice;
use crate::packets::{ACK, Ends, FIN, PSH, SYN, Segment, Wrapping};
use crate::replays;

use Direction::{DstToSrc, SrcToDst};

/// Conversations that go on beside the flood.
const CONVERSATIONS: u16 = 500;

/// How long the flood lasts, in packet time.
const SECONDS: u64 = 300;

/// How often a conversation says something: less often than most things that are looked for.
const EVERY_SECONDS: u64 = 60;

/// Packets of one batch.
const BATCH_PACKETS: usize = 4_096;

/// The flood, with conversations in between; made while it is read.
struct Flood {
    syns: u64,
    sent: u64,
    dice: Dice,
    /// Rounds of all conversations that were sent.
    rounds: u64,
    given: u64,
}

impl Flood {
    const fn new(syns: u64) -> Self {
        Self { syns, sent: 0, dice: Dice::new(5), rounds: 0, given: 0 }
    }

    /// The time of the flood's next packet.
    fn now(&self) -> Timestamp {
        let nanos = u128::from(self.sent) * u128::from(SECONDS) * 1_000_000_000;
        let nanos = i64::try_from(nanos / u128::from(self.syns)).expect("minutes");
        Timestamp::from_nanos(1_700_000_000_000_000_000 + nanos)
    }

    /// A SYN from nowhere.
    fn syn(&mut self) -> Vec<u8> {
        let (source, port) = (self.dice.number(), self.dice.number());
        let [_, _, _, _, a, b, c, d] = source.to_be_bytes();
        let [.., low, high] = port.to_be_bytes();
        let src =
            SocketAddrV4::new(Ipv4Addr::new(a | 64, b, c, d), u16::from_be_bytes([high, low]));
        let dst = SocketAddrV4::new(Ipv4Addr::new(10, 30, 0, 1), 443);
        let ends = Ends { src, dst, origins: PerDirection { src: 7, dst: 9 } };
        ends.tcp(&Segment::new(SrcToDst, SYN, 0, 0, &[]))
    }

    /// What all conversations say in a round.
    fn round(&self) -> Vec<Vec<u8>> {
        let last = SECONDS / EVERY_SECONDS;
        let offset = 1 + i64::try_from(self.rounds.saturating_sub(1)).expect("small") * 5;
        let said = |ends: &Ends| match self.rounds {
            0 => vec![
                ends.tcp(&Segment::new(SrcToDst, SYN, 0, 0, &[])),
                ends.tcp(&Segment::new(DstToSrc, SYN | ACK, 0, 1, &[])),
                ends.tcp(&Segment::new(SrcToDst, ACK, 1, 1, &[])),
            ],
            round if round == last => vec![
                ends.tcp(&Segment::new(SrcToDst, FIN | ACK, offset, offset, &[])),
                ends.tcp(&Segment::new(DstToSrc, FIN | ACK, offset, offset + 1, &[])),
                ends.tcp(&Segment::new(SrcToDst, ACK, offset + 1, offset + 1, &[])),
            ],
            _ => vec![
                ends.tcp(&Segment::new(SrcToDst, PSH | ACK, offset, offset, b"still")),
                ends.tcp(&Segment::new(DstToSrc, PSH | ACK, offset, offset + 5, b"here.")),
            ],
        };
        let all = (0..CONVERSATIONS).map(|number| Ends::new(number, 40_000, 47_111));
        all.flat_map(|ends| said(&ends)).collect()
    }
}

impl Source for Flood {
    fn fill(&mut self, batch: &mut Batch) -> Result<Fill, CaptureError> {
        let mut block = Vec::new();
        batch.packets.clear();
        while batch.packets.len() < BATCH_PACKETS {
            let time = self.now();
            let due = self.sent * SECONDS / self.syns / EVERY_SECONDS >= self.rounds;
            let packets = match (due, self.sent < self.syns) {
                (true, _) => {
                    let packets = self.round();
                    self.rounds += 1;
                    packets
                }
                (false, true) => {
                    self.sent += 1;
                    vec![self.syn()]
                }
                (false, false) => break,
            };
            for packet in packets {
                let frame = Wrapping::Plain.frame(&packet);
                let length = u32::try_from(frame.len()).expect("a small packet");
                batch.packets.push(RawPacket {
                    time,
                    offset: u32::try_from(block.len()).expect("a small batch"),
                    captured_bytes: length,
                    wire_bytes: length,
                    link: LinkType(1),
                });
                block.extend_from_slice(&frame);
            }
        }
        self.given += batch.packets.len() as u64;
        batch.block = Arc::new(block);
        Ok(if batch.packets.is_empty() { Fill::End } else { Fill::Packets })
    }

    fn tally(&self) -> Tally {
        Tally { packets: self.given, ..Tally::default() }
    }

    fn problems(&mut self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Keeps the rows of conversations and counts the others.
#[derive(Default)]
struct Rows {
    conversations: BTreeMap<IpAddr, (i64, i64, &'static str)>,
    flood: u64,
    held_most: u64,
}

impl Stage for Rows {
    fn events(&mut self, _: usize, events: Vec<Event>, _: Timestamp) -> Result<(), StageError> {
        self.held_most = self.held_most.max(held_bytes().unwrap_or(0));
        for event in events {
            let EventKind::FlowRow { record, .. } = event.kind else { continue };
            match event.flow.src.ip {
                IpAddr::V4(ip) if ip.octets()[0] == 10 => {
                    let row = (record.src_packets, record.dst_packets, record.state);
                    let before = self.conversations.insert(event.flow.src.ip, row);
                    assert_eq!(before, None, "a conversation is one flow");
                }
                _ => self.flood += 1,
            }
        }
        Ok(())
    }
}

#[test]
fn conversations_are_recorded_whole_beside_a_flood_larger_than_the_table() {
    let asked = std::env::var("SERVAL_FLOOD").ok().and_then(|size| size.parse().ok());
    let syns: u64 = asked.unwrap_or(300_000);
    let flows_max = if asked.is_some() { 100_000 } else { 5_000 };
    let mut config = Config::default();
    config.flow.max = Some(flows_max);
    let (mut flood, mut rows) = (Flood::new(syns), Rows::default());
    let held_before = held_bytes().unwrap_or(0);
    let counts = replays::run_stage(&mut flood, &mut rows, &config, 1);

    let rounds = i64::try_from(SECONDS / EVERY_SECONDS).expect("small");
    let whole = (rounds + 3, rounds + 1, "SF");
    let broken: Vec<_> = rows.conversations.iter().filter(|(_, row)| **row != whole).collect();
    assert_eq!(rows.conversations.len(), usize::from(CONVERSATIONS));
    assert!(broken.is_empty(), "{} of them, as {:?}", broken.len(), broken.first());
    assert!(counts.flows.evicted > 0, "the table was never full");
    assert_eq!(counts.packets.received, counts.packets.decoded + counts.packets.skipped.total());
    // Two of a flood's addresses may be the same.
    assert!(rows.flood <= syns && rows.flood > syns - syns / 1_000, "{} rows", rows.flood);
    // A kibibyte or two a flow, and the events of one batch: nothing that grows with the flood.
    let grown = rows.held_most.saturating_sub(held_before);
    let bound = (flows_max as u64 * 4_096).max(64 << 20);
    assert!(grown < bound, "{grown} bytes more than before");
    eprintln!("{syns} SYNs, {} evicted, {grown} bytes more at most", counts.flows.evicted);
}
