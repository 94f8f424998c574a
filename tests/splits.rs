//! Where a stream is cut into segments changes nothing: whole, byte by byte, and cut at every place.

use std::collections::BTreeMap;

use analyzers::{Transport, protocols};

use crate::conversations::{self, Conversation, Piece};
use crate::dice::Dice;

/// Conversations of at most so many bytes are cut at every place.
const EVERY_PLACE_BYTES: usize = 600;

/// Places at which a longer one is cut.
const SAMPLED_PLACES: usize = 200;

/// Bytes up to which a conversation is told byte by byte.
const BYTE_BY_BYTE_BYTES: usize = 200_000;

fn streams() -> Vec<Conversation> {
    let conversations = conversations::all().into_iter();
    conversations.filter(Conversation::is_stream).map(|stream| stream.in_turns()).collect()
}

#[test]
fn the_streams_that_are_cut_have_rows_of_every_stream_protocol() {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for said in streams().iter().map(Conversation::said) {
        *rows.entry(said.service.unwrap_or("unknown")).or_default() += said.records.len();
    }
    for protocol in protocols::ALL.iter().filter(|protocol| !protocol.tables.is_empty()) {
        let count = rows.get(protocol.name).copied().unwrap_or(0);
        let is_stream = protocol.transports.contains(&Transport::TCP);
        assert!(count >= 5 || !is_stream, "{count} rows of {}", protocol.name);
    }
}

#[test]
fn a_stream_told_byte_by_byte_says_the_same() {
    for stream in streams() {
        if stream.len() > BYTE_BY_BYTE_BYTES {
            continue;
        }
        let bytes: Vec<Piece> = stream
            .pieces
            .iter()
            .flat_map(|turn| match turn.bytes() {
                [] => vec![turn.clone()],
                bytes => bytes.iter().map(|byte| turn.with(&[*byte])).collect(),
            })
            .collect();
        let told = conversations::said(stream.context, &bytes);
        assert_eq!(told, stream.said(), "{}", stream.name);
    }
}

#[test]
fn a_stream_cut_at_any_place_says_the_same() {
    let mut dice = Dice::new(1);
    let most = if std::env::var_os("SERVAL_LONG_TESTS").is_some() { 2_000 } else { SAMPLED_PLACES };
    for stream in streams() {
        let whole = stream.said();
        let len = stream.len();
        let most = if len <= EVERY_PLACE_BYTES { len } else { most };
        for place in dice.sample(len, most) {
            let cut = cut_at(&stream, place);
            assert_eq!(
                conversations::said(stream.context, &cut),
                whole,
                "{} cut at byte {place}",
                stream.name
            );
        }
    }
}

/// The conversation's pieces, of which the one that holds byte `place` is two.
fn cut_at(stream: &Conversation, place: usize) -> Vec<Piece> {
    let mut before = 0;
    let mut pieces = Vec::with_capacity(stream.pieces.len() + 1);
    for piece in &stream.pieces {
        let bytes = piece.bytes();
        match place.checked_sub(before) {
            Some(at) if at > 0 && at < bytes.len() => {
                pieces.push(piece.with(&bytes[..at]));
                pieces.push(piece.with(&bytes[at..]));
            }
            _ => pieces.push(piece.clone()),
        }
        before += bytes.len();
    }
    pieces
}
