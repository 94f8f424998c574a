//! A conversation may end anywhere: nothing panics, and what was complete before stays as it was.

use crate::conversations::{Conversation, Hearing, Said};
use crate::dice::Dice;

/// Conversations of at most so many bytes end at every place.
const EVERY_PLACE_BYTES: usize = 1_000;

/// Places at which a longer one ends.
const SAMPLED_PLACES: usize = 200;

#[test]
fn every_prefix_says_what_was_complete_before_its_end() {
    let mut dice = Dice::new(2);
    for conversation in crate::conversations::all() {
        let complete = conversation.complete_after_each_piece();
        let whole = conversation.said();
        let len = conversation.len();
        let most = if len <= EVERY_PLACE_BYTES { len } else { SAMPLED_PLACES };
        for place in dice.sample(len, most) {
            let (told, pieces) = prefix(&conversation, place);
            let sure = if pieces == 0 { 0 } else { complete[pieces - 1] };
            assert_eq!(
                told.records.get(..sure),
                whole.records.get(..sure),
                "{} up to byte {place}",
                conversation.name
            );
        }
    }
}

/// What the first `place` bytes say, and how many pieces of them are whole.
fn prefix(conversation: &Conversation, place: usize) -> (Said, usize) {
    let mut hearing = Hearing::new(conversation.context);
    let mut left = place;
    for (at, piece) in conversation.pieces.iter().enumerate() {
        let bytes = piece.bytes();
        if bytes.len() > left {
            if left > 0 {
                hearing.piece(&piece.with(&bytes[..left]));
            }
            return (hearing.finish(), at);
        }
        left -= bytes.len();
        hearing.piece(piece);
    }
    (hearing.finish(), conversation.pieces.len())
}
