//! Bits that are flipped: nothing panics, and what comes out is bounded by what went in.

use crate::conversations::{self, Conversation, Piece};
use crate::dice::Dice;

/// How often each conversation is told with other bits flipped.
const ROUNDS: usize = 12;

/// Bits flipped in one round, at most.
const FLIPS_MAX: usize = 8;

/// Bytes of rows for each byte of payload, and in any case.
const ROW_BYTES_PER_BYTE: usize = 64;
const ROW_BYTES: usize = 64 * 1024;

#[test]
fn flipped_bits_are_survived_and_rows_stay_in_proportion() {
    let mut dice = Dice::new(3);
    for conversation in conversations::all() {
        for round in 0..ROUNDS {
            let flipped = flipped(&conversation, &mut dice);
            let said = conversations::said(conversation.context, &flipped);
            let bytes: usize = said.records.iter().map(String::len).sum();
            let most = ROW_BYTES + ROW_BYTES_PER_BYTE * conversation.len();
            assert!(bytes <= most, "{}, round {round}: {bytes} bytes of rows", conversation.name);
        }
    }
}

/// The conversation with a few bits flipped, anywhere or in the first bytes, where headers are.
fn flipped(conversation: &Conversation, dice: &mut Dice) -> Vec<Piece> {
    let mut pieces = conversation.pieces.clone();
    for _ in 0..=dice.below(FLIPS_MAX) {
        let at = dice.below(pieces.len());
        let mut bytes = pieces[at].bytes().to_vec();
        if bytes.is_empty() {
            continue;
        }
        let near = if dice.per_mille(500) { bytes.len().min(16) } else { bytes.len() };
        let byte = dice.below(near);
        bytes[byte] ^= 1 << dice.below(8);
        pieces[at] = pieces[at].with(&bytes);
    }
    pieces
}
