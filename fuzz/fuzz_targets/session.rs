//! Pieces of one flow's payload into a session, or straight into one protocol's analyzer.
//!
//! In: six bytes (who takes the flow, its transport and kind, its ports), then pieces between
//! marks. Holds: no panic, the contract of steps, output in proportion to input.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use analyzers::{
    Emitter, Endpoint, FileHashing, Finish, FinishReason, FlowContext, PerDirection, StreamStart,
    Timestamp, Transport,
};
use libfuzzer_sys::fuzz_target;
use sensor::session::Session;
use serval_fuzz::{Driven, Feed, Ledger, Piece, Subject, pieces};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[taker, kind, a, b, c, d], rest)) = bytes.split_first_chunk() else { return };
    let Some(protocol) = Driven::protocols().cycle().nth(usize::from(taker / 2)) else { return };
    let transport = if kind & 1 == 0 { Transport::TCP } else { Transport::UDP };
    let driven = taker % 2 == 1 && protocol.transports.contains(&transport);
    let end =
        |port| Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: u16::from_be_bytes(port) };
    let context = FlowContext {
        src: end([a, b]),
        dst: end([c, d]),
        transport,
        start: if kind & 2 == 0 { StreamStart::Beginning } else { StreamStart::Midstream },
        hashing: if kind & 4 == 0 { FileHashing::On } else { FileHashing::Off },
    };
    let mut subject: Box<dyn Subject> = match Driven::new(protocol, &context).filter(|_| driven) {
        Some(analyzer) => Box::new(analyzer),
        None => Box::new(Session::new(context)),
    };
    let (mut emitter, mut ledger, mut time) = (Emitter::default(), Ledger::default(), 0);
    for Piece { direction, feed, span, times, bytes } in pieces(rest).filter_map(Piece::read) {
        for _ in 0..times {
            time += span;
            let now = Timestamp::from_nanos(time);
            ledger.fed += bytes.len() + 1;
            match (transport, feed) {
                (Transport::TCP, Feed::Runs(run)) => bytes
                    .chunks(run)
                    .for_each(|run| subject.bytes(direction, now, run, &mut emitter)),
                (Transport::TCP, Feed::Missing) => {
                    subject.gap(direction, now, bytes.len().max(1) as u64, &mut emitter);
                }
                (_, feed) => {
                    let cut = if matches!(feed, Feed::Missing) { 900 } else { 0 };
                    subject.datagram(direction, now, bytes, bytes.len() + cut, &mut emitter);
                }
            }
            ledger.settle(&mut emitter);
        }
    }
    let (reason, time) = (FinishReason::Shutdown, Timestamp::from_nanos(time));
    let (rest, payload_bytes) = (PerDirection::default(), PerDirection::default());
    subject.finish(&Finish { reason, time, rest, payload_bytes }, &mut emitter);
    ledger.settle(&mut emitter);
});
