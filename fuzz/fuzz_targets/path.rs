//! Frames into the whole data path: decode, flows, streams, sessions, rows as JSON.
//!
//! In: a byte that chooses the link type and the size of the flow table, then frames between
//! marks, each behind a byte for the step of time and one for what the capture cut. Holds: no
//! panic, every packet counted once, every flow's packets in its rows, every row can be written.
#![no_main]

use std::sync::Arc;

use analyzers::Timestamp;
use libfuzzer_sys::fuzz_target;
use sensor::capture::{Batch, LinkType, RawPacket};
use sensor::flow::uid::UidMaker;
use sensor::flow::{FlowSettings, SHARDS};
use sensor::pipeline::{self, RunSettings};
use serval_fuzz::{Frames, LINK_TYPES, Rows, pieces, span};

fuzz_target!(|bytes: &[u8]| {
    let Some((&head, rest)) = bytes.split_first() else { return };
    let link = LinkType(LINK_TYPES[usize::from(head & 15)]);
    let (mut block, mut packets, mut time) = (Vec::new(), Vec::new(), 0);
    for piece in pieces(rest) {
        let Some((&[step, cut], frame)) = piece.split_first_chunk() else { continue };
        time += span(step);
        packets.push(RawPacket {
            time: Timestamp::from_nanos(time),
            offset: block.len() as u32,
            captured_bytes: frame.len() as u32,
            wire_bytes: frame.len() as u32 + u32::from(cut),
            link,
        });
        block.extend_from_slice(frame);
    }
    let received = packets.len() as u64;
    // The smallest table holds two flows a shard, so that eviction is met too.
    let flows_max = if head & 16 == 0 { 131_072 } else { 2 * SHARDS };
    let flow = FlowSettings { flows_max, ..FlowSettings::default() };
    let settings =
        RunSettings { flow, uids: UidMaker::new("fuzz"), workers: 1, board: Arc::default() };
    let mut frames = Frames::new(Batch { block: Arc::new(block), packets });
    let mut rows = Rows::default();
    let counts = pipeline::run(&mut frames, &mut rows, &settings).expect("rows can be written");
    assert_eq!(counts.packets.received, received);
    assert_eq!(counts.packets.decoded + counts.packets.skipped.total(), received);
    assert_eq!(rows.flow_packets(), counts.packets.decoded);
});
